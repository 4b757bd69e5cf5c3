/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/attempt.h"

#include <stdlib.h>

/* Unkeyed: who makes two of his own texts collide only tries fewer of them. */
static const struct hash_key fixed = {0x73697063, 0x6861696e};

uint32_t text_hash(const char *text)
{
	uint32_t hash;

	if (!*text)
		return 0;
	hash = (uint32_t)hash_bytes(&fixed, text, strlen(text));
	return hash ? hash : 1;
}

struct attempt attempt_of(const struct observation *o)
{
	return (struct attempt){
		.key = o->attempt,
		.time = o->time,
		.account = text_hash(o->account),
		.dialled = text_hash(o->dialled),
		.kind = o->kind & 15,
		.proof = o->proof < PROOF_COUNT ? o->proof & 15 : PROOF_NONE,
		.state = o->kind == OBSERVED_AUTH_OK || o->kind == OBSERVED_CALL ?
			ATTEMPT_ANSWERED :
			ATTEMPT_LIVE,
		.sensor = o->sensor & 7,
		.method = o->method & 15,
		.signs = o->signs & SIGNS_ALL,
		.sensors = (1U << (o->sensor & 7)) & 255,
	};
}

static bool same_attempt(
	const struct attempt *known, const struct attempt *new, usec keep)
{
	usec age = apart(known->time, new->time);
	uint32_t was = attempt_target(known), is = attempt_target(new);

	if (known->key != new->key)
		return false;
	if (age < ATTEMPT_SAME)
		return was == is || known->sensor != new->sensor || !was || !is;
	return age < keep && was == is &&
		known->sensor == new->sensor &&kind_is_challenge(known->kind) &&
		kind_is_challenge(new->kind);
}

struct attempt *attempts_find(
	const struct attempts *a, const struct attempt *new, usec keep)
{
	/* From the newest: a duplicate follows soon. */
	for (unsigned i = a->n; i-- > 0;)
		if (same_attempt(&a->list[i], new, keep))
			return &a->list[i];
	return NULL;
}

static bool is_login(uint8_t kind)
{
	return kind == OBSERVED_AUTH_FAILED || kind == OBSERVED_UNKNOWN_ACCOUNT;
}

struct attempt *attempts_twin(const struct attempts *a, const struct attempt *new)
{
	const unsigned keyless = 1U << SENSOR_KAMAILIO;

	if (!is_login(new->kind) || !new->account)
		return NULL;
	/* From the oldest: each sensor has them in their order. */
	for (unsigned i = 0; i < a->n; i++) {
		struct attempt *e = &a->list[i];

		if (is_login(e->kind) && e->account == new->account &&
			apart(e->time, new->time) < ATTEMPT_TWIN &&
			!(e->sensors & new->sensors) &&
			(e->sensors | new->sensors) & keyless)
			return e;
	}
	return NULL;
}

struct attempt *attempts_challenge(const struct attempts *a, const struct attempt *new)
{
	for (unsigned i = a->n; i-- > 0;) {
		struct attempt *e = &a->list[i];

		if (e->state != ATTEMPT_LIVE || apart(e->time, new->time) >= ATTEMPT_SAME)
			continue;
		if (e->kind == OBSERVED_SCAN)
			return e;
		if (e->kind == OBSERVED_UNKNOWN_ACCOUNT &&
			new->kind != OBSERVED_CALL_REJECTED &&
			(!e->account || !new->account || e->account == new->account))
			return e;
	}
	return NULL;
}

/* Drop attempts that can neither count nor be repeated any more. */
static void drop_old(struct attempts *a, usec now, usec keep)
{
	unsigned left = 0;

	/* Nearly always in order: then the first and the last are enough. */
	if (!a->mixed && apart(a->list[0].time, now) < keep &&
		apart(a->list[a->n - 1].time, now) < keep)
		return;
	while (left < a->n && apart(a->list[left].time, now) < keep)
		left++;
	for (unsigned i = left; i < a->n; i++)
		if (apart(a->list[i].time, now) < keep)
			a->list[left++] = a->list[i];
	a->n = (uint8_t)left;
}

static void drop_oldest(struct attempts *a)
{
	a->list++;
	a->gone++;
	a->room--;
	a->n--;
}

/* Room for one more behind the last. Returns 0, or -1 when memory is short. */
static int make_room(struct attempts *a)
{
	const unsigned most = ATTEMPTS_MAX + ATTEMPTS_SPARE;
	unsigned room = a->room + 1u + a->room / 4u;
	struct attempt *list;

	if (a->gone) {
		list = a->list - a->gone;
		memmove(list, a->list, a->n * sizeof(*list));
		a->list = list;
		a->room += a->gone;
		a->gone = 0;
		return 0;
	}
	/* Most sources of a spoofed flood are seen once: start small. */
	if (room > most)
		room = most;
	list = realloc(a->list, room * sizeof(*list));
	if (!list)
		return -1;
	a->list = list;
	a->room = (uint8_t)room;
	return 0;
}

struct attempt *attempts_add(struct attempts *a, const struct attempt *new, usec keep)
{
	if (a->n == a->capacity && a->n)
		drop_old(a, new->time, keep);
	if (a->n == ATTEMPTS_MAX)
		drop_oldest(a);
	if (a->n == a->room && make_room(a))
		return NULL;
	if (a->n == a->capacity)
		a->capacity = a->capacity ? (uint8_t)(a->capacity * 2u) : 2;
	if (!a->n)
		a->mixed = false;
	else if (new->time < a->list[a->n - 1].time)
		a->mixed = true;
	a->list[a->n] = *new;
	return &a->list[a->n++];
}

void attempts_free(struct attempts *a)
{
	free(a->list ? a->list - a->gone : NULL);
	memset(a, 0, sizeof(*a));
}

size_t attempts_memory(const struct attempts *a)
{
	return (a->room + (size_t)a->gone) * sizeof(*a->list);
}
