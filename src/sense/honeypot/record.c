/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/record.h"

#include <inttypes.h>
#include <stdio.h>

#define MAGIC "SIPREC1\n"

/* Where the fixed part of a record has what. */
enum at {
	AT_LENGTH = 0,
	AT_CHECK = 4,
	AT_TIME = 8,
	AT_SESSION = 16,
	AT_BYTES = 24,
	AT_STATUS = 28,
	AT_REMOTE_PORT = 30,
	AT_LOCAL_PORT = 32,
	AT_FLAGS = 34,
	AT_TRANSPORT = 35,
	AT_PROOF = 36,
	AT_METHOD = 37,
	AT_TEXTS = 38, /* the length of each */
	AT_END = AT_TEXTS + RECORD_TEXTS
};

_Static_assert(AT_END == RECORD_HEADER, "RECORD_HEADER counts the fixed part");

#define FLAG_OUT     1u
#define FLAG_CUT     2u
#define FLAG_REMOTE6 4u
#define FLAG_REMOTE4 8u
#define FLAG_LOCAL6  16u
#define FLAG_LOCAL4  32u
#define VERDICT_AT   6 /* the two highest bits */

#define SEGMENT_CHECKED 40 /* of its header */

static size_t address_size(const struct address *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

static size_t text_size(const struct record *r, unsigned i)
{
	return r->text[i].n > RECORD_TEXT_MAX ? RECORD_TEXT_MAX : r->text[i].n;
}

size_t record_size(const struct record *r)
{
	size_t n = RECORD_HEADER + address_size(&r->remote) + address_size(&r->local);

	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		n += text_size(r, i);
	return n + (r->bytes.n > RECORD_BYTES_MAX ? RECORD_BYTES_MAX : r->bytes.n);
}

static uint8_t flags_of(const struct record *r)
{
	unsigned flags = (unsigned)(r->verdict & 3) << VERDICT_AT;

	if (r->out)
		flags |= FLAG_OUT;
	if (r->cut || r->bytes.n > RECORD_BYTES_MAX)
		flags |= FLAG_CUT;
	if (r->remote.family)
		flags |= r->remote.family == 6 ? FLAG_REMOTE6 : FLAG_REMOTE4;
	if (r->local.family)
		flags |= r->local.family == 6 ? FLAG_LOCAL6 : FLAG_LOCAL4;
	return (uint8_t)flags;
}

static uint8_t *put(uint8_t *at, const void *p, size_t n)
{
	if (n)
		memcpy(at, p, n);
	return at + n;
}

int record_encode(struct buffer *dst, const struct record *r, const struct hash_key *key)
{
	size_t size = record_size(r);
	struct view bytes = view_head(r->bytes, RECORD_BYTES_MAX);
	uint8_t *head, *at;

	if (buffer_reserve(dst, size))
		return -1;
	head = dst->p + dst->n;
	be32_store(head + AT_LENGTH, (uint32_t)size);
	be64_store(head + AT_TIME, r->time);
	be64_store(head + AT_SESSION, r->session);
	be32_store(head + AT_BYTES, (uint32_t)bytes.n);
	be16_store(head + AT_STATUS, r->status);
	be16_store(head + AT_REMOTE_PORT, r->remote_port);
	be16_store(head + AT_LOCAL_PORT, r->local_port);
	head[AT_FLAGS] = flags_of(r);
	head[AT_TRANSPORT] = r->transport;
	head[AT_PROOF] = r->proof;
	head[AT_METHOD] = r->method;
	at = put(head + AT_END, r->remote.bytes, address_size(&r->remote));
	at = put(at, r->local.bytes, address_size(&r->local));
	for (unsigned i = 0; i < RECORD_TEXTS; i++) {
		head[AT_TEXTS + i] = (uint8_t)text_size(r, i);
		at = put(at, r->text[i].p, text_size(r, i));
	}
	put(at, bytes.p, bytes.n);
	be32_store(head + AT_CHECK,
		(uint32_t)hash_bytes(key, head + AT_TIME, size - AT_TIME));
	dst->n += size;
	return 0;
}

/* Whether the flags can be, and how long the address of these two bits is. */
static bool flags_sound(uint8_t flags)
{
	return (flags & (FLAG_REMOTE4 | FLAG_REMOTE6)) != (FLAG_REMOTE4 | FLAG_REMOTE6) &&
		(flags & (FLAG_LOCAL4 | FLAG_LOCAL6)) != (FLAG_LOCAL4 | FLAG_LOCAL6);
}

static size_t take_address(
	struct address *a, struct view bytes, size_t at, bool four, bool six)
{
	size_t n = four ? 4 : six ? 16 : 0;

	*a = (struct address){.family = four ? 4 : six ? 6 : 0};
	memcpy(a->bytes, bytes.p + at, n);
	return at + n;
}

/* The parts of a record, whose check was right; -1 when they do not add up. */
static int take_parts(struct record *r, struct view bytes)
{
	const uint8_t *head = bytes.p;
	uint8_t flags = head[AT_FLAGS];
	size_t at = AT_END, need = AT_END;

	if (!flags_sound(flags))
		return -1;
	need += (flags & FLAG_REMOTE4 ? 4u : 0u) + (flags & FLAG_REMOTE6 ? 16u : 0u) +
		(flags & FLAG_LOCAL4 ? 4u : 0u) + (flags & FLAG_LOCAL6 ? 16u : 0u);
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		need += head[AT_TEXTS + i];
	if (be32_load(head + AT_BYTES) != bytes.n - need || need > bytes.n)
		return -1;
	at = take_address(
		&r->remote, bytes, at, flags & FLAG_REMOTE4, flags & FLAG_REMOTE6);
	at = take_address(&r->local, bytes, at, flags & FLAG_LOCAL4, flags & FLAG_LOCAL6);
	for (unsigned i = 0; i < RECORD_TEXTS; i++) {
		r->text[i] = view_of(bytes.p + at, head[AT_TEXTS + i]);
		at += head[AT_TEXTS + i];
	}
	r->bytes = view_of(bytes.p + at, bytes.n - at);
	r->out = flags & FLAG_OUT;
	r->cut = flags & FLAG_CUT;
	r->verdict = flags >> VERDICT_AT;
	return 0;
}

enum record_verdict record_decode(
	struct record *r, size_t *length, struct view bytes, const struct hash_key *key)
{
	uint32_t size;

	*length = 0;
	*r = (struct record){.time = 0};
	if (bytes.n < 4)
		return RECORD_SHORT;
	size = be32_load(bytes.p + AT_LENGTH);
	if (size < RECORD_HEADER || size > RECORD_MAX)
		return RECORD_LOST;
	if (bytes.n < size)
		return RECORD_SHORT;
	*length = size;
	bytes.n = size;
	if (be32_load(bytes.p + AT_CHECK) !=
			(uint32_t)hash_bytes(key, bytes.p + AT_TIME, size - AT_TIME) ||
		take_parts(r, bytes))
		return RECORD_DAMAGED;
	r->time = be64_load(bytes.p + AT_TIME);
	r->session = be64_load(bytes.p + AT_SESSION);
	r->status = be16_load(bytes.p + AT_STATUS);
	r->remote_port = be16_load(bytes.p + AT_REMOTE_PORT);
	r->local_port = be16_load(bytes.p + AT_LOCAL_PORT);
	r->transport = bytes.p[AT_TRANSPORT];
	r->proof = bytes.p[AT_PROOF];
	r->method = bytes.p[AT_METHOD];
	return RECORD_WHOLE;
}

/* --- segments --- */

static uint32_t segment_check(const uint8_t *header, const struct hash_key *key)
{
	return (uint32_t)hash_bytes(key, header, SEGMENT_CHECKED);
}

int record_segment_encode(struct buffer *dst, const struct record_segment *s)
{
	uint8_t header[RECORD_SEGMENT_HEADER];

	memcpy(header, MAGIC, 8);
	be64_store(header + 8, s->sequence);
	be64_store(header + 16, s->created);
	be64_store(header + 24, s->key.k0);
	be64_store(header + 32, s->key.k1);
	be32_store(header + SEGMENT_CHECKED, segment_check(header, &s->key));
	return buffer_put(dst, header, sizeof header);
}

int record_segment_decode(struct record_segment *s, struct view bytes)
{
	if (bytes.n < RECORD_SEGMENT_HEADER || memcmp(bytes.p, MAGIC, 8))
		return -1;
	s->sequence = be64_load(bytes.p + 8);
	s->created = be64_load(bytes.p + 16);
	s->key.k0 = be64_load(bytes.p + 24);
	s->key.k1 = be64_load(bytes.p + 32);
	return be32_load(bytes.p + SEGMENT_CHECKED) == segment_check(bytes.p, &s->key) ?
		0 :
		-1;
}

const char *record_name(char dst[RECORD_NAME], uint64_t sequence)
{
	snprintf(dst, RECORD_NAME, "%010" PRIu64 ".record", sequence);
	return dst;
}

uint64_t record_sequence(const char *name)
{
	struct view v = view_str(name);
	size_t digits = view_find(v, '.');
	char again[RECORD_NAME];
	uint64_t sequence;

	if (view_decimal(view_head(v, digits), UINT64_MAX / 2, &sequence))
		return 0;
	return strcmp(record_name(again, sequence), name) ? 0 : sequence;
}

uint64_t record_session(const struct record *r)
{
	static const struct hash_key fixed = {0x736970636861696e, 0x686f6e6579706f74};
	uint64_t h;

	if (r->session)
		return r->session;
	h = hash_bytes(&fixed, &r->remote, sizeof r->remote);
	return h ? h : 1;
}
