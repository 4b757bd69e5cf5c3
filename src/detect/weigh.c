/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/weigh.h"

static bool within(usec t, usec now, uint32_t seconds)
{
	/* Either way: after a clock was set back, "the future" is long ago. */
	return apart(t, now) < (usec)seconds * USEC_PER_SEC;
}

static bool counts(const struct attempt *e, struct weigh_what what)
{
	return e->state == ATTEMPT_LIVE || (what.spent && e->state == ATTEMPT_SPENT);
}

bool weigh_takes(const struct attempt *e, struct weigh_what what)
{
	const uint8_t wire = 1 << SENSOR_HEP | 1 << SENSOR_HONEYPOT;
	bool proved = proof_rank(e->proof) >= PROOF_RANK_PROVED;

	if (proof_rank(e->proof) < what.rank)
		return false;
	return proved ||
		((!what.wire || e->sensors & wire) &&
			(e->signs & what.signs) == what.signs);
}

bool weigh_succeeded(const struct source *s, usec now, uint32_t window)
{
	for (unsigned i = 0; s->successes && i < SUCCESSES_MAX; i++)
		if (s->successes[i].time && within(s->successes[i].time, now, window))
			return true;
	return false;
}

/*
 * Whether failures look like one broken phone among good ones: fewer accounts
 * fail than the threshold, and an account that does not fail succeeds.
 */
static bool shared(
	const struct source *s, struct detect_rule rule, struct weigh_what what, usec now)
{
	uint32_t failing[THRESHOLD_MAX];
	unsigned n = 0, j;

	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		if (e->kind != OBSERVED_AUTH_FAILED || !counts(e, what) ||
			!within(e->time, now, rule.window))
			continue;
		for (j = 0; j < n && failing[j] != e->account; j++)
			;
		if (j < n)
			continue;
		if (n + 1 >= rule.threshold || n == THRESHOLD_MAX)
			return false;
		failing[n++] = e->account;
	}
	for (unsigned i = 0; s->successes && i < SUCCESSES_MAX; i++) {
		uint32_t account = s->successes[i].account;

		if (!account || !within(s->successes[i].time, now, rule.window))
			continue;
		for (j = 0; j < n && failing[j] != account; j++)
			;
		if (j == n)
			return true;
	}
	return false;
}

/* The threshold of a kind for this source at this time; 0: does not count. */
static uint32_t threshold(const struct source *s, const struct detect_config *config,
	uint8_t kind, struct weigh_what what, usec now)
{
	struct detect_rule rule = config->rules[kind];
	uint64_t most = rule.threshold;

	if (config->success_factor > 1 && weigh_succeeded(s, now, rule.window)) {
		most *= config->success_factor;
		if (kind == OBSERVED_AUTH_FAILED && shared(s, rule, what, now))
			most = THRESHOLD_MAX;
	}
	return most < THRESHOLD_MAX ? (uint32_t)most : THRESHOLD_MAX;
}

/* The scans among a source's attempts; see scans_weigh(). */
struct scans {
	uint32_t near, far; /* within the scans' window; the accounts' */
	usec near_oldest, far_oldest;
	uint32_t targets[THRESHOLD_MAX];
	unsigned distinct;
};

/* Whether a sensor tells what an unanswered request was for. */
static bool names_target(const struct attempt *e)
{
	/*
	 * The log does, but by its words "challenge sent" the account is there,
	 * and an overloaded PBX writes of the credentials long after they came.
	 */
	return attempt_target(e) && e->sensor != SENSOR_SECURITY_LOG &&
		e->sensor != SENSOR_AMI;
}

/* Returns whether it counts at all. */
static bool scans_add(struct scans *scans, const struct attempt *e,
	const struct detect_config *config, usec now)
{
	bool near = within(e->time, now, config->rules[OBSERVED_SCAN].window);
	uint32_t target = attempt_target(e);
	unsigned i;

	if (near) {
		scans->near++;
		if (e->time < scans->near_oldest)
			scans->near_oldest = e->time;
	}
	if (!names_target(e) ||
		!within(e->time, now, config->rules[OBSERVED_UNKNOWN_ACCOUNT].window))
		return near;
	scans->far++;
	if (e->time < scans->far_oldest)
		scans->far_oldest = e->time;
	for (i = 0; i < scans->distinct && scans->targets[i] != target; i++)
		;
	if (i == scans->distinct && i < THRESHOLD_MAX)
		scans->targets[scans->distinct++] = target;
	return true;
}

/* Rounded up, so that threshold times it reaches one; threshold - 1 times it
 * never does, for thresholds are small. */
static uint64_t share(uint32_t threshold)
{
	return threshold ? (WEIGHT_ONE + threshold - 1) / threshold : 0;
}

/*
 * Scans weigh as scans, or, when they ask for different things, as so many
 * unknown accounts: whichever is more. On the wire an account that is there
 * and one that is not look the same, as both are challenged; who asks for one
 * after the other and never answers is looking for accounts.
 */
static void scans_weigh(
	struct weight *w, const struct scans *scans, const uint32_t thresholds[])
{
	uint64_t near = scans->near * share(thresholds[OBSERVED_SCAN]), far = 0;
	uint8_t kind = OBSERVED_SCAN;

	if (scans->distinct > 1)
		far = scans->distinct * share(thresholds[OBSERVED_UNKNOWN_ACCOUNT]);
	if (far > near)
		kind = OBSERVED_UNKNOWN_ACCOUNT;
	else if (!near)
		return;
	w->sum += far > near ? far : near;
	w->attempts += far > near ? scans->far : scans->near;
	if (kind_harm(kind) > kind_harm(w->kind))
		w->kind = kind;
	if (far > near && scans->far_oldest < w->oldest)
		w->oldest = scans->far_oldest;
	if (far <= near && scans->near_oldest < w->oldest)
		w->oldest = scans->near_oldest;
}

/* Anything but a scan. */
static void weigh_one(struct weight *w, const struct attempt *e, uint32_t threshold)
{
	w->sum += share(threshold);
	w->attempts++;
	if (kind_harm(e->kind) > kind_harm(w->kind))
		w->kind = e->kind;
	if (e->time < w->oldest)
		w->oldest = e->time;
}

struct weight weigh(const struct source *s, const struct detect_config *config,
	struct weigh_what what, usec now)
{
	uint32_t thresholds[OBSERVED_KINDS] = {0}, kinds = s->kinds;
	struct weight w = {.oldest = now};
	struct scans scans;

	/* Scans may weigh as unknown accounts. */
	if (kinds & 1U << OBSERVED_SCAN)
		kinds |= 1U << OBSERVED_UNKNOWN_ACCOUNT;
	for (uint8_t kind = 1; kind < OBSERVED_KINDS; kind++)
		if (kinds >> kind & 1 && kind_harm(kind) && config->rules[kind].threshold)
			thresholds[kind] = threshold(s, config, kind, what, now);
	scans.near = scans.far = scans.distinct = 0;
	scans.near_oldest = scans.far_oldest = now;
	for (unsigned i = 0; i < s->attempts.n; i++) {
		const struct attempt *e = &s->attempts.list[i];

		if (!counts(e, what) || !thresholds[e->kind] || !weigh_takes(e, what))
			continue;
		if (e->kind == OBSERVED_SCAN) {
			if ((!what.unripe && apart(e->time, now) < SCAN_GRACE) ||
				!scans_add(&scans, e, config, now))
				continue;
		} else if (within(e->time, now, config->rules[e->kind].window)) {
			weigh_one(&w, e, thresholds[e->kind]);
		} else {
			continue;
		}
		if (proof_rank(e->proof) > proof_rank(w.proof))
			w.proof = e->proof;
	}
	scans_weigh(&w, &scans, thresholds);
	return w;
}
