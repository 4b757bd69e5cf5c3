/* SPDX-License-Identifier: Apache-2.0 */
#include "api/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"

/* An answer may be long (`list` of 100,000 reports), but not without bound. */
#define ANSWER_MAX (256u << 20)

struct control_connection {
	int fd;
	struct buffer in;
	size_t scanned; /* bytes of in known to hold no line feed */
};

struct control_connection *control_connect(
	const char *path, enum control_code *code, struct error *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct control_connection *c;

	*code = CONTROL_UNREACHABLE;
	if (strlen(path) >= sizeof sun.sun_path) {
		error_set(err, "%s: the path is too long for a socket", path);
		return NULL;
	}
	memcpy(sun.sun_path, path, strlen(path));
	c = calloc(1, sizeof *c);
	if (!c) {
		error_set(err, "out of memory");
		return NULL;
	}
	c->in.max = ANSWER_MAX;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sun, sizeof sun)) {
		int e = errno;

		if (e == EACCES || e == EPERM)
			*code = CONTROL_PERMISSION;
		error_set(err,
			e == EACCES || e == EPERM ?
				"%s: %s; be root or in the daemon's [node] control_group" :
				"%s: %s; is sipchaind running with this configuration?",
			path, strerror(e));
		if (c->fd >= 0)
			close(c->fd);
		free(c);
		return NULL;
	}
	return c;
}

void control_disconnect(struct control_connection *c)
{
	if (!c)
		return;
	close(c->fd);
	buffer_free(&c->in);
	free(c);
}

/* Milliseconds left until end, for poll(2); -1 when there is no end. */
static int remaining(usec end)
{
	usec now = clock_monotonic();

	if (!end)
		return -1;
	return now >= end ? 0 : (int)((end - now) / 1000 + 1);
}

json_t *control_next(struct control_connection *c, int timeout_ms, struct error *err)
{
	usec end = timeout_ms < 0 ? 0 : clock_monotonic() + (usec)timeout_ms * 1000;
	uint8_t chunk[16384];
	json_error_t error;
	json_t *value;
	ssize_t got;
	size_t n;

	for (;;) {
		struct view rest = view_from(view_of(c->in.p, c->in.n), c->scanned);
		struct pollfd p = {.fd = c->fd, .events = POLLIN};

		n = c->scanned + view_find(rest, '\n');
		if (n < c->in.n)
			break;
		c->scanned = c->in.n;
		if (poll(&p, 1, remaining(end)) == 0) {
			error_set(err, "no answer within %d ms", timeout_ms);
			return NULL;
		}
		got = read(c->fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			error_set(err,
				got ? "the daemon's socket: %s" :
				      "the daemon closed the connection%s",
				got ? strerror(errno) : "");
			return NULL;
		}
		if (buffer_put(&c->in, chunk, (size_t)got)) {
			error_set(err, "the answer is longer than %u MiB",
				ANSWER_MAX >> 20);
			return NULL;
		}
	}
	value = json_loadb((const char *)c->in.p, n, 0, &error);
	buffer_consume(&c->in, n + 1);
	c->scanned = 0;
	if (!value)
		error_set(err, "the daemon's answer is not JSON: %s", error.text);
	return value;
}

/* Write it all; SIGPIPE is not wanted. Returns 0 or -1. */
static int send_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t put = send(fd, text, n, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		text += put;
		n -= (size_t)put;
	}
	return 0;
}

json_t *control_ask(struct control_connection *c, const char *command, json_t *arguments,
	enum control_code *code, struct error *err)
{
	json_t *request, *answer, *result = NULL;
	char *text;
	int rc;

	*code = CONTROL_UNREACHABLE;
	request = json_pack("{s:s, s:o*}", "command", command, "arguments", arguments);
	text = request ? json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(request);
	if (!text) {
		error_set(err, "%s: the arguments are not valid UTF-8", command);
		*code = CONTROL_USAGE;
		return NULL;
	}
	rc = send_all(c->fd, text, strlen(text)) || send_all(c->fd, "\n", 1);
	free(text);
	if (rc) {
		error_set(err, "the daemon's socket: %s", strerror(errno));
		return NULL;
	}
	answer = control_next(c, 60000, err);
	if (!answer)
		return NULL;
	if (json_is_true(json_object_get(answer, "ok"))) {
		result = json_incref(json_object_get(answer, "result"));
		*code = CONTROL_OK;
	} else {
		const char *why = json_string_value(json_object_get(answer, "error"));

		*code = (enum control_code)json_integer_value(
			json_object_get(answer, "code"));
		error_set(err, "%s", why ? why : "refused without a reason");
		if (*code == CONTROL_OK)
			*code = CONTROL_FAILED;
	}
	json_decref(answer);
	return result;
}
