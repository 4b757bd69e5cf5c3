/* SPDX-License-Identifier: Apache-2.0 */
/* What the role `sense` tells of its honeypot. */
#include "daemon/node.h"

#include <string.h>

#include "base/escape.h"
#include "daemon/config_source.h"

/* Every field that another role could have got wrong is made harmless. */
void node_honeypot_message(struct node *n, struct view payload)
{
	struct honeypot_status s;

	if (payload.n != sizeof s)
		return;
	memcpy(&s, payload.p, sizeof s);
	s.trouble[sizeof s.trouble - 1] = 0;
	s.profile[sizeof s.profile - 1] = 0;
	if (s.listener_count > HONEYPOT_LISTENERS_MAX ||
		!text_is_clean(view_str(s.trouble)) ||
		!text_is_clean(view_str(s.profile)))
		return; /* ours says nothing of the kind */
	for (uint32_t i = 0; i < s.listener_count; i++) {
		const struct honeypot_listener *l = &s.listeners[i];

		if ((l->address.family != 4 && l->address.family != 6) ||
			l->transport < TRANSPORT_UDP || l->transport > TRANSPORT_WSS)
			return;
	}
	n->honeypot = s;
}

static json_t *listeners_json(const struct honeypot_status *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->listener_count; i++) {
		const struct honeypot_listener *l = &s->listeners[i];
		struct config_listen shown = {l->transport, l->address, l->port};
		struct buffer text = {.max = 100};

		config_listen_print(&text, &shown);
		json_array_append_new(list,
			json_pack("{s:s%, s:b}", "listen", text.p ? (char *)text.p : "",
				text.n, "inherited", l->inherited));
		buffer_free(&text);
	}
	return list;
}

json_t *node_honeypot_json(const struct node *n)
{
	const struct honeypot_status *s = &n->honeypot;
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
		{"received", s->received},
		{"malformed", s->malformed},
		{"sent", s->sent},
		{"limited", s->limited},
		{"too_long", s->too_long},
		{"proofs", s->proofs},
		{"proved", s->proved},
		{"calls", s->calls},
		{"open_calls", s->open_calls},
		{"accepted", s->accepted},
		{"observations", s->observations},
		{"dropped", s->dropped},
		{"send_failed", s->send_failed},
		{"connections", s->connections},
		{"connections_tls", s->connections_tls},
		{"connections_accepted", s->connections_accepted},
		{"refused", s->refused},
		{"timed_out", s->timed_out},
		{"broken", s->broken},
		{"recorded", s->recorded},
		{"record_lost", s->record_lost},
		{"record_bytes", s->record_bytes},
		{"hep_sent", s->hep_sent},
		{"hep_dropped", s->hep_dropped},
	};
	json_t *out;

	if (!s->on)
		return json_null();
	out = json_pack("{s:s, s:o, s:s, s:b}", "profile", s->profile, "listeners",
		listeners_json(s), "trouble", s->trouble, "recording_fails",
		s->recording_fails);
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
		json_object_set_new(
			out, figures[i].name, json_integer((json_int_t)figures[i].value));
	return out;
}
