/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a recorded message is, the HEP3 that is sent of it is read back to the same
 * by our own reader; and so it is from a capture.
 */
#include <stdlib.h>

#include "sense/hep_out.h"
#include "sense/observation.h"
#include "sense/pcap.h"
#include "sense/pcap_write.h"
#include "sip/hep.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static struct address take_address(struct reader *in, bool four)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
	struct address a = {.family = 4};
	uint16_t port;

	if (four) {
		reader_bytes(in, a.bytes, 4);
		return a;
	}
	reader_bytes(in, &sa.sin6_addr, 16);
	address_from_sockaddr(&a, &port, (const struct sockaddr *)&sa);
	return a;
}

static void through_hep(const struct record *r)
{
	struct buffer b = {.max = 0};
	struct hep_message m;

	if (!hep_out_encode(&b, r, 2001, view_str("key"))) {
		if (b.n > 65507 || hep_decode(&m, view_of(b.p, b.n)) != HEP_VALID ||
			!view_eq(m.payload, r->bytes) || !m.correlation.n ||
			m.correlation.n > 256 || !hep_key_matches(&m, view_str("key")) ||
			!address_eq(r->out ? &m.destination : &m.source, &r->remote) ||
			(r->out ? m.destination_port : m.source_port) != r->remote_port)
			abort();
	} else if (b.n || (r->bytes.n < 60000 && r->remote.family)) {
		abort();
	}
	buffer_free(&b);
}

static void through_pcap(const struct record *r)
{
	struct pcap_message m = {.time = r->time,
		.source = r->remote,
		.destination = r->local,
		.source_port = r->remote_port,
		.destination_port = r->local_port,
		.tcp = r->transport != TRANSPORT_UDP,
		.payload = r->bytes};
	struct pcap_writer *w = pcap_writer_new();
	struct buffer b = {.max = 0};
	struct pcap_datagram d;
	struct pcap p;

	if (!w || pcap_write_header(&b))
		abort();
	if (!pcap_write(w, &b, &m)) {
		if (pcap_begin(&p, view_of(b.p, b.n), NULL))
			abort();
		p.tcp = true;
		/* A segment of nothing is no message. */
		if (pcap_next(&p, &d) != (r->bytes.n || !m.tcp) || p.cut_at)
			abort();
		if (r->bytes.n && r->bytes.n < 65000 &&
			(!view_eq(d.payload, r->bytes) || d.tcp != m.tcp ||
				!address_eq(&d.source, &m.source)))
			abort();
	}
	buffer_free(&b);
	pcap_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct reader in = {.rest = view_of(input, size)};
	uint8_t flags = reader_u8(&in);
	struct record r = {
		.out = flags & 1, .transport = (uint8_t)(1 + (flags >> 1) % 5)};

	r.remote = take_address(&in, flags & 16);
	r.local = take_address(&in, flags & 32);
	r.remote_port = reader_u16(&in);
	r.local_port = reader_u16(&in);
	r.session = reader_u64(&in);
	r.time = reader_u64(&in) % (UINT64_C(4294967296) * USEC_PER_SEC);
	r.bytes = view_head(in.rest, RECORD_BYTES_MAX);
	through_hep(&r);
	through_pcap(&r);
	return 0;
}
