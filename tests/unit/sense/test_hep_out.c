/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to a collector, read by our own reader of HEP3. */
#include "record_steps.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/hep_out.h"
#include "sense/observation.h"
#include "sip/hep.h"

static const char invite[] = "INVITE sip:00972591234567@203.0.113.9 SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP 198.51.100.7:5062;branch=z9hG4bK1\r\n"
			     "i : a84b4c76e66710@198.51.100.7 \r\n"
			     "CSeq: 1 INVITE\r\n\r\nCall-ID: body";

static struct record record_of(const char *text)
{
	struct record r = {.time = UINT64_C(1700000000123456),
		.session = 0x1234,
		.remote_port = 5062,
		.local_port = 5060,
		.transport = TRANSPORT_UDP,
		.bytes = view_str(text)};

	assert_int_equal(address_parse(&r.remote, view_str("198.51.100.7"), NULL), 0);
	assert_int_equal(address_parse(&r.local, view_str("203.0.113.9"), NULL), 0);
	return r;
}

static struct hep_message decoded(struct buffer *b, const struct record *r)
{
	struct hep_message m;

	b->n = 0;
	assert_int_equal(hep_out_encode(b, r, 77, view_str("secret")), 0);
	assert_int_equal(hep_decode(&m, view_of(b->p, b->n)), HEP_VALID);
	return m;
}

static void assert_text(struct view got, const char *want)
{
	if (!view_eq(got, view_str(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.n, (const char *)got.p, want);
}

static void test_fields(void **state)
{
	struct record r = record_of(invite);
	struct buffer b = {.max = 0};
	struct hep_message m = decoded(&b, &r);

	(void)state;
	assert_true(address_eq(&m.source, &r.remote));
	assert_true(address_eq(&m.destination, &r.local));
	assert_int_equal(m.source_port, 5062);
	assert_int_equal(m.destination_port, 5060);
	assert_int_equal(m.protocol, 17);
	assert_int_equal(m.type, HEP_TYPE_SIP);
	assert_int_equal(m.seconds, 1700000000);
	assert_int_equal(m.microseconds, 123456);
	assert_int_equal(m.capture_id, 77);
	assert_true(hep_key_matches(&m, view_str("secret")));
	assert_true(view_eq(m.payload, r.bytes));
	assert_text(m.correlation, "a84b4c76e66710@198.51.100.7");
	r.out = true;
	r.transport = TRANSPORT_WSS;
	m = decoded(&b, &r);
	assert_true(address_eq(&m.source, &r.local));
	assert_true(address_eq(&m.destination, &r.remote));
	assert_int_equal(m.source_port, 5060);
	assert_int_equal(m.destination_port, 5062);
	assert_int_equal(m.protocol, 6);
	/* Without a password none is sent. */
	b.n = 0;
	hep_out_encode(&b, &r, 1, view_str(""));
	hep_decode(&m, view_of(b.p, b.n));
	assert_false(m.has_key);
	buffer_free(&b);
}

static void test_correlation(void **state)
{
	static const struct {
		const char *message, *correlation;
	} cases[] = {
		{"OPTIONS sip:x SIP/2.0\r\nCALL-id:\t1@h\r\n\r\n", "1@h"},
		{"OPTIONS sip:x SIP/2.0\nContact: <sip:a>\nCall-ID: 2@h", "2@h"},
		{"OPTIONS sip:x SIP/2.0\r\nCall-ID:\r\n\r\n", "0000000000001234"},
		{"OPTIONS sip:x SIP/2.0\r\n\r\nCall-ID: 3@h\r\n", "0000000000001234"},
		{"\x16\x03\x01", "0000000000001234"},
		{"", "0000000000001234"},
		{"\r\n\r\n", "0000000000001234"},
		{"c", "0000000000001234"},
	};
	struct buffer b = {.max = 0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct record r = record_of(cases[i].message);
		struct hep_message m = decoded(&b, &r);

		assert_text(m.correlation, cases[i].correlation);
		assert_true(view_eq(m.payload, r.bytes));
	}
	buffer_free(&b);
}

/* Also of what came to an address that is not known, or of the other family. */
static void test_addresses(void **state)
{
	struct record r = record_of(invite);
	struct buffer b = {.max = 0};
	struct hep_message m;

	(void)state;
	address_parse(&r.remote, view_str("2001:db8::7"), NULL);
	m = decoded(&b, &r);
	assert_int_equal(m.source.family, 6);
	assert_true(address_eq(&m.source, &r.remote));
	/* "::" is no mapped address and stays of its family. */
	assert_int_equal(m.destination.family, 6);
	r.remote.family = 0;
	b.n = 0;
	assert_int_equal(hep_out_encode(&b, &r, 1, view_str("")), -1);
	assert_int_equal(b.n, 0);
	buffer_free(&b);
}

static void test_too_long(void **state)
{
	static char text[65536];
	struct record r = record_of("");
	struct buffer b = {.max = 0};
	size_t n = 65507;

	(void)state;
	memset(text, 'x', sizeof text);
	for (r.bytes = view_of(text, n); hep_out_encode(&b, &r, 1, view_str(""));
		r.bytes.n = --n)
		assert_int_equal(b.n, 0);
	assert_int_equal(b.n, 65507);
	r.bytes = view_of(text, 65535);
	b.n = 0;
	assert_int_equal(hep_out_encode(&b, &r, 1, view_str("")), -1);
	buffer_free(&b);
}

/* --- sockets --- */

static int collector(uint16_t *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t n = sizeof sa;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons(*port);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static struct hep_out *sender(uint16_t port)
{
	struct hep_out_config c = {.port = port, .id = 9, .password = "key"};
	struct error err = {""};
	struct hep_out *h;

	address_parse(&c.address, view_str("127.0.0.1"), NULL);
	h = hep_out_open(&c, &err);
	if (!h)
		fail_msg("%s", err.text);
	return h;
}

static void test_sent(void **state)
{
	struct record r = record_of(invite);
	struct hep_out_figures figures;
	uint8_t packet[2000];
	struct hep_message m;
	uint16_t port = 0;
	int fd = collector(&port);
	struct hep_out *h = sender(port);
	ssize_t n;

	(void)state;
	hep_out_send(h, &r);
	n = recv(fd, packet, sizeof packet, 0);
	assert_true(n > 0);
	assert_int_equal(hep_decode(&m, view_of(packet, (size_t)n)), HEP_VALID);
	assert_true(view_eq(m.payload, r.bytes));
	assert_int_equal(m.capture_id, 9);
	assert_true(hep_key_matches(&m, view_str("key")));
	assert_int_equal(recv(fd, packet, sizeof packet, 0), -1);
	hep_out_figures(h, &figures);
	assert_int_equal(figures.sent, 1);
	assert_int_equal(figures.dropped + figures.refused + figures.too_long, 0);
	hep_out_close(h);
	close(fd);
}

/* A collector that is away costs nothing, and one that is back loses nothing more. */
static void test_collector_goes_and_comes(void **state)
{
	struct record r = record_of(invite);
	struct hep_out_figures figures, before;
	uint8_t packet[2000];
	uint16_t port = 0;
	int fd = collector(&port);
	struct hep_out *h = sender(port);

	(void)state;
	close(fd);
	for (unsigned i = 0; i < 1000; i++)
		hep_out_send(h, &r);
	hep_out_figures(h, &before);
	assert_true(before.refused >= 1);
	assert_int_equal(before.sent + before.dropped + before.refused, 1000);
	assert_true(before.sent <= 1); /* the last one, of which nothing is known yet */
	fd = collector(&port);
	hep_out_send(h, &r);
	hep_out_figures(h, &figures);
	assert_int_equal(figures.sent, 1);
	assert_true(recv(fd, packet, sizeof packet, 0) > 0);
	/* One that does not read fills up by itself: we never wait. */
	for (unsigned i = 0; i < 20000; i++)
		hep_out_send(h, &r);
	hep_out_figures(h, &figures);
	assert_int_equal(figures.sent + figures.dropped + figures.refused, 21001);
	r.bytes.n = 0;
	r.remote.family = 0;
	hep_out_send(h, &r);
	hep_out_figures(h, &figures);
	assert_int_equal(figures.too_long, 1);
	hep_out_close(h);
	close(fd);
}

static void test_refused(void **state)
{
	struct hep_out_config c = {.port = 9060};
	struct error err = {""};

	(void)state;
	address_parse(&c.address, view_str("255.255.255.255"), NULL);
	assert_null(hep_out_open(&c, &err));
	assert_non_null(strstr(err.text, "HEP to udp:255.255.255.255:9060: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_correlation),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_collector_goes_and_comes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
