/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a rule, in one table, and how their values are read. */
#include "detect/rule_value.h"

#include "base/escape.h"
#include "base/units.h"
#include "sip/message.h"

#define WINDOW_MAX 86400
#define BAN_MAX    (366 * UINT64_C(86400))

enum key_type {
	KEY_BOOL,
	KEY_KINDS,
	KEY_SENSORS,
	KEY_SIGNS,
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
	{"signs", KEY_SIGNS, offsetof(struct rule, signs), NULL},
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
	{"registered-too", KEY_BOOL, offsetof(struct rule, registered_too), NULL},
	{"reason", KEY_REASON, offsetof(struct rule, reason), NULL},
};

#define KEYS_COUNT (sizeof keys / sizeof *keys)
_Static_assert(KEYS_COUNT <= RULE_KEYS_MAX, "raise it");

int rule_key_find(struct view name)
{
	for (size_t i = 0; i < KEYS_COUNT; i++)
		if (view_eq(name, view_str(keys[i].name)))
			return (int)i;
	return -1;
}

const char *rule_key_name(int key)
{
	return keys[key].name;
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

	while ((word = word_next(&v)).n) {
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
	while ((word = word_next(&v)).n) {
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

	while ((word = word_next(&v)).n)
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

int rule_value_parse(struct rule *rule, int key, struct view v, struct error *err)
{
	const struct key *k = &keys[key];
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
	case KEY_SIGNS:
		return parse_bits(at, v, sign_name, 0, 4, "sign", err);
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
