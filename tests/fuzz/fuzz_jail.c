/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as fail2ban's jail.local: what is imported from it is a configuration
 * as it stands, with the sources that the list names and no others.
 */
#include <glob.h>
#include <stdlib.h>

#include "cli/filter_import.h"
#include "daemon/config.h"
#include "sense/filter/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The linker puts it in the place of the C library's: no folder is looked through. */
int __wrap_glob(
	const char *pattern, int flags, int (*fail)(const char *, int), glob_t *found);

int __wrap_glob(
	const char *pattern, int flags, int (*fail)(const char *, int), glob_t *found)
{
	static char one[] = "/var/log/a", two[] = "/var/log/b c";
	static char *names[] = {one, two, NULL};

	(void)flags;
	(void)fail;
	found->gl_pathc = 2;
	found->gl_pathv = names;
	return strchr(pattern, '?') ? GLOB_NOMATCH : 0;
}

/* Nor is a filter read, which has a target of its own. */
struct filter *__wrap_filter_new(
	const char *spec, const struct filter_settings *settings, struct error *err);

struct filter *__wrap_filter_new(
	const char *spec, const struct filter_settings *settings, struct error *err)
{
	(void)settings;
	error_set(err, "%s: is not read here", spec);
	return NULL;
}

static const char *text_in(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void check(struct view printed, const json_t *list)
{
	static const char head[] = "[node]\nname = a\n";
	struct buffer text = {.max = 1 << 20}, errors = {.max = 1 << 20};
	struct config c;

	buffer_put(&text, head, sizeof head - 1);
	buffer_put(&text, printed.p, printed.n);
	if (text.failed)
		goto done; /* thousands of jails with a comment each */
	if (config_parse(&c, "imported", view_of(text.p, text.n), &errors))
		abort();
	if (c.source_count != json_array_size(list))
		abort();
	for (size_t i = 0; i < c.source_count; i++) {
		const json_t *o = json_array_get(list, i);

		if (strcmp(text_in(o, "name"), c.sources[i].name) ||
			strcmp(text_in(o, "path"), c.sources[i].path) ||
			strcmp(text_in(o, "journal"), c.sources[i].journal) ||
			strcmp(text_in(o, "filter"), c.sources[i].filter))
			abort();
	}
	config_free(&c);
done:
	buffer_free(&text);
	buffer_free(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct pool pool = {.max = 1 << 20};
	struct conf conf = {.pool = &pool, .defaults = {.name = "DEFAULT"}};
	struct error err = {""};
	json_t *list = json_array();
	char *printed = NULL;
	size_t n = 0;
	FILE *out;

	if (!conf_parse(&conf, "jail.local", view_of(input, size), &err)) {
		out = open_memstream(&printed, &n);
		if (!out)
			abort();
		filter_import_print(out, list, &conf);
		fclose(out);
		check(view_of(printed, n), list);
		free(printed);
	}
	json_decref(list);
	pool_free(&pool);
	return 0;
}
