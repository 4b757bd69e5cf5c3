/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_message.h"

#define GREETING_MAX 256

static const char message_end[] = "\r\n\r\n";

struct view ami_message_get(const struct ami_message *m, const char *key)
{
	for (size_t i = 0; i < m->count; i++)
		if (view_eq(m->field[i].key, view_str(key)))
			return m->field[i].value;
	return (struct view){0};
}

bool ami_message_is(const struct ami_message *m, const char *key, const char *name)
{
	return m->count && view_eq(m->field[0].key, view_str(key)) &&
		view_eq(m->field[0].value, view_str(name));
}

/* Index of the first CR LF, or text.n; other breaks on the way are a fault. */
static size_t line_end(struct ami_message *m, struct view text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			return i;
		if (c == '\r' || c == '\n' || !c)
			m->faults |= AMI_BARE_BREAK;
	}
	return text.n;
}

static bool same_key(struct view a, struct view b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i] && (a.p[i] | 0x20) != (b.p[i] | 0x20))
			return false;
	return true;
}

/*
 * Asterisk repeats this key alone: one line for each variable that manager.conf's
 * channelvars= names, with DestChanVariable and its like for the other channels.
 */
static bool may_repeat(struct view key)
{
	static const char name[] = "ChanVariable";
	size_t n = sizeof name - 1;

	return key.n >= n && view_eq(view_from(key, key.n - n), view_str(name));
}

static void add_line(struct ami_message *m, struct view line)
{
	size_t colon = view_find(line, ':');
	struct ami_field *f = &m->field[m->count];

	if (line.n > AMI_LINE_MAX || m->count == AMI_FIELDS_MAX) {
		m->faults |= AMI_OVERSIZE;
		return;
	}
	if (!colon || colon + 1 >= line.n || line.p[colon + 1] != ' ') {
		m->faults |= AMI_NO_FIELD;
		return;
	}
	f->key = view_head(line, colon);
	f->value = view_from(line, colon + 2);
	for (size_t i = 0; i < m->count; i++)
		if (same_key(m->field[i].key, f->key) && !may_repeat(f->key))
			m->faults |= AMI_DUPLICATE;
	m->count++;
}

void ami_message_split(struct ami_message *out, struct view text)
{
	out->count = 0;
	out->faults = 0;
	while (text.n) {
		size_t end = line_end(out, text);

		add_line(out, view_head(text, end));
		text = view_from(text, end + 2);
	}
	if (out->faults & AMI_OVERSIZE)
		out->count = 0;
}

/* Append and look for the end of the message that begins at `from`. */
static size_t find_end(const struct ami_reader *r, size_t from, size_t looked)
{
	struct view text = view_of(r->rest.p, r->rest.n);

	return looked + view_find_str(view_from(text, looked), message_end) - from;
}

/* Too long without an end: say so once, and keep only what may begin one. */
static bool cut(struct ami_reader *r, ami_message_fn *fn, void *context)
{
	static const struct ami_message oversize = {.faults = AMI_OVERSIZE};
	bool go_on = r->skipping || fn(context, &oversize);

	r->skipping = true;
	buffer_consume(&r->rest, r->rest.n - (sizeof message_end - 2));
	r->looked = 0;
	return go_on;
}

int ami_reader_feed(
	struct ami_reader *r, struct view bytes, ami_message_fn *fn, void *context)
{
	static struct ami_message m; /* 8 KiB: not for the stack, and no threads */
	size_t from = 0;
	bool go_on = true;

	if (bytes.n && buffer_put(&r->rest, bytes.p, bytes.n))
		return -1;
	while (go_on) {
		size_t looked = from + r->looked;
		size_t n = find_end(r, from, looked);

		if (from + n >= r->rest.n)
			break;
		r->looked = 0;
		if (!r->skipping) {
			ami_message_split(&m, view_of(r->rest.p + from, n));
			go_on = fn(context, &m);
		}
		r->skipping = false;
		from += n + sizeof message_end - 1;
	}
	buffer_consume(&r->rest, go_on ? from : r->rest.n);
	/* An end may begin in the last three bytes. */
	r->looked = r->rest.n > 3 ? r->rest.n - 3 : 0;
	if (r->rest.n > AMI_MESSAGE_MAX && !cut(r, fn, context))
		buffer_consume(&r->rest, r->rest.n);
	return 0;
}

int ami_reader_line(struct ami_reader *r, struct view bytes, struct view *line)
{
	static uint8_t kept[GREETING_MAX];
	struct view text;
	size_t end;

	if (bytes.n && buffer_put(&r->rest, bytes.p, bytes.n))
		return -1;
	text = view_of(r->rest.p, r->rest.n);
	end = view_find_str(text, "\r\n");
	if (end >= GREETING_MAX)
		return text.n >= GREETING_MAX ? -1 : 0;
	if (end == text.n)
		return 0;
	memcpy(kept, text.p, end);
	*line = view_of(kept, end);
	buffer_consume(&r->rest, end + 2);
	return 1;
}

void ami_reader_free(struct ami_reader *r)
{
	buffer_free(&r->rest);
	r->looked = 0;
	r->skipping = false;
}
