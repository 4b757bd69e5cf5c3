/* SPDX-License-Identifier: Apache-2.0 */
/* Who called what becomes what attackers call: what comes in, what is told. */
#include "detect/numbers_state.h"

#include <stdlib.h>

#include "detect/attempt.h"

#define JUDGE_EVERY USEC_PER_SEC

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
		for (struct caller *s = callers_first(n->callers, list); s;
			s = s->newer) {
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
		(!o->dialled[0] && !(success && !bait) &&
			!(bait && numbers_proof(o->proof))))
		return;
	s = callers_put(n->callers, &o->source, o->time);
	if (!s)
		return;
	note_network(n, s);
	if (numbers_proof(o->proof))
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

/* --- what is told */

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
		if (!numbers_fresh(n, s->told_since, d->time)) {
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
		numbers_judge(n, s);
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
