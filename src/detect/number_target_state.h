/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NUMBER_TARGET_STATE_H
#define DETECT_NUMBER_TARGET_STATE_H

#include "base/table.h"
#include "detect/attempt.h"
#include "detect/number_target.h"

/* The table of what attackers call, inside: number_target.c, number_prefix.c. */
#define HITS_NUMBER NUMBER_CALLS_MAX
#define HITS_DOMAIN NUMBER_PREFIX_MAX

struct hit {
	usec time;
	uint64_t id;
	struct address source;
	uint8_t proof, source_proof, category;
};

struct target {
	struct indicator indicator;
	struct target *older, *newer; /* by the last call */
	struct target *next_due;
	bool due, told;
	usec told_at, last;
	uint64_t key; /* of a number: its digits, for the order */
	char *text;   /* of a URI or domain; else NULL */
	char dialled[64];
	uint32_t n, room;
	struct hit hits[]; /* oldest first */
};

/* A prefix that was told, or is to be. */
struct prefix {
	struct indicator indicator;
	usec told_at;
	bool due;
	bool refused; /* nothing came of it: the numbers in it speak for themselves */
	struct number_detection detection;
};

struct place {
	struct indicator indicator; /* the key */
	struct target *target;
};

struct targets {
	const struct numbers_config *config;
	struct hash_key key;
	struct table *places;
	struct target *oldest, *newest;
	struct target *due, *due_last;
	struct target *sorted[TARGETS_MAX]; /* numbers, by key */
	size_t n, n_sorted, bytes;
	struct prefix prefixes[PREFIXES_MAX];
	unsigned n_prefixes;
};

/* Whether told so lately that it is not told again at now. */
bool targets_silent(const struct targets *t, bool told, usec told_at, usec now);

/* How many calls within the rule's window, and of them by one reading each. */
uint32_t targets_hits(const struct target *x, usec now, const struct detect_rule *rule,
	uint32_t *by_rule);

/* Take them into a detection, newest first; then its sentence. */
void targets_gather(struct number_detection *d, const struct target *x,
	const struct detect_rule *rule);
void targets_reason(struct number_detection *d);

/* Whether one network alone (an address, a /64 of IPv6) called what it is about. */
bool targets_one_network(const struct number_detection *d);

/*
 * It is due when it crosses the rule's threshold and was not told lately; a domain, when
 * more than one network called it.
 */
void targets_judge(struct targets *t, struct target *x, const struct detect_rule *rule);

/* The place of the first number that is not before key. */
size_t targets_place(const struct targets *t, uint64_t key);

/* --- number_prefix.c */

/* A number was called: does a prefix of it cross its threshold now? */
void targets_judge_prefix(struct targets *t, const struct target *x);

/* Whether a prefix that was told lately, or is due, has this number in it. */
bool targets_covered(const struct targets *t, const struct target *x);

/* The next prefix that is due. */
bool targets_prefix_due(struct targets *t, struct number_detection *out);

/* Returns whether it was there. */
bool targets_forget_prefix(struct targets *t, const struct indicator *i);

#endif
