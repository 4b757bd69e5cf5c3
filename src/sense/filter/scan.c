/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/scan.h"
#include "sense/filter/utf8.h"

#include <ctype.h>
#include <endian.h>
#include <stdlib.h>

#define BLOCKS_BITS 13
#define BLOCKS      (1 << BLOCKS_BITS)
#define HALF        256 /* bytes, see scan_skip() */
#define BLOCK       3   /* bytes: two of ordinary English stand in nearly every text */

struct text {
	struct literal literal;
	bool nocase, second; /* second: of the expression's second list */
	uint8_t expression;
	int next; /* in the same bucket; -1 ends */
};

/* Texts, and how they are found. */
struct text_table {
	struct text *texts;
	unsigned count;
	size_t shortest;       /* of the texts: what of each is looked for in blocks */
	size_t last;           /* of its blocks: where it begins */
	uint8_t shift[BLOCKS]; /* by block */
	int bucket[BLOCKS];    /* texts whose first `shortest` bytes end in it */
};

/*
 * all has every text and says which expressions can match a line. keys has one list
 * of each expression, the one with the longer texts, and finds such lines among
 * others: the longer, and the fewer, the further it goes at once.
 */
struct scan {
	struct text_table all, keys;
	struct expression_set always, nocase;
	struct expression_set two; /* that need texts of both lists */
	bool any_always, any_nocase;
};

static unsigned block_of(const uint8_t *p)
{
	uint32_t three = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

	return three * UINT32_C(0x9e3779b1) >> (32 - BLOCKS_BITS);
}

/* The same, where a fourth byte can be read. */
static unsigned block_in(const uint8_t *p)
{
	uint32_t four;

	memcpy(&four, p, sizeof four);
	return (le32toh(four) & 0xffffff) * UINT32_C(0x9e3779b1) >> (32 - BLOCKS_BITS);
}

static void set_add(struct expression_set *s, unsigned i)
{
	s->bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static void lower_shift(struct text_table *t, unsigned block, size_t shift)
{
	if (t->shift[block] > shift)
		t->shift[block] = (uint8_t)shift;
}

/* Each way of writing a block, for a text without case. */
static void add_block(struct text_table *t, const struct text *text, size_t at)
{
	size_t shift = t->last - at;

	for (unsigned way = 0; way < (text->nocase ? 1u << BLOCK : 1); way++) {
		uint8_t bytes[BLOCK];
		bool again = false; /* a byte without another case */

		for (unsigned i = 0; i < BLOCK; i++) {
			uint8_t c = (uint8_t)text->literal.text[at + i];

			bytes[i] = way >> i & 1 ? (uint8_t)toupper(c) : c;
			again |= (way >> i & 1) && bytes[i] == c;
		}
		if (again)
			continue;
		lower_shift(t, block_of(bytes), shift);
		/* One list a bucket: texts without case stand in up to eight. */
		if (!shift) {
			struct text *copy = &t->texts[t->count++];

			*copy = *text;
			copy->next = t->bucket[block_of(bytes)];
			t->bucket[block_of(bytes)] = (int)(copy - t->texts);
		}
	}
}

static void add_set(
	struct text_table *t, const struct literals *l, unsigned i, bool second)
{
	const struct literal_set *set = second ? &l->second : &l->first;

	for (unsigned k = 0; k < set->count; k++) {
		struct text text = {.literal = set->literal[k],
			.nocase = l->nocase,
			.second = second,
			.expression = (uint8_t)i};

		for (size_t at = 0; at <= t->last; at++)
			add_block(t, &text, at);
	}
}

/* The shortest of a list's texts. */
static size_t shortest_of(const struct literal_set *set)
{
	size_t shortest = LITERAL_SIZE;

	for (unsigned k = 0; k < set->count; k++)
		if (set->literal[k].n < shortest)
			shortest = set->literal[k].n;
	return shortest;
}

/* Which list of an expression keys has. */
static bool key_is_second(const struct literals *l)
{
	return l->second.count && shortest_of(&l->second) > shortest_of(&l->first);
}

/* Make a table: of one list of each, or both. Returns 0, or -1: no memory. */
static int table_make(
	struct text_table *t, const struct literals *literals, unsigned count, bool keys)
{
	size_t texts = 0;

	t->shortest = LITERAL_SIZE;
	for (unsigned i = 0; i < count; i++)
		for (int second = 0; second < 2; second++) {
			const struct literals *l = &literals[i];
			const struct literal_set *set = second ? &l->second : &l->first;

			if (keys && key_is_second(l) != second)
				continue;
			texts += set->count;
			if (shortest_of(set) < t->shortest)
				t->shortest = shortest_of(set);
		}
	t->last = t->shortest - BLOCK;
	t->texts = calloc((texts << BLOCK) + 1, sizeof *t->texts);
	if (!t->texts)
		return -1;
	memset(t->shift, (int)(t->last + 1), sizeof t->shift);
	memset(t->bucket, 0xff, sizeof t->bucket);
	for (unsigned i = 0; i < count; i++)
		for (int second = 0; second < 2; second++)
			if (!keys || key_is_second(&literals[i]) == second)
				add_set(t, &literals[i], i, second);
	return 0;
}

struct scan *scan_new(const struct literals *literals, unsigned count)
{
	struct scan *s = calloc(1, sizeof *s);

	if (!s || count > SCAN_EXPRESSIONS)
		goto fail;
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
	}
	if (table_make(&s->all, literals, count, false) ||
		table_make(&s->keys, literals, count, true))
		goto fail;
	return s;
fail:
	scan_free(s);
	return NULL;
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	free(s->all.texts);
	free(s->keys.texts);
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
	const struct text_table *t, int at, const uint8_t *p, size_t n, struct seen *seen)
{
	bool any = false;

	for (; at >= 0; at = t->texts[at].next) {
		const struct text *text = &t->texts[at];

		if (text->literal.n > n || !same(text, p))
			continue;
		any = true;
		if (!seen)
			break;
		set_add(text->second ? &seen->second : &seen->first, text->expression);
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
	const struct text_table *t = &s->all;
	const uint8_t *p = line.p;
	size_t at = t->last; /* the block looked at */
	bool any = s->any_always, seen_any = false;
	struct seen seen;

	*found = s->always;
	if (s->any_nocase && ascii_head(line) < line.n) {
		for (size_t i = 0; i < SCAN_EXPRESSIONS / 64; i++)
			found->bits[i] |= s->nocase.bits[i];
		any = true;
	}
	if (!t->count)
		return any;
	memset(&seen, 0, sizeof seen);
	while (at + BLOCK <= line.n) {
		unsigned block = block_of(p + at), shift = t->shift[block];

		if (shift) {
			at += shift;
			continue;
		}
		if (t->bucket[block] >= 0)
			seen_any |= check(t, t->bucket[block], p + at - t->last,
				line.n - (at - t->last), &seen);
		at++;
	}
	if (seen_any)
		any |= conclude(s, &seen, found);
	return any;
}

/* Whether a key begins where its head would end in the block at `at`. */
static bool begins(const struct text_table *t, struct view text, size_t at)
{
	int bucket = t->bucket[block_of(text.p + at)];

	return bucket >= 0 &&
		check(t, bucket, text.p + at - t->last, text.n - (at - t->last), NULL);
}

/* From block to block, up to one of a key or one not before `end`. */
static size_t follow(
	const struct text_table *t, struct view text, size_t at, size_t end, bool *found)
{
	while (at < end) {
		unsigned shift = t->shift[block_of(text.p + at)];

		if (!shift && begins(t, text, at)) {
			*found = true;
			break;
		}
		at += shift ? shift : 1;
	}
	return at;
}

/*
 * The same through two halves, side by side: each step waits for the memory that
 * tells how long it is, and what waits can as well wait for two.
 */
static size_t follow_two(
	const struct text_table *t, struct view text, size_t at, bool *found)
{
	size_t half = at + HALF, end = half + HALF, second = half;
	bool later = false;

	while (at < half && second < end) {
		unsigned a = t->shift[block_in(text.p + at)];
		unsigned b = t->shift[block_in(text.p + second)];

		if (!a && begins(t, text, at)) {
			*found = true;
			return at;
		}
		if (!b && begins(t, text, second)) {
			later = true;
			break;
		}
		at += a ? a : 1;
		second += b ? b : 1;
	}
	at = follow(t, text, at, half, found);
	if (*found)
		return at;
	if (later) {
		*found = true;
		return second;
	}
	return follow(t, text, second, end, found);
}

/* Where the line begins in which byte `at` is. */
static size_t line_of(struct view text, size_t at)
{
	while (at && text.p[at - 1] != '\n')
		at--;
	return at;
}

size_t scan_skip(const struct scan *s, struct view text)
{
	const struct text_table *t = &s->keys;
	size_t at = t->last, end, n = text.n;
	bool found = false;

	if (s->any_always || text.n < BLOCK)
		return 0;
	end = text.n - BLOCK + 1;
	while (!found && at < end)
		at = at + 2 * HALF < end ? follow_two(t, text, at, &found) :
					   follow(t, text, at, end, &found);
	if (found)
		n = line_of(text, at - t->last);
	if (s->any_nocase) {
		size_t ascii = ascii_head(view_head(text, n));

		if (ascii < n)
			n = line_of(text, ascii);
	}
	return n;
}
