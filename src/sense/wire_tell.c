/* SPDX-License-Identifier: Apache-2.0 */
/* What is told about requests, and when it is enough. */
#include "sense/wire_state.h"

#define BURST (5 * USEC_PER_SEC)

void wire_tell(struct wire *w, struct observation *o, uint8_t kind, usec now)
{
	o->kind = kind;
	o->time = now;
	/* What came back proves something or is no part of the evidence. */
	if (o->proof != PROOF_NONCE && o->proof != PROOF_ACK && o->proof != PROOF_AUTH) {
		o->returned[0] = 0;
		o->issued = 0;
	}
	w->figures.observations[kind]++;
	w->observe(w->context, o);
}

/* The strongest proof that r holds; credentials that were accepted are one. */
static uint8_t proof_of(const struct wire_request *r, uint8_t kind)
{
	uint8_t transport = wire_transport_proof(r->o.transport);

	if (r->proved && kind == OBSERVED_AUTH_OK)
		return PROOF_AUTH;
	return r->proved && transport == PROOF_NONE ? PROOF_NONCE : transport;
}

/* Whether the same client sent another OPTIONS within five seconds. */
static bool in_burst(struct wire *w, const struct wire_request *r)
{
	struct wire_request *other;
	unsigned at = 0;

	while ((other = wire_table_client(w->requests, r->client, &at))) {
		usec apart = other->o.time > r->o.time ? other->o.time - r->o.time :
							 r->o.time - other->o.time;

		if (other != r && other->method == SIP_OPTIONS && apart < BURST)
			return true;
	}
	return false;
}

/*
 * Whether this Call-ID already had a request for something else: a tool that
 * keeps one Call-ID for everything must not hide behind it.
 */
static bool reuses_call_id(struct wire *w, const struct wire_request *r)
{
	struct wire_request *other;
	unsigned at = 0;

	while ((other = wire_table_client(w->requests, r->client, &at)))
		if (other != r && other->dialog == r->dialog &&
			other->target != r->target)
			return true;
	return false;
}

void wire_conclude(struct wire *w, struct wire_request *r, uint8_t kind, usec now)
{
	struct observation o = r->o;

	if (!r->credentials &&
		(kind == OBSERVED_SCAN || kind == OBSERVED_UNKNOWN_ACCOUNT)) {
		bool ping = r->method == SIP_OPTIONS && !r->tool && !in_burst(w, r);

		if (ping || (r->method != SIP_OPTIONS && reuses_call_id(w, r)))
			o.attempt = r->by_target;
	}
	o.proof = proof_of(r, kind);
	if (r->credentials && !r->known)
		o.signs |= SIGN_FORGED;
	r->proof_told = o.proof != PROOF_NONE;
	r->told = true;
	r->o.attempt = o.attempt;
	r->state = WIRE_DONE;
	r->seen = now;
	wire_tell(w, &o, kind, now);
}

void wire_tell_sign(struct wire *w, const struct wire_request *r, uint8_t sign, usec now)
{
	struct observation o = r->o;

	o.proof = PROOF_NONE;
	o.signs = sign;
	wire_tell(w, &o, OBSERVED_PROOF, now);
}

void wire_tell_proof(struct wire *w, struct wire_request *r, usec now)
{
	struct observation o = r->o;

	if (!r->proved || r->proof_told)
		return;
	r->proof_told = r->told = true;
	o.proof = proof_of(r, OBSERVED_PROOF);
	wire_tell(w, &o, OBSERVED_PROOF, now);
}

void wire_tell_dialled(struct wire *w, struct wire_request *r, usec now)
{
	struct observation o = r->o;

	if (r->told || !r->o.dialled[0])
		return;
	r->told = true;
	o.proof = PROOF_NONE;
	wire_tell(w, &o, OBSERVED_DIALLED, now);
}
