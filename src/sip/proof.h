/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_PROOF_H
#define SIP_PROOF_H

#include "base/clock.h"
#include "base/hash.h"
#include "indicator/address.h"
#include "indicator/word.h"
#include "sip/message.h"

/*
 * What proves that the source of a UDP packet is real: it knows something
 * that was sent to that very address and could not be guessed.
 *
 *   nonce  a nonce that the server sent to the address in a 401 or 407 comes
 *          back in an Authorization from the same address to the same server
 *   ack    a To-tag that the server gave in a response to the address comes
 *          back in an ACK or another request of the dialog from there
 *
 * Two traps, both seen on the wire:
 *
 * - A nonce need not be bound to its receiver. Kamailio without
 *   `auth_checks_* = 8` gives every address the same nonce within a second:
 *   whoever asks under his own address knows what a victim was sent. So a
 *   server that is seen to give one nonce to two addresses proves nothing by
 *   nonces for an hour.
 * - A To-tag need not be secret. pjsip's stateless answers (every 401 of
 *   Asterisk) take the branch of the request as the tag; Kamailio and
 *   OpenSIPS append a CRC of the request's Via to a prefix that is the same
 *   for everybody. proof_tag_is_secret() tells these from real ones.
 *
 * HEP messages may be out of order (Kamailio has one sender per worker): an
 * answer up to two seconds before its challenge counts as well.
 *
 * Memory is fixed. Entries stand in sets of eight chosen by a keyed hash of
 * the address; in a full set the address that holds most gives way. A flood
 * from (or spoofed as) one address only pushes out that address's own
 * entries, and a flood of many has to fill all sets within one round trip.
 */
struct proofs;

struct proof_config {
	uint32_t nonces; /* entries; rounded up to a power of two, 24 bytes each */
	uint32_t tags;   /* likewise */
	uint32_t owners; /* who was first given a nonce; 24 bytes each */
};

extern const struct proof_config proof_config_default; /* together 1 MB */

/* NULL when memory is short. */
struct proofs *proofs_new(const struct proof_config *config, struct hash_key key);
void proofs_free(struct proofs *p);

/*
 * The server sent this nonce to the client in answer to a request of this
 * method. Returns whether the client had already sent it (out of order), so
 * that this proves the client now.
 */
bool proof_nonce_issued(struct proofs *p, const struct address *client,
	const struct address *server, struct view nonce, enum sip_method method,
	usec now);

/* What credentials from the client show. */
struct proof_answer {
	bool known;       /* the nonce was sent to this address, */
	bool same_method; /* for a request of this method; */
	bool proved;      /* and nobody else could know it */
};

/* The client sent credentials with this nonce to the server. */
struct proof_answer proof_nonce_answered(struct proofs *p, const struct address *client,
	const struct address *server, struct view nonce, enum sip_method method,
	usec now);

/* The server gave this To-tag to the client; see proof_tag_is_secret(). */
void proof_tag_given(struct proofs *p, const struct address *client,
	const struct address *server, struct view call_id, struct view tag, usec now);

enum proof_tag {
	PROOF_TAG_UNKNOWN = 0, /* never given to this address */
	PROOF_TAG_FIRST,       /* known, and used for the first time: a proof */
	PROOF_TAG_AGAIN,       /* known, the proof was given before */
};

/* The client used this To-tag in a request of the dialog. */
enum proof_tag proof_tag_used(struct proofs *p, const struct address *client,
	const struct address *server, struct view call_id, struct view tag, usec now);

/*
 * Whether the To-tag of a response could only be known to its receiver: long
 * enough, no part of what the request said (Via branch, From-tag, Call-ID),
 * and not of the form <MD5 in hex>.<CRC> that Kamailio and OpenSIPS use.
 */
bool proof_tag_is_secret(const struct sip_message *response);

/* Figures for `status`. */
struct proof_figures {
	uint64_t nonces_issued, nonces_proved, nonces_shared, tags_proved;
	size_t memory;
};
void proofs_figures(const struct proofs *p, struct proof_figures *out);

#endif
