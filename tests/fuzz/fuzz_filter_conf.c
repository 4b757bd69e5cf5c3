/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a configuration file: it is parsed, merged over another, and its
 * failregex, as far as it has one, resolved, compiled and asked for literals.
 */
#include <stdlib.h>

#include "sense/filter/conf.h"
#include "sense/filter/date_detect.h"
#include "sense/filter/definition.h"
#include "sense/filter/expression.h"
#include "sense/filter/literal.h"
#include "sense/filter/python_regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void try_expression(const char *text)
{
	static const char line[] = "a line: b=\"c\" from 192.0.2.1 [x] <y>";
	struct buffer tagged = {.max = 8192};
	struct error err = {""};
	struct expression *e;
	struct literals l;

	if (regex_put_tags(&tagged, text) || buffer_put_u8(&tagged, 0)) {
		buffer_free(&tagged);
		return;
	}
	literals_find(&l, (char *)tagged.p);
	e = strlen((char *)tagged.p) > 200 ? /* PCRE2's compiler takes its time */
		NULL :
		expression_new((char *)tagged.p, "failregex", NULL, 0, false, &err);
	if (e) {
		struct subject s = {(const uint8_t *)line, strlen(line), true};
		bool found = expression_search(e, &s, 0);

		/* What it matches must hold what it is said to need. */
		for (unsigned i = 0; found && !l.nocase && i < l.first.count; i++) {
			if (memmem(line, strlen(line), l.first.literal[i].text,
				    l.first.literal[i].n))
				break;
			if (i + 1 == l.first.count)
				abort();
		}
	}
	expression_free(e);
	buffer_free(&tagged);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct pool pool = {.max = 1 << 20};
	struct conf base = {.pool = &pool, .defaults = {.name = "DEFAULT"}}, over = base;
	struct error err = {""};
	const char *text, *name;

	if (!conf_parse(&base, "base",
		    view_str("[DEFAULT]\na = 1\n[Definition]\nb = %(a)s <c>\nc = x\n"),
		    &err) &&
		!conf_parse(&over, "over", view_of(input, size), &err) &&
		!conf_merge(&base, &over)) {
		struct conf_section all = {.name = "all"};
		const struct conf_section *own = conf_section_find(&base, "Definition");

		for (const struct conf_option *o = own->options; o; o = o->next)
			if (conf_get(&base, "Definition", o->name, NULL, &text, &err) > 0)
				conf_set(&pool, &all, o->name, text, "f", 1);
		if (!pool.failed && !conf_put_tags(&base, &all, NULL, &err))
			for (const struct conf_option *o = all.options; o; o = o->next)
				try_expression(o->value);
	}
	if (size && input[0] == '[' && size < 200) {
		struct conf_section options = {.name = "options"};
		struct view v = view_of(input, size);
		char *spec = pool_text(&pool, v);

		if (spec && !memchr(input, 0, size))
			definition_options(&pool, &options, &name, spec, &err);
	}
	pool_free(&pool);
	return 0;
}
