/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/packet.h"
#include "daemon/resident.h"
#include "daemon/supervisor_state.h"

/* So many packets of one role in one turn: a flood delays nobody else. */
#define TURN_MAX 16

#define STATUS_MAX 200

/* How long a role may take from closing its pair to its end. */
#define END_WAIT (2 * USEC_PER_SEC)

static uint8_t received[PACKET_MAX];

/* Started and sealed. When all are, the service manager learns it. */
static void on_ready(
	struct supervisor *s, struct process *p, struct view payload, usec now)
{
	bool all = true;

	if (payload.n != sizeof p->sandbox || p->state != ROLE_STARTING)
		return;
	memcpy(&p->sandbox, payload.p, sizeof p->sandbox);
	p->state = s->stopping ? ROLE_STOPPING : ROLE_RUNNING;
	p->was_ready = true;
	p->ping_due = now;
	s->roles_changed = true;
	log_info(
		"%s (pid %d) is ready: uid %u, capabilities %#llx, seccomp %d, Landlock %d",
		role_name(p->role), (int)p->pid, p->sandbox.uid,
		(unsigned long long)p->sandbox.cap_effective, p->sandbox.seccomp,
		p->sandbox.landlock_abi);
	EACH_PROCESS(s, other)
	all = all && (other->was_ready || !process_wanted(s, other));
	if (all && !s->up && !s->stopping) {
		s->up = true;
		log_notice("all roles run");
		resident_trim();
		notify_send(&s->notify, "READY=1\nSTATUS=all roles run");
	}
}

static void on_reloaded(struct process *p, struct view payload)
{
	if (!payload.n || !p->reloading)
		return;
	p->reloading = false;
	if (!payload.p[0])
		log_warning("%s keeps its old configuration: %s", role_name(p->role),
			escaped(view_from(payload, 1)));
}

/* The node's word for the service manager: one clean line, or it could say more. */
static void on_status(
	const struct supervisor *s, const struct process *p, struct view payload)
{
	if (p->role == ROLE_NODE && payload.n <= STATUS_MAX && text_is_clean(payload))
		notify_send(&s->notify, "STATUS=%.*s", (int)payload.n,
			(const char *)payload.p);
}

static void on_packet(
	struct supervisor *s, struct process *p, const struct packet *packet, usec now)
{
	switch (packet->type) {
	case MSG_READY:
		on_ready(s, p, packet->payload, now);
		break;
	case MSG_PONG:
		if (packet->payload.n == sizeof p->pinged && p->pinged &&
			memcmp(packet->payload.p, &p->pinged, sizeof p->pinged) == 0)
			p->pinged = 0;
		s->roles_changed = true; /* their memory, at least */
		break;
	case MSG_RELOADED:
		on_reloaded(p, packet->payload);
		break;
	case MSG_STATUS:
		on_status(s, p, packet->payload);
		break;
	case MSG_CONNECT:
		supervisor_connect(s, p, packet->payload, now);
		break;
	case MSG_API_OPEN:
		supervisor_open(s, p, packet->payload);
		break;
	default:
		log_error("%s sent message %u, which is not for the parent; ending it",
			role_name(p->role), packet->type);
		process_kill(p);
	}
}

void process_receive(struct supervisor *s, struct process *p, usec now)
{
	struct packet packet;

	for (unsigned i = 0; i < TURN_MAX && p->fd >= 0; i++) {
		int n = packet_receive(p->fd, received, &packet);

		if (n > 0 && packet.fd < 0) {
			on_packet(s, p, &packet, now);
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0)
			close(packet.fd);
		if (n < 0 && errno == ECONNRESET)
			continue; /* it died with our messages unread: read its own */
		close(p->fd);
		p->fd = -1;
		if (n == 0) { /* the last that it does, if it ends as it should */
			p->end_by = now + END_WAIT;
			return;
		}
		log_error("%s: malformed message; ending it", role_name(p->role));
		process_kill(p);
	}
}

void supervisor_tell_roles(struct supervisor *s)
{
	struct process *node = &s->processes[ROLE_NODE];
	struct role_status list[ROLE_COUNT - 1];
	size_t n = 0;

	if (!s->roles_changed || node->fd < 0)
		return;
	memset(list, 0, sizeof list);
	EACH_PROCESS(s, p)
	{
		struct role_status *r = &list[n];

		if (p->pid <= 0 && !process_wanted(s, p))
			continue;
		n++;
		r->role = p->role;
		r->state = p->state;
		r->pid = p->pid;
		r->starts = p->starts;
		r->last_exit = p->last_exit;
		if (p->pid > 0)
			r->rss_kib = (uint32_t)resident_kib(p->pid);
		if (p->state == ROLE_RUNNING)
			r->sandbox = p->sandbox;
	}
	s->roles_changed = false;
	process_send(node, MSG_ROLES, list, n * sizeof list[0], -1);
}
