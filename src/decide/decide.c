/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/decide.h"

#include <stdlib.h>

#include "base/log.h"

const struct policy policy_default = {.by_proof = {0}};

/* Words that a decision reads without asking for memory. */
#define WORDS_INLINE 64

/* One member's live words about the indicator, folded. */
struct voter {
	uint32_t weight;
	uint32_t expiry[PROOF_COUNT]; /* latest report of each class; 0: none */
	uint32_t objection;           /* latest objection's end; 0: none */
};

/* Everybody's words about the indicator. */
struct ballot {
	struct voter *voters;
	size_t n;
	bool present[PROOF_COUNT]; /* classes with at least one report */
	uint32_t reporters, objectors;
	int64_t reported;         /* weight of distinct reporters */
	int64_t objected;         /* weight of distinct objectors */
	uint32_t first_objection; /* earliest end of an objection; 0: none */
};

/* The figures of one quorum. */
struct tally {
	uint32_t required;
	int64_t sum;
	uint32_t until; /* when it falls below; 0: it is not met */
};

/* A contribution to a tally, for sorting by its end. */
struct contribution {
	uint32_t expiry;
	uint32_t weight;
};

/* How good a proof is, the policy asking the same of both; as the detector ranks. */
static unsigned proof_rank(uint8_t proof)
{
	static const uint8_t rank[PROOF_COUNT] = {
		[PROOF_NONE] = 0,
		[PROOF_LOG] = 1,
		[PROOF_MANUAL] = 2,
		[PROOF_CLUSTER] = 3,
		[PROOF_RULE] = 4,
		[PROOF_ACK] = 5,
		[PROOF_TCP] = 6,
		[PROOF_NONCE] = 7,
		[PROOF_AUTH] = 8,
	};

	return proof < PROOF_COUNT ? rank[proof] : 0;
}

/* What the policy asks of a class; one that it does not know has no effect. */
static uint32_t asks_proof(const struct policy *p, uint8_t proof)
{
	return proof < PROOF_COUNT ? p->by_proof[proof] : QUORUM_NEVER;
}

/* The least quorum for this kind, whatever the class. */
static uint32_t asks_kind(const struct policy *p, const struct registry *r, uint8_t kind)
{
	uint32_t threshold = registry_config(r)->threshold;
	uint32_t asked = kind < sizeof(p->by_kind) / sizeof(p->by_kind[0]) ?
		p->by_kind[kind] :
		QUORUM_NEVER;

	return asked > threshold ? asked : threshold;
}

/* Whether report a says more than report b; see struct decision. */
static bool stronger(
	const struct policy *p, const struct report *a, const struct report *b)
{
	uint32_t asked_a = asks_proof(p, a->proof), asked_b = asks_proof(p, b->proof);

	if (asked_a != asked_b)
		return asked_a < asked_b;
	if (proof_rank(a->proof) != proof_rank(b->proof))
		return proof_rank(a->proof) > proof_rank(b->proof);
	return a->expiry > b->expiry;
}

/* Fold an objection into its member's voter. */
static void count_objection(struct ballot *b, struct voter *v, uint32_t expiry)
{
	if (v->objection == 0) {
		b->objectors++;
		b->objected += v->weight;
	}
	if (expiry > v->objection)
		v->objection = expiry;
	if (b->first_objection == 0 || expiry < b->first_objection)
		b->first_objection = expiry;
}

/* Fold a report into its member's voter. */
static void count_report(
	struct ballot *b, struct voter *v, const struct report *w, bool *reported)
{
	if (!*reported) {
		*reported = true;
		b->reporters++;
		b->reported += v->weight;
	}
	if (w->proof >= PROOF_COUNT)
		return;
	b->present[w->proof] = true;
	if (w->expiry > v->expiry[w->proof])
		v->expiry[w->proof] = w->expiry;
}

/*
 * Fold the words, which come ordered by member, into b->voters (room for n).
 * *strongest points to the report that says most, or stays NULL.
 */
static void ballot_fold(struct ballot *b, const struct registry *r,
	const struct policy *policy, const struct report *words, size_t n,
	const struct report **strongest)
{
	uint16_t last = 0;
	bool reported = false;

	for (size_t k = 0; k < n; k++) {
		const struct report *w = &words[k];

		if (b->n == 0 || w->member != last) {
			const struct member *m = registry_member(r, w->member);

			last = w->member;
			reported = false;
			b->voters[b->n] = (struct voter){.weight = m ? m->weight : 0};
			b->n++;
		}
		if (w->category == CATEGORY_OBJECTION) {
			count_objection(b, &b->voters[b->n - 1], w->expiry);
			continue;
		}
		count_report(b, &b->voters[b->n - 1], w, &reported);
		if (*strongest == NULL || stronger(policy, w, *strongest))
			*strongest = w;
	}
}

static int by_expiry(const void *a, const void *b)
{
	const struct contribution *x = a, *y = b;

	return (x->expiry > y->expiry) - (x->expiry < y->expiry);
}

/* When this voter's part in a quorum of `required` ends; 0: he has none. */
static uint32_t voter_expiry(
	const struct voter *v, const struct policy *p, uint32_t required)
{
	uint32_t latest = 0;

	for (uint8_t c = 0; c < PROOF_COUNT; c++) {
		if (asks_proof(p, c) <= required && v->expiry[c] > latest)
			latest = v->expiry[c];
	}
	return latest;
}

/* Work one quorum out. scratch has room for every voter. */
static struct tally tally_count(const struct ballot *b, const struct policy *p,
	uint32_t required, struct contribution *scratch)
{
	struct tally t = {.required = required, .sum = -b->objected};
	int64_t left;
	size_t n = 0;

	for (size_t k = 0; k < b->n; k++) {
		uint32_t expiry = voter_expiry(&b->voters[k], p, required);

		if (expiry == 0)
			continue;
		scratch[n++] = (struct contribution){expiry, b->voters[k].weight};
		t.sum += b->voters[k].weight;
	}
	if (n == 0 || t.sum < (int64_t)required)
		return t;
	/* Take the reports away in the order in which they end. */
	qsort(scratch, n, sizeof(*scratch), by_expiry);
	left = t.sum;
	for (size_t k = 0; k < n && left >= (int64_t)required; k++) {
		left -= scratch[k].weight;
		t.until = scratch[k].expiry;
	}
	return t;
}

/* Whether tally a describes the answer better than b. */
static bool tally_better(const struct tally *a, const struct tally *b)
{
	int64_t lack_a = (int64_t)a->required - a->sum;
	int64_t lack_b = (int64_t)b->required - b->sum;

	if (a->until != b->until)
		return a->until > b->until;
	if (a->until == 0 && lack_a != lack_b)
		return lack_a < lack_b;
	return a->required < b->required;
}

/*
 * Try every quorum that may decide; *lifted tells whether one of them would be
 * met without the objections. The best tally is returned; its `required` is
 * QUORUM_NEVER when no report present can have an effect.
 */
static struct tally tally_best(const struct ballot *b, const struct policy *p,
	uint32_t least, struct contribution *scratch, bool *lifted)
{
	struct tally best = {.required = QUORUM_NEVER, .sum = b->reported - b->objected};

	*lifted = false;
	if (least == QUORUM_NEVER)
		return best;
	for (uint8_t c = 0; c < PROOF_COUNT; c++) {
		uint32_t asked = asks_proof(p, c);
		struct tally t;

		if (!b->present[c] || asked == QUORUM_NEVER)
			continue;
		t = tally_count(b, p, asked > least ? asked : least, scratch);
		if (t.sum + b->objected >= (int64_t)t.required)
			*lifted = true;
		if (best.required == QUORUM_NEVER || tally_better(&t, &best))
			best = t;
	}
	return best;
}

/* Fill in the answer from the folded words. */
static void decide_ballot(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct ballot *b,
	struct contribution *scratch)
{
	uint32_t threshold = registry_config(registry)->threshold;
	bool lifted;
	struct tally t = tally_best(b, policy,
		asks_kind(policy, registry, out->indicator.kind), scratch, &lifted);

	out->sum = t.sum;
	out->required = t.required;
	out->reporters = b->reporters;
	out->objectors = b->objectors;
	if (t.until != 0) {
		out->block = true;
		out->why = WHY_QUORUM;
		out->until = t.until;
		out->recheck = t.until;
	} else if (b->reporters == 0) {
		out->why = WHY_NOT_LISTED;
		out->sum = 0;
		out->required = threshold;
		return;
	} else if (lifted) {
		out->why = WHY_OBJECTED;
	} else if (b->reported - b->objected >= (int64_t)threshold) {
		out->why = WHY_POLICY;
	} else {
		out->why = WHY_BELOW_QUORUM;
	}
	/* An objection that ends may prolong a block or bring one about. */
	if (lifted && b->first_objection != 0 &&
		(out->recheck == 0 || b->first_objection < out->recheck))
		out->recheck = b->first_objection;
}

/*
 * Copies the words about i, into inline_words when they fit. NULL when memory
 * is short; the caller frees what is not inline_words.
 */
static struct report *read_words(const struct registry *r, const struct indicator *i,
	uint32_t now, struct report *inline_words, size_t *n)
{
	struct report *words;

	*n = registry_words(r, i, now, inline_words, WORDS_INLINE);
	if (*n <= WORDS_INLINE)
		return inline_words;
	words = reallocarray(NULL, *n, sizeof(*words));
	if (words != NULL)
		registry_words(r, i, now, words, *n);
	return words;
}

/* Count what the ledger says about out->indicator. */
static void decide_words(struct decision *out, const struct policy *policy,
	const struct registry *registry, uint32_t now)
{
	struct report inline_words[WORDS_INLINE];
	const struct report *strongest = NULL;
	struct contribution *scratch = NULL;
	struct ballot b = {0};
	struct report *words;
	size_t n;

	words = read_words(registry, &out->indicator, now, inline_words, &n);
	if (n == 0) {
		out->why = WHY_NOT_LISTED;
		out->required = registry_config(registry)->threshold;
		return;
	}
	b.voters = reallocarray(NULL, n, sizeof(*b.voters));
	scratch = reallocarray(NULL, n, sizeof(*scratch));
	if (words == NULL || b.voters == NULL || scratch == NULL) {
		/* Nothing is blocked on half a count; ask again in a second. */
		log_error("no memory to count %zu reports about one indicator", n);
		out->why = WHY_BELOW_QUORUM;
		out->recheck = now + 1;
		goto done;
	}
	ballot_fold(&b, registry, policy, words, n, &strongest);
	if (strongest != NULL) {
		out->category = strongest->category;
		out->proof = strongest->proof;
	}
	decide_ballot(out, policy, registry, &b, scratch);
done:
	free(scratch);
	free(b.voters);
	if (words != inline_words)
		free(words);
}

/* Whether the protected table or the allowlist has something of i. */
static bool is_exempt(struct decision *out, const struct registry *registry,
	const struct allowlist *allow, const struct indicator *i, uint32_t now)
{
	const struct indicator *range = NULL;
	const struct allow_entry *entry;

	if (registry != NULL)
		range = registry_protected_overlap(registry, i);
	if (range != NULL) {
		out->why = WHY_PROTECTED;
		out->conflict = *range;
		return true;
	}
	entry = allowlist_overlap(allow, i, now);
	if (entry == NULL)
		return false;
	out->why = WHY_ALLOWED;
	out->conflict = entry->indicator;
	out->origin = entry->origin;
	out->recheck = entry->expiry;
	return true;
}

/* The same of a URI's domain or number, which the site may own; policy NULL: not asked. */
static bool is_part_exempt(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct uri_parts *parts, enum uri_part part, uint32_t now)
{
	const struct indicator *i = &parts->part[part];

	if (!i->kind)
		return false;
	if (is_exempt(out, registry, allow, i, now))
		return true;
	if (!policy ||
		!(part == URI_DOMAIN ? home_owns_domain(&policy->home, parts->host) :
				       home_owns_number(&policy->home, i)))
		return false;
	out->why = WHY_OWN;
	out->conflict = *i;
	return true;
}

/* decide_spared(), into a decision that has its indicator. */
static bool is_spared(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct uri_parts *parts, enum uri_part banned, uint32_t now)
{
	if (parts->part[URI_ITSELF].kind &&
		is_exempt(out, registry, allow, &parts->part[URI_ITSELF], now))
		return true;
	for (enum uri_part k = URI_DOMAIN; k < URI_PARTS; k++)
		if ((banned == URI_ITSELF || banned == k) &&
			is_part_exempt(out, policy, registry, allow, parts, k, now))
			return true;
	return false;
}

bool decide_spared(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct uri_parts *parts, enum uri_part banned, uint32_t now)
{
	*out = (struct decision){.indicator = parts->part[banned]};
	return is_spared(out, policy, registry, allow, parts, banned, now);
}

/* Whether anything but the ledger's words stands against a block of out->indicator. */
static bool decide_exempt(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow, const char *text,
	uint32_t now)
{
	struct uri_parts parts;

	if (out->indicator.kind != INDICATOR_URI)
		return is_exempt(out, registry, allow, &out->indicator, now);
	uri_parts(&parts, &out->indicator, text);
	return is_spared(out, policy, registry, allow, &parts, URI_ITSELF, now);
}

enum why decide_home(const struct policy *policy, const struct indicator *i)
{
	if (home_owns_number(&policy->home, i) || home_owns_hash(&policy->home, i))
		return WHY_OWN;
	return home_withholds(&policy->home, i) ? WHY_DOMESTIC : (enum why)0;
}

void decide_learnt(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct indicator *i, uint32_t now)
{
	decide_learnt_text(out, policy, registry, allow, i, NULL, now);
}

void decide_learnt_text(struct decision *out, const struct policy *policy,
	const struct registry *registry, const struct allowlist *allow,
	const struct indicator *i, const char *text, uint32_t now)
{
	enum why home;

	*out = (struct decision){.indicator = *i};
	if (decide_exempt(out, policy, registry, allow, text, now))
		return;
	decide_words(out, policy, registry, now);
	home = out->why == WHY_NOT_LISTED ? (enum why)0 : decide_home(policy, i);
	if (!home)
		return;
	out->block = false;
	out->why = home;
	out->until = out->recheck = 0;
}

void decide_own_text(struct decision *out, const struct registry *registry,
	const struct allowlist *allow, const struct indicator *i, const char *text,
	enum why why, uint32_t until, uint32_t now)
{
	*out = (struct decision){.indicator = *i};
	if (decide_exempt(out, NULL, registry, allow, text, now))
		return;
	out->block = true;
	out->why = why;
	out->until = until;
	out->recheck = until;
}

void decide_own(struct decision *out, const struct registry *registry,
	const struct allowlist *allow, const struct indicator *i, enum why why,
	uint32_t until, uint32_t now)
{
	decide_own_text(out, registry, allow, i, NULL, why, until, now);
}
