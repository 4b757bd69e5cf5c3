/* SPDX-License-Identifier: Apache-2.0 */
/* From weights to detections: which rule holds, how sure it is, what follows. */
#include "detect/state.h"

#include <stdio.h>

#define FORGED_FOR     600 /* seconds */
#define WIRE           (1 << SENSOR_HEP | 1 << SENSOR_HONEYPOT)
#define REGISTERED_FOR 3600 /* seconds: the usual life of a registration */
/* Sensors that tell the User-Agent. */
#define AGENTS (WIRE | 1 << SENSOR_KAMAILIO)

/* A rule that holds for a source. */
struct verdict {
	const struct rule *rule;
	unsigned at;
	struct weight w;
	uint8_t proof;
	uint8_t grade; /* enum grade */
	bool plausible;
	bool publish;
};

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

/* A rule's weight; rule NULL: of all those that weigh together. */
static struct weight measure(const struct detector *d, const struct source *s,
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
static bool one_account_each(const struct rule *rule, const struct source *s,
	struct weigh_what what, usec now)
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
		*w = measure(d, s, rule, v->at, what, now);
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

/*
 * How sure v is, by weighing only what is proved, or plausible; *ripen tells that
 * it will be plausible when scans have waited long enough.
 */
static void grade(struct verdict *v, const struct detector *d, const struct source *s,
	const struct rule *rule, bool running, usec now, bool *ripen)
{
	struct weigh_what what = {.spent = running};
	struct weight w;

	v->proof = PROOF_NONE;
	v->grade = GRADE_NOTHING;
	if (!grade_proved(v, &w, d, s, rule, what, now)) {
		if (!plausible_by(&what, v->rule, s, now))
			return;
		w = measure(d, s, rule, v->at, what, now);
		if (w.sum < WEIGHT_ONE && s->kinds & 1U << OBSERVED_SCAN) {
			what.unripe = true;
			*ripen |= measure(d, s, rule, v->at, what, now).sum >= WEIGHT_ONE;
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

/* The most that could be said of a source, whatever its attempts weigh. */
static uint8_t best_grade(const struct source *s)
{
	if (s->rank >= PROOF_RANK_STRONG)
		return GRADE_SHARED;
	if (s->rank >= PROOF_RANK_PROVED)
		return GRADE_PROVED;
	return s->rank || s->sensors & WIRE ? GRADE_PLAUSIBLE : GRADE_NOTHING;
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
	if (running && best_grade(s) <= s->offence_grade &&
		!(rule && (rule->while_banned || outranks(d, s, rule, now))))
		return false;
	*v = (struct verdict){.rule = rule, .at = at};
	v->w = measure(d, s, rule, at, what, now);
	if (v->w.sum < WEIGHT_ONE) {
		if (!(s->kinds & 1U << OBSERVED_SCAN))
			return false;
		what.unripe = true;
		*ripen |= measure(d, s, rule, at, what, now).sum >= WEIGHT_ONE;
		return false;
	}
	if (!rule) {
		v->rule = rules_together(&d->rules, v->w.kind);
		if (!v->rule)
			return false;
		v->at = (unsigned)(v->rule - d->rules.at);
	}
	grade(v, d, s, rule, running, now, ripen);
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

static void give_reason(struct detection *out, const struct rule *rule)
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

/* What a rule says of a ban and of publishing. */
static void fill_rule(struct detection *out, const struct rule *rule)
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
	fill_rule(out, v->rule);
	out->publish = v->publish;
	strcpy(out->account, texts.account);
	strcpy(out->dialled, texts.dialled);
	strcpy(out->agent, texts.agent);
	give_reason(out, v->rule);

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

/* --- campaigns */

void campaign_feed(struct detector *d, const struct observation *o)
{
	uint32_t fit;

	if (!d->by_campaign || proof_rank(o->proof) < PROOF_RANK_PROVED)
		return;
	fit = rules_fit(&d->rules, o->dialled);
	for (unsigned i = 0; i < d->rules.n; i++) {
		const struct rule *r = &d->rules.at[i];
		struct campaign *c;

		if (!r->enabled || !r->threshold.threshold ||
			(r->per != RULE_PER_ACCOUNT && r->per != RULE_PER_DIALLED) ||
			!(r->kinds & UINT32_C(1) << o->kind) ||
			(r->methods && !(r->methods & UINT32_C(1) << o->method)) ||
			(r->sensors && !(r->sensors & UINT32_C(1) << o->sensor)) ||
			(o->signs & r->signs) != r->signs ||
			((r->digits || r->dialled[0][0]) && !(fit & UINT32_C(1) << i)))
			continue;
		c = campaigns_note(d->campaigns, r, i, o);
		if (c && !c->due) {
			c->due = true;
			d->campaigns_due++;
		}
	}
}

/* A member that counts: it failed in the window and never authenticated. */
static bool counts_in(const struct detector *d, const struct campaign_member *m,
	const struct rule *rule, usec now)
{
	const struct source *s;

	if (!m->time ||
		apart(m->time, now) >= (usec)rule->threshold.window * USEC_PER_SEC)
		return false;
	s = sources_find(d->sources, &m->address);
	return !s || !weigh_succeeded(s, now, UINT32_MAX);
}

static void campaign_emit(struct detector *d, const struct campaign *c,
	const struct campaign_member *m, uint32_t members, struct detection *out)
{
	const struct rule *rule = &d->rules.at[c->rule];

	memset(out, 0, sizeof *out);
	out->time = c->last;
	out->source = m->address;
	out->plen = m->address.family == 4 ? 32 : 128;
	out->proof = m->proof;
	out->kind = c->kind;
	out->sensor = m->sensor;
	out->transport = m->transport;
	out->attempts = c->attempts;
	out->window = rule->threshold.window;
	out->sources = members;
	out->accounts = out->numbers = 1;
	out->offence = 1;
	out->ban = d->config.ban;
	fill_rule(out, rule);
	memcpy(out->account, c->account, sizeof out->account);
	memcpy(out->dialled, c->dialled, sizeof out->dialled);
	memcpy(out->agent, c->agent, sizeof out->agent);
	give_reason(out, rule);
	d->detections++;
}

/* The next of a due campaign's detections: all its members', or one for all. */
static bool campaign_next(struct detector *d, struct campaign *c, struct detection *out)
{
	const struct rule *rule = &d->rules.at[c->rule];
	struct campaign_member *newest = NULL;
	uint32_t members = 0;

	for (unsigned i = 0; i < CAMPAIGN_MEMBERS; i++) {
		struct campaign_member *m = &c->member[i];

		if (!counts_in(d, m, rule, c->last))
			continue;
		members++;
		if (!m->told && (!newest || m->time >= newest->time))
			newest = m;
	}
	if (members < rule->threshold.threshold || !newest || (c->told && !rule->ban))
		return false;
	newest->told = c->told = true;
	campaign_emit(d, c, newest, members, out);
	return true;
}

bool campaign_judge(struct detector *d, struct detection *out)
{
	struct campaign *c;

	while (d->campaigns_due && (c = campaigns_due(d->campaigns))) {
		if (campaign_next(d, c, out))
			return true;
		c->due = false;
		d->campaigns_due--;
	}
	d->campaigns_due = 0;
	return false;
}
