/* SPDX-License-Identifier: Apache-2.0 */
/* Asterisk's connector against a scripted manager interface. */
#include "connector_stage.h"

#define HANG (10 * USEC_PER_SEC)
#define CHANNEL                                                                          \
	"Channel: PJSIP/101-00000000\r\nChannelState: 4\r\nChannelStateDesc: Ring\r\n"   \
	"CallerIDNum: 101\r\nCallerIDName: Ext 101\r\nConnectedLineNum: <unknown>\r\n"   \
	"ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\n"              \
	"Context: sipchain-check\r\nExten: s\r\nPriority: 46\r\n"                        \
	"Uniqueid: 1795353239.0\r\nLinkedid: 1795353239.0\r\n"
#define BLOCKED "Event: UserEvent\r\nPrivilege: user,all\r\n" CHANNEL
#define TOLD                                                                             \
	"UserEvent: SIPchainBlocked\r\nNumber: 972590000101\r\n"                         \
	"Dialed: 00972590000101\r\nIndicator: +97259*\r\nRemote: 192.0.2.9:34626\r\n"

/* --- entries --- */

static void test_entry(void **state)
{
	char key[ASTERISK_KEY], value[ASTERISK_VALUE];
	struct indicator i, twin;
	struct ban_order found;

	(void)state;
	i = number_of("+442079460000");
	assert_int_equal(asterisk_entry(key, value, &i, 2000000000), 0);
	assert_string_equal(key, "num/442079460000");
	assert_string_equal(value, "2000000000|E|+442079460000");
	i = number_of("+97259*");
	assert_int_equal(asterisk_entry(key, value, &i, 1), 0);
	assert_string_equal(key, "num/97259");
	assert_string_equal(value, "0000000001|P|+97259*");
	i = number_of("+123456789012345*");
	assert_int_equal(asterisk_entry(key, value, &i, UINT32_MAX), 0);
	assert_string_equal(key, "num/123456789012345");
	assert_string_equal(value, "4294967295|P|+123456789012345*");
	assert_int_equal(
		asterisk_entry_parse(&found, view_str("/sipchain/num/123456789012345"),
			view_str(value)),
		0);
	assert_int_equal(indicator_compare(&found.indicator, &i), 0);
	assert_int_equal(found.until, UINT32_MAX);
	assert_int_equal(found.change, BAN_ADD);
	assert_int_equal(asterisk_entry_twin(&twin, &i), 0);
	i = number_of("+123456789012345");
	assert_int_equal(indicator_compare(&twin, &i), 0);
	i = indicator_from_canonical(INDICATOR_URI, view_str("sip:a@example.com"));
	assert_int_equal(asterisk_entry(key, value, &i, 1), -1);
	assert_int_equal(asterisk_entry_twin(&twin, &i), -1);
}

static void test_foreign_entries(void **state)
{
	static const char *const cases[][2] = {
		{"/sipchain/num/97259", ""},
		{"/sipchain/num/97259", "2000000000|P"},
		{"/sipchain/num/97259", "2000000000|E|+97259*"},
		{"/sipchain/num/97259", "2000000000|P|+97259"},
		{"/sipchain/num/97258", "2000000000|P|+97259*"},
		{"/sipchain/num/97259", "02000000000|P|+97259*"},
		{"/sipchain/num/97259", "200000000x|P|+97259*"},
		{"/sipchain/num/97259", "9999999999|P|+97259*"},
		{"/sipchain/num/97259", "2000000000|P|+97259* "},
		{"/sipchain/num/97259", "2000000000|P|+972 59*"},
		{"/sipchain/num/97259", "2000000000|P|sip:a@b.example"},
		{"/sipchain/97259", "2000000000|P|+97259*"},
		{"/other/num/97259", "2000000000|P|+97259*"},
	};
	struct ban_order found;
	struct view key;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(asterisk_entry_parse(&found, view_str(cases[i][0]),
					 view_str(cases[i][1])),
			-1);
	assert_int_equal(asterisk_entry_key(&key, view_str("/sipchain/num/by hand")), 0);
	assert_true(view_eq(key, view_str("num/by hand")));
	assert_int_equal(asterisk_entry_key(&key, view_str("/sipchain/num/")), -1);
	assert_int_equal(asterisk_entry_key(&key, view_str("/sipchain/num/a\rb")), -1);
	assert_int_equal(asterisk_entry_key(&key, view_str("/sipchain/number/1")), -1);
}

static void test_line(void **state)
{
	struct buffer out = {0};

	(void)state;
	assert_int_equal(asterisk_line(&out, "Val", view_str("a: b")), 0);
	assert_int_equal(asterisk_line(&out, "Val", view_str("a\r\nAction: x")), -1);
	assert_int_equal(asterisk_line(&out, "Val", view_str("a\n")), -1);
	assert_int_equal(asterisk_line(&out, "Val", view_str("\r")), -1);
	assert_int_equal(asterisk_line(&out, "Val", view_of("a\0b", 3)), -1);
	assert_int_equal(out.n, strlen("Val: a: b\r\n"));
	buffer_free(&out);
}

/* --- the session --- */

static void test_login_and_orders(void **state)
{
	/* Whole, and in pieces of every awkward size. */
	static const size_t pieces[] = {0, 1, 2, 3, 7, 61, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct connector_figures f;
		struct stage s;

		stage_open(&s, 0);
		s.piece = pieces[i];
		want(&s, "+97259*", END);
		want(&s, "+442079460000", END + 5);
		stage_meet(&s);
		assert_string_equal(s.m.events, "user,system");
		assert_string_equal(s.m.filter,
			"^Event: (UserEvent.*UserEvent: SIPchainBlocked|FullyBooted|"
			"Shutdown)");
		assert_int_equal(s.m.count, 2);
		assert_string_equal(
			manager_get(&s.m, "num/97259"), "1900000000|P|+97259*");
		assert_string_equal(manager_get(&s.m, "num/442079460000"),
			"1900000005|E|+442079460000");
		f = stage_figures(&s);
		assert_int_equal(f.state, CONNECTOR_READY);
		assert_int_equal(f.standing, 2);
		assert_int_equal(f.queued, 0);
		assert_int_equal(f.pbx.orders, 2);
		assert_int_equal(f.pbx.sessions, 1);
		assert_int_equal(f.pbx.resyncs, 1);
		assert_string_equal(f.trouble, "");
		assert_int_equal(s.said_good, 1);
		assert_int_equal(s.said_bad, 0);
		/* Lifted; a new end. */
		want(&s, "+97259*", 0);
		want(&s, "+442079460000", END + 6);
		stage_carry(&s);
		assert_int_equal(s.m.count, 1);
		assert_string_equal(manager_get(&s.m, "num/442079460000"),
			"1900000006|E|+442079460000");
		assert_int_equal(stage_figures(&s).standing, 1);
		stage_close(&s);
	}
}

static void test_window(void **state)
{
	enum { MANY = 20000 };
	struct stage s;
	char text[32];

	(void)state;
	stage_open(&s, 0);
	stage_meet(&s);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "+4420%08u", i);
		want(&s, text, END);
	}
	/* Not more than the window is under way at once. */
	stage_turn(&s);
	assert_in_range(stage_figures(&s).pbx.in_flight, 1, 520);
	assert_int_equal(stage_figures(&s).queued, MANY);
	stage_carry(&s);
	assert_int_equal(s.m.count, MANY);
	assert_int_equal(s.m.puts, MANY);
	assert_int_equal(stage_figures(&s).standing, MANY);
	assert_int_equal(stage_figures(&s).pbx.in_flight, 0);
	/* A change of one that waits is one order, of what it is then. */
	want(&s, "+442000000000", END + 1);
	want(&s, "+442000000000", END + 2);
	want(&s, "+442000000000", END + 3);
	stage_carry(&s);
	assert_int_equal(s.m.puts, MANY + 1);
	assert_string_equal(
		manager_get(&s.m, "num/442000000000"), "1900000003|E|+442000000000");
	stage_close(&s);
}

static void test_compare(void **state)
{
	struct connector_figures f;
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	want(&s, "+97259*", END);
	want(&s, "+442079460000", END);
	want(&s, "+442079460001", END);
	manager_put(&s.m, "num/97259", "1900000000|P|+97259*"); /* as it should */
	manager_put(&s.m, "num/442079460000", "1800000001|E|+442079460000"); /* old */
	manager_put(&s.m, "num/15550100", "1900000000|E|+15550100"); /* none of ours */
	manager_put(&s.m, "num/by hand", "x");
	stage_meet(&s);
	assert_int_equal(s.m.count, 3);
	assert_int_equal(s.m.puts, 2); /* the first stands as it is */
	assert_int_equal(s.m.deletes, 2);
	assert_string_equal(
		manager_get(&s.m, "num/442079460000"), "1900000000|E|+442079460000");
	assert_null(manager_get(&s.m, "num/15550100"));
	f = stage_figures(&s);
	assert_int_equal(f.pbx.found, 4);
	assert_int_equal(f.pbx.removed, 2);
	assert_int_equal(f.standing, 3);
	/* What somebody deletes by hand comes back with the operator's resync. */
	assert_true(manager_delete(&s.m, "num/97259"));
	assert_true(pbx_connector_resync(s.c, s.now));
	stage_carry(&s);
	assert_non_null(manager_get(&s.m, "num/97259"));
	assert_int_equal(s.m.trees, 2);
	/* ... and by itself after ten minutes. */
	assert_true(manager_delete(&s.m, "num/97259"));
	for (int i = 0; i < 121; i++) {
		s.now += 5 * USEC_PER_SEC;
		stage_carry(&s);
	}
	assert_non_null(manager_get(&s.m, "num/97259"));
	assert_int_equal(s.m.trees, 3);
	assert_true(s.m.pings > 50);
	stage_close(&s);
}

static void test_restart(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	want(&s, "+97259*", END);
	stage_meet(&s);
	/* It goes, and comes back with an empty database, booting. */
	stage_part(&s, "Asterisk closed the connection");
	assert_int_equal(s.said_bad, 1);
	assert_string_equal(s.said, "Asterisk closed the connection");
	assert_int_equal(stage_figures(&s).state, CONNECTOR_WAITING);
	assert_false(pbx_connector_resync(s.c, s.now));
	want(&s, "+442079460000", END); /* meanwhile */
	s.m.count = 0;
	s.m.behaviour = MANAGER_BOOTING;
	s.now += 2 * USEC_PER_SEC;
	stage_meet(&s);
	assert_int_equal(s.m.count, 2);
	assert_string_equal(stage_figures(&s).trouble,
		"Asterisk has not said that it is fully booted: it still starts, or the "
		"user lacks read = system,user in manager.conf (blocked calls are then "
		"not told)");
	/* Booted: all is compared once more, and that is no trouble any more. */
	s.m.count = 0;
	manager_say(&s.m,
		"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\n"
		"LastReload: 1\r\nStatus: Fully Booted\r\n\r\n");
	stage_carry(&s);
	assert_int_equal(s.m.count, 2);
	assert_string_equal(stage_figures(&s).trouble, "");
	assert_int_equal(stage_figures(&s).pbx.sessions, 2);
	assert_int_equal(stage_figures(&s).pbx.resyncs, 3);
	stage_close(&s);
}

static void test_end_by_us(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	want(&s, "+97259*", WALL + 100);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	s.wall += 99;
	s.now += 99 * USEC_PER_SEC;
	stage_carry(&s);
	assert_int_equal(s.m.count, 1);
	/* The next call is due when it ends. */
	assert_true(stage_turn(&s) <= s.now + USEC_PER_SEC);
	s.wall++;
	s.now += USEC_PER_SEC;
	stage_carry(&s);
	assert_int_equal(s.m.count, 0);
	assert_int_equal(stage_figures(&s).standing, 0);
	stage_close(&s);
}

/* The same digits, exact and as a prefix, share a key. */
static void test_twins(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_meet(&s);
	want(&s, "+9725900", END);
	stage_carry(&s);
	assert_string_equal(manager_get(&s.m, "num/9725900"), "1900000000|E|+9725900");
	want(&s, "+9725900*", END + 1);
	stage_carry(&s);
	assert_string_equal(manager_get(&s.m, "num/9725900"), "1900000001|P|+9725900*");
	/* The number's own news does not take the prefix away. */
	want(&s, "+9725900", END + 7);
	stage_carry(&s);
	assert_string_equal(manager_get(&s.m, "num/9725900"), "1900000001|P|+9725900*");
	pbx_connector_resync(s.c, s.now);
	stage_carry(&s);
	assert_string_equal(manager_get(&s.m, "num/9725900"), "1900000001|P|+9725900*");
	/* The prefix goes: the number still stands. */
	want(&s, "+9725900*", 0);
	stage_carry(&s);
	assert_string_equal(manager_get(&s.m, "num/9725900"), "1900000007|E|+9725900");
	want(&s, "+9725900*", END);
	stage_carry(&s);
	want(&s, "+9725900", 0);
	stage_carry(&s);
	assert_string_equal(manager_get(&s.m, "num/9725900"), "1900000000|P|+9725900*");
	want(&s, "+9725900*", 0);
	stage_carry(&s);
	assert_null(manager_get(&s.m, "num/9725900"));
	assert_int_equal(stage_figures(&s).standing, 0);
	stage_close(&s);
}

static void test_refused_order(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, MANAGER_FAILS_PUT);
	want(&s, "+442079460009", END);
	want(&s, "+442079460008", END);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	assert_int_equal(stage_figures(&s).refusing, 1);
	assert_int_equal(stage_figures(&s).pbx.refusals, 1);
	/* Not at once, but again. */
	s.m.behaviour = 0;
	s.now += 29 * USEC_PER_SEC;
	stage_carry(&s);
	assert_int_equal(s.m.count, 1);
	s.now += 2 * USEC_PER_SEC;
	stage_carry(&s);
	assert_int_equal(s.m.count, 2);
	assert_int_equal(stage_figures(&s).refusing, 0);
	stage_close(&s);
}

static void test_refusals(void **state)
{
	static const struct {
		unsigned behaviour;
		const char *trouble;
		bool refused;
	} cases[] = {
		{MANAGER_DENIES_WRITE,
			"Asterisk refuses the action: the user lacks write = system in "
			"manager.conf",
			true},
		{MANAGER_OLD,
			"Asterisk does not list AstDB (DBGetTree needs 16.24, 18.10 or "
			"later): Invalid/unknown command: DBGetTree. Use Action: "
			"ListCommands...",
			true},
		{MANAGER_NO_CHALLENGE, "Asterisk sends no challenge", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct connector_figures f;
		struct stage s;

		stage_open(&s, cases[i].behaviour);
		want(&s, "+97259*", END);
		stage_meet(&s);
		f = stage_figures(&s);
		assert_string_equal(f.trouble, cases[i].trouble);
		assert_string_equal(s.said, cases[i].trouble);
		assert_int_equal(f.state, CONNECTOR_WAITING);
		assert_int_equal(f.refused, cases[i].refused);
		assert_int_equal(s.disconnects, 1);
		/* What cannot help is not tried all the time. */
		assert_true(f.due - s.now >= (cases[i].refused ? 60 : 0) * USEC_PER_SEC);
		assert_int_equal(s.m.count, 0);
		assert_int_equal(f.queued, 1);
		/* Told once, not with each try. */
		s.now += 100 * USEC_PER_SEC;
		stage_meet(&s);
		assert_int_equal(s.said_bad, 1);
		s.m.behaviour = 0;
		s.now += 100 * USEC_PER_SEC;
		stage_meet(&s);
		assert_int_equal(s.m.count, 1);
		stage_close(&s);
	}
}

static void test_filter_denied(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, MANAGER_DENIES_FILTER);
	want(&s, "+97259*", END);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_READY);
	stage_close(&s);
}

static void test_wrong_secret(void **state)
{
	static const struct pbx_config config = {
		.name = "pbx", .user = MANAGER_USER, .seed = {1, 2}};
	struct pbx_config wrong = config;
	const struct connector_callbacks callbacks = {
		NULL, stage_connect, stage_disconnect, stage_hit, stage_says};
	struct connector_callbacks own = callbacks;
	struct error err = {""};
	struct stage s;

	(void)state;
	assert_null(pbx_connector_new(&pbx_asterisk, &config, &callbacks, &err));
	assert_string_equal(err.text, "user and secret_file are needed");
	stage_open(&s, 0);
	pbx_connector_free(s.c);
	wrong.secret = view_str("another");
	own.context = &s;
	s.c = pbx_connector_new(&pbx_asterisk, &wrong, &own, &err);
	stage_meet(&s);
	assert_string_equal(stage_figures(&s).trouble,
		"Asterisk refuses the login (check user and secret_file against "
		"manager.conf, and its permit= for this address): Authentication failed");
	assert_true(stage_figures(&s).refused);
	stage_close(&s);
}

static void test_no_manager(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_turn(&s);
	s.connected = true;
	pbx_connector_connected(s.c, s.now);
	pbx_connector_received(s.c, view_str("SSH-2.0-OpenSSH_9.2\x1b\r\n"), s.now);
	stage_turn(&s);
	assert_string_equal(stage_figures(&s).trouble,
		"what answers there is no Asterisk manager: SSH-2.0-OpenSSH_9.2\\x1b");
	assert_int_equal(s.disconnects, 1);
	/* A greeting that does not end, in drops. */
	s.now += 100 * USEC_PER_SEC;
	stage_turn(&s);
	s.connected = true;
	pbx_connector_connected(s.c, s.now);
	for (int i = 0; i < 12; i++) {
		pbx_connector_received(s.c, view_str("A"), s.now);
		s.now += USEC_PER_SEC;
		stage_turn(&s);
	}
	assert_string_equal(stage_figures(&s).trouble, "Asterisk does not answer");
	stage_close(&s);
}

static void test_silent(void **state)
{
	struct connector_figures f;
	struct stage s;

	(void)state;
	stage_open(&s, MANAGER_SILENT);
	want(&s, "+97259*", END);
	stage_meet(&s);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_LOGIN);
	s.now += HANG - 1;
	stage_carry(&s);
	assert_int_equal(s.disconnects, 0);
	s.now += 1;
	stage_carry(&s);
	assert_int_equal(s.disconnects, 1);
	f = stage_figures(&s);
	assert_string_equal(f.trouble, "Asterisk does not answer");
	assert_false(f.refused);
	/* In the middle of work, too; what was under way is ordered again. */
	s.m.behaviour = 0;
	s.now += 100 * USEC_PER_SEC;
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	s.m.behaviour = MANAGER_SILENT;
	want(&s, "+442079460000", END);
	stage_carry(&s);
	assert_int_equal(stage_figures(&s).queued, 1);
	s.now += HANG;
	stage_carry(&s);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_WAITING);
	s.m.behaviour = 0;
	s.now += 100 * USEC_PER_SEC;
	stage_meet(&s);
	assert_int_equal(s.m.count, 2);
	/* And when nothing is to be done: a ping finds out. */
	s.m.behaviour = MANAGER_SILENT;
	s.now += 5 * USEC_PER_SEC;
	stage_carry(&s);
	s.now += HANG;
	stage_carry(&s);
	assert_string_equal(stage_figures(&s).trouble, "Asterisk does not answer");
	stage_close(&s);
}

static void test_slower_and_slower(void **state)
{
	struct stage s;
	usec last = 0, wait;

	(void)state;
	stage_open(&s, 0);
	for (int i = 0; i < 12; i++) {
		stage_turn(&s);
		assert_int_equal(s.connects, i + 1);
		pbx_connector_closed(s.c,
			"no connection to 127.0.0.1 port 5038: "
			"Connection refused",
			s.now);
		wait = stage_figures(&s).due - s.now;
		assert_true(wait >= last);
		assert_true(wait >= USEC_PER_SEC / 2 && wait <= 5 * USEC_PER_SEC / 4);
		/* .. but for the part that chance adds */
		last = wait > USEC_PER_SEC ? USEC_PER_SEC : wait * 4 / 5;
		s.now += wait;
	}
	assert_int_equal(s.said_bad, 1);
	/* Nobody answers the wish at all. */
	stage_turn(&s);
	s.now += 10 * USEC_PER_SEC;
	stage_turn(&s);
	assert_string_equal(stage_figures(&s).trouble, "nobody made a connection");
	stage_close(&s);
}

/* --- hits --- */

static void test_hit(void **state)
{
	struct address a;
	struct indicator i = number_of("+97259*");
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	want(&s, "+97259*", END);
	stage_meet(&s);
	manager_say(&s.m, BLOCKED TOLD "\r\n");
	stage_carry(&s);
	assert_int_equal(s.hits, 1);
	assert_int_equal(indicator_compare(&s.hit.indicator, &i), 0);
	assert_string_equal(s.hit.number, "972590000101");
	assert_string_equal(s.hit.dialled, "00972590000101");
	assert_string_equal(s.hit.account, "101");
	address_parse(&a, view_str("192.0.2.9"), NULL);
	assert_true(address_eq(&s.hit.source, &a));
	assert_int_equal(s.hit.source_port, 34626);
	/* With a tenant and variables, of another channel, without the address. */
	manager_say(&s.m,
		BLOCKED
		"TenantID: t\r\nChanVariable: A=1\r\nChanVariable: B=2\r\n"
		"UserEvent: SIPchainBlocked\r\nNumber: 972590000101\r\nDialed: 1\r\n"
		"Indicator: \r\nRemote: \r\n\r\n");
	stage_carry(&s);
	assert_int_equal(s.hits, 2);
	assert_int_equal(s.hit.source.family, 0);
	/* The entry did not say which: what stands tells. */
	assert_int_equal(indicator_compare(&s.hit.indicator, &i), 0);
	manager_say(&s.m,
		BLOCKED "UserEvent: SIPchainBlocked\r\nNumber: 15550100\r\nDialed: 1\r\n"
			"Indicator: +zzz\r\nRemote: [2001:db8::1]:5060\r\n\r\n");
	stage_carry(&s);
	assert_int_equal(s.hits, 3);
	assert_int_equal(s.hit.indicator.kind, 0);
	assert_int_equal(s.hit.source.family, 6);
	assert_int_equal(stage_figures(&s).hits, 3);
	assert_int_equal(stage_figures(&s).pbx.discarded, 0);
	stage_close(&s);
}

static void test_forged(void **state)
{
	static const char *const cases[] = {
		/* a caller's id with line breaks in it */
		"Event: UserEvent\r\nPrivilege: user,all\r\nChannel: PJSIP/101-0\r\n"
		"ChannelState: 4\r\nChannelStateDesc: Ring\r\nCallerIDNum: 101\r\n"
		"Number: 44123456789\r\nCallerIDName: x\r\n" TOLD "\r\n",
		/* one twice; out of place; one missing; one too many */
		BLOCKED TOLD "Number: 1\r\n\r\n",
		BLOCKED "UserEvent: SIPchainBlocked\r\nDialed: 1\r\nNumber: 1\r\n"
			"Indicator: +97259*\r\nRemote: 192.0.2.9:1\r\n\r\n",
		BLOCKED "UserEvent: SIPchainBlocked\r\nNumber: 1\r\nDialed: 1\r\n"
			"Indicator: +97259*\r\n\r\n",
		BLOCKED TOLD "More: 1\r\n\r\n",
		/* bare breaks */
		BLOCKED "UserEvent: SIPchainBlocked\r\nNumber: 1\nX: 2\r\nDialed: 1\r\n"
			"Indicator: +97259*\r\nRemote: 192.0.2.9:1\r\n\r\n",
		/* another class */
		"Event: UserEvent\r\nPrivilege: call,all\r\n" CHANNEL TOLD "\r\n",
		/* what a broken event leaves behind */
		TOLD "\r\n",
		/* answers that nobody asked for */
		"Response: Success\r\nActionID: sipchain-0123456789abcdef\r\n\r\n",
		"Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct stage s;

		stage_open(&s, 0);
		stage_meet(&s);
		manager_say(&s.m, cases[i]);
		stage_carry(&s);
		assert_int_equal(s.hits, 0);
		assert_int_equal(stage_figures(&s).pbx.discarded, 1);
		assert_int_equal(stage_figures(&s).state, CONNECTOR_READY);
		/* It works on. */
		want(&s, "+97259*", END);
		stage_carry(&s);
		assert_int_equal(s.m.count, 1);
		stage_close(&s);
	}
}

static void test_no_concern(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_meet(&s);
	manager_say(&s.m, BLOCKED "UserEvent: Pizza\r\nSize: 30\r\n\r\n");
	manager_say(&s.m,
		"Event: UserEvent\r\nPrivilege: user,all\r\n"
		"UserEvent: Pizza\r\n\r\n");
	manager_say(&s.m, "Event: Reload\r\nPrivilege: system,all\r\nModule: x\r\n\r\n");
	manager_say(&s.m,
		"Event: Shutdown\r\nPrivilege: system,all\r\n"
		"Shutdown: Cleanly\r\nRestart: False\r\n\r\n");
	stage_carry(&s);
	assert_int_equal(s.hits, 0);
	assert_int_equal(stage_figures(&s).pbx.discarded, 0);
	stage_close(&s);
}

/* Answers with other ids than were drawn count for nothing. */
static void test_forged_answers(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, MANAGER_FORGES);
	want(&s, "+97259*", END);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	assert_int_equal(stage_figures(&s).standing, 1);
	assert_int_equal(stage_figures(&s).refusing, 0);
	assert_true(stage_figures(&s).pbx.discarded >= 5);
	stage_close(&s);
}

/* AstDB holds what others wrote: no line of it becomes an action of ours. */
static void test_hostile_database(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	want(&s, "+97259*", END);
	manager_put(
		&s.m, "num/1", "2\r\nActionID: sipchain-0\r\nEvent: DBGetTreeComplete");
	manager_put(&s.m, "num/2\r\nX: y", "1");
	manager_put(&s.m, "num/3\n", "1");
	manager_put(&s.m, "num/4", "1");
	stage_meet(&s);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_READY);
	assert_non_null(manager_get(&s.m, "num/97259"));
	assert_null(manager_get(&s.m, "num/4"));
	/* Left alone and counted: their keys or values are no single lines. */
	assert_int_equal(s.m.count, 4);
	assert_int_equal(s.m.deletes, 1);
	assert_int_equal(stage_figures(&s).pbx.discarded, 3);
	stage_close(&s);
}

static void test_observe(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	want(&s, "+97259*", END);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	pbx_connector_observe(s.c, true);
	stage_carry(&s);
	assert_int_equal(s.m.count, 0);
	/* All at once, not each. */
	assert_int_equal(s.m.cleared, 1);
	assert_int_equal(s.m.deletes, 0);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_OFF);
	assert_int_equal(s.disconnects, 1);
	want(&s, "+442079460000", END);
	s.now += 1000 * USEC_PER_SEC;
	stage_turn(&s);
	assert_int_equal(s.connects, 1);
	pbx_connector_observe(s.c, false);
	want(&s, "+442079460000", END);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	assert_non_null(manager_get(&s.m, "num/442079460000"));
	stage_close(&s);
	/* What stands in a PBX that is away is taken off when it is back. */
	stage_open(&s, 0);
	want(&s, "+97259*", END);
	stage_meet(&s);
	assert_int_equal(s.m.count, 1);
	stage_part(&s, "gone");
	pbx_connector_observe(s.c, true);
	stage_turn(&s);
	s.now += 10 * USEC_PER_SEC;
	stage_meet(&s);
	assert_int_equal(s.m.count, 0);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_OFF);
	stage_close(&s);
	/* Started to observe: what the node before it left there goes as well. */
	stage_open(&s, 0);
	manager_put(&s.m, "num/97259", "1900000000|P|+97259*");
	want(&s, "+97259*", END);
	pbx_connector_observe(s.c, true);
	stage_meet(&s);
	assert_int_equal(s.m.count, 0);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_OFF);
	stage_close(&s);
	/* From the start, without any ban: what nobody knows of goes, too, and then
	 * nothing is touched. */
	stage_open(&s, 0);
	manager_put(&s.m, "num/97259", "1900000000|P|+97259*");
	pbx_connector_observe(s.c, true);
	stage_meet(&s);
	assert_int_equal(s.m.count, 0);
	assert_int_equal(s.m.cleared, 1);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_OFF);
	s.now += 1000 * USEC_PER_SEC;
	stage_turn(&s);
	assert_int_equal(s.connects, 1);
	stage_close(&s);
	/* Out of it again before it was done: from the beginning. */
	stage_open(&s, 0);
	stage_meet(&s);
	pbx_connector_observe(s.c, true);
	stage_turn(&s);
	pbx_connector_observe(s.c, false);
	want(&s, "+97259*", END);
	stage_turn(&s);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_WAITING);
	s.now += 10 * USEC_PER_SEC;
	stage_meet(&s);
	assert_int_equal(stage_figures(&s).state, CONNECTOR_READY);
	assert_int_equal(s.m.count, 1);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_foreign_entries),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_login_and_orders),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_end_by_us),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_refused_order),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_filter_denied),
		cmocka_unit_test(test_wrong_secret),
		cmocka_unit_test(test_no_manager),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_slower_and_slower),
		cmocka_unit_test(test_hit),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_no_concern),
		cmocka_unit_test(test_forged_answers),
		cmocka_unit_test(test_hostile_database),
		cmocka_unit_test(test_observe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
