/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a source for `explain`: how far each rule is. */
#include "detect/state.h"

/* One rule's count, as it would be when everything has waited long enough. */
static void stand(struct detect_trace *t, const struct detector *d,
	const struct source *s, const struct rule *rule, unsigned at, usec now)
{
	struct weigh_what what = {.spent = true, .unripe = true};
	uint32_t factor = rule_factor(d, s, rule, now), n;
	struct weight w = tally(s, rule, at, factor, what, now);
	struct detect_standing *out = &t->rules[t->n_rules];

	n = tally_count(rule, &w);
	if (!n)
		return;
	*out = (struct detect_standing){
		.rule = rule->name,
		.have = n,
		.need = tally_need(rule, factor),
		.window = rule->threshold.window,
	};
	what.rank = PROOF_RANK_PROVED;
	out->proved = tally(s, rule, at, factor, what, now).sum >= WEIGHT_ONE;
	what = (struct weigh_what){.spent = true, .unripe = true, .wire = true};
	if (rule->unproved == RULE_UNPROVED_TOOK_PART)
		what.signs = SIGN_TOOK_PART;
	out->plausible = rule->unproved != RULE_UNPROVED_NEVER &&
		(rule->unproved == RULE_UNPROVED_ALWAYS || !source_forged(s, now)) &&
		!source_registered(s, now) &&
		tally(s, rule, at, factor, what, now).sum >= WEIGHT_ONE;
	t->n_rules++;
}

void trace_standing(struct detect_trace *t, const struct detector *d,
	const struct source *s, usec now)
{
	t->forged = source_forged(s, now);
	t->registered = source_registered(s, now);
	for (unsigned i = 0; i < s->attempts.n; i++)
		t->attempts += s->attempts.list[i].state != ATTEMPT_ANSWERED &&
			s->attempts.list[i].kind != OBSERVED_PROOF;
	for (unsigned i = 0; i < d->rules.n; i++)
		if (d->rules.at[i].enabled && d->rules.at[i].per == RULE_PER_SOURCE)
			stand(t, d, s, &d->rules.at[i], i, now);
}
