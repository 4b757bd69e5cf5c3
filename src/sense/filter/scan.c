/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/scan.h"
#include "sense/filter/utf8.h"

#include <ctype.h>
#include <stdlib.h>

#define BLOCKS 16384
#define BLOCK  3 /* bytes: two of ordinary English stand in nearly every text */

struct text {
	struct literal literal;
	bool nocase, second; /* second: of the expression's second list */
	uint8_t expression;
	int next; /* in the same bucket; -1 ends */
};

struct scan {
	struct text *texts;
	unsigned count;
	size_t shortest; /* of the texts: what of each is looked for in blocks */
	struct expression_set always, nocase;
	struct expression_set two; /* that need texts of both lists */
	bool any_always, any_nocase;
	uint8_t shift[BLOCKS]; /* by block */
	int bucket[BLOCKS];    /* texts whose first `shortest` bytes end in it */
};

static unsigned block_of(const uint8_t *p)
{
	return ((unsigned)p[0] << 10 ^ (unsigned)p[1] << 5 ^ p[2]) % BLOCKS;
}

static void set_add(struct expression_set *s, unsigned i)
{
	s->bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static void lower_shift(struct scan *s, unsigned block, size_t shift)
{
	if (s->shift[block] > shift)
		s->shift[block] = (uint8_t)shift;
}

/* Each way of writing a block, for a text without case. */
static void add_block(struct scan *s, const struct text *t, size_t at)
{
	size_t shift = s->shortest - BLOCK - at;

	for (unsigned way = 0; way < (t->nocase ? 1u << BLOCK : 1); way++) {
		uint8_t bytes[BLOCK];
		bool again = false; /* a byte without another case */

		for (unsigned i = 0; i < BLOCK; i++) {
			uint8_t c = (uint8_t)t->literal.text[at + i];

			bytes[i] = way >> i & 1 ? (uint8_t)toupper(c) : c;
			again |= (way >> i & 1) && bytes[i] == c;
		}
		if (again)
			continue;
		lower_shift(s, block_of(bytes), shift);
		/* One list a bucket: texts without case stand in up to eight. */
		if (!shift) {
			struct text *copy = &s->texts[s->count++];

			*copy = *t;
			copy->next = s->bucket[block_of(bytes)];
			s->bucket[block_of(bytes)] = (int)(copy - s->texts);
		}
	}
}

static void add_set(struct scan *s, const struct literals *l, unsigned i, bool second)
{
	const struct literal_set *set = second ? &l->second : &l->first;

	for (unsigned k = 0; k < set->count; k++) {
		struct text t = {.literal = set->literal[k],
			.nocase = l->nocase,
			.second = second,
			.expression = (uint8_t)i};

		for (size_t at = 0; at + BLOCK <= s->shortest; at++)
			add_block(s, &t, at);
	}
}

/* Count a list's texts, and see to the shortest of all. */
static size_t measure(struct scan *s, const struct literal_set *set)
{
	for (unsigned k = 0; k < set->count; k++)
		if (set->literal[k].n < s->shortest)
			s->shortest = set->literal[k].n;
	return set->count;
}

struct scan *scan_new(const struct literals *literals, unsigned count)
{
	struct scan *s = calloc(1, sizeof *s);
	size_t texts = 0;

	if (!s || count > SCAN_EXPRESSIONS)
		goto fail;
	s->shortest = LITERAL_SIZE;
	for (unsigned i = 0; i < count; i++) {
		const struct literals *l = &literals[i];

		if (!l->first.count) {
			set_add(&s->always, i);
			s->any_always = true;
		} else if (l->nocase) {
			set_add(&s->nocase, i);
			s->any_nocase = true;
		}
		if (l->second.count)
			set_add(&s->two, i);
		texts += measure(s, &l->first) + measure(s, &l->second);
	}
	s->texts = calloc((texts << BLOCK) + 1, sizeof *s->texts);
	if (!s->texts)
		goto fail;
	memset(s->shift, (int)(s->shortest - BLOCK + 1), sizeof s->shift);
	memset(s->bucket, 0xff, sizeof s->bucket);
	for (unsigned i = 0; i < count; i++) {
		add_set(s, &literals[i], i, false);
		add_set(s, &literals[i], i, true);
	}
	return s;
fail:
	scan_free(s);
	return NULL;
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	free(s->texts);
	free(s);
}

static bool same(const struct text *t, const uint8_t *p)
{
	if (!t->nocase)
		return memcmp(t->literal.text, p, t->literal.n) == 0;
	for (unsigned i = 0; i < t->literal.n; i++)
		if (tolower(p[i]) != t->literal.text[i])
			return false;
	return true;
}

/* What was found of each expression's first and second list. */
struct seen {
	struct expression_set first, second;
};

/* Texts that begin at p, of which n bytes are left. */
static bool check(
	const struct scan *s, int at, const uint8_t *p, size_t n, struct seen *seen)
{
	bool any = false;

	for (; at >= 0; at = s->texts[at].next) {
		const struct text *t = &s->texts[at];

		if (t->literal.n <= n && same(t, p)) {
			set_add(t->second ? &seen->second : &seen->first, t->expression);
			any = true;
		}
	}
	return any;
}

/* Add those expressions of which all was seen. Returns whether there are any. */
static bool conclude(
	const struct scan *s, const struct seen *seen, struct expression_set *found)
{
	bool any = false;

	for (size_t i = 0; i < SCAN_EXPRESSIONS / 64; i++) {
		uint64_t both = seen->first.bits[i] &
			(seen->second.bits[i] | ~s->two.bits[i]);

		found->bits[i] |= both;
		any |= both != 0;
	}
	return any;
}

bool scan_line(const struct scan *s, struct view line, struct expression_set *found)
{
	const uint8_t *p = line.p;
	size_t last = s->shortest - BLOCK, at = last; /* of the block looked at */
	bool any = s->any_always, seen_any = false;
	struct seen seen;

	*found = s->always;
	if (s->any_nocase && ascii_head(line) < line.n) {
		for (size_t i = 0; i < SCAN_EXPRESSIONS / 64; i++)
			found->bits[i] |= s->nocase.bits[i];
		any = true;
	}
	if (!s->count)
		return any;
	memset(&seen, 0, sizeof seen);
	while (at + BLOCK <= line.n) {
		unsigned block = block_of(p + at), shift = s->shift[block];

		if (shift) {
			at += shift;
			continue;
		}
		if (s->bucket[block] >= 0)
			seen_any |= check(s, s->bucket[block], p + at - last,
				line.n - (at - last), &seen);
		at++;
	}
	if (seen_any)
		any |= conclude(s, &seen, found);
	return any;
}
