/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_HONEYPOT_H
#define DAEMON_SENSE_HONEYPOT_H

#include <uv.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/sandbox.h"
#include "sense/observation.h"

/*
 * The honeypot in the role `sense`: its sockets (sense/honeypot/socket.h), its core
 * (honeypot.h), its record (recorder.h) and the copies that it sends (hep_out.h).
 */
struct sense_honeypot;

/*
 * Open what [honeypot] says and what hello hands over, before the role is sealed.
 * What cannot be opened is logged and told as trouble, and the rest goes on without
 * it: no other sensor suffers. *out is NULL when there is no honeypot. config must
 * outlive it. Returns 0, or -1 when memory is short.
 */
int sense_honeypot_open(struct sense_honeypot **out, uv_loop_t *loop,
	const struct config *config, const struct control_hello *hello,
	observation_fn *observation, void *context);

/* The folder that must stay within reach. Returns how many paths (0 or 1). */
size_t sense_honeypot_paths(const struct sense_honeypot *h, struct sandbox_path *out);

/* Tell the node when something has changed; again: it knows nothing. NULL is fine. */
void sense_honeypot_tell(struct sense_honeypot *h, struct link *node, bool again);

/*
 * Whether another configuration needs a new start: another [honeypot], files that
 * may hold something else now, or trouble that may be over.
 */
bool sense_honeypot_changed(const struct sense_honeypot *h, const struct config *now,
	const struct config *next);

/* Close; what the loop frees is freed by it. NULL is fine. */
void sense_honeypot_free(struct sense_honeypot *h);

#endif
