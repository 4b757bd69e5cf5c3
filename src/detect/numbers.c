/* SPDX-License-Identifier: Apache-2.0 */
/* Who called what becomes what attackers call: calls are judged, what counts is kept. */
#include "detect/numbers.h"

#include <stdlib.h>

#include "detect/attempt.h"
#include "detect/number_caller.h"
#include "detect/number_uri.h"

#define CLUSTERS_MAX 8 /* numbers of one source that are found by their tails */
#define JUDGE_EVERY  USEC_PER_SEC

struct numbers {
	struct numbers_config config;
	struct callers *callers;
	struct targets *targets;
	number_judged_fn *watch;
	void *watch_context;
	uint64_t fates[FATE_COUNT], told, flooded;
};

void numbers_config_default(struct numbers_config *c)
{
	memset(c, 0, sizeof *c);
	dial_plan_init(&c->plan);
	c->calls = (struct detect_rule){2, 86400};
	c->prefix = (struct detect_rule){5, 86400};
	c->again = 3 * 86400;
	c->min_e164 = 5;
	c->bytes_max = 4U << 20;
}

const struct dial_plan *numbers_plan(const struct numbers *n)
{
	return &n->config.plan;
}

struct numbers *numbers_new(const struct numbers_config *config, struct hash_key key)
{
	struct numbers *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->config = *config;
	n->callers = callers_new(config->bytes_max, key);
	n->targets = targets_new(&n->config, key);
	if (n->callers && n->targets)
		return n;
	numbers_free(n);
	return NULL;
}

void numbers_free(struct numbers *n)
{
	if (!n)
		return;
	targets_free(n->targets);
	callers_free(n->callers);
	free(n);
}

void numbers_watch(struct numbers *n, number_judged_fn *fn, void *context)
{
	n->watch = fn;
	n->watch_context = context;
}

void numbers_configure(struct numbers *n, const struct numbers_config *config)
{
	/* A reload that changes nothing here tells nothing anew. */
	if (!memcmp(&n->config, config, sizeof *config))
		return;
	n->config = *config;
	targets_clear(n->targets);
	callers_limit(n->callers, config->bytes_max);
	memset(n->fates, 0, sizeof n->fates);
	for (unsigned list = 0; list < CALLERS_LISTS; list++)
		for (struct caller *s = callers_first(n->callers, list); s; s = s->newer) {
			for (struct call *k = s->first; k; k = k->next) {
				k->read = false;
				k->fate = FATE_NEW;
				k->counted.kind = 0;
			}
			if (list == CALLERS_ATTACKERS)
				callers_soil(n->callers, s, true);
		}
}

/* --- what comes in */

static void note_success(struct caller *s, const struct observation *o)
{
	uint32_t account = text_hash(o->account);
	unsigned at = 0;

	for (unsigned k = 0; k < SUCCESSES_OF; k++) {
		if (s->success[k].time && s->success[k].account == account) {
			at = k;
			break;
		}
		if (s->success[k].time < s->success[at].time)
			at = k;
	}
	s->success[at].account = account;
	s->success[at].time = o->time;
}

static bool is_proof(uint8_t proof)
{
	return proof_rank(proof) >= PROOF_RANK_PROVED;
}

/*
 * Whether he was at the honeypot himself. The tag of a call that was taken does not show
 * it: FreeSWITCH acknowledges an answer to a call that it never made (honeypot.h).
 */
static bool is_baited(const struct observation *o)
{
	return proof_rank(o->proof) >= PROOF_RANK_STRONG;
}

/* At the honeypot everybody is an attacker who is there at all. */
static void note_baited(struct caller *s, const struct observation *o)
{
	if (o->time > s->baited)
		s->baited = o->time;
	if (proof_rank(o->proof) > proof_rank(s->proof))
		s->proof = o->proof;
	if (!s->category)
		s->category = CATEGORY_FRAUD;
}

/* A new address of a /64 that was convicted as one. */
static void note_network(struct numbers *n, struct caller *s)
{
	struct address net = s->address;
	const struct caller *of;

	if (net.family != 6 || s->convicted)
		return;
	memset(net.bytes + 8, 0, 8);
	of = callers_find(n->callers, &net);
	if (!of || !of->network)
		return;
	s->convicted = of->convicted;
	s->category = of->category;
	s->account = of->account;
	s->proof = of->proof;
	callers_move(n->callers, s, CALLERS_ATTACKERS);
}

void numbers_note(struct numbers *n, const struct observation *o)
{
	bool bait = o->sensor == SENSOR_HONEYPOT, success = o->kind == OBSERVED_AUTH_OK;
	struct caller *s;

	/* What is neither a call nor says whose calls they are is none of this. */
	if (!o->source.family ||
		(!o->dialled[0] && !(success && !bait) && !(bait && is_proof(o->proof))))
		return;
	s = callers_put(n->callers, &o->source, o->time);
	if (!s)
		return;
	note_network(n, s);
	if (is_proof(o->proof))
		callers_move(n->callers, s,
			bait && is_baited(o) ? CALLERS_ATTACKERS : CALLERS_PROVED);
	if (bait && is_baited(o))
		note_baited(s, o);
	/* A honeypot takes any password. */
	if (success && !bait)
		note_success(s, o);
	if (o->dialled[0])
		callers_call(n->callers, s, o);
	else if (bait)
		callers_prove(s, o);
	if (s->convicted || s->baited)
		callers_soil(n->callers, s, false);
}

static void convict(struct numbers *n, struct caller *s, const struct detection *d)
{
	s->convicted = d->time;
	s->category = d->category == CATEGORY_STOLEN ? CATEGORY_STOLEN : CATEGORY_FRAUD;
	s->account = text_hash(d->account);
	if (proof_rank(d->proof) > proof_rank(s->proof))
		s->proof = d->proof;
	callers_move(n->callers, s, CALLERS_ATTACKERS);
	callers_soil(n->callers, s, true);
}

void numbers_convict(struct numbers *n, const struct detection *d)
{
	unsigned whole = d->source.family == 4 ? 32 : 128;
	unsigned bits = d->plen ? d->plen : whole;
	struct caller *s = callers_put(n->callers, &d->source, d->time), *next;

	/* It stands for those of its addresses, too, that are still to come. */
	if (s && bits < whole)
		s->network = true;
	for (s = callers_within(n->callers, NULL, &d->source, bits); s; s = next) {
		/* Before it moves to another list. */
		next = callers_within(n->callers, s, &d->source, bits);
		if (s->convicted != d->time || s->list != CALLERS_ATTACKERS)
			convict(n, s, d);
	}
}

/* --- judging */

static bool is_within(const struct numbers *n, usec a, usec b)
{
	return a && apart(a, b) <= (usec)n->config.calls.window * USEC_PER_SEC;
}

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
static uint8_t whose(const struct numbers *n, const struct caller *s,
	const struct call *k, bool *mine)
{
	bool convicted = is_within(n, s->convicted, k->time);
	bool about = k->account && k->account == s->account;

	*mine = convicted || (k->way == CALL_BAIT && is_within(n, s->baited, k->time));
	if (k->way == CALL_NOTHING)
		return FATE_BUSY;
	if (k->way == CALL_PAID && (s->category != CATEGORY_STOLEN || !about))
		return FATE_CUSTOMER;
	if (k->way == CALL_REFUSED && is_account_of(s, k->account) && !about)
		return FATE_CUSTOMER;
	if (!is_proof(k->proof))
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

static bool is_domestic(const struct numbers *n, const struct dialled_reading *r)
{
	size_t country = strlen(n->config.plan.country);

	return r->domestic || r->reading == READ_DOMESTIC ||
		(country && !strncmp(r->digits, n->config.plan.country, country));
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
	if (is_domestic(n, r))
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
	bool counts = fate_counts(fate);
	struct number_judged j = {.source = &s->address, .dialled = k->dialled, .fate = fate};

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
static size_t collect(
	const char *strings[CALLS_MAX], struct call *const *mine, size_t n)
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

static void judge(struct numbers *n, struct caller *s)
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
		found = dialled_cluster(clusters, CLUSTERS_MAX, &n->config.plan, strings,
			different);
	for (size_t at = 0; at < count; at++) {
		uint8_t fate = decide(n, mine[at], clusters, found, &r, &i);

		settle(n, s, mine[at], fate, &r, &i, "");
	}
}

/* Where it is counted what a source has put on the list: an IPv6 host has its /64. */
static struct caller *teller(struct numbers *n, const struct address *source, usec now)
{
	struct address net = *source;
	struct caller *s;

	if (net.family != 6)
		return callers_find(n->callers, source);
	memset(net.bytes + 8, 0, 8);
	s = callers_put(n->callers, &net, now);
	if (s)
		callers_move(n->callers, s, CALLERS_PROVED);
	return s;
}

/* Whether one of those who called has not put too much on the list; all are counted. */
static bool may_tell(struct numbers *n, const struct number_detection *d)
{
	bool may = false;

	for (unsigned k = 0; k < d->n_from; k++) {
		struct caller *s = teller(n, &d->from[k], d->time);

		if (!s)
			continue;
		if (!is_within(n, s->told_since, d->time)) {
			s->told_since = d->time;
			s->told = 0;
		}
		may |= s->told < NUMBER_TOLD_MAX;
		s->told += s->told < UINT32_MAX;
	}
	return may;
}

bool numbers_due(struct numbers *n, usec now, struct number_detection *out)
{
	struct caller *s;

	for (;;) {
		if (targets_due(n->targets, out)) {
			if (may_tell(n, out)) {
				n->told++;
				return true;
			}
			n->flooded++;
			targets_untold(n->targets, &out->indicator);
			continue;
		}
		s = callers_take_dirty(
			n->callers, now > JUDGE_EVERY ? now - JUDGE_EVERY : 0);
		if (!s)
			return false;
		s->judged = now;
		judge(n, s);
	}
}

void numbers_refuse(struct numbers *n, const struct indicator *i)
{
	targets_refuse(n->targets, i);
}

void numbers_forgive(struct numbers *n, const struct indicator *i)
{
	targets_forgive(n->targets, i);
}

void numbers_figures(const struct numbers *n, struct numbers_figures *out)
{
	*out = (struct numbers_figures){.callers = callers_count(n->callers),
		.calls = callers_calls(n->callers),
		.targets = targets_count(n->targets),
		.memory = sizeof *n + callers_memory(n->callers) +
			targets_memory(n->targets),
		.told = n->told,
		.flooded = n->flooded};
	memcpy(out->fates, n->fates, sizeof out->fates);
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
		[FATE_NO_DOMAINS] = "this site's own domains are not known ([numbers] domains)",
	};

	return fate < FATE_COUNT && texts[fate] ? texts[fate] : "";
}
