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
	uint32_t dialled = text_hash(o->dialled);
	struct attempt a = {
		.key = o->attempt,
		.time = o->time,
		.account = text_hash(o->account),
		.dialled = dialled,
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

	/* Multiplied, for an account that dials itself is a target, too. */
	a.target = a.account + dialled * 31;
	return a;
}

unsigned kind_harm(uint8_t kind)
{
	static const uint8_t harm[] = {
		[OBSERVED_SCAN] = 1,
		[OBSERVED_MALFORMED] = 2,
		[OBSERVED_UNKNOWN_ACCOUNT] = 3,
		[OBSERVED_AUTH_FAILED] = 4,
		[OBSERVED_CALL_REJECTED] = 5,
	};

	return kind < sizeof(harm) ? harm[kind] : 0;
}

unsigned proof_rank(uint8_t proof)
{
	static const uint8_t rank[PROOF_COUNT] = {
		[PROOF_LOG] = PROOF_RANK_LOG,
		[PROOF_ACK] = PROOF_RANK_PROVED,
		[PROOF_TCP] = 3,
		[PROOF_NONCE] = 4,
		[PROOF_AUTH] = 5,
	};

	return proof < PROOF_COUNT ? rank[proof] : 0;
}

static bool same_attempt(
	const struct attempt *known, const struct attempt *new, usec keep)
{
	usec age = apart(known->time, new->time);
	bool same_target = known->target == new->target;

	if (known->key != new->key)
		return false;
	if (age < ATTEMPT_SAME)
		return same_target || known->sensor != new->sensor || !known->target ||
			!new->target;
	return age < keep && same_target &&
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

	for (unsigned i = 0; i < a->n; i++)
		if (apart(a->list[i].time, now) < keep)
			a->list[left++] = a->list[i];
	a->n = (uint8_t)left;
}

/* Make room for one more. Returns 0, or -1 when memory is short. */
static int make_room(struct attempts *a)
{
	unsigned capacity = a->capacity ? a->capacity * 2u : 2;
	struct attempt *list;

	if (a->capacity == ATTEMPTS_MAX) {
		memmove(a->list, a->list + 1, (a->n - 1u) * sizeof(*a->list));
		a->n--;
		return 0;
	}
	/* Most sources of a spoofed flood are seen once: start small. */
	list = realloc(a->list, capacity * sizeof(*list));
	if (!list)
		return -1;
	a->list = list;
	a->capacity = (uint8_t)capacity;
	return 0;
}

struct attempt *attempts_add(struct attempts *a, const struct attempt *new, usec keep)
{
	if (a->n == a->capacity && a->n)
		drop_old(a, new->time, keep);
	if (a->n == a->capacity && make_room(a))
		return NULL;
	a->list[a->n] = *new;
	return &a->list[a->n++];
}

void attempts_free(struct attempts *a)
{
	free(a->list);
	memset(a, 0, sizeof(*a));
}
