/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detect.h"
#include "detect/weigh.h"

#include <stdlib.h>

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

struct detector {
	struct detect_config config;
	struct sources *sources;
	uint64_t observations, duplicates, detections;
};

struct detector *detector_new(const struct detect_config *config, struct hash_key key)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->config = *config;
	d->sources = sources_new(config->sources_max, key);
	if (!d->sources) {
		free(d);
		return NULL;
	}
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	sources_free(d->sources);
	free(d);
}

void detector_configure(struct detector *d, const struct detect_config *config)
{
	d->config = *config;
	sources_limit(d->sources, config->sources_max);
}

/* How long an attempt can matter: the longest window, or its duplicates. */
static usec attempts_keep(const struct detect_config *config)
{
	usec keep = ATTEMPT_SAME;

	for (size_t i = 0; i < sizeof(config->rules) / sizeof(config->rules[0]); i++)
		if (config->rules[i].window * USEC_PER_SEC > keep)
			keep = config->rules[i].window * USEC_PER_SEC;
	return keep;
}

/* A ban of this very detector; a clock set back does not prolong it. */
static bool ban_running(const struct detector *d, const struct source *s, usec now)
{
	return now < s->ban_until &&
		s->ban_until - now <= (usec)d->config.ban_max * USEC_PER_SEC;
}

/* Texts for the detection: the last that said something. */
static void remember_texts(struct source *s, const struct observation *o)
{
	s->sensor = o->sensor;
	s->transport = o->transport;
	if (*o->agent)
		memcpy(s->agent, o->agent, sizeof(s->agent));
	if (!kind_harm(o->kind))
		return;
	if (*o->account)
		memcpy(s->account, o->account, sizeof(s->account));
	if (*o->dialled)
		memcpy(s->dialled, o->dialled, sizeof(s->dialled));
}

/* Note a success by account, in the place of its former or of the oldest one. */
static void note_success(struct source *s, const struct observation *o)
{
	uint32_t account = text_hash(o->account);
	unsigned at = 0;

	for (unsigned i = 0; i < SUCCESSES_MAX; i++) {
		if (s->successes[i].time && s->successes[i].account == account) {
			at = i;
			break;
		}
		if (s->successes[i].time < s->successes[at].time)
			at = i;
	}
	s->successes[at].account = account;
	s->successes[at].time = o->time;
}

/* Another observation of a known attempt: what does it add? */
static void merge(struct attempt *e, const struct observation *o)
{
	if (proof_rank(o->proof) > proof_rank(e->proof))
		e->proof = o->proof;
	if (!e->account)
		e->account = text_hash(o->account);
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
	e->kind = o->kind;
	if (e->state == ATTEMPT_ANSWERED)
		e->state = ATTEMPT_LIVE;
}

/* A new attempt; credentials make an open challenge part of it. */
static void add_attempt(struct detector *d, struct source *s, struct attempt *new)
{
	struct attempt *open = NULL;

	/*
	 * The sensors name the response, not the challenge that it answers: in
	 * the order of time, one answers the other.
	 */
	if (new->kind == OBSERVED_AUTH_FAILED || new->kind == OBSERVED_AUTH_OK ||
		new->kind == OBSERVED_CALL_REJECTED)
		open = attempts_challenge(&s->attempts, new);
	if (open) {
		open->state = ATTEMPT_ANSWERED;
		if (proof_rank(open->proof) > proof_rank(new->proof))
			new->proof = open->proof;
	}
	attempts_add(&s->attempts, new, attempts_keep(&d->config));
}

/* File an observation under its attempt. */
static void file(struct detector *d, struct source *s, const struct observation *o)
{
	struct attempt new = attempt_of(o), *known = NULL;

	/* Without a key it cannot be told from its repetition: each counts. */
	if (o->attempt)
		known = attempts_find(&s->attempts, &new, attempts_keep(&d->config));
	if (known) {
		d->duplicates++;
		merge(known, o);
	} else {
		add_attempt(d, s, &new);
	}
}

/* The ban of the n-th offence. */
static uint32_t ban_seconds(const struct detect_config *config, uint32_t offence)
{
	uint64_t ban = config->ban;

	for (uint32_t i = 1; i < offence && ban < config->ban_max; i++)
		ban *= 2;
	return ban < config->ban_max ? (uint32_t)ban : config->ban_max;
}

static uint8_t category_of(uint8_t kind)
{
	static const uint8_t categories[] = {
		[OBSERVED_AUTH_FAILED] = CATEGORY_PASSWORD,
		[OBSERVED_UNKNOWN_ACCOUNT] = CATEGORY_ENUMERATION,
		[OBSERVED_SCAN] = CATEGORY_SCAN,
		[OBSERVED_CALL_REJECTED] = CATEGORY_FRAUD,
		[OBSERVED_MALFORMED] = CATEGORY_MALFORMED,
	};

	return kind < sizeof(categories) ? categories[kind] : CATEGORY_OTHER;
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

/* Fill *out, start the ban and the window anew. */
static void emit(struct detector *d, struct source *s, struct detection *out,
	const struct weight *w, uint8_t proof, usec now)
{
	memset(out, 0, sizeof(*out));
	out->time = now;
	out->source = s->address;
	out->category = category_of(w->kind);
	out->proof = proof;
	out->kind = w->kind;
	out->sensor = s->sensor;
	out->transport = s->transport;
	out->attempts = w->attempts;
	out->window = (uint32_t)((now - w->oldest + USEC_PER_SEC - 1) / USEC_PER_SEC);
	if (!out->window)
		out->window = 1;
	if (proof_rank(proof) >= PROOF_RANK_PROVED)
		count_offence(d, s, now);
	/* An unproved one is treated as a first, whatever its number. */
	out->offence = proof_rank(proof) >= PROOF_RANK_PROVED ? s->offences : 1;
	out->ban = ban_seconds(&d->config, out->offence);
	memcpy(out->account, s->account, sizeof(out->account));
	memcpy(out->dialled, s->dialled, sizeof(out->dialled));
	memcpy(out->agent, s->agent, sizeof(out->agent));

	s->offence_proof = proof;
	s->ban_until = now + (usec)out->ban * USEC_PER_SEC;
	for (unsigned i = 0; i < s->attempts.n; i++)
		if (s->attempts.list[i].state == ATTEMPT_LIVE)
			s->attempts.list[i].state = ATTEMPT_SPENT;
	d->detections++;
}

/* The proof of a detection: of those attempts that cross by themselves. */
static uint8_t proof_of(const struct detector *d, const struct source *s, usec now)
{
	struct weight w = weigh(
		s, &d->config, (struct weigh_what){.rank = PROOF_RANK_PROVED}, now);

	if (w.sum >= WEIGHT_ONE)
		return w.proof;
	w = weigh(s, &d->config, (struct weigh_what){.rank = PROOF_RANK_LOG}, now);
	return w.sum >= WEIGHT_ONE ? PROOF_LOG : PROOF_NONE;
}

/* Whether this source is to be detected now. */
static bool judge(struct detector *d, struct source *s, usec now, struct detection *out)
{
	struct weight w;

	if (ban_running(d, s, now)) {
		if (proof_rank(s->offence_proof) >= PROOF_RANK_PROVED)
			return false;
		w = weigh(s, &d->config,
			(struct weigh_what){.spent = true, .rank = PROOF_RANK_PROVED},
			now);
		if (w.sum < WEIGHT_ONE)
			return false;
		emit(d, s, out, &w, w.proof, now);
		return true;
	}
	w = weigh(s, &d->config, (struct weigh_what){0}, now);
	if (w.sum >= WEIGHT_ONE) {
		uint8_t proof = proof_of(d, s, now);

		begin_offence(s);
		emit(d, s, out, &w, proof, now);
		return true;
	}
	w = weigh(s, &d->config, (struct weigh_what){.unripe = true}, now);
	if (w.sum >= WEIGHT_ONE)
		sources_ripen(d->sources, s, now + SCAN_GRACE);
	return false;
}

bool detector_due(struct detector *d, usec now, struct detection *out)
{
	struct source *s;

	/* Each turn takes one off the queue, and what is put back is not due. */
	while ((s = sources_ripe(d->sources, now)))
		if (judge(d, s, now, out))
			return true;
	return false;
}

bool detector_feed(struct detector *d, const struct observation *o, struct detection *out)
{
	struct source *s;

	d->observations++;
	if (!o->kind || o->kind > OBSERVED_PROOF || !o->source.family)
		return false;
	s = sources_put(d->sources, &o->source);
	if (!s)
		return false;
	if (proof_rank(o->proof) >= PROOF_RANK_PROVED)
		sources_keep(d->sources, s);
	remember_texts(s, o);
	file(d, s, o);
	/* Who guessed the password has not become a trusted user. */
	if (o->kind == OBSERVED_AUTH_OK && !ban_running(d, s, o->time))
		note_success(s, o);
	return judge(d, s, o->time, out) || detector_due(d, o->time, out);
}

void detector_remember(
	struct detector *d, const struct address *source, uint32_t offences, usec last)
{
	struct source *s = sources_put(d->sources, source);

	if (!s)
		return;
	s->offences = offences;
	s->offence_last = last;
	s->offence_proof = PROOF_TCP; /* at least: unproved ones are not kept */
	s->ban_until = last + (usec)ban_seconds(&d->config, offences) * USEC_PER_SEC;
	/* A flood of spoofed packets shall not wipe out the record. */
	sources_keep(d->sources, s);
}

void detector_forgive(struct detector *d, const struct address *source)
{
	struct source *s = sources_put(d->sources, source);

	if (!s)
		return;
	s->ban_until = 0;
	s->offences = 0;
	s->offence_proof = PROOF_NONE;
	for (unsigned i = 0; i < s->attempts.n; i++)
		s->attempts.list[i].state = ATTEMPT_ANSWERED;
}

bool detector_failed(const struct detector *d, const struct address *source, usec now)
{
	const struct source *s = sources_get(d->sources, source);
	usec keep = attempts_keep(&d->config);

	if (!s)
		return false;
	if (ban_running(d, s, now) ||
		(s->offences &&
			apart(s->offence_last, now) <
				(usec)d->config.forget * USEC_PER_SEC))
		return true;
	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		/* Everybody is challenged; only what came of it says anything. */
		if (kind_harm(e->kind) && e->kind != OBSERVED_SCAN &&
			e->state != ATTEMPT_ANSWERED && apart(e->time, now) < keep)
			return true;
	}
	return false;
}

void detector_figures(const struct detector *d, struct detect_figures *out)
{
	out->observations = d->observations;
	out->duplicates = d->duplicates;
	out->detections = d->detections;
	out->evicted = sources_evicted(d->sources);
	out->sources = sources_count(d->sources);
	out->memory = sizeof(*d) + sources_memory(d->sources);
}
