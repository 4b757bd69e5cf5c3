/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration back as text: what is in force, and the sample file. */
#include <inttypes.h>

#include "base/units.h"
#include "daemon/config_api.h"
#include "daemon/config_chain.h"
#include "daemon/config_honeypot.h"
#include "daemon/config_rules.h"
#include "daemon/config_source.h"
#include "daemon/config_webhook.h"

size_t config_value_count(const struct config *c, const struct config_key *k)
{
	if (!(k->flags & CONFIG_REPEATED))
		return 1;
	return *(const size_t *)config_at_const(c, k->count);
}

static int print_choice(struct buffer *out, const struct config_key *k, uint8_t value)
{
	for (const struct config_choice *c = k->choices; c->name; c++)
		if (c->value == value)
			return buffer_printf(out, "%s", c->name);
	return buffer_printf(out, "?");
}

static int print_proofs(struct buffer *out, uint32_t set)
{
	const char *space = "";

	for (uint8_t i = 0; i < PROOF_COUNT; i++) {
		if (!(set & 1U << i))
			continue;
		buffer_printf(out, "%s%s", space, proof_name(i));
		space = " ";
	}
	return out->failed ? -1 : 0;
}

static int print_ports(struct buffer *out, const struct nft_config *nft)
{
	for (unsigned i = 0; i < nft->ports_count; i++) {
		unsigned first = nft->ports[i].first, last = nft->ports[i].last;

		buffer_printf(out, "%s%u", i ? " " : "", first);
		if (last != first)
			buffer_printf(out, "-%u", last);
	}
	return out->failed ? -1 : 0;
}

static int print_rule(struct buffer *out, const struct detect_rule *rule)
{
	char window[32];

	if (!rule->threshold)
		return buffer_printf(out, "off");
	return buffer_printf(out, "%" PRIu32 "/%s", rule->threshold,
		duration_print(window, rule->window));
}

static int print_allow(struct buffer *out, const struct config_allow *a)
{
	char text[INDICATOR_TEXT];

	return buffer_printf(out, "%s%s%s", indicator_print(text, &a->indicator),
		a->note[0] ? " " : "", a->note);
}

int config_value_print(struct buffer *out, const struct config *c,
	const struct config_key *k, size_t i, unsigned flags)
{
	const void *at = config_at_const(c, k->offset);
	char text[32];

	switch (k->type) {
	case CONFIG_BOOL:
		return buffer_printf(out, "%s", *(const bool *)at ? "yes" : "no");
	case CONFIG_COUNT:
		return buffer_printf(out, "%" PRIu32, *(const uint32_t *)at);
	case CONFIG_DURATION:
		return buffer_printf(
			out, "%s", duration_print(text, *(const uint32_t *)at));
	case CONFIG_TEXT:
	case CONFIG_WORD:
	case CONFIG_PATH_NAME:
	case CONFIG_KEY_NAME:
	case CONFIG_SECRET:
	case CONFIG_RULES_FILE:
		return buffer_printf(out, "%s", (const char *)at);
	case CONFIG_RULES_LINE: /* config_rules_print() */
		break;
	case CONFIG_CHOICE:
		return print_choice(out, k, *(const uint8_t *)at);
	case CONFIG_PROOFS:
		return print_proofs(out, *(const uint32_t *)at);
	case CONFIG_RULE:
		return print_rule(out, at);
	case CONFIG_QUORUM:
		if (*(const uint32_t *)at == QUORUM_NEVER)
			return buffer_printf(out, "never");
		return buffer_printf(out, "%" PRIu32, *(const uint32_t *)at);
	case CONFIG_PORTS:
		return print_ports(out, &c->enforce.nft);
	case CONFIG_SERVER:
		return config_server_print(out, at);
	case CONFIG_SYSLOG:
		return ((const struct config_listen *)at)->transport ?
			config_listen_print(out, at) :
			0;
	case CONFIG_SENDERS:
		return config_senders_print(out, at);
	case CONFIG_WEBHOOK_URL:
		return config_webhook_print_url(out, at, flags);
	case CONFIG_API_LISTEN:
		return config_api_listen_print(
			out, (const struct config_api_listen *)at + i);
	case CONFIG_LISTEN:
		return config_listen_print(out, (const struct config_listen *)at + i);
	case CONFIG_PATHS:
		return buffer_printf(out, "%s", (const char *)at + i * CONFIG_PATH_MAX);
	case CONFIG_ALLOW:
		return print_allow(out, &c->allow.entry[i]);
	case CONFIG_SIP_LISTEN:
		return config_listen_print(out, (const struct config_listen *)at + i);
	case CONFIG_ACCOUNTS:
	case CONFIG_HOST:
	case CONFIG_COLLECTOR:
		return config_honeypot_print(out, c, k);
	case CONFIG_ADDRESS:
	case CONFIG_HASH:
	case CONFIG_NUMBER:
	case CONFIG_FEE:
	case CONFIG_FINALITY:
	case CONFIG_POLL:
	case CONFIG_ENDPOINTS:
		return config_chain_print(out, c, k, i, flags);
	case CONFIG_SECRET_FILE:
		break; /* an alias: its secret is printed by the key that holds it */
	}
	return 0;
}

/* "key = value", without a trailing blank when the value is empty. */
static void print_line(struct buffer *out, const char *lead, const struct config *c,
	const struct config_key *k, size_t i, unsigned flags)
{
	size_t before;

	buffer_printf(out, "%s%s =", lead, k->name);
	before = out->n;
	buffer_printf(out, " ");
	config_value_print(out, c, k, i, flags);
	if (out->n == before + 1)
		out->n = before;
	buffer_printf(out, "\n");
}

/* Begin a section when the key is the first of it. */
static bool begins_section(size_t i)
{
	return i == 0 || strcmp(config_keys[i - 1].section, config_keys[i].section) != 0;
}

/* Each [source "name"] and the like. */
static void print_named(struct buffer *out, const struct config *c,
	const struct config_named *kind, unsigned flags)
{
	for (size_t i = 0; i < config_named_of(c, kind); i++) {
		const struct config_named_head *one = config_named_at(c, kind, i);

		buffer_printf(out, "\n[%s \"%s\"]\n", kind->section, one->name);
		for (size_t j = 0; j < config_keys_count; j++) {
			struct config_key k = config_named_key(kind, &config_keys[j], i);

			if (config_key_of(kind, &k) && config_named_has(one, &k))
				for (size_t v = 0; v < config_value_count(c, &k); v++)
					print_line(out, "", c, &k, v, flags);
		}
	}
}

int config_print(struct buffer *out, const struct config *c, unsigned flags)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (config_key_is_named(k))
			continue;
		if (begins_section(i))
			buffer_printf(out, "%s[%s]\n", i ? "\n" : "", k->section);
		if (k->flags & CONFIG_ALIAS)
			continue;
		if (k->flags & CONFIG_CHAIN && c->ledger.type != CONFIG_LEDGER_ETHEREUM)
			continue;
		if (k->type == CONFIG_RULES_LINE && flags & CONFIG_PRINT_FILES)
			config_rules_print(out, c);
		if (k->flags & CONFIG_INTERNAL ||
			(k->type == CONFIG_RULES_FILE && flags & CONFIG_PRINT_FILES))
			continue;
		if (k->type == CONFIG_SECRET && !(flags & CONFIG_PRINT_PASSWORDS))
			continue;
		for (size_t j = 0; j < config_value_count(c, k); j++)
			print_line(out, "", c, k, j, flags);
	}
	for (size_t i = 0; i < config_named_count; i++)
		print_named(out, c, &config_named[i], flags);
	return out->failed ? -1 : 0;
}

/* Text as comment lines. */
static void print_help(struct buffer *out, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		buffer_printf(out, "# %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* What a choice may be. */
static void print_choices(struct buffer *out, const struct config_key *k)
{
	buffer_printf(out, "# One of:");
	for (const struct config_choice *c = k->choices; c->name; c++)
		buffer_printf(out, " %s", c->name);
	buffer_printf(out, "\n");
}

/* The keys of the one named section that c has, as comments. */
static void sample_keys(
	struct buffer *out, const struct config *c, const struct config_named *kind)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (!config_key_of(kind, k) ||
			!config_named_has(config_named_at(c, kind, 0), k))
			continue;
		print_help(out, k->help);
		if (k->example)
			buffer_printf(out, "#%s = %s\n", k->name, k->example);
		else if (k->flags & CONFIG_REPEATED)
			buffer_printf(out, "#%s =\n", k->name);
		else
			print_line(out, "#", c, k, 0, 0);
	}
}

/* One of each type, with the keys that it has, all as comments. */
static void sample_named(
	struct buffer *out, struct config *c, const struct config_named *kind)
{
	struct config_named_head *one = config_at(c, kind->offset);
	const struct config_key *type = config_key_find(kind->section, "type");

	/* For the values that one begins with. */
	if (config_named_index(c, kind, view_str("sample"), NULL) < 0)
		return;
	if (!kind->type_help) {
		buffer_printf(out, "#[%s \"%s\"]\n", kind->section, kind->example);
		sample_keys(out, c, kind);
		return;
	}
	for (const struct config_choice *t = type->choices; t->name; t++) {
		buffer_printf(out, "\n");
		print_help(out, kind->type_help[t->value]);
		buffer_printf(out, "#[%s \"%s\"]\n", kind->section, t->name);
		one->type = t->value;
		sample_keys(out, c, kind);
	}
}

int config_sample(struct buffer *out)
{
	struct config c;

	config_defaults(&c);
	buffer_printf(out,
		"# Configuration of sipchaind. Values shown are the defaults. Files in the\n"
		"# folder beside this one, with .d after its name, that end in .conf are read\n"
		"# after it, in the order of their names: they override single values and add\n"
		"# to repeated ones (an empty value empties such a list). Durations: 90, 10m,\n"
		"# 1h30m, 7d. Counts: 1000, 64k.\n");
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (begins_section(i)) {
			buffer_printf(out, "\n");
			print_help(out, config_section_find(k->section)->help);
			if (config_key_is_named(k))
				sample_named(out, &c, config_named_find(k->section));
			else
				buffer_printf(out, "[%s]\n", k->section);
		}
		if (config_key_is_named(k) || k->flags & CONFIG_INTERNAL)
			continue;
		print_help(out, k->help);
		if (k->choices)
			print_choices(out, k);
		if (k->flags & (CONFIG_REPEATED | CONFIG_ALIAS))
			buffer_printf(out, "#%s =\n", k->name);
		else
			print_line(
				out, k->flags & CONFIG_REQUIRED ? "" : "#", &c, k, 0, 0);
	}
	config_free(&c);
	return out->failed ? -1 : 0;
}
