/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_PORTION_H
#define LEDGER_ETHEREUM_PORTION_H

#include "ledger/ethereum/journal.h"
#include "ledger/ethereum/logs.h"

/*
 * Events on their way from a reply to the journal, in memory: put into log
 * order, doubles left out, so that a node which repeats or reorders logs does
 * no harm. Zero-initialise.
 */
struct portion_entry {
	enum chain chain;
	uint64_t block;
	uint32_t index;
	uint64_t seq;
	uint64_t block_before;
	uint8_t tip_before[HASH_SIZE];
	size_t at, n; /* the operation's bytes */
};

struct portion {
	struct portion_entry *list;
	size_t count, capacity;
	struct buffer bytes;
};

/* What a log must be: the contract's, of a block in from..to, of this chain. */
struct portion_filter {
	const uint8_t *contract;
	uint64_t from, to;
	int chain;    /* -1: any */
	uint64_t seq; /* UINT64_MAX: any */
	/* The block whose hash is known: a log of it must carry that hash. */
	uint64_t known;
	const uint8_t *known_hash; /* NULL: none */
};

/*
 * Add a log's event. Returns 0; -1 with a text when it is not what was asked
 * for, or no event of the contract; 1 when it is of another block of the known
 * number: the chain was reorganised while it was read.
 */
int portion_add(struct portion *p, const struct log *log, const struct portion_filter *f,
	struct error *err);

/* Forget entries from this count on (a reply that was cut). */
void portion_cut(struct portion *p, size_t count, size_t bytes);

/* Sort by place, drop doubles (the same place and bytes). */
void portion_sort(struct portion *p);

/* An entry as an event; the views point into the portion. 0 or -1 with a text. */
int portion_event(
	const struct portion *p, size_t k, struct ledger_event *out, struct error *err);

/*
 * Put all into the journal (in its transaction), empty the portion. since: of a
 * window that begins with the first event. 0 or -1 with a text.
 */
int portion_store(
	struct portion *p, struct journal *j, uint32_t since, struct error *err);

void portion_free(struct portion *p);

#endif
