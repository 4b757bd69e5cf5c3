/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/hep.h"

enum chunk {
	CHUNK_FAMILY = 0x0001,
	CHUNK_PROTOCOL = 0x0002,
	CHUNK_SOURCE4 = 0x0003,
	CHUNK_DESTINATION4 = 0x0004,
	CHUNK_SOURCE6 = 0x0005,
	CHUNK_DESTINATION6 = 0x0006,
	CHUNK_SOURCE_PORT = 0x0007,
	CHUNK_DESTINATION_PORT = 0x0008,
	CHUNK_SECONDS = 0x0009,
	CHUNK_MICROSECONDS = 0x000a,
	CHUNK_TYPE = 0x000b,
	CHUNK_CAPTURE_ID = 0x000c,
	CHUNK_KEY = 0x000e,
	CHUNK_PAYLOAD = 0x000f,
	CHUNK_COMPRESSED = 0x0010,
	CHUNK_CORRELATION = 0x0011,
	CHUNK_VLAN = 0x0012,
};

#define CHUNK_HEADER 6u
#define FAMILY_IP4   2 /* AF_INET and AF_INET6 as Linux numbers them */
#define FAMILY_IP6   10

/* Into the four or sixteen bytes of an address; mapped IPv6 becomes IPv4. */
static int take_address(struct address *a, uint8_t family, struct view value)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
	uint16_t port;

	if (value.n != (family == 4 ? 4u : 16u))
		return -1;
	if (family == 4) {
		*a = (struct address){.family = 4};
		memcpy(a->bytes, value.p, 4);
		return 0;
	}
	memcpy(&sa.sin6_addr, value.p, 16);
	return address_from_sockaddr(a, &port, (const struct sockaddr *)&sa);
}

static int take_u8(uint8_t *dst, struct view value)
{
	if (value.n != 1)
		return -1;
	*dst = value.p[0];
	return 0;
}

static int take_u16(uint16_t *dst, struct view value)
{
	if (value.n != 2)
		return -1;
	*dst = be16_load(value.p);
	return 0;
}

static int take_u32(uint32_t *dst, struct view value)
{
	if (value.n != 4)
		return -1;
	*dst = be32_load(value.p);
	return 0;
}

static int take_chunk(
	struct hep_message *m, uint8_t *family, uint16_t type, struct view value)
{
	switch (type) {
	case CHUNK_FAMILY:
		return take_u8(family, value);
	case CHUNK_PROTOCOL:
		return take_u8(&m->protocol, value);
	case CHUNK_SOURCE4:
		return take_address(&m->source, 4, value);
	case CHUNK_DESTINATION4:
		return take_address(&m->destination, 4, value);
	case CHUNK_SOURCE6:
		return take_address(&m->source, 6, value);
	case CHUNK_DESTINATION6:
		return take_address(&m->destination, 6, value);
	case CHUNK_SOURCE_PORT:
		return take_u16(&m->source_port, value);
	case CHUNK_DESTINATION_PORT:
		return take_u16(&m->destination_port, value);
	case CHUNK_SECONDS:
		return take_u32(&m->seconds, value);
	case CHUNK_MICROSECONDS:
		return take_u32(&m->microseconds, value);
	case CHUNK_TYPE:
		return take_u8(&m->type, value);
	case CHUNK_CAPTURE_ID:
		/* Some agents send it as 16 bits. */
		if (value.n == 2) {
			m->capture_id = be16_load(value.p);
			return 0;
		}
		return take_u32(&m->capture_id, value);
	case CHUNK_KEY:
		m->has_key = true;
		m->key = value;
		return 0;
	case CHUNK_PAYLOAD:
		m->payload = value;
		return 0;
	case CHUNK_CORRELATION:
		m->correlation = value;
		return 0;
	case CHUNK_VLAN:
		return take_u16(&m->vlan, value);
	default:
		return 0;
	}
}

/* What every message must have, and that it does not contradict itself. */
static enum hep_verdict check_whole(uint32_t seen, uint8_t family)
{
	const uint32_t ip4 = 1u << CHUNK_SOURCE4 | 1u << CHUNK_DESTINATION4;
	const uint32_t ip6 = 1u << CHUNK_SOURCE6 | 1u << CHUNK_DESTINATION6;
	const uint32_t both = 1u << CHUNK_PROTOCOL | 1u << CHUNK_TYPE |
		1u << CHUNK_SOURCE_PORT | 1u << CHUNK_DESTINATION_PORT;
	uint32_t want = both;

	if (seen & 1u << CHUNK_COMPRESSED)
		return HEP_COMPRESSED;
	want |= family == FAMILY_IP4 ? ip4 : ip6;
	if (family != FAMILY_IP4 && family != FAMILY_IP6)
		return HEP_BROKEN;
	if ((seen & want) != want || (seen & (ip4 | ip6) & ~want))
		return HEP_BROKEN;
	return HEP_VALID;
}

enum hep_verdict hep_decode(struct hep_message *m, struct view packet)
{
	long total = hep_frame(packet);
	uint8_t family = 0;
	uint32_t seen = 0;

	*m = (struct hep_message){0};
	if (total < 0)
		return HEP_FOREIGN;
	if (!total || (size_t)total != packet.n)
		return HEP_BROKEN;
	for (struct view rest = view_from(packet, HEP_HEADER); rest.n;) {
		uint16_t vendor, type, length;

		if (rest.n < CHUNK_HEADER)
			return HEP_BROKEN;
		vendor = be16_load(rest.p);
		type = be16_load(rest.p + 2);
		length = be16_load(rest.p + 4);
		if (length < CHUNK_HEADER || length > rest.n)
			return HEP_BROKEN;
		if (!vendor && type <= CHUNK_VLAN) {
			if (seen & 1u << type ||
				take_chunk(m, &family, type,
					view_of(rest.p + CHUNK_HEADER,
						length - CHUNK_HEADER)))
				return HEP_BROKEN;
			seen |= 1u << type;
		}
		rest = view_from(rest, length);
	}
	return check_whole(seen, family);
}

long hep_frame(struct view bytes)
{
	uint16_t length;

	if (memcmp("HEP3", bytes.n ? (const char *)bytes.p : "",
		    bytes.n < 4 ? bytes.n : 4))
		return -1;
	if (bytes.n < HEP_HEADER)
		return 0;
	length = be16_load(bytes.p + 4);
	return length < HEP_HEADER ? -1 : length;
}

static void put_chunk(struct buffer *b, uint16_t type, const void *value, size_t n)
{
	buffer_put_u16(b, 0);
	buffer_put_u16(b, type);
	buffer_put_u16(b, (uint16_t)(n + CHUNK_HEADER));
	buffer_put(b, value, n);
}

static void put_u16(struct buffer *b, uint16_t type, uint16_t v)
{
	uint8_t bytes[2];

	be16_store(bytes, v);
	put_chunk(b, type, bytes, sizeof bytes);
}

static void put_u32(struct buffer *b, uint16_t type, uint32_t v)
{
	uint8_t bytes[4];

	be32_store(bytes, v);
	put_chunk(b, type, bytes, sizeof bytes);
}

/* All chunks of m but the header of the message. */
static void put_chunks(struct buffer *b, const struct hep_message *m)
{
	bool ip4 = m->source.family == 4;
	uint8_t family = ip4 ? FAMILY_IP4 : FAMILY_IP6;
	size_t n = ip4 ? 4 : 16;

	put_chunk(b, CHUNK_FAMILY, &family, 1);
	put_chunk(b, CHUNK_PROTOCOL, &m->protocol, 1);
	put_chunk(b, ip4 ? CHUNK_SOURCE4 : CHUNK_SOURCE6, m->source.bytes, n);
	put_chunk(b, ip4 ? CHUNK_DESTINATION4 : CHUNK_DESTINATION6, m->destination.bytes,
		n);
	put_u16(b, CHUNK_SOURCE_PORT, m->source_port);
	put_u16(b, CHUNK_DESTINATION_PORT, m->destination_port);
	put_u32(b, CHUNK_SECONDS, m->seconds);
	put_u32(b, CHUNK_MICROSECONDS, m->microseconds);
	put_chunk(b, CHUNK_TYPE, &m->type, 1);
	put_u32(b, CHUNK_CAPTURE_ID, m->capture_id);
	if (m->has_key)
		put_chunk(b, CHUNK_KEY, m->key.p, m->key.n);
	if (m->correlation.n)
		put_chunk(b, CHUNK_CORRELATION, m->correlation.p, m->correlation.n);
	if (m->vlan)
		put_u16(b, CHUNK_VLAN, m->vlan);
	put_chunk(b, CHUNK_PAYLOAD, m->payload.p, m->payload.n);
}

int hep_encode(struct buffer *dst, const struct hep_message *m)
{
	size_t start = dst->n, total;

	if (!m->source.family || m->source.family != m->destination.family)
		return -1;
	if (m->payload.n > HEP_MESSAGE_MAX || m->key.n > HEP_MESSAGE_MAX ||
		m->correlation.n > HEP_MESSAGE_MAX)
		return -1;
	buffer_put(dst, "HEP3", 4);
	buffer_put_u16(dst, 0);
	put_chunks(dst, m);
	if (dst->failed)
		return -1;
	total = dst->n - start;
	if (total > HEP_MESSAGE_MAX) {
		dst->n = start;
		return -1;
	}
	be16_store(dst->p + start + 4, (uint16_t)total);
	return 0;
}

bool hep_key_matches(const struct hep_message *m, struct view password)
{
	uint8_t difference = 0;

	if (!password.n)
		return true;
	if (!m->has_key || m->key.n != password.n)
		return false;
	for (size_t i = 0; i < password.n; i++)
		difference |= m->key.p[i] ^ password.p[i];
	return !difference;
}
