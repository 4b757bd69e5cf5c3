/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/ban_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/table.h"
#include "indicator/number.h"

/*
 * Orders wait as keys in a ring, not as orders: what is sent is what the ban
 * is at that moment, so ten changes before the enforcer is ready are one.
 */
struct ring {
	uint8_t (*keys)[BAN_KEY_SIZE];
	size_t head, n, capacity;
	uint64_t put; /* ever */
};

struct ban_table {
	struct table *bans;
	struct ring queue;
	struct heap ends; /* lazily: an entry counts when the ban still ends then */
	size_t deleting;
	unsigned kept;           /* bits 1 << kind: nothing is ordered */
	ban_carries_fn *carries; /* NULL: it carries all but those */
	const void *carrier;
	/* Bits of the lengths that bans of a scope and kind have, or once had. */
	uint8_t lengths[2][INDICATOR_AGENT + 1][17];
};

/* The byte of its length's bit, or NULL: no ban can have it. */
static uint8_t *length_at(struct ban_table *t, uint8_t scope, const struct indicator *i)
{
	if (scope > BAN_ALL || i->kind > INDICATOR_AGENT || i->plen > 128)
		return NULL;
	return &t->lengths[scope][i->kind][i->plen / 8];
}

static void key_of(uint8_t key[BAN_KEY_SIZE], const struct indicator *i, uint8_t scope)
{
	memcpy(key, i, INDICATOR_SIZE);
	key[INDICATOR_SIZE] = scope;
}

/* Append a key. Returns 0, or -1 when memory is short. */
static int ring_put(struct ring *r, const void *key)
{
	if (r->n == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 64;
		uint8_t(*keys)[BAN_KEY_SIZE] = malloc(capacity * BAN_KEY_SIZE);

		if (!keys)
			return -1;
		for (size_t i = 0; i < r->n; i++)
			memcpy(keys[i], r->keys[(r->head + i) % r->capacity],
				BAN_KEY_SIZE);
		free(r->keys);
		r->keys = keys;
		r->head = 0;
		r->capacity = capacity;
	}
	memcpy(r->keys[(r->head + r->n++) % r->capacity], key, BAN_KEY_SIZE);
	r->put++;
	return 0;
}

static const uint8_t *ring_take(struct ring *r)
{
	const uint8_t *key = r->keys[r->head];

	r->head = (r->head + 1) % r->capacity;
	r->n--;
	return key;
}

struct ban_table *ban_table_new(struct hash_key key)
{
	struct ban_table *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->bans = table_new(sizeof(struct ban), BAN_KEY_SIZE, 0, key);
	if (!t->bans) {
		free(t);
		return NULL;
	}
	return t;
}

void ban_table_free(struct ban_table *t)
{
	if (!t)
		return;
	table_free(t->bans);
	heap_free(&t->ends);
	free(t->queue.keys);
	free(t);
}

void ban_table_keep(struct ban_table *t, unsigned kinds)
{
	t->kept = kinds;
}

void ban_table_carry(struct ban_table *t, ban_carries_fn *carries, const void *context)
{
	t->carries = carries;
	t->carrier = context;
}

bool ban_table_keeps(const struct ban_table *t, const struct indicator *i)
{
	return (i->kind < 32 && t->kept >> i->kind & 1) ||
		(t->carries && !t->carries(t->carrier, i));
}

/* --- when they end --- */

/* Fewer than so many entries are no burden, whatever they mean. */
#define ENDS_FEW 256

/*
 * Of an end that was changed the old entry stays in the heap until its time comes: a
 * ban whose end is set anew each second for a month would leave millions. So when most
 * entries mean nothing the heap is made anew from the bans. Each time costs as much as
 * the changes that led to it.
 */
static void shed_ends(struct ban_table *t)
{
	size_t at = 0, count = table_count(t->bans);
	const struct ban *b;

	if (t->ends.n < ENDS_FEW || t->ends.n < 2 * count)
		return;
	t->ends.n = 0;
	/* No allocation: there is room for twice as many. */
	while ((b = table_next(t->bans, &at)))
		heap_push(&t->ends, b->until, b, BAN_KEY_SIZE);
}

static void note_end(struct ban_table *t, const struct ban *b)
{
	shed_ends(t);
	heap_push(&t->ends, b->until, b, BAN_KEY_SIZE);
}

/* Put a ban's key into the queue, once. */
static void enqueue(struct ban_table *t, struct ban *b)
{
	if (b->waiting)
		return;
	if (ban_table_keeps(t, &b->indicator)) {
		b->state = BAN_KEPT;
		return;
	}
	if (!ring_put(&t->queue, b))
		b->waiting = 1;
	b->state = BAN_QUEUED;
}

bool ban_table_set(struct ban_table *t, const struct indicator *i, uint8_t scope,
	uint8_t origin, uint8_t category, uint32_t until, uint32_t now)
{
	uint8_t key[BAN_KEY_SIZE], *length = length_at(t, scope, i);
	struct ban *b;
	bool fresh;

	key_of(key, i, scope);
	b = table_put(t->bans, key, &fresh);
	if (!b)
		return false;
	if (length)
		*length |= (uint8_t)(1U << i->plen % 8);
	if (!fresh && !b->deleting && b->until == until && b->origin == origin)
		return false;
	if (b->deleting)
		t->deleting--;
	if (fresh || b->deleting)
		b->since = now;
	b->origin = origin;
	b->category = category;
	/* Of one that was being deleted the end may have been passed over. */
	fresh = fresh || b->deleting || b->until != until;
	b->deleting = 0;
	b->until = until;
	if (fresh)
		note_end(t, b);
	enqueue(t, b);
	return true;
}

bool ban_table_clear(struct ban_table *t, const struct indicator *i, uint8_t scope)
{
	uint8_t key[BAN_KEY_SIZE];
	struct ban *b;

	key_of(key, i, scope);
	b = table_get(t->bans, key);
	if (!b || b->deleting)
		return false;
	if (ban_table_keeps(t, i))
		return table_remove(t->bans, key);
	b->deleting = 1;
	t->deleting++;
	enqueue(t, b);
	return true;
}

void ban_table_restore(struct ban_table *t, const struct ban *from)
{
	ban_table_set(t, &from->indicator, from->scope, from->origin, from->category,
		from->until, from->since);
}

const struct ban *ban_table_get(
	const struct ban_table *t, const struct indicator *i, uint8_t scope)
{
	uint8_t key[BAN_KEY_SIZE];
	const struct ban *b;

	key_of(key, i, scope);
	b = table_get(t->bans, key);
	return b && !b->deleting ? b : NULL;
}

const struct ban *ban_table_around(
	const struct ban_table *t, const struct indicator *i, uint8_t scope)
{
	if (scope > BAN_ALL || i->kind > INDICATOR_AGENT || i->plen > 128)
		return NULL;
	for (int plen = i->plen; plen >= 0; plen--) {
		struct indicator wide;
		const struct ban *b;

		if (!(t->lengths[scope][i->kind][plen / 8] & 1U << plen % 8))
			continue;
		wide = indicator_widen(i, (uint8_t)plen);
		b = ban_table_get(t, &wide, scope);
		if (b)
			return b;
	}
	return NULL;
}

const struct ban *ban_table_digits(
	const struct ban_table *t, struct view digits, uint8_t scope)
{
	struct indicator i;
	const struct ban *b = NULL;

	if (!indicator_from_digits(&i, digits))
		b = ban_table_get(t, &i, scope);
	for (size_t n = digits.n < NUMBER_DIGITS ? digits.n : NUMBER_DIGITS; n && !b; n--)
		if (!number_from_prefix(&i, view_head(digits, n)))
			b = ban_table_get(t, &i, scope);
	return b;
}

size_t ban_table_take(struct ban_table *t, struct ban_order *orders, size_t max)
{
	size_t n = 0;

	while (n < max && t->queue.n) {
		struct ban *b = table_get(t->bans, ring_take(&t->queue));

		if (!b || !b->waiting)
			continue;
		b->waiting = 0;
		b->state = BAN_ORDERED;
		orders[n++] = (struct ban_order){
			.indicator = b->indicator,
			.change = b->deleting ? BAN_DELETE : BAN_ADD,
			.scope = b->scope,
			.until = b->until,
			.origin = b->origin,
			.category = b->category,
		};
	}
	return n;
}

uint64_t ban_table_mark(const struct ban_table *t)
{
	return t->queue.put;
}

bool ban_table_passed(const struct ban_table *t, uint64_t mark)
{
	return t->queue.put - t->queue.n >= mark;
}

bool ban_table_done(struct ban_table *t, const struct ban_order *order, bool carried_out)
{
	uint8_t key[BAN_KEY_SIZE];
	struct ban *b;

	key_of(key, &order->indicator, order->scope);
	b = table_get(t->bans, key);
	/* Changed again since: the answer to the newer order will count. */
	if (!b || b->waiting)
		return false;
	if (b->deleting) {
		if (order->change != BAN_DELETE)
			return false;
		/* An innocent's number may stand there still: it is tried again. */
		if (!carried_out) {
			b->state = BAN_REFUSED;
			note_end(t, b); /* it may have been passed over */
			return false;
		}
		t->deleting--;
		table_remove(t->bans, key);
		return true;
	}
	b->state = carried_out ? BAN_STANDING : BAN_REFUSED;
	return false;
}

void ban_table_requeue(struct ban_table *t)
{
	struct ban *b;
	size_t at = 0;

	/* All are queued below: what found() left behind in the ring goes. */
	t->queue.head = t->queue.n = 0;
	while ((b = table_next(t->bans, &at))) {
		b->waiting = 0;
		enqueue(t, b);
	}
}

bool ban_table_found(
	struct ban_table *t, const struct indicator *i, uint8_t scope, uint32_t until)
{
	uint8_t key[BAN_KEY_SIZE];
	struct ban *b;

	key_of(key, i, scope);
	b = table_get(t->bans, key);
	if (!b || b->deleting || b->until != until)
		return false;
	b->waiting = 0; /* its key stays in the ring, and is passed over */
	b->state = BAN_STANDING;
	return true;
}

size_t ban_table_retry(struct ban_table *t)
{
	struct ban *b;
	size_t at = 0, n = 0;

	while ((b = table_next(t->bans, &at))) {
		if (b->state != BAN_REFUSED)
			continue;
		enqueue(t, b);
		n++;
	}
	return n;
}

void ban_table_drop_all(struct ban_table *t)
{
	table_clear(t->bans);
	t->queue.head = t->queue.n = 0;
	t->ends.n = 0;
	t->deleting = 0;
}

void ban_table_clear_all(struct ban_table *t)
{
	struct ban *b;
	size_t at = 0;

	while ((b = table_next(t->bans, &at))) {
		if (b->deleting)
			continue;
		if (ban_table_keeps(t, &b->indicator)) {
			/* Never ordered: it is over, and nobody's answer is waited for. */
			b->until = 0;
			note_end(t, b);
			continue;
		}
		b->deleting = 1;
		t->deleting++;
		enqueue(t, b);
	}
}

uint32_t ban_table_end(struct ban_table *t, uint32_t now, ban_fn *fn, void *context)
{
	const struct heap_entry *first;

	while ((first = heap_peek(&t->ends))) {
		struct ban *b = table_get(t->bans, first->payload);
		bool meant = b && b->until == first->at && !b->deleting;

		if (meant && first->at > now)
			return (uint32_t)first->at;
		heap_pop(&t->ends);
		if (!meant)
			continue;
		fn(context, b);
		if (ban_table_keeps(t, &b->indicator)) {
			struct ban gone = *b;

			table_remove(t->bans, &gone);
			continue;
		}
		b->deleting = 1;
		t->deleting++;
		enqueue(t, b);
	}
	return 0;
}

uint32_t ban_table_expire(struct ban_table *t, uint32_t now, ban_fn *fn, void *context)
{
	return ban_table_expire_some(t, now, SIZE_MAX, fn, context);
}

uint32_t ban_table_expire_some(
	struct ban_table *t, uint32_t now, size_t most, ban_fn *fn, void *context)
{
	const struct heap_entry *first;

	while ((first = heap_peek(&t->ends))) {
		struct ban *b = table_get(t->bans, first->payload);
		/* What is being deleted goes when the enforcer has followed. */
		bool meant = b && b->until == first->at &&
			(!b->deleting || b->state == BAN_REFUSED);
		struct ban gone;

		if (meant && (first->at > now || !most))
			return (uint32_t)first->at;
		heap_pop(&t->ends);
		if (!meant)
			continue;
		most--;
		gone = *b;
		table_remove(t->bans, &gone);
		if (gone.deleting)
			t->deleting--;
		else
			fn(context, &gone);
	}
	return 0;
}

void ban_table_each(const struct ban_table *t, ban_fn *fn, void *context)
{
	const struct ban *b;
	size_t at = 0;

	while ((b = table_next(t->bans, &at)))
		if (!b->deleting)
			fn(context, b);
}

void ban_table_tally(const struct ban_table *t, size_t out[BAN_KEPT + 1])
{
	const struct ban *b;
	size_t at = 0;

	memset(out, 0, (BAN_KEPT + 1) * sizeof out[0]);
	while ((b = table_next(t->bans, &at)))
		out[b->state <= BAN_KEPT ? b->state : 0]++;
}

bool ban_table_empty(const struct ban_table *t)
{
	return !table_count(t->bans);
}

size_t ban_table_count(const struct ban_table *t)
{
	return table_count(t->bans) - t->deleting;
}

size_t ban_table_queued(const struct ban_table *t)
{
	return t->queue.n;
}

size_t ban_table_memory(const struct ban_table *t)
{
	return table_memory(t->bans) + t->queue.capacity * BAN_KEY_SIZE +
		t->ends.capacity * sizeof(struct heap_entry);
}
