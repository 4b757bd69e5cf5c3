/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLI_EXPLAIN_STEPS_H
#define TESTS_CLI_EXPLAIN_STEPS_H

/* The steps of `sipchain explain`, for tests of it. */
#include <stdlib.h>

#include "api/control.h"
#include "cli/explain.h"
#include "daemon/config_schema.h"

static struct explain x;

static inline int setup(void **state)
{
	(void)state;
	memset(&x, 0, sizeof x);
	config_defaults(&x.config);
	return explain_begin(&x);
}

static inline int teardown(void **state)
{
	(void)state;
	explain_end(&x);
	config_free(&x.config);
	return 0;
}

/* How many steps of a kind there are. */
static inline unsigned steps(const char *kind)
{
	const json_t *s;
	unsigned n = 0;
	size_t i;

	json_array_foreach(x.steps, i, s)
		n += !strcmp(json_string_value(json_object_get(s, "step")), kind);
	return n;
}

/* The nth step of a kind; fails when there is none. */
static inline const json_t *step(const char *kind, unsigned n)
{
	const json_t *s;
	size_t i;

	json_array_foreach(x.steps, i,
		s) if (!strcmp(json_string_value(json_object_get(s, "step")), kind) &&
		!n--) return s;
	fail_msg("no such step: %s", kind);
	return NULL;
}

static inline const char *text(const json_t *s, const char *name)
{
	const char *value = json_string_value(json_object_get(s, name));

	return value ? value : "";
}

/* A field of the nth thing that was read. */
static inline const char *field(unsigned n, const char *name)
{
	return text(json_object_get(step("read", n), "fields"), name);
}

/* What the nth thing that was read begins with, before the text itself. */
static inline void expect_read(unsigned n, const char *begin)
{
	const char *t = text(step("read", n), "text");

	if (strncmp(t, begin, strlen(begin)))
		fail_msg("\"%s\" does not begin \"%s\"", t, begin);
}

static inline void feed(const char *input)
{
	struct error err = {""};

	if (explain_feed(&x, view_str(input), &err))
		fail_msg("%s", err.text);
}

#endif
