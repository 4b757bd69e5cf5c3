/* SPDX-License-Identifier: Apache-2.0 */
/* What a node does with its own detections. */
#include "ledger_fixture.h"

#include <stdio.h>

#include "decide/own.h"

#define NOW 1000

struct node {
	struct ledger ledger;
	struct allowlist *allow;
	struct own_config config;
};

static int setup(void **state)
{
	static struct node n;

	ledger_start(&n.ledger, 2, false, NOW);
	n.allow = allowlist_new();
	assert_non_null(n.allow);
	n.config = own_config_default;
	*state = &n;
	return 0;
}

static int teardown(void **state)
{
	struct node *n = *state;

	ledger_stop(&n->ledger);
	allowlist_free(n->allow);
	return 0;
}

/* A detection of this address, banned for 600 s as a first offence. */
static struct detection detection(const char *address, uint8_t proof)
{
	struct detection d = {.category = CATEGORY_PASSWORD,
		.proof = proof,
		.offence = 1,
		.ban = 600,
		.publish = true,
		.attempts = 3};

	assert_int_equal(address_parse(&d.source, view_str(address), NULL), 0);
	return d;
}

static struct own_action decide(const struct node *n, const struct detection *d)
{
	struct own_action a;

	own_decide(&a, &n->config, n->ledger.registry, n->allow, d, NOW);
	return a;
}

static void test_proved(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct own_action a = decide(n, &d);
	struct indicator expected = of("8.8.4.4");

	assert_memory_equal(&a.indicator, &expected, sizeof(expected));
	assert_true(a.ban);
	assert_int_equal(a.until, NOW + 600);
	assert_true(a.publish);
	assert_int_equal(a.expiry, NOW + 86400);
	assert_int_equal(a.category, CATEGORY_PASSWORD);
	assert_int_equal(a.proof, PROOF_NONCE);
	assert_int_equal(a.decision.why, WHY_OWN_DETECTION);
	assert_string_equal(a.reason,
		"ban for 10m (password, proof nonce, offence 1); report for 1d");
	d = detection("2a00:1450:4001::64", PROOF_TCP);
	a = decide(n, &d);
	assert_true(a.ban && a.publish);
	assert_int_equal(a.indicator.plen, 128);
}

/* Never published, whatever is configured; the ban is short, or none. */
static void test_unproved(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONE);
	struct own_action a;

	n->config.publish[PROOF_NONE] = true;
	/* By default the signs of the wire must speak for it. */
	a = decide(n, &d);
	assert_false(a.ban || a.would_ban || a.publish);
	assert_string_equal(a.reason,
		"not banned: nothing shows that the source is not forged; not "
		"reported: the source is not proved");
	d.plausible = true;
	d.unproved_ban = 60;
	a = decide(n, &d);
	assert_true(a.ban);
	assert_false(a.publish || a.would_publish);
	assert_int_equal(a.until, NOW + 60);
	d.unproved_ban = 600;
	a = decide(n, &d);
	assert_int_equal(a.until, NOW + 120);
	assert_string_equal(a.reason,
		"ban for 2m (password, proof none, but plausible, offence 1); not "
		"reported: the source is not proved");
	d.plausible = false;
	n->config.unproved = OWN_UNPROVED_BAN;
	a = decide(n, &d);
	assert_true(a.ban);
	assert_int_equal(a.until, NOW + 120);
	assert_false(a.publish);
	assert_false(a.would_publish);
	assert_string_equal(a.reason,
		"ban for 2m (password, proof none, offence 1); not "
		"reported: the source is not proved");
	/* Doubling does not lengthen it: the offences may be somebody else's. */
	d.ban = 86400;
	a = decide(n, &d);
	assert_int_equal(a.until, NOW + 120);
	d.ban = 60;
	a = decide(n, &d);
	assert_int_equal(a.until, NOW + 60);
	n->config.unproved = OWN_UNPROVED_IGNORE;
	a = decide(n, &d);
	assert_false(a.ban);
	assert_false(a.would_ban);
	assert_false(a.decision.block);
	assert_string_equal(a.reason,
		"not banned: the configuration has no ban for "
		"unproved sources; not reported: the source is not proved");
}

static void test_allowed(void **state)
{
	struct node *n = *state;
	struct allow_entry e = {of("8.8.0.0/16"), ALLOW_REGISTERED, 0, ""};
	struct detection d = detection("8.8.4.4", PROOF_AUTH);
	struct own_action a;

	assert_int_equal(allowlist_add(n->allow, &e), 0);
	a = decide(n, &d);
	assert_false(a.ban || a.would_ban || a.publish || a.would_publish);
	assert_int_equal(a.decision.why, WHY_ALLOWED);
	assert_string_equal(a.reason,
		"not blocked: overlaps 8.8.0.0/16 on this node's "
		"allowlist (registered); not reported");
	d.proof = PROOF_NONE;
	a = decide(n, &d);
	assert_false(a.ban || a.would_ban || a.publish || a.would_publish);
	d = detection("8.9.4.4", PROOF_AUTH);
	a = decide(n, &d);
	assert_true(a.ban && a.publish);
}

static void allow(struct node *n, const char *what, uint8_t origin, const char *note)
{
	struct allow_entry e = {of(what), origin, 0, ""};

	snprintf(e.note, sizeof e.note, "%s", note);
	assert_int_equal(allowlist_add(n->allow, &e), 0);
}

/* Who authenticated is spared what many phones behind one address may do. */
static void test_registered(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct own_action a;

	allow(n, "8.8.4.4", ALLOW_REGISTERED, "account 101");
	a = decide(n, &d);
	assert_false(a.would_ban || a.would_publish || a.unregister);
	assert_int_equal(a.decision.why, WHY_ALLOWED);
	/* But not what its rule lets no phone do, when the address is proved. */
	d.registered_too = true;
	d.category = CATEGORY_FRAUD;
	a = decide(n, &d);
	assert_true(a.ban && a.publish && a.unregister);
	assert_int_equal(a.until, NOW + 600);
	assert_int_equal(a.decision.why, WHY_OWN_DETECTION);
	assert_string_equal(a.reason,
		"ban for 10m (fraud, proof nonce, offence 1) though it is registered; "
		"report for 1d");
	d.proof = PROOF_TCP;
	assert_true(decide(n, &d).ban);
	d.proof = PROOF_AUTH;
	assert_true(decide(n, &d).ban);
	d.proof = PROOF_ACK;
	assert_false(decide(n, &d).ban);
	d.proof = PROOF_LOG;
	assert_false(decide(n, &d).ban);
	d.proof = PROOF_NONE;
	d.plausible = true;
	a = decide(n, &d);
	assert_false(a.would_ban || a.unregister);
	/* A node that only observes touches nothing. */
	d.proof = PROOF_NONCE;
	n->config.observe = true;
	a = decide(n, &d);
	assert_true(a.would_ban && a.would_publish);
	assert_false(a.ban || a.publish || a.unregister);
	n->config.observe = false;
	/* Nor does it go where the rule bans nobody. */
	d.ban = 0;
	assert_false(decide(n, &d).unregister);
}

/* Every other entry stands, beside it or around it, and the protected table. */
static void test_registered_and_more(void **state)
{
	static const uint8_t origins[] = {ALLOW_CONFIGURED, ALLOW_OPERATOR, ALLOW_OWN,
		ALLOW_GATEWAY, ALLOW_RESOLVER, ALLOW_LEDGER, ALLOW_TRUNK};
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct indicator at = of("8.8.4.4"), around = of("8.8.0.0/16");
	struct own_action a;

	d.registered_too = true;
	d.category = CATEGORY_FRAUD;
	allow(n, "8.8.4.4", ALLOW_REGISTERED, "account 101");
	for (size_t i = 0; i < sizeof origins; i++) {
		allow(n, "8.8.4.4", origins[i], "");
		a = decide(n, &d);
		assert_false(a.would_ban || a.would_publish || a.unregister);
		assert_true(allowlist_remove(n->allow, &at, origins[i]));
		allow(n, "8.8.0.0/16", origins[i], "");
		a = decide(n, &d);
		assert_false(a.would_ban || a.would_publish || a.unregister);
		assert_true(allowlist_remove(n->allow, &around, origins[i]));
	}
	assert_true(decide(n, &d).ban);
	ledger_protect(&n->ledger, &at);
	a = decide(n, &d);
	assert_false(a.would_ban || a.would_publish || a.unregister);
	assert_int_equal(a.decision.why, WHY_PROTECTED);
}

static void test_protected(void **state)
{
	struct node *n = *state;
	struct indicator carrier = of("8.8.4.0/24");
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct own_action a;

	ledger_protect(&n->ledger, &carrier);
	a = decide(n, &d);
	assert_false(a.ban || a.would_ban || a.publish || a.would_publish);
	assert_int_equal(a.decision.why, WHY_PROTECTED);
	assert_memory_equal(&a.decision.conflict, &carrier, sizeof(carrier));
	d.proof = PROOF_NONE;
	a = decide(n, &d);
	assert_false(a.ban || a.publish);
}

static void test_classes(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_ACK);
	struct own_action a = decide(n, &d);

	assert_false(a.publish); /* the default */
	n->config.publish[PROOF_ACK] = true;
	a = decide(n, &d);
	assert_true(a.publish);
	/* What a rule keeps to this node, and what it only tells of. */
	d.publish = false;
	a = decide(n, &d);
	assert_true(a.ban);
	assert_false(a.publish);
	d.publish = true;
	d.ban = 0;
	a = decide(n, &d);
	assert_false(a.ban || a.would_ban);
	d.ban = 600;
	n->config.publish[PROOF_ACK] = false;
	a = decide(n, &d);
	assert_true(a.ban);
	assert_int_equal(a.until, NOW + 600);
	assert_false(a.publish);
	assert_non_null(
		strstr(a.reason, "not reported: proof ack is not published here"));
	/* Not by default: what others saw in a log is not this node's proof. */
	d.proof = PROOF_LOG;
	a = decide(n, &d);
	assert_false(a.publish);
	d.proof = PROOF_COUNT;
	a = decide(n, &d);
	assert_false(a.publish);
}

/* Before the ledger was read a report is decided all the same, and waits. */
static void test_ledger_unread(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct own_action a;

	own_decide(&a, &n->config, NULL, n->allow, &d, NOW);
	assert_true(a.ban);
	assert_true(a.publish);
	assert_int_equal(a.expiry, NOW + n->config.ttl);
	n->config.may_report = false;
	own_decide(&a, &n->config, NULL, n->allow, &d, NOW);
	assert_true(a.ban);
	assert_false(a.publish);
	assert_string_equal(a.reason,
		"ban for 10m (password, proof nonce, offence 1); "
		"not reported: this node is not an active member");
}

/* A host of the own LAN may be banned, but no ledger takes it. */
static void test_unroutable(void **state)
{
	struct node *n = *state;
	struct detection d = detection("192.168.7.7", PROOF_NONCE);
	struct own_action a = decide(n, &d);

	assert_true(a.ban);
	assert_false(a.publish);
	assert_non_null(
		strstr(a.reason, "not reported: the ledger takes no such address"));
}

static void test_observe(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct own_action a;

	n->config.observe = true;
	a = decide(n, &d);
	assert_false(a.ban);
	assert_false(a.publish);
	assert_true(a.would_ban);
	assert_true(a.would_publish);
	assert_int_equal(a.until, NOW + 600);
	assert_string_equal(a.reason,
		"would ban for 10m (password, proof nonce, offence "
		"1); would report for 1d");
}

static void test_ttl(void **state)
{
	struct own_config c = own_config_default;

	(void)state;
	c.ttl = 100;
	c.ttl_max = 1000;
	assert_int_equal(own_ttl(&c, 0, 86400), 100);
	assert_int_equal(own_ttl(&c, 1, 86400), 100);
	assert_int_equal(own_ttl(&c, 2, 86400), 200);
	assert_int_equal(own_ttl(&c, 4, 86400), 800);
	assert_int_equal(own_ttl(&c, 5, 86400), 1000);
	assert_int_equal(own_ttl(&c, UINT32_MAX, 86400), 1000);
	/* The ledger's own limit is the last word. */
	assert_int_equal(own_ttl(&c, 3, 300), 300);
	assert_int_equal(own_ttl(&c, 1, 50), 50);
	c.ttl = UINT32_MAX;
	c.ttl_max = UINT32_MAX;
	assert_int_equal(own_ttl(&c, 9, UINT32_MAX), UINT32_MAX);
	c.ttl = 0;
	c.ttl_max = 1000;
	assert_int_equal(own_ttl(&c, UINT32_MAX, 86400), 0);
}

/* Ends do not wrap around at the end of 32-bit time. */
static void test_end_of_time(void **state)
{
	struct node *n = *state;
	struct detection d = detection("8.8.4.4", PROOF_NONCE);
	struct own_action a;

	own_decide(&a, &n->config, n->ledger.registry, n->allow, &d, UINT32_MAX - 5);
	assert_int_equal(a.until, UINT32_MAX);
	assert_int_equal(a.expiry, UINT32_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_proved),
		TEST(test_unproved),
		TEST(test_allowed),
		TEST(test_registered),
		TEST(test_registered_and_more),
		TEST(test_protected),
		TEST(test_classes),
		TEST(test_ledger_unread),
		TEST(test_unroutable),
		TEST(test_observe),
		cmocka_unit_test(test_ttl),
		TEST(test_end_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
