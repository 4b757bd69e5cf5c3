/* SPDX-License-Identifier: Apache-2.0 */
/* The file of rules: what it changes, and what its mistakes are told as. */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "detect/detect.h"

static struct rules rules;

/* Read text over the built-in rules; returns the errors, "" for none (static). */
static const char *read_text(const char *text)
{
	static char told[4096];
	struct buffer errors = {.max = 65536};
	int rc;

	rules = *rules_builtin();
	rc = rules_read(&rules, "r.conf", view_str(text), &errors);
	assert_int_equal(rc, errors.n ? -1 : 0);
	snprintf(told, sizeof told, "%.*s", (int)errors.n, (const char *)errors.p);
	buffer_free(&errors);
	return told;
}

static const struct rule *find(const char *name)
{
	const struct rule *rule = rules_find(&rules, view_str(name));

	assert_non_null(rule);
	return rule;
}

/* The built-in rules weigh what the built-in configuration says. */
static void test_builtin(void **state)
{
	const struct rules *built = rules_builtin();

	(void)state;
	assert_in_range(built->n, 10, RULES_MAX);
	for (uint8_t kind = 1; kind < OBSERVED_KINDS; kind++) {
		const struct rule *rule = rules_together(built, kind);
		struct detect_rule by = detect_config_default.rules[kind];

		assert_int_equal(rule != NULL, by.threshold != 0);
		if (!rule)
			continue;
		assert_int_equal(rule->threshold.threshold, by.threshold);
		assert_int_equal(rule->threshold.window, by.window);
	}
	/* Reading the shipped file over itself changes nothing. */
	rules = *built;
	assert_int_equal(rules_read(&rules, "rules.conf", rules_builtin_text(), NULL), 0);
	assert_memory_equal(&rules, built, sizeof rules);
}

static void test_change(void **state)
{
	(void)state;
	assert_string_equal(read_text("# mine\n[password]\r\nthreshold = 5/1h\n"
				      "reason = {attempts} by {source}\n\n"
				      "[premium]\nobservations = auth-ok, call\n"
				      "dialled = 0900 +88\nthreshold = off\nban = no\n"
				      "sensors = hep honeypot\nmethods = invite other\n"),
		"");
	assert_int_equal(find("password")->threshold.threshold, 5);
	assert_int_equal(find("password")->threshold.window, 3600);
	assert_string_equal(find("password")->reason, "{attempts} by {source}");
	/* What the file does not give stays. */
	assert_int_equal(find("password")->category, CATEGORY_PASSWORD);
	assert_int_equal(find("password")->unproved, RULE_UNPROVED_TOOK_PART);
	assert_int_equal(
		find("premium")->kinds, 1 << OBSERVED_AUTH_OK | 1 << OBSERVED_CALL);
	assert_int_equal(
		find("premium")->sensors, 1 << SENSOR_HEP | 1 << SENSOR_HONEYPOT);
	assert_int_equal(find("premium")->threshold.threshold, 0);
	assert_int_equal(find("premium")->ban, 0);
	assert_true(find("premium")->publish);
	assert_string_equal(find("premium")->dialled[1], "+88");
	assert_int_equal(rules.n, rules_builtin()->n + 1);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"threshold = 1/1m\n", "r.conf:1: stands before the first [rule]\n"},
		{"[password\n",
			"r.conf:1: the rule's name has no end; close it with ]\n"},
		{"[Pass word]\n",
			"r.conf:1: [Pass word] is no name: up to 31 of a-z, 0-9 and -\n"},
		{"[password]\n[password]\n",
			"r.conf:2: [password] began on line 1 already; make one of both\n"},
		{"[password]\nban = 1m\nban = 2m\n",
			"r.conf:3: [password] ban is given already on line 2; remove one\n"},
		{"[password]\nbann = 1m\n",
			"r.conf:2: [password] has no key \"bann\"; see the head of rules.conf\n"},
		{"[password]\nhello\n", "r.conf:2: \"hello\" is no \"key = value\"\n"},
		{"[password]\nreason = a; b\n",
			"r.conf:2: holds a ';'; write something else, and # before comments\n"},
		{"[password]\nthreshold = 3\n",
			"r.conf:2: [password] threshold: \"3\": write ATTEMPTS/WINDOW, such as "
			"3/10m, or off\n"},
		{"[password]\nthreshold = 65/10m\n",
			"r.conf:2: [password] threshold: \"65/10m\" is out of range: 1 to 64 "
			"attempts in 1s to 1d, or off\n"},
		{"[password]\nunproved = maybe\n",
			"r.conf:2: [password] unproved: \"maybe\" is not one of: never, "
			"took-part, unforged, always\n"},
		{"[password]\nreason = {foo}\n",
			"r.conf:2: [password] reason: has no placeholder \"{foo\"; see the head "
			"of rules.conf\n"},
		{"[password]\nobservations = auth-failed pings\n",
			"r.conf:2: [password] observations: \"pings\" is no observation; see the "
			"head of rules.conf\n"},
		{"[password]\ncategory = objection\n",
			"r.conf:2: [password] category: \"objection\" is no category; they are "
			"scan, enumeration, password, fraud, malformed, stolen, campaign, "
			"other\n"},
		{"[password]\ndistinct = accounts\n",
			"r.conf:1: [password] together = yes: such a rule has one observation and "
			"counts its attempts per source, nothing else\n"},
		{"[mine]\nthreshold = 1/1m\n",
			"r.conf:1: [mine] observations: name one at least, such as auth-failed\n"},
		{"[mine]\nobservations = scan\ntogether = yes\n",
			"r.conf:1: [mine] together: another rule weighs that observation already; "
			"change it instead, or write enabled = no there\n"},
		{"[mine]\nobservations = scan\nper = account\n",
			"r.conf:1: [mine] distinct: with per = account and dialled, write "
			"sources\n"},
		/* A word behind a blank and a comma is read as well. */
		{"[scan]\nmethods = invite , bogus\n",
			"r.conf:2: [scan] methods: \"bogus\" is no method; see the head of "
			"rules.conf\n"},
		{"[toll-fraud]\ndialled = 00x\n",
			"r.conf:2: [toll-fraud] dialled: \"00x\" is no prefix: up to 11 of 0-9 + "
			"* #\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(read_text(cases[i].text), cases[i].told);
	/* All mistakes are told, not the first alone. */
	assert_non_null(strstr(read_text("[scan]\nban = x1\nsigns = maybe\n"),
		"\nr.conf:3: [scan] signs: \"maybe\" is no sign; see the head of rules.conf\n"));
}

static void test_too_many(void **state)
{
	struct buffer text = {.max = 65536};

	(void)state;
	for (unsigned i = 0; i < RULES_MAX; i++)
		buffer_printf(&text, "[r%u]\nobservations = scan\n", i);
	buffer_put(&text, "", 1);
	assert_non_null(
		strstr(read_text((const char *)text.p), "there are 32 rules already"));
	buffer_free(&text);
}

/* Texts of senders are escaped and cut, whatever a reason asks for. */
static void test_reason(void **state)
{
	struct reason_facts f = {.source = "192.0.2.1",
		.account = "a\nb\x1b[31m",
		.dialled = "{attempts}",
		.agent = "0123456789012345678901234567890123456789012345",
		.proof = "none",
		.attempts = 3,
		.window = 600,
		.sources = 1};
	struct rule rule = {
		.reason = "{attempts} in {window}: {account} {dialled} {agent}"};
	char text[320], small[12];

	(void)state;
	assert_string_equal(rule_reason(text, sizeof text, &rule, &f),
		"3 in 10m: a\\x0ab\\x1b[31m {attempts} "
		"0123456789012345678901234567890123456789");
	assert_string_equal(rule_reason(small, sizeof small, &rule, &f), "3 in 10m: a");
}

/* Spoofed crowds: memory stays what it was configured to. */
static void test_bounded(void **state)
{
	struct detect_config config = detect_config_default;
	struct observation o = {.kind = OBSERVED_AUTH_FAILED,
		.proof = PROOF_NONCE,
		.sensor = SENSOR_HEP,
		.source = {.family = 6},
		.time = 1767225600 * USEC_PER_SEC};
	struct detect_figures f;
	struct detection out;
	struct detector *d;

	(void)state;
	config.sources_max = 256;
	d = detector_new(&config, (struct hash_key){1, 2});
	assert_non_null(d);
	for (uint32_t i = 1; i <= 20000; i++) {
		be32_store(o.source.bytes + 4, i);
		be32_store(o.source.bytes + 12, i * 7);
		snprintf(o.account, sizeof o.account, "%u", i % 5000);
		o.attempt = i;
		o.time += 1000;
		detector_feed(d, &o, &out);
		while (detector_due(d, o.time, &out))
			;
	}
	detector_figures(d, &f);
	assert_int_equal(f.sources, 256);
	assert_int_equal(f.networks, 32);
	assert_in_range(f.campaigns, 1, 256);
	assert_in_range(f.memory, 1, 4 << 20);
	detector_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
