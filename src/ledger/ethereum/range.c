/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/range.h"

#define REGROW_AFTER 16 /* answers, before a refused span is tried again */
#define TEXT_MAX     1024

uint64_t range_end(const struct range *r, uint64_t from, uint64_t to)
{
	if (r->span && to - from >= r->span)
		return from + r->span - 1;
	return to;
}

void range_passed(struct range *r, uint64_t blocks)
{
	uint64_t wider;

	if (r->ceiling && ++r->passed >= REGROW_AFTER) {
		r->ceiling = 0;
		r->passed = 0;
	}
	/* A short question, at the end of what there is, shows nothing. */
	if (!r->span || blocks < r->span)
		return;
	wider = r->span > UINT64_MAX / 2 ? UINT64_MAX : r->span * 2;
	if (r->limit && wider > r->limit)
		wider = r->limit;
	if (r->ceiling && wider >= r->ceiling)
		return;
	r->span = wider;
}

/* --- what a refusal says --- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool says(struct view text, const char *word)
{
	size_t n = strlen(word), k;

	for (size_t at = 0; at + n <= text.n; at++) {
		for (k = 0; k < n && lower(text.p[at + k]) == (uint8_t)word[k]; k++)
			;
		if (k == n)
			return true;
	}
	return false;
}

static bool says_any(struct view text, const char *const *words)
{
	for (; *words; words++)
		if (says(text, *words))
			return true;
	return false;
}

static int digit_of(uint8_t c, unsigned base)
{
	int d = c >= '0' && c <= '9' ? c - '0' :
		lower(c) >= 'a'      ? lower(c) - 'a' + 10 :
				       99;

	return d < (int)base ? d : -1;
}

static bool is_letter(uint8_t c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/*
 * Take a number off the front of *text, which begins with a digit: 0x1f, 5000,
 * 10,000, 2k, 10K, 1M. Returns false when it is too large to mean anything.
 */
static bool take_number(struct view *text, uint64_t *out)
{
	unsigned base = view_starts(*text, "0x") || view_starts(*text, "0X") ? 16 : 10;
	size_t at = base == 16 ? 2 : 0;
	uint64_t value = 0, scale = 1;
	bool fits = true;

	for (; at < text->n; at++) {
		int d = digit_of(text->p[at], base);

		if (d < 0 && base == 10 && text->p[at] == ',' && at + 3 < text->n &&
			digit_of(text->p[at + 1], 10) >= 0 &&
			digit_of(text->p[at + 2], 10) >= 0 &&
			digit_of(text->p[at + 3], 10) >= 0)
			continue;
		if (d < 0)
			break;
		fits = fits && value < UINT64_MAX / 16 - 16;
		value = fits ? value * base + (unsigned)d : value;
	}
	if (base == 10 && at < text->n &&
		(at + 1 == text->n || !is_letter(text->p[at + 1]))) {
		scale = lower(text->p[at]) == 'k' ? 1000 :
			lower(text->p[at]) == 'm' ? 1000000 :
						    1;
		at += scale > 1;
	}
	*text = view_from(*text, at);
	fits = fits && value <= UINT64_MAX / scale;
	*out = fits ? value * scale : 0;
	return fits;
}

/* The next number in *text, which moves behind it; false at the end. */
static bool next_number(struct view *text, uint64_t *out)
{
	bool within = false; /* a word: "x509", "v2" are no numbers */

	while (text->n) {
		uint8_t c = text->p[0];

		if (digit_of(c, 10) >= 0 && !within) {
			if (take_number(text, out))
				return true;
			continue;
		}
		within = is_letter(c) || (within && digit_of(c, 10) >= 0);
		*text = view_from(*text, 1);
	}
	return false;
}

/* "[0x1, 0x7f]" anywhere: a range that would pass. */
static bool find_suggestion(struct view text, uint64_t *from, uint64_t *to)
{
	while (text.n) {
		struct view rest;
		size_t at = view_find(text, '[');

		if (at == text.n)
			return false;
		text = rest = view_from(text, at + 1);
		while (rest.n && rest.p[0] == ' ')
			rest = view_from(rest, 1);
		if (!rest.n || digit_of(rest.p[0], 10) < 0 || !take_number(&rest, from))
			continue;
		while (rest.n &&
			(rest.p[0] == ' ' || rest.p[0] == ',' || rest.p[0] == '-'))
			rest = view_from(rest, 1);
		if (!rest.n || digit_of(rest.p[0], 10) < 0 || !take_number(&rest, to))
			continue;
		if (rest.n && (rest.p[0] == ']' || rest.p[0] == ' '))
			return true;
	}
	return false;
}

/* The text speaks of a number of results, not of blocks, as the limit. */
static bool counts_results(struct view text)
{
	static const char *const results[] = {
		"result", " logs", "records", "events", "entries", "response", NULL};
	static const char *const blocks[] = {"block range", "blocks", "block limit",
		"range limit", "range is limited", "range size", "range: ", NULL};

	return says_any(text, results) && !says_any(text, blocks);
}

/*
 * The number of blocks that the text names as its limit: the largest number
 * that is at most half of what was asked ("requested 20000, at most 1000").
 * 0: none.
 */
static uint64_t find_limit(struct view text, uint64_t asked)
{
	uint64_t best = 0, n;

	if (counts_results(text))
		return 0;
	/* What follows may be about results: "a 2K block range or 10K logs". */
	while (next_number(&text, &n))
		if (n && n <= asked / 2 && n > best && n != 32005 && n != 32602)
			best = n;
	return best;
}

static bool is_rate(int64_t code, struct view text)
{
	static const char *const rate[] = {"rate limit", "rate-limit", "ratelimit",
		"too many requests", "request rate", "per second", "request count",
		"compute units", "throughput", "capacity", "quota", "credits", NULL};

	return code == 429 || says_any(text, rate);
}

static bool is_size(int64_t code, struct view text)
{
	static const char *const size[] = {"range", "too many", "more than", "too large",
		"too wide", "too big", "limit", "exceed", "timeout", "timed out",
		"maximum", "response size", "at most", "up to", "larger than",
		"query returned", NULL};
	static const char *const other[] = {"not found", "unknown block", "pruned",
		"missing trie", "beyond current head", "after last", "not supported",
		"unsupported", "invalid block range params", "begin > end", NULL};

	if (says_any(text, other))
		return false;
	return code == -32005 || code == 413 || says_any(text, size);
}

static enum range_verdict smaller(struct range *r, uint64_t asked, uint64_t to)
{
	if (asked <= 1)
		return RANGE_SINGLE;
	r->span = to && to < asked ? to : asked / 2;
	if (r->limit && r->span > r->limit)
		r->span = r->limit;
	return RANGE_SMALLER;
}

enum range_verdict range_broke(struct range *r, uint64_t from, uint64_t to)
{
	uint64_t asked = to - from + 1;

	r->ceiling = asked;
	r->passed = 0;
	return smaller(r, asked, 0);
}

enum range_verdict range_refused(struct range *r, uint64_t from, uint64_t to,
	int64_t code, struct view message, struct view data)
{
	uint64_t asked = to - from + 1, low, high, limit;

	message = view_head(message, TEXT_MAX);
	data = view_head(data, TEXT_MAX);
	if (is_rate(code, message) || is_rate(code, data))
		return RANGE_LATER;
	if (!is_size(code, message) && !is_size(0, data))
		return RANGE_OTHER;
	if ((find_suggestion(message, &low, &high) ||
		    find_suggestion(data, &low, &high)) &&
		low == from && high >= from && high < to) {
		r->ceiling = asked;
		r->passed = 0;
		return smaller(r, asked, high - from + 1);
	}
	limit = find_limit(message, asked);
	if (!limit)
		limit = find_limit(data, asked);
	if (limit) {
		r->limit = limit;
		return smaller(r, asked, limit);
	}
	return range_broke(r, from, to);
}
