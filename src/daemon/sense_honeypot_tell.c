/* SPDX-License-Identifier: Apache-2.0 */
/* What the node is told of the honeypot, for `status`. */
#include "daemon/sense_honeypot_state.h"

#include <stdio.h>

static void add_core(struct honeypot_status *s, const struct sense_honeypot *h)
{
	struct honeypot_figures f;

	if (!h->core)
		return;
	honeypot_figures(h->core, &f);
	s->received = f.received;
	s->malformed = f.malformed + f.foreign;
	s->sent = f.sent;
	s->limited = f.limited;
	s->too_long = f.too_long;
	s->proofs = f.proofs;
	s->calls = f.calls;
	s->accepted = f.accepted;
	s->observations = f.observations;
	s->proved = f.sources;
	s->open_calls = f.dialogs;
}

static void add_sockets(struct honeypot_status *s, const struct sense_honeypot *h)
{
	struct honeypot_sockets_figures f;

	if (!h->sockets)
		return;
	honeypot_sockets_figures(h->sockets, &f);
	s->dropped = f.kernel_dropped;
	s->send_failed = f.send_failed;
	s->connections_accepted = f.accepted;
	s->refused = f.refused;
	s->timed_out = f.timed_out;
	s->broken = f.broken;
	s->connections = f.connections;
	s->connections_tls = f.connections_tls;
}

static void add_record(struct honeypot_status *s, const struct sense_honeypot *h)
{
	struct recorder_figures record;
	struct hep_out_figures hep;

	if (h->recorder) {
		recorder_figures(h->recorder, &record);
		s->recorded = record.recorded;
		s->record_lost = record.lost;
		s->record_bytes = record.bytes;
		s->recording_fails = record.failing;
	}
	if (h->hep) {
		hep_out_figures(h->hep, &hep);
		s->hep_sent = hep.sent;
		s->hep_dropped = hep.dropped + hep.refused + hep.too_long;
	}
}

void sense_honeypot_tell(struct sense_honeypot *h, struct link *node, bool again)
{
	struct honeypot_status now;

	if (!h || !node)
		return;
	memset(&now, 0, sizeof now);
	now.on = 1;
	now.listener_count = h->listener_count;
	memcpy(now.listeners, h->listeners, sizeof now.listeners);
	snprintf(now.trouble, sizeof now.trouble, "%s", h->trouble);
	snprintf(now.profile, sizeof now.profile, "%s", h->config->honeypot.profile);
	add_core(&now, h);
	add_sockets(&now, h);
	add_record(&now, h);
	if (!again && !memcmp(&now, &h->told, sizeof now))
		return;
	if (!link_send(node, MSG_HONEYPOT, view_of(&now, sizeof now)))
		h->told = now;
}
