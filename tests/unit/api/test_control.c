/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket end to end: a server on a loop in this process, clients
 * in a child process (the client side blocks).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/control.h"

struct server {
	uv_loop_t loop;
	struct control *control;
	struct control_client *later;
	uv_timer_t timer;
	uv_signal_t child;
	pid_t pid;
	int status;
	char path[108];
	char folder[64];
};

static void answer_later(uv_timer_t *timer)
{
	struct server *s = timer->data;

	control_answer(s->later, json_pack("{s:s}", "text", "later"));
	s->later = NULL;
}

static void on_request(void *context, struct control_client *client, const char *command,
	const json_t *arguments)
{
	struct server *s = context;

	if (!strcmp(command, "echo")) {
		control_answer(client,
			json_pack("{s:O}", "back", json_object_get(arguments, "word")));
	} else if (!strcmp(command, "who")) {
		control_answer(client,
			json_pack("{s:i, s:b}", "uid", (int)control_uid(client), "change",
				control_may_change(client)));
	} else if (!strcmp(command, "later")) {
		s->later = client;
		uv_timer_start(&s->timer, answer_later, 50, 0);
	} else if (!strcmp(command, "watch")) {
		control_watch(client);
		control_publish(s->control, json_pack("{s:i}", "n", 1));
		control_publish(s->control, json_pack("{s:i}", "n", 2));
	} else {
		control_refuse(client, CONTROL_PERMISSION, "not %s", command);
	}
}

static void on_child(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	(void)number;
	if (waitpid(s->pid, &s->status, WNOHANG) != s->pid)
		return;
	control_close(s->control);
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->child, NULL);
}

/* Run client() in a child against a server here; its exit code is checked. */
static void with_server(int (*client)(const char *path))
{
	struct server s;
	struct error err = {""};
	int fd;

	memset(&s, 0, sizeof s);
	snprintf(s.folder, sizeof s.folder, "/tmp/sipchain-control-XXXXXX");
	assert_non_null(mkdtemp(s.folder));
	snprintf(s.path, sizeof s.path, "%s/control.sock", s.folder);
	uv_loop_init(&s.loop);
	uv_timer_init(&s.loop, &s.timer);
	uv_signal_init(&s.loop, &s.child);
	s.timer.data = s.child.data = &s;
	fd = control_listen(s.path, (gid_t)-1, &err);
	assert_true(fd >= 0);
	s.control = control_new(&s.loop, fd, (gid_t)-1, on_request, &s, &err);
	assert_non_null(s.control);
	/* a second daemon must not take the socket over */
	assert_int_equal(control_listen(s.path, (gid_t)-1, &err), -1);
	assert_non_null(strstr(err.text, "another sipchaind"));
	uv_signal_start(&s.child, on_child, SIGCHLD);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (!s.pid)
		_exit(client(s.path));
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s.loop), 0);
	assert_true(WIFEXITED(s.status));
	assert_int_equal(WEXITSTATUS(s.status), 0);
	unlink(s.path);
	rmdir(s.folder);
}

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x)) {                                                              \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);          \
			return 1;                                                        \
		}                                                                        \
	} while (0)

static int asks(const char *path)
{
	enum control_code code;
	struct error err;
	struct control_connection *c = control_connect(path, &code, &err);
	json_t *r;

	CHECK(c);
	r = control_ask(
		c, "echo", json_pack("{s:s}", "word", "caf\xc3\xa9\n"), &code, &err);
	CHECK(r && code == CONTROL_OK);
	CHECK(!strcmp(json_string_value(json_object_get(r, "back")), "caf\xc3\xa9\n"));
	json_decref(r);
	r = control_ask(c, "who", NULL, &code, &err);
	CHECK(r && json_integer_value(json_object_get(r, "uid")) == (json_int_t)getuid());
	CHECK(json_is_true(json_object_get(r, "change")));
	json_decref(r);
	r = control_ask(c, "later", NULL, &code, &err);
	CHECK(r && !strcmp(json_string_value(json_object_get(r, "text")), "later"));
	json_decref(r);
	CHECK(!control_ask(c, "nonsense", NULL, &code, &err));
	CHECK(code == CONTROL_PERMISSION && !strcmp(err.text, "not nonsense"));
	control_disconnect(c);
	return 0;
}

static int watches(const char *path)
{
	enum control_code code;
	struct error err;
	struct control_connection *c = control_connect(path, &code, &err);
	json_t *r = c ? control_ask(c, "watch", NULL, &code, &err) : NULL;

	CHECK(r);
	json_decref(r);
	for (int n = 1; n <= 2; n++) {
		r = control_next(c, 5000, &err);
		CHECK(r);
		CHECK(json_integer_value(
			      json_object_get(json_object_get(r, "event"), "n")) == n);
		json_decref(r);
	}
	CHECK(!control_next(c, 20, &err) && strstr(err.text, "20 ms"));
	control_disconnect(c);
	return 0;
}

static int raw(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	return connect(fd, (struct sockaddr *)&sun, sizeof sun) ? -1 : fd;
}

/* Hostile: many requests in one write, junk, an endless line, a rude leave. */
static int abuses(const char *path)
{
	static char big[CONTROL_LINE_MAX + 40000];
	char answer[65536];
	size_t got = 0, lines = 0;
	int fd = raw(path);

	CHECK(fd >= 0);
	for (int i = 0; i < 500; i++)
		CHECK(write(fd, "{\"command\":\"who\"}\n", 18) == 18);
	while (lines < 500) {
		ssize_t n = read(fd, answer, sizeof answer);

		CHECK(n > 0);
		for (ssize_t k = 0; k < n; k++)
			lines += answer[k] == '\n';
	}
	CHECK(write(fd, "junk\n", 5) == 5);
	got = 0;
	do {
		ssize_t n = read(fd, answer + got, sizeof answer - 1 - got);

		CHECK(n > 0);
		got += (size_t)n;
		answer[got] = 0;
	} while (!strchr(answer, '\n'));
	CHECK(strstr(answer, "\"ok\":false") && strstr(answer, "\"code\":2"));
	/* leave while an answer is still to come */
	CHECK(write(fd, "{\"command\":\"later\"}\n", 20) == 20);
	close(fd);
	usleep(100000);
	fd = raw(path);
	CHECK(fd >= 0);
	memset(big, 'x', sizeof big);
	while (send(fd, big, sizeof big, MSG_NOSIGNAL) > 0)
		;
	CHECK(errno == EPIPE || errno == ECONNRESET);
	close(fd);
	return 0;
}

static int nobody_there(void)
{
	enum control_code code;
	struct error err;

	CHECK(!control_connect("/nonexistent/control.sock", &code, &err));
	CHECK(code == CONTROL_UNREACHABLE && strstr(err.text, "is sipchaind running"));
	return 0;
}

static void requests_are_answered(void **state)
{
	(void)state;
	with_server(asks);
}

static void subscribers_get_events(void **state)
{
	(void)state;
	with_server(watches);
}

static void abuse_is_survived(void **state)
{
	(void)state;
	with_server(abuses);
}

static void an_absent_daemon_is_said(void **state)
{
	(void)state;
	assert_int_equal(nobody_there(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered),
		cmocka_unit_test(subscribers_get_events),
		cmocka_unit_test(abuse_is_survived),
		cmocka_unit_test(an_absent_daemon_is_said),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
