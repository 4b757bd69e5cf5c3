/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_LIMIT_H
#define SENSE_HONEYPOT_LIMIT_H

#include "base/clock.h"
#include "base/hash.h"
#include "indicator/address.h"

/*
 * How much is sent: a token bucket for all, and one of a fixed number of them for each
 * source, by a keyed hash of its address (of an IPv6 source, its /64: whoever has one
 * address of it has them all). Sources that share one limit each other, which a flood
 * of forged sources can bring about; it cannot make this grow.
 */
#define LIMIT_SOURCES 4096

struct limit_bucket {
	uint32_t tokens; /* thousandths of a message */
	uint32_t since;  /* milliseconds, wrapping */
};

struct limit {
	struct hash_key key;
	uint32_t per_source, total; /* messages a second; at most 1,000,000 */
	struct limit_bucket all;
	struct limit_bucket sources[LIMIT_SOURCES];
};

void limit_begin(struct limit *l, struct hash_key key, uint32_t per_source,
	uint32_t total, usec now);

/* Whether one more message may go to this source; it then counts. */
bool limit_take(struct limit *l, const struct address *to, usec now);

#endif
