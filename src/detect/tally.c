/* SPDX-License-Identifier: Apache-2.0 */
/* Counting by one rule that weighs alone. */
#include "detect/weigh.h"

/* Different things among those counted, as far as it matters. */
struct distinct {
	uint32_t list[THRESHOLD_MAX];
	unsigned n;
};

static void distinct_add(struct distinct *d, uint32_t value)
{
	if (!value)
		return;
	for (unsigned i = 0; i < d->n; i++)
		if (d->list[i] == value)
			return;
	if (d->n < THRESHOLD_MAX)
		d->list[d->n++] = value;
}

/*
 * Whether so many wrong passwords for an account came before it was let in. It
 * is asked of what the account did then: none of it is told by one attempt. Nor
 * do failures that are less sure than what is asked for make a thief of whoever
 * succeeds from there: they may be forged.
 */
static bool let_in_after(const struct source *s, uint32_t account, uint32_t failures,
	struct weigh_what what)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		if (e->account != account || !weigh_takes(e, what))
			continue;
		if (e->kind == OBSERVED_AUTH_FAILED)
			failed++;
		else if (e->kind == OBSERVED_AUTH_OK && failed >= failures)
			return true;
	}
	return false;
}

/* Kinds that are no attempts: they are counted, whatever became of them. */
static bool is_event(uint8_t kind)
{
	return kind == OBSERVED_AUTH_OK || kind == OBSERVED_CALL;
}

static bool rule_takes(const struct rule *r, unsigned at, const struct attempt *e,
	struct weigh_what what, usec now)
{
	if (!(r->kinds & UINT32_C(1) << e->kind) ||
		apart(e->time, now) >= (usec)r->threshold.window * USEC_PER_SEC)
		return false;
	if (!is_event(e->kind) && !r->failures && e->state != ATTEMPT_LIVE &&
		!(what.spent && e->state == ATTEMPT_SPENT))
		return false;
	if (e->kind == OBSERVED_SCAN && !what.unripe && apart(e->time, now) < SCAN_GRACE)
		return false;
	if ((r->methods && !(r->methods & UINT32_C(1) << e->method)) ||
		(r->sensors && !(r->sensors & e->sensors)) ||
		(e->signs & r->signs) != r->signs)
		return false;
	if ((r->digits || r->dialled[0][0]) && !(e->fits & UINT32_C(1) << at))
		return false;
	return weigh_takes(e, what);
}

uint32_t tally_count(const struct rule *r, const struct weight *w)
{
	switch (r->distinct) {
	case RULE_SOURCES:
		return w->sources;
	case RULE_ACCOUNTS:
		return w->accounts;
	case RULE_DIALLED:
		return w->numbers;
	default:
		return w->attempts;
	}
}

uint32_t tally_need(const struct rule *r, uint32_t factor)
{
	uint64_t need = (uint64_t)r->threshold.threshold * (factor ? factor : 1);

	return need < THRESHOLD_MAX ? (uint32_t)need : THRESHOLD_MAX;
}

struct weight tally(const struct source *s, const struct rule *r, unsigned at,
	uint32_t factor, struct weigh_what what, usec now)
{
	struct weight w = {.oldest = now};
	uint32_t need = tally_need(r, factor);
	struct distinct sources, accounts, numbers;

	if (!need)
		return w;
	/* Not all of them: they are large. */
	sources.n = accounts.n = numbers.n = 0;
	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		if (!rule_takes(r, at, e, what, now) ||
			(r->failures && !let_in_after(s, e->account, r->failures, what)))
			continue;
		w.attempts++;
		distinct_add(&sources, e->address);
		distinct_add(&accounts, e->account);
		distinct_add(&numbers, e->dialled);
		if (e->time < w.oldest)
			w.oldest = e->time;
		if (!w.kind || kind_harm(e->kind) > kind_harm(w.kind))
			w.kind = e->kind;
		if (proof_rank(e->proof) > proof_rank(w.proof))
			w.proof = e->proof;
	}
	w.sources = sources.n;
	w.accounts = accounts.n;
	w.numbers = numbers.n;
	w.sum = WEIGHT_ONE * tally_count(r, &w) / need;
	if (w.sources < r->sources)
		w.sum = 0;
	return w;
}
