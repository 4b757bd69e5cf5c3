/* SPDX-License-Identifier: Apache-2.0 */
/* The file of rules: sections are rules, keys are in one table. */
#include "detect/rule.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/units.h"
#include "sip/message.h"

#define LINE_MAX_BYTES 1000
#define WINDOW_MAX     86400
#define BAN_MAX        (366 * UINT64_C(86400))

enum key_type {
	KEY_BOOL,
	KEY_KINDS,
	KEY_SENSORS,
	KEY_METHODS,
	KEY_CHOICE,
	KEY_CATEGORY,
	KEY_THRESHOLD,
	KEY_COUNT,
	KEY_BAN,
	KEY_DIALLED,
	KEY_PHONES,
	KEY_REASON,
};

static const char *const pers[] = {"source", "network", "account", "dialled", NULL};
static const char *const distincts[] = {
	"attempts", "sources", "accounts", "dialled", NULL};
static const char *const unproveds[] = {"never", "took-part", "unforged", "always", NULL};

/* By enum sip_method. */
static const char *const methods[] = {"other", "invite", "ack", "bye", "cancel",
	"register", "options", "prack", "subscribe", "notify", "publish", "info", "refer",
	"message", "update", NULL};

static const struct key {
	const char *name;
	enum key_type type;
	size_t offset;
	const char *const *choices;
} keys[] = {
	{"enabled", KEY_BOOL, offsetof(struct rule, enabled), NULL},
	{"observations", KEY_KINDS, offsetof(struct rule, kinds), NULL},
	{"sensors", KEY_SENSORS, offsetof(struct rule, sensors), NULL},
	{"methods", KEY_METHODS, offsetof(struct rule, methods), NULL},
	{"tool", KEY_BOOL, offsetof(struct rule, tool), NULL},
	{"together", KEY_BOOL, offsetof(struct rule, together), NULL},
	{"per", KEY_CHOICE, offsetof(struct rule, per), pers},
	{"distinct", KEY_CHOICE, offsetof(struct rule, distinct), distincts},
	{"threshold", KEY_THRESHOLD, offsetof(struct rule, threshold), NULL},
	{"sources", KEY_COUNT, offsetof(struct rule, sources), NULL},
	{"failures", KEY_COUNT, offsetof(struct rule, failures), NULL},
	{"digits", KEY_COUNT, offsetof(struct rule, digits), NULL},
	{"dialled", KEY_DIALLED, offsetof(struct rule, dialled), NULL},
	{"category", KEY_CATEGORY, offsetof(struct rule, category), NULL},
	{"unproved", KEY_CHOICE, offsetof(struct rule, unproved), unproveds},
	{"ban", KEY_BAN, offsetof(struct rule, ban), NULL},
	{"unproved-ban", KEY_BAN, offsetof(struct rule, unproved_ban), NULL},
	{"phones", KEY_PHONES, offsetof(struct rule, phones), NULL},
	{"private-methods", KEY_METHODS, offsetof(struct rule, private_methods), NULL},
	{"publish", KEY_BOOL, offsetof(struct rule, publish), NULL},
	{"while-banned", KEY_BOOL, offsetof(struct rule, while_banned), NULL},
	{"reason", KEY_REASON, offsetof(struct rule, reason), NULL},
};

#define KEYS_COUNT (sizeof keys / sizeof *keys)

/* Reading one text. */
struct reading {
	struct rules *rules;
	struct rule *rule; /* of the section; NULL: none, or one that is skipped */
	const char *name;
	unsigned line, errors;
	unsigned section_line[RULES_MAX]; /* in this text; 0: not in it */
	unsigned given[KEYS_COUNT];       /* line of this section's keys */
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

/* The next word of *rest. */
static struct view next_word(struct view *rest)
{
	struct view v = view_trim(*rest);
	size_t n = 0;

	while (n < v.n && v.p[n] != ' ' && v.p[n] != '\t' && v.p[n] != ',')
		n++;
	*rest = view_from(v, n < v.n ? n + 1 : n);
	return view_head(v, n);
}

static int parse_bool(bool *out, struct view v, struct error *err)
{
	*out = view_eq(v, view_str("yes"));
	if (*out || view_eq(v, view_str("no")))
		return 0;
	return error_set(err, "\"%s\": write yes or no", escaped(v));
}

/* Words into bits, by the names that name(0..count-1) gives. */
static int parse_bits(uint32_t *out, struct view v, const char *(*name)(uint8_t),
	uint8_t first, uint8_t count, const char *what, struct error *err)
{
	struct view word;
	uint32_t bits = 0;

	while ((word = next_word(&v)).n) {
		uint8_t i = first;

		while (i < count && !view_eq(word, view_str(name(i))))
			i++;
		if (i == count)
			return error_set(err,
				"\"%s\" is no %s; see the head of rules.conf",
				escaped(word), what);
		bits |= UINT32_C(1) << i;
	}
	*out = bits;
	return 0;
}

static const char *method_name(uint8_t method)
{
	return methods[method];
}

static int parse_choice(
	uint8_t *out, const char *const *choices, struct view v, struct error *err)
{
	for (uint8_t i = 0; choices[i]; i++) {
		if (!view_eq(v, view_str(choices[i])))
			continue;
		*out = i;
		return 0;
	}
	return error_set(err, "\"%s\" is not one of: %s, %s, %s, %s", escaped(v),
		choices[0], choices[1], choices[2], choices[3]);
}

static int parse_category(uint8_t *out, struct view v, struct error *err)
{
	int category = category_parse(v);

	if (category <= CATEGORY_NONE || category == CATEGORY_OBJECTION)
		return error_set(err,
			"\"%s\" is no category; they are scan, enumeration, password, "
			"fraud, malformed, stolen, campaign, other",
			escaped(v));
	*out = (uint8_t)category;
	return 0;
}

static int parse_threshold(struct detect_rule *out, struct view v, struct error *err)
{
	size_t slash = view_find(v, '/');
	uint64_t attempts, window;

	if (view_eq(v, view_str("off"))) {
		*out = (struct detect_rule){0, 0};
		return 0;
	}
	if (slash == v.n)
		return error_set(err,
			"\"%s\": write ATTEMPTS/WINDOW, such as 3/10m, or off",
			escaped(v));
	if (count_parse(&attempts, view_trim(view_head(v, slash)), err) ||
		duration_parse(&window, view_trim(view_from(v, slash + 1)), err))
		return -1;
	if (attempts < 1 || attempts > THRESHOLD_MAX || window < 1 || window > WINDOW_MAX)
		return error_set(err,
			"\"%s\" is out of range: 1 to %d attempts in 1s to 1d, or off",
			escaped(v), THRESHOLD_MAX);
	*out = (struct detect_rule){(uint32_t)attempts, (uint32_t)window};
	return 0;
}

static int parse_count(uint32_t *out, struct view v, struct error *err)
{
	uint64_t count;

	if (count_parse(&count, v, err))
		return -1;
	if (count > THRESHOLD_MAX)
		return error_set(err, "\"%s\" is out of range: 0 to %d", escaped(v),
			THRESHOLD_MAX);
	*out = (uint32_t)count;
	return 0;
}

static int parse_ban(uint32_t *out, struct view v, struct error *err)
{
	uint64_t seconds = 0;

	if (!view_eq(v, view_str("no"))) {
		if (duration_parse(&seconds, v, err))
			return -1;
		if (seconds < 1 || seconds > BAN_MAX)
			return error_set(err, "\"%s\" is out of range: 1s to 366d, or no",
				escaped(v));
	}
	*out = (uint32_t)seconds;
	return 0;
}

static int parse_dialled(struct rule *rule, struct view v, struct error *err)
{
	struct view word;
	unsigned n = 0;

	memset(rule->dialled, 0, sizeof rule->dialled);
	while ((word = next_word(&v)).n) {
		if (n == RULE_DIALLED_MAX)
			return error_set(
				err, "has more than %d prefixes", RULE_DIALLED_MAX);
		for (size_t i = 0; i < word.n; i++)
			if (!strchr("0123456789+*#", word.p[i]) || !word.p[i] ||
				word.n >= RULE_PREFIX_MAX)
				return error_set(err,
					"\"%s\" is no prefix: up to %d of 0-9 + * #",
					escaped(word), RULE_PREFIX_MAX - 1);
		view_copy(rule->dialled[n++], RULE_PREFIX_MAX, word);
	}
	return 0;
}

static int parse_phones(char out[RULE_PHONES_MAX], struct view v, struct error *err)
{
	struct buffer words = {.max = RULE_PHONES_MAX - 1};
	struct view word;

	while ((word = next_word(&v)).n)
		if (buffer_printf(&words, "%s%.*s", words.n ? " " : "", (int)word.n,
			    (const char *)word.p)) {
			buffer_free(&words);
			return error_set(
				err, "is longer than %d bytes", RULE_PHONES_MAX - 1);
		}
	view_copy(out, RULE_PHONES_MAX, view_of(words.p, words.n));
	buffer_free(&words);
	return 0;
}

static int parse_reason(struct rule *rule, struct view v, struct error *err)
{
	static const char *const names[] = {"source", "attempts", "window", "sources",
		"accounts", "numbers", "account", "dialled", "agent", "proof"};
	struct view rest = v;

	if (!v.n || v.n >= RULE_REASON_MAX)
		return error_set(
			err, "has %zu bytes; write 1 to %d", v.n, RULE_REASON_MAX - 1);
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return error_set(err, "holds a control character");
	while (view_find(rest, '{') < rest.n) {
		struct view name;
		size_t i = 0;

		rest = view_from(rest, view_find(rest, '{') + 1);
		name = view_head(rest, view_find(rest, '}'));
		while (i < sizeof names / sizeof *names &&
			!view_eq(name, view_str(names[i])))
			i++;
		if (name.n == rest.n || i == sizeof names / sizeof *names)
			return error_set(err,
				"has no placeholder \"{%s\"; see the head of rules.conf",
				escaped(view_head(name, 40)));
	}
	view_copy(rule->reason, sizeof rule->reason, v);
	return 0;
}

static int parse_value(
	struct rule *rule, const struct key *k, struct view v, struct error *err)
{
	void *at = (char *)rule + k->offset;

	switch (k->type) {
	case KEY_BOOL:
		return parse_bool(at, v, err);
	case KEY_KINDS:
		return parse_bits(at, v, observation_kind_name, 1, OBSERVED_KINDS,
			"observation", err);
	case KEY_SENSORS:
		return parse_bits(
			at, v, sensor_name, 1, SENSOR_KAMAILIO + 1, "sensor", err);
	case KEY_METHODS:
		return parse_bits(at, v, method_name, 0, SIP_UPDATE + 1, "method", err);
	case KEY_CHOICE:
		return parse_choice(at, k->choices, v, err);
	case KEY_CATEGORY:
		return parse_category(at, v, err);
	case KEY_THRESHOLD:
		return parse_threshold(at, v, err);
	case KEY_COUNT:
		return parse_count(at, v, err);
	case KEY_BAN:
		return parse_ban(at, v, err);
	case KEY_DIALLED:
		return parse_dialled(rule, v, err);
	case KEY_PHONES:
		return parse_phones(at, v, err);
	case KEY_REASON:
		return parse_reason(rule, v, err);
	}
	return error_set(err, "has an unknown type");
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

	for (size_t i = 0; i < KEYS_COUNT; i++) {
		if (!view_eq(name, view_str(keys[i].name)))
			continue;
		if (r->given[i])
			complain(r, r->line,
				"[%s] %s is given already on line %u; remove one",
				r->rule->name, keys[i].name, r->given[i]);
		else if (parse_value(r->rule, &keys[i], value, &err))
			complain(r, r->line, "[%s] %s: %s", r->rule->name, keys[i].name,
				err.text);
		r->given[i] = r->line;
		return;
	}
	complain(r, r->line, "[%s] has no key \"%s\"; see the head of rules.conf",
		r->rule->name, escaped(view_head(name, 40)));
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
			rule->tool || rule->methods || rule->sensors || rule->failures ||
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
