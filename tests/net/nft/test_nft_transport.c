/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink's buffers: too small to send, too small for the answers; stale ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "namespace.h"
#include "ruleset.h"

/* The linker puts this in front of setsockopt(2): see test_small_send_buffer. */
int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t n);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t n);

static bool deny_growth;

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t n)
{
	if (deny_growth && level == SOL_SOCKET &&
		(option == SO_SNDBUF || option == SO_SNDBUFFORCE)) {
		errno = EPERM;
		return -1;
	}
	return __real_setsockopt(fd, level, option, value, n);
}

/* Each test begins without a table. */
static int no_table(void **state)
{
	(void)state;
	(void)ruleset_delete_table();
	return ruleset_has_table();
}

/* A send buffer that cannot grow: smaller transactions, nothing lost. */
static void test_small_send_buffer(void **state)
{
	struct nft *n = open_table(NULL);
	struct ban_order *orders = orders_from(3000, 0, 600);
	uint8_t *done = calloc(3000, 1);
	int bytes = 1, fd = mnl_socket_get_fd(n->transport.socket);

	(void)state;
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 60)); /* the set stands */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	deny_growth = true;
	apply(n, orders, 3000, done, 0);
	deny_growth = false;
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(done[i], 1);
	assert_true(n->chunk_most < NFT_ELEMENTS_MAX);
	assert_true(ruleset_left("sip4_32", "1.0.0.0") > 0);
	assert_true(ruleset_left("sip4_32", "1.0.11.183") > 0);
	free(done);
	free(orders);
	nft_close(n);
}

/*
 * A receive buffer that overflows with the refusals of one transaction: the
 * verdict is still the right one, and the next call finds its own answer.
 */
static void test_small_receive_buffer(void **state)
{
	struct nft *n;
	struct ban_order orders[NFT_SLOTS];
	struct error err = {""};
	size_t count = 0, refused;
	int bytes = 1;

	(void)state;
	assert_int_equal(ruleset_make_table(0), 0);
	n = open_table(&(struct nft_config){.table = "sipchain",
		.ports = {{5060, 5060}},
		.ports_count = 1,
		.set_size = 8,
		.gc_interval = 1000});
	for (uint16_t slot = 0; slot < 160; slot++) {
		struct nft_set s = nft_set_at(slot);

		orders[count++] = (struct ban_order){
			.indicator = {.kind = s.family == 4 ? INDICATOR_IP4 :
							      INDICATOR_IP6,
				.plen = s.plen,
				.value = {0x80}},
			.change = BAN_ADD,
			.until = UINT32_MAX};
	}
	apply(n, orders, count, NULL, 0);
	assert_int_equal(setsockopt(mnl_socket_get_fd(n->transport.socket), SOL_SOCKET,
				 SO_RCVBUF, &bytes, sizeof(bytes)),
		0);
	apply(n, orders, count, NULL, 0);
	assert_int_equal(ruleset_delete_table(), 0);
	assert_int_equal(
		nft_apply(n, orders, count, clock_wall(), NULL, &refused, &err), -1);
	assert_non_null(strstr(err.text, "No such file or directory"));
	bytes = 1 << 18;
	assert_int_equal(setsockopt(mnl_socket_get_fd(n->transport.socket), SOL_SOCKET,
				 SO_RCVBUF, &bytes, sizeof(bytes)),
		0);
	assert_int_equal(nft_setup(n, &err), 0);
	apply(n, orders, count, NULL, 0);
	assert_true(ruleset_left("sip4_1", "128.0.0.0/1") > 0);
	nft_close(n);
}

/* An answer that nobody waited for does not pass for the next one's. */
static void test_stale_answer(void **state)
{
	struct nft *n = open_table(NULL);
	struct nft_batch b = {0};

	(void)state;
	nft_batch_request(&b, NFT_MSG_GETTABLE, NLM_F_ACK, n->transport.seq++);
	nft_put_name(&b, NFTA_TABLE_NAME, "nowhere");
	assert_int_equal(mnl_socket_sendto(n->transport.socket, b.p, b.n), b.n);
	nft_batch_free(&b);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);
	nft_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_small_send_buffer, no_table),
		cmocka_unit_test_setup(test_small_receive_buffer, no_table),
		cmocka_unit_test_setup(test_stale_answer, no_table),
	};
	struct error err = {""};

	if (namespace_enter(&err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
