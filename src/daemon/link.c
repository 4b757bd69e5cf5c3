/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* So many messages in one turn of the loop: one flooding peer starves nobody. */
#define TURN_MAX 64

struct waiting {
	struct waiting *next;
	size_t n;
	int fd;
	uint16_t type;
	uint8_t payload[];
};

struct link {
	uv_poll_t poll;
	int fd;
	struct link_callbacks callbacks;
	struct waiting *first, **last;
	size_t queued, limit;
	bool paused;  /* link_pause() */
	bool starved; /* link_send() said EAGAIN since the queue was last empty */
	bool broken;  /* the socket takes no more */
	bool told;    /* closed() was called */
	bool closing; /* link_close() was called */
};

/*
 * Packets are received here, for all links of this process: it has one thread,
 * and a payload is valid during its callback only.
 */
static _Alignas(16) uint8_t received[PACKET_MAX];

static void on_poll(uv_poll_t *handle, int status, int events);

/* Wait for what matters now. */
static void arm(struct link *l)
{
	int events = (l->paused ? 0 : UV_READABLE) |
		(l->first || l->starved ? UV_WRITABLE : 0);

	if (l->closing || l->told)
		return;
	if (events)
		uv_poll_start(&l->poll, events, on_poll);
	else
		uv_poll_stop(&l->poll);
}

static void drop_queue(struct link *l)
{
	struct waiting *w;

	while ((w = l->first)) {
		l->first = w->next;
		if (w->fd >= 0)
			close(w->fd);
		free(w);
	}
	l->last = &l->first;
	l->queued = 0;
}

/* The end: nothing more is sent or received; the owner learns it once. */
static void end(struct link *l, const char *why)
{
	if (l->told || l->closing)
		return;
	uv_poll_stop(&l->poll);
	l->told = l->broken = true;
	drop_queue(l);
	l->callbacks.closed(l->callbacks.context, l, why);
}

/* Send what waits, as far as the socket takes it. */
static void flush(struct link *l)
{
	struct waiting *w;

	while ((w = l->first)) {
		if (packet_send(l->fd, w->type, view_of(w->payload, w->n), w->fd)) {
			if (errno != EAGAIN && errno != ENOBUFS && errno != ETOOMANYREFS)
				l->broken = true;
			break;
		}
		l->first = w->next;
		if (!l->first)
			l->last = &l->first;
		l->queued -= w->n + PACKET_HEADER;
		if (w->fd >= 0)
			close(w->fd);
		free(w);
	}
	if (l->broken)
		drop_queue(l); /* what is still to be read tells the end */
	if (!l->first && l->starved && !l->broken) {
		l->starved = false;
		if (l->callbacks.drained)
			l->callbacks.drained(l->callbacks.context, l);
	}
}

/* Give one packet to the owner. */
static void deliver(struct link *l, const struct packet *p)
{
	if (p->fd >= 0 && !l->callbacks.accept_fds) {
		close(p->fd);
		end(l, "passed a descriptor that was not asked for");
		return;
	}
	l->callbacks.message(l->callbacks.context, l, p->type, p->payload, p->fd);
}

/*
 * Receive up to max packets. Returns false when the socket has nothing more
 * (or the link ended), true when there may be more.
 */
static bool receive(struct link *l, unsigned max)
{
	struct packet p;

	for (unsigned i = 0; i < max; i++) {
		int n = packet_receive(l->fd, received, &p);

		if (n > 0) {
			deliver(l, &p);
			if (l->closing || l->told || l->paused)
				return false;
		} else if (n == 0) {
			end(l, "closed by the other end");
			return false;
		} else if (errno == EAGAIN) {
			return false;
		} else if (errno == EBADMSG) {
			end(l, "malformed packet");
			return false;
		} else if (errno != ECONNRESET && errno != ENOBUFS && errno != ENOMEM) {
			end(l, strerror(errno));
			return false;
		}
		/*
		 * ECONNRESET: the other end died with messages of ours unread. The
		 * kernel says so once, before what it had sent us: go on reading.
		 */
	}
	return true;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct link *l = handle->data;

	if (status < 0) {
		/* An error is pending on the socket: read out what came before it. */
		l->paused = false;
		while (receive(l, TURN_MAX))
			;
		end(l, "closed by the other end");
		return;
	}
	if (events & UV_WRITABLE)
		flush(l);
	if ((events & UV_READABLE) && !l->closing && !l->told && !l->paused)
		receive(l, TURN_MAX);
	arm(l);
}

struct link *link_open(
	uv_loop_t *loop, int fd, size_t limit, const struct link_callbacks *callbacks)
{
	struct link *l = calloc(1, sizeof *l);
	int rc;

	if (!l) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	rc = uv_poll_init(loop, &l->poll, fd);
	if (rc) {
		close(fd);
		free(l);
		errno = -rc;
		return NULL;
	}
	l->poll.data = l;
	l->fd = fd;
	l->limit = limit;
	l->callbacks = *callbacks;
	l->last = &l->first;
	arm(l);
	return l;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void link_close(struct link *l)
{
	if (!l || l->closing)
		return;
	l->closing = true;
	drop_queue(l);
	uv_poll_stop(&l->poll);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	close(l->fd);
}

/* Queue a copy. Returns 0, or -1 with errno. */
static int enqueue(struct link *l, uint16_t type, struct view payload, int fd)
{
	size_t size = payload.n + PACKET_HEADER;
	struct waiting *w;

	if (size > l->limit - l->queued || l->queued > l->limit) {
		l->starved = true;
		errno = EAGAIN;
		return -1;
	}
	w = malloc(sizeof *w + payload.n);
	if (!w) {
		l->starved = true;
		errno = EAGAIN;
		return -1;
	}
	w->fd = -1;
	if (fd >= 0 && (w->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		free(w);
		return -1;
	}
	w->next = NULL;
	w->n = payload.n;
	w->type = type;
	if (payload.n)
		memcpy(w->payload, payload.p, payload.n);
	*l->last = w;
	l->last = &w->next;
	l->queued += size;
	arm(l);
	return 0;
}

int link_send(struct link *l, uint16_t type, struct view payload)
{
	return link_send_fd(l, type, payload, -1);
}

int link_send_fd(struct link *l, uint16_t type, struct view payload, int fd)
{
	if (l->closing || l->broken) {
		errno = EPIPE;
		return -1;
	}
	if (payload.n > PACKET_PAYLOAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (l->first) /* order is kept */
		return enqueue(l, type, payload, fd);
	if (packet_send(l->fd, type, payload, fd) == 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return enqueue(l, type, payload, fd);
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
		/* closed() comes when what the other end had sent is read. */
		l->broken = true;
		errno = EPIPE;
	}
	return -1;
}

size_t link_queued(const struct link *l)
{
	return l->queued;
}

void link_pause(struct link *l)
{
	l->paused = true;
	arm(l);
}

void link_resume(struct link *l)
{
	l->paused = false;
	arm(l);
}
