/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/expression.h"
#include "base/escape.h"
#include "base/log.h"
#include "sense/filter/python_regex.h"
#include "sense/filter/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX  (1u << 16) /* bytes of one expression, for PCRE2 */
#define SHOWN_MAX 120

/*
 * Steps (PCRE2's match limit) from one place in the line; the first place that
 * needs more ends the search, after some 10 ms. An expression that is not
 * anchored begins at every byte of it, and may stay just below the limit at each:
 * so that a long line gets fewer. Genuine lines need some 300.
 */
#define STEPS     1000000u
#define LONG_LINE 4096u
#define STEPS_ALL 20000000u

#define HEAP_KB   8192  /* of the interpreter, where there is no JIT */
#define DEPTH     20000 /* of the same */
#define JIT_STACK (256u << 10)

struct expression {
	char *text, *what, *file;
	unsigned line;
	/*
	 * ASCII is searched by bytes, which is faster and finds the same; anything
	 * else as Unicode. bytes is NULL when the expression itself is no ASCII.
	 */
	pcre2_code *bytes, *unicode;
	pcre2_match_data *found;
	const PCRE2_SIZE *places; /* in found: where each group begins and ends */
	pcre2_match_context *limits;
	bool anchored, jit_bytes, jit_unicode, off;
	unsigned groups, strikes, managed;
	uint32_t limit; /* set in limits */
	uint64_t exhausted;
	const char **names; /* by group; into the code's table */
};

/* One for all of them: a role has one thread. */
static pcre2_jit_stack *stack;
static size_t stack_users;

/* Compile in one way. NULL with a text. */
static pcre2_code *compile(
	struct view pattern, uint32_t options, bool *jit, struct error *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR text[160];
	PCRE2_SIZE at;
	pcre2_code *code;
	int error;

	if (!context) {
		error_set(err, "out of memory");
		return NULL;
	}
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile(pattern.p, pattern.n, options, &error, &at, context);
	pcre2_compile_context_free(context);
	if (!code) {
		pcre2_get_error_message(error, text, sizeof text);
		error_set(err, "%s, at \"%s\"", (char *)text,
			escaped(view_head(
				view_from(pattern, at > 10 ? at - 10 : 0), 30)));
		return NULL;
	}
	*jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
	return code;
}

/* The names of the groups, by number. */
static int take_names(struct expression *e)
{
	uint32_t count = 0, size = 0, groups = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(e->unicode, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(e->unicode, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(e->unicode, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(e->unicode, PCRE2_INFO_NAMETABLE, &table);
	e->groups = groups;
	e->names = calloc(groups + 1, sizeof *e->names);
	if (!e->names)
		return -1;
	for (uint32_t i = 0; i < count; i++, table += size)
		e->names[table[0] << 8 | table[1]] = (const char *)(table + 2);
	return 0;
}

static int compile_both(struct expression *e, bool multiline, struct error *err)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C, all = 0;
	struct buffer pattern = {.max = TEXT_MAX};
	struct view text;
	int rc = -1;

	if (multiline)
		options |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
	if (regex_from_python(&pattern, e->text, err))
		goto done;
	text = view_of(pattern.p, pattern.n);
	e->unicode = compile(text, options | PCRE2_UTF | PCRE2_UCP, &e->jit_unicode, err);
	if (!e->unicode)
		goto done;
	if (ascii_head(text) == text.n) {
		e->bytes = compile(text, options, &e->jit_bytes, err);
		if (!e->bytes)
			goto done;
	}
	pcre2_pattern_info(e->unicode, PCRE2_INFO_ALLOPTIONS, &all);
	e->anchored = all & PCRE2_ANCHORED;
	e->found = pcre2_match_data_create_from_pattern(e->unicode, NULL);
	e->limits = pcre2_match_context_create(NULL);
	if (!e->found || !e->limits || !stack || take_names(e)) {
		error_set(err, "out of memory");
		goto done;
	}
	e->places = pcre2_get_ovector_pointer(e->found);
	pcre2_jit_stack_assign(e->limits, NULL, stack);
	pcre2_set_heap_limit(e->limits, HEAP_KB);
	pcre2_set_depth_limit(e->limits, DEPTH);
	rc = 0;
done:
	buffer_free(&pattern);
	return rc;
}

struct expression *expression_new(const char *text, const char *what, const char *file,
	unsigned line, bool multiline, struct error *err)
{
	struct expression *e = calloc(1, sizeof *e);

	if (e && !stack_users++)
		stack = pcre2_jit_stack_create(32768, JIT_STACK, NULL);
	if (!e || !(e->text = strdup(text)) || !(e->what = strdup(what)) ||
		(file && !(e->file = strdup(file)))) {
		expression_free(e);
		error_set(err, "out of memory");
		return NULL;
	}
	e->line = line;
	if (!compile_both(e, multiline, err))
		return e;
	error_prefix(err, "%s", what);
	if (file)
		error_prefix(err, "%s:%u", file, line);
	expression_free(e);
	return NULL;
}

void expression_free(struct expression *e)
{
	if (!e)
		return;
	free(e->names);
	pcre2_match_context_free(e->limits);
	pcre2_match_data_free(e->found);
	pcre2_code_free(e->bytes);
	pcre2_code_free(e->unicode);
	free(e->file);
	free(e->what);
	free(e->text);
	free(e);
	if (!--stack_users) {
		pcre2_jit_stack_free(stack);
		stack = NULL;
	}
}

static uint32_t steps(const struct expression *e, size_t n)
{
	return e->anchored || n <= LONG_LINE ? STEPS : STEPS_ALL / (uint32_t)n;
}

/* A line that was too much. */
static void strike(struct expression *e, int why, size_t n)
{
	char shown[SHOWN_MAX];

	e->exhausted++;
	if (e->exhausted == 1)
		log_warning("%s:%u: %s needs too many steps for a line (%s), which is "
			    "taken as not matching: %s",
			e->file ? e->file : "-", e->line, e->what,
			why == PCRE2_ERROR_MATCHLIMIT ? "match limit" : "memory",
			escape_view(shown, sizeof shown, view_str(e->text)));
	/* Anybody can write a line so long that a fair expression fails at it. */
	if (n > LONG_LINE)
		return;
	e->managed = 0;
	if (++e->strikes < EXPRESSION_STRIKES)
		return;
	e->off = true;
	log_error(
		"%s:%u: %s is switched off until the next reload: %u lines needed too many "
		"steps; write it without nested repetition: %s",
		e->file ? e->file : "-", e->line, e->what, EXPRESSION_STRIKES,
		escape_view(shown, sizeof shown, view_str(e->text)));
}

int expression_search(struct expression *e, const struct subject *s, size_t from)
{
	bool bytes = s->ascii && e->bytes;
	pcre2_code *code = bytes ? e->bytes : e->unicode;
	int rc;

	if (e->off || from > s->n)
		return 0;
	if (e->limit != steps(e, s->n)) {
		e->limit = steps(e, s->n);
		pcre2_set_match_limit(e->limits, e->limit);
	}
	if (bytes ? e->jit_bytes : e->jit_unicode)
		rc = pcre2_jit_match(code, s->p, s->n, from, 0, e->found, e->limits);
	else
		rc = pcre2_match(
			code, s->p, s->n, from, PCRE2_NO_UTF_CHECK, e->found, e->limits);
	if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
		strike(e, rc, s->n);
		return 0;
	}
	if (e->strikes && ++e->managed == EXPRESSION_FORGIVE) {
		e->strikes--;
		e->managed = 0;
	}
	return rc > 0;
}

bool expression_group(
	const struct expression *e, unsigned group, size_t *begin, size_t *end)
{
	if (group > e->groups || e->places[2 * group] == PCRE2_UNSET)
		return false;
	*begin = e->places[2 * group];
	*end = e->places[2 * group + 1];
	return true;
}

unsigned expression_groups(const struct expression *e)
{
	return e->groups;
}

const char *expression_group_name(const struct expression *e, unsigned group)
{
	return group <= e->groups ? e->names[group] : NULL;
}

unsigned expression_group_find(const struct expression *e, const char *name)
{
	for (unsigned i = 1; i <= e->groups; i++)
		if (e->names[i] && strcmp(e->names[i], name) == 0)
			return i;
	return 0;
}

const char *expression_text(const struct expression *e)
{
	return e->text;
}

uint64_t expression_exhausted(const struct expression *e)
{
	return e->exhausted;
}

bool expression_is_off(const struct expression *e)
{
	return e->off;
}
