/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/sections.h"

#include "base/escape.h"

#define LINE_BYTES_MAX 1000
#define NAME_MAX_BYTES 31

struct reading {
	const char *name;
	const struct sections_hooks *hooks;
	struct buffer *errors;
	unsigned line, begun, n_errors;
	bool inside; /* a section that was accepted */
	bool passed; /* one that was not */
};

static void complain(struct reading *r, unsigned line, const char *what)
{
	r->n_errors++;
	buffer_printf(r->errors, "%s:%u: %s\n", r->name, line, what);
}

static void end_section(struct reading *r)
{
	struct error err = {""};

	if (r->inside && r->hooks->end(r->hooks->context, &err))
		complain(r, r->begun, err.text);
	r->inside = r->passed = false;
}

static bool is_name(struct view name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '-' ||
			    (name.p[i] >= '0' && name.p[i] <= '9')))
			return false;
	return name.n && name.n <= NAME_MAX_BYTES;
}

static void on_section(struct reading *r, struct view line)
{
	struct view name = view_trim(view_head(view_from(line, 1), line.n - 2));
	struct error err = {""};

	end_section(r);
	r->begun = r->line;
	r->passed = true;
	if (line.n < 2 || line.p[line.n - 1] != ']')
		complain(r, r->line, "the section's name has no end; close it with ]");
	else if (!is_name(name))
		complain(r, r->line,
			"the section's name is none: up to 31 of a-z, 0-9 and -");
	else if (r->hooks->begin(r->hooks->context, name, &err))
		complain(r, r->line, err.text);
	else
		r->inside = true;
}

static void on_line(struct reading *r, struct view line)
{
	size_t equal = view_find(line, '=');
	struct error err = {""};

	if (!line.n || line.p[0] == '#')
		return;
	if (line.n > LINE_BYTES_MAX)
		complain(r, r->line, "is longer than 1000 bytes");
	else if (!text_is_clean(line) && view_find(line, '\t') == line.n)
		complain(r, r->line, "holds control characters; write plain text");
	else if (line.p[0] == '[')
		on_section(r, line);
	else if (equal == line.n || !equal)
		complain(r, r->line, "is no \"key = value\"");
	else if (r->inside &&
		r->hooks->value(r->hooks->context, view_trim(view_head(line, equal)),
			view_trim(view_from(line, equal + 1)), &err))
		complain(r, r->line, err.text);
	else if (!r->inside && !r->passed && !r->n_errors)
		complain(r, r->line, "stands before the first [section]");
}

int sections_read(const char *name, struct view text, const struct sections_hooks *hooks,
	struct buffer *errors)
{
	struct reading r = {.name = name, .hooks = hooks, .errors = errors};

	if (view_starts(text, "\xef\xbb\xbf"))
		text = view_from(text, 3);
	while (text.n) {
		size_t n = view_find(text, '\n');

		r.line++;
		on_line(&r, view_trim(view_head(text, n)));
		text = view_from(text, n + 1);
	}
	end_section(&r);
	return r.n_errors ? -1 : 0;
}
