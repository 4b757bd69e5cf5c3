/* SPDX-License-Identifier: Apache-2.0 */
/* Lines through filters: dates, prefixes, connections, several lines, observations. */
#include "../cmocka_all.h"
#include "folder.h"

#include <time.h>

#include "base/buffer.h"
#include "sense/filter/date_value.h"
#include "sense/filter/filter_observe.h"

#define NOW_2026 UINT64_C(1795305600) /* 2026-11-22 00:00:00 UTC */

struct seen {
	struct filter *filter;
	unsigned count;
	char id[8][64], user[8][64];
	usec time[8];
	enum filter_id kind[8];
	bool nofail[8];
	struct observation o[8];
	unsigned observations;
};

static void on_failure(void *context, const struct filter_failure *f)
{
	struct seen *s = context;

	assert_true(s->count < 8);
	view_copy(s->id[s->count], 64, f->id);
	view_copy(s->user[s->count], 64, f->user);
	s->time[s->count] = f->timed ? f->time : 0;
	s->kind[s->count] = f->kind;
	s->nofail[s->count++] = f->nofail;
}

static void on_observation(void *context, const struct observation *o)
{
	struct seen *s = context;

	assert_true(s->observations < 8);
	s->o[s->observations++] = *o;
}

/* A filter of one file's text. */
static struct filter *filter_of(const char *text, bool test)
{
	struct filter_settings settings = {.test = test, .now = NOW_2026 * USEC_PER_SEC};
	struct error err = {""};
	struct filter *f;
	struct folder folder;

	folder_make(&folder);
	folder_write(&folder, "x.conf", text);
	settings.folders = folder.list;
	f = filter_new("x", &settings, &err);
	if (!f)
		fail_msg("%s", err.text);
	folder_remove(&folder);
	return f;
}

static struct filter_result feed(struct seen *s, struct filter *f, const char *line)
{
	memset(s, 0, sizeof *s);
	return filter_line(f, view_str(line), NOW_2026 * USEC_PER_SEC, on_failure, s);
}

static void assert_time(struct filter *f, const char *line, const char *utc)
{
	struct seen s;
	char got[21];

	feed(&s, f, line);
	assert_int_equal(s.count, 1);
	assert_string_equal(clock_rfc3339(got, s.time[0] / USEC_PER_SEC), utc);
}

static void dates_are_read(void **state)
{
	struct filter *f = filter_of("[Definition]\nfailregex = bad <HOST>$\n", true);
	struct seen s;

	(void)state;
	assert_time(f, "2026-11-21 10:11:12.123 bad 192.0.2.1", "2026-11-21T10:11:12Z");
	assert_time(f, "2026-11-21T10:11:12+0200 bad 192.0.2.1", "2026-11-21T08:11:12Z");
	assert_time(
		f, "[21/Nov/2026:10:11:12 -0530] bad 192.0.2.1", "2026-11-21T15:41:12Z");
	assert_time(f, "1795000000.5 bad 192.0.2.1", "2026-11-18T11:06:40Z");
	assert_time(
		f, "@400000006b02308000000000 bad 2001:db8::1", "2026-11-22T00:00:00Z");
	/* Without a year: this one, unless that is more than a day ahead. */
	assert_time(f, "Nov 22 23:00:00 host bad 192.0.2.1", "2026-11-22T23:00:00Z");
	assert_time(f, "Nov 23 00:00:01 host bad 192.0.2.1", "2025-11-23T00:00:01Z");
	assert_time(f, "Dec 31 23:59:59 host bad 192.0.2.1", "2025-12-31T23:59:59Z");
	/* Without a day: today, unless that is ahead. */
	assert_time(f, "00:00:00 bad 192.0.2.1", "2026-11-22T00:00:00Z");
	assert_time(f, "10:00:00 bad 192.0.2.1", "2026-11-21T10:00:00Z");
	/* Looks like a date and is none: the last one counts while it is near. */
	feed(&s, f, "2026-02-30 10:11:12 bad 192.0.2.1");
	assert_int_equal(s.count, 1);
	assert_int_equal(s.time[0], 0);
	filter_free(f);
}

static void the_clock_may_go_backwards(void **state)
{
	struct filter *f = filter_of("[Definition]\nfailregex = bad <HOST>$\n", false);
	struct seen s;
	usec now = NOW_2026 * USEC_PER_SEC;

	(void)state;
	for (int i = 0; i < 4; i++) {
		memset(&s, 0, sizeof s);
		filter_line(f, view_str("2026-11-22 00:00:30 bad 192.0.2.1"), now,
			on_failure, &s);
		assert_int_equal(s.count, 1);
		/* Within a minute as it is written, else as if it were now. */
		assert_int_equal(
			s.time[0], i ? now : NOW_2026 * USEC_PER_SEC + 30 * USEC_PER_SEC);
		now -= 3600 * USEC_PER_SEC;
	}
	filter_free(f);
}

static void a_date_is_cut_out_and_a_prefix_taken_off(void **state)
{
	struct filter *f = filter_of(
		"[Definition]\nprefregex = ^\\[\\] (?:NOTICE|WARN) <F-CONTENT>.+</F-CONTENT>$\n"
		"failregex = ^user <F-USER>\\S*</F-USER> of <HOST>$\n"
		"            ^nobody of <ADDR>$\n"
		"ignoreregex = of 192\\.0\\.2\\.9$\n",
		false);
	struct seen s;

	(void)state;
	feed(&s, f, "[2026-11-22 00:00:01] NOTICE user joe of 192.0.2.1");
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id[0], "192.0.2.1");
	assert_string_equal(s.user[0], "joe");
	assert_int_equal(s.time[0], (NOW_2026 + 1) * USEC_PER_SEC);
	feed(&s, f, "[2026-11-22 00:00:01] WARN nobody of [2001:db8::7]\r");
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id[0], "2001:db8::7");
	assert_false(
		feed(&s, f, "[2026-11-22 00:00:01] DEBUG user joe of 192.0.2.1").prefix);
	assert_int_equal(s.count, 0);
	assert_true(feed(&s, f, "[2026-11-22 00:00:01] NOTICE user joe of 192.0.2.9")
			    .ignored);
	assert_int_equal(s.count, 0);
	/* A name is nobody: it is not looked up. */
	feed(&s, f, "[2026-11-22 00:00:01] NOTICE user joe of evil.example.net");
	assert_int_equal(s.count, 0);
	filter_free(f);
}

/* As sshd's filter: the address stands in another line than the failure. */
static const char connections[] =
	"[Definition]\nprefregex = ^ s\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$\n"
	"failregex = ^<F-NOFAIL>connect</F-NOFAIL> from <HOST>$\n"
	"            ^failed for <F-USER>\\S+</F-USER>$\n"
	"            ^<F-NOFAIL><F-MLFGAINED>accepted</F-MLFGAINED></F-NOFAIL> for "
	"<F-USER>\\S+</F-USER>$\n"
	"            ^<F-NOFAIL><F-MLFFORGET>closed</F-MLFFORGET></F-NOFAIL>$\n";

static void connections_are_put_together(void **state)
{
	struct filter *f = filter_of(connections, false);
	struct seen s;

	(void)state;
	feed(&s, f, "2026-11-22 00:00:01 s[1]: connect from 192.0.2.1");
	assert_int_equal(s.count, 0);
	feed(&s, f, "2026-11-22 00:00:02 s[1]: failed for joe");
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id[0], "192.0.2.1");
	assert_string_equal(s.user[0], "joe");
	feed(&s, f, "2026-11-22 00:00:03 s[2]: failed for joe"); /* whoever that is */
	assert_int_equal(s.count, 0);
	feed(&s, f, "2026-11-22 00:00:03 s[1]: closed");
	feed(&s, f, "2026-11-22 00:00:03 s[1]: failed for joe"); /* forgotten */
	assert_int_equal(s.count, 0);
	/* The failure first, the address after it: it was pending. */
	feed(&s, f, "2026-11-22 00:00:03 s[2]: connect from 192.0.2.2");
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id[0], "192.0.2.2");
	filter_free(f);
}

static void connections_are_bounded(void **state)
{
	struct filter *f = filter_of(connections, false);
	struct seen s;
	char line[128];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof line,
			"2026-11-22 00:00:01 s[%u]: connect from 192.0.2.%u", i, i % 250);
		feed(&s, f, line);
		assert_int_equal(s.count, 0);
	}
	feed(&s, f, "2026-11-22 00:00:02 s[999]: failed for joe");
	assert_int_equal(s.count, 1);
	feed(&s, f, "2026-11-22 00:00:02 s[1]: failed for joe"); /* the oldest went */
	assert_int_equal(s.count, 0);
	filter_free(f);
}

static void several_lines_are_one(void **state)
{
	struct filter *f = filter_of(
		"[Definition]\nmaxlines = 4\n"
		"failregex = ^ from <HOST> id=(?P<n>\\d+)$<SKIPLINES>^ "
		"denied id=(?P=n)$\n",
		true);
	struct seen s;
	struct filter_result r;

	(void)state;
	feed(&s, f, "2026-11-22 00:00:01 from 192.0.2.1 id=1");
	feed(&s, f, "2026-11-22 00:00:01 from 192.0.2.2 id=2");
	assert_int_equal(s.count, 0);
	r = feed(&s, f, "2026-11-22 00:00:02 denied id=1");
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id[0], "192.0.2.1");
	assert_int_equal(r.released, 1); /* the skipped one stays */
	r = feed(&s, f, "2026-11-22 00:00:02 denied id=2");
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id[0], "192.0.2.2");
	for (unsigned i = 0; i < 5; i++)
		feed(&s, f, "2026-11-22 00:00:02 from 192.0.2.3 id=3");
	for (unsigned i = 0; i < 4; i++)
		feed(&s, f, "2026-11-22 00:00:02 other");
	feed(&s, f, "2026-11-22 00:00:02 denied id=3"); /* too long ago */
	assert_int_equal(s.count, 0);
	filter_free(f);
}

static void an_observation_proves_nothing(void **state)
{
	struct filter *f = filter_of(
		"[Definition]\nfailregex = ^ user <F-USER>.*</F-USER> <HOST>:<F-PORT/>$\n",
		false);
	struct seen s = {.count = 0};
	usec now = NOW_2026 * USEC_PER_SEC;
	struct address a;

	(void)state;
	assert_int_equal(filter_observe(f,
				 view_str("2026-11-22 00:00:01 user a\x01\xff z "
					  "198.51.100.7:5062"),
				 0, now, on_observation, &s),
		1);
	assert_int_equal(s.o[0].proof, PROOF_NONE);
	assert_int_equal(s.o[0].sensor, SENSOR_FILTER);
	assert_int_equal(s.o[0].kind, OBSERVED_AUTH_FAILED);
	assert_int_equal(s.o[0].attempt, 0);
	assert_int_equal(s.o[0].port, 5062);
	assert_int_equal(s.o[0].time, now + USEC_PER_SEC);
	assert_string_equal(s.o[0].account, "a\x01\xef\xbf\xbd z");
	address_parse(&a, view_str("198.51.100.7"), NULL);
	assert_true(address_eq(&a, &s.o[0].source));
	/* What looks like an address and is none. */
	assert_int_equal(
		filter_observe(f, view_str("2026-11-22 00:00:01 user a 999.1.1.1:1"), 0,
			now, on_observation, &s),
		0);
	/* A journal's entry has its own time. */
	assert_int_equal(filter_observe(f, view_str(" user a 192.0.2.1:1"),
				 now - USEC_PER_SEC, now, on_observation, &s),
		1);
	assert_int_equal(s.o[1].time, now - USEC_PER_SEC);
	filter_free(f);
}

static void count_failure(void *context, const struct filter_failure *f)
{
	unsigned *sum = context;

	*sum = *sum * 31 + (unsigned)f->expression + 1;
	*sum = *sum * 31 + f->id.p[f->id.n - 1];
}

/* Lines through a filter, each, or but those that are passed over. */
static unsigned sum_of(struct filter *f, struct view text, bool skip)
{
	const usec now = NOW_2026 * USEC_PER_SEC;
	struct view rest = text;
	unsigned sum = 0;
	uint64_t lines;

	while (rest.n) {
		struct view line;

		if (skip) {
			size_t n = filter_skip(f, rest, &lines);

			assert_true(n <= rest.n && (!n || rest.p[n - 1] == '\n'));
			rest = view_from(rest, n);
			if (!rest.n)
				break;
		}
		line = view_head(rest, view_find(rest, '\n'));
		filter_line(f, line, now, count_failure, &sum);
		rest = view_from(rest, line.n + 1);
	}
	return sum;
}

/* Pieces of what expressions look for, put together at random, in long lines too. */
static void what_is_passed_over_holds_nothing(void **state)
{
	static const char *const filters[] = {
		"[Definition]\nfailregex = ^.*failed to authenticate <HOST>\n"
		"  \"Rejecting unknown .*connection from <HOST>\n",
		/* U+212A is a k without case: such lines are looked at. */
		"[Definition]\nfailregex = (?i)unlikely knocking of <HOST>\n"
		"  failed to authenticate <HOST>\n",
		/* Nothing is known of the second, so nothing is passed over. */
		"[Definition]\nfailregex = failed to authenticate <HOST>\n  ^<HOST> \\d+$\n"};
	static const char *const pieces[] = {"failed to authenticate 192.0.2.7 ", "\n",
		"\n", "failed to ", "\"Rejecting unknown SIP ",
		"connection from 192.0.2.8 ", "x",
		"UNLIKELY \xe2\x84\xaaNOCKING OF 192.0.2.9 ", "ordinary text of a log ",
		"192.0.2.6 77", "failed to authenticate\n192.0.2.5", "\r\n"};
	struct buffer text = {0};
	uint32_t random = 1;

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		const char *piece;

		random = random * 1664525 + 1013904223;
		piece = pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)];
		/* Now and then far from the next, as ordinary lines are. */
		for (unsigned k = 0; k <= (random >> 8) % 64; k++)
			buffer_put(&text, "all is well here", 16);
		buffer_put(&text, piece, strlen(piece));
	}
	buffer_put_u8(&text, '\n');
	assert_false(text.failed);
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		struct filter *each = filter_of(filters[i], false);
		struct filter *some = filter_of(filters[i], false);
		struct view all = view_of(text.p, text.n);
		struct filter_figures a, b;
		uint64_t lines;

		assert_int_equal(sum_of(each, all, false), sum_of(some, all, true));
		filter_figures(each, &a);
		filter_figures(some, &b);
		assert_true(a.failures > 100);
		assert_int_equal(a.failures, b.failures);
		assert_int_equal(a.lines, b.lines);
		assert_int_equal(
			filter_skip(some, view_str("all is well here\n"), &lines),
			i == 2 ? 0 : 17);
		assert_int_equal(lines, i != 2);
		filter_free(each);
		filter_free(some);
	}
	buffer_free(&text);
}

static void bad_filters_say_where(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{"[Definition]\nfailregex =\n", "there is no failregex"},
		{"[Definition]\nfailregex = ^nobody$\n",
			"x.conf:2: failregex 1 says nobody's address"},
		{"[Definition]\nfailregex = <HOST>\n  (<HOST>\n",
			"x.conf:2: failregex 2: "},
		{"[Definition]\nfailregex = <HOST> <HOST>\n",
			"two named subpatterns have the same name"},
		{"[Definition]\nfailregex = <HOST>\nignoreregex = [\n",
			"x.conf:3: ignoreregex 1: "},
		{"[Definition]\nfailregex = <HOST>\ndatepattern = %%Q\n",
			"x.conf:3: datepattern: \"%Q\" is no field of a date"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct filter_settings settings = {.now = NOW_2026 * USEC_PER_SEC};
		struct folder folder;
		struct error err = {""};

		folder_make(&folder);
		folder_write(&folder, "x.conf", bad[i].text);
		settings.folders = folder.list;
		assert_null(filter_new("x", &settings, &err));
		if (!strstr(err.text, bad[i].error))
			fail_msg("\"%s\" does not hold \"%s\"", err.text, bad[i].error);
		folder_remove(&folder);
	}
}

static void a_catastrophic_expression_leaves_the_others(void **state)
{
	struct filter *f = filter_of(
		"[Definition]\nfailregex = ^ (?:\\w+\\s?)*: <HOST>$\n"
		"            ^ bad <HOST>$\n",
		false);
	struct filter_figures figures;
	struct filter_part_figures part;
	char line[4096] = "2026-11-22 00:00:01 ";
	struct seen s;

	(void)state;
	memset(line + strlen(line), 'a', 2000);
	strcat(line, ": ???");
	for (unsigned i = 0; i < 40; i++) {
		feed(&s, f, line);
		assert_int_equal(s.count, 0);
		feed(&s, f, "2026-11-22 00:00:01 bad 192.0.2.1");
		assert_int_equal(s.count, 1);
	}
	filter_figures(f, &figures);
	assert_int_equal(figures.off, 1);
	assert_int_equal(figures.exhausted, 16);
	assert_true(filter_part(f, FILTER_FAILREGEX, 0, &part));
	assert_true(part.off);
	assert_true(filter_part(f, FILTER_FAILREGEX, 1, &part));
	assert_false(part.off);
	assert_int_equal(part.hits, 40);
	filter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(the_clock_may_go_backwards),
		cmocka_unit_test(a_date_is_cut_out_and_a_prefix_taken_off),
		cmocka_unit_test(connections_are_put_together),
		cmocka_unit_test(connections_are_bounded),
		cmocka_unit_test(several_lines_are_one),
		cmocka_unit_test(an_observation_proves_nothing),
		cmocka_unit_test(what_is_passed_over_holds_nothing),
		cmocka_unit_test(bad_filters_say_where),
		cmocka_unit_test(a_catastrophic_expression_leaves_the_others),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
