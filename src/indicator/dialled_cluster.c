/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "indicator/dial_plan.h"
#include "indicator/dialled_text.h"

/*
 * Strings sorted by their digits from the right are the leaves of a tree in which
 * a node is a tail that those below it have in common:
 *
 *      00 972590000101  \
 *     011 972590000101   > 972590000101, and in front of it 0, 1 and nothing
 *         972590000101  /
 *
 * Who tries prefixes varies what stands before the number, so that the tail in
 * common ends where the number begins.
 */
#define TAIL_LEAST  8 /* digits of a number found in this way */
#define PREFIX_MOST 8 /* characters tried in front of it */
#define NUMBERS     32

struct leaf {
	const char *dialled;
	char text[DIALLED_TEXT + 2];   /* as dialled, + and all */
	char digits[DIALLED_TEXT + 1]; /* those at its end, from the right */
	size_t n, before;              /* digits; what stands in front of them */
};

struct search {
	const struct dial_plan *plan;
	struct leaf leaves[DIALLED_CLUSTER_STRINGS];
	size_t n;
	struct dialled_reading found[NUMBERS];
	size_t count;
};

static bool leaf_of(struct leaf *leaf, const char *dialled)
{
	struct dialled_text t;
	size_t plus;

	dialled_text_read(&t, dialled);
	if (t.name || t.cut || t.n < TAIL_LEAST)
		return false;
	memset(leaf, 0, sizeof(*leaf));
	leaf->dialled = dialled;
	plus = t.plus ? t.plus_at : 0;
	memcpy(leaf->text, t.text, plus);
	if (t.plus)
		leaf->text[plus] = '+';
	memcpy(&leaf->text[plus + t.plus], &t.text[plus], t.n - plus);
	while (leaf->n < t.n && t.text[t.n - leaf->n - 1] >= '0' &&
		t.text[t.n - leaf->n - 1] <= '9') {
		leaf->digits[leaf->n] = t.text[t.n - leaf->n - 1];
		leaf->n++;
	}
	leaf->before = t.n + t.plus - leaf->n;
	return leaf->n >= TAIL_LEAST;
}

static int compare_leaves(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;
	int order = strcmp(x->digits, y->digits);

	return order ? order : strcmp(x->text, y->text);
}

/* Each string once, in order. */
static void plant(struct search *s, const char *const *strings, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n && s->n < DIALLED_CLUSTER_STRINGS; i++)
		if (strings[i] && leaf_of(&s->leaves[s->n], strings[i]))
			s->n++;
	qsort(s->leaves, s->n, sizeof(s->leaves[0]), compare_leaves);
	for (size_t i = 0; i < s->n; i++)
		if (!kept || compare_leaves(&s->leaves[kept - 1], &s->leaves[i]) != 0)
			s->leaves[kept++] = s->leaves[i];
	s->n = kept;
}

/* How many digits of the tail two leaves have in common. */
static size_t common(const struct leaf *a, const struct leaf *b)
{
	size_t n = 0;

	while (n < a->n && n < b->n && a->digits[n] == b->digits[n])
		n++;
	return n;
}

/* The leaves from..to, their common tail, and what they say of a number. */
struct branch {
	size_t from, to;
	char tail[DIALLED_TEXT + 1];
	size_t n;
};

struct votes {
	unsigned variants; /* end in it behind a prefix of some length */
	unsigned by_rule;  /* and are read so by themselves */
	unsigned against;  /* are another number, as far as can be told */
};

static struct branch branch_of(const struct search *s, size_t from, size_t to)
{
	struct branch b = {.from = from, .to = to};

	b.n = common(&s->leaves[from], &s->leaves[to - 1]);
	for (size_t i = 0; i < b.n; i++)
		b.tail[b.n - 1 - i] = s->leaves[from].digits[i];
	return b;
}

/* Whether a leaf is rather another number than this one. */
static bool contradicts(
	const struct leaf *leaf, const struct dialled_reading *own, const char *number)
{
	struct view all = view_str(leaf->text);

	if (own->reading == READ_RULE || own->reading == READ_DOMESTIC)
		return strcmp(own->digits, number) != 0;
	if (own->reading == READ_OWN || own->reading == READ_SHORT)
		return true;
	if (leaf->before == 0 && strcmp(leaf->text, number) != 0 && e164_types(all))
		return true;
	/* Of two numbers one at least must be this one. */
	return own->why == WHY_TWO && strcmp(own->digits, number) != 0 &&
		strcmp(own->other, number) != 0;
}

static struct votes vote(
	const struct search *s, const struct branch *b, const char *number)
{
	struct votes v = {0};
	size_t n = strlen(number);

	for (size_t i = b->from; i < b->to; i++) {
		const struct leaf *leaf = &s->leaves[i];
		struct dialled_reading own;

		if (strlen(leaf->text) - n > PREFIX_MOST)
			continue;
		dialled_read(&own, s->plan, leaf->dialled);
		v.variants++;
		v.by_rule += own.reading == READ_RULE && strcmp(own.digits, number) == 0;
		v.against += contradicts(leaf, &own, number);
	}
	return v;
}

/*
 * The tail itself as a number, where what it may be without its first digit is none
 * as well: that digit could be an outside line in all of them.
 */
static bool tail_is_number(const struct branch *b, bool *doubt)
{
	struct view tail = view_of(b->tail, b->n), less = view_from(tail, 1);
	bool valid = e164_types(tail) > 0;

	if (tail.n > E164_DIGITS || !e164_possible(tail))
		return false;
	*doubt = less.n >= TAIL_LEAST &&
		(e164_types(less) > 0 || (!valid && e164_possible(less)));
	return true;
}

/* The number that a branch stands for; false: none, or doubt. */
static bool number_of(
	const struct search *s, const struct branch *b, char *number, bool *doubt)
{
	struct dialled_reading read;
	bool whole = tail_is_number(b, doubt);

	/* What they have in common may reach into the prefixes: 0 0 972... */
	dialled_read(&read, s->plan, b->tail);
	if (read.reading == READ_RULE && read.why == WHY_PREFIX) {
		if (whole)
			*doubt = true;
		if (strlen(read.digits) < TAIL_LEAST)
			return false;
		memcpy(number, read.digits, sizeof(read.digits));
		return true;
	}
	if (!whole)
		return false;
	memcpy(number, b->tail, b->n + 1);
	return true;
}

static void found(struct search *s, const char *number, unsigned variants)
{
	struct dialled_reading *out = &s->found[s->count];
	struct view digits = view_str(number);

	if (s->count == NUMBERS)
		return;
	*out = (struct dialled_reading){
		.reading = READ_CLUSTER,
		.why = WHY_TAIL,
		.country = (uint8_t)e164_country(digits),
		.types = (uint16_t)e164_types(digits),
		.domestic = dial_plan_domestic(s->plan, digits),
		.variants = (uint16_t)variants,
	};
	memcpy(out->digits, number, digits.n + 1);
	s->count++;
}

static void search(struct search *s, size_t from, size_t to, bool doubtful);

/* The branches that begin with different digits, or none, in front of the tail. */
static void search_below(struct search *s, const struct branch *b, bool doubtful)
{
	size_t from = b->from;

	for (size_t i = b->from + 1; i <= b->to; i++) {
		if (i < b->to &&
			s->leaves[i].digits[b->n] == s->leaves[from].digits[b->n])
			continue;
		/* Leaves that end here are the tail itself: no branch. */
		if (s->leaves[from].digits[b->n])
			search(s, from, i, doubtful);
		from = i;
	}
}

/*
 * doubtful: a shorter tail was no number. Then digits that were tried in front of a
 * number that does not exist could make one up: only a string that says by itself
 * which number it is can tell.
 */
static void search(struct search *s, size_t from, size_t to, bool doubtful)
{
	struct branch b;
	struct votes v;
	char number[DIALLED_TEXT + 1];
	bool doubt = false;

	if (to - from < DIALLED_CLUSTER_LEAST)
		return;
	b = branch_of(s, from, to);
	if (b.n < TAIL_LEAST) {
		search_below(s, &b, doubtful);
		return;
	}
	if (!number_of(s, &b, number, &doubt)) {
		search_below(s, &b, true);
		return;
	}
	v = vote(s, &b, number);
	if (doubt || v.variants < DIALLED_CLUSTER_LEAST || v.against * 5 > v.variants)
		return;
	/* One that was never given out needs a string that says so. */
	if (!v.by_rule && (doubtful || !e164_types(view_str(number))))
		return;
	if (!dial_plan_owns(s->plan, view_str(number)))
		found(s, number, v.variants);
}

static int compare_found(const void *a, const void *b)
{
	const struct dialled_reading *x = a, *y = b;

	if (x->variants != y->variants)
		return x->variants < y->variants ? 1 : -1;
	return strcmp(x->digits, y->digits);
}

size_t dialled_cluster(struct dialled_reading *out, size_t max,
	const struct dial_plan *plan, const char *const *strings, size_t n)
{
	struct search s;

	s.plan = plan;
	s.n = s.count = 0;
	plant(&s, strings, n);
	search(&s, 0, s.n, false);
	qsort(s.found, s.count, sizeof(s.found[0]), compare_found);
	if (s.count < max)
		max = s.count;
	memcpy(out, s.found, max * sizeof(*out));
	return max;
}

bool dialled_ends_in(const char *dialled, const struct dialled_reading *cluster)
{
	struct dialled_text t;
	size_t n = strlen(cluster->digits);

	dialled_text_read(&t, dialled);
	return n && !t.name && !t.cut && t.n >= n &&
		memcmp(&t.text[t.n - n], cluster->digits, n) == 0;
}
