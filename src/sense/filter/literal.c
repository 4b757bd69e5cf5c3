/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sequence "ab(?:c|d).*xyz" is read from left to right. As long as all that
 * it can match is a short list ("abc", "abd"), the list is kept as `run`; where
 * something open comes (.*), the run is finished, and the best finished run is
 * the answer: here "xyz" or {"abc", "abd"}. Of alternatives, all must have an
 * answer, which is then all of theirs.
 */
#include "sense/filter/literal.h"

#include <ctype.h>
#include <stdlib.h>

#define DEPTH_MAX    40
#define SECOND_LEAST 16
#define ENOUGH       20 /* characters, beyond which longer is not better */

/* What is known of a part of an expression. */
struct part {
	bool exact;              /* `run` is all that it can match */
	struct literal_set run;  /* of a sequence: what its end can be */
	struct literal_set best; /* one of these is in it; count 0: not known */
	struct literal_set next; /* and one of these; the second best */
};

struct parsing {
	const char *at;
	bool nocase;
	bool failed; /* not understood: nothing is known */
	unsigned depth;
};

static const struct literal_set empty = {.count = 1};

/* How good a list is to look for: its shortest text, then its length. */
static int worth(const struct literal_set *s)
{
	unsigned shortest = ENOUGH;

	if (!s->count)
		return -1;
	for (unsigned i = 0; i < s->count; i++)
		if (s->literal[i].n < shortest)
			shortest = s->literal[i].n;
	return shortest < 3 ? -1 :
			      (int)(shortest * LITERALS_MAX + (LITERALS_MAX - s->count));
}

/* One of `other` must be there, too: keep the best two such lists. */
static void require(struct part *p, const struct literal_set *other)
{
	if (worth(other) > worth(&p->best)) {
		p->next = p->best;
		p->best = *other;
	} else if (worth(other) > worth(&p->next)) {
		p->next = *other;
	}
}

/* The run is finished: what follows is open. */
static void finish_run(struct part *p)
{
	require(p, &p->run);
	p->run = empty;
	p->exact = false;
}

/* Whether the date may have stood between the two. */
static bool is_gap(char a, char b)
{
	return (a == ' ' && b == ' ') || (a == '[' && b == ']') ||
		(a == '(' && b == ')') || (a == '<' && b == '>') ||
		(a == '{' && b == '}') || (a == '"' && b == '"') ||
		(a == '\'' && b == '\'');
}

/* One list after another. Returns whether the result is short enough. */
static bool multiply(
	struct literal_set *out, const struct literal_set *a, const struct literal_set *b)
{
	if (!a->count || !b->count || a->count * b->count > LITERALS_MAX)
		return false;
	out->count = 0;
	for (unsigned i = 0; i < a->count; i++)
		for (unsigned k = 0; k < b->count; k++) {
			const struct literal *x = &a->literal[i], *y = &b->literal[k];
			struct literal *z = &out->literal[out->count++];

			if (x->n + y->n > LITERAL_SIZE ||
				(x->n && y->n && is_gap(x->text[x->n - 1], y->text[0])))
				return false;
			memcpy(z->text, x->text, x->n);
			memcpy(z->text + x->n, y->text, y->n);
			z->n = (uint8_t)(x->n + y->n);
		}
	return true;
}

/* p, then next. */
static void append(struct part *p, const struct part *next)
{
	struct literal_set product;

	if (next->exact) {
		if (multiply(&product, &p->run, &next->run)) {
			p->run = product;
			return;
		}
		finish_run(p);
		p->run = next->run;
		return;
	}
	finish_run(p);
	require(p, &next->best);
	require(p, &next->next);
	p->run = next->run;
}

/* a or b. */
static void alternate(struct part *a, const struct part *b)
{
	struct literal_set *all = &a->best;

	if (a->exact && b->exact && a->run.count + b->run.count <= LITERALS_MAX) {
		memcpy(a->run.literal + a->run.count, b->run.literal,
			b->run.count * sizeof b->run.literal[0]);
		a->run.count += b->run.count;
		return;
	}
	if (a->exact || worth(&a->run) > worth(&a->best))
		*all = a->run;
	a->exact = false;
	a->run = empty;
	a->next.count = 0;
	if (worth(all) < 0 || (worth(&b->best) < 0 && worth(&b->run) < 0)) {
		all->count = 0;
		return;
	}
	const struct literal_set *other = b->exact || worth(&b->run) > worth(&b->best) ?
		&b->run :
		&b->best;

	if (all->count + other->count > LITERALS_MAX) {
		all->count = 0;
		return;
	}
	memcpy(all->literal + all->count, other->literal,
		other->count * sizeof other->literal[0]);
	all->count += other->count;
}

static struct part nothing_known(void)
{
	return (struct part){.run = empty};
}

static struct part one_char(const struct parsing *p, char c)
{
	struct part part = {.exact = true, .run = {.count = 1}};

	if (c == '\n' || (unsigned char)c >= 0x80 || !c)
		return nothing_known();
	part.run.literal[0].n = 1;
	part.run.literal[0].text[0] = p->nocase ? (char)tolower((unsigned char)c) : c;
	return part;
}

static struct part zero_width(void)
{
	return (struct part){.exact = true, .run = empty};
}

static struct part parse_alternatives(struct parsing *p);

/* Behind a backslash. */
static struct part parse_escape(struct parsing *p)
{
	char c = *p->at;

	if (!c) {
		p->failed = true;
		return nothing_known();
	}
	p->at++;
	if (!isalnum((unsigned char)c))
		return one_char(p, c);
	if (strchr("bBAZ", c))
		return zero_width();
	if (c == 't')
		return one_char(p, '\t');
	if (c == 'x')
		p->at += strspn(p->at, "0123456789abcdefABCDEF") >= 2 ? 2 : 0;
	else if (c == 'u')
		p->at += strspn(p->at, "0123456789abcdefABCDEF") >= 4 ? 4 : 0;
	else if (isdigit((unsigned char)c))
		p->at += strspn(p->at, "0123456789");
	return nothing_known();
}

/* Behind '['. A short list of plain characters is known. */
static struct part parse_class(struct parsing *p)
{
	struct part part = {.exact = true};
	bool first = true, open = *p->at == '^';

	p->at += open;
	for (; *p->at && (*p->at != ']' || first); first = false) {
		char c = *p->at++;

		if (c == '\\' && *p->at) {
			c = *p->at++;
			open |= isalnum((unsigned char)c);
		}
		if (*p->at == '-' && p->at[1] && p->at[1] != ']')
			open = true;
		if ((unsigned char)c >= 0x80 || part.run.count == 4)
			open = true;
		if (open)
			continue;
		part.run.literal[part.run.count].n = 1;
		part.run.literal[part.run.count++].text[0] = p->nocase ?
			(char)tolower((unsigned char)c) :
			c;
	}
	if (*p->at)
		p->at++;
	else
		p->failed = true;
	return open || !part.run.count ? nothing_known() : part;
}

/* Behind "(?". Returns false when the group is no part of the text. */
static bool parse_group_head(struct parsing *p, bool *opaque)
{
	size_t n = strspn(p->at, "aiLmsux-");

	*opaque = false;
	if (n && (p->at[n] == ':' || p->at[n] == ')')) {
		p->nocase |= strcspn(p->at, "i") < strcspn(p->at, "-:)");
		*opaque = p->at[n] == ')';
		p->at += n + (p->at[n] == ':');
		return true;
	}
	if (*p->at == ':' || *p->at == '>') {
		p->at++;
		return true;
	}
	if (*p->at == 'P' && p->at[1] == '<') {
		p->at += strcspn(p->at, ">");
		p->at += *p->at == '>';
		return true;
	}
	*opaque = true;
	if (*p->at == '#' || *p->at == 'P') {
		p->at += strcspn(p->at, ")");
		return *p->at == 'P';
	}
	if (*p->at == '(') { /* (?(1)a|b) */
		p->at += strcspn(p->at, ")");
		p->at += *p->at == ')';
		return true;
	}
	if (*p->at == '<')
		p->at++;
	p->at += *p->at != 0;
	return false;
}

/* Behind '('. */
static struct part parse_group(struct parsing *p)
{
	bool opaque = false, counts = true, back = false;
	struct part part;

	if (*p->at == '?') {
		p->at++;
		back = p->at[0] == 'P' && p->at[1] == '=';
		counts = parse_group_head(p, &opaque);
	}
	if (++p->depth > DEPTH_MAX) {
		p->failed = true;
		return nothing_known();
	}
	part = parse_alternatives(p);
	p->depth--;
	if (*p->at == ')')
		p->at++;
	else
		p->failed = true;
	if (back)
		return nothing_known();
	if (!counts) /* looks ahead or behind, or says something */
		return zero_width();
	return opaque && part.exact && part.run.count == 1 && !part.run.literal[0].n ?
		zero_width() :
		opaque ? nothing_known() :
			 part;
}

/* {m,n} at p->at: its least count, and whether it is exactly that. */
static bool parse_count(struct parsing *p, unsigned long *least, bool *fixed)
{
	char *end;

	if (!isdigit((unsigned char)p->at[1]) && p->at[1] != ',')
		return false;
	*least = strtoul(p->at + 1, &end, 10);
	*fixed = *end == '}';
	if (*end == ',')
		end += 1 + strspn(end + 1, "0123456789");
	if (*end != '}')
		return false;
	p->at = end + 1;
	return true;
}

/* What follows an item: how often it comes. */
static struct part parse_repeat(struct parsing *p, struct part item)
{
	unsigned long least = 1;
	bool fixed = true, optional = false;
	struct part all;

	if (*p->at == '*' || *p->at == '+' || *p->at == '?') {
		least = *p->at == '+';
		fixed = false;
		optional = *p->at == '?';
		p->at++;
	} else if (*p->at != '{' || !parse_count(p, &least, &fixed)) {
		return item;
	}
	if (*p->at == '?' || *p->at == '+') /* lazy, possessive */
		p->at++;
	if (optional && item.exact && item.run.count < LITERALS_MAX) {
		item.run.literal[item.run.count++].n = 0;
		return item;
	}
	if (!least)
		return nothing_known();
	all = item;
	for (unsigned long i = 1; i < least && i < 8; i++)
		append(&all, &item);
	if (!fixed || least > 8) {
		finish_run(&all);
		all.run = item.exact ? item.run : empty;
	}
	return all;
}

static struct part parse_item(struct parsing *p)
{
	char c = *p->at++;

	switch (c) {
	case '\\':
		return parse_escape(p);
	case '[':
		return parse_class(p);
	case '(':
		return parse_group(p);
	case '.':
		return nothing_known();
	case '^':
	case '$':
		return zero_width();
	default:
		return one_char(p, c);
	}
}

static struct part parse_sequence(struct parsing *p)
{
	struct part all = zero_width();

	while (*p->at && *p->at != '|' && *p->at != ')' && !p->failed) {
		struct part item = parse_repeat(p, parse_item(p));

		append(&all, &item);
	}
	return all;
}

static struct part parse_alternatives(struct parsing *p)
{
	struct part all = parse_sequence(p);

	while (*p->at == '|' && !p->failed) {
		struct part other;

		p->at++;
		other = parse_sequence(p);
		alternate(&all, &other);
	}
	return all;
}

void literals_find(struct literals *out, const char *regex)
{
	struct parsing p = {.at = regex};
	struct part all;

	memset(out, 0, sizeof *out);
	/* Flags may come late, and hold for what stands before them. */
	p.nocase = strstr(regex, "(?i") || strstr(regex, "(?a") || strstr(regex, "(?u") ||
		strstr(regex, "(?m") || strstr(regex, "(?s");
	if (strstr(regex, "(?x") || strstr(regex, "(?-"))
		return;
	all = parse_alternatives(&p);
	if (p.failed || *p.at)
		return;
	require(&all, &all.run);
	if (worth(&all.best) < 0)
		return;
	out->nocase = p.nocase;
	out->first = all.best;
	/* A short one would make the search for all of them slower. */
	if (worth(&all.next) >= SECOND_LEAST * LITERALS_MAX)
		out->second = all.next;
}
