/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_named.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "daemon/config_connector.h"
#include "daemon/config_api.h"
#include "daemon/config_source.h"
#include "daemon/config_webhook.h"

/* clang-format off */
#define KIND(array, number) \
	.offset = offsetof(struct config, array), \
	.size = sizeof(((struct config *)0)->array[0]), \
	.count = offsetof(struct config, number), \
	.most = sizeof(((struct config *)0)->array) / sizeof(((struct config *)0)->array[0])
/* clang-format on */

const struct config_named config_named[] = {
	{"source", "a source", "pbx", KIND(sources, source_count),
		.type_help = config_source_help, .check = config_source_check},
	{"connector", "a connector", "pbx", KIND(connectors, connector_count),
		.type_help = config_connector_help, .check = config_connector_check},
	{"token", "a token", "honeypot", KIND(tokens, token_count),
		.check = config_token_check},
	{"webhook", "a webhook", "siem", KIND(webhooks, webhook_count),
		.check = config_webhook_check},
};

const size_t config_named_count = sizeof config_named / sizeof config_named[0];

#define NAME_BYTES (sizeof((struct config_named_head *)0)->name)

static bool is_name(struct view v)
{
	if (!v.n || v.n >= NAME_BYTES)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
			!(c >= '0' && c <= '9') && !strchr("_-.", c))
			return false;
	}
	return true;
}

/* What follows the kind's word in a heading; false: it is not of this kind. */
static bool follows(
	struct view *rest, const struct config_named *kind, struct view heading)
{
	if (!view_starts(heading, kind->section))
		return false;
	*rest = view_from(heading, strlen(kind->section));
	return !rest->n || rest->p[0] == ' ' || rest->p[0] == '\t' || rest->p[0] == '"';
}

int config_named_heading(const struct config_named **kind, struct view *name,
	struct view heading, struct error *err)
{
	struct view rest = view_str("");
	const struct config_named *k = config_named;

	while (k < config_named + config_named_count && !follows(&rest, k, heading))
		k++;
	if (k == config_named + config_named_count)
		return 0;
	*kind = k;
	rest = view_trim(rest);
	if (rest.n < 2 || rest.p[0] != '"' || rest.p[rest.n - 1] != '"')
		return error_set(err, "%s needs a name in quotes, such as [%s \"%s\"]",
			k->noun, k->section, k->example);
	*name = view_head(view_from(rest, 1), rest.n - 2);
	if (is_name(*name))
		return 1;
	return error_set(err,
		"\"%s\" is no name of %s: write 1 to %zu letters, digits, '_', "
		"'-' and '.'",
		escaped(*name), k->noun, NAME_BYTES - 1);
}

const struct config_named *config_named_find(const char *section)
{
	for (size_t i = 0; i < config_named_count; i++)
		if (strcmp(config_named[i].section, section) == 0)
			return &config_named[i];
	return NULL;
}

struct config_key config_named_key(
	const struct config_named *kind, const struct config_key *k, size_t i)
{
	struct config_key own = *k;

	own.offset += i * kind->size;
	if (k->flags & CONFIG_REPEATED)
		own.count += i * kind->size;
	return own;
}

const struct config_named_head *config_named_at(
	const struct config *c, const struct config_named *kind, size_t i)
{
	return config_at_const(c, kind->offset + i * kind->size);
}

int config_named_index(struct config *c, const struct config_named *kind,
	struct view name, struct error *err)
{
	size_t *count = config_at(c, kind->count);
	struct config_named_head *one;

	for (size_t i = 0; i < *count; i++)
		if (view_eq(name, view_str(config_named_at(c, kind, i)->name)))
			return (int)i;
	if (*count == kind->most)
		return error_set(err, "there are more than %u sections [%s \"...\"]",
			kind->most, kind->section);
	one = config_at(c, kind->offset + *count * kind->size);
	view_copy(one->name, sizeof one->name, name);
	for (size_t i = 0; i < config_keys_count; i++) {
		struct config_key k = config_named_key(kind, &config_keys[i], *count);

		if (config_key_of(kind, &k) && k.fallback &&
			config_value_parse(c, &k, view_str(k.fallback), err))
			abort(); /* the table is wrong: a test sees to that */
	}
	return (int)(*count)++;
}

const char *config_named_title(char dst[CONFIG_NAMED_TITLE],
	const struct config_named *kind, const struct config_named_head *one)
{
	snprintf(dst, CONFIG_NAMED_TITLE, "%s \"%s\"", kind->section, one->name);
	return dst;
}

static const struct config_key *type_of(const struct config_named *kind)
{
	return config_key_find(kind->section, "type");
}

const char *config_named_type(const struct config_named *kind, uint8_t type)
{
	const struct config_choice *t = type_of(kind)->choices;

	while (t->name && t->value != type)
		t++;
	return t->name;
}

/* The types whose bits are set, as "ami or log". */
static const char *types_print(
	char dst[80], const struct config_named *kind, unsigned types)
{
	size_t n = 0;

	dst[0] = 0;
	for (const struct config_choice *t = type_of(kind)->choices; t->name; t++)
		if (types & 1U << t->value && n < 80)
			n += (size_t)snprintf(
				dst + n, 80 - n, "%s%s", n ? " or " : "", t->name);
	return dst;
}

int config_named_typeless(
	const struct config_named *kind, const struct config_key **at, struct error *err)
{
	char types[80];

	*at = type_of(kind);
	return error_set(
		err, "is missing; write type = %s", types_print(types, kind, UINT_MAX));
}

int config_named_strange(const struct config_named *kind,
	const struct config_named_head *one, const struct config_key *k,
	struct error *err)
{
	char own[80], other[80];

	return error_set(err,
		"belongs to %s of type = %s, and this one's is %s; remove it, or "
		"change the type",
		kind->noun, types_print(other, kind, k->of),
		types_print(own, kind, 1U << one->type));
}
