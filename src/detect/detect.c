/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/state.h"

#include <stdlib.h>

#define HELD_MAX (sizeof(((struct detector *)0)->held) / sizeof(struct detection))

const struct detect_config detect_config_default = {
	.rules =
		{
			[OBSERVED_AUTH_FAILED] = {3, 600},
			[OBSERVED_UNKNOWN_ACCOUNT] = {3, 600},
			[OBSERVED_SCAN] = {10, 60},
			[OBSERVED_CALL_REJECTED] = {3, 600},
			[OBSERVED_MALFORMED] = {10, 600},
		},
	.ban = 600,
	.ban_max = 86400,
	.forget = 7 * 86400,
	.sources_max = 65536,
	.success_factor = 5,
};

/* How long an attempt can matter: the longest window, or its duplicates. */
static usec longest_window(const struct detector *d)
{
	usec keep = ATTEMPT_SAME;

	for (size_t i = 0; i < OBSERVED_KINDS; i++)
		if (d->config.rules[i].window * USEC_PER_SEC > keep)
			keep = d->config.rules[i].window * USEC_PER_SEC;
	for (unsigned i = 0; i < d->rules.n; i++)
		if (d->rules.at[i].enabled &&
			d->rules.at[i].threshold.window * USEC_PER_SEC > keep)
			keep = d->rules.at[i].threshold.window * USEC_PER_SEC;
	return keep;
}

/* Where an enabled rule is looked for. */
static void enter_rule(struct detector *d, const struct rule *r, unsigned at)
{
	struct docket *docket;

	d->by_network |= r->per == RULE_PER_NETWORK;
	d->by_campaign |= r->per == RULE_PER_ACCOUNT || r->per == RULE_PER_DIALLED;
	if (r->together || r->per > RULE_PER_NETWORK)
		return;
	docket = &d->dockets[r->per];
	docket->rule[docket->n].kinds = r->kinds;
	docket->rule[docket->n++].at = at;
}

static void take_rules(struct detector *d, const struct detect_config *config)
{
	d->config = *config;
	d->rules = config->more ? *config->more : *rules_builtin();
	d->config.more = NULL;
	d->by_network = d->by_campaign = false;
	memset(d->dockets, 0, sizeof d->dockets);
	for (unsigned i = 0; i < d->rules.n; i++) {
		struct rule *r = &d->rules.at[i];

		if (r->enabled)
			enter_rule(d, r, i);
		/* Of those that weigh together the configuration has the last word. */
		for (unsigned kind = 0; r->together && kind < OBSERVED_KINDS; kind++)
			if (r->kinds & 1U << kind)
				r->threshold = config->rules[kind];
	}
	d->keep = longest_window(d);
}

struct detector *detector_new(const struct detect_config *config, struct hash_key key)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->key = key;
	take_rules(d, config);
	d->sources = sources_new(config->sources_max, key);
	/* Fewer: most sources are IPv4's, and one network stands for many. */
	d->networks = sources_new(config->sources_max / 8, key);
	d->campaigns = campaigns_new(key);
	if (!d->sources || !d->networks || !d->campaigns) {
		detector_free(d);
		return NULL;
	}
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	campaigns_free(d->campaigns);
	sources_free(d->networks);
	sources_free(d->sources);
	free(d);
}

void detector_configure(struct detector *d, const struct detect_config *config)
{
	take_rules(d, config);
	sources_limit(d->sources, config->sources_max);
	sources_limit(d->networks, config->sources_max / 8);
	/* What was noted by a rule's place means nothing any more. */
	sources_unfit(d->sources);
	sources_unfit(d->networks);
	campaigns_clear(d->campaigns);
	d->campaigns_due = 0;
}

/* Another observation of a known attempt: what does it add? */
static void merge(
	struct attempt *e, const struct attempt *new, const struct observation *o)
{
	if (proof_rank(o->proof) > proof_rank(e->proof))
		e->proof = new->proof;
	e->signs |= new->signs;
	e->sensors |= new->sensors;
	e->fits |= new->fits;
	e->phone |= new->phone;
	if (!e->method)
		e->method = new->method;
	if (!e->dialled && new->dialled) {
		e->dialled = new->dialled;
		e->dialled_late = 1;
	}
	if (!e->account && new->account) {
		e->account = new->account;
		e->account_late = 1;
	}
	if (o->kind == OBSERVED_AUTH_OK) {
		if (kind_is_challenge(e->kind) && e->state == ATTEMPT_LIVE)
			e->state = ATTEMPT_ANSWERED;
		return;
	}
	if (kind_harm(o->kind) <= kind_harm(e->kind))
		return;
	/*
	 * The challenge was answered, but the request went wrong after all: the
	 * log knows a success by its Call-ID alone, and the call that was then
	 * refused has the same one. A mere challenge revives nothing.
	 */
	if (e->state == ATTEMPT_ANSWERED && o->kind != OBSERVED_AUTH_FAILED &&
		o->kind != OBSERVED_CALL_REJECTED)
		return;
	e->kind = new->kind;
	if (e->state == ATTEMPT_ANSWERED)
		e->state = ATTEMPT_LIVE;
}

/* A new attempt; credentials make an open challenge part of it. */
static uint8_t add_attempt(struct detector *d, struct source *s, struct attempt *new)
{
	const unsigned challenges = 1U << OBSERVED_SCAN | 1U << OBSERVED_UNKNOWN_ACCOUNT;
	struct attempt *open = NULL;

	/*
	 * The sensors name the response, not the challenge that it answers: in
	 * the order of time, one answers the other.
	 */
	if (s->kinds & challenges &&
		(new->kind == OBSERVED_AUTH_FAILED || new->kind == OBSERVED_AUTH_OK ||
			new->kind == OBSERVED_CALL_REJECTED))
		open = attempts_challenge(&s->attempts, new);
	if (open) {
		open->state = ATTEMPT_ANSWERED;
		if (proof_rank(open->proof) > proof_rank(new->proof))
			new->proof = open->proof;
		new->signs |= open->signs;
	}
	attempts_add(&s->attempts, new, d->keep);
	return open ? FILED_ANSWERING : FILED_NEW;
}

/* File an observation under its attempt. address: of a network's. */
static uint8_t file(struct detector *d, struct source *s, const struct observation *o,
	uint32_t address, bool *counts)
{
	struct attempt fresh = attempt_of(o), *known = NULL;

	fresh.address = address;
	fresh.fits = rules_fit(&d->rules, o->dialled);
	fresh.phone = rules_phone(&d->rules, o->agent);
	/* Without a key it cannot be told from its repetition: each counts. */
	if (o->attempt)
		known = attempts_find(&s->attempts, &fresh, d->keep);
	/* Of which there are none where Kamailio has told of nothing. */
	if (o->attempt && !known && s->sensors & 1 << SENSOR_KAMAILIO)
		known = attempts_twin(&s->attempts, &fresh);
	if (!known) {
		*counts = fresh.state == ATTEMPT_LIVE && fresh.kind != OBSERVED_PROOF;
		return add_attempt(d, s, &fresh);
	}
	merge(known, &fresh, o);
	*counts = known->state == ATTEMPT_LIVE && known->kind != OBSERVED_PROOF;
	return FILED_KNOWN;
}

/* The /64 of an IPv6 address. */
static struct address network_of(const struct address *a)
{
	struct address network = *a;

	memset(network.bytes + 8, 0, 8);
	return network;
}

static uint8_t note(struct detector *d, struct sources *sources, struct source *s,
	const struct observation *o, uint32_t address, bool *counts)
{
	uint8_t filed;

	if (proof_rank(o->proof) >= PROOF_RANK_PROVED)
		sources_keep(sources, s);
	if (o->signs & SIGN_FORGED)
		s->forged = o->time;
	s->kinds |= (uint16_t)(1U << o->kind);
	s->sensors |= (uint8_t)(1 << (o->sensor & 7));
	if (proof_rank(o->proof) > s->rank)
		s->rank = (uint8_t)proof_rank(o->proof);
	if (o->kind == OBSERVED_AUTH_FAILED)
		s->failed = (uint32_t)(o->time / USEC_PER_SEC);
	s->sensor = o->sensor;
	s->transport = o->transport;
	source_take_texts(s, o);
	filed = file(d, s, o, address, counts);
	/*
	 * Who guessed the password has not become a trusted user. What nothing showed
	 * to be more than forged bans nobody, and is not held against the one who then
	 * authenticates. A success can be forged as well, by whom it would excuse.
	 */
	if (o->kind == OBSERVED_AUTH_OK && o->proof == PROOF_AUTH &&
		(!ban_running(d, s, o->time) || s->offence_grade == GRADE_NOTHING))
		source_succeeded(s, text_hash(o->account), o->time);
	return filed;
}

/* The same of the network that the source is in. */
static bool feed_network(
	struct detector *d, const struct observation *o, struct detection *out)
{
	const struct court court = {d->networks, RULE_PER_NETWORK, 64};
	struct address network;
	struct source *s;
	uint32_t address;
	bool counts;

	if (o->source.family != 6 || !d->by_network)
		return false;
	address = (uint32_t)hash_bytes(&d->key, o->source.bytes, sizeof o->source.bytes);
	network = network_of(&o->source);
	s = sources_put(d->networks, &network);
	if (!s)
		return false;
	note(d, d->networks, s, o, address ? address : 1, &counts);
	return judge(d, &court, s, o->time, out);
}

bool detector_due(struct detector *d, usec now, struct detection *out)
{
	const struct court courts[] = {
		{d->sources, RULE_PER_SOURCE, 0}, {d->networks, RULE_PER_NETWORK, 64}};
	struct source *s;

	/* Each turn takes one off the queue, and what is put back is not due. */
	for (unsigned i = 0; i < 2; i++)
		while ((s = sources_ripe(courts[i].sources, now)))
			if (judge(d, &courts[i], s, now, out))
				return true;
	if (d->n_held) {
		*out = d->held[--d->n_held];
		return true;
	}
	return campaign_judge(d, out);
}

/* Weight together, in thousandths. */
static uint32_t thousandths(const struct detector *d, const struct source *s, usec now)
{
	const struct weigh_what what = {.unripe = true};
	uint64_t sum = weigh(s, &d->config, what, now).sum / (WEIGHT_ONE / 1000);

	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

bool detector_trace(struct detector *d, const struct observation *o,
	struct detection *out, struct detect_trace *trace)
{
	const struct court court = {d->sources, RULE_PER_SOURCE, 0};
	struct source *s;
	bool counts, detected;
	uint8_t filed;

	d->observations++;
	if (trace)
		memset(trace, 0, sizeof *trace);
	if (!o->kind || o->kind >= OBSERVED_KINDS || !o->source.family)
		return false;
	s = sources_put(d->sources, &o->source);
	if (!s)
		return false;
	if (trace)
		trace->before = thousandths(d, s, o->time);
	filed = note(d, d->sources, s, o, 0, &counts);
	d->duplicates += filed == FILED_KNOWN;
	if (trace) {
		trace->filed = filed;
		trace->counts = counts;
		trace->after = thousandths(d, s, o->time);
		trace->banned = ban_running(d, s, o->time);
		trace_standing(trace, d, s, o->time);
	}
	campaign_feed(d, o);
	detected = judge(d, &court, s, o->time, out);
	if (detected) {
		/* One at a time: what its network shows is told next. */
		if (d->n_held < HELD_MAX && feed_network(d, o, &d->held[d->n_held]))
			d->n_held++;
		return true;
	}
	return feed_network(d, o, out) || detector_due(d, o->time, out);
}

bool detector_feed(struct detector *d, const struct observation *o, struct detection *out)
{
	return detector_trace(d, o, out, NULL);
}

void detector_remember(
	struct detector *d, const struct address *source, uint32_t offences, usec last)
{
	struct source *s = sources_put(d->sources, source);

	if (!s)
		return;
	s->offences = offences;
	s->offence_last = last;
	s->offence_grade = GRADE_SHARED; /* unproved ones are not kept */
	s->ban_until = last + (usec)ban_seconds(&d->config, offences) * USEC_PER_SEC;
	/* A flood of spoofed packets shall not wipe out the record. */
	sources_keep(d->sources, s);
}

static void forgive(struct source *s)
{
	if (!s)
		return;
	s->ban_until = 0;
	s->offences = 0;
	s->failed = 0;
	s->offence_grade = GRADE_NOTHING;
	for (unsigned i = 0; i < s->attempts.n; i++)
		s->attempts.list[i].state = ATTEMPT_ANSWERED;
}

enum failed detector_failed(
	const struct detector *d, const struct address *source, usec now)
{
	const struct source *s = sources_find(d->sources, source);
	enum failed failed = FAILED_NOT;
	usec keep = d->keep;

	if (!s)
		return FAILED_NOT;
	if (s->offences &&
		apart(s->offence_last, now) < (usec)d->config.forget * USEC_PER_SEC)
		return FAILED_PROVED;
	if (ban_running(d, s, now))
		failed = s->offence_grade >= GRADE_PROVED ? FAILED_PROVED :
							    FAILED_UNPROVED;
	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		/* Everybody is challenged; only what came of it says anything. */
		if (!kind_harm(e->kind) || e->kind == OBSERVED_SCAN ||
			e->state == ATTEMPT_ANSWERED || apart(e->time, now) >= keep)
			continue;
		if (proof_rank(e->proof) >= PROOF_RANK_PROVED)
			return FAILED_PROVED;
		failed = FAILED_UNPROVED;
	}
	/* Who guesses slowly has only attempts that are forgotten. */
	if (!failed && s->failed && apart(s->failed * USEC_PER_SEC, now) < FAILED_LIFE)
		failed = FAILED_UNPROVED;
	return failed;
}

void detector_forgive(struct detector *d, const struct address *source)
{
	struct address network = network_of(source);

	forgive(sources_find(d->sources, source));
	if (source->family == 6)
		forgive(sources_find(d->networks, &network));
}

void detector_figures(const struct detector *d, struct detect_figures *out)
{
	out->observations = d->observations;
	out->duplicates = d->duplicates;
	out->detections = d->detections;
	out->evicted = sources_evicted(d->sources);
	out->sources = sources_count(d->sources);
	out->networks = sources_count(d->networks);
	out->campaigns = campaigns_count(d->campaigns);
	out->memory = sizeof(*d) + sources_memory(d->sources) +
		sources_memory(d->networks) + campaigns_memory(d->campaigns);
}
