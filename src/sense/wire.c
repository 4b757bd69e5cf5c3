/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/wire.h"

#include <stdlib.h>

#include "sense/injection.h"
#include "sense/wire_state.h"

#define SERVERS_MAX 256
#define DONE_LIFE   (32 * USEC_PER_SEC)  /* timer F: no retransmission after it */
#define ACK_WITHIN  (4 * USEC_PER_SEC)   /* answers repeated after .5, 1, 2 s */
#define ASKED_LIFE  (180 * USEC_PER_SEC) /* timer C: a phone may ring so long */

const struct wire_config wire_config_default = {
	.requests = 4096,
	.answer_within = 2 * USEC_PER_SEC,
	.proofs = {.nonces = 16384, .tags = 8192, .owners = 8192},
	.learn_servers = true,
};

/* A message on its way through: what every step needs. */
struct passing {
	const struct hep_message *h;
	const struct sip_message *m;
	usec now;
};

static bool is_server(const struct wire *w, const struct address *a)
{
	return table_get(w->servers, a) != NULL;
}

struct wire *wire_new(const struct wire_config *config, struct hash_key key,
	observation_fn *observe, void *context)
{
	struct wire *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->key = key;
	w->config = *config;
	w->config.servers = NULL;
	w->observe = observe;
	w->context = context;
	w->proofs = proofs_new(&config->proofs, key);
	w->requests = wire_table_new(config->requests);
	w->servers = table_new(sizeof(struct address), sizeof(struct address),
		SERVERS_MAX + config->n_servers, key);
	if (!w->proofs || !w->requests || !w->servers)
		goto fail;
	for (size_t i = 0; i < config->n_servers; i++)
		if (!table_put(w->servers, &config->servers[i], NULL))
			goto fail;
	return w;
fail:
	wire_free(w);
	return NULL;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	table_free(w->servers);
	wire_table_free(w->requests);
	proofs_free(w->proofs);
	free(w);
}

static uint64_t client_hash(const struct wire *w, const struct address *a)
{
	return hash_bytes(&w->key, a, sizeof *a);
}

static uint64_t dialog_hash(const struct wire *w, uint64_t client, struct view call_id)
{
	uint64_t parts[2] = {client, wire_hash(&w->key, call_id)};

	return hash_bytes(&w->key, parts, sizeof parts);
}

/* A transaction: dialog, server, CSeq and branch (17.1.3, 17.2.3). */
static uint64_t transaction_hash(const struct wire *w, uint64_t dialog,
	const struct address *server, const struct sip_message *m)
{
	uint64_t parts[5] = {dialog, hash_bytes(&w->key, server, sizeof *server), m->cseq,
		wire_hash(&w->key, m->cseq_method), wire_hash(&w->key, m->via.branch)};

	return hash_bytes(&w->key, parts, sizeof parts);
}

/*
 * Credentials came: the challenge that they answer is no scan. Usually that
 * is the one under the same Call-ID; a client that takes a new Call-ID pays
 * for one challenge by its nonce.
 */
static void supersede(struct wire *w, const struct wire_request *r)
{
	struct wire_request *other, *by_nonce = NULL;
	bool found = false;
	unsigned at = 0;

	while ((other = wire_table_client(w->requests, r->client, &at))) {
		if (other == r || other->state == WIRE_DONE)
			continue;
		if (other->dialog == r->dialog) {
			found = true;
			other->superseded = true;
			if (other->state == WIRE_CHALLENGED)
				other->state = WIRE_DONE;
		} else if (other->state == WIRE_CHALLENGED &&
			other->issued == r->answered) {
			by_nonce = other;
		}
	}
	if (!found && by_nonce)
		by_nonce->state = WIRE_DONE;
}

/*
 * The request that was answered with the To-tag of p, when that is new: whoever
 * sent both seems to have got the answer, be the tag one that can be guessed.
 */
static struct wire_request *answered_request(struct wire *w, const struct passing *p)
{
	uint64_t client = client_hash(w, &p->h->source);
	uint64_t dialog = dialog_hash(w, client, p->m->call_id);
	uint64_t tag = wire_hash(&w->key, p->m->to.tag);
	struct wire_request *r;
	unsigned at = 0;

	while ((r = wire_table_client(w->requests, client, &at)))
		if (r->dialog == dialog && r->tag == tag && !r->acknowledged)
			return r;
	return NULL;
}

/* When the nonce of r's credentials was sent to its client, where that is known. */
static usec issued_at(struct wire *w, const struct wire_request *r)
{
	struct wire_request *other;
	unsigned at = 0;

	while ((other = wire_table_client(w->requests, r->client, &at)))
		if (other != r && other->issued == r->answered)
			return other->issued_at;
	return 0;
}

/* An ACK or a request within a dialog: what does its To-tag show? */
static void check_tag(struct wire *w, const struct passing *p)
{
	struct wire_request *r;
	struct observation o;

	if (!p->m->to.tag.n)
		return;
	r = answered_request(w, p);
	if (r) {
		r->acknowledged = true;
		r->o.signs |= SIGN_TOOK_PART;
	}
	if (proof_tag_used(w->proofs, &p->h->source, &p->h->destination, p->m->call_id,
		    p->m->to.tag, p->now) != PROOF_TAG_FIRST) {
		if (r && r->told)
			wire_tell_sign(w, r, SIGN_TOOK_PART, p->now);
		return;
	}
	wire_observation_begin(&o, p->h, p->m, p->now);
	o.attempt = r ? r->o.attempt :
			observation_attempt(p->m->call_id, (struct view){0});
	o.signs |= SIGN_TOOK_PART;
	o.call_id = observation_call_id(p->m->call_id);
	view_copy(o.returned, sizeof o.returned, p->m->to.tag);
	if (o.proof == PROOF_NONE)
		o.proof = PROOF_ACK;
	wire_tell(w, &o, OBSERVED_PROOF, p->now);
}

/* Text for somebody's log: an offence whatever becomes of the request. */
static void check_injection(struct wire *w, const struct passing *p)
{
	struct view marked = view_str("injection");
	struct observation o;

	if (!injection_field(p->m))
		return;
	wire_observation_begin(&o, p->h, p->m, p->now);
	/* Not the request's own attempt: its answer is counted beside it. */
	o.attempt = observation_attempt(p->m->call_id, marked);
	wire_tell(w, &o, OBSERVED_INJECTION, p->now);
}

static void feed_request(struct wire *w, const struct passing *p)
{
	const struct sip_message *m = p->m;
	uint64_t client = client_hash(w, &p->h->source);
	uint64_t dialog = dialog_hash(w, client, m->call_id);
	uint64_t key = transaction_hash(w, dialog, &p->h->destination, m);
	struct proof_answer answer = {0};
	struct wire_request *r;
	bool evicted;

	w->figures.requests++;
	if (is_server(w, &p->h->source))
		return;
	check_tag(w, p);
	if (m->method == SIP_ACK || m->method == SIP_CANCEL || m->method == SIP_BYE ||
		m->method == SIP_PRACK)
		return;
	if (wire_table_get(w->requests, client, key))
		return; /* retransmission */
	check_injection(w, p);
	r = wire_table_put(w->requests, client, key, &evicted);
	w->figures.evicted += evicted;
	r->dialog = dialog;
	wire_request_fill(r, &w->key, m, p->h, p->now);
	if (!r->credentials)
		return;
	/* All of them: a request may bear one pair for the proxy, one for the end. */
	for (unsigned i = 0; i < m->n_credentials; i++) {
		answer = proof_nonce_answered(w->proofs, &p->h->source,
			&p->h->destination, m->credentials[i].nonce, m->method, p->now);
		r->known |= answer.known;
		r->same_method |= answer.known && answer.same_method;
		r->proved |= answer.proved;
	}
	r->o.issued = issued_at(w, r);
	supersede(w, r);
}

/* A nonce went to this client whose answer we already hold. */
static void prove_early(
	struct wire *w, const struct passing *p, uint64_t client, struct view nonce)
{
	uint64_t hash = wire_hash(&w->key, nonce);
	struct wire_request *r;
	unsigned at = 0;

	while ((r = wire_table_client(w->requests, client, &at))) {
		if (!r->credentials || r->answered != hash)
			continue;
		r->known = r->proved = true;
		r->same_method |= r->method == (uint8_t)p->m->method;
		if (r->state == WIRE_DONE)
			wire_tell_proof(w, r, p->now);
	}
}

static void note_secrets(struct wire *w, const struct passing *p, uint64_t client)
{
	const struct sip_message *m = p->m;

	for (unsigned i = 0; i < m->n_challenges; i++)
		if (proof_nonce_issued(w->proofs, &p->h->destination, &p->h->source,
			    m->challenges[i].nonce, m->method, p->now))
			prove_early(w, p, client, m->challenges[i].nonce);
	/* Only these make dialogs, or are acknowledged. */
	if ((m->method == SIP_INVITE || m->method == SIP_SUBSCRIBE) && m->status > 100 &&
		m->to.tag.n && proof_tag_is_secret(m))
		proof_tag_given(w->proofs, &p->h->destination, &p->h->source, m->call_id,
			m->to.tag, p->now);
}

static void learn_server(struct wire *w, const struct address *a)
{
	if (w->config.learn_servers)
		table_put(w->servers, a, NULL);
}

static void feed_response(struct wire *w, const struct passing *p)
{
	const struct sip_message *m = p->m;
	uint64_t client = client_hash(w, &p->h->destination);
	uint64_t dialog = dialog_hash(w, client, m->call_id);
	struct wire_request *r;
	uint8_t meaning;

	w->figures.responses++;
	note_secrets(w, p, client);
	if (m->status < 200)
		return;
	r = wire_table_get(
		w->requests, client, transaction_hash(w, dialog, &p->h->source, m));
	if (!r) {
		w->figures.unmatched += !is_server(w, &p->h->destination);
		return;
	}
	if (r->state != WIRE_ASKED)
		return; /* retransmission */
	if (m->to.tag.n)
		r->tag = wire_hash(&w->key, m->to.tag);
	r->refused = r->method == SIP_INVITE && m->status >= 300;
	meaning = wire_meaning(r, &w->key, m);
	if (m->status == 401 || m->status == 407)
		learn_server(w, &p->h->source);
	if (meaning == WIRE_MEANS_CHALLENGE) {
		r->state = r->superseded ? WIRE_DONE : WIRE_CHALLENGED;
		r->seen = p->now;
		if (m->n_challenges)
			r->issued = wire_hash(&w->key, m->challenges[0].nonce);
		r->issued_at = p->now;
		wire_tell_proof(w, r, p->now);
	} else if (meaning) {
		if (m->status == 403 && !r->credentials)
			r->o.signs |= SIGN_UNSERVED;
		wire_conclude(w, r, meaning, p->now);
	} else {
		r->state = WIRE_DONE;
		r->seen = p->now;
		wire_tell_proof(w, r, p->now);
		wire_tell_dialled(w, r, p->now);
	}
}

/* A request that no PBX should have to answer. */
static void feed_malformed(struct wire *w, const struct passing *p)
{
	struct observation o;
	struct view payload = view_head(p->h->payload, 256);

	w->figures.malformed++;
	if (!p->m->request || is_server(w, &p->h->source))
		return;
	wire_observation_begin(&o, p->h, p->m, p->now);
	if (p->m->call_id.n)
		payload = p->m->call_id;
	/* pjproject writes the whole packet into the log, line breaks included. */
	if (injection_packet(p->h->payload)) {
		o.attempt = observation_attempt(payload, view_str("injection"));
		wire_tell(w, &o, OBSERVED_INJECTION, p->now);
	} else {
		o.attempt = observation_attempt(payload, (struct view){0});
		wire_tell(w, &o, OBSERVED_MALFORMED, p->now);
	}
}

void wire_feed(struct wire *w, const struct hep_message *h, const struct address *agent,
	usec now)
{
	struct sip_message m;
	const struct passing p = {h, &m, now};

	if (h->type != HEP_TYPE_SIP) {
		w->figures.not_sip++;
		return;
	}
	if (agent &&
		(address_eq(agent, &h->source) || address_eq(agent, &h->destination)))
		learn_server(w, agent);
	switch (sip_parse(&m, h->payload, NULL)) {
	case SIP_VALID:
		if (m.request)
			feed_request(w, &p);
		else
			feed_response(w, &p);
		break;
	case SIP_KEEPALIVE:
		w->figures.keepalives++;
		break;
	case SIP_FOREIGN:
		w->figures.not_sip++;
		break;
	case SIP_MALFORMED:
		feed_malformed(w, &p);
		break;
	}
}

/* What became of an open request whose time is up. */
static void overdue(struct wire *w, struct wire_request *r, usec now)
{
	usec age = now > r->seen ? now - r->seen : 0;

	if (r->state == WIRE_DONE) {
		if (r->refused && !r->acknowledged && age > ACK_WITHIN &&
			r->o.transport == TRANSPORT_UDP) {
			r->acknowledged = true; /* told once */
			wire_tell_sign(w, r, SIGN_FORGED, now);
		}
		if (age > DONE_LIFE)
			r->state = WIRE_FREE;
	} else if (age < w->config.answer_within) {
		return;
	} else if (r->state == WIRE_CHALLENGED || (r->tool && !r->credentials)) {
		wire_conclude(w, r, OBSERVED_SCAN, now);
	} else {
		wire_tell_proof(w, r, now);
		wire_tell_dialled(w, r, now);
		if (age > ASKED_LIFE)
			r->state = WIRE_FREE;
	}
}

void wire_expire(struct wire *w, usec now)
{
	struct wire_request *r;
	size_t at = 0;

	while ((r = wire_table_next(w->requests, &at)))
		overdue(w, r, now);
}

void wire_figures(const struct wire *w, struct wire_figures *out)
{
	*out = w->figures;
	out->servers = table_count(w->servers);
	proofs_figures(w->proofs, &out->proofs);
	out->memory = sizeof *w + wire_table_memory(w->requests) +
		table_memory(w->servers) + out->proofs.memory;
}
