/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/multiline.h"

#include <stdio.h>
#include <stdlib.h>

/* One line: text[0, before) and text[before, n) around the date. */
struct line {
	size_t n, before, date_n;
	uint8_t *date; /* behind the text */
	uint8_t text[];
};

struct list {
	struct line **p;
	unsigned n;
};

/*
 * kept is what the next line finds; all is what this one found, itself last.
 * matched and unmatched are of the last match, parts of all. Every line in the
 * lists is one of `all` or the one in `own`.
 */
struct multiline {
	unsigned max, aged; /* aged: of `all`, pushed out by this line */
	size_t bytes;
	struct list kept, all, matched, unmatched;
	struct line *own;
};

struct multiline *multiline_new(unsigned maxlines)
{
	struct multiline *m = calloc(1, sizeof *m);
	struct list *lists[4];

	if (!m)
		return NULL;
	lists[0] = &m->kept;
	lists[1] = &m->all;
	lists[2] = &m->matched;
	lists[3] = &m->unmatched;
	m->max = maxlines;
	for (size_t i = 0; i < 4; i++) {
		lists[i]->p = calloc(maxlines + 1, sizeof *lists[i]->p);
		if (!lists[i]->p) {
			multiline_free(m);
			return NULL;
		}
	}
	return m;
}

static bool holds(const struct list *l, const struct line *line)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->p[i] == line)
			return true;
	return false;
}

void multiline_free(struct multiline *m)
{
	if (!m)
		return;
	if (m->own && !holds(&m->kept, m->own))
		free(m->own);
	for (unsigned i = 0; i < m->kept.n; i++)
		free(m->kept.p[i]);
	free(m->kept.p);
	free(m->all.p);
	free(m->matched.p);
	free(m->unmatched.p);
	free(m);
}

static struct line *line_new(struct view before, struct view date, struct view after)
{
	struct line *l = malloc(sizeof *l + before.n + after.n + date.n + 1);

	if (!l)
		return NULL;
	l->before = before.n;
	l->n = before.n + after.n;
	l->date_n = date.n;
	l->date = l->text + l->n;
	if (before.n)
		memcpy(l->text, before.p, before.n);
	if (after.n)
		memcpy(l->text + before.n, after.p, after.n);
	if (date.n)
		memcpy(l->date, date.p, date.n);
	return l;
}

static void copy(struct list *to, const struct list *from)
{
	memcpy(to->p, from->p, from->n * sizeof *to->p);
	to->n = from->n;
}

int multiline_add(
	struct multiline *m, struct view before, struct view date, struct view after)
{
	struct line *l = line_new(before, date, after);

	if (!l)
		return -1;
	m->aged = 0;
	m->bytes += l->n;
	m->kept.p[m->kept.n++] = l;
	while (m->kept.n > m->max || (m->bytes > MULTILINE_BYTES && m->kept.n > 1)) {
		m->bytes -= m->kept.p[0]->n;
		free(m->kept.p[0]);
		memmove(m->kept.p, m->kept.p + 1, --m->kept.n * sizeof *m->kept.p);
		m->aged++;
	}
	copy(&m->all, &m->kept);
	m->matched.n = m->unmatched.n = 0;
	return 0;
}

int multiline_set(struct multiline *m, struct view text)
{
	m->own = line_new(view_of(NULL, 0), view_of(NULL, 0), text);
	if (!m->own)
		return -1;
	m->kept.p[0] = m->own;
	m->kept.n = 1;
	return 0;
}

static void put_list(const struct list *l, struct buffer *out)
{
	for (unsigned i = 0; i < l->n; i++) {
		buffer_put(out, l->p[i]->text, l->p[i]->n);
		buffer_put_u8(out, '\n');
	}
}

void multiline_text(const struct multiline *m, struct buffer *out)
{
	put_list(&m->kept, out);
}

void multiline_matched_text(const struct multiline *m, struct buffer *out)
{
	put_list(&m->matched, out);
}

static unsigned breaks(const struct subject *s, size_t end)
{
	unsigned n = 0;

	for (size_t i = 0; i < end; i++)
		n += s->p[i] == '\n';
	return n;
}

/*
 * Bytes of what ends a line at p, 0: nothing does. As Python's splitlines(), by
 * which fail2ban finds the skipped ones: a line that holds such a character is
 * not found again, and counts as one that the match took.
 */
static size_t line_end(const uint8_t *p, size_t n)
{
	if ((*p >= '\n' && *p <= '\r') || (*p >= 0x1c && *p <= 0x1e))
		return *p == '\r' && n > 1 && p[1] == '\n' ? 2 : 1;
	if (n > 1 && p[0] == 0xc2 && p[1] == 0x85)
		return 2;
	return n > 2 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9) ?
		3 :
		0;
}

/* Move the lines that the match skipped from matched to unmatched. */
static void put_back_skipped(
	struct multiline *m, const struct expression *e, const struct subject *text)
{
	size_t begin, end;
	unsigned group;
	char name[24];

	for (unsigned i = 0, at = 0;; i++) {
		snprintf(name, sizeof name, "skiplines%u", i);
		group = expression_group_find(e, name);
		if (!group)
			return;
		if (!expression_group(e, group, &begin, &end))
			continue;
		while (begin < end) {
			struct view line = view_of(text->p + begin, 0);
			size_t over = 0;

			while (begin < end &&
				!(over = line_end(text->p + begin, end - begin))) {
				line.n++;
				begin++;
			}
			begin += over;
			for (unsigned k = at; k < m->matched.n; k++) {
				struct line *l = m->matched.p[k];

				if (!view_eq(view_of(l->text, l->n), line))
					continue;
				m->unmatched.p[m->unmatched.n++] = l;
				memmove(m->matched.p + k, m->matched.p + k + 1,
					(--m->matched.n - k) * sizeof *m->matched.p);
				at = k;
				break;
			}
		}
	}
}

unsigned multiline_match(
	struct multiline *m, const struct expression *e, const struct subject *text)
{
	size_t begin = 0, end = 0;
	unsigned first, last;

	m->unmatched.n = 0;
	copy(&m->matched, &m->all);
	if (m->all.n <= 1)
		return m->all.n;
	expression_group(e, 0, &begin, &end);
	/* From the beginning of the line in which the match begins ... */
	for (begin = begin < text->n ? begin + 1 : begin;
		begin && text->p[begin - 1] != '\n';)
		begin--;
	/* ... to the end of that in which it ends. */
	for (end = end ? end - 1 : 0; end < text->n && text->p[end] != '\n';)
		end++;
	first = breaks(text, begin);
	last = breaks(text, end < text->n ? end + 1 : text->n);
	first = first < m->all.n ? first : m->all.n;
	last = last < first ? first : last < m->all.n ? last : m->all.n;
	m->unmatched.n = first;
	memcpy(m->unmatched.p, m->all.p, first * sizeof *m->all.p);
	m->matched.n = last - first;
	memcpy(m->matched.p, m->all.p + first, m->matched.n * sizeof *m->all.p);
	put_back_skipped(m, e, text);
	memcpy(m->unmatched.p + m->unmatched.n, m->all.p + last,
		(m->all.n - last) * sizeof *m->all.p);
	m->unmatched.n += m->all.n - last;
	return m->matched.n;
}

void multiline_drop_matched(struct multiline *m)
{
	copy(&m->kept, &m->unmatched);
}

static bool same_line(const struct line *a, const struct line *b)
{
	return a->n == b->n && a->before == b->before && a->date_n == b->date_n &&
		memcmp(a->text, b->text, a->n + a->date_n) == 0;
}

unsigned multiline_done(struct multiline *m)
{
	unsigned gone = 0;

	m->bytes = 0;
	for (unsigned i = 0; i < m->kept.n; i++)
		m->bytes += m->kept.p[i]->n;
	for (unsigned i = 0; i < m->all.n; i++) {
		bool there = false;

		for (unsigned k = 0; k < m->kept.n && !there; k++)
			there = same_line(m->kept.p[k], m->all.p[i]);
		gone += !there && i + 1 < m->all.n;
	}
	for (unsigned i = 0; i < m->all.n; i++)
		if (!holds(&m->kept, m->all.p[i]))
			free(m->all.p[i]);
	if (m->own && !holds(&m->kept, m->own))
		free(m->own);
	m->own = NULL;
	m->all.n = m->matched.n = m->unmatched.n = 0;
	return gone;
}
