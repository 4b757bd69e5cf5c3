/* SPDX-License-Identifier: Apache-2.0 */
/* What the endpoints call final, set side by side. */
#include "ledger/ethereum/witness.h"

#include <string.h>

static bool tells(const struct panel *p, const struct witness_answer *answer, unsigned i,
	uint64_t now_ms)
{
	return answer[i].has_final && !witness_quarantined(p, i, now_ms);
}

/* How many of those who tell name a block of this height or a later one. */
static unsigned reached(const struct panel *p, const struct witness_answer *answer,
	uint64_t number, uint64_t now_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->count; i++)
		n += tells(p, answer, i, now_ms) && answer[i].final >= number;
	return n;
}

int panel_final_claim(
	const struct panel *p, const struct witness_answer *answer, uint64_t now_ms)
{
	unsigned n = reached(p, answer, 0, now_ms);
	int claim = -1;

	for (unsigned i = 0; i < p->count; i++)
		if (tells(p, answer, i, now_ms) &&
			2 * reached(p, answer, answer[i].final, now_ms) > n &&
			(claim < 0 || answer[i].final > answer[claim].final))
			claim = (int)i;
	return claim;
}

/* --- who is ahead, who is behind --- */

static bool lasts(uint64_t *since, bool is, uint64_t now_ms, uint32_t ms)
{
	if (!is)
		*since = 0;
	else if (!*since)
		*since = now_ms;
	return is && now_ms - *since >= ms;
}

/* Whether a's final block is far behind b's, by number and by its time. */
static bool far_behind(const struct panel *p, const struct witness_answer *a,
	const struct witness_answer *b)
{
	return b->final > a->final && b->final - a->final > p->limits.lag_blocks &&
		(b->final_time < a->final_time ||
			b->final_time - a->final_time >= p->limits.lag_seconds);
}

/* Whether a calls a block final that nobody else has even as its newest. */
static bool unheard_of(const struct panel *p, const struct witness_answer *answer,
	unsigned i, uint64_t now_ms)
{
	unsigned others = 0;

	for (unsigned k = 0; k < p->count; k++) {
		if (k == i || !answer[k].has_height || witness_quarantined(p, k, now_ms))
			continue;
		others++;
		if (answer[k].height + p->limits.lag_blocks >= answer[i].final)
			return false;
	}
	return others >= 2;
}

/*
 * The measure: of two the higher one, as one that stands still is common; of more
 * the second, as what one alone claims is none.
 */
static const struct witness_answer *measure(const struct panel *p,
	const struct witness_answer *answer, uint64_t now_ms, unsigned *n)
{
	const struct witness_answer *first = NULL, *second = NULL;

	*n = 0;
	for (unsigned i = 0; i < p->count; i++) {
		const struct witness_answer *a = &answer[i];

		if (!tells(p, answer, i, now_ms))
			continue;
		++*n;
		if (!first || a->final > first->final) {
			second = first;
			first = a;
		} else if (!second || a->final > second->final) {
			second = a;
		}
	}
	return *n >= 3 ? second : *n == 2 ? first : NULL;
}

static unsigned judge_claim(struct panel *p, const struct witness_answer *answer,
	unsigned i, const struct witness_answer *best, unsigned n, uint64_t now_ms)
{
	bool unheard = n >= 3 && unheard_of(p, answer, i, now_ms);
	const struct witness_answer *a = &answer[i];
	struct witness *w = &p->of[i];
	bool was = w->final_lagging;

	/* What nobody has heard of needs no time: that is its word alone. */
	if (lasts(&w->final_ahead_since, n >= 3 && (unheard || far_behind(p, best, a)),
		    now_ms, unheard ? p->limits.differ_ms : p->limits.final_ms)) {
		witness_lied(p, i, now_ms);
		return VERDICT_LIES | VERDICT_FINAL;
	}
	if (lasts(&w->final_behind_since, far_behind(p, a, best), now_ms,
		    p->limits.final_ms))
		w->final_lagging = true;
	else if (!w->final_behind_since)
		w->final_lagging = false;
	if (w->final_lagging == was)
		return 0;
	return was ? VERDICT_FINAL_CAUGHT_UP : VERDICT_FINAL_LAGS;
}

/* --- the very block --- */

/* The hash that more than half of those who were asked have there, or NULL. */
static const uint8_t *find_block(const struct panel *p,
	const struct witness_answer *answer, uint64_t now_ms, unsigned *with)
{
	unsigned n = 0;
	const uint8_t *found = NULL;

	for (unsigned i = 0; i < p->count; i++) {
		unsigned same = 0;

		if (!answer[i].has_at_final || witness_quarantined(p, i, now_ms))
			continue;
		n++;
		for (unsigned k = 0; k < p->count; k++)
			same += answer[k].has_at_final &&
				!witness_quarantined(p, k, now_ms) &&
				!memcmp(answer[k].at_final, answer[i].at_final,
					HASH_SIZE);
		if (same > *with) {
			*with = same;
			found = answer[i].at_final;
		}
	}
	return 2 * *with > n ? found : NULL;
}

/* Whether i calls another block of that height final, or has another one there. */
static bool contradicts(
	const struct witness_answer *a, uint64_t number, const uint8_t hash[HASH_SIZE])
{
	return (a->has_at_final && memcmp(a->at_final, hash, HASH_SIZE)) ||
		(a->has_final && a->final == number &&
			memcmp(a->final_hash, hash, HASH_SIZE));
}

bool panel_final(struct panel *p, const struct witness_answer *answer, int claim,
	uint64_t now_ms, unsigned *verdict, struct final_block *out)
{
	const struct witness_answer *a = claim < 0 ? NULL : &answer[claim], *best;
	unsigned with = 0, n;
	const uint8_t *hash;

	best = measure(p, answer, now_ms, &n);
	for (unsigned i = 0; i < p->count && best; i++)
		if (tells(p, answer, i, now_ms))
			verdict[i] |= judge_claim(p, answer, i, best, n, now_ms);
	if (!a)
		return false;
	hash = find_block(p, answer, now_ms, &with);
	for (unsigned i = 0; i < p->count && hash && with >= 2; i++) {
		bool against = contradicts(&answer[i], a->final, hash);

		if (witness_quarantined(p, i, now_ms) ||
			!lasts(&p->of[i].final_differs_since, against, now_ms,
				p->limits.differ_ms))
			continue;
		witness_lied(p, i, now_ms);
		verdict[i] |= VERDICT_LIES | VERDICT_FINAL;
	}
	/* Several name one, and only one answered: the next round. */
	if (!hash || (with < 2 && n >= 2))
		return false;
	*out = (struct final_block){.number = a->final, .witnesses = with - 1};
	memcpy(out->hash, hash, HASH_SIZE);
	/* Its time is the claimant's word: of another block it says nothing. */
	if (!memcmp(hash, a->final_hash, HASH_SIZE))
		out->timestamp = a->final_time;
	return true;
}
