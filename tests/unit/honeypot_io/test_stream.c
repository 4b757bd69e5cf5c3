/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "sense/honeypot/stream.h"

#define HEAD "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n"

static enum stream_verdict first(const char *text, size_t *n)
{
	struct stream_state s = {0};

	return stream_next(&s, n, view_str(text));
}

static void assert_length(const char *text, size_t expected)
{
	size_t n;

	assert_int_equal(first(text, &n), STREAM_MESSAGE);
	assert_int_equal(n, expected);
}

static void content_length_ends_a_message(void **state)
{
	(void)state;
	assert_length(HEAD "Content-Length: 3\r\n\r\nabcdef",
		strlen(HEAD "Content-Length: 3\r\n\r\nabc"));
	assert_length(HEAD "l :  0\r\n\r\nabc", strlen(HEAD "l :  0\r\n\r\n"));
	assert_length(HEAD "CONTENT-LENGTH:\r\n 2\r\n\r\nabc",
		strlen(HEAD "CONTENT-LENGTH:\r\n 2\r\n\r\nab"));
	/* LF alone is a line's end, as the parser has it. */
	assert_length("OPTIONS sip:a SIP/2.0\nl: 1\n\nabc",
		strlen("OPTIONS sip:a SIP/2.0\nl: 1\n\na"));
	assert_length("OPTIONS sip:a SIP/2.0\nl: 1\n\r\nabc",
		strlen("OPTIONS sip:a SIP/2.0\nl: 1\n\r\na"));
	/* The same length twice is no contradiction. */
	assert_length(HEAD "l: 1\r\nContent-Length: 1\r\n\r\nabc",
		strlen(HEAD "l: 1\r\nContent-Length: 1\r\n\r\na"));
	/* None: the message ends with its head. */
	assert_length(HEAD "\r\nabc", strlen(HEAD "\r\n"));
	/* Only a header of that name counts. */
	assert_length(HEAD "X-l: 5\r\nSubject: l: 7\r\n\r\n",
		strlen(HEAD "X-l: 5\r\nSubject: l: 7\r\n\r\n"));
	assert_length("SIP/2.0 200 OK\r\nl: 0\r\n\r\n", 24);
}

static void what_is_no_sip_ends_the_stream(void **state)
{
	static const char *const broken[] = {
		"\x16\x03\x01\x02\x00\x01",
		"GET / HTTP/1.1\r\n",
		"hello\n",
		"\rx",
		" OPTIONS sip:a SIP/2.0\r\n",
		HEAD "Content-Length: 65535\r\n\r\n",
		HEAD "Content-Length: -1\r\n\r\n",
		HEAD "Content-Length: 1x\r\n\r\n",
		HEAD "Content-Length:\r\n\r\n",
		HEAD "Content-Length: 99999999999999999999\r\n\r\n",
		HEAD "l: 1\r\nContent-Length: 2\r\n\r\n",
	};
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		if (first(broken[i], &n) != STREAM_BROKEN)
			fail_msg("%s", broken[i]);
	}
}

static void heads_are_bounded(void **state)
{
	static char text[STREAM_HEAD_MAX + 100];
	struct stream_state s = {0};
	size_t n, at = strlen(HEAD "X: ");

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, HEAD "X: ", at);
	assert_int_equal(
		stream_next(&s, &n, view_of(text, STREAM_HEAD_MAX - 1)), STREAM_MORE);
	assert_int_equal(
		stream_next(&s, &n, view_of(text, STREAM_HEAD_MAX)), STREAM_BROKEN);
	/* Without any line end neither. */
	memset(text, 'x', sizeof text);
	s = (struct stream_state){0};
	assert_int_equal(
		stream_next(&s, &n, view_of(text, STREAM_HEAD_MAX)), STREAM_BROKEN);
}

static void double_crlf_asks_for_life(void **state)
{
	struct stream_state s = {0};
	struct view rest = view_str("\r\n\r\n\r\n" HEAD "\r\n");
	size_t n;

	(void)state;
	assert_int_equal(stream_next(&s, &n, rest), STREAM_BLANK);
	assert_int_equal(n, 2);
	rest = view_from(rest, n);
	assert_int_equal(stream_next(&s, &n, rest), STREAM_KEEPALIVE);
	assert_int_equal(n, 2);
	rest = view_from(rest, n);
	/* A third stands alone, before a message. */
	assert_int_equal(stream_next(&s, &n, rest), STREAM_BLANK);
	rest = view_from(rest, n);
	assert_int_equal(stream_next(&s, &n, rest), STREAM_MESSAGE);
	assert_int_equal(n, strlen(HEAD "\r\n"));
	/* And is forgotten behind it. */
	assert_int_equal(stream_next(&s, &n, view_str("\r\n")), STREAM_BLANK);
	assert_int_equal(stream_next(&s, &n, view_str("\r")), STREAM_MORE);
	assert_int_equal(stream_next(&s, &n, view_str("\r\n")), STREAM_KEEPALIVE);
}

/* Feed text in two pieces, cut at `at`; note every verdict with its length. */
static void play(char *out, size_t size, const char *text, size_t at)
{
	struct stream_state s = {0};
	size_t all = strlen(text), given = at, taken = 0, used = 0, n;

	out[0] = 0;
	for (;;) {
		enum stream_verdict v = stream_next(
			&s, &n, view_of(text + taken, given - taken));

		if (v == STREAM_MORE) {
			if (given == all)
				break;
			given = all;
			continue;
		}
		used += (size_t)snprintf(out + used, size - used, "%d:%zu ", v, n);
		if (v == STREAM_BROKEN)
			break;
		taken += n;
	}
}

static void cuts_change_nothing(void **state)
{
	static const char text[] = HEAD
		"Content-Length: 5\r\n\r\nab\r\n\r\r\n\r\n" HEAD "l:\r\n 1\r\n\r\nx"
		"SIP/2.0 200 OK\nl: 0\n\n\r\n" HEAD "\r\nGET / HTTP/1.1\r\n\r\n";
	char whole[256], cut[256];

	(void)state;
	play(whole, sizeof whole, text, sizeof text - 1);
	assert_non_null(strstr(whole, "4:0"));
	for (size_t at = 0; at < sizeof text; at++) {
		play(cut, sizeof cut, text, at);
		assert_string_equal(cut, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_length_ends_a_message),
		cmocka_unit_test(what_is_no_sip_ends_the_stream),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(double_crlf_asks_for_life),
		cmocka_unit_test(cuts_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
