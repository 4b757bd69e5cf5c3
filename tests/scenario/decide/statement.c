/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a scenario's statements. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "play.h"

void bad(const struct run *r, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", r->file, r->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

void statement_split(const struct run *r, struct statement *s, const char *line)
{
	char *in, *out;

	if (strlen(line) >= sizeof(s->text))
		bad(r, "line too long");
	strcpy(s->text, line);
	s->n = 0;
	for (in = s->text; *in != '\0';) {
		bool quoted = false;

		while (*in == ' ' || *in == '\t')
			in++;
		if (*in == '\0' || *in == '#')
			break;
		if (s->n == WORDS_MAX)
			bad(r, "too many words");
		s->word[s->n++] = out = in;
		for (; *in != '\0' && (quoted || (*in != ' ' && *in != '\t')); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*out++ = *in;
		}
		if (*in != '\0')
			in++;
		*out = '\0';
	}
}

struct statement statement_rest(const struct statement *s, unsigned from)
{
	struct statement rest = {.n = s->n - from};

	for (unsigned k = 0; k < rest.n; k++)
		rest.word[k] = s->word[from + k];
	return rest;
}

const char *value(const struct statement *s, const char *key)
{
	size_t n = strlen(key);

	for (unsigned k = 1; k < s->n; k++) {
		if (strncmp(s->word[k], key, n) == 0 && s->word[k][n] == '=')
			return s->word[k] + n + 1;
	}
	return NULL;
}

uint32_t number(const struct run *r, const char *text, const char *what)
{
	uint64_t v;

	if (text == NULL || view_decimal(view_str(text), UINT32_MAX, &v) != 0)
		bad(r, "%s: a number is needed", what);
	return (uint32_t)v;
}

uint32_t number_or(const struct run *r, const struct statement *s, const char *key,
	uint32_t otherwise)
{
	const char *v = value(s, key);

	return v == NULL ? otherwise : number(r, v, key);
}

struct indicator indicator(const struct run *r, const struct statement *s, unsigned at)
{
	struct error err;
	struct indicator i;

	if (at >= s->n)
		bad(r, "%s: an indicator is needed", s->word[0]);
	if (indicator_parse(&i, NULL, view_str(s->word[at]), &err) != 0)
		bad(r, "%s", err.text);
	return i;
}
