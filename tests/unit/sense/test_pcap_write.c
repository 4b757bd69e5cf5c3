/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read back, and every checksum is right. */
#include "record_steps.h"

#include "sense/pcap.h"
#include "sense/pcap_write.h"

static struct address address(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, view_str(text), NULL), 0);
	return a;
}

static struct pcap_message of(const char *from, const char *to, bool tcp, size_t n)
{
	static uint8_t bytes[70000];

	assert_true(n <= sizeof bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 7 + n);
	return (struct pcap_message){.time = UINT64_C(1700000000123456),
		.source = address(from),
		.destination = address(to),
		.source_port = 5062,
		.destination_port = 5060,
		.tcp = tcp,
		.payload = view_of(bytes, n)};
}

/* The ones' complement sum of 16-bit words, straight from RFC 1071. */
static uint32_t add(uint32_t total, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		total += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (total > 0xffff)
		total = total % 0x10000 + total / 0x10000;
	return total;
}

/* The packet behind a record's head: its lengths and both checksums. */
static void assert_sound(const uint8_t *record)
{
	uint32_t length = (uint32_t)record[8] | (uint32_t)record[9] << 8 |
		(uint32_t)record[10] << 16;
	const uint8_t *ip = record + 16;
	bool four = ip[0] == 0x45;
	size_t header = four ? 20 : 40, size = four ? 4 : 16;
	uint8_t protocol = ip[four ? 9 : 6];
	uint32_t total;

	assert_memory_equal(record + 8, record + 12, 4);
	assert_int_equal(be16_load(ip + (four ? 2 : 4)), four ? length : length - 40);
	if (four)
		assert_int_equal(add(0, ip, 20), 0xffff);
	total = add(0, ip + header - 2 * size, 2 * size);
	total = add(total + protocol + (uint32_t)(length - header), ip + header,
		length - header);
	assert_int_equal(total, 0xffff);
	if (protocol == 17) {
		assert_int_equal(be16_load(ip + header + 4), length - header);
		assert_int_not_equal(be16_load(ip + header + 6), 0);
	}
}

static void assert_back(struct pcap *p, const struct pcap_message *m)
{
	struct pcap_datagram d;

	assert_true(pcap_next(p, &d));
	assert_int_equal(d.time, m->time);
	assert_memory_equal(&d.source, &m->source, sizeof d.source);
	assert_memory_equal(&d.destination, &m->destination, sizeof d.destination);
	assert_int_equal(d.source_port, m->source_port);
	assert_int_equal(d.destination_port, m->destination_port);
	assert_int_equal(d.tcp, m->tcp);
	assert_true(view_eq(d.payload, m->payload));
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 400, 1471, 65495};
	static const char *const ends[][2] = {{"198.51.100.7", "203.0.113.9"},
		{"2001:db8::7", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"}};
	struct pcap_writer *w = pcap_writer_new();
	struct buffer b = {.max = 0};
	struct pcap p;

	(void)state;
	for (unsigned i = 0; i < 24; i++) {
		struct pcap_message m = of(
			ends[i % 2][0], ends[i % 2][1], i / 2 % 2, sizes[i / 4]);

		b.n = 0;
		assert_int_equal(pcap_write_header(&b), 0);
		assert_int_equal(b.n, PCAP_FILE_HEADER);
		assert_int_equal(pcap_write(w, &b, &m), 0);
		assert_sound(b.p + PCAP_FILE_HEADER);
		assert_int_equal(pcap_begin(&p, view_of(b.p, b.n), NULL), 0);
		p.tcp = true;
		assert_back(&p, &m);
		assert_int_equal(p.skipped, 0);
		assert_int_equal(p.cut_at, 0);
		assert_int_equal(p.at, b.n);
		/* Who does not ask for TCP does not get it. */
		pcap_begin(&p, view_of(b.p, b.n), NULL);
		assert_int_equal(pcap_next(&p, &(struct pcap_datagram){0}), !m.tcp);
	}
	buffer_free(&b);
	pcap_writer_free(w);
}

/* A checksum of UDP that comes out as 0 is written as its other form. */
static void test_checksum_is_never_none(void **state)
{
	struct pcap_message m = of("198.51.100.7", "203.0.113.9", false, 2);
	struct pcap_writer *w = pcap_writer_new();
	struct buffer b = {.max = 0};
	uint8_t text[2];
	unsigned all_ones = 0;

	(void)state;
	m.payload = view_of(text, 2);
	for (unsigned i = 0; i < 65536; i++) {
		be16_store(text, (uint16_t)i);
		b.n = 0;
		pcap_write(w, &b, &m);
		assert_sound(b.p);
		all_ones += be16_load(b.p + 16 + 26) == 0xffff;
	}
	assert_int_equal(all_ones, 1);
	buffer_free(&b);
	pcap_writer_free(w);
}

/* Both directions' numbers go on, and each acknowledges the other's. */
static void test_stream_goes_on(void **state)
{
	struct pcap_message in = of("198.51.100.7", "203.0.113.9", true, 100);
	struct pcap_message out = of("203.0.113.9", "198.51.100.7", true, 300);
	struct pcap_writer *w = pcap_writer_new();
	static const uint32_t want[][2] = {{1, 1}, {1, 101}, {101, 301}, {301, 201}};
	struct buffer b = {.max = 0};

	(void)state;
	out.source_port = in.destination_port;
	out.destination_port = in.source_port;
	for (unsigned i = 0; i < 4; i++) {
		b.n = 0;
		pcap_write(w, &b, i % 2 ? &out : &in);
		assert_int_equal(be32_load(b.p + 16 + 24), want[i][0]);
		assert_int_equal(be32_load(b.p + 16 + 28), want[i][1]);
		assert_int_equal(b.p[16 + 33], 0x18);
	}
	in.source_port++; /* another connection */
	b.n = 0;
	pcap_write(w, &b, &in);
	assert_int_equal(be32_load(b.p + 16 + 24), 1);
	buffer_free(&b);
	pcap_writer_free(w);
}

/* What is too long for one packet becomes two of TCP, and none of UDP. */
static void test_long(void **state)
{
	struct pcap_message m = of("198.51.100.7", "203.0.113.9", true, 65496);
	struct pcap_writer *w = pcap_writer_new();
	struct buffer b = {.max = 0};
	struct pcap_datagram d;
	struct pcap p;

	(void)state;
	pcap_write_header(&b);
	assert_int_equal(pcap_write(w, &b, &m), 0);
	pcap_begin(&p, view_of(b.p, b.n), NULL);
	p.tcp = true;
	assert_true(pcap_next(&p, &d));
	assert_int_equal(d.payload.n, 65495);
	assert_true(pcap_next(&p, &d));
	assert_int_equal(d.payload.n, 1);
	assert_int_equal(d.payload.p[0], m.payload.p[65495]);
	assert_sound(b.p + PCAP_FILE_HEADER);
	m = of("198.51.100.7", "203.0.113.9", false, 65508);
	b.n = 0;
	assert_int_equal(pcap_write(w, &b, &m), -1);
	assert_int_equal(b.n, 0);
	m.payload.n = 65507;
	assert_int_equal(pcap_write(w, &b, &m), 0);
	assert_sound(b.p);
	m = of("2001:db8::7", "2001:db8::8", false, 65528);
	assert_int_equal(pcap_write(w, &b, &m), -1);
	m.payload.n = 65527;
	b.n = 0;
	assert_int_equal(pcap_write(w, &b, &m), 0);
	assert_sound(b.p);
	m.destination = address("203.0.113.9");
	assert_int_equal(pcap_write(w, &b, &m), -1);
	m.source.family = m.destination.family = 0;
	assert_int_equal(pcap_write(w, &b, &m), -1);
	buffer_free(&b);
	pcap_writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_checksum_is_never_none),
		cmocka_unit_test(test_stream_goes_on),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
