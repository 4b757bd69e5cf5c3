/* SPDX-License-Identifier: Apache-2.0 */
/* Captures that lie: lengths, and what is cut off. */
#include <stdlib.h>

#include "../cmocka_all.h"

#include "sense/pcap.h"

#define HEAD   24 /* of the file */
#define RECORD (16 + 20 + 8 + 4)

/* Raw IP: a file's head and records of one UDP datagram of four bytes each. */
struct capture {
	uint8_t bytes[HEAD + 3 * RECORD];
};

static void le32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static struct capture make(void)
{
	struct capture c = {{0xd4, 0xc3, 0xb2, 0xa1, [20] = 101}};

	for (unsigned i = 0; i < 3; i++) {
		uint8_t *p = c.bytes + HEAD + i * RECORD;

		le32(p, 1000 + i);
		le32(p + 8, RECORD - 16);
		le32(p + 12, RECORD - 16);
		p[16] = 0x45;
		p[16 + 9] = 17;
		memcpy(p + 16 + 12, "\xc6\x33\x64\x07\xc0\x00\x02\x01", 8);
		be16_store(p + 36, 5060);
		be16_store(p + 38, 9060);
		be16_store(p + 40, 12);
		memcpy(p + 44, "abcd", 4);
	}
	return c;
}

/* How many datagrams there are; the bytes stand at the end of their memory. */
static unsigned count(struct pcap *p, const struct capture *c, size_t n)
{
	uint8_t *bytes = malloc(n);
	struct pcap_datagram d;
	unsigned found = 0;

	assert_non_null(bytes);
	memcpy(bytes, c->bytes, n);
	assert_int_equal(pcap_begin(p, view_of(bytes, n), NULL), 0);
	while (pcap_next(p, &d)) {
		assert_int_equal(d.source_port, 5060);
		assert_int_equal(d.payload.n, 4);
		assert_memory_equal(d.payload.p, "abcd", 4);
		found++;
	}
	assert_false(pcap_next(p, &d));
	free(bytes);
	return found;
}

static void test_whole(void **state)
{
	struct capture c = make();
	struct pcap p;

	(void)state;
	assert_int_equal(count(&p, &c, sizeof c), 3);
	assert_int_equal(p.skipped, 0);
	assert_int_equal(p.cut_at, 0);
}

/* Cut anywhere: what is whole before comes out, and where it is cut is told. */
static void test_cut(void **state)
{
	struct capture c = make();
	struct pcap p;

	(void)state;
	for (size_t n = HEAD; n < sizeof c; n++) {
		size_t whole = (n - HEAD) / RECORD, rest = (n - HEAD) % RECORD;

		assert_int_equal(count(&p, &c, n), whole);
		assert_int_equal(p.cut_at, rest ? HEAD + whole * RECORD : 0);
		assert_int_equal(p.cut_has, rest);
		assert_int_equal(p.cut_says, !rest ? 0 : rest < 16 ? 16 : RECORD);
	}
}

/* Lengths that lie: of the record, of the IP header, of UDP. */
static void test_lies(void **state)
{
	static const uint32_t lengths[] = {
		0x7fffffff, 0xffffffff, 0xfffffff0, 2 * RECORD + 16};
	struct capture c = make();
	struct pcap p;

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		le32(c.bytes + HEAD + RECORD + 8, lengths[i]);
		assert_int_equal(count(&p, &c, sizeof c), 1);
		assert_int_equal(p.cut_at, HEAD + RECORD);
		assert_int_equal(p.cut_says, 16 + (size_t)lengths[i]);
		assert_int_equal(p.cut_has, 2 * RECORD);
	}
	/* A record of nothing, and those behind it count. */
	c = make();
	le32(c.bytes + HEAD + 8, 0);
	memset(c.bytes + HEAD + 16, 0, RECORD - 16);
	le32(c.bytes + HEAD + 16 + 8, 0);
	(void)count(&p, &c, sizeof c);
	/* UDP longer than its packet, shorter than its head; an IP header likewise. */
	for (unsigned length = 0; length < 65536; length += 13) {
		c = make();
		be16_store(c.bytes + HEAD + RECORD + 40, (uint16_t)length);
		if (length >= 8 && length <= 12)
			continue;
		assert_int_equal(count(&p, &c, sizeof c), 2);
		assert_int_equal(p.skipped, 1);
	}
	c = make();
	c.bytes[HEAD + 16] = 0x4f;
	assert_int_equal(count(&p, &c, sizeof c), 2);
	c.bytes[HEAD + 16] = 0x40;
	assert_int_equal(count(&p, &c, sizeof c), 2);
	assert_int_equal(p.skipped, 1);
}

static void test_foreign(void **state)
{
	struct capture c = make();
	struct error err = {""};
	struct pcap p;

	(void)state;
	assert_int_equal(pcap_begin(&p, view_of(c.bytes, HEAD - 1), &err), -1);
	assert_non_null(strstr(err.text, "editcap -F pcap"));
	c.bytes[20] = 147;
	assert_int_equal(pcap_begin(&p, view_of(c.bytes, sizeof c), &err), -1);
	assert_non_null(strstr(err.text, "link type 147"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests_name("pcap", tests, NULL, NULL);
}
