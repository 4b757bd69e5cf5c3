/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_OWN_H
#define DECIDE_OWN_H

#include "decide/decide.h"
#include "detect/detect.h"

/* What to do here about sources that nothing proves to be real. */
enum own_unproved {
	OWN_UNPROVED_IGNORE = 0,
	OWN_UNPROVED_BAN = 1,       /* ban all of them */
	OWN_UNPROVED_PLAUSIBLE = 2, /* those whose signs their rule takes (detect.h) */
};

/*
 * What this node does with a detection of its own: ban locally at once, and
 * report to the consortium when the source is proved. Pure.
 */
struct own_config {
	/*
	 * Classes of proof that may be published. PROOF_NONE is never published,
	 * whatever stands here: anybody can send from any address.
	 */
	bool publish[PROOF_COUNT];
	/*
	 * Ban unproved sources locally: which, and for at most so many seconds
	 * (the detection's rule may say fewer).
	 */
	uint8_t unproved; /* enum own_unproved */
	uint32_t unproved_ban;
	/*
	 * How long a report lives, seconds: ttl for the first offence, doubled
	 * with each further one up to ttl_max, never beyond the ledger's max_ttl.
	 */
	uint32_t ttl;
	uint32_t ttl_max;
	/* Decide everything, touch nothing: neither ban nor report. */
	bool observe;
	/*
	 * This node may report: it has a key and, as far as the ledger is known,
	 * is an active member.
	 */
	bool may_report;
	/* This node's member, for its own objections; 0: not known. */
	uint16_t member;
};

extern const struct own_config own_config_default;

struct own_action {
	struct indicator indicator; /* the source, exact, or its network */
	bool ban;                   /* order a ban of every port until `until` */
	bool publish;               /* put a report with `expiry` into the outbox */
	bool would_ban;             /* what ban and publish would be without observe */
	bool would_publish;
	uint32_t until;   /* unix seconds; would_ban only */
	uint32_t expiry;  /* unix seconds; would_publish only */
	uint8_t category; /* of the report */
	uint8_t proof;
	/* It is on the allowlist as a phone's, which goes before the ban is ordered. */
	bool unregister;
	struct decision decision;         /* block, or what stands against it */
	char reason[DECISION_TEXT + 124]; /* for people: both answers and why */
};

/*
 * Decide about one detection. registry is NULL while the ledger has not been
 * read: then nothing is known to be protected, and a report is decided on
 * without the ledger's limits, which are applied when it is sent. A source
 * that the protected table or the allowlist (own addresses, trunks, registered
 * phones) overlaps is neither banned nor reported, proved or not, but for what
 * overrules a registered phone's entry (registered.h). An unroutable
 * source may be banned but not reported. now: unix seconds; bans and reports
 * run from it, so that a detection that lay in a queue is not cut short.
 */
void own_decide(struct own_action *out, const struct own_config *config,
	const struct registry *registry, const struct allowlist *allow,
	const struct detection *d, uint32_t now);

/* The report's life for the nth offence (1..), as struct own_config says. */
uint32_t own_ttl(const struct own_config *config, uint32_t offence, uint32_t max_ttl);

#endif
