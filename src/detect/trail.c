/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/trail.h"

#include <stdlib.h>

#define BUCKETS 4096 /* a power of two */

/*
 * An observation without the room that its texts do not use:
 * fixed part | account NUL dialled NUL agent NUL returned NUL request NUL
 */
struct kept {
	struct kept *next; /* later */
	usec time, issued;
	uint64_t attempt, call_id;
	uint16_t port;
	uint8_t kind, proof, transport, sensor;
	uint16_t size;
	char texts[];
};

struct trail_source {
	struct trail_source *hash_next;
	struct trail_source *older, *newer; /* in its list, by its last observation */
	struct address address;
	bool proved;
	unsigned n;
	uint64_t seen;
	usec last;
	struct kept *first, *newest;
};

struct trail {
	struct hash_key key;
	size_t bytes, bytes_max;
	struct {
		struct trail_source *oldest, *newest;
	} lists[2]; /* unproved, proved */
	struct trail_source *buckets[BUCKETS];
};

struct trail *trail_new(size_t bytes_max, struct hash_key key)
{
	struct trail *t = calloc(1, sizeof *t);

	if (t) {
		t->key = key;
		t->bytes_max = bytes_max;
	}
	return t;
}

/* --- the lists and the table --- */

static struct trail_source **bucket(const struct trail *t, const struct address *a)
{
	uint64_t h = hash_bytes(&t->key, a, sizeof *a) & (BUCKETS - 1);

	return (struct trail_source **)(uintptr_t)&t->buckets[h];
}

static void unlist(struct trail *t, struct trail_source *s)
{
	if (s->older)
		s->older->newer = s->newer;
	else
		t->lists[s->proved].oldest = s->newer;
	if (s->newer)
		s->newer->older = s->older;
	else
		t->lists[s->proved].newest = s->older;
}

static void enlist(struct trail *t, struct trail_source *s)
{
	s->newer = NULL;
	s->older = t->lists[s->proved].newest;
	if (s->older)
		s->older->newer = s;
	else
		t->lists[s->proved].oldest = s;
	t->lists[s->proved].newest = s;
}

static void drop_kept(struct trail *t, struct trail_source *s)
{
	struct kept *k;

	while ((k = s->first)) {
		s->first = k->next;
		t->bytes -= k->size;
		free(k);
	}
	s->newest = NULL;
	s->n = 0;
	s->seen = 0;
}

static void forget(struct trail *t, struct trail_source *s)
{
	struct trail_source **at = bucket(t, &s->address);

	while (*at != s)
		at = &(*at)->hash_next;
	*at = s->hash_next;
	unlist(t, s);
	drop_kept(t, s);
	t->bytes -= sizeof *s;
	free(s);
}

void trail_free(struct trail *t)
{
	if (!t)
		return;
	for (unsigned list = 0; list < 2; list++)
		while (t->lists[list].oldest)
			forget(t, t->lists[list].oldest);
	free(t);
}

static struct trail_source *find(const struct trail *t, const struct address *a)
{
	struct trail_source *s = *bucket(t, a);

	while (s && !address_eq(&s->address, a))
		s = s->hash_next;
	return s;
}

static struct trail_source *find_or_make(struct trail *t, const struct address *a)
{
	struct trail_source *s = find(t, a), **at = bucket(t, a);

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->address = *a;
	s->hash_next = *at;
	*at = s;
	t->bytes += sizeof *s;
	enlist(t, s);
	return s;
}

/* --- packing --- */

static char *put_text(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	at[n] = 0;
	return at + n + 1;
}

static struct kept *pack(const struct observation *o)
{
	const char *texts[] = {o->account, o->dialled, o->agent, o->returned, o->request};
	size_t sizes[] = {sizeof o->account, sizeof o->dialled, sizeof o->agent,
		sizeof o->returned, sizeof o->request};
	size_t size = sizeof(struct kept);
	struct kept *k;
	char *at;

	for (unsigned i = 0; i < 5; i++) {
		sizes[i] = strnlen(texts[i], sizes[i] - 1);
		size += sizes[i] + 1;
	}
	k = malloc(size);
	if (!k)
		return NULL;
	*k = (struct kept){.time = o->time,
		.issued = o->issued,
		.attempt = o->attempt,
		.call_id = o->call_id,
		.port = o->port,
		.kind = o->kind,
		.proof = o->proof,
		.transport = o->transport,
		.sensor = o->sensor,
		.size = (uint16_t)size};
	at = k->texts;
	for (unsigned i = 0; i < 5; i++)
		at = put_text(at, texts[i], sizes[i]);
	return k;
}

static const char *take_text(char *dst, const char *from)
{
	size_t n = strlen(from) + 1;

	memcpy(dst, from, n);
	return from + n;
}

static void unpack(
	struct observation *o, const struct trail_source *s, const struct kept *k)
{
	const char *at = k->texts;

	memset(o, 0, sizeof *o);
	o->time = k->time;
	o->source = s->address;
	o->port = k->port;
	o->kind = k->kind;
	o->proof = k->proof;
	o->transport = k->transport;
	o->sensor = k->sensor;
	o->attempt = k->attempt;
	o->call_id = k->call_id;
	o->issued = k->issued;
	at = take_text(o->account, at);
	at = take_text(o->dialled, at);
	at = take_text(o->agent, at);
	at = take_text(o->returned, at);
	take_text(o->request, at);
}

/* --- keeping --- */

/* Drop the oldest that is not among the first ones. */
static void drop_middle(struct trail *t, struct trail_source *s)
{
	struct kept *before = s->first, *k;

	for (unsigned i = 1; i < TRAIL_FIRST; i++)
		before = before->next;
	k = before->next;
	before->next = k->next;
	t->bytes -= k->size;
	free(k);
	s->n--;
}

static void touch(struct trail *t, struct trail_source *s, const struct observation *o)
{
	unlist(t, s);
	s->proved |= o->proof != PROOF_NONE;
	s->last = o->time;
	enlist(t, s);
}

void trail_note(struct trail *t, const struct observation *o)
{
	struct trail_source *s;
	struct kept *k;

	if (!o->source.family || !(s = find_or_make(t, &o->source)))
		return;
	if (o->time > s->last && o->time - s->last > TRAIL_PAUSE)
		drop_kept(t, s);
	touch(t, s, o);
	s->seen++;
	k = pack(o);
	if (!k)
		return;
	if (s->n == TRAIL_MAX)
		drop_middle(t, s);
	if (s->newest)
		s->newest->next = k;
	else
		s->first = k;
	s->newest = k;
	s->n++;
	t->bytes += k->size;
	while (t->bytes > t->bytes_max) {
		struct trail_source *old = t->lists[0].oldest;

		/* Not the one at hand, while there is any other. */
		if (!old || (old == s && t->lists[1].oldest))
			old = t->lists[1].oldest;
		forget(t, old);
		if (old == s)
			return;
	}
}

/* --- picking --- */

static bool within(const struct address *a, const struct address *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->family != net->family || memcmp(a->bytes, net->bytes, whole))
		return false;
	return !rest || !((a->bytes[whole] ^ net->bytes[whole]) >> (8 - rest));
}

/* What has been picked so far, in the order of time. */
struct picked {
	struct observation *out;
	size_t n, max;
	usec since;
	uint64_t seen;
};

static void insert(struct picked *p, const struct trail_source *s, const struct kept *k)
{
	size_t at = p->n, drop = p->max / 3;

	if (p->n == p->max) {
		memmove(p->out + drop, p->out + drop + 1,
			(p->max - drop - 1) * sizeof *p->out);
		at = --p->n;
	}
	while (at && p->out[at - 1].time > k->time)
		at--;
	memmove(p->out + at + 1, p->out + at, (p->n - at) * sizeof *p->out);
	unpack(&p->out[at], s, k);
	p->n++;
}

static void pick_source(struct picked *p, const struct trail_source *s)
{
	p->seen += s->seen;
	for (const struct kept *k = s->first; k; k = k->next)
		if (k->time >= p->since)
			insert(p, s, k);
}

size_t trail_pick(const struct trail *t, const struct address *source, unsigned bits,
	usec since, struct observation *out, size_t max, uint64_t *seen)
{
	struct picked p = {.out = out, .max = max, .since = since};
	const struct trail_source *s;

	if (bits == (source->family == 4 ? 32 : 128)) {
		s = find(t, source);
		if (s && max)
			pick_source(&p, s);
	} else {
		for (unsigned list = 0; max && list < 2; list++)
			for (s = t->lists[list].oldest; s; s = s->newer)
				if (within(&s->address, source, bits))
					pick_source(&p, s);
	}
	if (seen)
		*seen = p.seen;
	return p.n;
}

size_t trail_memory(const struct trail *t)
{
	return sizeof *t + t->bytes;
}
