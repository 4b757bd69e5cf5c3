/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_PARENT_H
#define DAEMON_PARENT_H

#include "daemon/api_open.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/link.h"

/*
 * A role's side of its pair to the parent, on the role's loop: it answers
 * pings, takes new links and configurations, and ends the role when the parent
 * is gone.
 */
struct parent;

struct parent_callbacks {
	void *context;
	/*
	 * A new link to another role: fd is the callee's (for link_open()). A
	 * link to that role that is still open belongs to a dead process and is
	 * to be closed. starts: how often the peer was started; pid: its process.
	 */
	void (*peer)(void *context, enum role peer, int fd, uint32_t starts, pid_t pid);
	/*
	 * A new configuration, valid during the call and left to the callee to
	 * take over (swap or copy; what stays in *config is freed). Returns 0, or
	 * -1 with a text when the role cannot follow it: the operator reads it and
	 * the role goes on as it was. NULL: nothing in it matters to this role.
	 */
	int (*reload)(void *context, struct config *config, struct error *err);
	/* How all roles are, at each change; sent to the node only. May be NULL. */
	void (*roles)(void *context, const struct role_status *roles, size_t count);
	/*
	 * The answer to parent_connect(): fd is the callee's, or -1 with why in
	 * answer->error and, perhaps, text. NULL: it never asks.
	 */
	void (*connected)(void *context, const struct control_connected *answer, int fd);
	/*
	 * The answer to parent_api_open(): fd is the callee's, -1 for what is told by
	 * its hash or, with why in answer->text, cannot be had. NULL: it never asks.
	 */
	void (*opened)(void *context, const struct control_opened *answer, int fd);
	/*
	 * Finish: close handles so that the loop ends, or uv_stop() it. gone: the
	 * parent died; nobody waits for more than a moment.
	 */
	void (*stop)(void *context, bool gone);
};

/*
 * The configuration in the memory file fd (left open), which came with
 * MSG_CONFIG or MSG_RELOAD. Returns 0 or -1 with a text.
 */
int parent_config(struct config *out, int fd, struct error *err);

/* fd is taken over. NULL when memory is short. */
struct parent *parent_open(
	uv_loop_t *loop, int fd, const struct parent_callbacks *callbacks);

/* Close; may be called from its callbacks. NULL is fine. */
void parent_close(struct parent *p);

/* Tell that the role has started and is sealed, with its sandbox_report(). */
void parent_ready(struct parent *p);

/*
 * Ask for a connection to the [source] (role sense) or the [connector] (role node)
 * of this number in the configuration; connected() follows.
 */
void parent_connect(struct parent *p, unsigned source);

/*
 * Ask for what the HTTP API needs, by its number in the configuration; opened()
 * follows. Answers come in the order of the questions.
 */
void parent_api_open(struct parent *p, enum api_part part, unsigned number);

/* One line for the service manager's status; may be told at any time. */
void parent_status(struct parent *p, const char *text);

#endif
