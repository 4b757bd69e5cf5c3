/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/units.h"
#include "detect/rules_builtin.h"

#define TEXT_SHOWN 40

struct view rules_builtin_text(void)
{
	return view_of(rules_conf, sizeof rules_conf);
}

const struct rules *rules_builtin(void)
{
	static struct rules builtin;
	struct buffer errors = {.max = 65536};

	if (builtin.n)
		return &builtin;
	if (rules_read(&builtin, "rules.conf", rules_builtin_text(), &errors)) {
		fprintf(stderr, "%.*s", (int)errors.n, (const char *)errors.p);
		abort();
	}
	buffer_free(&errors);
	return &builtin;
}

const struct rule *rules_together(const struct rules *rules, uint8_t kind)
{
	for (unsigned i = 0; i < rules->n; i++)
		if (rules->at[i].enabled && rules->at[i].together &&
			rules->at[i].kinds == UINT32_C(1) << kind)
			return &rules->at[i];
	return NULL;
}

static bool fits(const struct rule *rule, const char *dialled)
{
	unsigned digits = 0;

	for (const char *c = dialled; *c; c++)
		digits += *c >= '0' && *c <= '9';
	if (digits < rule->digits)
		return false;
	if (!rule->dialled[0][0])
		return true;
	for (unsigned i = 0; i < RULE_DIALLED_MAX && rule->dialled[i][0]; i++)
		if (!strncmp(dialled, rule->dialled[i], strlen(rule->dialled[i])))
			return true;
	return false;
}

uint32_t rules_fit(const struct rules *rules, const char *dialled)
{
	uint32_t bits = 0;

	if (!*dialled)
		return 0;
	for (unsigned i = 0; i < rules->n; i++)
		if ((rules->at[i].digits || rules->at[i].dialled[0][0]) &&
			fits(&rules->at[i], dialled))
			bits |= UINT32_C(1) << i;
	return bits;
}

static bool is_phone(const struct rule *rule, const char *agent)
{
	for (const char *word = rule->phones; *word;) {
		size_t n = strcspn(word, " ");

		if (!strncasecmp(agent, word, n))
			return true;
		word += n;
		word += *word == ' ';
	}
	return false;
}

bool rules_phone(const struct rules *rules, const char *agent)
{
	const char *known = "";

	for (unsigned i = 0; *agent && i < rules->n; i++) {
		/* Rules share one list: it is not looked through twice. */
		if (!rules->at[i].enabled || !strcmp(rules->at[i].phones, known))
			continue;
		if (is_phone(&rules->at[i], agent))
			return true;
		known = rules->at[i].phones;
	}
	return false;
}

/* Append text, as far as it fits. */
static void put(char *dst, size_t size, size_t *n, struct view text)
{
	for (size_t i = 0; i < text.n && *n + 1 < size; i++)
		dst[(*n)++] = (char)text.p[i];
	dst[*n] = '\0';
}

/* The value of a placeholder; numbers into number. */
static const char *value_of(
	struct view name, const struct reason_facts *f, char number[32])
{
	const struct {
		const char *name;
		const char *text;
		uint32_t number;
	} values[] = {
		{"account", f->account, 0},
		{"dialled", f->dialled, 0},
		{"agent", f->agent, 0},
		{"source", f->source, 0},
		{"proof", f->proof, 0},
		{"attempts", NULL, f->attempts},
		{"sources", NULL, f->sources},
		{"accounts", NULL, f->accounts},
		{"numbers", NULL, f->numbers},
	};

	if (view_eq(name, view_str("window")))
		return duration_print(number, f->window);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		if (!view_eq(name, view_str(values[i].name)))
			continue;
		snprintf(number, 32, "%u", values[i].number);
		return values[i].text ?
			escaped(view_head(view_str(values[i].text), TEXT_SHOWN)) :
			number;
	}
	return "?";
}

char *rule_reason(
	char *dst, size_t size, const struct rule *rule, const struct reason_facts *facts)
{
	struct view rest = view_str(rule->reason);
	char number[32];
	size_t n = 0;

	dst[0] = '\0';
	while (rest.n) {
		size_t open = view_find(rest, '{'), close;

		put(dst, size, &n, view_head(rest, open));
		rest = view_from(rest, open);
		close = view_find(rest, '}');
		if (close == rest.n)
			break;
		put(dst, size, &n,
			view_str(
				value_of(view_of(rest.p + 1, close - 1), facts, number)));
		rest = view_from(rest, close + 1);
	}
	return dst;
}
