/* SPDX-License-Identifier: Apache-2.0 */
/* What nft, the operator's tool, shows of the table, and what it may do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "namespace.h"
#include "ruleset.h"

/* Cut what begins with `from` out of the line, up to (not including) `to`. */
static void cut(char *line, const char *from, const char *to)
{
	char *a = strstr(line, from), *z = a ? strstr(a, to) : NULL;

	if (z)
		memmove(a, z, strlen(z) + 1);
}

/*
 * Append a listing's line without what differs from run to run (remaining time)
 * or from one release of nft to the next (the table's owner and flags, empty
 * lines, a "==" before the name of a set).
 */
static void put_line(struct buffer *out, char *line)
{
	cut(line, " # progname", "\n");
	cut(line, " timeout ", " }");
	cut(line, "== @", "@");
	if (strncmp(line, "\tflags ", 7) != 0 && strspn(line, " \t\n") != strlen(line))
		buffer_printf(out, "%s", line);
}

/* All lines of a stream, as put_line() has them. */
static char *read_lines(FILE *f)
{
	struct buffer out = {0};
	char line[512];

	while (fgets(line, sizeof(line), f))
		put_line(&out, line);
	buffer_put_u8(&out, 0);
	assert_false(out.failed);
	return (char *)out.p;
}

static char *listing(void)
{
	/* NOLINTNEXTLINE(cert-env33-c): a constant command */
	FILE *f = popen(NFT " -s list table inet sipchain", "r");
	char *text;

	assert_non_null(f);
	text = read_lines(f);
	assert_int_equal(pclose(f), 0);
	return text;
}

static char *expected(void)
{
	FILE *f = fopen(TESTS_DATA "/nft/table.nft", "r");
	char *text;

	assert_non_null(f);
	text = read_lines(f);
	fclose(f);
	return text;
}

static struct nft *table_with_bans(void)
{
	struct nft_config config = nft_config_default;
	const struct indicator allow[] = {indicator_of("192.0.2.0/24"),
		indicator_of("255.255.255.255"), indicator_of("2001:db8:5::/48")};
	struct nft_listener pass[] = {{.port = 5062, .udp = true}, {.port = 5061},
		{.port = 5060, .udp = true}, {.port = 8080}};
	const char *const address[] = {"192.0.2.5", "2001:db8::5", "0.0.0.0", "::"};
	struct error err = {""};
	struct nft *n;

	config.ports[1].first = config.ports[1].last = 5080;
	config.ports_count = 2;
	config.set_size = 5000;
	n = open_table(&config);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(
			address_parse(&pass[i].address, view_str(address[i]), NULL), 0);
	nft_pass(n, pass, 4);
	assert_int_equal(nft_setup(n, &err), 0);
	assert_int_equal(nft_allow(n, allow, 3, &err), 0);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.0/25", 600));
	assert_true(ban_one(n, BAN_SIP, "10.128.0.0/9", 600));
	assert_true(ban_one(n, BAN_ALL, "2001:db9:8000::/33", 600));
	assert_true(ban_one(n, BAN_ALL, "2001:db8::1", 600));
	return n;
}

static void check_listing(void)
{
	char *shown = listing(), *right = expected();

	assert_string_equal(shown, right);
	free(shown);
	free(right);
}

static void test_listing(void **state)
{
	struct nft *n = table_with_bans();

	(void)state;
	check_listing();
	assert_int_equal(nft_teardown(n, NULL), 0);
	nft_close(n);
}

/* `nft flush ruleset`: the table is passed by, or it is noticed. */
static void test_flush_by_nft(void **state)
{
	struct nft *n = table_with_bans();
	struct error err = {""};

	(void)state;
	/* NOLINTNEXTLINE(cert-env33-c): a constant command */
	assert_int_equal(system(NFT " flush ruleset"), 0);
	if (nft_features(n)->owner_persist) {
		assert_false(nft_lost(n));
	} else {
		assert_true(nft_lost(n));
		assert_int_equal(nft_setup(n, &err), 0);
	}
	assert_true(ruleset_has_set("allow4"));
	/* The daemon is stopped: an operator may delete what it left. */
	nft_close(n);
	assert_true(ruleset_has_table());
	/* NOLINTNEXTLINE(cert-env33-c): a constant command */
	assert_int_equal(system(NFT " delete table inet sipchain"), 0);
	assert_false(ruleset_has_table());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_flush_by_nft),
	};
	struct error err = {""};

	if (namespace_enter(&err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
