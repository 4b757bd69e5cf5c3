/* SPDX-License-Identifier: Apache-2.0 */
#include "api/control.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/log.h"

/* A subscriber that lags by more than this is cut off: it must not hold us. */
#define BACKLOG_MAX (4u << 20)

struct control_client {
	uv_pipe_t pipe;
	struct control *control;
	struct control_client *next;
	struct buffer in;
	uid_t uid;
	bool may_change;
	bool watching;
	bool busy;       /* a request is being answered: the owner holds this client */
	bool processing; /* client_process() runs: an answer need not call it */
	bool closing;
	bool closed; /* the pipe is gone; freed as soon as it is not busy */
};

struct control {
	uv_pipe_t listener;
	gid_t group;
	control_request_fn *request;
	void *context;
	struct control_client *clients;
	unsigned count;
	bool closing;
	bool listener_closed;
};

static void client_process(struct control_client *client);

static void control_free_when_empty(struct control *c)
{
	if (c->listener_closed && !c->clients)
		free(c);
}

static void client_free(struct control_client *client)
{
	buffer_free(&client->in);
	free(client);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;
	struct control *c = client->control;
	struct control_client **at = &c->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	c->count--;
	client->closed = true;
	if (!client->busy)
		client_free(client);
	control_free_when_empty(c);
}

static void client_close(struct control_client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

/* One write in flight: the request and its text in one allocation. */
struct write {
	uv_write_t request;
	char text[];
};

static void on_written(uv_write_t *request, int status)
{
	struct control_client *client = request->handle->data;

	free(request);
	if (status && status != UV_ECANCELED)
		client_close(client);
}

/* Send one JSON value as a line. */
static void client_send(struct control_client *client, const json_t *value)
{
	struct write *w;
	uv_buf_t out;
	size_t n;
	char *text;

	if (client->closing)
		return;
	if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > BACKLOG_MAX) {
		log_warning("control: a client of uid %u reads too slowly, closed",
			(unsigned)client->uid);
		client_close(client);
		return;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (!text) {
		client_close(client);
		return;
	}
	n = strlen(text);
	w = malloc(sizeof *w + n + 1);
	if (w) {
		memcpy(w->text, text, n);
		w->text[n] = '\n';
		out = uv_buf_init(w->text, (unsigned)n + 1);
		if (uv_write(&w->request, (uv_stream_t *)&client->pipe, &out, 1,
			    on_written)) {
			free(w);
			client_close(client);
		}
	} else {
		client_close(client);
	}
	free(text);
}

uid_t control_uid(const struct control_client *client)
{
	return client->uid;
}

bool control_may_change(const struct control_client *client)
{
	return client->may_change;
}

/* The answer is out: take the next request that already arrived. */
static void client_next(struct control_client *client)
{
	client->busy = false;
	if (client->closed)
		client_free(client);
	else if (!client->processing)
		client_process(client);
}

/* Send one answer, taken over; without memory for it, end. Then the next request. */
static void answer(struct control_client *client, json_t *line)
{
	if (line)
		client_send(client, line);
	else
		client_close(client);
	json_decref(line);
	client_next(client);
}

void control_answer(struct control_client *client, json_t *result)
{
	answer(client, json_pack("{s:b, s:o}", "ok", 1, "result", result));
}

void control_refuse(
	struct control_client *client, enum control_code code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	answer(client,
		json_pack("{s:b, s:i, s:s}", "ok", 0, "code", (int)code, "error", text));
}

bool control_let_change(struct control_client *client)
{
	if (control_may_change(client))
		return true;
	control_refuse(client, CONTROL_PERMISSION,
		"uid %u may ask but not change; be root or in [node] control_group",
		(unsigned)control_uid(client));
	return false;
}

void control_watch(struct control_client *client)
{
	json_t *line = json_pack("{s:b, s:{}}", "ok", 1, "result");

	client->watching = true;
	if (line)
		client_send(client, line);
	json_decref(line);
	client_next(client);
}

void control_tell(struct control_client *client, json_t *event)
{
	json_t *line = json_pack("{s:o}", "event", event);

	if (line)
		client_send(client, line);
	json_decref(line);
}

bool control_watched(const struct control *c)
{
	const struct control_client *client;

	for (client = c->clients; client; client = client->next)
		if (client->watching && !client->closing)
			return true;
	return false;
}

void control_publish(struct control *c, json_t *event)
{
	struct control_client *client;
	json_t *line = json_pack("{s:o}", "event", event);

	if (!line)
		return;
	for (client = c->clients; client; client = client->next)
		if (client->watching)
			client_send(client, line);
	json_decref(line);
}

/* Hand one line to the owner. */
static void client_line(struct control_client *client, const char *line, size_t n)
{
	json_error_t error;
	json_t *root = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
	const char *command;

	client->busy = true;
	command = json_string_value(json_object_get(root, "command"));
	if (!command)
		control_refuse(client, CONTROL_USAGE,
			"request is not {\"command\": ..., \"arguments\": {...}}: %s",
			root ? "no command" : error.text);
	else
		client->control->request(client->control->context, client, command,
			json_object_get(root, "arguments"));
	json_decref(root);
}

static void client_lines(struct control_client *client)
{
	while (!client->busy && !client->closing) {
		struct view in = view_of(client->in.p, client->in.n);
		size_t end = view_find(in, '\n');
		char *line;

		if (end == in.n) {
			if (in.n >= CONTROL_LINE_MAX)
				client_close(client);
			return;
		}
		/* A copy: the handler may answer at once and take the next line. */
		line = malloc(end + 1);
		if (!line) {
			client_close(client);
			return;
		}
		if (end)
			memcpy(line, in.p, end);
		buffer_consume(&client->in, end + 1);
		client_line(client, line, end);
		free(line);
	}
}

static void client_process(struct control_client *client)
{
	client->processing = true;
	client_lines(client);
	client->processing = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	static char scratch[16384];

	(void)handle;
	(void)suggested;
	*out = uv_buf_init(scratch, sizeof scratch);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *in)
{
	struct control_client *client = stream->data;

	if (n < 0) {
		client_close(client);
		return;
	}
	if (buffer_put(&client->in, in->base, (size_t)n)) {
		client_close(client);
		return;
	}
	client_process(client);
}

/* Whether uid is in group, as its primary or a supplementary one. */
static bool peer_in_group(int fd, const struct ucred *cred, gid_t group)
{
	gid_t groups[64];
	socklen_t n = sizeof groups;

	if (group == (gid_t)-1)
		return false;
	if (cred->gid == group)
		return true;
	/* SO_PEERGROUPS (Linux 4.13): what the peer had when it connected. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n))
		return false;
	for (size_t i = 0; i < n / sizeof groups[0]; i++)
		if (groups[i] == group)
			return true;
	return false;
}

int control_peer(int fd, gid_t group, uid_t *uid, bool *may_change)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n))
		return -1;
	*uid = cred.uid;
	*may_change = cred.uid == 0 || cred.uid == geteuid() ||
		peer_in_group(fd, &cred, group);
	return 0;
}

/* Learn who it is. Returns 0 or -1. */
static int client_identify(struct control_client *client)
{
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&client->pipe, &fd))
		return -1;
	return control_peer(
		fd, client->control->group, &client->uid, &client->may_change);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *c = listener->data;
	struct control_client *client;

	if (status || c->closing)
		return;
	client = calloc(1, sizeof *client);
	if (!client)
		return;
	client->control = c;
	client->in.max = CONTROL_LINE_MAX + 16384;
	uv_pipe_init(listener->loop, &client->pipe, 0);
	client->pipe.data = client;
	client->next = c->clients;
	c->clients = client;
	c->count++;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) ||
		client_identify(client)) {
		client_close(client);
		return;
	}
	if (c->count > CONTROL_CLIENTS_MAX) {
		control_refuse(client, CONTROL_FAILED,
			"%u clients are connected already; close a `sipchain watch`",
			CONTROL_CLIENTS_MAX);
		client_close(client);
		return;
	}
	if (uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read))
		client_close(client);
}

struct control *control_new(uv_loop_t *loop, int fd, gid_t group,
	control_request_fn *request, void *context, struct error *err)
{
	struct control *c = calloc(1, sizeof *c);
	int rc;

	if (!c) {
		error_set(err, "control socket: out of memory");
		return NULL;
	}
	c->group = group;
	c->request = request;
	c->context = context;
	uv_pipe_init(loop, &c->listener, 0);
	c->listener.data = c;
	rc = uv_pipe_open(&c->listener, fd);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&c->listener, 16, on_connection);
	if (rc) {
		error_set(err, "control socket: %s", uv_strerror(rc));
		control_close(c);
		return NULL;
	}
	return c;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct control *c = handle->data;

	c->listener_closed = true;
	control_free_when_empty(c);
}

void control_close(struct control *c)
{
	struct control_client *client;

	if (!c || c->closing)
		return;
	c->closing = true;
	for (client = c->clients; client; client = client->next)
		client_close(client);
	uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}

/* Whether somebody answers on a socket file that is already there. */
static bool socket_is_live(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool live;

	if (fd < 0)
		return false;
	live = !connect(fd, (const struct sockaddr *)sun, sizeof *sun);
	close(fd);
	return live;
}

int control_listen(const char *path, gid_t group, struct error *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof sun.sun_path)
		return error_set(err,
			"%s: longer than %zu bytes; choose a shorter [node] run", path,
			sizeof sun.sun_path - 1);
	memcpy(sun.sun_path, path, strlen(path));
	if (socket_is_live(&sun))
		return error_set(err,
			"%s: another sipchaind answers there; stop it or "
			"choose another [node] run",
			path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, "control socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&sun, sizeof sun) || listen(fd, 16)) {
		error_set(err, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	/* Anybody in the group may connect; what he may do is asked per request. */
	if (group != (gid_t)-1 && chown(path, (uid_t)-1, group))
		log_warning("%s: cannot give it to group %u: %s", path, (unsigned)group,
			strerror(errno));
	if (chmod(path, 0660)) {
		error_set(err, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}
