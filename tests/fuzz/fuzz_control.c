/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes on the control socket, up to the commands' ends. What comes back is
 * lines of JSON, and the node is as fit to answer as before.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node_for_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define TURNS 200

static int connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(sun.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof sun))
		abort();
	return fd;
}

static void check_lines(struct view answers)
{
	while (answers.n) {
		struct view line = view_head(answers, view_find(answers, '\n'));
		json_t *o;

		if (line.n == answers.n)
			return; /* the client was left before the end of it */
		o = json_loadb((const char *)line.p, line.n, 0, NULL);
		if (!json_is_boolean(json_object_get(o, "ok")) &&
			!json_object_get(o, "event"))
			abort();
		if (json_is_true(json_object_get(o, "ok")) &&
			!json_object_get(o, "result"))
			abort();
		if (json_is_false(json_object_get(o, "ok")) &&
			!json_is_string(json_object_get(o, "error")))
			abort();
		json_decref(o);
		answers = view_from(answers, line.n + 1);
	}
}

/* Send what the socket takes; take what there is. Returns whether it goes on. */
static bool pump(int fd, struct view *rest, struct buffer *answers)
{
	uint8_t block[4096];
	ssize_t n;

	if (rest->n) {
		n = send(fd, rest->p, rest->n, MSG_NOSIGNAL);
		if (n > 0)
			*rest = view_from(*rest, (size_t)n);
		if (!rest->n)
			shutdown(fd, SHUT_WR);
	}
	while ((n = recv(fd, block, sizeof block, 0)) > 0)
		buffer_put(answers, block, (size_t)n);
	return n != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct buffer answers = {.max = 16U << 20};
	struct view rest = view_of(input, size);
	struct node *n = fuzz_node_begin();
	struct error err = {""};
	int fd = control_listen(fuzz_node_socket(), (gid_t)-1, &err);

	if (fd < 0 || !size)
		goto done;
	n->control = control_new(&n->loop, fd, (gid_t)-1, node_control_request, n, &err);
	if (!n->control)
		abort();
	fd = connect_to(fuzz_node_socket());
	for (int i = 0; i < TURNS && pump(fd, &rest, &answers); i++)
		uv_run(&n->loop, UV_RUN_NOWAIT);
	check_lines(view_of(answers.p, answers.n));
done:
	close(fd);
	buffer_free(&answers);
	fuzz_node_check(n);
	fuzz_node_end(n);
	return 0;
}
