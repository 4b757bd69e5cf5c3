/* SPDX-License-Identifier: Apache-2.0 */
/* What this node does with numbers that attackers call. */
#include "ledger_fixture.h"

#include "decide/own_number.h"

#define NOW UINT32_C(1767225600)

static const struct own_number_config policy = {.publish = true, .ttl = 7 * 86400};

static struct own_config own(void)
{
	struct own_config c = own_config_default;

	c.publish[PROOF_RULE] = true;
	return c;
}

static struct number_detection number_of(const char *text)
{
	struct number_detection d = {.proof = PROOF_RULE,
		.source_proof = PROOF_TCP,
		.category = CATEGORY_FRAUD,
		.calls = 2};
	char canonical[INDICATOR_SOURCE_TEXT + 1];

	assert_int_equal(
		indicator_parse(&d.indicator, canonical, view_str(text), NULL), 0);
	memcpy(d.text, canonical, sizeof d.text);
	return d;
}

static struct own_action decided(const struct own_config *c,
	const struct own_number_config *p, const struct allowlist *allow,
	const struct number_detection *d)
{
	struct own_action a;

	own_number_decide(&a, c, p, NULL, allow, d, NOW);
	return a;
}

static void allow(struct allowlist *a, const char *text)
{
	struct allow_entry e = {.origin = ALLOW_CONFIGURED};

	assert_int_equal(indicator_parse(&e.indicator, NULL, view_str(text), NULL), 0);
	assert_int_equal(allowlist_add(a, &e), 0);
}

static void test_plain(void **state)
{
	struct allowlist *none = allowlist_new();
	struct number_detection d = number_of("+972590000101");
	struct own_config c = own();
	struct own_action a = decided(&c, &policy, none, &d);

	(void)state;
	assert_true(a.ban && a.publish);
	assert_int_equal(a.until, NOW + 7 * 86400);
	assert_int_equal(a.expiry, NOW + 7 * 86400);
	assert_int_equal(a.proof, PROOF_RULE);
	assert_string_equal(a.reason,
		"refuse calls to it for 1w (fraud, read by rule, callers' proof tcp); report "
		"for 1w");
	c.observe = true;
	a = decided(&c, &policy, none, &d);
	assert_true(!a.ban && !a.publish && a.would_ban && a.would_publish);
	assert_non_null(strstr(a.reason, "would refuse calls to it"));
	allowlist_free(none);
}

/* What keeps it from the others leaves it refused here. */
static void test_withheld(void **state)
{
	struct allowlist *none = allowlist_new();
	struct number_detection d = number_of("+972590000101");
	struct own_number_config quiet = policy;
	struct own_config c = own();
	struct own_action a;

	(void)state;
	d.proof = PROOF_CLUSTER;
	a = decided(&c, &policy, none, &d);
	assert_true(a.ban && !a.publish);
	assert_non_null(strstr(a.reason, "proof cluster is not published here"));
	d.proof = PROOF_RULE;
	quiet.publish = false;
	a = decided(&c, &quiet, none, &d);
	assert_true(a.ban && !a.publish);
	assert_non_null(strstr(a.reason, "[numbers] publish = no"));
	c.may_report = false;
	a = decided(&c, &policy, none, &d);
	assert_true(a.ban && !a.publish);
	assert_non_null(strstr(a.reason, "not an active member"));
	allowlist_free(none);
}

/* The carrier's number, one inside a prefix, a prefix around it, its domain. */
static void test_allowed(void **state)
{
	static const struct {
		const char *told, *allowed;
	} cases[] = {
		{"+972590000101", "+972590000101"},
		{"+972590000101", "+97259*"},
		{"+97259000010*", "+972590000101"},
		{"sip:bob@carrier.example.com", "sip:bob@carrier.example.com"},
		{"sip:bob@carrier.example.com", "domain:carrier.example.com"},
		{"domain:carrier.example.com", "domain:carrier.example.com"},
	};
	struct own_config c = own();

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct allowlist *list = allowlist_new();
		struct number_detection d = number_of(cases[k].told);
		struct own_action a = decided(&c, &policy, list, &d);

		assert_true(a.ban && a.publish);
		allow(list, cases[k].allowed);
		a = decided(&c, &policy, list, &d);
		if (a.would_ban || a.would_publish)
			fail_msg("%s, although %s is allowed", cases[k].told,
				cases[k].allowed);
		assert_int_equal(a.decision.why, WHY_ALLOWED);
		assert_non_null(strstr(a.reason, "on this node's allowlist"));
		assert_non_null(strstr(a.reason, "; not reported"));
		allowlist_free(list);
	}
}

/* The consortium's table, in both directions; no report outlives the ledger's limit. */
static void test_ledger(void **state)
{
	static const char *const of_table[] = {"+972590000101", "+97259*"};
	struct allowlist *none = allowlist_new();
	struct number_detection d = number_of("+97259000010*");
	struct own_config c = own();
	struct own_action a;
	struct ledger l;

	(void)state;
	ledger_start(&l, 1, false, NOW);
	own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW);
	assert_true(a.ban && a.publish);
	assert_int_equal(a.until, NOW + 7 * 86400);
	assert_int_equal(a.expiry, NOW + 86400);
	d = number_of("+9725*");
	own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW);
	assert_true(a.ban && !a.publish);
	assert_non_null(strstr(a.reason, "the ledger takes no such prefix"));
	ledger_stop(&l);
	for (size_t k = 0; k < 2; k++) {
		struct indicator i = of(of_table[k]);

		ledger_start(&l, 1, false, NOW);
		ledger_protect(&l, &i);
		d = number_of("+97259000010*");
		own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW);
		assert_false(a.would_ban || a.would_publish);
		assert_int_equal(a.decision.why, WHY_PROTECTED);
		ledger_stop(&l);
	}
	allowlist_free(none);
}

/* A report would take the member's own objection back, and anybody can dial. */
static void test_objected(void **state)
{
	struct allowlist *none = allowlist_new();
	struct number_detection d = number_of("+972590000101");
	struct own_config c = own();
	struct own_action a;
	struct ledger l;

	(void)state;
	ledger_start(&l, 1, false, NOW);
	ledger_member(&l, 1, 1);
	ledger_member(&l, 2, 1);
	ledger_report(&l, &d.indicator, 1, 0, NOW + 3600, CATEGORY_FRAUD, PROOF_RULE);
	ledger_report(
		&l, &d.indicator, 2, 0, NOW + 3600, CATEGORY_OBJECTION, PROOF_MANUAL);
	c.member = 1;
	own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW);
	assert_true(a.ban && a.publish);
	c.member = 2;
	own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW);
	assert_true(a.ban && !a.would_publish);
	assert_non_null(strstr(a.reason, "; not reported: this member objects"));
	own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW + 3600);
	assert_true(a.publish); /* until that ends */
	c.member = 0;
	own_number_decide(&a, &c, &policy, l.registry, none, &d, NOW);
	assert_true(a.publish);
	ledger_stop(&l);
	allowlist_free(none);
}

/* Which detections make their source one whose calls count. */
static void test_attacker(void **state)
{
	static const struct {
		uint8_t proof;
		bool publish;
		enum why why;
		bool attacker;
	} cases[] = {
		{PROOF_TCP, true, WHY_OWN_DETECTION, true},
		{PROOF_NONCE, true, WHY_OWN_DETECTION, true},
		{PROOF_AUTH, true, WHY_OWN_DETECTION, true},
		{PROOF_ACK, true, WHY_OWN_DETECTION, false},
		{PROOF_LOG, true, WHY_OWN_DETECTION, false},
		{PROOF_NONE, true, WHY_OWN_DETECTION, false},
		{PROOF_TCP, false, WHY_OWN_DETECTION, false},
		{PROOF_TCP, true, WHY_ALLOWED, false},
		{PROOF_TCP, true, WHY_PROTECTED, false},
	};
	struct own_config c = own();

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct detection d = {
			.proof = cases[k].proof, .publish = cases[k].publish};
		struct own_action a = {.decision.why = cases[k].why};

		if (own_number_attacker(&c, &d, &a) != cases[k].attacker)
			fail_msg("case %zu", k);
	}
	/* This site publishes what an ACK proves; one that publishes nothing convicts. */
	c.publish[PROOF_ACK] = true;
	{
		struct detection d = {.proof = PROOF_ACK, .publish = true};
		struct own_action a = {.decision.why = WHY_OWN_DETECTION};

		assert_true(own_number_attacker(&c, &d, &a));
		memset(c.publish, 0, sizeof c.publish);
		assert_false(own_number_attacker(&c, &d, &a));
		d.proof = PROOF_NONCE;
		assert_true(own_number_attacker(&c, &d, &a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_objected),
		cmocka_unit_test(test_attacker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
