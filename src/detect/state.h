/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_STATE_H
#define DETECT_STATE_H

#include "detect/campaign.h"
#include "detect/weigh.h"

/*
 * The rules of one court that weigh alone, with what is asked of each for every
 * observation: the rules themselves are large.
 */
struct docket {
	struct {
		uint32_t kinds;
		uint32_t at; /* its place among the rules */
	} rule[RULES_MAX];
	unsigned n;
};

/* The detector inside: what files observations, and what judges (judge.c, grade.c, campaign_judge.c). */
struct detector {
	struct detect_config config;
	struct rules rules;
	struct sources *sources;
	struct sources *networks; /* IPv6 /64s, as if each were one source */
	struct campaigns *campaigns;
	struct docket dockets[RULE_PER_NETWORK + 1]; /* by enum rule_per */
	usec keep;                                   /* how long an attempt can matter */
	bool by_network;                             /* some rule asks for them */
	bool by_campaign;                            /* the same */
	unsigned campaigns_due;
	struct detection held[8]; /* of networks, while an address's is told */
	unsigned n_held;
	struct hash_key key;
	uint64_t observations, duplicates, detections;
};

/* Whose sources these are, and what follows from it. */
struct court {
	struct sources *sources;
	uint8_t per;  /* enum rule_per: of rules to judge by */
	uint8_t plen; /* of a detection; 0: the whole address */
};

/* A ban of this very detector; a clock set back does not prolong it. */
bool ban_running(const struct detector *d, const struct source *s, usec now);

/* The ban of the n-th offence, seconds. */
uint32_t ban_seconds(const struct detect_config *config, uint32_t offence);

/* Whether this source is to be detected now; then *out, and the ban begins. */
bool judge(struct detector *d, const struct court *court, struct source *s, usec now,
	struct detection *out);

/* Of a detection that is otherwise filled: its rule's name and sentence. */
void detection_reason(struct detection *out, const struct rule *rule);

/* And what the rule says of a ban and of publishing. */
void detection_rule(struct detection *out, const struct rule *rule);

/* Note a proved failure in the campaigns of all rules that count it. */
void campaign_feed(struct detector *d, const struct observation *o);

/* The next detection of a campaign that is due. */
bool campaign_judge(struct detector *d, struct detection *out);

/* What a rule's multiplied threshold is multiplied by for this source. */
uint32_t rule_factor(const struct detector *d, const struct source *s,
	const struct rule *rule, usec now);

/* Signs of forgery were seen of the source within ten minutes. */
bool source_forged(const struct source *s, usec now);

/* Somebody authenticated from it within the hour. */
bool source_registered(const struct source *s, usec now);

/* Fill t->rules, and what else is told of a source. */
void trace_standing(struct detect_trace *t, const struct detector *d,
	const struct source *s, usec now);

#endif
