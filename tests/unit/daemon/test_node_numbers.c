/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in the role `node`: own and learnt, in the store, never for the firewall. */
#include "node_for_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/evidence_answer.h"
#include "daemon/config_numbers.h"
#include "remove_tree.h"
#include "sip/message.h"
#include "store/ban_record.h"

static char folder[64];

static struct node *begun(void)
{
	struct node *n = node_begin(folder, false);

	n->config->detect = detect_config_default;
	n->config->evidence.keep = 86400;
	n->config->evidence.max = 1000000;
	strcpy(n->config->node.name, "edge1");
	strcpy(n->config->member.key, "/key");
	n->own = own_config_default;
	n->own.publish[PROOF_RULE] = true;
	n->own.ttl = 3600;
	n->detector = detector_new(&n->config->detect, n->hash_key);
	n->trail = trail_new(1 << 20, n->hash_key);
	assert_non_null(n->detector);
	assert_non_null(n->trail);
	history_begin(100);
	node_link(n);
	assert_true(n->caught_up);
	return n;
}

static void end(struct node *n)
{
	detector_free(n->detector);
	trail_free(n->trail);
	node_kill(n);
}

/* One refused call over TCP. */
static void call(struct node *n, const char *source, const char *dialled)
{
	static uint64_t attempt = 1000;
	struct observation o;

	memset(&o, 0, sizeof o);
	assert_int_equal(address_parse(&o.source, view_str(source), NULL), 0);
	o.time = clock_wall();
	o.kind = OBSERVED_CALL_REJECTED;
	o.proof = PROOF_TCP;
	o.sensor = SENSOR_HEP;
	o.transport = TRANSPORT_TCP;
	o.method = SIP_INVITE;
	o.attempt = ++attempt;
	snprintf(o.dialled, sizeof o.dialled, "%s", dialled);
	snprintf(o.account, sizeof o.account, "101");
	node_sense_message(n, MSG_OBSERVATIONS, view_of(&o, sizeof o));
}

/* Three variants of one number, and the time that its judging takes. */
static void attack(struct node *n)
{
	call(n, "8.8.0.7", "00972590000101");
	call(n, "8.8.0.7", "900972590000101");
	call(n, "8.8.0.7", "+972590000101");
}

static uint8_t scope_of(struct node *n, const char *text)
{
	struct indicator i = of(text);

	return (uint8_t)((ban_table_get(n->bans, &i, BAN_ALL) ? 1 : 0) |
		(ban_table_get(n->bans, &i, BAN_SIP) ? 2 : 0));
}

/* The word about an indicator among all that was handed over, or NULL. */
static const struct report *word_about(const char *text)
{
	static struct report found;
	struct indicator i = of(text);
	struct submitted s;
	bool is = false;

	while (take_submitted(&s))
		for (uint32_t k = 0; k < s.header.count; k++)
			if (!indicator_compare(&s.words[k].indicator, &i)) {
				found = s.words[k];
				is = true;
			}
	return is ? &found : NULL;
}

static void test_own(void **state)
{
	struct indicator number = of("+972590000101");
	const struct report *word;
	struct error err = {""};
	struct node *n = begun();
	const struct ban *b;
	const char *text;
	json_t *o;

	(void)state;
	attack(n);
	b = ban_table_get(n->bans, &number, BAN_ALL);
	assert_non_null(b);
	assert_int_equal(b->origin, BAN_OWN);
	assert_int_equal(b->category, CATEGORY_FRAUD);
	assert_int_equal(b->state, BAN_KEPT);
	assert_int_equal(b->until, node_now() + 86400);
	/* What waits for the firewall is the attacker alone. */
	assert_int_equal(ban_table_queued(n->bans), 1);
	o = evidence_answer_get(n->store, 0, &number, &err);
	assert_non_null(o);
	text = json_string_value(json_object_get(json_object_get(o, "record"), "reason"));
	assert_string_equal(
		text, "called 3 times by 1 attacker within 1d, last as +972590000101");
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(o, "record"), "observations")),
		3);
	/* Whose accounts they were is nobody's business. */
	text = json_string_value(json_object_get(
		json_array_get(
			json_object_get(json_object_get(o, "record"), "observations"), 0),
		"account"));
	assert_string_equal(text, "account 1");
	json_decref(o);
	word = word_about("+972590000101");
	assert_non_null(word);
	assert_int_equal(word->proof, PROOF_RULE);
	assert_int_equal(word->category, CATEGORY_FRAUD);
	assert_int_equal(word->expiry, node_now() + 86400);
	end(n);
}

/* It outlives the process, and its end. */
static void test_restart(void **state)
{
	struct node *n = begun();
	struct indicator number = of("+972590000101");
	struct ban kept;

	(void)state;
	attack(n);
	end(n);
	n = begun();
	assert_int_equal(scope_of(n, "+972590000101"), 1);
	assert_true(node_unban(n, &number, BAN_ALL));
	node_bans_flush(n);
	assert_int_equal(scope_of(n, "+972590000101"), 0);
	/* Nobody's answer is waited for: it is out of the store as well. */
	assert_int_equal(
		ban_record_get(n->store, &kept, NULL, &number, BAN_ALL, NULL), 0);
	end(n);
}

static void test_learnt(void **state)
{
	struct node *n = begun();
	struct indicator number = of("+972590000101");
	struct allow_entry e = {.indicator = of("+97259*"), .origin = ALLOW_OPERATOR};

	(void)state;
	history_report(n, "+972590000101", 0, node_now() + 1000);
	assert_int_equal(scope_of(n, "+972590000101"), 2);
	assert_int_equal(ban_table_get(n->bans, &number, BAN_SIP)->state, BAN_KEPT);
	assert_int_equal(ban_table_queued(n->bans), 0);
	/* The customer's own carrier: allowed here, whatever others say. */
	assert_int_equal(allowlist_add(n->allow, &e), 0);
	n->all_dirty = true;
	node_decide_dirty(n);
	assert_int_equal(scope_of(n, "+972590000101"), 0);
	attack(n);
	assert_int_equal(scope_of(n, "+972590000101"), 0);
	assert_null(word_about("+972590000101"));
	end(n);
}

/* Observe mode: kept as what would stand, told to nobody. */
static void test_observe(void **state)
{
	struct node *n = begun();

	(void)state;
	n->config->node.observe = true;
	n->own.observe = true;
	attack(n);
	assert_int_equal(scope_of(n, "+972590000101"), 1);
	assert_null(word_about("+972590000101"));
	end(n);
}

/* The number of what would be banned: reading it anew under another plan. */
static void test_reload(void **state)
{
	struct node *n = begun();

	(void)state;
	strcpy(n->config->numbers.country, "972");
	node_numbers_configure(n);
	attack(n);
	assert_int_equal(scope_of(n, "+972590000101"), 0);
	n->config->numbers.domestic = true;
	node_numbers_configure(n);
	node_numbers_due(n);
	assert_int_equal(scope_of(n, "+972590000101"), 1);
	end(n);
}

/* As after a reload: what [numbers] says of the site is another. */
static void reloaded(struct node *n, const char *country, bool domestic)
{
	strcpy(n->config->numbers.country, country);
	n->config->numbers.domestic = domestic;
	config_policy_home(n->config);
	node_numbers_configure(n);
	n->all_dirty = true;
	node_decide_dirty(n);
}

/* Numbers of the own country, on others' word and on this node's own. */
static void test_domestic(void **state)
{
	struct node *n = begun();
	struct indicator own = of("+972590000105");

	(void)state;
	history_report(n, "+972590000101", 0, node_now() + 1000);
	history_report(n, "+97259*", 1, node_now() + 1000);
	history_report(n, "+447700900123", 2, node_now() + 1000);
	attack(n);
	assert_int_equal(scope_of(n, "+972590000101"), 3);
	node_ban(n, &own, BAN_ALL, BAN_OPERATOR, CATEGORY_OTHER, node_now() + 1000);
	reloaded(n, "972", false);
	assert_int_equal(scope_of(n, "+972590000101"), 0);
	assert_int_equal(scope_of(n, "+97259*"), 0);
	assert_int_equal(scope_of(n, "+447700900123"), 2);
	/* An operator's own ban of such a number stands. */
	assert_int_equal(scope_of(n, "+972590000105"), 1);
	reloaded(n, "972", true);
	assert_int_equal(scope_of(n, "+972590000101"), 2);
	assert_int_equal(scope_of(n, "+97259*"), 2);
	reloaded(n, "44", false);
	assert_int_equal(scope_of(n, "+97259*"), 2);
	assert_int_equal(scope_of(n, "+447700900123"), 0);
	end(n);
}

/* A URI whose domain is allowed, where its text was published and where it was not. */
static void test_allowed_domain(void **state)
{
	struct allow_entry e = {
		.indicator = of("domain:carrier.example"), .origin = ALLOW_OPERATOR};
	struct indicator uri = of("sip:bob@carrier.example");
	struct node *n = begun();
	char hidden[INDICATOR_TEXT];
	struct indicator eve = of("sip:eve@carrier.example");

	(void)state;
	history_report(n, "sip:bob@carrier.example", 0, node_now() + 1000);
	history_report(n, indicator_print(hidden, &eve), 1, node_now() + 1000);
	assert_int_equal(scope_of(n, "sip:bob@carrier.example"), 2);
	assert_int_equal(scope_of(n, "sip:eve@carrier.example"), 2);
	node_text_note(n, &uri, view_str("sip:bob@carrier.example"));
	node_ban(n, &uri, BAN_ALL, BAN_OWN, CATEGORY_FRAUD, node_now() + 1000);
	assert_int_equal(allowlist_add(n->allow, &e), 0);
	n->all_dirty = true;
	node_decide_dirty(n);
	assert_int_equal(scope_of(n, "sip:bob@carrier.example"), 0);
	assert_int_equal(scope_of(n, "sip:eve@carrier.example"), 2);
	assert_true(allowlist_remove(n->allow, &e.indicator, ALLOW_OPERATOR));
	n->all_dirty = true;
	node_decide_dirty(n);
	assert_int_equal(scope_of(n, "sip:bob@carrier.example"), 2);
	/* The text goes with the last that speaks of it. */
	assert_non_null(node_text(n, &uri));
	clock_set(2000);
	registry_expire(n->registry, node_now(), node_touch, n);
	node_decide_dirty(n);
	assert_null(node_text(n, &uri));
	end(n);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-numbers-XXXXXX");
	clock_set(0);
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	history_cut(0);
	return remove_tree(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_restart, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_learnt, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_observe, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_reload, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_domestic, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(
			test_allowed_domain, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
