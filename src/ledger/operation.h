/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_OPERATION_H
#define LEDGER_OPERATION_H

#include "base/buffer.h"
#include "base/error.h"
#include "indicator/word.h"

/*
 * One operation of the ledger in its canonical bytes. Both ledgers hash
 * exactly these bytes into their tips, so that folding one ledger's events
 * gives the other's tip for the same history.
 *
 *   type u8 | seq u64 | time u32 | actor 20 bytes | body by type
 *
 * seq counts from 0 within the operation's chain; time is unix seconds (the
 * block's, on Ethereum); actor is the address that signed (msg.sender). All
 * integers are big-endian. The bodies:
 *
 *   BATCH             member u16 | commitment 32 | count u16 | words 32 each |
 *                     texts_len u32 | texts
 *   GENESIS           salt 32 | guardian 20 | config 12 (the owner is the actor)
 *   MEMBER_ADD        member u16 | weight u16 | cap u32 | name_len u8 | name |
 *                     signer_count u8 | signers 20 each
 *   MEMBER_SET        member u16 | weight u16 | cap u32
 *   MEMBER_REMOVE, MEMBER_SUSPEND, MEMBER_RESUME    member u16
 *   SIGNER_ADD, SIGNER_REMOVE    member u16 | address 20
 *   PROTECT           count u16 | indicators 18 each
 *   CONFIG            config 12: min_v4 u8 | min_v6 u8 | min_e164 u8 |
 *                     allow_unroutable u8 (0, 1) | max_ttl u32 | threshold u32
 *   GUARDIAN, OWNER_PROPOSE    address 20
 *   OWNER_ACCEPT, PAUSE, UNPAUSE    nothing
 *   SUPERSEDE         next 32
 */
#define OPERATION_HEAD (1 + 8 + 4 + 20)
#define ADDRESS20      20
#define HASH_SIZE      32
#define NAME_MAX_BYTES 64
#define SIGNERS_MAX    8
#define BATCH_MAX      256
#define TEXTS_MAX      (BATCH_MAX * 256) /* one length byte and 255 bytes a word */
/* No operation's canonical bytes are longer: a full batch with all texts. */
#define OPERATION_MAX (128 + BATCH_MAX * 32 + TEXTS_MAX)
#define PROTECTED_MAX 1024 /* 18 bytes each: fits one contract's code */

enum chain {
	CHAIN_MEMBERS = 0,
	CHAIN_ADMIN = 1,
};

enum operation_type {
	OP_BATCH = 0x01, /* the only type of the members' chain */

	OP_GENESIS = 0x10,
	OP_MEMBER_ADD = 0x11,
	OP_MEMBER_SET = 0x12,
	OP_MEMBER_REMOVE = 0x13,
	OP_MEMBER_SUSPEND = 0x14,
	OP_MEMBER_RESUME = 0x15,
	OP_SIGNER_ADD = 0x16,
	OP_SIGNER_REMOVE = 0x17,
	OP_PROTECT = 0x18,
	OP_CONFIG = 0x19,
	OP_GUARDIAN = 0x1a,
	OP_OWNER_PROPOSE = 0x1b,
	OP_OWNER_ACCEPT = 0x1c,
	OP_PAUSE = 0x1d,
	OP_UNPAUSE = 0x1e,
	OP_SUPERSEDE = 0x1f,
};

/* What the owner configures (GENESIS and CONFIG carry it whole). */
struct ledger_config {
	struct indicator_limits
		limits;     /* 4 bytes: min_v4 min_v6 min_e164 allow_unroutable */
	uint32_t max_ttl;   /* seconds; 1 .. 366 days */
	uint32_t threshold; /* quorum weight; >= 1 */
};

struct operation {
	uint8_t type; /* enum operation_type */
	uint64_t seq;
	uint32_t time;
	uint8_t actor[ADDRESS20];

	/* Whom it is about: BATCH and every MEMBER_, SIGNER_ operation. */
	uint16_t member;

	/* BATCH: commitment, count u16, words, texts_len u32, texts */
	uint8_t commitment[HASH_SIZE];
	uint16_t count;
	const uint8_t *words; /* count * WORD_SIZE, not owned */
	struct view texts;    /* (len u8, bytes) for each word of kind 4..6 in
	                         order, or empty altogether; a hint, no state */

	/* GENESIS: salt, guardian (in address), config; the owner is the actor */
	uint8_t salt[HASH_SIZE];
	struct ledger_config config; /* also CONFIG */

	/* GENESIS, GUARDIAN, OWNER_PROPOSE, SIGNER_ADD, SIGNER_REMOVE */
	uint8_t address[ADDRESS20];

	/* MEMBER_ADD: weight u16, cap u32, name, signers; MEMBER_SET: weight, cap */
	uint16_t weight;
	uint32_t cap;     /* 1 .. 2^24 */
	struct view name; /* 1..64 bytes of clean UTF-8, not owned */
	uint8_t signers[SIGNERS_MAX][ADDRESS20];
	uint8_t signer_count;

	/* PROTECT: the whole new table, sorted and disjoint */
	const uint8_t *table; /* table_count * INDICATOR_SIZE, not owned */
	uint16_t table_count;

	/* SUPERSEDE: the successor's ledger id */
	uint8_t next[HASH_SIZE];
};

/* Which chain a type belongs to. */
enum chain operation_chain(uint8_t type);

/* "batch", "member-add", ...; "?" for an unknown type. */
const char *operation_name(uint8_t type);

/*
 * Append the canonical bytes. Returns 0, or -1 when out fails, the type is
 * unknown, or a count or length is past what the encoding holds (nothing is
 * appended then).
 */
int operation_encode(struct buffer *out, const struct operation *op);

/*
 * Decode canonical bytes; the views in op point into bytes. Refuses unknown
 * types, counts past the limits and trailing bytes: for any bytes that decode,
 * operation_encode() gives the same bytes back. Returns 0 or -1 with a text.
 */
int operation_decode(struct operation *op, struct view bytes, struct error *err);

/*
 * The published text of a batch's entry (its word of kind 4..6), if it is
 * there, clean, and hashes to the word's value: who only claims is not heard.
 * The view points into op->texts. Returns 0, or -1.
 */
int operation_text(const struct operation *op, unsigned entry, struct view *text);

/* tip' = keccak256(tip, operation). tip_out may be tip. */
void tip_advance(
	uint8_t tip_out[HASH_SIZE], const uint8_t tip[HASH_SIZE], struct view operation);

/* The ledger's id: keccak256("SIPchain ledger v1", genesis bytes). */
void ledger_id(uint8_t id[HASH_SIZE], struct view genesis);

#endif
