/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NUMBER_TARGET_H
#define DETECT_NUMBER_TARGET_H

#include "detect/numbers.h"

/*
 * What attackers call, counted: numbers, URIs, and from these prefixes and domains.
 * Of each the last calls are kept, as many as its threshold asks for, so that a
 * window slides; at most TARGETS_MAX, of which the one that was quiet longest gives
 * way.
 */
#define TARGETS_MAX  4096
#define PREFIXES_MAX 256 /* prefixes that were told */

struct target_call {
	usec time;
	uint64_t id; /* the caller's own for this call */
	struct address source;
	uint8_t proof;        /* PROOF_RULE or PROOF_CLUSTER */
	uint8_t source_proof; /* of the one who called */
	uint8_t category;
	const char *dialled;
};

struct targets;

/* config must outlive it. NULL when memory is short. */
struct targets *targets_new(const struct numbers_config *config, struct hash_key key);
void targets_free(struct targets *t);
void targets_clear(struct targets *t);

/* One call to a number or URI; text is a URI's canonical text, else "". */
void targets_add(struct targets *t, const struct indicator *i, const char *text,
	const struct target_call *call);

/* That call went somewhere else, as it turned out. */
void targets_remove(struct targets *t, const struct indicator *i, uint64_t id);

/* The next one that crossed its threshold. */
bool targets_due(struct targets *t, struct number_detection *out);

/* It was not told after all: another call may tell it. */
void targets_untold(struct targets *t, const struct indicator *i);

/* Nothing came of a prefix that was told: its numbers are told one by one. */
void targets_refuse(struct targets *t, const struct indicator *i);

void targets_forgive(struct targets *t, const struct indicator *i);

size_t targets_count(const struct targets *t);
size_t targets_memory(const struct targets *t);

#endif
