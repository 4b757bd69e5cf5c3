/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_EVIDENCE_H
#define STORE_EVIDENCE_H

#include "indicator/indicator.h"
#include "store/merkle.h"
#include "store/store.h"

/*
 * Evidence: the records behind this node's own reports. They stay here; the
 * ledger holds only the Merkle root of those that went into one batch. Asked
 * by the owner of a listed address, the node shows the record, its salt and
 * its path (evidence_prove()), and anybody checks with evidence_leaf() and
 * merkle_verify() that it is what was committed to at the time.
 *
 *   leaf = keccak256(0x00 | salt, 32 bytes | indicator, 18 bytes | body)
 *
 * The indicator is in the leaf, so that a record cannot be shown for another
 * address; the salt keeps the root from being guessed back to the record.
 */
#define EVIDENCE_BODY_MAX 65536
#define EVIDENCE_SALT     32

struct evidence {
	uint64_t id;
	uint64_t created; /* unix seconds */
	struct indicator indicator;
	uint8_t salt[EVIDENCE_SALT];
	uint8_t leaf[KECCAK_SIZE];
	struct view body; /* JSON text; see each function for whose it is */
};

/* A record's place in a batch that was sent to the ledger. */
struct evidence_proof {
	uint64_t batch;
	uint64_t block; /* 0: the batch is not known to be final */
	uint8_t commitment[KECCAK_SIZE];
	struct merkle_path path;
};

/* The leaf of a record, as drawn above. Pure. */
void evidence_leaf(uint8_t out[KECCAK_SIZE], const uint8_t salt[EVIDENCE_SALT],
	const struct indicator *i, struct view body);

/*
 * Keep a record; *id names it from now on. salt: fresh random bytes. now: unix
 * seconds. Synced. Put it and its report into one transaction. Returns 0, or
 * -1 with a text, also when body is empty or over EVIDENCE_BODY_MAX.
 */
int evidence_add(struct store *s, uint64_t *id, const struct indicator *i,
	struct view body, const uint8_t salt[EVIDENCE_SALT], uint64_t now,
	struct error *err);

/*
 * Read one. out->body is allocated, the caller frees (void *)body.p by
 * evidence_free(). Returns 1, 0 when there is none, or -1 with a text.
 */
int evidence_get(struct store *s, struct evidence *out, uint64_t id, struct error *err);
void evidence_free(struct evidence *e);

/*
 * Records about exactly i, newest first, at most max; e and its body are valid
 * during the call of fn, which must not change the store. Returns how many, or
 * -1 with a text.
 */
typedef void evidence_fn(void *context, const struct evidence *e);
int evidence_each(struct store *s, const struct indicator *i, int max, evidence_fn *fn,
	void *context, struct error *err);

/*
 * The record's path in the batch that carried it; of several (a batch that had
 * to be sent anew) the newest final one, else the newest. Returns 1, 0 when it
 * is in none, or -1 with a text.
 */
int evidence_prove(
	struct store *s, struct evidence_proof *out, uint64_t id, struct error *err);

/* A record and what became of the report that commits to it. */
struct evidence_summary {
	struct evidence evidence; /* valid during the call */
	uint8_t state;            /* enum outbox_state of its latest row; 0: none */
	uint64_t block;           /* final */
};

/*
 * Records, newest first, at most max, with ids below `before` (0: all), about
 * exactly i (NULL: any). How many, or -1 with a text.
 */
typedef void evidence_summary_fn(void *context, const struct evidence_summary *e);
int evidence_list(struct store *s, const struct indicator *i, uint64_t before, int max,
	evidence_summary_fn *fn, void *context, struct error *err);

/* Bytes of all bodies together. Returns 0, or -1 with a text. */
int evidence_bytes(struct store *s, uint64_t *bytes, struct error *err);

struct evidence_limits {
	uint64_t now;    /* unix seconds */
	uint64_t before; /* forget what was made before this */
	uint64_t bytes;  /* and the oldest while there are more; 0: no limit */
	int most;        /* at most so many at once */
};

/*
 * Forget some records, oldest first, but none whose report waits in the outbox
 * or lives on the ledger. Leaves stay with their batches, so that paths of other
 * records still verify. Returns how many, or -1 with a text.
 */
int evidence_prune(
	struct store *s, const struct evidence_limits *limits, struct error *err);

#endif
