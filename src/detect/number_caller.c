/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/number_caller.h"

#include <stdlib.h>

#include "detect/attempt.h"

#define BUCKETS 4096 /* a power of two */

struct callers {
	struct hash_key key;
	size_t bytes, bytes_max, n, calls;
	uint64_t last_id;
	struct {
		struct caller *oldest, *newest;
	} lists[CALLERS_LISTS];
	struct caller *dirty, *dirty_last;
	struct caller *buckets[BUCKETS];
};

struct callers *callers_new(size_t bytes_max, struct hash_key key)
{
	struct callers *c = calloc(1, sizeof *c);

	if (c) {
		c->key = key;
		c->bytes_max = bytes_max;
	}
	return c;
}

/* --- lists and table */

static struct caller **bucket(const struct callers *c, const struct address *a)
{
	uint64_t h = hash_bytes(&c->key, a, sizeof *a) & (BUCKETS - 1);

	return (struct caller **)(uintptr_t)&c->buckets[h];
}

static void unlist(struct callers *c, struct caller *s)
{
	*(s->older ? &s->older->newer : &c->lists[s->list].oldest) = s->newer;
	*(s->newer ? &s->newer->older : &c->lists[s->list].newest) = s->older;
}

static void enlist(struct callers *c, struct caller *s)
{
	s->newer = NULL;
	s->older = c->lists[s->list].newest;
	*(s->older ? &s->older->newer : &c->lists[s->list].oldest) = s;
	c->lists[s->list].newest = s;
}

static size_t size_of(const struct call *k)
{
	return sizeof *k + strlen(k->dialled) + 1;
}

static void drop_first(struct callers *c, struct caller *s)
{
	struct call *k = s->first;

	s->first = k->next;
	if (!s->first)
		s->newest = NULL;
	s->n--;
	c->calls--;
	c->bytes -= size_of(k);
	free(k);
}

static void no_longer_dirty(struct callers *c, const struct caller *s)
{
	struct caller **at = &c->dirty, *before = NULL;

	while (*at && *at != s) {
		before = *at;
		at = &before->next_dirty;
	}
	if (!*at)
		return;
	*at = s->next_dirty;
	if (c->dirty_last == s)
		c->dirty_last = before;
}

static void forget(struct callers *c, struct caller *s)
{
	struct caller **at = bucket(c, &s->address);

	if (s->dirty)
		no_longer_dirty(c, s);
	while (*at != s)
		at = &(*at)->hash_next;
	*at = s->hash_next;
	unlist(c, s);
	while (s->n)
		drop_first(c, s);
	c->bytes -= sizeof *s;
	c->n--;
	free(s);
}

void callers_free(struct callers *c)
{
	if (!c)
		return;
	for (unsigned list = 0; list < CALLERS_LISTS; list++)
		while (c->lists[list].oldest)
			forget(c, c->lists[list].oldest);
	free(c);
}

/* Down to the limit; not keep, unless it is the only one. */
static void shrink(struct callers *c, const struct caller *keep)
{
	while (c->bytes > c->bytes_max) {
		struct caller *old = NULL;

		for (unsigned list = 0; !old && list < CALLERS_LISTS; list++) {
			old = c->lists[list].oldest;
			if (old && old == keep)
				old = old->newer;
		}
		if (!old)
			return;
		forget(c, old);
	}
}

void callers_limit(struct callers *c, size_t bytes_max)
{
	c->bytes_max = bytes_max;
	shrink(c, NULL);
}

struct caller *callers_find(const struct callers *c, const struct address *a)
{
	struct caller *s = *bucket(c, a);

	while (s && !address_eq(&s->address, a))
		s = s->hash_next;
	return s;
}

struct caller *callers_put(struct callers *c, const struct address *a, usec now)
{
	struct caller **at = bucket(c, a), *s = callers_find(c, a);

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			return NULL;
		s->address = *a;
		s->hash_next = *at;
		*at = s;
		c->bytes += sizeof *s;
		c->n++;
	} else {
		unlist(c, s);
	}
	s->last = now;
	enlist(c, s);
	shrink(c, s);
	return s;
}

static bool is_within(const struct address *a, const struct address *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->family != net->family || memcmp(a->bytes, net->bytes, whole) != 0)
		return false;
	return !rest || !((a->bytes[whole] ^ net->bytes[whole]) >> (8 - rest));
}

struct caller *callers_first(const struct callers *c, enum caller_list list)
{
	return c->lists[list].oldest;
}

struct caller *callers_within(const struct callers *c, const struct caller *after,
	const struct address *net, unsigned bits)
{
	bool whole = bits == (net->family == 4 ? 32 : 128);
	struct caller *s = after ? after->newer : NULL;
	unsigned list = after ? after->list + 1U : 0;

	if (whole)
		return after ? NULL : callers_find(c, net);
	for (;;) {
		for (; s; s = s->newer)
			if (is_within(&s->address, net, bits))
				return s;
		if (list == CALLERS_LISTS)
			return NULL;
		s = c->lists[list++].oldest;
	}
}

void callers_move(struct callers *c, struct caller *s, enum caller_list list)
{
	if (s->list >= list)
		return;
	unlist(c, s);
	s->list = (uint8_t)list;
	enlist(c, s);
}

/* --- calls */

static uint8_t way_of(const struct observation *o)
{
	if (o->sensor == SENSOR_HONEYPOT)
		return CALL_BAIT;
	switch (o->kind) {
	case OBSERVED_AUTH_FAILED:
	case OBSERVED_UNKNOWN_ACCOUNT:
	case OBSERVED_SCAN:
	case OBSERVED_CALL_REJECTED:
		return CALL_REFUSED;
	case OBSERVED_AUTH_OK:
	case OBSERVED_CALL:
		return CALL_PAID;
	default:
		return CALL_NOTHING;
	}
}

/*
 * The call that an observation tells of again: another sensor's word of it, or
 * another message of the same call.
 */
static struct call *same_call(
	const struct caller *s, const struct observation *o, uint64_t key)
{
	struct call *found = NULL;

	for (struct call *k = s->first; k; k = k->next)
		if (apart(k->time, o->time) < CALL_SAME &&
			!strcmp(k->dialled, o->dialled) &&
			(key ? k->key == key || !(k->sensors & 1U << (o->sensor & 7)) :
			       true))
			found = k;
	return found;
}

static void merge(struct call *k, const struct observation *o, uint32_t account)
{
	uint8_t way = way_of(o);

	/* A proof by itself says nothing of what became of the call. */
	if (o->kind != OBSERVED_PROOF && way > k->way)
		k->way = way;
	if (proof_rank(o->proof) > proof_rank(k->proof))
		k->proof = o->proof;
	if (account)
		k->account = account;
	k->sensors |= (uint8_t)(1U << (o->sensor & 7));
}

void callers_call(struct callers *c, struct caller *s, const struct observation *o)
{
	uint64_t key = o->call_id ? o->call_id : o->attempt;
	uint32_t account = text_hash(o->account);
	struct call *k = same_call(s, o, key);
	size_t n = strlen(o->dialled);

	if (k) {
		merge(k, o, account);
		return;
	}
	k = calloc(1, sizeof *k + n + 1);
	if (!k)
		return;
	memcpy(k->dialled, o->dialled, n);
	k->time = o->time;
	k->id = ++c->last_id;
	k->key = key;
	k->way = CALL_REFUSED;
	merge(k, o, account);
	if (o->kind == OBSERVED_PROOF)
		k->way = way_of(o);
	if (s->n == CALLS_MAX)
		drop_first(c, s);
	*(s->newest ? &s->newest->next : &s->first) = k;
	s->newest = k;
	s->n++;
	c->calls++;
	c->bytes += size_of(k);
	shrink(c, s);
}

void callers_prove(struct caller *s, const struct observation *o)
{
	uint64_t key = o->call_id ? o->call_id : o->attempt;

	for (struct call *k = s->first; k && key; k = k->next)
		if (k->key == key && apart(k->time, o->time) < CALL_SAME &&
			k->sensors & 1U << (o->sensor & 7) &&
			proof_rank(o->proof) > proof_rank(k->proof))
			k->proof = o->proof;
}

/* --- those to be judged */

void callers_soil(struct callers *c, struct caller *s, bool at_once)
{
	if (s->dirty && !at_once)
		return;
	if (s->dirty)
		no_longer_dirty(c, s);
	s->dirty = true;
	s->next_dirty = at_once ? c->dirty : NULL;
	if (at_once) {
		s->judged = 0;
		c->dirty = s;
		c->dirty_last = c->dirty_last ? c->dirty_last : s;
		return;
	}
	*(c->dirty_last ? &c->dirty_last->next_dirty : &c->dirty) = s;
	c->dirty_last = s;
}

struct caller *callers_take_dirty(struct callers *c, usec before)
{
	struct caller *s = c->dirty;

	/*
	 * Those behind the first wait with it, a second at most. None waits for a
	 * clock that was set back.
	 */
	if (!s || (s->judged > before && s->judged - before < 2 * USEC_PER_SEC))
		return NULL;
	no_longer_dirty(c, s);
	s->dirty = false;
	return s;
}

size_t callers_count(const struct callers *c)
{
	return c->n;
}

size_t callers_calls(const struct callers *c)
{
	return c->calls;
}

size_t callers_memory(const struct callers *c)
{
	return sizeof *c + c->bytes;
}
