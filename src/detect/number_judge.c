/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an attacker's calls: whose they are, what was meant, what counts. */
#include "detect/numbers_state.h"

#include "detect/number_uri.h"

#define CLUSTERS_MAX 8 /* numbers of one source that are found by their tails */

/* Whether the account authenticates from there. */
static bool is_account_of(const struct caller *s, uint32_t account)
{
	for (unsigned k = 0; account && k < SUCCESSES_OF; k++)
		if (s->success[k].time && s->success[k].account == account)
			return true;
	return false;
}

/*
 * Whether a call of an attacker is his, and nothing speaks for it: FATE_NEW, or
 * why it does not count. *mine: he is an attacker by what makes this call count.
 */
static uint8_t whose(
	const struct numbers *n, const struct caller *s, const struct call *k, bool *mine)
{
	bool convicted = numbers_fresh(n, s->convicted, k->time);
	bool about = k->account && k->account == s->account;

	*mine = convicted ||
		(k->way == CALL_BAIT && numbers_fresh(n, s->baited, k->time));
	if (k->way == CALL_NOTHING)
		return FATE_BUSY;
	if (k->way == CALL_PAID && (s->category != CATEGORY_STOLEN || !about))
		return FATE_CUSTOMER;
	if (k->way == CALL_REFUSED && is_account_of(s, k->account) && !about)
		return FATE_CUSTOMER;
	if (!numbers_proof(k->proof))
		return FATE_UNPROVED;
	return FATE_NEW;
}

static uint8_t fate_of_reading(const struct dialled_reading *r)
{
	switch (r->reading) {
	case READ_RULE:
		return FATE_RULE;
	case READ_CLUSTER:
		return FATE_CLUSTER;
	case READ_AMBIGUOUS:
		return FATE_AMBIGUOUS;
	case READ_SHORT:
		return FATE_SHORT;
	case READ_OWN:
		return FATE_OWN;
	case READ_DOMESTIC:
		return FATE_DOMESTIC;
	case READ_EXTENSION:
	case READ_FEATURE:
		return FATE_EXTENSION;
	default:
		return FATE_INVALID;
	}
}

static bool is_domestic(const struct dialled_reading *r)
{
	return r->domestic || r->reading == READ_DOMESTIC;
}

/* What is never told of, whatever the reading is worth. */
static uint8_t never(const struct numbers *n, const struct call *k,
	const struct dialled_reading *r, uint8_t fate)
{
	if (dial_plan_owns(&n->config.plan, view_str(r->digits)))
		return FATE_OWN;
	if (r->types & E164_TOLL_FREE)
		return FATE_TOLL_FREE;
	/* A stolen account pays for calls abroad alone. */
	if (is_domestic(r))
		return n->config.domestic && k->way != CALL_PAID ? FATE_RULE :
								   FATE_DOMESTIC;
	return fate;
}

/* What one call counts for, in *r and *i, by itself and what others share with it. */
static uint8_t decide(const struct numbers *n, const struct call *k,
	const struct dialled_reading *clusters, size_t found, struct dialled_reading *r,
	struct indicator *i)
{
	uint8_t fate = fate_of_reading(&k->reading);

	*r = k->reading;
	if (fate != FATE_RULE && fate != FATE_AMBIGUOUS && fate != FATE_INVALID &&
		!(fate == FATE_DOMESTIC && n->config.domestic))
		return fate;
	for (size_t c = 0; c < found; c++)
		if (dialled_ends_in(k->dialled, &clusters[c])) {
			/* Both agree: the reading is as good as it was. */
			if (fate == FATE_RULE && !strcmp(r->digits, clusters[c].digits))
				break;
			*r = clusters[c];
			fate = FATE_CLUSTER;
			break;
		}
	if (fate != FATE_RULE && fate != FATE_CLUSTER && fate != FATE_DOMESTIC)
		return fate;
	fate = never(n, k, r, fate);
	if (fate_counts(fate) && r->reading == READ_CLUSTER)
		fate = FATE_CLUSTER;
	if (fate_counts(fate) && indicator_from_digits(i, view_str(r->digits)))
		return FATE_INVALID;
	return fate;
}

/* The call's fate and what it counts for become these. */
static void settle(struct numbers *n, const struct caller *s, struct call *k,
	uint8_t fate, const struct dialled_reading *r, const struct indicator *i,
	const char *uri)
{
	bool counts = i && fate_counts(fate);
	struct number_judged j = {
		.source = &s->address, .dialled = k->dialled, .fate = fate};

	if (fate == k->fate && (!counts || !memcmp(&k->counted, i, sizeof *i)))
		return;
	if (k->fate)
		n->fates[k->fate]--;
	n->fates[fate]++;
	if (k->counted.kind)
		targets_remove(n->targets, &k->counted, k->id);
	k->fate = fate;
	k->counted.kind = 0;
	if (counts) {
		const struct target_call call = {.time = k->time,
			.id = k->id,
			.source = s->address,
			.proof = fate == FATE_CLUSTER ? PROOF_CLUSTER : PROOF_RULE,
			.source_proof = s->proof,
			.category = s->category,
			.dialled = k->dialled};

		k->counted = j.indicator = *i;
		targets_add(n->targets, i, uri, &call);
	}
	j.reading = *r;
	if (n->watch)
		n->watch(n->watch_context, &j);
}

static void judge_uri(struct numbers *n, const struct caller *s, struct call *k)
{
	char uri[INDICATOR_SOURCE_TEXT + 1] = "";
	struct indicator i = {.kind = 0};
	uint8_t fate = number_uri(&n->config, k->dialled, uri);

	if (fate == FATE_URI)
		i = indicator_from_canonical(INDICATOR_URI, view_str(uri));
	settle(n, s, k, fate, &k->reading, &i, uri);
}

/* The strings that count: different ones, for the tails that they share. */
static size_t collect(const char *strings[CALLS_MAX], struct call *const *mine, size_t n)
{
	size_t count = 0;

	for (size_t at = 0; at < n; at++) {
		bool again = false;

		for (size_t k = 0; k < count && !again; k++)
			again = !strcmp(strings[k], mine[at]->dialled);
		if (!again)
			strings[count++] = mine[at]->dialled;
	}
	return count;
}

void numbers_judge(struct numbers *n, struct caller *s)
{
	struct dialled_reading clusters[CLUSTERS_MAX], r;
	const char *strings[CALLS_MAX];
	struct call *mine[CALLS_MAX];
	size_t count = 0, found = 0, different;
	struct indicator i;

	for (struct call *k = s->first; k; k = k->next) {
		bool his;
		uint8_t fate = whose(n, s, k, &his);

		if (!his)
			continue;
		if (!k->read)
			dialled_read(&k->reading, &n->config.plan, k->dialled);
		k->read = true;
		if (fate != FATE_NEW)
			settle(n, s, k, fate, &k->reading, NULL, "");
		else if (k->way == CALL_BAIT && number_is_uri(k->dialled))
			judge_uri(n, s, k);
		else
			mine[count++] = k;
	}
	different = collect(strings, mine, count);
	if (different >= DIALLED_CLUSTER_LEAST)
		found = dialled_cluster(
			clusters, CLUSTERS_MAX, &n->config.plan, strings, different);
	for (size_t at = 0; at < count; at++) {
		uint8_t fate = decide(n, mine[at], clusters, found, &r, &i);

		settle(n, s, mine[at], fate, &r, &i, "");
	}
}

const char *number_fate_name(uint8_t fate)
{
	static const char *const names[FATE_COUNT] = {"new", "rule", "cluster", "uri",
		"unproved", "customer", "busy", "ambiguous", "short", "own", "domestic",
		"toll-free", "extension", "invalid", "no-domains"};

	return fate < FATE_COUNT ? names[fate] : "?";
}

const char *number_fate_text(uint8_t fate)
{
	static const char *const texts[FATE_COUNT] = {
		[FATE_UNPROVED] = "nothing proves that this call is the source's",
		[FATE_CUSTOMER] = "an account that authenticates there called",
		[FATE_BUSY] = "it met a busy line, or nobody",
		[FATE_AMBIGUOUS] = "more than one number could be meant",
		[FATE_SHORT] = "an emergency or short code",
		[FATE_OWN] = "this site's own",
		[FATE_DOMESTIC] = "a number of this site's country ([numbers] domestic)",
		[FATE_TOLL_FREE] = "toll-free: it costs the caller nothing",
		[FATE_EXTENSION] = "an extension or a feature code",
		[FATE_INVALID] = "no telephone number",
		[FATE_NO_DOMAINS] =
			"this site's own domains are not known ([numbers] domains)",
	};

	return fate < FATE_COUNT && texts[fate] ? texts[fate] : "";
}
