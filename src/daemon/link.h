/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_LINK_H
#define DAEMON_LINK_H

#include <uv.h>

#include "daemon/packet.h"

/*
 * One end of a packet pair on a libuv loop: messages come by callback, what
 * cannot be sent at once waits in a queue of bounded size.
 */
struct link;

struct link_callbacks {
	void *context;
	/*
	 * One message. payload is valid during the call. fd is -1, or (only when
	 * accept_fds) a descriptor that the callee now owns. The callee may send
	 * on and close this link.
	 */
	void (*message)(void *context, struct link *l, uint16_t type, struct view payload,
		int fd);
	/*
	 * The other end is gone or broke the format (why says which). Called once,
	 * from the loop, never from link_send(); nothing is received or sent any
	 * more. The link must still be given to link_close(), also from here.
	 */
	void (*closed)(void *context, struct link *l, const char *why);
	/* The queue is empty again after link_send() had failed with EAGAIN. May be NULL. */
	void (*drained)(void *context, struct link *l);
	/* Whether the other end may pass descriptors; if not, passing one ends the link. */
	bool accept_fds;
};

/*
 * Start on a non-blocking SEQPACKET socket; fd is the link's from now on, also
 * on failure. limit: most bytes that may wait unsent. callbacks is copied.
 * NULL with errno.
 */
struct link *link_open(
	uv_loop_t *loop, int fd, size_t limit, const struct link_callbacks *callbacks);

/*
 * Stop, drop what is queued, close the socket. No callback comes after it
 * returns; the memory is freed by the loop a turn later. NULL is fine.
 */
void link_close(struct link *l);

/*
 * Send or queue one message (payload is copied when queued). Returns 0; -1
 * with errno EAGAIN when the queue has no room for it (nothing was queued: the
 * caller drops, keeps or waits for drained()), EMSGSIZE, or EPIPE when the
 * other end is gone (closed() follows or has been).
 */
int link_send(struct link *l, uint16_t type, struct view payload);

/* The same, passing a descriptor along (duplicated when queued). */
int link_send_fd(struct link *l, uint16_t type, struct view payload, int fd);

/* Bytes that wait in the queue, headers included. */
size_t link_queued(const struct link *l);

/*
 * Stop and start receiving: for a receiver that cannot take more now. The
 * sender's queue then fills, which is how it learns. While paused closed() may
 * be delayed.
 */
void link_pause(struct link *l);
void link_resume(struct link *l);

#endif
