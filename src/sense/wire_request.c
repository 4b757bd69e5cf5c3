/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/wire_request.h"

#include <stdlib.h>

/* Beginnings of User-Agent, in lower case. */
static const char *const tools[] = {
	"friendly-scanner",
	"friendly-request",
	"sipvicious",
	"sip-scan",
	"sipcli",
	"pplsip",
	"sundayddr",
	"svmap",
	"svwar",
	"svcrack",
	"iwar",
	"sivus",
	"gulp",
};

uint64_t wire_hash(const struct hash_key *key, struct view text)
{
	uint64_t h = hash_bytes(key, text.p, text.n);

	return h ? h : 1;
}

uint64_t wire_realm(const struct hash_key *key, const struct sip_digest *d)
{
	uint64_t h = hash_bytes(key, d->realm.p, d->realm.n) ^ d->proxy;

	return h ? h : 2;
}

const struct sip_digest *wire_credentials(const struct sip_message *m)
{
	for (unsigned i = 0; i < m->n_credentials; i++)
		if (m->credentials[i].nonce.n && m->credentials[i].response.n)
			return &m->credentials[i];
	return NULL;
}

uint8_t wire_transport(const struct hep_message *h, const struct sip_message *m)
{
	if (h->protocol != HEP_PROTOCOL_TCP)
		return TRANSPORT_UDP;
	if (view_eq_nocase(m->via.transport, "TLS"))
		return TRANSPORT_TLS;
	if (view_eq_nocase(m->via.transport, "WS"))
		return TRANSPORT_WS;
	if (view_eq_nocase(m->via.transport, "WSS"))
		return TRANSPORT_WSS;
	return TRANSPORT_TCP;
}

uint8_t wire_transport_proof(uint8_t transport)
{
	return transport == TRANSPORT_UDP ? PROOF_NONE : PROOF_TCP;
}

bool wire_is_tool(const struct sip_message *m)
{
	uint8_t first = m->agent.n ? m->agent.p[0] | 0x20 : 0;

	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (first == (uint8_t)tools[i][0] &&
			view_eq_nocase(view_head(m->agent, strlen(tools[i])), tools[i]))
			return true;
	return view_eq_nocase(m->to.display, "sipvicious") ||
		view_eq_nocase(m->from.display, "sipvicious");
}

void wire_observation_begin(struct observation *o, const struct hep_message *h,
	const struct sip_message *m, usec now)
{
	*o = (struct observation){
		.time = now,
		.source = h->source,
		.port = h->source_port,
		.transport = wire_transport(h, m),
		.sensor = SENSOR_HEP,
	};
	o->proof = wire_transport_proof(o->transport);
	o->method = (uint8_t)m->method;
	if (m->request && wire_is_tool(m))
		o->signs = SIGN_TOOL;
	view_copy(o->agent, sizeof o->agent, m->agent);
}

/* Account and dialled string: who is it, or wants to be; what did it dial. */
static void fill_texts(struct wire_request *r, const struct sip_message *m,
	const struct sip_digest *credentials)
{
	bool invite = m->method == SIP_INVITE;
	struct view account = invite ? m->from.parts.user : m->to.parts.user;

	if (credentials && credentials->username.n)
		account = credentials->username;
	view_copy(r->o.account, sizeof r->o.account, account);
	if (invite)
		observation_dialled(r->o.dialled, sizeof r->o.dialled, m->target.user);
}

/* What is left of a text of fixed size. */
struct line {
	char *at;
	size_t left;
};

/* Append to it, cut to fit; it stays NUL-terminated. */
static void put(struct line *l, struct view text)
{
	size_t n = view_copy(l->at, l->left, text);

	n = n < l->left ? n : l->left - 1;
	l->at += n;
	l->left -= n;
}

/*
 * For the evidence: the request line as it came, without the server's address
 * and without names that may be accounts of the site. What was returned is kept
 * whatever it proves; conclude() drops it when it proves nothing.
 */
static void fill_evidence(struct wire_request *r, const struct sip_message *m,
	const struct sip_digest *credentials)
{
	bool number = r->o.dialled[0] && !dialled_names_account(r->o.dialled);
	struct line request = {r->o.request, sizeof r->o.request};

	r->o.call_id = observation_call_id(m->call_id);
	put(&request, view_head(m->method_name, 16));
	put(&request, view_str(" "));
	put(&request, view_head(m->target.scheme, 8));
	put(&request, view_str(":"));
	if (number) {
		put(&request, view_str(r->o.dialled));
		put(&request, view_str("@"));
	} else if (m->target.user.n) {
		put(&request, view_str("*@"));
	}
	put(&request, view_str("* SIP/2.0"));
	if (credentials)
		view_copy(r->o.returned, sizeof r->o.returned, credentials->nonce);
}

void wire_request_fill(struct wire_request *r, const struct hash_key *key,
	const struct sip_message *m, const struct hep_message *h, usec now)
{
	const struct sip_digest *c = wire_credentials(m);
	struct view target;

	r->state = WIRE_ASKED;
	r->method = (uint8_t)m->method;
	r->seen = now;
	wire_observation_begin(&r->o, h, m, now);
	r->tool = r->o.signs & SIGN_TOOL;
	fill_texts(r, m, c);
	fill_evidence(r, m, c);
	target = view_str(m->method == SIP_INVITE ? r->o.dialled : r->o.account);
	r->target = wire_hash(key, target);
	r->o.attempt = observation_attempt(
		m->call_id, c ? c->response : (struct view){0});
	r->by_target = observation_attempt(
		m->method == SIP_OPTIONS ? (struct view){0} : m->call_id, target);
	if (!c)
		return;
	r->credentials = true;
	r->answered = wire_hash(key, c->nonce);
	for (unsigned i = 0; i < m->n_credentials; i++)
		r->realms[i] = wire_realm(key, &m->credentials[i]);
}

/* Whether the challenge refuses credentials that were given for its realm. */
static bool refuses(const struct wire_request *r, const struct hash_key *key,
	const struct sip_message *response)
{
	if (!r->credentials)
		return false;
	if (!response->n_challenges)
		return true;
	for (unsigned i = 0; i < response->n_challenges; i++) {
		uint64_t realm = wire_realm(key, &response->challenges[i]);

		/* Stale: the digest was right, only the nonce was too old. */
		if (response->challenges[i].stale)
			return false;
		for (unsigned k = 0; k < SIP_DIGESTS_MAX; k++)
			if (r->realms[k] == realm)
				return true;
	}
	return false;
}

/*
 * Refusals of an INVITE that say nothing about the caller's right to call:
 * the callee is busy, away or does not want to, codecs or timers do not fit,
 * requests crossed.
 */
static bool is_everyday(unsigned status)
{
	static const uint16_t everyday[] = {405, 406, 408, 413, 414, 415, 416, 420, 421,
		422, 423, 480, 481, 482, 483, 486, 487, 488, 489, 491, 493, 494, 600, 603,
		606};

	for (size_t i = 0; i < sizeof everyday / sizeof *everyday; i++)
		if (everyday[i] == status)
			return true;
	return false;
}

static uint8_t invite_refused(const struct wire_request *r, unsigned status)
{
	if (is_everyday(status))
		return WIRE_MEANS_NOTHING;
	if ((status == 404 || status == 410 || status == 604) &&
		dialled_names_account(r->o.dialled))
		return OBSERVED_UNKNOWN_ACCOUNT;
	return OBSERVED_CALL_REJECTED;
}

/* 4xx and 6xx but challenges. */
static uint8_t refused(const struct wire_request *r, unsigned status)
{
	if (status == 400)
		return OBSERVED_MALFORMED;
	if (r->method == SIP_INVITE)
		return invite_refused(r, status);
	if (status == 403)
		return r->credentials ? OBSERVED_AUTH_FAILED : OBSERVED_SCAN;
	if (status == 404 || status == 410 || status == 604)
		return r->o.account[0] ? OBSERVED_UNKNOWN_ACCOUNT : OBSERVED_SCAN;
	return WIRE_MEANS_NOTHING;
}

uint8_t wire_meaning(const struct wire_request *r, const struct hash_key *key,
	const struct sip_message *response)
{
	unsigned status = response->status;
	uint8_t meaning = WIRE_MEANS_NOTHING;

	if (status == 401 || status == 407)
		return refuses(r, key, response) ? OBSERVED_AUTH_FAILED :
						   WIRE_MEANS_CHALLENGE;
	/*
	 * Any server answers 200 to some request that bears worthless
	 * credentials. Only those that answer a challenge of the same method
	 * show that they were asked for.
	 */
	if (status < 300)
		meaning = r->known && r->same_method ? OBSERVED_AUTH_OK :
						       WIRE_MEANS_NOTHING;
	else if ((status >= 400 && status < 500) || status >= 600)
		meaning = refused(r, status);
	return !meaning && r->tool ? OBSERVED_SCAN : meaning;
}
