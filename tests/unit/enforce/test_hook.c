/* SPDX-License-Identifier: Apache-2.0 */
#include "pbx_rig.h"

#include <stdlib.h>

#include "enforce/hook.h"
#include "enforce/hook_log.h"

#define SECOND USEC_PER_SEC
#define NOW    (1000 * SECOND)

static const struct pbx_ops *ops = &pbx_hook;
static struct pbx *p;

#define BEGIN "{\"op\":\"resync-begin\",\"version\":1,\"connector\":\"billing\"}\n"

/* A hit's text is cut between characters, and left out when it is not clean. */
static void test_hit_text(void **state)
{
	char dst[8];

	(void)state;
	pbx_hit_text(dst, sizeof dst, view_str("abcdef\xc3\xa9"));
	assert_string_equal(dst, "abcdef");
	pbx_hit_text(dst, sizeof dst, view_str("abcde\xc3\xa9-"));
	assert_string_equal(dst, "abcde\xc3\xa9");
	pbx_hit_text(dst, sizeof dst, view_str("abcdefgh\n"));
	assert_string_equal(dst, "");
}

static int setup(void **state)
{
	struct pbx_config config = {.name = "billing"};

	(void)state;
	memset(&told, 0, sizeof told);
	p = ops->open(&config, &rig_hooks, NULL);
	assert_non_null(p);
	ops->connected(p, NOW);
	assert_int_equal(told.resyncs, 1);
	assert_int_equal(told.readies, 1);
	assert_string_equal(next_text(ops, p), BEGIN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ops->free(p);
	return 0;
}

static size_t order(uint8_t change, const char *text, uint32_t until, usec now)
{
	struct ban_order o = order_of(change, text, until);

	return ops->order(p, &o, 1, now);
}

static void receive(const char *text, usec now)
{
	ops->received(p, view_str(text), now);
}

/* The lines, to the byte; an order is done when the stream has taken its line. */
static void test_lines(void **state)
{
	struct pbx_figures f;
	struct view bytes;

	(void)state;
	order(BAN_ADD, "+97259*", 1795638440, NOW);
	order(BAN_ADD, "198.51.100.7", 1795638440, NOW);
	order(BAN_DELETE, "+442079460000", 0, NOW);
	ops->due(p, NOW);
	assert_int_equal(told.dones, 0);
	assert_true(ops->next(p, &bytes));
	ops->sent(p, 10);
	ops->due(p, NOW);
	assert_int_equal(told.dones, 0); /* part of a line is nothing */
	assert_string_equal(next_text(ops, p),
		"\",\"id\":1,\"indicator\":\"+97259*\",\"kind\":\"number\","
		"\"digits\":\"97259\",\"prefix\":true,\"until\":1795638440,"
		"\"category\":\"fraud\",\"origin\":\"ledger\"}\n"
		"{\"op\":\"add\",\"id\":2,\"indicator\":\"198.51.100.7\","
		"\"kind\":\"ip4\",\"until\":1795638440,\"category\":\"fraud\","
		"\"origin\":\"ledger\"}\n"
		"{\"op\":\"delete\",\"id\":3,\"indicator\":\"+442079460000\","
		"\"kind\":\"number\",\"digits\":\"442079460000\",\"prefix\":false}\n");
	assert_int_equal(told.dones, 0); /* no hook is called from sent() */
	ops->due(p, NOW);
	assert_int_equal(told.dones, 3);
	assert_int_equal(told.done.change, BAN_DELETE);
	/* However long it takes: only its owner knows when that was all. */
	assert_int_equal(ops->due(p, NOW + 10 * SECOND), 0);
	assert_string_equal(next_text(ops, p), "");
	order(BAN_ADD, "198.51.100.8", 1795638440, NOW + 10 * SECOND);
	ops->filled(p, NOW + 10 * SECOND);
	ops->filled(p, NOW + 10 * SECOND); /* one end for one begin */
	order(BAN_ADD, "198.51.100.9", 1795638440, NOW + 10 * SECOND);
	assert_string_equal(next_text(ops, p),
		"{\"op\":\"add\",\"id\":4,\"indicator\":\"198.51.100.8\","
		"\"kind\":\"ip4\",\"until\":1795638440,\"category\":\"fraud\","
		"\"origin\":\"ledger\"}\n"
		"{\"op\":\"resync-end\"}\n"
		"{\"op\":\"add\",\"id\":5,\"indicator\":\"198.51.100.9\","
		"\"kind\":\"ip4\",\"until\":1795638440,\"category\":\"fraud\","
		"\"origin\":\"ledger\"}\n");
	assert_int_equal(ops->due(p, NOW + 12 * SECOND), 0);
	ops->figures(p, &f);
	assert_int_equal(f.resync_took, 12 * SECOND);
	order(BAN_DELETE, "+97259*", 0, NOW + SECOND);
	assert_string_equal(next_text(ops, p),
		"{\"op\":\"delete\",\"id\":6,\"indicator\":\"+97259*\","
		"\"kind\":\"number\",\"digits\":\"97259\",\"prefix\":true}\n");
	ops->due(p, NOW + 2 * SECOND);
	assert_string_equal(next_text(ops, p), ""); /* one end for one begin */
}

/* Nobody reads: what waits is bounded, and after a while it is given up. */
static void test_stall(void **state)
{
	struct pbx_figures f;
	size_t taken = 0;
	struct view bytes;
	usec now = NOW;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		taken += order(BAN_ADD, "+97259*", 1795638440, now);
	assert_int_equal(taken, HOOK_WINDOW);
	assert_true(ops->next(p, &bytes));
	assert_true(bytes.n <= HOOK_OUT_MAX);
	/* As long as a little moves it is slow, not dead. */
	for (unsigned i = 0; i < 5; i++) {
		now += HOOK_STALL - 1;
		ops->sent(p, 100);
		assert_int_equal(ops->due(p, now), now + HOOK_STALL);
		assert_true(ops->next(p, &bytes));
	}
	ops->due(p, now + HOOK_STALL - 1);
	assert_int_equal(told.failed, 0);
	assert_int_equal(ops->due(p, now + HOOK_STALL), 0);
	assert_int_equal(told.failed, 1);
	assert_string_equal(told.why,
		"the program has not read its standard input for 30 s; it is started "
		"again");
	assert_false(ops->next(p, &bytes));
	assert_int_equal(order(BAN_ADD, "+97259*", 1795638440, now), 0);
	ops->figures(p, &f);
	assert_int_equal(f.orders, told.dones);
	/* The next one is told all from the beginning, and nothing twice. */
	ops->closed(p, now);
	ops->connected(p, now);
	assert_int_equal(told.resyncs, 2);
	assert_string_equal(next_text(ops, p), BEGIN);
}

/* Nothing was to be said for long: who was told nothing has not stopped reading. */
static void test_quiet(void **state)
{
	usec now = NOW;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		now += 4 * HOOK_STALL;
		if (i == 0)
			order(BAN_ADD, "+97259*", 1795638440, now);
		else if (i == 1)
			ops->compare(p, now);
		else
			ops->filled(p, now);
		assert_int_equal(ops->due(p, now), now + HOOK_STALL);
		assert_int_equal(told.failed, 0);
		assert_string_not_equal(next_text(ops, p), "");
		assert_int_equal(ops->due(p, now), 0);
	}
	/* From then on it has to read. */
	now += 4 * HOOK_STALL;
	order(BAN_DELETE, "+97259*", 0, now);
	ops->due(p, now);
	assert_int_equal(ops->due(p, now + HOOK_STALL - 1), now + HOOK_STALL);
	assert_int_equal(ops->due(p, now + HOOK_STALL), 0);
	assert_int_equal(told.failed, 1);
}

static void test_hits(void **state)
{
	char text[INDICATOR_TEXT];
	struct pbx_figures f;

	(void)state;
	receive("{\"hit\":{\"number\":\"97259000123\",\"dialled\":\"0097259000123\",",
		NOW);
	assert_int_equal(told.hits, 0);
	receive("\"account\":\"101\",\"source\":\"[2001:db8::7]:5060\","
		"\"indicator\":\"+97259*\"}}\n{\"hit\":{\"indicator\":\"+97259*\"}}\n",
		NOW);
	assert_int_equal(told.hits, 2);
	assert_int_equal(told.hit.source.family, 0);
	receive("{\"hit\":{\"number\":\"97259000123\",\"dialled\":\"0097259000123\","
		"\"account\":\"101\",\"source\":\"198.51.100.7\",\"indicator\":\"+97259*\"}}\n",
		NOW);
	assert_string_equal(told.hit.number, "97259000123");
	assert_string_equal(told.hit.dialled, "0097259000123");
	assert_string_equal(told.hit.account, "101");
	assert_int_equal(told.hit.source.family, 4);
	assert_string_equal(indicator_print(text, &told.hit.indicator), "+97259*");
	/* What is no clean text is none; without a number and an indicator: nothing. */
	receive("{\"hit\":{\"number\":\"1\",\"account\":\"a\\u001b[31m\","
		"\"source\":\"nowhere\"}}\n",
		NOW);
	assert_int_equal(told.hits, 4);
	assert_string_equal(told.hit.account, "");
	assert_int_equal(told.hit.source.family, 0);
	assert_int_equal(told.hit.indicator.kind, 0);
	receive("{\"hit\":{\"account\":\"101\"}}\n{\"hit\":[]}\nhello\n\n{}\n[1]\n"
		"{\"done\":1}\n{\"done\":\"1\"}\n{\"hit\":{\"number\":\"1\","
		"\"number\":\"2\"}}\n",
		NOW);
	assert_int_equal(told.hits, 4);
	ops->figures(p, &f);
	assert_int_equal(f.messages, 12);
	assert_int_equal(f.discarded, 8);
}

/* A flood of output costs neither memory nor the others their time. */
static void test_flood(void **state)
{
	static char line[HOOK_LINE_MAX + 2];
	struct pbx_figures f;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		receive("{\"hit\":{\"number\":\"1\"}}\n", NOW);
	assert_int_equal(told.hits, HOOK_HITS_MAX);
	receive("{\"hit\":{\"number\":\"1\"}}\n", NOW + SECOND);
	assert_int_equal(told.hits, HOOK_HITS_MAX + 1);
	memset(line, 'x', sizeof line - 1);
	for (unsigned i = 0; i < 100; i++)
		receive(line, NOW + SECOND);
	receive("\n{\"hit\":{\"number\":\"1\"}}\n", NOW + SECOND);
	assert_int_equal(told.hits, HOOK_HITS_MAX + 2);
	ops->figures(p, &f);
	assert_int_equal(f.discarded, 1000 - HOOK_HITS_MAX + 1);
	/* Beyond so many lines a second none is even looked at. */
	for (unsigned i = 0; i < HOOK_LINES_MAX; i++)
		receive("{\"done\":0}\n", NOW + 2 * SECOND);
	receive("{\"hit\":{\"number\":\"1\"}}\n", NOW + 3 * SECOND - 1);
	assert_int_equal(told.hits, HOOK_HITS_MAX + 2);
	receive("{\"hit\":{\"number\":\"1\"}}\n", NOW + 3 * SECOND);
	assert_int_equal(told.hits, HOOK_HITS_MAX + 3);
}

static void test_failed(void **state)
{
	struct pbx_figures f;

	(void)state;
	order(BAN_ADD, "+97259*", 1795638440, NOW);
	receive("{\"failed\":1,\"why\":\"no space left\"}\n", NOW);
	assert_string_equal(
		told.trouble, "the program could not do +97259*: no space left");
	receive("{\"failed\":1}\n", NOW);
	assert_string_equal(
		told.trouble, "the program could not do +97259*: it does not say why");
	receive("{\"failed\":2}\n{\"failed\":0}\n{\"failed\":-1}\n{\"done\":1}\n"
		"{\"done\":2}\n{\"failed\":99999999999999999999}\n",
		NOW);
	assert_int_equal(told.troubles, 2);
	ops->figures(p, &f);
	assert_int_equal(f.refusals, 2);
	assert_int_equal(f.discarded, 5);
}

/* Compared again on request: one begin more, and what waited is not answered twice. */
static void test_compare(void **state)
{
	(void)state;
	order(BAN_ADD, "+97259*", 1795638440, NOW);
	ops->compare(p, NOW);
	assert_int_equal(told.resyncs, 2);
	order(BAN_ADD, "+97259*", 1795638440, NOW);
	assert_non_null(
		strstr(next_text(ops, p), "}\n" BEGIN "{\"op\":\"add\",\"id\":2,"));
	ops->due(p, NOW);
	assert_int_equal(told.dones, 1);
}

static char lines[100][1200];
static unsigned line_count;

static void on_log(void *context, const char *line)
{
	(void)context;
	if (line_count < 100)
		snprintf(lines[line_count], sizeof lines[0], "%s", line);
	line_count++;
}

static void feed_log(struct hook_log *l, const char *text, usec now)
{
	hook_log_feed(l, view_str(text), now, on_log, NULL);
}

/* Standard error: escaped, cut, few. */
static void test_log(void **state)
{
	struct hook_log l = {.n = 0};
	char text[1001];

	(void)state;
	line_count = 0;
	feed_log(&l, "one\ntw", NOW);
	feed_log(&l, "o\x1b[31m\"\n\n", NOW);
	assert_int_equal(line_count, 2);
	assert_string_equal(lines[0], "one");
	assert_string_equal(lines[1], "two\\x1b[31m\\\"");
	memset(text, 'x', 1000);
	text[1000] = '\0';
	feed_log(&l, text, NOW);
	feed_log(&l, text, NOW);
	feed_log(&l, "\n", NOW);
	assert_int_equal(line_count, 3);
	assert_int_equal(strlen(lines[2]), HOOK_LOG_LINE + 4);
	for (unsigned i = 0; i < 5000; i++)
		feed_log(&l, "again\n", NOW);
	assert_int_equal(line_count, HOOK_LOG_BURST);
	feed_log(&l, "and again\n", NOW + SECOND);
	assert_int_equal(line_count, HOOK_LOG_BURST + 2);
	assert_string_equal(lines[HOOK_LOG_BURST], "(4983 lines left out)");
	assert_string_equal(lines[HOOK_LOG_BURST + 1], "and again");
	feed_log(&l, "last words", NOW + 60 * SECOND);
	hook_log_end(&l, NOW + 60 * SECOND, on_log, NULL);
	hook_log_end(&l, NOW + 60 * SECOND, on_log, NULL);
	assert_int_equal(line_count, HOOK_LOG_BURST + 3);
	assert_string_equal(lines[HOOK_LOG_BURST + 2], "last words");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hit_text),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compare, setup, teardown),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
