/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of RFC 5424 (6.5) and RFC 3164 (5.4), and what devices send. */
#include <stdio.h>
#include <stdlib.h>

#include "../cmocka_all.h"

#include "sense/syslog_frame.h"
#include "sense/syslog_message.h"

static struct syslog_message m;

static int parse(const char *packet)
{
	memset(&m, 0xee, sizeof m);
	return syslog_message_parse(&m, view_str(packet));
}

#define text(view, s) assert_true(view_eq(m.entry.view, view_str(s)))

static void test_5424(void **state)
{
	(void)state;
	assert_int_equal(
		parse("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - "
		      "ID47 - \xef\xbb\xbf'su root' failed for lonvick"),
		0);
	assert_int_equal(m.facility, 4);
	assert_int_equal(m.severity, 2);
	assert_int_equal(m.entry.time, UINT64_C(1065910455003000));
	text(host, "mymachine.example.com");
	text(app, "su");
	text(pid, "");
	text(message, "'su root' failed for lonvick");
	assert_int_equal(parse("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc "
			       "8710 - - %% It's time."),
		0);
	assert_int_equal(m.entry.time, UINT64_C(1061727255000003));
	text(pid, "8710");
	text(message, "%% It's time.");
	assert_int_equal(parse("<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 "
			       "[exampleSDID@32473 iut=\"3\" eventSource=\"a\\\"] b\"]"
			       "[x@1 y=\"]\"] An entry"),
		0);
	text(message, "An entry");
	assert_int_equal(parse("<165>1 - - - - - -"), 0);
	assert_int_equal(m.entry.time, 0);
	text(host, "");
	text(message, "");
	assert_int_equal(parse("<0>1 - h a p m - x\r\n"), 0);
	text(message, "x");
	/* As rsyslog 8 forwards what came by syslog(3). */
	assert_int_equal(
		parse("<133>1 2026-11-22T08:39:08.410530+00:00 vm kamailio 7 - -  "
		      "hello#012there\n"),
		0);
	text(app, "kamailio");
	text(pid, "7");
	text(message, "hello#012there");
	/* Claims to be RFC 5424. */
	assert_int_equal(parse("<165>1 "), -1);
	assert_int_equal(parse("<165>1 2003 h a p m - x"), -1);
	assert_int_equal(parse("<165>1 2003-10-11T22:14:15 h a p m - x"), -1);
	assert_int_equal(parse("<165>1 - h a p m x"), -1);
	assert_int_equal(parse("<165>1 - h a p m [x y=\"]"), -1);
	assert_int_equal(parse("<165>1 - h a p m -x"), -1);
}

static void test_3164(void **state)
{
	(void)state;
	assert_int_equal(parse("<34>Oct 11 22:14:15 mymachine su: 'su root' failed"), 0);
	assert_int_equal(m.facility, 4);
	assert_int_equal(m.entry.time, 0);
	text(host, "mymachine");
	text(app, "su");
	text(message, "'su root' failed");
	assert_int_equal(parse("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!"), 0);
	text(host, ""); /* it might be the first word as well */
	text(app, "");
	text(message, "10.0.0.99 Use the BFG!");
	assert_int_equal(
		parse("<133>Nov 22 08:13:39 pbx kamailio[25002]: NOTICE: <script>: x"),
		0);
	text(host, "pbx");
	text(app, "kamailio");
	text(pid, "25002");
	text(message, "NOTICE: <script>: x");
	/* No host, no time: glibc's syslog() to a socket; a time as newer ones write. */
	assert_int_equal(parse("<133>Nov 22 08:13:39 kamailio[1]: NOTICE: x"), 0);
	text(host, "");
	text(app, "kamailio");
	text(message, "NOTICE: x");
	assert_int_equal(parse("<133>kamailio: NOTICE: x"), 0);
	text(app, "kamailio");
	text(message, "NOTICE: x");
	assert_int_equal(parse("<133>2026-11-22T08:13:39.5+01:00 pbx kamailio[1]: x"), 0);
	assert_int_equal(m.entry.time, UINT64_C(1795331619500000));
	text(host, "pbx");
	text(message, "x");
	assert_int_equal(parse("<133>"), 0);
	text(message, "");
}

static void test_priority(void **state)
{
	static const char *const bad[] = {"", "x", "34", "<", "<>x", "<192>x", "<1000>x",
		"<-1>x", "<3", "<+3>x", "<3 >x", "Nov 22 08:13:39 pbx x: y"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(parse(bad[i]), -1);
	assert_int_equal(parse("<191>x"), 0);
	assert_int_equal(m.facility, 23);
	assert_int_equal(m.severity, 7);
}

static void test_line(void **state)
{
	char line[64];
	struct log_entry e = {.message = view_str("m"), .app = view_str("a")};
	struct view v;

	(void)state;
	v = log_entry_line(line, sizeof line, &e);
	assert_true(view_eq(v, view_str("a: m")));
	e.host = view_str("h");
	e.pid = view_str("7");
	v = log_entry_line(line, sizeof line, &e);
	assert_true(view_eq(v, view_str("h a[7]: m")));
	v = log_entry_line(line, 5, &e);
	assert_true(view_eq(v, view_str("h a[7")));
}

/* --- frames --- */

static char seen[65536];

static void on_frame(void *context, struct view message)
{
	(void)context;
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "(%.*s)",
		message.n > 40 ? 40 : (int)message.n, (const char *)message.p);
}

/* The whole at once and byte by byte: the same frames. */
static int frames(const char *stream, size_t n, const char *expected, uint64_t oversize)
{
	int rc = 0;

	for (int step = 0; step < 2; step++) {
		struct syslog_frames *f = calloc(1, sizeof *f);
		size_t each = step ? 1 : n;

		seen[0] = '\0';
		rc = 0;
		for (size_t i = 0; i < n && !rc; i += each)
			rc = syslog_frames_feed(
				f, view_of(stream + i, each), on_frame, NULL);
		assert_string_equal(seen, expected);
		assert_int_equal(f->oversize, oversize);
		free(f);
	}
	return rc;
}

#define stream(s, expected) frames(s, sizeof(s) - 1, expected, 0)

static void test_frames(void **state)
{
	static char big[2 * SYSLOG_MESSAGE_MAX + 64];
	size_t n;

	(void)state;
	assert_int_equal(stream("5 <1>ab6 <2>cde", "(<1>ab)(<2>cde)"), 0);
	assert_int_equal(stream("5 <1>a\n6 <2>cde\n", "(<1>a\n)(<2>cde)"), 0);
	assert_int_equal(
		stream("<1>a\n<2>b\r\n\n<3>c\0<4>half", "(<1>a)(<2>b\r)(<3>c)"), 0);
	assert_int_equal(stream("<1>a\n5 <2>bc<3>d\n", "(<1>a)(<2>bc)(<3>d)"), 0);
	assert_int_equal(stream("12x<1>", ""), -1);
	assert_int_equal(stream("12345678 x", ""), -1);
	assert_int_equal(stream("5 <1>ab99", "(<1>ab)"), 0);
	/* The longest, one more, and what follows it. */
	n = (size_t)snprintf(big, sizeof big, "%d ", SYSLOG_MESSAGE_MAX + 1);
	memset(big + n, 'x', SYSLOG_MESSAGE_MAX + 1);
	n += SYSLOG_MESSAGE_MAX + 1;
	memcpy(big + n, "4 <5>z", 6);
	assert_int_equal(frames(big, n + 6, "(<5>z)", 1), 0);
	memset(big, 'x', SYSLOG_MESSAGE_MAX + 1);
	memcpy(big + SYSLOG_MESSAGE_MAX + 1, "\n<5>y\n", 6);
	assert_int_equal(frames(big, SYSLOG_MESSAGE_MAX + 7, "(<5>y)", 1), 0);
	memcpy(big + SYSLOG_MESSAGE_MAX, "\n<5>y\n", 6);
	assert_int_equal(frames(big, SYSLOG_MESSAGE_MAX + 6,
				 "(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx)(<5>y)", 0),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_5424),
		cmocka_unit_test(test_3164),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests_name("syslog_message", tests, NULL, NULL);
}
