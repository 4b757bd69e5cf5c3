/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sip/hep.h"

/*
 * A message written by hand from the HEP3 draft's tables: chunk by chunk
 * vendor, type, length, value.
 */
static const uint8_t sample[] = {
	'H',
	'E',
	'P',
	'3',
	0x00,
	0x72,
	0,
	0,
	0,
	1,
	0,
	7,
	2,
	0,
	0,
	0,
	2,
	0,
	7,
	17,
	0,
	0,
	0,
	3,
	0,
	10,
	198,
	51,
	100,
	7,
	0,
	0,
	0,
	4,
	0,
	10,
	192,
	0,
	2,
	10,
	0,
	0,
	0,
	7,
	0,
	8,
	0x13,
	0xce,
	0,
	0,
	0,
	8,
	0,
	8,
	0x13,
	0xc4,
	0,
	0,
	0,
	9,
	0,
	10,
	0x6b,
	0x01,
	0xf8,
	0x1c,
	0,
	0,
	0,
	10,
	0,
	10,
	0x00,
	0x00,
	0x03,
	0xe8,
	0,
	0,
	0,
	11,
	0,
	7,
	1,
	0,
	0,
	0,
	12,
	0,
	10,
	0x00,
	0x00,
	0x07,
	0xe5,
	0,
	0,
	0,
	14,
	0,
	9,
	'k',
	'e',
	'y',
	0,
	0,
	0,
	15,
	0,
	12,
	'S',
	'I',
	'P',
	'/',
	'2',
	'.',
};

static enum hep_verdict decode(struct hep_message *m, const uint8_t *p, size_t n)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, p, n);
	return hep_decode(m, view_of(copy, n));
}

static void test_decode(void **state)
{
	struct hep_message m;
	char text[ADDRESS_TEXT];

	(void)state;
	assert_int_equal(sizeof sample, 0x72);
	assert_int_equal(decode(&m, sample, sizeof sample), HEP_VALID);
	assert_string_equal(address_print(text, &m.source), "198.51.100.7");
	assert_string_equal(address_print(text, &m.destination), "192.0.2.10");
	assert_int_equal(m.source_port, 5070);
	assert_int_equal(m.destination_port, 5060);
	assert_int_equal(m.protocol, HEP_PROTOCOL_UDP);
	assert_int_equal(m.type, HEP_TYPE_SIP);
	assert_int_equal(m.seconds, 0x6b01f81c);
	assert_int_equal(m.microseconds, 1000);
	assert_int_equal(m.capture_id, 2021);
	assert_true(view_eq(m.payload, view_str("SIP/2.")));
	assert_true(m.has_key);
	assert_true(hep_key_matches(&m, view_str("key")));
	assert_true(hep_key_matches(&m, view_str("")));
	assert_false(hep_key_matches(&m, view_str("kez")));
	assert_false(hep_key_matches(&m, view_str("ke")));
	assert_false(hep_key_matches(&m, view_str("key2")));
}

static void test_broken(void **state)
{
	uint8_t bytes[sizeof sample + 16];
	struct hep_message m;

	(void)state;
	for (size_t n = 6; n < sizeof sample; n++)
		assert_int_equal(decode(&m, sample, n), HEP_BROKEN);
	assert_int_equal(decode(&m, (const uint8_t *)"HEP2....", 8), HEP_FOREIGN);
	assert_int_equal(decode(&m, (const uint8_t *)"\1\2\3\4\5\6", 6), HEP_FOREIGN);
	assert_int_equal(decode(&m, sample, 0), HEP_BROKEN);

	/* Every length of a chunk wrong by one. */
	static const size_t lengths[] = {10, 17, 24, 34, 44, 52, 60, 70, 80, 87, 97, 106};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		memcpy(bytes, sample, sizeof sample);
		bytes[lengths[i] + 1]--;
		assert_int_equal(decode(&m, bytes, sizeof sample), HEP_BROKEN);
		bytes[lengths[i] + 1] = 5;
		assert_int_equal(decode(&m, bytes, sizeof sample), HEP_BROKEN);
	}
	/* The same chunk twice: type 12 (capture id) turned into another 9. */
	memcpy(bytes, sample, sizeof sample);
	bytes[86] = 9;
	assert_int_equal(sample[86], 12);
	assert_int_equal(decode(&m, bytes, sizeof sample), HEP_BROKEN);
	/* An IPv6 family with IPv4 addresses; an unknown family. */
	memcpy(bytes, sample, sizeof sample);
	bytes[12] = 10;
	assert_int_equal(decode(&m, bytes, sizeof sample), HEP_BROKEN);
	bytes[12] = 3;
	assert_int_equal(decode(&m, bytes, sizeof sample), HEP_BROKEN);
	/* Vendor chunks and unknown types are skipped. */
	memcpy(bytes, sample, sizeof sample);
	memcpy(bytes + sizeof sample, "\0\7\0\3\0\7x\0\0\0\x30\0\6", 13);
	bytes[5] += 13;
	assert_int_equal(decode(&m, bytes, sizeof sample + 13), HEP_VALID);
	/* Compressed payload is refused. */
	memcpy(bytes, sample, sizeof sample);
	bytes[105] = 0x10;
	assert_int_equal(sample[105], 15);
	assert_int_equal(decode(&m, bytes, sizeof sample), HEP_COMPRESSED);
}

static void test_frame(void **state)
{
	(void)state;
	assert_int_equal(hep_frame(view_of(sample, 0)), 0);
	assert_int_equal(hep_frame(view_of(sample, 3)), 0);
	assert_int_equal(hep_frame(view_of(sample, 5)), 0);
	assert_int_equal(hep_frame(view_of(sample, 6)), 0x72);
	assert_int_equal(hep_frame(view_of("HEX", 3)), -1);
	assert_int_equal(hep_frame(view_of("HEP3\0\5", 6)), -1);
}

static void round_trip(const char *source, const char *destination, size_t payload)
{
	static uint8_t bytes[HEP_MESSAGE_MAX];
	struct hep_message in = {
		.source_port = 1,
		.destination_port = 65535,
		.protocol = HEP_PROTOCOL_TCP,
		.type = HEP_TYPE_SIP,
		.seconds = UINT32_MAX,
		.microseconds = 999999,
		.capture_id = 7,
		.vlan = 4094,
		.has_key = true,
		.key = view_str("secret"),
		.correlation = view_str("call-1"),
	};
	struct buffer b = {0};
	struct hep_message out;

	memset(bytes, 'x', sizeof bytes);
	in.payload = view_of(bytes, payload);
	assert_int_equal(address_parse(&in.source, view_str(source), NULL), 0);
	assert_int_equal(address_parse(&in.destination, view_str(destination), NULL), 0);
	assert_int_equal(hep_encode(&b, &in), 0);
	assert_int_equal(decode(&out, b.p, b.n), HEP_VALID);
	assert_true(address_eq(&in.source, &out.source));
	assert_true(address_eq(&in.destination, &out.destination));
	assert_int_equal(out.source_port, 1);
	assert_int_equal(out.destination_port, 65535);
	assert_int_equal(out.protocol, HEP_PROTOCOL_TCP);
	assert_int_equal(out.seconds, UINT32_MAX);
	assert_int_equal(out.vlan, 4094);
	assert_true(view_eq(out.correlation, in.correlation));
	assert_true(view_eq(out.payload, in.payload));
	assert_true(hep_key_matches(&out, view_str("secret")));
	buffer_free(&b);
}

static void test_encode(void **state)
{
	static uint8_t longest[HEP_MESSAGE_MAX];
	struct hep_message m = {0};
	struct buffer b = {0};

	(void)state;
	round_trip("198.51.100.7", "192.0.2.10", 0);
	round_trip("198.51.100.7", "192.0.2.10", 65000);
	round_trip("2001:db8:a::1", "2001:db8::10", 300);
	assert_int_equal(hep_encode(&b, &m), -1);
	assert_int_equal(address_parse(&m.source, view_str("192.0.2.1"), NULL), 0);
	assert_int_equal(address_parse(&m.destination, view_str("2001:db8::1"), NULL), 0);
	assert_int_equal(hep_encode(&b, &m), -1);
	m.destination = m.source;
	m.payload = view_of(longest, HEP_MESSAGE_MAX - 99 + 1);
	b.n = 0;
	assert_int_equal(hep_encode(&b, &m), -1);
	assert_int_equal(b.n, 0);
	m.payload.n--;
	assert_int_equal(hep_encode(&b, &m), 0);
	assert_int_equal(b.n, HEP_MESSAGE_MAX);
	buffer_free(&b);
}

/* An agent that listens on :: writes IPv4 peers as mapped addresses. */
static void test_mapped(void **state)
{
	struct hep_message in = {.type = 1, .protocol = 17}, out;
	struct buffer b = {0};
	char text[ADDRESS_TEXT];

	(void)state;
	in.source.family = in.destination.family = 6;
	memcpy(in.source.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x07", 16);
	memcpy(in.destination.bytes, "\x20\x01\x0d\xb8", 4);
	assert_int_equal(hep_encode(&b, &in), 0);
	assert_int_equal(decode(&out, b.p, b.n), HEP_VALID);
	assert_string_equal(address_print(text, &out.source), "198.51.100.7");
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
