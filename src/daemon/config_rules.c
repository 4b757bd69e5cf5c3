/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_rules.h"

#include <stdlib.h>

#include "base/escape.h"
#include "daemon/config_file.h"

#define RULES_BYTES 65536

int config_rules_file(
	struct config *c, const struct config_key *k, struct view path, struct error *err)
{
	struct buffer text = {.max = RULES_BYTES};

	config_rules_free(c);
	memset(c->rules.path, 0, sizeof c->rules.path);
	if (!path.n)
		return 0;
	if (path.n >= k->size || path.p[0] != '/' || !text_is_clean(path))
		return error_set(err, "\"%s\" is no absolute path of up to %zu bytes",
			escaped(path), k->size - 1);
	view_copy(c->rules.path, sizeof c->rules.path, path);
	if (config_file_read(&text, c->rules.path, err)) {
		buffer_free(&text);
		return error_prefix(err, "%s", c->rules.path);
	}
	c->rules.text = text;
	return 0;
}

int config_rules_line(struct config *c, struct view line, struct error *err)
{
	c->rules.text.max = RULES_BYTES;
	if (buffer_put(&c->rules.text, line.p, line.n) ||
		buffer_put(&c->rules.text, "\n", 1))
		return error_set(
			err, "there are more than %d bytes of rules", RULES_BYTES);
	return 0;
}

int config_rules_print(struct buffer *out, const struct config *c)
{
	struct view rest = view_of(c->rules.text.p, c->rules.text.n);

	while (rest.n) {
		size_t n = view_find(rest, '\n');
		struct view line = view_trim(view_head(rest, n));

		rest = view_from(rest, n < rest.n ? n + 1 : n);
		if (line.n && line.p[0] != '#')
			buffer_printf(out, "rules_line = %.*s\n", (int)line.n,
				(const char *)line.p);
	}
	return out->failed ? -1 : 0;
}

unsigned config_rules_apply(struct config *c, struct buffer *errors,
	bool (*given)(const void *context, uint8_t kind), const void *context)
{
	const char *name = c->rules.path[0] ? c->rules.path : "rules";
	size_t before = errors->n;
	unsigned lines = 0;

	if (!c->rules.text.n)
		return 0;
	c->rules.read = malloc(sizeof *c->rules.read);
	if (!c->rules.read) {
		buffer_printf(errors, "%s:1: out of memory\n", name);
		return 1;
	}
	*c->rules.read = *rules_builtin();
	if (rules_read(c->rules.read, name, view_of(c->rules.text.p, c->rules.text.n),
		    errors)) {
		for (size_t i = before; i < errors->n; i++)
			lines += errors->p[i] == '\n';
		return lines ? lines : 1;
	}
	c->detect.more = c->rules.read;
	for (uint8_t kind = 1; kind < OBSERVED_KINDS; kind++) {
		const struct rule *rule = rules_together(c->rules.read, kind);

		if (!given(context, kind) && rules_together(rules_builtin(), kind))
			c->detect.rules[kind] = rule ? rule->threshold :
						       (struct detect_rule){0, 0};
	}
	return 0;
}

void config_rules_free(struct config *c)
{
	buffer_free(&c->rules.text);
	memset(&c->rules.text, 0, sizeof c->rules.text);
	free(c->rules.read);
	c->rules.read = NULL;
	c->detect.more = NULL;
}
