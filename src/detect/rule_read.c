/* SPDX-License-Identifier: Apache-2.0 */
/* The file of rules: sections are rules, keys are in one table. */
#include "detect/rule_value.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/escape.h"

#define LINE_MAX_BYTES 1000

/* Reading one text. */
struct reading {
	struct rules *rules;
	struct rule *rule; /* of the section; NULL: none, or one that is skipped */
	const char *name;
	unsigned line, errors;
	unsigned section_line[RULES_MAX]; /* in this text; 0: not in it */
	unsigned given[RULE_KEYS_MAX];    /* line of this section's keys */
	struct buffer *out;
};

__attribute__((format(printf, 3, 4))) static void complain(
	struct reading *r, unsigned line, const char *fmt, ...)
{
	struct error err = {""};
	va_list args;

	va_start(args, fmt);
	vsnprintf(err.text, sizeof err.text, fmt, args);
	va_end(args);
	r->errors++;
	buffer_printf(r->out, "%s:%u: %s\n", r->name, line, err.text);
}

struct rule *rules_find(struct rules *rules, struct view name)
{
	for (unsigned i = 0; i < rules->n; i++)
		if (view_eq(name, view_str(rules->at[i].name)))
			return &rules->at[i];
	return NULL;
}

/* What a rule is before its section says anything. */
static void rule_begin(struct rule *rule, struct view name)
{
	*rule = (struct rule){
		.enabled = true,
		.publish = true,
		.category = CATEGORY_OTHER,
		.ban = RULE_BAN_USUAL,
		.unproved_ban = 600,
	};
	view_copy(rule->name, sizeof rule->name, name);
	view_copy(rule->reason, sizeof rule->reason,
		view_str("{attempts} attempts in {window}"));
}

static void on_section(struct reading *r, struct view line)
{
	struct view name = view_trim(
		view_head(view_from(line, 1), view_find(line, ']') - 1));
	size_t at;

	r->rule = NULL;
	memset(r->given, 0, sizeof r->given);
	if (line.p[line.n - 1] != ']') {
		complain(r, r->line, "the rule's name has no end; close it with ]");
		return;
	}
	for (at = 0; at < name.n; at++)
		if (!((name.p[at] >= 'a' && name.p[at] <= 'z') || name.p[at] == '-' ||
			    (name.p[at] >= '0' && name.p[at] <= '9')))
			break;
	if (!name.n || at < name.n || name.n >= RULE_NAME_MAX) {
		complain(r, r->line, "[%s] is no name: up to %d of a-z, 0-9 and -",
			escaped(name), RULE_NAME_MAX - 1);
		return;
	}
	r->rule = rules_find(r->rules, name);
	if (!r->rule && r->rules->n == RULES_MAX) {
		complain(r, r->line, "[%s]: there are %d rules already", escaped(name),
			RULES_MAX);
		return;
	}
	if (!r->rule) {
		r->rule = &r->rules->at[r->rules->n++];
		rule_begin(r->rule, name);
	}
	at = (size_t)(r->rule - r->rules->at);
	if (r->section_line[at])
		complain(r, r->line, "[%s] began on line %u already; make one of both",
			r->rule->name, r->section_line[at]);
	r->section_line[at] = r->line;
}

static void on_value(struct reading *r, struct view name, struct view value)
{
	struct error err = {""};
	int key = rule_key_find(name);

	if (key < 0) {
		complain(r, r->line, "[%s] has no key \"%s\"; see the head of rules.conf",
			r->rule->name, escaped(view_head(name, 40)));
		return;
	}
	if (r->given[key])
		complain(r, r->line, "[%s] %s is given already on line %u; remove one",
			r->rule->name, rule_key_name(key), r->given[key]);
	else if (rule_value_parse(r->rule, key, value, &err))
		complain(r, r->line, "[%s] %s: %s", r->rule->name, rule_key_name(key),
			err.text);
	r->given[key] = r->line;
}

static void on_line(struct reading *r, struct view line)
{
	size_t equal = view_find(line, '=');

	if (!line.n || line.p[0] == '#')
		return;
	if (line.n > LINE_MAX_BYTES) {
		complain(r, r->line, "is longer than %d bytes", LINE_MAX_BYTES);
	} else if (view_find(line, '\0') < line.n) {
		complain(r, r->line, "holds a NUL byte; write plain text");
	} else if (view_find(line, ';') < line.n) {
		complain(r, r->line,
			"holds a ';'; write something else, and # before comments");
	} else if (line.p[0] == '[') {
		on_section(r, line);
	} else if (equal == line.n || !equal) {
		complain(r, r->line, "\"%s\" is no \"key = value\"",
			escaped(view_head(line, 80)));
	} else if (r->rule) {
		on_value(r, view_trim(view_head(line, equal)),
			view_trim(view_from(line, equal + 1)));
	} else if (!r->errors) {
		complain(r, r->line, "stands before the first [rule]");
	}
}

/* What must fit together within one rule. */
static const char *rule_fault(const struct rule *rule)
{
	bool group = rule->per == RULE_PER_ACCOUNT || rule->per == RULE_PER_DIALLED;

	if (!rule->kinds)
		return "observations: name one at least, such as auth-failed";
	if (rule->kinds & (1U << OBSERVED_PROOF))
		return "observations: proof is not counted; name others";
	if (rule->together &&
		((rule->kinds & (rule->kinds - 1)) || rule->per || rule->distinct ||
			rule->signs || rule->methods || rule->sensors || rule->failures ||
			rule->digits || rule->dialled[0][0]))
		return "together = yes: such a rule has one observation and counts its "
		       "attempts per source, nothing else";
	if (rule->together &&
		rule->kinds &
			(1U << OBSERVED_AUTH_OK | 1U << OBSERVED_CALL |
				1U << OBSERVED_INJECTION))
		return "together = yes: not with auth-ok, call and injection";
	if (group && rule->distinct != RULE_SOURCES)
		return "distinct: with per = account and dialled, write sources";
	if (!group && rule->distinct == RULE_SOURCES)
		return "distinct = sources: with per = account or dialled only; for a "
		       "network write sources = N";
	if (rule->sources && rule->per != RULE_PER_NETWORK)
		return "sources: with per = network only";
	return NULL;
}

static void check_rules(struct reading *r)
{
	uint32_t taken = 0;

	for (unsigned i = 0; i < r->rules->n; i++) {
		const struct rule *rule = &r->rules->at[i];
		unsigned line = r->section_line[i] ? r->section_line[i] : 1;
		const char *fault = rule_fault(rule);

		if (fault)
			complain(r, line, "[%s] %s", rule->name, fault);
		if (!rule->together || !rule->enabled)
			continue;
		if (taken & rule->kinds)
			complain(r, line,
				"[%s] together: another rule weighs that observation "
				"already; change it instead, or write enabled = no there",
				rule->name);
		taken |= rule->kinds;
	}
}

int rules_read(
	struct rules *rules, const char *name, struct view text, struct buffer *errors)
{
	struct reading r = {.rules = rules, .name = name, .out = errors};

	if (view_starts(text, "\xef\xbb\xbf"))
		text = view_from(text, 3);
	while (text.n && r.errors < 100) {
		size_t n = view_find(text, '\n');

		r.line++;
		on_line(&r, view_trim(view_head(text, n)));
		text = view_from(text, n < text.n ? n + 1 : n);
	}
	if (!r.errors)
		check_rules(&r);
	return r.errors ? -1 : 0;
}
