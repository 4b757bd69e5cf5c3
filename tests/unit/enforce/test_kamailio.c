/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol to Kamailio against answers in the words of Kamailio 5.6.3 (what
 * the real one does is tested in tests/net).
 */
#include "pbx_rig.h"

#include <stdlib.h>

#include "enforce/kamailio.h"

#define SECOND USEC_PER_SEC
#define NOW    (1000 * SECOND)

static const struct pbx_ops *ops = &pbx_kamailio;
static struct pbx *p;
static usec ordered_at;

/* The last call that was sent. */
static struct {
	char method[32], params[300], id[32];
} call;

/* Take apart the next datagram. Returns whether there was one. */
static bool take_call(void)
{
	const char *text = next_text(ops, p);

	memset(&call, 0, sizeof call);
	if (!text[0])
		return false;
	assert_int_equal(sscanf(text,
				 "{\"jsonrpc\":\"2.0\",\"method\":\"%31[a-z.]\","
				 "\"params\":[%299[^]]],\"id\":\"%31[0-9a-f]\"}",
				 call.method, call.params, call.id),
		3);
	assert_int_equal(text[strlen(text) - 1], '}');
	return true;
}

static void receive(const char *text, usec now)
{
	ops->received(p, view_str(text), now);
}

static void answer_id(const char *id, const char *body, usec now)
{
	char text[800];

	snprintf(text, sizeof text,
		"{\n\t\"jsonrpc\":\t\"2.0\",\n\t%s,\n\t\"id\":\t\"%s\"\n}", body, id);
	receive(text, now);
}

#define OK      "\"result\":\t\"Ok. Key set to new value.\""
#define DELETED "\"result\":\t\"Ok. Key deleted.\""
#define HERE(value, expire)                                                              \
	"\"result\":\t{\n\t\t\"item\":\t{\n\t\t\t\"name\":\t\"m\",\n\t\t\t\"value\":\t"  \
	"\"" value "\",\n\t\t\t\"flags\":\t2,\n\t\t\t\"expire\":\t\"" expire             \
	"\"\n\t\t}\n\t}"
/* Of the time that the rig's clock shows, and no other before it. */
#define GENERATION "217163200"
#define MARK       GENERATION GENERATION
#define STANDS     HERE(MARK, "2026-11-23 13:10:57")
#define ERROR(code, text)                                                                \
	"\"error\":\t{\n\t\t\"code\":\t" #code ",\n\t\t\"message\":\t\"" text "\"\n\t}"
#define NO_KEY  ERROR(500, "Key name doesn't exist in htable.")
#define MISSING ERROR(404, "Key not found in htable.")

static void answer(const char *body, usec now)
{
	answer_id(call.id, body, now);
}

static void open_with(const char *number, const char *address)
{
	struct pbx_config config = {.name = "k",
		.seed = {7, 8},
		.table_number = number,
		.table_address = address,
		.table_uri = "scuri"};

	memset(&told, 0, sizeof told);
	p = ops->open(&config, &rig_hooks, NULL);
	assert_non_null(p);
}

/* Find, set and look at the marks of so many tables, which had none. */
static void pass_marks(unsigned tables, usec now)
{
	for (unsigned i = 0; i < tables; i++) {
		assert_true(take_call());
		assert_string_equal(call.method, "htable.get");
		answer(MISSING, now);
		assert_true(take_call());
		assert_string_equal(call.method, "htable.setxs");
		assert_non_null(strstr(call.params, "\"sipchain\",\"" MARK "\",604800"));
		answer(OK, now);
		assert_true(take_call());
		assert_string_equal(call.method, "htable.get");
		answer(STANDS, now);
	}
	assert_false(take_call());
}

static int setup(void **state)
{
	(void)state;
	open_with("scnum", "scip");
	ordered_at = NOW;
	ops->connected(p, NOW);
	assert_int_equal(told.resyncs, 1);
	assert_int_equal(told.readies, 0);
	pass_marks(3, NOW);
	assert_int_equal(told.readies, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ops->free(p);
	p = NULL;
	return 0;
}

static size_t order(uint8_t change, const char *text, uint32_t until)
{
	struct ban_order o = order_of(change, text, until);

	return ops->order(p, &o, 1, ordered_at);
}

/* The whole of what is written, to the byte. */
static void test_texts(void **state)
{
	static const struct {
		uint8_t change;
		const char *text;
		uint32_t until;
		const char *method, *params;
	} cases[] = {
		{BAN_ADD, "+97259000123", WALL + 120, "htable.setxs",
			"\"scnum\",\"97259000123\",\"" GENERATION "+97259000123\",120"},
		{BAN_ADD, "+97259*", WALL + 1, "htable.setxs",
			"\"scnum\",\"97259*\",\"" GENERATION "+97259*\",1"},
		{BAN_ADD, "198.51.100.7", WALL + 3600, "htable.setxs",
			"\"scip\",\"198.51.100.7\",\"" GENERATION "198.51.100.7\",3600"},
		{BAN_ADD, "198.51.100.0/24", WALL + 3600, "htable.setxs",
			"\"scip\",\"198.51.100.0/24\",\"" GENERATION
			"198.51.100.0/24\",3600"},
		{BAN_ADD, "2001:db8::7", WALL + 3600, "htable.setxs",
			"\"scip\",\"2001:db8::7\",\"" GENERATION "2001:db8::7\",3600"},
		{BAN_ADD, "uri#00112233445566778899aabbccddeeff", WALL + 5,
			"htable.setxs",
			"\"scuri\",\"00112233445566778899aabbccddeeff\","
			"\"" GENERATION "uri#00112233445566778899aabbccddeeff\",5"},
		/* An int there, which is added to the time of day. */
		{BAN_ADD, "+4420", UINT32_MAX, "htable.setxs",
			"\"scnum\",\"4420\",\"" GENERATION "+4420\",1073741824"},
		{BAN_DELETE, "+97259*", 0, "htable.delete", "\"scnum\",\"97259*\""},
		/* Over already: a longer one may stand there. */
		{BAN_ADD, "+97259*", WALL, "htable.delete", "\"scnum\",\"97259*\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(
			order(cases[i].change, cases[i].text, cases[i].until), 1);
		assert_true(take_call());
		assert_string_equal(call.method, cases[i].method);
		assert_string_equal(call.params, cases[i].params);
		answer(OK, NOW);
		assert_int_equal(told.dones, i + 1);
		assert_false(take_call());
	}
	assert_int_equal(told.failures, 0);
}

/* Answers in any order, twice, to nobody; each order is answered once. */
static void test_answers_out_of_order(void **state)
{
	static const char *const numbers[] = {
		"+4420000001", "+4420000002", "+4420000003"};
	struct pbx_figures f;
	char id[3][32];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(order(BAN_ADD, numbers[i], WALL + 60), 1);
		assert_true(take_call());
		strcpy(id[i], call.id);
	}
	for (unsigned i = 3; i-- > 0;) {
		char text[INDICATOR_TEXT];

		answer_id(id[i], OK, NOW);
		assert_int_equal(told.dones, 3 - i);
		assert_string_equal(
			indicator_print(text, &told.done.indicator), numbers[i]);
		answer_id(id[i], OK, NOW); /* the same again */
		assert_int_equal(told.dones, 3 - i);
	}
	answer_id("0000000000000000", OK, NOW);
	answer_id("", OK, NOW);
	ops->figures(p, &f);
	assert_int_equal(f.orders, 3);
	assert_int_equal(f.discarded, 5);
	assert_int_equal(f.in_flight, 0);
}

/* What is no answer changes nothing, whoever sent it. */
static void test_hostile_answers(void **state)
{
	static char deep[4000], large[70000];
	char text[400];
	const char *const hostile[] = {"", "{", "[]", "null", "{}", "\"x\"", "garbage",
		"{\"id\":1}", "{\"id\":\"%s\"}",
		"{\"id\":\"%s\",\"id\":\"%s\",\"result\":1}",
		"{\"id\":\"%s\",\"result\":1", "{\"id\":[\"%s\"],\"result\":1}",
		"{\"id\":\"%sx\",\"result\":1}", "{\"id\":\"%.15s\",\"result\":1}",
		"{\"id\":\"%s\",\"error\":\"no\"}", "{\"id\":\"%s\",\"error\":[]}",
		"{\"id\":\"%s\\u0000\",\"result\":1}", "\xff\xfe", deep, large};

	(void)state;
	memset(deep, '[', sizeof deep - 1);
	memset(large, ' ', sizeof large - 1);
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	assert_true(take_call());
	memcpy(large, "{\"id\":\"", 7);
	memcpy(large + 7, call.id, 16);
	memcpy(large + 23, "\",\"result\":1}", 13);
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		const char *bytes = hostile[i];

		if (strstr(bytes, "%") && bytes != deep && bytes != large) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text, sizeof text, hostile[i], call.id, call.id);
#pragma GCC diagnostic pop
			bytes = text;
		}
		receive(bytes, NOW);
		assert_int_equal(told.dones + told.failures + told.failed, 0);
	}
	answer(OK, NOW);
	assert_int_equal(told.dones, 1);
}

/* An answer that is lost: the same call again; one that never comes: given up. */
static void test_lost(void **state)
{
	struct pbx_figures f;
	char id[32];

	(void)state;
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	assert_true(take_call());
	strcpy(id, call.id);
	/* After a quarter of a second, then twice as long: the call again. */
	assert_int_equal(ops->due(p, NOW + SECOND / 4 - 1), NOW + SECOND / 4);
	assert_false(take_call());
	assert_int_equal(ops->due(p, NOW + SECOND / 4), NOW + 3 * SECOND / 4);
	assert_true(take_call());
	assert_string_equal(call.id, id);
	assert_string_equal(call.method, "htable.setxs");
	assert_int_equal(ops->due(p, NOW + 3 * SECOND / 4), NOW + SECOND);
	assert_true(take_call());
	assert_string_equal(call.id, id);
	assert_false(take_call());
	/* A look at the mark behind it is answered: the answer before is lost. */
	ops->due(p, NOW + SECOND);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.get");
	answer(STANDS, NOW + SECOND);
	assert_true(take_call());
	assert_string_equal(call.id, id);
	assert_false(take_call());
	ops->figures(p, &f);
	assert_int_equal(f.resent, 3);
	answer_id(id, OK, NOW + SECOND);
	assert_int_equal(told.dones, 1);

	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	assert_true(take_call());
	ops->due(p, NOW + 5 * SECOND - 1);
	assert_int_equal(told.failed, 0);
	assert_int_equal(ops->due(p, NOW + 5 * SECOND), 0);
	assert_int_equal(told.failed, 1);
	assert_false(told.refused);
	assert_string_equal(told.why,
		"Kamailio has not answered for 5 s: its process for JSON-RPC hangs, or "
		"it may not write to our socket");
	assert_int_equal(told.dones + told.failures, 1);
	/* Nothing more until it is closed, and then all from the beginning. */
	answer(OK, NOW);
	assert_int_equal(told.dones, 1);
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 0);
	assert_false(take_call());
	ops->closed(p, NOW);
	ops->connected(p, NOW + 9 * SECOND);
	pass_marks(3, NOW + 9 * SECOND);
	assert_int_equal(told.readies, 2);
}

/* Its socket takes nothing: another text, since another thing is wrong. */
static void test_stuck(void **state)
{
	(void)state;
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	ops->due(p, NOW + 5 * SECOND);
	assert_int_equal(told.failed, 1);
	assert_string_equal(told.why,
		"Kamailio has taken nothing from its socket for 5 s: its process for "
		"JSON-RPC hangs");
}

/* Never more than the sockets' queues hold, with room for the marker. */
static void test_window(void **state)
{
	struct ban_order orders[20];
	char ids[KAMAILIO_WINDOW - 1][32], text[20];

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof text, "+44200000%02u", i);
		orders[i] = order_of(BAN_ADD, text, WALL + 60);
	}
	assert_int_equal(ops->order(p, orders, 20, NOW), KAMAILIO_WINDOW - 1);
	assert_int_equal(ops->order(p, orders + 10, 10, NOW), 0);
	for (unsigned i = 0; i < KAMAILIO_WINDOW - 1; i++) {
		assert_true(take_call());
		strcpy(ids[i], call.id);
		snprintf(text, sizeof text, "\"44200000%02u\"", i);
		assert_non_null(strstr(call.params, text)); /* first come, first sent */
	}
	assert_false(take_call());
	/* The one that is under way is not ordered again: it could be overtaken. */
	answer_id(ids[0], OK, NOW);
	orders[10] = order_of(BAN_DELETE, "+4420000003", 0);
	assert_int_equal(ops->order(p, orders + 10, 2, NOW), 0);
	for (unsigned i = 1; i < 4; i++)
		answer_id(ids[i], OK, NOW);
	assert_int_equal(ops->order(p, orders + 10, 2, NOW), 2);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.delete");
	/* Not there is as good as deleted. */
	answer(MISSING, NOW);
	assert_int_equal(told.failures, 0);
	assert_int_equal(told.dones, 5);
	assert_int_equal(told.done.change, BAN_DELETE);
}

/* Of ten answers three are lost: those calls are sent again with the next answer. */
static void test_some_lost(void **state)
{
	char ids[10][32], text[20];
	unsigned again = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(text, sizeof text, "+44200000%02u", i);
		assert_int_equal(order(BAN_ADD, text, WALL + 60), 1);
		assert_true(take_call());
		strcpy(ids[i], call.id);
	}
	for (unsigned i = 0; i < 10; i++) {
		if (i == 2 || i == 3 || i == 8)
			continue;
		answer_id(ids[i], OK, NOW);
		while (take_call()) {
			assert_true(i == 4 || i == 9);
			assert_string_equal(call.id, ids[i == 9 ? 8 : 2 + again]);
			again++;
		}
	}
	assert_int_equal(again, 3);
	assert_int_equal(told.dones, 7);
	/* Once for each answer that is later: they come behind all others now. */
	answer_id(ids[3], OK, NOW);
	assert_true(take_call());
	assert_string_equal(call.id, ids[2]);
	answer_id(ids[8], OK, NOW);
	assert_false(take_call());
	answer_id(ids[2], OK, NOW);
	assert_int_equal(told.dones, 10);
}

/* The marker is gone: Kamailio restarted, or its tables were flushed. */
static void test_restart(void **state)
{
	usec now = NOW;
	char id[32];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		static const char *const tables[] = {
			"\"scnum\"", "\"scuri\"", "\"scip\"", "\"scnum\""};

		now += SECOND;
		assert_int_equal(ops->due(p, now), now + SECOND / 4);
		assert_true(take_call());
		assert_string_equal(call.method, "htable.get");
		assert_non_null(strstr(call.params, tables[i]));
		assert_non_null(strstr(call.params, "\"sipchain\""));
		answer(STANDS, now);
		assert_false(take_call());
	}
	assert_int_equal(told.resyncs, 1);
	ordered_at = now;
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	assert_true(take_call());
	strcpy(id, call.id);
	ops->due(p, now + SECOND);
	while (strcmp(call.method, "htable.get") != 0)
		assert_true(take_call());
	answer(NO_KEY, now + SECOND);
	assert_int_equal(told.resyncs, 2);
	assert_int_equal(told.readies, 1);
	/* The order under way is forgotten, and none is taken meanwhile. */
	answer_id(id, OK, now + SECOND);
	assert_int_equal(told.dones, 0);
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 0);
	pass_marks(3, now + SECOND);
	assert_int_equal(told.readies, 2);
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
}

/* Each hour the marks are set anew, or they would end after a week. */
static void test_marks_are_kept(void **state)
{
	usec now = NOW + 3600 * SECOND;

	(void)state;
	ops->due(p, now);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.get");
	answer(STANDS, now);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.setxs");
	assert_non_null(strstr(call.params, "\"" MARK "\",604800"));
	answer(OK, now);
	assert_false(take_call());
	assert_int_equal(told.resyncs, 1);
	ops->due(p, now += 3 * SECOND); /* that table's next turn but two */
	assert_true(take_call());
	assert_non_null(strstr(call.params, "scuri"));
}

static void expect_failure(bool refused, const char *why)
{
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.refused, refused);
	assert_string_equal(told.why, why);
	assert_int_equal(told.readies, 0);
	ops->free(p);
	p = NULL;
}

/* What is wrong with its configuration, with the remedy. */
static void test_wrong_configuration(void **state)
{
	static const char *const ends[] = {
		HERE(MARK, "1970-01-02 00:00:00"), HERE(MARK, "NEVER")};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		open_with("scnum", NULL);
		ops->connected(p, NOW);
		assert_true(take_call());
		if (i) { /* or one that takes nothing */
			answer(MISSING, NOW);
			assert_true(take_call());
		}
		answer(i ? ERROR(500, "Failed to set the item") :
			   ERROR(500, "No such htable"),
			NOW);
		expect_failure(true,
			"no htable scnum: kamailio.cfg needs modparam(\"htable\", "
			"\"htable\", \"scnum=>size=14;autoexpire=86400;"
			"updateexpire=0;\") and a restart");
	}
	open_with("scnum", NULL);
	ops->connected(p, NOW);
	assert_true(take_call());
	answer(ERROR(500, "Method Not Found"), NOW);
	expect_failure(true,
		"Kamailio has no module htable: its configuration needs loadmodule "
		"\"htable.so\" and the tables of SIPchain's include, and a restart");
	for (unsigned i = 0; i < 2; i++) {
		open_with("scnum", NULL);
		ops->connected(p, NOW);
		assert_true(take_call());
		answer(MISSING, NOW);
		assert_true(take_call());
		answer(OK, NOW);
		assert_true(take_call());
		answer(ends[i], NOW);
		expect_failure(true,
			"htable scnum never forgets: write autoexpire into its modparam: "
			"\"scnum=>size=14;autoexpire=86400;updateexpire=0;\", and restart");
	}
	open_with("scnum", NULL);
	ops->connected(p, NOW);
	assert_true(take_call());
	answer(MISSING, NOW);
	assert_true(take_call());
	answer(ERROR(500, "Oh \\u0007 no"), NOW);
	expect_failure(
		false, "Kamailio did not keep our mark in htable scnum: Oh \\x07 no");
}

/* It refuses one entry and takes the next. */
static void test_refusal(void **state)
{
	struct pbx_figures f;

	(void)state;
	assert_int_equal(order(BAN_ADD, "+97259*", WALL + 60), 1);
	assert_true(take_call());
	answer(ERROR(500, "Failed to set the item"), NOW);
	assert_int_equal(told.failures, 1);
	assert_string_equal(told.trouble,
		"Kamailio refuses +97259* (Failed to set the item): its shared memory "
		"may be full: start it with more, such as -m 256");
	assert_int_equal(order(BAN_ADD, "+97259*", WALL + 60), 1);
	assert_true(take_call());
	answer(OK, NOW);
	assert_int_equal(told.dones, 1);
	assert_string_equal(told.trouble, "");
	ops->figures(p, &f);
	assert_int_equal(f.refusals, 1);
	assert_int_equal(f.orders, 1);
}

/* What the include does not look up: the owner is told so, and orders nothing. */
static void test_not_carried(void **state)
{
	static const struct {
		const char *text;
		bool carried;
	} cases[] = {
		{"198.51.100.7", true},
		{"198.51.100.0/24", true},
		{"198.51.0.0/16", true},
		{"198.51.96.0/20", false},
		{"198.51.100.0/25", false},
		{"2001:db8::7", true},
		{"2001:db8::/64", false},
		{"+97259*", true},
		{"domain:example.com", true},
		{"agent:friendly-scanner", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ban_order o = order_of(BAN_ADD, cases[i].text, WALL + 60);

		assert_int_equal(ops->carries(&o.indicator), cases[i].carried);
	}
	/* Ordered all the same: refused. No table for domains, none for agents. */
	assert_int_equal(order(BAN_ADD, "198.51.96.0/20", WALL + 60), 1);
	assert_int_equal(order(BAN_ADD, "domain:example.com", WALL + 60), 1);
	assert_int_equal(order(BAN_ADD, "agent:friendly-scanner", WALL + 60), 1);
	assert_int_equal(told.failures, 3);
	assert_string_equal(told.trouble, "");
	assert_false(take_call());
}

/* One table, and what its mark is found to say: answered until it is ready. */
static void connect_to_mark(const char *found)
{
	struct pbx_config config = {.name = "k", .seed = {7, 8}, .table_number = "scnum"};
	char value[32], text[200];

	memset(&told, 0, sizeof told);
	p = ops->open(&config, &rig_hooks, NULL);
	ops->connected(p, NOW);
	assert_true(take_call());
	assert_string_equal(call.params, "\"scnum\",\"sipchain\"");
	answer(found, NOW);
	assert_true(take_call());
	assert_int_equal(
		sscanf(call.params, "\"scnum\",\"sipchain\",\"%31[0-9]\",604800", value),
		1);
	answer(OK, NOW);
	assert_true(take_call());
	snprintf(text, sizeof text, HERE("%s", "2026-11-23 13:10:57"), value);
	answer(text, NOW);
	assert_int_equal(told.readies, 1);
}

/* A mark that is there: what stands counts until all that shall stand was written. */
static void test_generations(void **state)
{
	char id[2][32];

	(void)state;
	connect_to_mark(HERE("000000007000000009", "2026-11-23 13:10:57"));
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	assert_true(take_call());
	assert_non_null(strstr(call.params, "\"" GENERATION "+4420000001\",60"));
	strcpy(id[0], call.id);
	assert_int_equal(order(BAN_DELETE, "+4420000002", 0), 1);
	assert_true(take_call());
	strcpy(id[1], call.id);
	/* All was ordered, not all is answered. */
	ops->filled(p, NOW);
	assert_false(take_call());
	answer_id(id[1], MISSING, NOW);
	assert_true(take_call());
	assert_string_equal(call.id, id[0]); /* its answer is lost, it seems */
	assert_false(take_call());
	/* What comes later is waited for no longer. */
	assert_int_equal(order(BAN_ADD, "+4420000003", WALL + 60), 1);
	assert_true(take_call());
	answer_id(id[0], OK, NOW);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.setxs");
	assert_string_equal(call.params, "\"scnum\",\"sipchain\",\"" MARK "\",604800");
	/* A look that comes between sees the one or the other. */
	strcpy(id[0], call.id);
	ops->due(p, NOW + SECOND);
	do
		assert_true(take_call());
	while (strcmp(call.method, "htable.get") != 0);
	answer(HERE("000000007" GENERATION, "2026-11-23 13:10:57"), NOW + SECOND);
	assert_int_equal(told.resyncs, 1);
	answer_id(id[0], OK, NOW + SECOND);
	ops->free(p);
}

/* However often it is filled, one mark is set; a newer one is another's. */
static void test_generation_of_another(void **state)
{
	char id[32];

	(void)state;
	connect_to_mark(HERE("000000007000000009", "2026-11-23 13:10:57"));
	ops->filled(p, NOW);
	assert_true(take_call());
	assert_non_null(strstr(call.params, MARK));
	strcpy(id, call.id);
	ops->filled(p, NOW);
	assert_false(take_call());
	answer_id(id, OK, NOW);
	assert_false(take_call());
	ops->filled(p, NOW);
	assert_false(take_call());
	ops->due(p, NOW + SECOND);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.get");
	answer(HERE("217163200217163201", "2026-11-23 13:10:57"), NOW + SECOND);
	assert_int_equal(told.resyncs, 2);
	ops->free(p);
}

/* What is found there: floor and top of the mark that is set. */
static void test_marks_found(void **state)
{
	static const struct {
		const char *found, *set;
	} cases[] = {
		{MISSING, MARK},
		{HERE("here", "2026-11-23 13:10:57"), MARK},
		{HERE("00000000700000000x", "2026-11-23 13:10:57"), MARK},
		{HERE("000000009000000007", "2026-11-23 13:10:57"), MARK},
		{HERE("0000000070000000090", "2026-11-23 13:10:57"), MARK},
		{HERE("000000007000000009", "2026-11-23 13:10:57"),
			"000000007" GENERATION},
		/* A process that ended before all was written, at the same second. */
		{HERE("000000007" GENERATION, "2026-11-23 13:10:57"),
			"000000007217163201"},
		{HERE("217163300217163301", "2026-11-23 13:10:57"), "217163300217163302"},
		{HERE("999999999999999999", "2026-11-23 13:10:57"), MARK},
	};
	struct kamailio_mark m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char set[32];

		open_with("scnum", NULL);
		ops->connected(p, NOW);
		assert_true(take_call());
		answer(cases[i].found, NOW);
		assert_true(take_call());
		assert_int_equal(
			sscanf(call.params, "\"scnum\",\"sipchain\",\"%31[0-9]", set), 1);
		assert_string_equal(set, cases[i].set);
		ops->free(p);
	}
	assert_int_equal(kamailio_mark_parse(&m, "000000007000000009"), 0);
	assert_int_equal(m.floor, 7);
	assert_int_equal(m.top, 9);
	assert_int_equal(kamailio_mark_next(7, KAMAILIO_EPOCH + 7), 8);
	assert_int_equal(kamailio_mark_next(7, KAMAILIO_EPOCH + 9), 9);
	assert_int_equal(kamailio_mark_next(7, 0), 8);
	assert_int_equal(kamailio_mark_next(KAMAILIO_LAST, 0), 0);
	assert_int_equal(kamailio_mark_next(0, KAMAILIO_EPOCH + KAMAILIO_LAST + 1), 0);
}

/* Taken away: the marks of all tables, and nothing sets one again. */
static void test_clear(void **state)
{
	static const char *const tables[] = {"\"scnum\"", "\"scuri\"", "\"scip\""};
	char id[32];

	(void)state;
	assert_int_equal(order(BAN_ADD, "+4420000001", WALL + 60), 1);
	assert_true(take_call());
	strcpy(id, call.id);
	ops->filled(p, NOW);
	ops->clear(p, NOW);
	assert_int_equal(order(BAN_ADD, "+4420000002", WALL + 60), 0);
	/* What is under way is answered. */
	answer_id(id, OK, NOW);
	assert_int_equal(told.dones, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(told.cleared, 0);
		assert_true(take_call());
		assert_string_equal(call.method, "htable.delete");
		assert_non_null(strstr(call.params, tables[i]));
		assert_non_null(strstr(call.params, "\"sipchain\""));
		answer(i ? DELETED : MISSING, NOW);
	}
	assert_int_equal(told.cleared, 1);
	/* Deletions are taken. */
	assert_int_equal(order(BAN_DELETE, "+4420000001", 0), 1);
	assert_true(take_call());
	assert_string_equal(call.method, "htable.delete");
	answer(DELETED, NOW);
	assert_int_equal(told.dones, 2);
	ops->due(p, NOW + 3600 * SECOND);
	assert_false(take_call());
	assert_int_equal(told.resyncs, 1);
	/* The next connection is one as any other. */
	ops->closed(p, NOW);
	ops->connected(p, NOW);
	pass_marks(3, NOW);
	ops->clear(p, NOW);
	assert_true(take_call());
	answer(ERROR(500, "no"), NOW);
	assert_int_equal(told.not_cleared, 1);
	ops->clear(p, NOW);
	assert_true(take_call());
}

static void test_open(void **state)
{
	struct pbx_config config = {.name = "k", .seed = {1, 2}};
	struct error err;

	(void)state;
	assert_null(ops->open(&config, &rig_hooks, &err));
	assert_string_equal(
		err.text, "no htable is named: nothing could be blocked there");
	config.table_number = "sc\",\"num";
	assert_null(ops->open(&config, &rig_hooks, &err));
	assert_string_equal(err.text,
		"\"sc\\\",\\\"num\" is no name of an htable: write letters, digits and "
		"'_', at most 32");
	/* One table for all of it: one marker. */
	config.table_number = config.table_address = "all";
	memset(&told, 0, sizeof told);
	p = ops->open(&config, &rig_hooks, &err);
	ops->connected(p, NOW);
	pass_marks(1, NOW);
	assert_int_equal(told.readies, 1);
	/* Asked to: all is compared again. */
	ops->compare(p, NOW);
	assert_int_equal(told.resyncs, 2);
	pass_marks(1, NOW);
	assert_int_equal(told.readies, 2);
	ops->free(p);
	ops->free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_answers_out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stuck, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_some_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks_are_kept, setup, teardown),
		cmocka_unit_test(test_wrong_configuration),
		cmocka_unit_test_setup_teardown(test_refusal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_carried, setup, teardown),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_generation_of_another),
		cmocka_unit_test(test_marks_found),
		cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
