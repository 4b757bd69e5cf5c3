/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include "ledger/ethereum/rlp.h"

/*
 * From the Ethereum tests (ethereum/tests, RLPTests/rlptest.json). What is
 * encoded is said by a small language: 'text, #number, (list).
 */
static const struct {
	const char *name, *in, *out;
} vectors[] = {
	{"emptystring", "''", "80"},
	{"bytestring7F", "'\x7f'", "7f"},
	{"bytestring01", "'\x01'", "01"},
	{"shortstring", "'dog'", "83646f67"},
	{"shortstring2", "'Lorem ipsum dolor sit amet, consectetur adipisicing eli'",
		"b74c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465"
		"747572206164697069736963696e6720656c69"},
	{"longstring", "'Lorem ipsum dolor sit amet, consectetur adipisicing elit'",
		"b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e73656374"
		"65747572206164697069736963696e6720656c6974"},
	{"zero", "#0", "80"},
	{"smallint", "#1", "01"},
	{"smallint2", "#16", "10"},
	{"smallint3", "#79", "4f"},
	{"smallint4", "#127", "7f"},
	{"mediumint1", "#128", "8180"},
	{"mediumint2", "#1000", "8203e8"},
	{"mediumint3", "#100000", "830186a0"},
	{"largest", "#18446744073709551615", "88ffffffffffffffff"},
	{"emptylist", "()", "c0"},
	{"stringlist", "('dog''god''cat')", "cc83646f6783676f6483636174"},
	{"multilist", "('zw'(#4)#1)", "c6827a77c10401"},
	{"shortListMax1",
		"('asdf''qwer''zxcv''asdf''qwer''zxcv''asdf''qwer''zxcv''asdf''qwer')",
		"f784617364668471776572847a78637684617364668471776572847a7863768461736466"
		"8471776572847a78637684617364668471776572"},
	{"longList1",
		"(('asdf''qwer''zxcv')('asdf''qwer''zxcv')('asdf''qwer''zxcv')"
		"('asdf''qwer''zxcv'))",
		"f840cf84617364668471776572847a786376cf84617364668471776572847a786376cf84"
		"617364668471776572847a786376cf84617364668471776572847a786376"},
	{"listsoflists", "((()())())", "c4c2c0c0c0"},
	{"listsoflists2", "(()(())(()(())))", "c7c0c1c0c3c0c1c0"},
	{"dictTest1", "(('key1''val1')('key2''val2')('key3''val3')('key4''val4'))",
		"ecca846b6579318476616c31ca846b6579328476616c32ca846b6579338476616c33ca84"
		"6b6579348476616c34"},
};

/* Encode one item of the language; returns what follows it. */
static const char *encode(struct buffer *out, const char *in)
{
	struct buffer inside = {0};
	const char *end;

	if (*in == '\'') {
		end = strchr(in + 1, '\'');
		rlp_put_bytes(out, view_of(in + 1, (size_t)(end - in - 1)));
		return end + 1;
	}
	if (*in == '#') {
		rlp_put_uint(out, strtoull(in + 1, (char **)(uintptr_t)&end, 10));
		return end;
	}
	assert_int_equal(*in, '(');
	in++;
	while (*in != ')')
		in = encode(&inside, in);
	rlp_put_list(out, view_of(inside.p, inside.n));
	buffer_free(&inside);
	return in + 1;
}

/* The same item back from its bytes. */
static const char *check(struct view *rest, const char *in)
{
	struct rlp_item item;
	const char *end;
	uint64_t v;

	assert_int_equal(rlp_next(rest, &item), 0);
	if (*in == '\'') {
		end = strchr(in + 1, '\'');
		assert_false(item.list);
		assert_true(
			view_eq(item.payload, view_of(in + 1, (size_t)(end - in - 1))));
		return end + 1;
	}
	if (*in == '#') {
		assert_int_equal(rlp_uint(&item, &v), 0);
		assert_true(v == strtoull(in + 1, (char **)(uintptr_t)&end, 10));
		return end;
	}
	assert_true(item.list);
	assert_int_equal(rlp_uint(&item, &v), -1);
	in++;
	while (*in != ')')
		in = check(&item.payload, in);
	assert_int_equal(item.payload.n, 0);
	return in + 1;
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
		struct view bytes = hex_bytes(vectors[k].out), rest = bytes;
		struct buffer out = {0};

		print_message("# %s\n", vectors[k].name);
		assert_int_equal(*encode(&out, vectors[k].in), '\0');
		assert_buffer_hex(&out, vectors[k].out);
		assert_int_equal(*check(&rest, vectors[k].in), '\0');
		assert_int_equal(rest.n, 0);
		bytes_free(bytes);
	}
}

static void test_zero_byte(void **state)
{
	/* bytestring00: a byte of zero is not the integer zero. */
	struct buffer out = {0};
	struct view rest = view_of("", 1);
	struct rlp_item item;
	uint64_t v;

	(void)state;
	rlp_put_bytes(&out, rest);
	assert_buffer_hex(&out, "00");
	assert_int_equal(rlp_next(&rest, &item), 0);
	assert_int_equal(item.payload.n, 1);
	assert_int_equal(rlp_uint(&item, &v), -1);
}

/* 1024 bytes: "longstring2" of the same file in its length. */
static void test_long(void **state)
{
	uint8_t bytes[70000] = {7};
	const size_t sizes[] = {55, 56, 255, 256, 1024, 65535, 65536, 70000};
	const char *headers[] = {"b7", "b838", "b8ff", "b90100", "b90400", "b9ffff",
		"ba010000", "ba011170"};

	(void)state;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		struct view head = hex_bytes(headers[k]), rest;
		struct buffer out = {0};
		struct rlp_item item;

		assert_int_equal(rlp_put_bytes(&out, view_of(bytes, sizes[k])), 0);
		assert_int_equal(out.n, head.n + sizes[k]);
		assert_memory_equal(out.p, head.p, head.n);
		rest = view_of(out.p, out.n);
		assert_int_equal(rlp_next(&rest, &item), 0);
		assert_int_equal(item.payload.n, sizes[k]);
		assert_ptr_equal(item.payload.p, out.p + head.n);
		assert_int_equal(item.whole.n, out.n);
		/* Cut anywhere it is nothing, and rest stays. */
		for (size_t n = 0; n < out.n; n += n < 8 ? 1 : 997) {
			rest = view_of(out.p, n);
			assert_int_equal(rlp_next(&rest, &item), -1);
			assert_int_equal(rest.n, n);
		}
		bytes_free(head);
		buffer_free(&out);
	}
}

static void test_invalid(void **state)
{
	/* ethereum/tests, RLPTests/invalidRLPTest.json, and their likes for lists. */
	static const char *const invalid[] = {
		"bf0f000000000000021111", /* int32Overflow */
		"ff0f000000000000021111", /* int32Overflow2 */
		"bfffffffffffffffff",     /* a length of 2^64 - 1 */
		"ffffffffffffffffff",     /* the same, list */
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one long text */
		"b9002100dc2b275d0f74e8a53e6f4ec6" /* incorrectLengthInArray */
		"1b27f24278820be3f82ea2110e582081b0565df0",
		"b90040000102030405060708090a0b0c" /* leadingZerosInLongLengthArray1 */
		"0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e"
		"2f303132333435363738393a3b3c3d3e3f",
		"b800", /* leadingZerosInLongLengthArray2 */
		"fb00000040000102030405060708090a0b0c0d", /* leadingZerosInLongLengthList1 */
		"f800", /* leadingZerosInLongLengthList2 */
		"b81000112233445566778899aabbccddeeff", /* nonOptimalLongLengthArray1 */
		"b801ff",                               /* nonOptimalLongLengthArray2 */
		"f810000102030405060708090a0b0c0d0e0f", /* nonOptimalLongLengthList1 */
		"f803112233",                           /* nonOptimalLongLengthList2 */
		"",                                     /* emptyEncoding */
		"8100", "8101", "817f", /* bytesShouldBeSingleByte00, 01, 7F */
		"81", "a0000102030405060708090a0b0c0d0e0f", /* lessThanShortLengthArray */
		"ba010000aabbccddeeff",                     /* lessThanLongLengthArray1 */
		"b840ffeeddccbbaa99887766554433221100",     /* lessThanLongLengthArray2 */
		"c5010203",                                 /* lessThanShortLengthList */
		"f90180",                                   /* lessThanLongLengthList1 */
		"ffffffffffffffffff0001020304050607",       /* lessThanLongLengthList2 */
	};

	(void)state;
	for (size_t k = 0; k < sizeof invalid / sizeof *invalid; k++) {
		struct view bytes = hex_bytes(invalid[k]), rest = bytes;
		struct rlp_item item;

		if (!rlp_next(&rest, &item))
			fail_msg("taken: %s", invalid[k]);
		assert_int_equal(rest.n, bytes.n);
		bytes_free(bytes);
	}
}

static void test_integers(void **state)
{
	static const char *const bad[] = {"00", "820001", "89010000000000000000", "c0"};
	struct rlp_item item;
	uint64_t v;

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		struct view bytes = hex_bytes(bad[k]), rest = bytes;

		assert_int_equal(rlp_next(&rest, &item), 0);
		assert_int_equal(rlp_uint(&item, &v), -1);
		bytes_free(bytes);
	}
}

static void test_full_buffer(void **state)
{
	struct buffer out = {.max = 3};

	(void)state;
	assert_int_equal(rlp_put_bytes(&out, view_str("dog")), -1);
	assert_int_equal(rlp_put_uint(&out, 1), -1);
	assert_int_equal(rlp_put_list(&out, view_str("")), -1);
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
