/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages, held against those that nft 1.0.6 sends for the same rules and
 * sets (taken from its sendmsg(2)). Both are printed as a tree of attributes;
 * one difference is known and left out: nft names sets by number as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/hex.h"
#include "enforce/nft_rule.h"

#define TABLE "sipchain"

/*
 * Print the attributes of n bytes, one a line, indented by depth. An attribute
 * of type `skip` is left out; of a lookup's attributes the set's number.
 */
static void attributes_text(
	struct buffer *out, const uint8_t *p, size_t n, int depth, int skip)
{
	bool lookup = false;

	while (n >= MNL_ATTR_HDRLEN) {
		const struct nlattr *attr = (const void *)p;
		size_t size = MNL_ALIGN(attr->nla_len);
		const uint8_t *value = p + MNL_ATTR_HDRLEN;
		size_t length = attr->nla_len - MNL_ATTR_HDRLEN;

		assert_in_range(attr->nla_len, MNL_ATTR_HDRLEN, n);
		if (mnl_attr_get_type(attr) != skip)
			buffer_printf(
				out, "%*s%u", 2 * depth, "", mnl_attr_get_type(attr));
		if (mnl_attr_get_type(attr) == skip) {
			;
		} else if (attr->nla_type & NLA_F_NESTED) {
			buffer_printf(out, "\n");
			attributes_text(out, value, length, depth + 1,
				lookup ? NFTA_LOOKUP_SET_ID : -1);
		} else {
			for (size_t i = 0; i < length; i++)
				buffer_printf(out, " %02x", value[i]);
			buffer_printf(out, "\n");
			lookup = length == 7 && memcmp(value, "lookup", 7) == 0;
		}
		if (size > n)
			size = n;
		p += size;
		n -= size;
	}
	assert_int_equal(n, 0);
}

/* Print a message: type, flags, family, attributes; not its number. */
static char *message_text(const uint8_t *p)
{
	const struct nlmsghdr *nlh = (const void *)p;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct buffer out = {0};
	size_t head = MNL_NLMSG_HDRLEN + sizeof(*nfg);

	buffer_printf(&out, "type %x flags %x family %u res %u\n", nlh->nlmsg_type,
		nlh->nlmsg_flags & ~NLM_F_ACK, nfg->nfgen_family, ntohs(nfg->res_id));
	attributes_text(&out, p + head, nlh->nlmsg_len - head, 1,
		(nlh->nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM ?
			NFTA_SET_ELEM_LIST_SET_ID :
			-1);
	buffer_put_u8(&out, 0);
	assert_false(out.failed);
	return (char *)out.p;
}

/* The last message of b must be what nft sent. */
static void check(struct nft_batch *b, const char *nft)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[1024];
	char *ours, *theirs;
	struct view hex = view_str(nft);

	assert_false(b->failed);
	assert_in_range(hex.n / 2, 1, sizeof(bytes));
	assert_int_equal(hex_decode(bytes, hex.n / 2, hex), 0);
	ours = message_text(b->p + b->message);
	theirs = message_text(bytes);
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
	nft_batch_free(b);
}

/* The bytes that the encoder is handed to grow into hold rubbish. */
static struct nft_batch begin(void)
{
	struct nft_batch b = {0};

	b.capacity = 4096;
	b.p = malloc(b.capacity);
	assert_non_null(b.p);
	memset(b.p, 0xa5, b.capacity);
	nft_batch_begin(&b, 7);
	return b;
}

static void test_ban_rule_ip4(void **state)
{
	const struct nft_set set = {.scope = BAN_SIP, .family = 4, .plen = 24};
	const struct nft_count zero = {0};
	struct nft_batch b = begin();

	(void)state;
	nft_rule_ban(&b, TABLE, "sip", &set, &zero);
	check(&b,
		"74010000060a010c01000000000000000"
		"10000000d000100736970636861696e000000000800020073697000"
		"4801048024000180090001006d6574610000000014000280080002000000000f"
		"08000100000000012c00018008000100636d7000200002800800010000000001"
		"08000200000000000c0003800500010002000000340001800c0001007061796c"
		"6f6164002400028008000100000000010800020000000001080003000000000c"
		"08000400000000044c0001800c00010062697477697365003c00028008000100"
		"000000010800020000000001080006000000000008000300000000040c000480"
		"08000100ffffff000c0005800800010000000000300001800b0001006c6f6f6b"
		"757000002000028008000200000000010c000100736970345f32340008000400"
		"00000001140001800c000100636f756e7465720004000280300001800e000100"
		"696d6d6564696174650000001c0002800800010000000000100002800c000280"
		"0800010000000000");
}

static void test_ban_rule_ip6_with_counts(void **state)
{
	const struct nft_set set = {.scope = BAN_SIP, .family = 6, .plen = 48};
	const struct nft_count counted = {.packets = 3, .bytes = 1234};
	struct nft_batch b = begin();

	(void)state;
	nft_rule_ban(&b, TABLE, "sip", &set, &counted);
	check(&b,
		"a4010000060a010c0200000000000000010000000d000100"
		"736970636861696e000000000800020073697000780104802400018009000100"
		"6d6574610000000014000280080002000000000f08000100000000012c000180"
		"08000100636d700020000280080001000000000108000200000000000c000380"
		"050001000a000000340001800c0001007061796c6f6164002400028008000100"
		"0000000108000200000000010800030000000008080004000000001064000180"
		"0c00010062697477697365005400028008000100000000010800020000000001"
		"080006000000000008000300000000101800048014000100ffffffffffff0000"
		"0000000000000000180005801400010000000000000000000000000000000000"
		"300001800b0001006c6f6f6b757000002000028008000200000000010c000100"
		"736970365f34380008000400000000022c0001800c000100636f756e74657200"
		"1c0002800c00010000000000000004d20c000200000000000000000330000180"
		"0e000100696d6d6564696174650000001c000280080001000000000010000280"
		"0c0002800800010000000000");
}

static void test_allow_rule(void **state)
{
	const struct nft_count zero = {0};
	struct nft_batch b = begin();

	(void)state;
	nft_rule_allow(&b, TABLE, "ban", 6, &zero);
	check(&b,
		"28010000060a010c0200000000000000"
		"010000000d000100736970636861696e000000000800020062616e00fc000480"
		"24000180090001006d6574610000000014000280080002000000000f08000100"
		"000000012c00018008000100636d700020000280080001000000000108000200"
		"000000000c000380050001000a000000340001800c0001007061796c6f616400"
		"2400028008000100000000010800020000000001080003000000000808000400"
		"00000010300001800b0001006c6f6f6b75700000200002800800020000000001"
		"0b000100616c6c6f773600000800040000000004140001800c000100636f756e"
		"7465720004000280300001800e000100696d6d6564696174650000001c000280"
		"0800010000000000100002800c0002800800010000000001");
}

static void check_pass(const char *address, uint16_t port, bool udp, const char *nft)
{
	struct nft_listener l = {.port = port, .udp = udp};
	struct nft_batch b = begin();

	assert_int_equal(address_parse(&l.address, view_str(address), NULL), 0);
	nft_rule_pass(&b, TABLE, "ban", &l);
	check(&b, nft);
}

static void test_pass_rules(void **state)
{
	(void)state;
	check_pass("192.0.2.5", 5062, true,
		"c0010000060a010c0100000000000000010000000d000100736970636861696e"
		"000000000800020062616e009401048024000180090001006d65746100000000"
		"14000280080002000000000f08000100000000012c00018008000100636d7000"
		"20000280080001000000000108000200000000000c0003800500010002000000"
		"340001800c0001007061796c6f61640024000280080001000000000108000200"
		"00000001080003000000001008000400000000042c00018008000100636d7000"
		"20000280080001000000000108000200000000000c00038008000100c0000205"
		"24000180090001006d6574610000000014000280080002000000001008000100"
		"000000012c00018008000100636d700020000280080001000000000108000200"
		"000000000c0003800500010011000000340001800c0001007061796c6f616400"
		"2400028008000100000000010800020000000002080003000000000208000400"
		"000000022c00018008000100636d700020000280080001000000000108000200"
		"000000000c0003800600010013c60000300001800e000100696d6d6564696174"
		"650000001c0002800800010000000000100002800c0002800800010000000001");
	check_pass("2001:db8::5", 5061, false,
		"cc010000060a010c0100000000000000010000000d000100736970636861696e"
		"000000000800020062616e00a001048024000180090001006d65746100000000"
		"14000280080002000000000f08000100000000012c00018008000100636d7000"
		"20000280080001000000000108000200000000000c000380050001000a000000"
		"340001800c0001007061796c6f61640024000280080001000000000108000200"
		"00000001080003000000001808000400000000103800018008000100636d7000"
		"2c00028008000100000000010800020000000000180003801400010020010db8"
		"00000000000000000000000524000180090001006d6574610000000014000280"
		"080002000000001008000100000000012c00018008000100636d700020000280"
		"080001000000000108000200000000000c000380050001000600000034000180"
		"0c0001007061796c6f6164002400028008000100000000010800020000000002"
		"080003000000000208000400000000022c00018008000100636d700020000280"
		"080001000000000108000200000000000c0003800600010013c5000030000180"
		"0e000100696d6d6564696174650000001c000280080001000000000010000280"
		"0c0002800800010000000001");
	check_pass("::", 5060, true,
		"60010000060a010c0100000000000000010000000d000100736970636861696e"
		"000000000800020062616e003401048024000180090001006d65746100000000"
		"14000280080002000000000f08000100000000012c00018008000100636d7000"
		"20000280080001000000000108000200000000000c000380050001000a000000"
		"24000180090001006d6574610000000014000280080002000000001008000100"
		"000000012c00018008000100636d700020000280080001000000000108000200"
		"000000000c0003800500010011000000340001800c0001007061796c6f616400"
		"2400028008000100000000010800020000000002080003000000000208000400"
		"000000022c00018008000100636d700020000280080001000000000108000200"
		"000000000c0003800600010013c40000300001800e000100696d6d6564696174"
		"650000001c0002800800010000000000100002800c0002800800010000000001");
}

static void test_ports_rule(void **state)
{
	struct nft_batch b = begin();

	(void)state;
	nft_rule_jump_ports(&b, TABLE, "ban", IPPROTO_UDP, "sip");
	check(&b,
		"1c010000060a010c01000000"
		"00000000010000000d000100736970636861696e000000000800020062616e00"
		"f000048024000180090001006d65746100000000140002800800020000000010"
		"08000100000000012c00018008000100636d7000200002800800010000000001"
		"08000200000000000c0003800500010011000000340001800c0001007061796c"
		"6f61640024000280080001000000000108000200000000020800030000000002"
		"0800040000000002300001800b0001006c6f6f6b757000002000028008000200"
		"000000010a000100706f7274730000000800040000000003380001800e000100"
		"696d6d6564696174650000002400028008000100000000001800028014000280"
		"08000100fffffffd0800020073697000");
}

static void test_ban_set(void **state)
{
	const struct nft_set set = {.scope = BAN_SIP, .family = 4, .plen = 24};
	const struct nft_set_shape shape = nft_ban_shape(&set, 1u << 20, 30000);
	struct nft_batch b = begin();

	(void)state;
	nft_put_set(&b, TABLE, "sip4_24", &shape);
	check(&b,
		"70000000090a010404000000000000000"
		"10000000d000100736970636861696e00000000"
		"0c000200736970345f32340008000300000000100800040000000007"
		"080005000000000408000a00000000010c000980080001000010000008000c00"
		"000075300a000d000004020000000000");
}

/* nft numbers sets through the transaction; here it is the message's number. */
static void test_interval_set_is_number_of_message(void **state)
{
	const struct nft_set_shape shape = nft_interval_shape(2);
	struct nft_batch b = begin();

	(void)state;
	nft_batch_message(&b, NFT_MSG_NEWTABLE, 0);
	nft_batch_message(&b, NFT_MSG_NEWTABLE, 0);
	nft_put_set(&b, TABLE, "ports", &shape);
	check(&b,
		"5c000000090a01040600000000000000010000000d000100736970636861696e00000000"
		"0a000200706f7274730000000800030000000004080004000000000d"
		"080005000000000208000a00000000030a000d000004020000000000");
}

static void test_ban_element(void **state)
{
	const uint8_t key[16] = {198, 51, 100};
	struct nft_batch b = begin();
	size_t nest;

	(void)state;
	nest = nft_elements_begin(&b, TABLE, "sip4_24", NFT_MSG_NEWSETELEM, false);
	nft_put_ban(&b, key, 4, 3600000, false);
	nft_elements_end(&b, nest);
	check(&b,
		"580000000c0a01040100000000000000010000000d000100736970636861696e00000000"
		"0c000200736970345f3234000800040000000001200003801c000180"
		"0c000400000000000036ee800c00018008000100c6336400");
}

static void test_interval_elements(void **state)
{
	const uint8_t lo[16] = {0x20, 0x01, 0x0d, 0xb8};
	const uint8_t hi[16] = {0x20, 0x01, 0x0d, 0xb8, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255};
	struct nft_batch b = begin();
	size_t nest;

	(void)state;
	nest = nft_elements_begin(&b, TABLE, "allow6", NFT_MSG_NEWSETELEM, false);
	nft_put_interval(&b, lo, hi, 16);
	nft_elements_end(&b, nest);
	/* Of what nft sent the first element, an interval's end at ::, is taken
	 * out (36 bytes), and elements are not numbered. */
	check(&b,
		"7c0000000c0a01040300000000000000010000000d000100736970636861696e00000000"
		"0b000200616c6c6f77360000080004000000000444000380"
		"1c000180180001801400010020010db8000000000000000000000000"
		"240001800800030000000001180001801400010020010db9000000000000000000000000");
}

/* An interval that ends with the last key has no end element. */
static void test_interval_to_the_last_key(void **state)
{
	const uint8_t lo[4] = {224, 0, 0, 0}, hi[4] = {255, 255, 255, 255};
	struct nft_batch b = begin();
	size_t nest = nft_nest(&b, 1), before = b.n;

	(void)state;
	nft_put_interval(&b, lo, hi, 4);
	assert_int_equal(b.n - before, 4 + 4 + 4 + 4); /* element, key, value */
	nft_nest_end(&b, nest);
	nft_batch_free(&b);
}

/* BATCH_BEGIN 7, messages 8 and 9, BATCH_END 10; only the last asks for an ACK. */
static void test_batch_frame(void **state)
{
	struct nft_batch b = begin();
	const struct nlmsghdr *nlh;
	const struct nfgenmsg *nfg;
	const uint16_t types[] = {
		NFNL_MSG_BATCH_BEGIN, 0x0a00, 0x0a02, NFNL_MSG_BATCH_END};
	int left;

	(void)state;
	nft_batch_message(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nft_put_name(&b, NFTA_TABLE_NAME, TABLE);
	nft_batch_message(&b, NFT_MSG_DELTABLE, 0);
	nft_put_u64(&b, NFTA_TABLE_HANDLE, UINT64_C(0x0102030405060708));
	assert_int_equal(nft_batch_end(&b), 0);
	assert_int_equal(b.count, 2);
	nlh = (const void *)b.p;
	left = (int)b.n;
	for (unsigned i = 0; i < 4; i++, nlh = mnl_nlmsg_next(nlh, &left)) {
		assert_true(mnl_nlmsg_ok(nlh, left));
		nfg = mnl_nlmsg_get_payload(nlh);
		assert_int_equal(nlh->nlmsg_type, types[i]);
		assert_int_equal(nlh->nlmsg_seq, 7 + i);
		assert_int_equal(!!(nlh->nlmsg_flags & NLM_F_ACK), i == 2);
		assert_int_equal(
			ntohs(nfg->res_id), i == 0 || i == 3 ? NFNL_SUBSYS_NFTABLES : 0);
	}
	assert_int_equal(left, 0);
	nft_batch_free(&b);
}

static void test_empty_batch_is_refused(void **state)
{
	struct nft_batch b = begin();

	(void)state;
	assert_int_equal(nft_batch_end(&b), -1);
	nft_batch_free(&b);
}

/* A nested attribute of more than 65,535 bytes cannot be written. */
static void test_nest_too_long_fails_the_batch(void **state)
{
	const uint8_t key[16] = {0};
	struct nft_batch b = begin();
	size_t nest;

	(void)state;
	nest = nft_elements_begin(&b, TABLE, "sip6_128", NFT_MSG_NEWSETELEM, false);
	for (unsigned i = 0; i < NFT_ELEMENTS_MAX; i++)
		nft_put_ban(&b, key, 16, 1000, true);
	nft_elements_end(&b, nest);
	assert_false(b.failed); /* the most that a message may hold */
	assert_int_equal(nft_nest_size(&b, nest), 4 + NFT_ELEMENTS_MAX * 52);

	nest = nft_elements_begin(&b, TABLE, "sip6_128", NFT_MSG_NEWSETELEM, false);
	for (unsigned i = 0; i < 65536 / 52 + 1; i++)
		nft_put_ban(&b, key, 16, 1000, true);
	nft_elements_end(&b, nest);
	assert_true(b.failed);
	assert_int_equal(nft_batch_end(&b), -1);
	nft_batch_begin(&b, 1); /* and it can be used again */
	assert_false(b.failed);
	nft_batch_free(&b);
}

static void test_attribute_too_long_fails_the_batch(void **state)
{
	static const uint8_t bytes[UINT16_MAX] = {0};
	struct nft_batch b = begin();

	(void)state;
	nft_batch_message(&b, NFT_MSG_NEWTABLE, 0);
	nft_put(&b, NFTA_TABLE_USERDATA, bytes, UINT16_MAX - MNL_ATTR_HDRLEN);
	assert_false(b.failed);
	nft_put(&b, NFTA_TABLE_USERDATA, bytes, UINT16_MAX - MNL_ATTR_HDRLEN + 1);
	assert_true(b.failed);
	nft_batch_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ban_rule_ip4),
		cmocka_unit_test(test_ban_rule_ip6_with_counts),
		cmocka_unit_test(test_allow_rule),
		cmocka_unit_test(test_pass_rules),
		cmocka_unit_test(test_ports_rule),
		cmocka_unit_test(test_ban_set),
		cmocka_unit_test(test_interval_set_is_number_of_message),
		cmocka_unit_test(test_ban_element),
		cmocka_unit_test(test_interval_elements),
		cmocka_unit_test(test_interval_to_the_last_key),
		cmocka_unit_test(test_batch_frame),
		cmocka_unit_test(test_empty_batch_is_refused),
		cmocka_unit_test(test_nest_too_long_fails_the_batch),
		cmocka_unit_test(test_attribute_too_long_fails_the_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
