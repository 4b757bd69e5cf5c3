/* SPDX-License-Identifier: Apache-2.0 */
/* How sure a detection is: what of it is proved, plausible, or for the others to know. */
#include "detect/grade.h"

#define WIRE (1 << SENSOR_HEP | 1 << SENSOR_HONEYPOT)
/* Sensors that tell the User-Agent. */
#define AGENTS (WIRE | 1 << SENSOR_KAMAILIO)

struct weight grade_measure(const struct detector *d, const struct source *s,
	const struct rule *rule, unsigned at, struct weigh_what what, usec now)
{
	if (!rule)
		return weigh(s, &d->config, what, now);
	return tally(s, rule, at, rule_factor(d, s, rule, now), what, now);
}

/* The attempts that a rule asks for to ban an unproved source; false: none do. */
static bool plausible_by(struct weigh_what *what, const struct rule *rule,
	const struct source *s, usec now)
{
	if (rule->unproved == RULE_UNPROVED_NEVER || !(s->sensors & WIRE) ||
		source_registered(s, now) ||
		(rule->unproved != RULE_UNPROVED_ALWAYS && source_forged(s, now)))
		return false;
	what->wire = true;
	if (rule->unproved == RULE_UNPROVED_TOOK_PART)
		what->signs = SIGN_TOOK_PART;
	return true;
}

/* Whether is_private() looks at an attempt. */
static bool is_weighed(const struct attempt *e, const struct rule *rule,
	struct weigh_what what, usec now)
{
	return kind_harm(e->kind) && e->state != ATTEMPT_ANSWERED &&
		weigh_takes(e, what) &&
		apart(e->time, now) < (usec)rule->threshold.window * USEC_PER_SEC;
}

/* A wrong password by what is a phone, as far as the sensors could see. */
static bool may_be_phone(const struct attempt *e)
{
	return e->kind == OBSERVED_AUTH_FAILED && !(e->signs & SIGN_TOOL) &&
		(e->phone || !(e->sensors & AGENTS));
}

/* Whether no address tried two accounts; of a source there is only the one. */
static bool one_account_each(
	const struct rule *rule, const struct source *s, struct weigh_what what, usec now)
{
	const struct attempt *list = s->attempts.list;

	for (unsigned i = 0; i < s->attempts.n; i++)
		for (unsigned k = 0; k < i; k++)
			if (list[i].account != list[k].account &&
				list[i].address == list[k].address &&
				is_weighed(&list[i], rule, what, now) &&
				is_weighed(&list[k], rule, what, now))
				return false;
	return true;
}

/*
 * Whether it may be a customer of somebody's: a phone with an old password
 * (one account, wrong passwords, an agent that the rule takes for a phone or
 * that no sensor could tell), or a monitor (methods that the rule keeps to
 * itself). Such is nobody else's business, and a tool's guesses look otherwise.
 * By what is proved: the rest may be another's. A network of such is an office
 * whose passwords were all changed.
 */
static bool is_private(
	const struct rule *rule, const struct source *s, struct weigh_what what, usec now)
{
	bool phone = rule->phones[0], method = rule->private_methods;
	unsigned n = 0;

	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		if (!is_weighed(e, rule, what, now))
			continue;
		phone = phone && may_be_phone(e);
		method = method && rule->private_methods & UINT32_C(1) << e->method;
		n++;
	}
	return n && (method || (phone && one_account_each(rule, s, what, now)));
}

/*
 * What is proved of v: first by strong proofs alone, since those may be
 * published; then by all; then by a log's word.
 */
static bool grade_proved(struct verdict *v, struct weight *w, const struct detector *d,
	const struct source *s, const struct rule *rule, struct weigh_what what, usec now)
{
	static const unsigned ranks[] = {
		PROOF_RANK_STRONG, PROOF_RANK_PROVED, PROOF_RANK_LOG};

	for (unsigned i = 0; i < 3; i++) {
		if (s->rank < ranks[i])
			continue;
		what.rank = ranks[i];
		*w = grade_measure(d, s, rule, v->at, what, now);
		if (w->sum < WEIGHT_ONE)
			continue;
		v->proof = ranks[i] == PROOF_RANK_STRONG ? w->proof :
			ranks[i] == PROOF_RANK_PROVED    ? PROOF_ACK :
							   PROOF_LOG;
		v->grade = ranks[i] >= PROOF_RANK_PROVED ? GRADE_PROVED : GRADE_PLAUSIBLE;
		v->publish = v->rule->publish && !is_private(v->rule, s, what, now);
		if (ranks[i] == PROOF_RANK_STRONG && v->publish)
			v->grade = GRADE_SHARED;
		return true;
	}
	return false;
}

void grade_verdict(struct verdict *v, const struct detector *d, const struct source *s,
	const struct rule *rule, bool running, usec now, bool *ripen)
{
	struct weigh_what what = {.spent = running};
	struct weight w;

	v->proof = PROOF_NONE;
	v->grade = GRADE_NOTHING;
	if (!grade_proved(v, &w, d, s, rule, what, now)) {
		if (!plausible_by(&what, v->rule, s, now))
			return;
		w = grade_measure(d, s, rule, v->at, what, now);
		if (w.sum < WEIGHT_ONE && s->kinds & 1U << OBSERVED_SCAN) {
			what.unripe = true;
			*ripen |= grade_measure(d, s, rule, v->at, what, now).sum >=
				WEIGHT_ONE;
		}
		if (w.sum < WEIGHT_ONE)
			return;
		v->plausible = true;
		v->grade = GRADE_PLAUSIBLE;
	}
	/* A second word about one offence is about what made it surer. */
	if (running)
		v->w = w;
}

uint8_t grade_best(const struct source *s)
{
	if (s->rank >= PROOF_RANK_STRONG)
		return GRADE_SHARED;
	if (s->rank >= PROOF_RANK_PROVED)
		return GRADE_PROVED;
	return s->rank || s->sensors & WIRE ? GRADE_PLAUSIBLE : GRADE_NOTHING;
}
