/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/tool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"
#include "sense/honeypot/answer_text.h"
#include "sense/honeypot/sections.h"
#include "sense/honeypot/tools_builtin.h"

#define TEXT_MAX 256 /* bytes of a field that are looked at */

enum tool_field {
	FIELD_METHOD,
	FIELD_AGENT,
	FIELD_FROM_NAME,
	FIELD_FROM_USER,
	FIELD_FROM_HOST,
	FIELD_TO_USER,
	FIELD_FROM_TAG,
	FIELD_TAG_TEXT,
	FIELD_TAG_USER,
	FIELD_TAG_TARGET,
	FIELD_CALL_ID,
	FIELD_BRANCH,
	FIELD_CONTACT,
	FIELD_TARGET,
	FIELD_ORDER,
	FIELDS
};

_Static_assert(FIELDS == TOOL_FIELDS, "struct honeypot_tools counts the fields");
_Static_assert(TOOLS_MAX <= 64, "a word has a bit for each tool");

static const char *const field_names[FIELDS] = {"method", "agent", "from-name",
	"from-user", "from-host", "to-user", "from-tag", "tag-text", "tag-user",
	"tag-target", "call-id", "branch", "contact", "target", "order"};

enum token { TOKEN_LETTER, TOKEN_ONE, TOKEN_ANY, TOKEN_DIGITS, TOKEN_HEX };

/* The fields of one request; what has to be made is made when first asked for. */
struct fields {
	const struct sip_message *m;
	struct view packet;
	bool made[FIELDS];
	size_t n[FIELDS];
	char tag_text[TEXT_MAX], target[TOOL_TARGET_MAX], order[TEXT_MAX];
};

struct view tools_builtin_text(void)
{
	return view_of(tools_conf, sizeof tools_conf);
}

const struct honeypot_tools *tools_builtin(void)
{
	static struct honeypot_tools builtin;
	struct buffer errors = {.max = 65536};

	if (builtin.n)
		return &builtin;
	if (tools_read(&builtin, "honeypot-tools.conf", tools_builtin_text(), &errors)) {
		fprintf(stderr, "%.*s", (int)errors.n, (const char *)errors.p);
		abort();
	}
	buffer_free(&errors);
	return &builtin;
}

static int begin(void *context, struct view name, struct error *err)
{
	struct honeypot_tools *tools = context;

	if (tools->n == TOOLS_MAX)
		return error_set(err, "there are %d tools already", TOOLS_MAX);
	tools->at[tools->n] = (struct tool){.attack = true};
	view_copy(tools->at[tools->n].name, TOOL_NAME_MAX, name);
	tools->n++;
	return 0;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static int read_pattern(
	struct tool *t, uint8_t field, struct view text, struct error *err)
{
	struct tool_pattern *p = &t->patterns[t->n_patterns];

	if (t->n_patterns == TOOL_PATTERNS_MAX)
		return error_set(
			err, "a tool has at most %d patterns", TOOL_PATTERNS_MAX);
	if (text.n > TOOL_PATTERN_MAX)
		return error_set(
			err, "a pattern has at most %d characters", TOOL_PATTERN_MAX);
	p->field = field;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i], kind;

		kind = c == '*'  ? TOKEN_ANY :
			c == '?' ? TOKEN_ONE :
			c == '#' ? TOKEN_DIGITS :
			c == '%' ? TOKEN_HEX :
				   TOKEN_LETTER;
		if (c == '\\' && ++i == text.n)
			return error_set(
				err, "ends in a backslash; nothing is behind it");
		p->kind[p->n] = kind;
		p->letter[p->n++] = lower(text.p[i]);
	}
	t->n_patterns++;
	return 0;
}

static int value(void *context, struct view key, struct view v, struct error *err)
{
	struct honeypot_tools *tools = context;
	struct tool *t = &tools->at[tools->n - 1];
	bool *flag;

	for (uint8_t i = 0; i < FIELDS; i++)
		if (view_eq(key, view_str(field_names[i])))
			return read_pattern(t, i, v, err);
	flag = view_eq(key, view_str("attack")) ? &t->attack :
		view_eq(key, view_str("quiet")) ? &t->quiet :
						  NULL;
	if (!flag)
		return error_set(err,
			"a tool has no key \"%s\"; see the head of "
			"honeypot-tools.conf",
			escaped(view_head(key, 40)));
	if (!view_eq(v, view_str("yes")) && !view_eq(v, view_str("no")))
		return error_set(err, "is neither yes nor no");
	*flag = view_eq(v, view_str("yes"));
	return 0;
}

static int end(void *context, struct error *err)
{
	struct honeypot_tools *tools = context;
	const struct tool *t = &tools->at[tools->n - 1];

	return t->n_patterns ?
		0 :
		error_set(err, "[%s] has no pattern: it would fit everything", t->name);
}

static bool takes(uint8_t kind, uint8_t letter, uint8_t c)
{
	switch ((enum token)kind) {
	case TOKEN_LETTER:
		return letter == c;
	case TOKEN_DIGITS:
		return c >= '0' && c <= '9';
	case TOKEN_HEX:
		return hex_digit(c) >= 0;
	case TOKEN_ONE:
	case TOKEN_ANY:
	default:
		return true;
	}
}

/* The kind of first character that c is; 0 is that of the empty text. */
static unsigned first_of(uint8_t c)
{
	return 1 + lower(c) % (TOOL_FIRSTS - 1);
}

/* Let the tool through for every first character that its pattern may begin with. */
static void open_pattern(
	uint64_t open[TOOL_FIRSTS], const struct tool_pattern *p, uint64_t bit)
{
	uint8_t kind = p->n ? p->kind[0] : TOKEN_ANY;

	if (kind == TOKEN_ANY)
		open[0] |= bit;
	for (unsigned c = 0; c < 256; c++)
		if (takes(kind, p->n ? p->letter[0] : 0, lower((uint8_t)c)))
			open[first_of((uint8_t)c)] |= bit;
}

static void index_tools(struct honeypot_tools *tools)
{
	for (unsigned f = 0; f < FIELDS; f++)
		for (unsigned i = 0; i < TOOL_FIRSTS; i++)
			tools->open[f][i] = UINT64_MAX;
	for (unsigned i = 0; i < tools->n; i++) {
		const struct tool *t = &tools->at[i];
		uint64_t bit = UINT64_C(1) << i;

		for (unsigned k = 0; k < t->n_patterns; k++) {
			uint64_t may[TOOL_FIRSTS] = {0}, *open;

			open = tools->open[t->patterns[k].field];
			open_pattern(may, &t->patterns[k], bit);
			for (unsigned c = 0; c < TOOL_FIRSTS; c++)
				open[c] &= may[c] | ~bit;
		}
	}
}

int tools_read(struct honeypot_tools *tools, const char *name, struct view text,
	struct buffer *errors)
{
	struct sections_hooks hooks = {tools, begin, value, end};
	int rc = sections_read(name, text, &hooks, errors);

	index_tools(tools);
	return rc;
}

/* The text that a tag of hex digits spells, or "". Returns its length. */
static size_t tag_text(char dst[TEXT_MAX], struct view tag)
{
	uint8_t bytes[TEXT_MAX];
	size_t n = tag.n / 2;

	dst[0] = 0;
	if (!tag.n || tag.n % 2 || n >= TEXT_MAX || hex_decode(bytes, n, tag))
		return 0;
	for (size_t i = 0; i < n; i++)
		dst[i] = bytes[i] < ' ' || bytes[i] > '~' ? '.' : (char)bytes[i];
	dst[n] = 0;
	return n;
}

bool tool_target(char dst[TOOL_TARGET_MAX], struct view from_tag)
{
	uint8_t text[14], bytes[6];

	dst[0] = 0;
	/* Twelve hex digits, spelt in hex, and \1. */
	if (from_tag.n < 28 || hex_decode(text, 13, view_head(from_tag, 26)) ||
		text[12] != 1 || hex_decode(bytes, 6, view_of(text, 12)) ||
		!be16_load(bytes + 4))
		return false;
	snprintf(dst, TOOL_TARGET_MAX, "%u.%u.%u.%u:%u", bytes[0], bytes[1], bytes[2],
		bytes[3], be16_load(bytes + 4));
	return true;
}

/* The names of the headers, one space between. */
static size_t order_of(char dst[TEXT_MAX], struct view packet)
{
	struct header_walk w = header_walk_begin(packet);
	struct view name, v;
	size_t n = 0;

	while (header_walk_next(&w, &name, &v) && n + name.n + 2 < TEXT_MAX) {
		if (n)
			dst[n++] = ' ';
		memcpy(dst + n, name.p, name.n);
		n += name.n;
	}
	return n;
}

static struct view made_field(struct fields *f, uint8_t field)
{
	struct view user = f->m->from.parts.user, text;

	if (!f->made[FIELD_TAG_TEXT]) {
		f->n[FIELD_TAG_TEXT] = tag_text(f->tag_text, f->m->from.tag);
		f->made[FIELD_TAG_TEXT] = true;
	}
	text = view_of(f->tag_text, f->n[FIELD_TAG_TEXT]);
	if (field == FIELD_TAG_TEXT)
		return text;
	if (field == FIELD_TAG_USER)
		return view_str(user.n && text.n > user.n &&
					view_eq(view_head(text, user.n), user) &&
					text.p[user.n] == '.' ?
				"yes" :
				"");
	if (field == FIELD_TAG_TARGET) {
		tool_target(f->target, f->m->from.tag);
		return view_str(f->target[0] ? f->target : "");
	}
	if (!f->made[FIELD_ORDER])
		f->n[FIELD_ORDER] = order_of(f->order, f->packet);
	f->made[FIELD_ORDER] = true;
	return view_of(f->order, f->n[FIELD_ORDER]);
}

/* Whether a field stands in the message as it is. */
static bool stands(uint8_t field)
{
	return field != FIELD_TAG_TEXT && field != FIELD_TAG_USER &&
		field != FIELD_TAG_TARGET && field != FIELD_ORDER;
}

static struct view field_of(struct fields *f, uint8_t field)
{
	const struct sip_message *m = f->m;

	switch ((enum tool_field)field) {
	case FIELD_METHOD:
		return m->method_name;
	case FIELD_AGENT:
		return m->agent;
	case FIELD_FROM_NAME:
		return m->from.display;
	case FIELD_FROM_USER:
		return m->from.parts.user;
	case FIELD_FROM_HOST:
		return m->from.parts.host;
	case FIELD_TO_USER:
		return m->to.parts.user;
	case FIELD_FROM_TAG:
		return m->from.tag;
	case FIELD_CALL_ID:
		return m->call_id;
	case FIELD_BRANCH:
		return m->via.branch;
	case FIELD_CONTACT:
		return m->contact.uri;
	case FIELD_TARGET:
		return m->uri;
	case FIELD_TAG_TEXT:
	case FIELD_TAG_USER:
	case FIELD_TAG_TARGET:
	case FIELD_ORDER:
	case FIELDS:
	default:
		return made_field(f, field);
	}
}

/*
 * All ways to match at once, one letter after the other: no text, however it is made,
 * takes more steps than its letters times the pattern's tokens.
 */
static bool matches(const struct tool_pattern *p, struct view text)
{
	bool now[TOOL_PATTERN_MAX + 2], next[TOOL_PATTERN_MAX + 2];
	bool alive = true;
	size_t plain = 0;

	text = view_head(text, TEXT_MAX);
	/* Up to its first sign a pattern is matched in one way alone; most end there. */
	while (plain < p->n && p->kind[plain] == TOKEN_LETTER) {
		if (plain == text.n || lower(text.p[plain]) != p->letter[plain])
			return false;
		plain++;
	}
	text = view_from(text, plain);
	memset(now, 0, p->n + 2u);
	now[plain] = true;
	for (size_t i = 0; i < text.n && alive; i++) {
		uint8_t c = lower(text.p[i]);

		memset(next, 0, p->n + 2u);
		alive = false;
		for (size_t k = plain; k < p->n; k++) {
			uint8_t kind = p->kind[k];

			if (!now[k])
				continue;
			if (kind == TOKEN_ANY)
				now[k + 1] = true; /* nothing at all */
			if (!takes(kind, p->letter[k], c))
				continue;
			alive = true;
			next[k + 1] |= kind != TOKEN_ANY;
			next[k] |= kind == TOKEN_ANY || kind == TOKEN_DIGITS ||
				kind == TOKEN_HEX;
		}
		memcpy(now, next, p->n + 2u);
	}
	for (size_t k = plain; k < p->n && alive; k++)
		if (now[k] && p->kind[k] == TOKEN_ANY)
			now[k + 1] = true;
	return alive && now[p->n];
}

/* Who is left by the first characters of the fields that need not be made. */
static uint64_t open_tools(const struct honeypot_tools *tools, struct fields *f)
{
	uint64_t open = tools->n < 64 ? (UINT64_C(1) << tools->n) - 1 : UINT64_MAX;

	for (uint8_t i = 0; i < FIELDS; i++) {
		struct view text;

		if (!stands(i))
			continue;
		text = field_of(f, i);
		open &= tools->open[i][text.n ? first_of(text.p[0]) : 0];
	}
	return open;
}

const struct tool *tool_of(const struct honeypot_tools *tools,
	const struct sip_message *m, struct view packet)
{
	struct fields f = {.m = m, .packet = packet};

	/* From the lowest bit on: the first that fits is the one. */
	for (uint64_t open = open_tools(tools, &f); open; open &= open - 1) {
		const struct tool *t = &tools->at[__builtin_ctzll(open)];
		unsigned k = 0;

		while (k < t->n_patterns &&
			matches(&t->patterns[k], field_of(&f, t->patterns[k].field)))
			k++;
		if (k == t->n_patterns)
			return t;
	}
	return NULL;
}
