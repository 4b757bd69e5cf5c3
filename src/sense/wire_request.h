/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_WIRE_REQUEST_H
#define SENSE_WIRE_REQUEST_H

#include "sense/wire_table.h"
#include "sip/hep.h"

/*
 * Fill *r (zeroed but for key and client) from a valid request: texts,
 * attempt keys, hashes of nonce and realms, and the part of the observation
 * that does not depend on the answer.
 */
void wire_request_fill(struct wire_request *r, const struct hash_key *key,
	const struct sip_message *m, const struct hep_message *h, usec now);

/* Just source, port, transport, sensor and time; for messages without more. */
void wire_observation_begin(struct observation *o, const struct hep_message *h,
	const struct sip_message *m, usec now);

/* The first Digest credentials with nonce and response, or NULL. */
const struct sip_digest *wire_credentials(const struct sip_message *m);

/*
 * What the transport alone proves. HEP's IP protocol is the PBX's word; the
 * Via is the sender's and only tells TCP's upper layers apart.
 */
uint8_t wire_transport(const struct hep_message *h, const struct sip_message *m);
uint8_t wire_transport_proof(uint8_t transport);

/* A realm and where it belongs (proxy or not) as one number; never 0. */
uint64_t wire_realm(const struct hash_key *key, const struct sip_digest *d);

/* Never 0. */
uint64_t wire_hash(const struct hash_key *key, struct view text);

/*
 * Whether a request names itself a tool that only attacks (User-Agent, or the
 * display name that sipvicious writes). Dual-use programs are not among them.
 */
bool wire_is_tool(const struct sip_message *m);

/* A final answer's meaning. */
enum wire_meaning {
	WIRE_MEANS_NOTHING = 0,
	WIRE_MEANS_CHALLENGE = 255, /* else enum observation_kind */
};
uint8_t wire_meaning(const struct wire_request *r, const struct hash_key *key,
	const struct sip_message *response);

#endif
