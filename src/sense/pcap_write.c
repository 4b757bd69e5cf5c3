/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/pcap_write.h"

#include <stdlib.h>

#include "base/table.h"

#define LINK_RAW     101
#define SNAP_LENGTH  262144
#define RECORD_HEAD  16
#define IP4_HEADER   20
#define IP6_HEADER   40
#define UDP_HEADER   8
#define TCP_HEADER   20
#define IP_MAX       65535
#define TCP_DATA_MAX (IP_MAX - IP4_HEADER - TCP_HEADER)
#define FLOWS_MAX    (1u << 20)
#define TCP_PSH_ACK  0x18
#define TCP_ACK      0x10
#define HOPS         64

/* One direction of a connection. */
struct flow_key {
	struct address source, destination;
	uint16_t source_port, destination_port;
};

struct flow {
	struct flow_key key;
	uint32_t next; /* sequence number */
};

struct pcap_writer {
	struct table *flows;
};

struct pcap_writer *pcap_writer_new(void)
{
	struct pcap_writer *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->flows = table_new(sizeof(struct flow), sizeof(struct flow_key), FLOWS_MAX,
		hash_key_random());
	if (w->flows)
		return w;
	free(w);
	return NULL;
}

void pcap_writer_free(struct pcap_writer *w)
{
	if (!w)
		return;
	table_free(w->flows);
	free(w);
}

static void put_le32(struct buffer *dst, uint32_t v)
{
	buffer_put_u32(dst, __builtin_bswap32(v));
}

int pcap_write_header(struct buffer *dst)
{
	put_le32(dst, 0xa1b2c3d4);
	put_le32(dst, 4u << 16 | 2); /* version 2.4 */
	put_le32(dst, 0);
	put_le32(dst, 0);
	put_le32(dst, SNAP_LENGTH);
	put_le32(dst, LINK_RAW);
	return dst->failed ? -1 : 0;
}

/* --- checksums: RFC 1071 --- */

static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t n)
{
	uint64_t total = so_far;

	for (; n > 1; p += 2, n -= 2)
		total += be16_load(p);
	if (n)
		total += (uint32_t)*p << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint32_t)total;
}

/* What stands before UDP and TCP for their checksum: RFC 768, RFC 8200 8.1. */
static uint32_t pseudo_header(const struct pcap_message *m, uint8_t protocol, size_t n)
{
	size_t size = m->source.family == 4 ? 4 : 16;
	uint32_t total = sum(0, m->source.bytes, size);

	total = sum(total, m->destination.bytes, size);
	return total + protocol + (uint32_t)n;
}

/* --- headers --- */

static void put_ip4(
	struct buffer *dst, const struct pcap_message *m, uint8_t protocol, size_t n)
{
	uint8_t h[IP4_HEADER] = {0x45};

	be16_store(h + 2, (uint16_t)(IP4_HEADER + n));
	h[6] = 0x40; /* do not fragment */
	h[8] = HOPS;
	h[9] = protocol;
	memcpy(h + 12, m->source.bytes, 4);
	memcpy(h + 16, m->destination.bytes, 4);
	be16_store(h + 10, (uint16_t)~sum(0, h, sizeof h));
	buffer_put(dst, h, sizeof h);
}

static void put_ip6(
	struct buffer *dst, const struct pcap_message *m, uint8_t protocol, size_t n)
{
	uint8_t h[IP6_HEADER] = {0x60};

	be16_store(h + 4, (uint16_t)n);
	h[6] = protocol;
	h[7] = HOPS;
	memcpy(h + 8, m->source.bytes, 16);
	memcpy(h + 24, m->destination.bytes, 16);
	buffer_put(dst, h, sizeof h);
}

/* The record's head and the IP header before n bytes of the protocol. */
static void begin_packet(
	struct buffer *dst, const struct pcap_message *m, uint8_t protocol, size_t n)
{
	size_t all = n + (m->source.family == 4 ? IP4_HEADER : IP6_HEADER);

	put_le32(dst, (uint32_t)(m->time / USEC_PER_SEC));
	put_le32(dst, (uint32_t)(m->time % USEC_PER_SEC));
	put_le32(dst, (uint32_t)all);
	put_le32(dst, (uint32_t)all);
	if (m->source.family == 4)
		put_ip4(dst, m, protocol, n);
	else
		put_ip6(dst, m, protocol, n);
}

static void put_udp(struct buffer *dst, const struct pcap_message *m)
{
	size_t n = UDP_HEADER + m->payload.n;
	uint8_t h[UDP_HEADER] = {0};
	uint16_t check;

	be16_store(h, m->source_port);
	be16_store(h + 2, m->destination_port);
	be16_store(h + 4, (uint16_t)n);
	check = (uint16_t)~sum(
		sum(pseudo_header(m, 17, n), h, sizeof h), m->payload.p, m->payload.n);
	be16_store(h + 6, check ? check : 0xffff); /* 0: none was made */
	begin_packet(dst, m, 17, n);
	buffer_put(dst, h, sizeof h);
	buffer_put(dst, m->payload.p, m->payload.n);
}

static void put_tcp(struct buffer *dst, const struct pcap_message *m, struct view data,
	uint32_t sequence, uint32_t acknowledged, uint8_t flags)
{
	size_t n = TCP_HEADER + data.n;
	uint8_t h[TCP_HEADER] = {0};

	be16_store(h, m->source_port);
	be16_store(h + 2, m->destination_port);
	be32_store(h + 4, sequence);
	be32_store(h + 8, acknowledged);
	h[12] = TCP_HEADER / 4 << 4;
	h[13] = flags;
	be16_store(h + 14, 65535); /* window */
	be16_store(h + 16,
		(uint16_t)~sum(sum(pseudo_header(m, 6, n), h, sizeof h), data.p, data.n));
	begin_packet(dst, m, 6, n);
	buffer_put(dst, h, sizeof h);
	buffer_put(dst, data.p, data.n);
}

/* The next sequence number of a direction; 1 of one that is new. */
static struct flow *flow_of(
	struct pcap_writer *w, const struct pcap_message *m, bool back)
{
	struct flow_key key;
	struct flow *f;
	bool fresh;

	memset(&key, 0, sizeof key);
	key.source = back ? m->destination : m->source;
	key.destination = back ? m->source : m->destination;
	key.source_port = back ? m->destination_port : m->source_port;
	key.destination_port = back ? m->source_port : m->destination_port;
	f = table_put(w->flows, &key, &fresh);
	if (f && fresh)
		f->next = 1;
	return f;
}

static void put_stream(
	struct pcap_writer *w, struct buffer *dst, const struct pcap_message *m)
{
	struct flow *f = flow_of(w, m, true);
	uint32_t acknowledged = f ? f->next : 1, next;
	struct view rest = m->payload;

	f = flow_of(w, m, false);
	next = f ? f->next : 1;
	do {
		struct view data = view_head(rest, TCP_DATA_MAX);

		rest = view_from(rest, data.n);
		put_tcp(dst, m, data, next, acknowledged, rest.n ? TCP_ACK : TCP_PSH_ACK);
		next += (uint32_t)data.n;
	} while (rest.n);
	if (f)
		f->next = next;
}

int pcap_write(struct pcap_writer *w, struct buffer *dst, const struct pcap_message *m)
{
	size_t start = dst->n, header = m->source.family == 4 ? IP4_HEADER : 0;

	if (!m->source.family || m->source.family != m->destination.family ||
		(!m->tcp && m->payload.n > IP_MAX - header - UDP_HEADER))
		return -1;
	if (m->tcp)
		put_stream(w, dst, m);
	else
		put_udp(dst, m);
	if (!dst->failed)
		return 0;
	dst->n = start;
	return -1;
}
