/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/parent.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/resident.h"

/* What may wait for a parent that is slow: pongs and status lines. */
#define QUEUE_MAX 65536

struct parent {
	struct link *link;
	struct parent_callbacks callbacks;
	bool busy;   /* inside a callback: parent_close() leaves the freeing to us */
	bool closed; /* parent_close() was called */
};

static int tell(struct parent *p, uint16_t type, struct view payload)
{
	return p->closed ? -1 : link_send(p->link, type, payload);
}

int parent_config(struct config *out, int fd, struct error *err)
{
	struct buffer errors = {.max = 4096};
	struct stat st;
	void *text;
	int rc;

	if (fstat(fd, &st))
		return error_set(err, "configuration: %s", strerror(errno));
	if (st.st_size <= 0 || st.st_size > CONFIG_PRINTED_MAX)
		return error_set(err, "configuration: has %lld bytes, not 1 .. %u",
			(long long)st.st_size, CONFIG_PRINTED_MAX);
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return error_set(err, "configuration: %s", strerror(errno));
	rc = config_parse(
		out, "configuration", view_of(text, (size_t)st.st_size), &errors);
	munmap(text, (size_t)st.st_size);
	if (rc) {
		size_t line = view_find(view_of(errors.p, errors.n), '\n');

		error_set(err, "%.*s", (int)line, errors.p ? (char *)errors.p : "");
	}
	buffer_free(&errors);
	return rc;
}

/* A new configuration, in a sealed memory file: take it over and answer. */
static void reload(struct parent *p, int fd)
{
	struct config config;
	struct error err = {""};
	uint8_t answer[1 + sizeof err.text];
	size_t n;
	int rc;

	if (fd < 0)
		return;
	rc = parent_config(&config, fd, &err);
	close(fd);
	if (rc == 0) {
		if (p->callbacks.reload)
			rc = p->callbacks.reload(p->callbacks.context, &config, &err);
		config_free(&config);
	}
	answer[0] = rc == 0;
	n = rc ? strlen(err.text) : 0;
	memcpy(answer + 1, err.text, n);
	tell(p, MSG_RELOADED, view_of(answer, 1 + n));
}

static void peer(struct parent *p, struct view payload, int fd)
{
	struct control_peer who;

	if (payload.n != sizeof who || fd < 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	memcpy(&who, payload.p, sizeof who);
	p->callbacks.peer(
		p->callbacks.context, (enum role)who.role, fd, who.starts, who.pid);
}

static void roles(struct parent *p, struct view payload)
{
	struct role_status list[ROLE_COUNT];
	size_t n = payload.n / sizeof list[0];

	if (!p->callbacks.roles || payload.n % sizeof list[0] || n > ROLE_COUNT)
		return;
	memcpy(list, payload.p, payload.n);
	p->callbacks.roles(p->callbacks.context, list, n);
}

static void connected(struct parent *p, struct view payload, int fd)
{
	struct control_connected answer;

	if (payload.n != sizeof answer || !p->callbacks.connected) {
		if (fd >= 0)
			close(fd);
		return;
	}
	memcpy(&answer, payload.p, sizeof answer);
	answer.text[sizeof answer.text - 1] = 0;
	p->callbacks.connected(p->callbacks.context, &answer, fd);
}

static void opened(struct parent *p, struct view payload, int fd)
{
	struct control_opened answer;

	if (payload.n != sizeof answer || !p->callbacks.opened) {
		if (fd >= 0)
			close(fd);
		return;
	}
	memcpy(&answer, payload.p, sizeof answer);
	answer.text[sizeof answer.text - 1] = 0;
	p->callbacks.opened(p->callbacks.context, &answer, fd);
}

/* Act on one message; a descriptor that came with it is used or closed. */
static void dispatch(struct parent *p, uint16_t type, struct view payload, int fd)
{
	switch (type) {
	case MSG_PEER:
		peer(p, payload, fd);
		return;
	case MSG_RELOAD:
		reload(p, fd);
		return;
	case MSG_CONNECTED:
		connected(p, payload, fd);
		return;
	case MSG_API_OPENED:
		opened(p, payload, fd);
		return;
	case MSG_PING:
		tell(p, MSG_PONG, payload);
		break;
	case MSG_ROLES:
		roles(p, payload);
		break;
	case MSG_STOP:
		p->callbacks.stop(p->callbacks.context, false);
		break;
	default:
		log_warning("message %u from the parent is not known", type);
	}
	if (fd >= 0)
		close(fd);
}

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct parent *p = context;

	(void)l;
	p->busy = true;
	dispatch(p, type, payload, fd);
	p->busy = false;
	if (p->closed)
		free(p);
}

static void on_closed(void *context, struct link *l, const char *why)
{
	struct parent *p = context;

	(void)l;
	log_warning("parent: %s; this role ends", why);
	p->busy = true;
	p->callbacks.stop(p->callbacks.context, true);
	p->busy = false;
	if (p->closed)
		free(p);
}

struct parent *parent_open(
	uv_loop_t *loop, int fd, const struct parent_callbacks *callbacks)
{
	struct parent *p = calloc(1, sizeof *p);
	struct link_callbacks mine = {.context = p,
		.message = on_message,
		.closed = on_closed,
		.accept_fds = true};

	if (!p) {
		close(fd);
		return NULL;
	}
	p->callbacks = *callbacks;
	p->link = link_open(loop, fd, QUEUE_MAX, &mine);
	if (!p->link) {
		free(p);
		return NULL;
	}
	return p;
}

void parent_close(struct parent *p)
{
	if (!p || p->closed)
		return;
	p->closed = true;
	link_close(p->link);
	if (!p->busy)
		free(p);
}

void parent_ready(struct parent *p)
{
	struct sandbox_report report;

	memset(&report, 0, sizeof report);
	if (sandbox_report(&report))
		log_warning("sandbox: /proc/self/status: %s", strerror(errno));
	resident_trim();
	tell(p, MSG_READY, view_of(&report, sizeof report));
}

void parent_connect(struct parent *p, unsigned source)
{
	uint8_t number = (uint8_t)source;

	tell(p, MSG_CONNECT, view_of(&number, 1));
}

void parent_api_open(struct parent *p, enum api_part part, unsigned number)
{
	const struct control_open what = {(uint8_t)part, (uint8_t)number};

	tell(p, MSG_API_OPEN, view_of(&what, sizeof what));
}

void parent_status(struct parent *p, const char *text)
{
	tell(p, MSG_STATUS, view_str(text));
}
