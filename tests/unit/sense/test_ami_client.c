/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a manager of the test's own, in the same loop. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ami_manager.h"
#include "sense/ami.h"
#include "sense/ami_message.h"

#define SECRET MANAGER_SECRET
#define EVENT                                                                            \
	"Event: ChallengeResponseFailed\r\nPrivilege: security,all\r\n"                  \
	"EventTV: 2026-11-21T20:03:18.244+0000\r\nSeverity: Error\r\nService: PJSIP\r\n" \
	"EventVersion: 1\r\nAccountID: 101\r\nSessionID: s\r\n"                          \
	"LocalAddress: IPV4/TCP/192.0.2.10/5060\r\n"                                     \
	"RemoteAddress: IPV4/TCP/198.51.100.10/5071\r\nChallenge: 1/2\r\n"               \
	"Response: 00\r\nExpectedResponse: \r\n\r\n"
#define BROKEN                                                                           \
	"Event: InvalidAccountID\r\nPrivilege: security,all\r\nAccountID: a\nb\r\n\r\n"

static uv_timer_t limit;
static bool over;
static struct ami *ami;

static struct {
	unsigned connects, observations, rounds;
	struct observation last;
	struct ami_trunk trunks[8];
	size_t trunks_count;
} seen;

/* --- the client's owner --- */

static void on_connect(void *context)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(m.port)};
	int fd;

	(void)context;
	seen.connects++;
	if (m.behaviour & NO_LISTENER && m.behaviour & SILENT)
		return; /* nobody answers */
	if (m.behaviour & NO_LISTENER) {
		ami_unreachable(ami, "no connection: refused");
		return;
	}
	/* One place: while the last connection is not gone, there is none. */
	if (m.connected) {
		ami_unreachable(ami, "no connection: busy");
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)connect(fd, (struct sockaddr *)&to, sizeof to);
	ami_connected(ami, fd);
}

static void on_observation(void *context, const struct observation *o)
{
	(void)context;
	seen.observations++;
	seen.last = *o;
}

static void on_trunks(void *context, const struct ami_trunk *trunks, size_t count)
{
	(void)context;
	seen.rounds++;
	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++)
		seen.trunks[i] = trunks[i];
	seen.trunks_count = count;
}

static void on_limit(uv_timer_t *timer)
{
	(void)timer;
	over = true;
}

static const struct ami_timing quick = {
	.ping = 20000,
	.hang = 400000,
	.retry = 10000,
	.retry_most = 40000,
	.refused = 60 * USEC_PER_SEC,
	.trunks = 600000,
};

static void start(
	unsigned behaviour, const char *secret, const char *after, size_t repeat)
{
	const struct ami_callbacks callbacks = {
		NULL, on_connect, on_observation, on_trunks};
	const struct ami_config config = {"pbx", "sipchain", view_str(secret), quick};

	memset(&seen, 0, sizeof seen);
	over = false;
	manager_open(behaviour, after, repeat);
	uv_timer_init(&m.loop, &limit);
	uv_timer_start(&limit, on_limit, 30000, 0);
	ami = ami_open(&m.loop, &config, &callbacks, (struct hash_key){3, 4});
	assert_non_null(ami);
}

static void finish(void)
{
	ami_close(ami);
	manager_hang_up();
	uv_close((uv_handle_t *)&m.listener, NULL);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(&m.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&m.loop), 0);
}

static struct ami_figures figures(void)
{
	struct ami_figures f;

	ami_figures(ami, &f);
	return f;
}

#define UNTIL(condition)                                                                 \
	do {                                                                             \
		while (!(condition) && !over)                                            \
			uv_run(&m.loop, UV_RUN_ONCE);                                    \
		assert_true(condition);                                                  \
	} while (0)

static void test_login(void **state)
{
	char text[INDICATOR_TEXT];

	(void)state;
	start(0, SECRET, EVENT, 3);
	UNTIL(seen.rounds && seen.observations == 3);
	assert_int_equal(figures().state, AMI_READY);
	assert_string_equal(figures().trouble, "");
	assert_int_equal(figures().logins, 1);
	assert_int_equal(figures().gaps, 0);
	assert_string_equal(m.events, "security,call,system");
	assert_non_null(strstr(m.filter, "^Event: (FailedACL|"));
	assert_int_equal(seen.last.sensor, SENSOR_AMI);
	assert_int_equal(seen.last.proof, PROOF_TCP);
	/* 101 has no match; answers of others are not believed. */
	assert_int_equal(m.asked, 2);
	assert_int_equal(seen.trunks_count, 1);
	assert_string_equal(
		indicator_print(text, &seen.trunks[0].indicator), "192.0.2.0/24");
	assert_string_equal(seen.trunks[0].endpoint, "carrier");
	assert_int_equal(figures().trunks, 1);
	assert_int_equal(figures().endpoints, 2);
	/* Silence is asked into, and a new round comes. */
	UNTIL(m.pings >= 2 && seen.rounds >= 2);
	assert_int_equal(m.accepted, 1);
	finish();
}

static void test_wrong_secret(void **state)
{
	(void)state;
	start(0, "another", NULL, 0);
	UNTIL(figures().state == AMI_WAITING && figures().trouble[0]);
	assert_non_null(strstr(figures().trouble, "refuses the login"));
	assert_non_null(strstr(figures().trouble, "Authentication failed"));
	assert_null(strstr(figures().trouble, "another"));
	/* Not again at once: each is a failure in somebody's log. */
	for (unsigned i = 0; i < 8; i++)
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_int_equal(seen.connects, 1);
	finish();
}

static void test_no_rights(void **state)
{
	(void)state;
	start(NO_RIGHTS, SECRET, EVENT, 1);
	UNTIL(seen.observations == 1 && figures().trouble[0]);
	assert_int_equal(figures().state, AMI_READY);
	assert_non_null(strstr(figures().trouble, "write = system"));
	UNTIL(m.pings >= 3);
	assert_int_equal(m.rounds, 0);
	assert_int_equal(seen.rounds, 0);
	finish();
}

static void test_no_endpoints(void **state)
{
	(void)state;
	start(NO_ENDPOINTS, SECRET, NULL, 0);
	UNTIL(strstr(figures().trouble, "lists no endpoints"));
	/* Its database may be away: no word that the trunks are gone. */
	assert_int_equal(seen.rounds, 0);
	assert_int_equal(figures().state, AMI_READY);
	finish();
}

/* Whatever keeps it from being ready is said, and tried again. */
static void test_trouble(void **state)
{
	static const struct {
		unsigned behaviour;
		const char *trouble;
	} cases[] = {
		{SILENT, "does not answer"},
		{STRANGE, "no Asterisk manager: SSH-2.0"},
		{LIES, "does not answer"},
		{NO_LISTENER, "no connection: refused"},
		{NO_LISTENER | SILENT, "nobody made a connection"},
		{NO_CHALLENGE, "sends no challenge"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		start(cases[i].behaviour, SECRET, NULL, 0);
		UNTIL(strstr(figures().trouble, cases[i].trouble));
		assert_int_equal(figures().state, AMI_WAITING);
		UNTIL(seen.connects >= 2);
		assert_int_equal(figures().gaps, 0);
		assert_int_equal(figures().logins, 0);
		assert_true(figures().away > 0);
		finish();
	}
}

/* A greeting of which a byte comes now and then keeps nobody waiting for it. */
static void test_drops(void **state)
{
	(void)state;
	start(SILENT, SECRET, NULL, 0);
	UNTIL(m.connected);
	for (unsigned i = 0; i < 200 && figures().state != AMI_WAITING; i++) {
		manager_say("A");
		usleep(5000);
		uv_run(&m.loop, UV_RUN_ONCE);
	}
	assert_int_equal(figures().state, AMI_WAITING);
	assert_non_null(strstr(figures().trouble, "does not answer"));
	m.behaviour = 0;
	UNTIL(figures().state == AMI_READY);
	finish();
}

/* An event without its empty line: neither memory nor the connection is lost. */
static void test_endless(void **state)
{
	static char block[65536];

	(void)state;
	start(0, SECRET, NULL, 0);
	UNTIL(figures().state == AMI_READY && seen.rounds);
	for (size_t i = 0; i < sizeof block - 1; i++)
		block[i] = "Key: value\r\n"[i % 12];
	/* 16 MiB, of which no more than one message's most is held. */
	for (unsigned i = 0; i < 256; i++) {
		uint64_t messages = figures().messages;

		manager_say(block);
		for (unsigned turn = 0; turn < 4; turn++)
			uv_run(&m.loop, UV_RUN_NOWAIT);
		assert_true(figures().messages <= messages + 4);
	}
	manager_say("\r\n\r\n" EVENT);
	UNTIL(seen.observations == 1);
	assert_int_equal(figures().injected, 1);
	assert_int_equal(figures().state, AMI_READY);
	assert_int_equal(figures().gaps, 0);
	finish();
}

/* It was ready and no longer is: a gap, and back again. */
static void test_gaps(void **state)
{
	static const struct {
		unsigned behaviour;
		const char *trouble;
	} cases[] = {
		{DEAF, "does not answer"},
		{HANGS_UP, "closed the connection"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		start(cases[i].behaviour, SECRET, EVENT, 1);
		UNTIL(figures().gaps);
		assert_non_null(strstr(figures().trouble, cases[i].trouble));
		m.behaviour = 0;
		m.repeat = 2;
		UNTIL(figures().state == AMI_READY && seen.rounds);
		assert_int_equal(figures().logins, m.logins);
		assert_true(figures().logins >= 2);
		assert_string_equal(figures().trouble, "");
		assert_true(seen.observations >= 2);
		finish();
	}
}

static void test_garbage(void **state)
{
	static char big[3 * AMI_MESSAGE_MAX];

	(void)state;
	/* Discarded and counted, what stands around it is not harmed. */
	start(0, SECRET,
		BROKEN EVENT "\r\n\r\nX: y\r\n\r\nResponse: Success\r\n\r\n" EVENT, 1);
	UNTIL(seen.rounds && seen.observations == 2);
	assert_int_equal(figures().injected, 4);
	assert_int_equal(figures().state, AMI_READY);
	finish();
	/* A line without end. */
	memset(big, 'x', sizeof big - 1);
	memcpy(big, "Event: ", 7);
	memcpy(big + sizeof big - 1 - strlen("\r\n\r\n" EVENT), "\r\n\r\n" EVENT,
		strlen("\r\n\r\n" EVENT));
	start(0, SECRET, big, 1);
	UNTIL(seen.rounds && seen.observations == 1);
	assert_int_equal(figures().injected, 1);
	finish();
}

static void test_slow(void **state)
{
	(void)state;
	start(ONE_SLOW, SECRET, EVENT, 2);
	UNTIL(seen.rounds && seen.observations == 2);
	assert_int_equal(figures().injected, 0);
	finish();
}

static void on_other(uv_timer_t *timer)
{
	++*(unsigned *)timer->data;
}

/* More than is read in a turn: nothing is lost, and others of the loop have theirs. */
static void test_flood(void **state)
{
	static char many[sizeof(EVENT) * 512];
	unsigned turns = 0;
	uv_timer_t other;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 512; i++, n += sizeof(EVENT) - 1)
		memcpy(many + n, EVENT, sizeof(EVENT));
	start(0, SECRET, many, 40);
	uv_timer_init(&m.loop, &other);
	other.data = &turns;
	uv_timer_start(&other, on_other, 1, 1);
	UNTIL(seen.observations == 40 * 512 && seen.rounds);
	assert_true(figures().floods > 0);
	assert_true(turns >= figures().floods);
	uv_close((uv_handle_t *)&other, NULL);
	assert_int_equal(figures().gaps, 0);
	assert_int_equal(figures().injected, 0);
	finish();
}

static void test_closed_within(void **state)
{
	(void)state;
	/* Whatever state it is in, nothing is left behind. */
	start(0, SECRET, NULL, 0);
	finish();
	start(SILENT, SECRET, NULL, 0);
	UNTIL(m.accepted);
	finish();
	start(0, SECRET, EVENT, 100);
	UNTIL(seen.observations);
	finish();
}

static void test_retry(void **state)
{
	const struct ami_timing t = {.retry = 1000, .retry_most = 10000};

	(void)state;
	assert_int_equal(ami_retry(&t, 0, 0), 1000);
	assert_int_equal(ami_retry(&t, 1, 0), 2000);
	assert_int_equal(ami_retry(&t, 3, 0), 8000);
	assert_int_equal(ami_retry(&t, 4, 0), 10000);
	assert_int_equal(ami_retry(&t, 1000000, 0), 10000);
	for (uint64_t chance = 0; chance < 5000; chance += 7) {
		usec wait = ami_retry(&t, 2, chance);

		assert_true(wait >= 4000 && wait <= 5000);
	}
	assert_int_equal(ami_retry(&t, 2, 1000), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_wrong_secret),
		cmocka_unit_test(test_no_rights),
		cmocka_unit_test(test_no_endpoints),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_closed_within),
		cmocka_unit_test(test_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
