/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_WIRE_TABLE_H
#define SENSE_WIRE_TABLE_H

#include "base/hash.h"
#include "sense/observation.h"
#include "sip/message.h"

/*
 * The requests that wait for their answer, and for a while those that had it,
 * so that retransmissions find them. Of fixed size: sets of sixteen chosen by
 * a keyed hash of the client's address, so that who floods pushes out his own.
 */
enum wire_state {
	WIRE_FREE = 0,
	WIRE_ASKED,      /* no final answer yet */
	WIRE_CHALLENGED, /* answered by a challenge; nothing followed yet */
	WIRE_DONE,
};

struct wire_request {
	uint64_t key;      /* the transaction */
	uint64_t client;   /* hash of the address */
	uint64_t dialog;   /* client and Call-ID */
	uint64_t answered; /* nonce of the credentials */
	uint64_t issued;   /* nonce of the challenge that it got */
	uint64_t target;   /* whom it asked for: account or dialled string */
	uint64_t realms[SIP_DIGESTS_MAX]; /* of the credentials; 0: none */
	uint64_t tag;                     /* To-tag of the final answer; 0: none yet */
	uint64_t by_target; /* attempt key that names the target, see wire.c */
	usec issued_at;     /* when that was */
	usec seen;          /* when it came; when challenged: when that was */
	uint8_t state;      /* enum wire_state */
	uint8_t method;     /* enum sip_method */
	bool credentials;
	bool superseded;                 /* credentials followed under the same Call-ID */
	bool known, same_method, proved; /* as struct proof_answer */
	bool proof_told;
	bool tool;            /* names itself an attack tool */
	bool refused;         /* an INVITE's final answer was no success */
	bool acknowledged;    /* something came that bears the answer's To-tag */
	bool told;            /* an observation of it was given away */
	struct observation o; /* what it will be, but for time, kind and proof */
};

struct wire_table;

/* entries is rounded up to sixteen times a power of two. NULL: no memory. */
struct wire_table *wire_table_new(uint32_t entries);
void wire_table_free(struct wire_table *t);

/* The request with this key, or NULL. */
struct wire_request *wire_table_get(struct wire_table *t, uint64_t client, uint64_t key);

/*
 * A place for a new request, zeroed but for key and client: a free one, else
 * the oldest answered one, else one of the client that has most of the set
 * (*evicted is then set).
 */
struct wire_request *wire_table_put(
	struct wire_table *t, uint64_t client, uint64_t key, bool *evicted);

/* Walk the requests of one client: start with *at = 0; NULL at the end. */
struct wire_request *wire_table_client(
	struct wire_table *t, uint64_t client, unsigned *at);

/* Walk all that are not free, in the same way. */
struct wire_request *wire_table_next(struct wire_table *t, size_t *at);

size_t wire_table_memory(const struct wire_table *t);

#endif
