/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CAMPAIGN_H
#define DETECT_CAMPAIGN_H

#include "base/hash.h"
#include "detect/rule.h"

/*
 * Who failed at one account, or one dialled string, by rule. Of fixed size:
 * sets of eight chosen by a keyed hash; in a full set what was quiet longest
 * gives way. Only proved failures come here, so that a flood of forged packets
 * does not push anything out.
 */
#define CAMPAIGN_MEMBERS 64

struct campaign_member {
	struct address address;
	usec time; /* of its last failure */
	uint8_t proof, transport, sensor;
	bool told; /* a detection named it */
};

struct campaign {
	uint64_t key; /* rule and what they fail at; 0: a free place */
	usec last;
	uint8_t rule; /* its place among the rules */
	bool due;     /* members wait to be told */
	bool told;    /* since it was quiet for a window */
	uint8_t kind; /* enum observation_kind, the last */
	uint32_t attempts;
	struct campaign_member member[CAMPAIGN_MEMBERS];
	char account[64], dialled[64], agent[96]; /* the last, hostile */
};

struct campaigns;

/* NULL when memory is short. */
struct campaigns *campaigns_new(struct hash_key key);
void campaigns_free(struct campaigns *c);

/* Forget all: the rules have changed. */
void campaigns_clear(struct campaigns *c);

/*
 * Note a failure under rule number `at`. Returns its campaign, or NULL when
 * the observation has no account or dialled string to gather by.
 */
struct campaign *campaigns_note(struct campaigns *c, const struct rule *rule, unsigned at,
	const struct observation *o);

/* The first one that is due, or NULL. */
struct campaign *campaigns_due(struct campaigns *c);

/* Figures. */
size_t campaigns_count(const struct campaigns *c);
size_t campaigns_memory(const struct campaigns *c);

#endif
