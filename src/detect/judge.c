/* SPDX-License-Identifier: Apache-2.0 */
/* From weights to detections: which rule holds, and what follows. */
#include "detect/grade.h"

#include <stdio.h>

#define FORGED_FOR     600  /* seconds */
#define REGISTERED_FOR 3600 /* seconds: the usual life of a registration */

bool ban_running(const struct detector *d, const struct source *s, usec now)
{
	return now < s->ban_until &&
		s->ban_until - now <= (usec)d->config.ban_max * USEC_PER_SEC;
}

uint32_t ban_seconds(const struct detect_config *config, uint32_t offence)
{
	uint64_t ban = config->ban;

	for (uint32_t i = 1; i < offence && ban < config->ban_max; i++)
		ban *= 2;
	return ban < config->ban_max ? (uint32_t)ban : config->ban_max;
}

bool source_forged(const struct source *s, usec now)
{
	return s->forged && apart(s->forged, now) < FORGED_FOR * USEC_PER_SEC;
}

bool source_registered(const struct source *s, usec now)
{
	return weigh_succeeded(s, now, REGISTERED_FOR);
}

uint32_t rule_factor(const struct detector *d, const struct source *s,
	const struct rule *rule, usec now)
{
	const uint32_t events = 1U << OBSERVED_AUTH_OK | 1U << OBSERVED_CALL;

	/* What follows a success is not excused by it. */
	if (rule->failures || rule->kinds & events ||
		!weigh_succeeded(s, now, rule->threshold.window))
		return 1;
	return d->config.success_factor;
}

/*
 * Whether a rule counts of a registered phone while the one of the running ban
 * does not: that ban may have been none.
 */
static bool outranks(const struct detector *d, const struct source *s,
	const struct rule *rule, usec now)
{
	return rule->registered_too && s->offence_rule &&
		!d->rules.at[s->offence_rule - 1].registered_too &&
		weigh_succeeded(s, now, UINT32_MAX);
}

/*
 * Whether a rule holds, and how surely; *ripen tells that it will when scans
 * have waited long enough. rule NULL: those that weigh together.
 */
static bool consider(struct verdict *v, const struct detector *d, const struct source *s,
	const struct rule *rule, unsigned at, usec now, bool *ripen)
{
	bool running = ban_running(d, s, now);
	struct weigh_what what = {.spent = running};

	/* Most of what a banned source does can add nothing. */
	if (running && grade_best(s) <= s->offence_grade &&
		!(rule && (rule->while_banned || outranks(d, s, rule, now))))
		return false;
	*v = (struct verdict){.rule = rule, .at = at};
	v->w = grade_measure(d, s, rule, at, what, now);
	if (v->w.sum < WEIGHT_ONE) {
		if (!(s->kinds & 1U << OBSERVED_SCAN))
			return false;
		what.unripe = true;
		*ripen |= grade_measure(d, s, rule, at, what, now).sum >= WEIGHT_ONE;
		return false;
	}
	if (!rule) {
		v->rule = rules_together(&d->rules, v->w.kind);
		if (!v->rule)
			return false;
		v->at = (unsigned)(v->rule - d->rules.at);
	}
	grade_verdict(v, d, s, rule, running, now, ripen);
	if (!running || v->grade > s->offence_grade)
		return true;
	if (outranks(d, s, v->rule, now))
		return v->grade == s->offence_grade;
	return v->rule->while_banned && s->offence_rule != v->at + 1;
}

/* Count an offence, which is a proved one. */
static void count_offence(struct detector *d, struct source *s, usec now)
{
	if (s->offences &&
		apart(s->offence_last, now) >= (usec)d->config.forget * USEC_PER_SEC)
		s->offences = 0;
	if (s->offences < UINT32_MAX)
		s->offences++;
	s->offence_last = now;
}

/* A new detection: older ones' attempts are left behind. */
static void begin_offence(struct source *s)
{
	for (unsigned i = 0; i < s->attempts.n; i++)
		if (s->attempts.list[i].state == ATTEMPT_SPENT)
			s->attempts.list[i].state = ATTEMPT_ANSWERED;
}

void detection_reason(struct detection *out, const struct rule *rule)
{
	char source[ADDRESS_TEXT + 4];
	struct reason_facts f = {
		.source = source,
		.account = out->account,
		.dialled = out->dialled,
		.agent = out->agent,
		.proof = proof_name(out->proof),
		.attempts = out->attempts,
		.window = out->window,
		.sources = out->sources,
		.accounts = out->accounts,
		.numbers = out->numbers,
	};

	address_print(source, &out->source);
	if (out->plen == 64)
		strcat(source, "/64");
	memcpy(out->rule, rule->name, sizeof out->rule);
	rule_reason(out->reason, sizeof out->reason, rule, &f);
}

static uint32_t seconds_since(usec then, usec now)
{
	uint32_t seconds = (uint32_t)((apart(then, now) + USEC_PER_SEC - 1) /
		USEC_PER_SEC);

	return seconds ? seconds : 1;
}

void detection_rule(struct detection *out, const struct rule *rule)
{
	out->category = rule->category;
	out->unproved_ban = rule->unproved_ban;
	out->registered_too = rule->registered_too;
	if (rule->ban != RULE_BAN_USUAL)
		out->ban = rule->ban;
}

/* Fill *out, start the ban and the window anew. */
static void emit(struct detector *d, const struct court *court, struct source *s,
	struct detection *out, const struct verdict *v, usec now)
{
	bool proved = proof_rank(v->proof) >= PROOF_RANK_PROVED;
	bool running = ban_running(d, s, now);
	bool again = running && s->offence_grade >= GRADE_PROVED;
	const struct source_texts texts = source_texts(s);
	usec until;

	memset(out, 0, sizeof(*out));
	out->time = now;
	out->source = s->address;
	out->plen = court->plen ? court->plen : s->address.family == 4 ? 32 : 128;
	out->proof = v->proof;
	out->plausible = v->plausible;
	out->kind = v->w.kind;
	out->sensor = s->sensor;
	out->transport = s->transport;
	out->attempts = v->w.attempts;
	out->window = seconds_since(v->w.oldest, now);
	out->sources = v->w.sources ? v->w.sources : 1;
	out->accounts = v->w.accounts;
	out->numbers = v->w.numbers;
	if (proved && !again)
		count_offence(d, s, now);
	/* An unproved one is treated as a first, whatever its number. */
	out->offence = proved ? s->offences : 1;
	out->ban = ban_seconds(&d->config, out->offence);
	detection_rule(out, v->rule);
	out->publish = v->publish;
	strcpy(out->account, texts.account);
	strcpy(out->dialled, texts.dialled);
	strcpy(out->agent, texts.agent);
	detection_reason(out, v->rule);

	/* What is told while a ban runs may be less sure: it takes nothing from it. */
	if (!running || v->grade > s->offence_grade)
		s->offence_grade = v->grade;
	s->offence_rule = (uint8_t)(v->at + 1);
	until = now + (usec)out->ban * USEC_PER_SEC;
	if (!running || until > s->ban_until)
		s->ban_until = until;
	for (unsigned i = 0; i < s->attempts.n; i++)
		if (s->attempts.list[i].state == ATTEMPT_LIVE)
			s->attempts.list[i].state = ATTEMPT_SPENT;
	d->detections++;
}

/* Whether a network is one of people: somebody authenticates from there. */
static bool excused(const struct court *court, const struct source *s, usec now)
{
	return court->per == RULE_PER_NETWORK && source_registered(s, now);
}

bool judge(struct detector *d, const struct court *court, struct source *s, usec now,
	struct detection *out)
{
	const struct docket *docket = &d->dockets[court->per];
	struct verdict best = {.rule = NULL}, v;
	bool ripen = false;

	if (excused(court, s, now))
		return false;
	for (unsigned i = 0; i < docket->n; i++) {
		unsigned at = docket->rule[i].at;

		/* Here and not in consider(): most have nothing to do with it. */
		if (docket->rule[i].kinds & s->kinds &&
			consider(&v, d, s, &d->rules.at[at], at, now, &ripen) &&
			(!best.rule || v.grade > best.grade))
			best = v;
	}
	if (court->per == RULE_PER_SOURCE && consider(&v, d, s, NULL, 0, now, &ripen) &&
		(!best.rule || v.grade > best.grade))
		best = v;
	if (ripen)
		sources_ripen(court->sources, s, now + SCAN_GRACE);
	if (!best.rule)
		return false;
	if (!ban_running(d, s, now))
		begin_offence(s);
	emit(d, court, s, out, &best, now);
	return true;
}
