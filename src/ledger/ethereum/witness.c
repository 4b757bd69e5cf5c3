/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/witness.h"

#include <string.h>

#define ROUNDS 2 /* at least so many before somebody is named */

const struct witness_limits witness_limits_default = {
	.lag_blocks = 3,
	.lag_seconds = 10,
	.lag_ms = 10000,
	.differ_ms = 5000,
	.quarantine_ms = 30000,
	.quarantine_max_ms = 3600000,
	.forgive_ms = 3600000,
	.final_ms = 30000,
};

void panel_begin(struct panel *p, unsigned count, const struct witness_limits *limits)
{
	*p = (struct panel){.limits = *limits, .count = count};
}

void witness_lied(struct panel *p, unsigned i, uint64_t now_ms)
{
	struct witness *w = &p->of[i];
	uint64_t ms = p->limits.quarantine_ms;

	/* Caught again while it is not heard, well_since is yet to come. */
	if (w->well_since && now_ms >= w->well_since &&
		now_ms - w->well_since >= p->limits.forgive_ms)
		w->offences = 0;
	for (unsigned k = 0; k < w->offences && ms < p->limits.quarantine_max_ms; k++)
		ms *= 2;
	if (ms > p->limits.quarantine_max_ms)
		ms = p->limits.quarantine_max_ms;
	*w = (struct witness){
		.offences = w->offences + 1,
		.quarantined_until = now_ms + ms,
		.well_since = now_ms + ms,
	};
}

bool witness_quarantined(const struct panel *p, unsigned i, uint64_t now_ms)
{
	return p->of[i].quarantined_until > now_ms;
}

/* --- lagging --- */

/*
 * The newest block that the others are measured by. What one alone of three or
 * more claims is no measure; of two, the higher one: a node that stands still
 * is common. NULL: nobody to compare with.
 */
static const struct witness_answer *find_best(const struct witness_answer *answer,
	const bool *heard, unsigned count, unsigned *n)
{
	const struct witness_answer *first = NULL, *second = NULL;

	*n = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct witness_answer *a = &answer[i];

		if (!heard[i] || !a->has_height)
			continue;
		++*n;
		if (!first || a->height > first->height) {
			second = first;
			first = a;
		} else if (!second || a->height > second->height) {
			second = a;
		}
	}
	return *n >= 3 ? second : *n == 2 ? first : NULL;
}

/* Whether a's newest block is far behind b's, by number and by its time. */
static bool far_behind(const struct panel *p, const struct witness_answer *a,
	const struct witness_answer *b)
{
	return b->height > a->height && b->height - a->height > p->limits.lag_blocks &&
		b->timestamp >= a->timestamp &&
		b->timestamp - a->timestamp >= p->limits.lag_seconds;
}

static bool lasts(uint64_t *since, bool is, uint64_t now_ms, uint32_t ms)
{
	if (!is)
		*since = 0;
	else if (!*since)
		*since = now_ms;
	return is && now_ms - *since >= ms;
}

static unsigned judge_height(struct panel *p, unsigned i, const struct witness_answer *a,
	const struct witness_answer *best, unsigned heard, uint64_t now_ms)
{
	struct witness *w = &p->of[i];
	bool was = w->lagging;

	if (!a->has_height || !best)
		return 0;
	/* Blocks that none of several others comes to know. */
	if (lasts(&w->ahead_since, heard >= 3 && far_behind(p, best, a), now_ms,
		    p->limits.lag_ms)) {
		witness_lied(p, i, now_ms);
		return VERDICT_LIES;
	}
	if (lasts(&w->lags_since, far_behind(p, a, best), now_ms, p->limits.lag_ms))
		w->lagging = true;
	else if (!w->lags_since)
		w->lagging = false;
	if (w->lagging == was)
		return 0;
	return was ? VERDICT_CAUGHT_UP : VERDICT_LAGS;
}

/* --- lying --- */

static bool same_block(const struct witness_answer *a, const struct witness_answer *b)
{
	if (memcmp(a->hash, b->hash, HASH_SIZE))
		return false;
	return !memcmp(a->state_root, b->state_root, HASH_SIZE) ||
		bytes_zero(a->state_root, HASH_SIZE) ||
		bytes_zero(b->state_root, HASH_SIZE);
}

static bool same_tips(const struct witness_answer *a, const struct witness_answer *b)
{
	return !a->has_tips || !b->has_tips ||
		(!memcmp(a->tip, b->tip, sizeof a->tip) &&
			!memcmp(a->seq, b->seq, sizeof a->seq));
}

static bool agree(const struct witness_answer *a, const struct witness_answer *b)
{
	return same_block(a, b) && same_tips(a, b);
}

/*
 * Whether b's tips are disproved by a's: the same state, a's are proved in it.
 * b must name the state itself: no block's hash is recomputed here, so that a
 * root which only a knows may be one that a made up for the proof.
 */
static bool disproves(const struct witness_answer *a, const struct witness_answer *b)
{
	return same_block(a, b) && !same_tips(a, b) && a->proved && !b->proved &&
		!bytes_zero(b->state_root, HASH_SIZE);
}

/*
 * Who stands against the majority, or against a proof, in *against. Returns
 * false when nobody can tell: then it is a dispute.
 */
static bool find_liars(const struct witness_answer *answer, const bool *in,
	unsigned count, bool *against)
{
	unsigned n = 0, most = 0, leader = 0;

	for (unsigned i = 0; i < count; i++) {
		against[i] = false;
		for (unsigned k = 0; in[i] && k < count; k++)
			if (in[k] && disproves(&answer[k], &answer[i]))
				against[i] = true;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned with = 0;

		if (!in[i] || against[i])
			continue;
		n++;
		for (unsigned k = 0; k < count; k++)
			with += in[k] && !against[k] && agree(&answer[i], &answer[k]);
		if (with > most) {
			most = with;
			leader = i;
		}
	}
	if (most == n)
		return true;
	if (2 * most <= n)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (in[i] && !agree(&answer[leader], &answer[i]))
			against[i] = true;
	return true;
}

/* The panel's dispute begins, lasts or ends. Returns whether it was changed. */
static bool note_dispute(struct panel *p, bool now, uint64_t now_ms)
{
	bool was = p->disputed;

	if (!now) {
		p->disputed_since = 0;
		p->disputed = false;
	} else if (!p->disputed_since) {
		p->disputed_since = now_ms;
	} else if (now_ms - p->disputed_since >= p->limits.differ_ms) {
		p->disputed = true;
	}
	return was != p->disputed;
}

static unsigned note_against(struct panel *p, unsigned i, bool against, uint64_t now_ms)
{
	struct witness *w = &p->of[i];

	if (!against) {
		w->differs_since = 0;
		w->differs = 0;
		return 0;
	}
	if (!w->differs++)
		w->differs_since = now_ms;
	if (w->differs < ROUNDS || now_ms - w->differs_since < p->limits.differ_ms)
		return 0;
	witness_lied(p, i, now_ms);
	return VERDICT_LIES;
}

static bool has_anchor(const struct panel *p, const struct witness_answer *a)
{
	return a->has_at_anchor && !memcmp(a->at_anchor, p->anchor_hash, HASH_SIZE);
}

bool panel_upheld(const struct panel *p, const struct witness_answer *answer)
{
	for (unsigned i = 0; i < p->count && p->has_anchor; i++)
		if (!p->of[i].lagging && has_anchor(p, &answer[i]))
			return true;
	return false;
}

/* Those who deny the anchor have no say, in nothing; they lie. */
static void take_out_deniers(struct panel *p, const struct witness_answer *answer,
	bool *heard, uint64_t now_ms, unsigned *verdict)
{
	if (!panel_upheld(p, answer))
		return;
	for (unsigned i = 0; i < p->count; i++) {
		if (!heard[i] || !answer[i].has_at_anchor || has_anchor(p, &answer[i]))
			continue;
		heard[i] = false;
		if (note_against(p, i, true, now_ms))
			verdict[i] |= VERDICT_LIES | VERDICT_DENIES;
	}
}

bool panel_judge(struct panel *p, const struct witness_answer *answer, uint64_t now_ms,
	unsigned *verdict)
{
	bool heard[ENDPOINTS_MAX] = {false}, in[ENDPOINTS_MAX] = {false};
	bool against[ENDPOINTS_MAX], settled;
	const struct witness_answer *best;
	unsigned n = 0, asked = 0, heights;

	for (unsigned i = 0; i < p->count; i++) {
		heard[i] = !witness_quarantined(p, i, now_ms);
		asked += heard[i] && answer[i].has_block;
		verdict[i] = 0;
	}
	take_out_deniers(p, answer, heard, now_ms, verdict);
	for (unsigned i = 0; i < p->count; i++) {
		in[i] = heard[i] && answer[i].has_block;
		n += in[i];
	}
	best = find_best(answer, heard, p->count, &heights);
	for (unsigned i = 0; i < p->count; i++)
		if (heard[i])
			verdict[i] |= judge_height(
				p, i, &answer[i], best, heights, now_ms);
	/*
	 * Nobody to compare with: neither does a dispute end by silence, but it does
	 * when all others deny what is final.
	 */
	if (n < 2)
		return p->disputed_since && n == 1 && asked == 1 && p->count > 1 ?
			false :
			note_dispute(p, false, now_ms);
	settled = find_liars(answer, in, p->count, against);
	for (unsigned i = 0; i < p->count; i++)
		if (in[i])
			verdict[i] |= note_against(p, i, settled && against[i], now_ms);
	return note_dispute(p, !settled, now_ms);
}

/* --- whom to follow --- */

int panel_choose(const struct panel *p, const bool *usable, int followed, uint64_t now_ms)
{
	int second = -1;

	if (p->disputed)
		return -1;
	if (followed >= 0 && usable[followed] && !p->of[followed].lagging &&
		!witness_quarantined(p, (unsigned)followed, now_ms))
		return followed;
	for (unsigned i = 0; i < p->count; i++) {
		if (!usable[i] || witness_quarantined(p, i, now_ms))
			continue;
		if (!p->of[i].lagging)
			return (int)i;
		if (second < 0 || (int)i == followed)
			second = (int)i;
	}
	return second;
}

/* How many, the followed one included, say the same, and how many do not. */
static void count_sides(const struct witness_answer *mine,
	const struct witness_answer *others, unsigned count, unsigned *with,
	unsigned *against)
{
	*with = 1;
	*against = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!others[i].has_block)
			continue;
		/* Its block is the same, but of the tips it says nothing. */
		if (mine->has_tips && !others[i].has_tips && same_block(mine, &others[i]))
			continue;
		if (agree(mine, &others[i]) || disproves(mine, &others[i]))
			++*with;
		else
			++*against;
	}
}

enum confirmation witness_confirm(const struct witness_answer *mine,
	const struct witness_answer *others, unsigned count, unsigned unknown)
{
	unsigned with, against;

	count_sides(mine, others, count, &with, &against);
	if (with <= against)
		return CONFIRM_DISPUTED;
	if (with > 1)
		return CONFIRM_AGREED;
	return unknown ? CONFIRM_UNKNOWN : CONFIRM_ALONE;
}

bool witness_enough(const struct witness_answer *mine,
	const struct witness_answer *others, unsigned count, unsigned asked)
{
	unsigned with, against;

	count_sides(mine, others, count, &with, &against);
	return with > 1 && 2 * with > asked + 1;
}
