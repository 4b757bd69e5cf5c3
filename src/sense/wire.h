/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_WIRE_H
#define SENSE_WIRE_H

#include "base/hash.h"
#include "sense/observation.h"
#include "sip/hep.h"
#include "sip/proof.h"

/*
 * From the SIP messages of both directions, as HEP shows them, to
 * observations. Pure: the time is an argument, there is no I/O.
 *
 * Requests are kept until their final answer, by source, Call-ID, CSeq and
 * branch, so that a retransmission is the same attempt. What the answer means:
 *
 *   401, 407 to credentials for the realm      auth-failed, unless stale=true
 *   401, 407 otherwise                         a challenge: scan when nothing
 *                                              follows within `answer_within`
 *   403 to credentials, not INVITE             auth-failed
 *   403 without credentials, not INVITE        scan
 *   404, 410, 604 to an account                unknown-account
 *   INVITE refused for what was dialled        call-rejected
 *   400, or a request that is no SIP           malformed
 *   2xx to credentials for a challenge         auth-ok
 *   anything else to a known attack tool       scan
 *
 * Whatever it is answered, a request whose texts mean to be read as lines of a
 * log (injection.h) is an injection as well.
 *
 * Signs. A request that repeats the To-tag of an answer took part; credentials
 * with a nonce that this address was never sent, and an INVITE over UDP whose
 * refusal is not acknowledged for four seconds, are signs of a forged source.
 *
 * An answer that never comes says nothing (the agent may capture one
 * direction only) unless the request names an attack tool. What an INVITE
 * dialled is told all the same, whatever became of it (dialled).
 *
 * An OPTIONS that is challenged, or answered 404, counts once per target, as
 * trunks are pinged so for years; in a burst (another one within five
 * seconds) every one counts.
 *
 * Who is the PBX: the configured servers, the HEP agent itself, and whoever
 * challenges a request that was addressed to him by somebody who is none of
 * these. A server's own requests (to trunks, to registered phones) are not
 * observed. TLS and WebSocket are believed only over TCP: the Via is the
 * sender's own word.
 */
struct wire;

struct wire_config {
	uint32_t requests;  /* kept at once; rounded up, about 400 bytes each */
	usec answer_within; /* how long a challenge may stay unanswered */
	struct proof_config proofs;
	const struct address *servers; /* own PBXs, n_servers of them; copied */
	size_t n_servers;
	bool learn_servers; /* from challenges and agents */
};

/* 4096 requests, 2 s, proof_config_default, no servers, learning. */
extern const struct wire_config wire_config_default;

/* observe is called from within wire_feed() and wire_expire(). NULL: no memory. */
struct wire *wire_new(const struct wire_config *config, struct hash_key key,
	observation_fn *observe, void *context);
void wire_free(struct wire *w);

/*
 * One message. agent is who sent the HEP packet (NULL: unknown). now must not
 * run backwards by more than jitter.
 */
void wire_feed(struct wire *w, const struct hep_message *m, const struct address *agent,
	usec now);

/* To be called a few times a second: what stayed unanswered. */
void wire_expire(struct wire *w, usec now);

struct wire_figures {
	uint64_t requests, responses;
	uint64_t not_sip; /* other HEP types and foreign payloads */
	uint64_t keepalives, malformed;
	uint64_t unmatched; /* final responses to requests that were not seen */
	uint64_t evicted;   /* open requests that had to make room */
	uint64_t observations[OBSERVED_DIALLED + 1]; /* by enum observation_kind */
	size_t servers, memory;
	struct proof_figures proofs;
};
void wire_figures(const struct wire *w, struct wire_figures *out);

#endif
