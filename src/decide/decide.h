/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_DECIDE_H
#define DECIDE_DECIDE_H

#include "decide/allowlist.h"
#include "decide/home.h"
#include "decide/uri_parts.h"
#include "ledger/registry.h"

/*
 * What this node does about an indicator, and why. Pure functions of the
 * registry, the allowlist, the policy and the time.
 */
#define QUORUM_NEVER  UINT32_MAX
#define DECISION_TEXT 240 /* decision_print() */

struct policy {
	/*
	 * The quorum that this node asks for, by proof class and by kind; the
	 * effective figure is the greatest of these and the ledger's threshold,
	 * so a node may ask for more, never for less. QUORUM_NEVER: reports of
	 * this class (or kind) have no effect here.
	 */
	uint32_t by_proof[PROOF_COUNT];
	uint32_t by_kind[7];
	/* The site: what nobody else's word blocks here. */
	struct home home;
};

extern const struct policy policy_default;

enum why {
	WHY_QUORUM = 1,    /* block: enough members say so */
	WHY_OWN_DETECTION, /* block: this node saw it */
	WHY_OPERATOR,      /* block: sipchain ban */
	WHY_NOT_LISTED,
	WHY_BELOW_QUORUM,
	WHY_OBJECTED,  /* would be met but for objections */
	WHY_POLICY,    /* would be met by the ledger's threshold, not by this node's */
	WHY_PROTECTED, /* the consortium's table */
	WHY_ALLOWED,   /* this node's allowlist */
	WHY_OWN,       /* the site's own number or domain, which others report */
	WHY_DOMESTIC,  /* a number of its country, which others report */
};

struct decision {
	struct indicator indicator;
	bool block;
	enum why why;
	uint32_t until;     /* unix seconds; block only */
	uint32_t recheck;   /* when the answer may change by time alone; 0: never */
	int64_t sum;        /* support under the quorum below, objections taken off */
	uint32_t required;  /* the quorum it was held against; QUORUM_NEVER: none helps */
	uint32_t reporters; /* distinct members with a live report, whatever its class */
	uint32_t objectors; /* distinct members with a live objection */
	uint8_t category;   /* of the strongest live report: the class that the */
	uint8_t proof;      /*   policy asks least of, then the best proof */
	struct indicator conflict; /* WHY_PROTECTED, WHY_ALLOWED: the entry; */
				   /*   WHY_OWN: the URI's domain, if it is that */
	uint8_t origin;            /* WHY_ALLOWED: enum allow_origin */
};

/*
 * Decide about exactly this indicator from the ledger's words. What stands
 * against a block at all (protected table, allowlist) is told first, listed or
 * not.
 *
 * The quorums T that are tried: the greater of the ledger's threshold and what
 * the policy asks of the kind, and that raised to what it asks of each class
 * of proof present. A member counts toward T when one of his live reports is
 * of a class of which the policy asks no more than T; objections always count
 * in full. It blocks when some T is met: sum >= T. So a weak class neither
 * lowers what a strong one needs, nor raises it.
 *
 * until: when the last quorum that is met will fall below by the expiry of
 * reports alone, should the objections stay. recheck: the first time at which
 * `block` or `until` may change with nothing new on the ledger: the end of the
 * block, of an objection that matters, or of an allowlist entry.
 *
 * What is listed and the site's own, or of its country (policy->home), is not
 * blocked, whatever its quorum: WHY_OWN, WHY_DOMESTIC; the figures are told.
 */
void decide_learnt(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct indicator *i, uint32_t now);

/*
 * The same of an indicator whose text is known (NULL, "": it is not): what stands against
 * a block of a URI's domain or number (decide_spared()) stands against its own.
 */
void decide_learnt_text(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct indicator *i, const char *text, uint32_t now);

/*
 * Whether a ban of a part of a URI does not count for calls to it: the protected
 * table, the allowlist or the site's own numbers and domains hold the URI itself, or
 * that part, or, when it is the URI that is banned, its domain or number. An allowed
 * domain frees no banned number: a carrier's domain stands in every call through it.
 * Nor does an allowed number free a domain, whose owner decides whom the call reaches.
 * Then *out says what does not let it count. registry may be NULL; and policy, for an
 * operator's ban: what the site is does not count against its operator's word, as in
 * decide_own(). A number alone is asked about as parts that have nothing else.
 */
bool decide_spared(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct uri_parts *parts, enum uri_part banned, uint32_t now);

/*
 * May this node ban i for its own reasons (a detection, an operator)? Fills
 * out with block true and why and until as given, or with what stands against
 * it. registry may be NULL: a node without a ledger. text: a URI's, when it is known,
 * for its domain and number, as in decide_learnt_text(). What the site is does not
 * count: its own detection looks at that before, and an operator knows it.
 */
void decide_own(struct decision *out, const struct registry *registry,
	const struct allowlist *allow, const struct indicator *i, enum why why,
	uint32_t until, uint32_t now);
void decide_own_text(struct decision *out, const struct registry *registry,
	const struct allowlist *allow, const struct indicator *i, const char *text,
	enum why why, uint32_t until, uint32_t now);

/* Whether others' reports of it do not count here: WHY_OWN or WHY_DOMESTIC, else 0. */
enum why decide_home(const struct policy *policy, const struct indicator *i);

/* "quorum", "own-detection", ... */
const char *why_name(enum why why);

/*
 * A sentence for people, without the indicator's own name: "blocked until
 * 2026-11-21T10:00:00Z: support 2 of 2 required (password, proof nonce; ...)".
 * dst has DECISION_TEXT bytes. Returns dst.
 */
char *decision_print(char *dst, const struct decision *d);

#endif
