/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes: many numbers of one range that attackers call. */
#include "detect/number_target_state.h"

#include "indicator/number.h"

static unsigned digits_in_common(uint64_t a, uint64_t b)
{
	return a == b ? NUMBER_DIGITS : (unsigned)__builtin_clzll(a ^ b) / 4;
}

/* Fewest digits of a prefix of this number; NUMBER_DIGITS when it may have none. */
static unsigned shortest(const struct targets *t, const struct target *x)
{
	char digits[NUMBER_DIGITS + 1];
	int n = number_digits(digits, &x->indicator);
	unsigned country = n > 0 ? e164_country(view_of(digits, (size_t)n)) : 0;
	unsigned least = country + 2;

	if (!country)
		return NUMBER_DIGITS;
	return least > t->config->min_e164 ? least : t->config->min_e164;
}

/* The numbers that begin with so many digits of x's. */
static void range_of(const struct targets *t, const struct target *x, unsigned digits,
	size_t *from, size_t *to)
{
	uint64_t rest = ~UINT64_C(0) >> 4 * digits;

	*from = targets_place(t, x->key & ~rest);
	*to = *from;
	while (*to < t->n_sorted && t->sorted[*to]->key <= (x->key | rest))
		++*to;
}

/*
 * The longest prefix of x with enough numbers that were called lately, or 0.
 * by_rule: of those that one reading gave alone.
 */
static unsigned longest(const struct targets *t, const struct target *x, bool by_rule)
{
	unsigned count[NUMBER_DIGITS + 1] = {0}, sum = 0, least = shortest(t, x);
	const struct detect_rule *rule = &t->config->prefix;
	size_t from, to;

	if (least >= NUMBER_DIGITS)
		return 0;
	range_of(t, x, least, &from, &to);
	for (size_t k = from; k < to; k++) {
		const struct target *y = t->sorted[k];
		uint32_t ruled, all = targets_hits(y, x->last, rule, &ruled);

		if (by_rule ? ruled : all)
			count[digits_in_common(x->key, y->key)]++;
	}
	for (unsigned digits = NUMBER_DIGITS; digits >= least; digits--) {
		sum += count[digits];
		if (sum >= rule->threshold)
			return digits < NUMBER_DIGITS ? digits : 0;
	}
	return 0;
}

/*
 * Whether a prefix has numbers in it that are never told: the site's own, or those of
 * its country.
 */
static bool holds_untold(const struct targets *t, struct view digits)
{
	return dial_plan_owns_within(&t->config->plan, digits) ||
		(!t->config->domestic &&
			dial_plan_domestic_within(&t->config->plan, digits));
}

/* The record of a prefix, made in the place of the one told longest ago. */
static struct prefix *prefix_of(struct targets *t, const struct indicator *i)
{
	struct prefix *oldest = &t->prefixes[0];

	for (unsigned k = 0; k < t->n_prefixes; k++) {
		if (!indicator_compare(&t->prefixes[k].indicator, i))
			return &t->prefixes[k];
		if (t->prefixes[k].told_at < oldest->told_at)
			oldest = &t->prefixes[k];
	}
	if (t->n_prefixes < PREFIXES_MAX)
		oldest = &t->prefixes[t->n_prefixes++];
	*oldest = (struct prefix){.indicator = *i};
	return oldest;
}

static void fill_prefix(struct targets *t, struct prefix *p, const struct target *x,
	unsigned digits, bool by_rule)
{
	struct number_detection *d = &p->detection;
	const struct detect_rule *rule = &t->config->prefix;
	size_t from, to;

	*d = (struct number_detection){.time = x->last,
		.indicator = p->indicator,
		.category = CATEGORY_FRAUD,
		.proof = by_rule ? PROOF_RULE : PROOF_CLUSTER,
		.window = rule->window};
	targets_gather(d, x, rule);
	range_of(t, x, digits, &from, &to);
	for (size_t k = from; k < to; k++) {
		uint32_t ruled, all = targets_hits(t->sorted[k], x->last, rule, &ruled);

		if (!(by_rule ? ruled : all))
			continue;
		d->numbers++;
		if (t->sorted[k] != x)
			targets_gather(d, t->sorted[k], rule);
	}
	memcpy(d->dialled, x->dialled, sizeof d->dialled);
	targets_reason(d);
}

bool targets_covered(const struct targets *t, const struct target *x)
{
	for (unsigned k = 0; k < t->n_prefixes; k++) {
		const struct prefix *p = &t->prefixes[k];

		if (!p->refused && indicator_contains(&p->indicator, &x->indicator) &&
			(p->due || targets_silent(t, true, p->told_at, x->last)))
			return true;
	}
	return false;
}

void targets_judge_prefix(struct targets *t, const struct target *x)
{
	char digits[NUMBER_DIGITS + 1];
	struct prefix *p, made;
	bool by_rule;
	unsigned n;
	int all;

	if (!t->config->prefix.threshold || targets_covered(t, x))
		return;
	n = longest(t, x, true);
	by_rule = n != 0;
	if (!n)
		n = longest(t, x, false);
	all = number_digits(digits, &x->indicator);
	if (!n || all < 0 || holds_untold(t, view_of(digits, n)))
		return;
	memset(&made, 0, sizeof made);
	if (number_from_prefix(&made.indicator, view_of(digits, n)))
		return;
	fill_prefix(t, &made, x, n, by_rule);
	/* Whoever is alone could have dialled five numbers to block a country's. */
	if (n + NUMBER_SPAN_OF_ONE < (unsigned)all &&
		targets_one_network(&made.detection))
		return;
	p = prefix_of(t, &made.indicator);
	if (p->refused && targets_silent(t, true, p->told_at, x->last))
		return;
	made.due = true;
	made.told_at = x->last;
	*p = made;
}

bool targets_prefix_due(struct targets *t, struct number_detection *out)
{
	for (unsigned k = 0; k < t->n_prefixes; k++) {
		if (!t->prefixes[k].due)
			continue;
		t->prefixes[k].due = false;
		*out = t->prefixes[k].detection;
		return true;
	}
	return false;
}

void targets_refuse(struct targets *t, const struct indicator *i)
{
	for (unsigned k = 0; k < t->n_prefixes; k++) {
		if (indicator_compare(&t->prefixes[k].indicator, i))
			continue;
		t->prefixes[k].refused = true;
		for (size_t at = 0; at < t->n_sorted; at++)
			if (indicator_contains(i, &t->sorted[at]->indicator))
				targets_judge(t, t->sorted[at], &t->config->calls);
		return;
	}
}

bool targets_forget_prefix(struct targets *t, const struct indicator *i)
{
	for (unsigned k = 0; k < t->n_prefixes; k++) {
		if (indicator_compare(&t->prefixes[k].indicator, i))
			continue;
		t->prefixes[k] = t->prefixes[--t->n_prefixes];
		return true;
	}
	return false;
}
