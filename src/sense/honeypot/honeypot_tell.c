/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the honeypot: observations, records, messages. */
#include "sense/honeypot/honeypot_state.h"

#include "sense/honeypot/secrets.h"
#include "sense/wire_request.h"

/* Unkeyed, as it is the same after a restart. */
static const struct hash_key session_key = {0x73697073, 0x65737369};

static uint64_t session_of(const struct address *a, struct view call_id)
{
	struct {
		struct address address;
		uint8_t unused[7];
		uint64_t call_id;
	} both = {.address = *a};
	uint64_t h;

	if (!call_id.n)
		return 0;
	both.call_id = hash_bytes(&session_key, call_id.p, call_id.n);
	h = hash_bytes(&session_key, &both, sizeof both);
	return h ? h : 1;
}

static bool has_letter(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] | 0x20) >= 'a' && (text.p[i] | 0x20) <= 'z')
			return true;
	return false;
}

/*
 * A name at a domain is called by its URI: "bob@example.net". A number is the same
 * behind any host, and an address is this honeypot's own. What does not fit stays
 * without its domain: cut off, it would be another's.
 */
static void name_domain(struct observation *o, const struct sip_message *m)
{
	const struct view host = m->target.host, user = view_str(o->dialled);
	struct address address;

	if (m->method != SIP_INVITE || !has_letter(user) || !has_letter(host) ||
		view_find(host, '.') == host.n || !address_parse(&address, host, NULL) ||
		user.n + 1 + host.n >= sizeof o->dialled)
		return;
	o->dialled[user.n] = '@';
	view_copy(o->dialled + user.n + 1, sizeof o->dialled - user.n - 1, host);
}

void turn_observe(struct turn *t, enum observation_kind kind)
{
	struct observation o = t->o;

	o.kind = (uint8_t)kind;
	name_domain(&o, &t->m);
	if (o.proof != PROOF_NONCE && o.proof != PROOF_ACK) {
		o.returned[0] = 0;
		o.issued = 0;
	}
	t->h->figures.observations++;
	t->h->hooks.observe(t->h->hooks.context, &o);
}

void turn_describe(struct turn *t)
{
	/* As the sensor of the wire does, so that both speak of the same attempts. */
	const struct hep_message frame = {
		.source = t->path->remote,
		.source_port = t->path->remote_port,
		.protocol = t->path->transport == TRANSPORT_UDP ? HEP_PROTOCOL_UDP :
								  HEP_PROTOCOL_TCP,
	};
	struct wire_request r = {0};

	wire_request_fill(&r, &t->h->key, &t->m, &frame, t->now);
	t->o = r.o;
	t->o.sensor = SENSOR_HONEYPOT;
	t->o.transport = t->path->transport;
	t->o.proof = wire_transport_proof(t->path->transport);
	if (t->tool && t->tool->attack)
		t->o.signs |= SIGN_TOOL;
	/* An ACK, a BYE are of their INVITE's attempt, whatever names stand in them. */
	if (t->m.method == SIP_ACK || t->m.method == SIP_BYE || t->m.method == SIP_CANCEL)
		t->o.account[0] = t->o.dialled[0] = 0;
}

/* The message without its secrets, until the next one. */
static struct view masked(struct honeypot *h, struct view bytes)
{
	size_t n = bytes.n < sizeof h->masked ? bytes.n : sizeof h->masked;

	memcpy(h->masked, bytes.p, n);
	secrets_mask(h->masked, n);
	return view_of(h->masked, n);
}

/* Where the headers are is only known of what is SIP. */
static bool may_have_secrets(const struct turn *t)
{
	return t->verdict != SIP_VALID || t->echo.secrets;
}

void turn_record(struct turn *t)
{
	struct honeypot *h = t->h;
	char target[TOOL_TARGET_MAX] = "";
	struct honeypot_record r = {
		.time = t->now,
		.path = *t->path,
		.verdict = (uint8_t)t->verdict,
		.proof = t->o.proof,
		.method = (uint8_t)t->m.method,
		.status = (uint16_t)t->m.status,
		.account = t->o.account,
		.dialled = t->o.dialled,
		.agent = t->o.agent,
		.tool = t->tool ? t->tool->name : "",
		.target = target,
		.why = t->why ? t->why : "",
		.bytes = t->bytes,
	};

	if (!h->hooks.record)
		return;
	t->session = session_of(
		&t->path->remote, t->m.call_id.n ? t->m.call_id : t->echo.call_id);
	r.session = t->session;
	if (t->m.request)
		tool_target(target, t->m.from.tag);
	if (!h->config.keep_secrets && may_have_secrets(t))
		r.bytes = masked(h, t->bytes);
	h->hooks.record(h->hooks.context, &r);
}

static void record_sent(struct honeypot *h, const struct honeypot_path *to,
	const struct outgoing *m, const struct turn *within, usec now)
{
	struct honeypot_record r = {
		.time = now,
		.path = *to,
		.out = true,
		.method = (uint8_t)m->method,
		.status = (uint16_t)m->status,
		.account = within ? within->o.account : "",
		.dialled = within ? within->o.dialled : "",
		.agent = h->profile.text + h->profile.agent,
		.tool = "",
		.target = "",
		.why = "",
		.bytes = m->bytes,
	};

	if (!h->hooks.record)
		return;
	r.session = within ? within->session : session_of(&to->remote, m->call_id);
	/* An answer has the question's From, and with it svcrack's guess. */
	if (!h->config.keep_secrets && (!within || may_have_secrets(within)))
		r.bytes = masked(h, m->bytes);
	h->hooks.record(h->hooks.context, &r);
}

bool honeypot_send(struct honeypot *h, const struct honeypot_path *to,
	const struct outgoing *m, struct turn *within, usec now)
{
	if (within && m->bytes.n > within->budget) {
		h->figures.too_long++;
		return false;
	}
	if (!limit_take(&h->limit, &to->remote, now)) {
		h->figures.limited++;
		return false;
	}
	/* One datagram for one: more would be more bytes with their headers. */
	if (within && !within->proved)
		within->budget = 0;
	h->figures.sent++;
	h->figures.bytes_sent += m->bytes.n;
	record_sent(h, to, m, within, now);
	h->hooks.send(h->hooks.context, to, m->bytes);
	return true;
}
