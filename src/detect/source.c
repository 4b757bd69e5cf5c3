/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/source.h"
#include "base/buckets.h"

#include <stdlib.h>

#define NOWHERE     UINT32_MAX
#define BLOCK       64 /* sources made room for at once */
#define TEXTS_LEAST 24 /* what the C library gives anyway */

_Static_assert(sizeof(struct source) <= 128, "two lines of a cache");

struct list {
	uint32_t first, last;
};

/*
 * Sources stand in blocks, so that they keep their place and have neither a
 * pointer for each link nor the C library's overhead. Free places are chained.
 */
struct sources {
	struct source **blocks;
	uint32_t blocks_count, free, count, max;
	struct buckets by_address;
	struct list unproved, proved, ripening;
	uint64_t evicted;
};

static struct source *at(const struct sources *s, uint32_t place)
{
	return &s->blocks[place / BLOCK][place % BLOCK];
}

/* Out of a list that it is in. */
static void list_remove(struct sources *s, struct list *list, enum source_list which,
	struct source *source)
{
	uint32_t prev = source->link[which].prev, next = source->link[which].next;

	if (prev == NOWHERE)
		list->first = next;
	else
		at(s, prev)->link[which].next = next;
	if (next == NOWHERE)
		list->last = prev;
	else
		at(s, next)->link[which].prev = prev;
}

/* To the end of a list. */
static void list_append(struct sources *s, struct list *list, enum source_list which,
	struct source *source)
{
	source->link[which].prev = list->last;
	source->link[which].next = NOWHERE;
	if (list->last == NOWHERE)
		list->first = source->place;
	else
		at(s, list->last)->link[which].next = source->place;
	list->last = source->place;
}

static struct list *list_of_age(struct sources *s, const struct source *source)
{
	return source->proved ? &s->proved : &s->unproved;
}

struct sources *sources_new(uint32_t max, struct hash_key key)
{
	struct sources *s = calloc(1, sizeof(*s));
	bool emptied;

	if (!s)
		return NULL;
	s->by_address.key = key;
	if (buckets_fit(&s->by_address, 0, &emptied)) {
		free(s);
		return NULL;
	}
	s->free = NOWHERE;
	s->unproved = s->proved = s->ripening = (struct list){NOWHERE, NOWHERE};
	sources_limit(s, max);
	return s;
}

/* What a source has elsewhere. */
static void source_clear(struct source *source)
{
	attempts_free(&source->attempts);
	free(source->successes);
	free(source->texts);
}

/* The next of a walk through the whole list of age, or NULL. */
static struct source *next_of(const struct sources *s, uint32_t place)
{
	return place == NOWHERE ? NULL : at(s, place);
}

/* All sources, first the unproved; NULL begins, and ends. */
static struct source *walk(const struct sources *s, const struct source *last)
{
	struct source *next;

	if (!last) {
		next = next_of(s, s->unproved.first);
		return next ? next : next_of(s, s->proved.first);
	}
	next = next_of(s, last->link[LIST_AGE].next);
	return next || last->proved ? next : next_of(s, s->proved.first);
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	for (struct source *one = walk(s, NULL); one; one = walk(s, one))
		source_clear(one);
	for (uint32_t i = 0; i < s->blocks_count; i++)
		free(s->blocks[i]);
	free(s->blocks);
	buckets_free(&s->by_address);
	free(s);
}

void sources_limit(struct sources *s, uint32_t max)
{
	/* Places are numbers below BUCKET_END. */
	s->max = max ? max : 1;
	if (s->max > UINT32_MAX - BLOCK)
		s->max = UINT32_MAX - BLOCK;
}

static uint32_t *bucket(const struct sources *s, const struct address *address)
{
	return bucket_of(&s->by_address, address, sizeof *address);
}

/* Back to the free places. */
static void discard(struct sources *s, struct source *source)
{
	uint32_t *place = bucket(s, &source->address);

	while (*place != source->place)
		place = &at(s, *place)->chain;
	*place = source->chain;
	list_remove(s, list_of_age(s, source), LIST_AGE, source);
	if (source->ripening)
		list_remove(s, &s->ripening, LIST_RIPENING, source);
	source_clear(source);
	source->chain = s->free;
	s->free = source->place;
	s->count--;
}

/* Make room for one: the oldest unproved, and only then the oldest proved. */
static void evict(struct sources *s)
{
	discard(s, walk(s, NULL));
	s->evicted++;
}

/* More free places. Returns 0, or -1 when memory is short. */
static int add_block(struct sources *s)
{
	uint32_t count = s->blocks_count;
	struct source **blocks = s->blocks;

	if (!(count & (count - 1))) {
		blocks = realloc(
			blocks, (count ? 2 * (size_t)count : 1) * sizeof *blocks);
		if (!blocks)
			return -1;
		s->blocks = blocks;
	}
	/* Each in as few lines of the processor's cache as it can be. */
	blocks[count] = aligned_alloc(64, BLOCK * sizeof **blocks);
	if (!blocks[count])
		return -1;
	s->blocks_count++;
	for (uint32_t i = BLOCK; i-- > 0;) {
		blocks[count][i].place = count * BLOCK + i;
		blocks[count][i].chain = s->free;
		s->free = count * BLOCK + i;
	}
	return 0;
}

/* Fit the buckets to one more source. */
static void fit(struct sources *s)
{
	bool emptied;

	/* Short chains, for each step is another source's memory. */
	if (buckets_fit(&s->by_address, 2 * (s->count + (size_t)1), &emptied) || !emptied)
		return;
	for (struct source *one = walk(s, NULL); one; one = walk(s, one)) {
		uint32_t *place = bucket(s, &one->address);

		one->chain = *place;
		*place = one->place;
	}
}

/* A new one in a free place. NULL when memory is short. */
static struct source *add(struct sources *s, const struct address *address)
{
	struct source *source;
	uint32_t *place;

	if (s->free == NOWHERE && add_block(s))
		return NULL;
	fit(s);
	place = bucket(s, address);
	source = at(s, s->free);
	s->free = source->chain;
	*source = (struct source){
		.place = source->place, .chain = *place, .address = *address};
	*place = source->place;
	s->count++;
	return source;
}

struct source *sources_put(struct sources *s, const struct address *address)
{
	struct source *source = sources_find(s, address);

	if (source) {
		/* All of it is needed soon, and there is much of it. */
		__builtin_prefetch(source->texts);
		__builtin_prefetch(source->attempts.list + source->attempts.n);
		list_remove(s, list_of_age(s, source), LIST_AGE, source);
	} else {
		while (s->count >= s->max)
			evict(s);
		source = add(s, address);
		if (!source)
			return NULL;
	}
	list_append(s, list_of_age(s, source), LIST_AGE, source);
	return source;
}

struct source *sources_find(const struct sources *s, const struct address *address)
{
	uint32_t place = *bucket(s, address);

	while (place != BUCKET_END && !address_eq(&at(s, place)->address, address))
		place = at(s, place)->chain;
	return place == BUCKET_END ? NULL : at(s, place);
}

void sources_unfit(struct sources *s)
{
	for (struct source *one = walk(s, NULL); one; one = walk(s, one))
		for (unsigned i = 0; i < one->attempts.n; i++)
			one->attempts.list[i].fits = one->attempts.list[i].phone = 0;
}

void sources_keep(struct sources *s, struct source *source)
{
	if (source->proved)
		return;
	list_remove(s, &s->unproved, LIST_AGE, source);
	source->proved = true;
	list_append(s, &s->proved, LIST_AGE, source);
}

void sources_ripen(struct sources *s, struct source *source, usec time)
{
	if (source->ripening)
		return;
	source->ripe = time;
	source->ripening = true;
	list_append(s, &s->ripening, LIST_RIPENING, source);
}

struct source *sources_ripe(struct sources *s, usec now)
{
	struct source *first;

	if (s->ripening.first == NOWHERE)
		return NULL;
	first = at(s, s->ripening.first);
	/*
	 * Appended with one and the same delay, so in order of time but for the
	 * sensors' differing clocks. A head that is further ahead than any delay
	 * comes of a clock set back and must not hold up its followers.
	 */
	if (first->ripe > now && first->ripe - now < RIPEN_MOST)
		return NULL;
	list_remove(s, &s->ripening, LIST_RIPENING, first);
	first->ripening = false;
	return first;
}

size_t sources_count(const struct sources *s)
{
	return s->count;
}

size_t sources_memory(const struct sources *s)
{
	size_t bytes = sizeof(*s) + buckets_memory(&s->by_address) +
		s->blocks_count * (sizeof *s->blocks + BLOCK * sizeof **s->blocks);

	/* Not known without walking: figures are rare. */
	for (struct source *one = walk(s, NULL); one; one = walk(s, one))
		bytes += attempts_memory(&one->attempts) + one->texts_room +
			(one->successes ? SUCCESSES_MAX * sizeof *one->successes : 0);
	return bytes;
}

uint64_t sources_evicted(const struct sources *s)
{
	return s->evicted;
}

/* --- one source */

struct source_texts source_texts(const struct source *s)
{
	struct source_texts t = {"", "", ""};

	if (s->texts) {
		t.account = s->texts;
		t.dialled = t.account + strlen(t.account) + 1;
		t.agent = t.dialled + strlen(t.dialled) + 1;
	}
	return t;
}

/* new, or old where new is empty, behind what is in all; with its end. */
static size_t put_text(char *all, size_t n, const char *new, const char *old)
{
	const char *text = *new ? new : old;
	size_t length = strlen(text) + 1;

	memcpy(all + n, text, length);
	return n + length;
}

void source_take_texts(struct source *s, const struct observation *o)
{
	bool proof = o->kind == OBSERVED_PROOF; /* says nothing of an attempt */
	struct source_texts old = source_texts(s);
	char all[sizeof o->account + sizeof o->dialled + sizeof o->agent];
	size_t n = 0, room;
	char *texts;

	if (!*o->agent && (proof || (!*o->account && !*o->dialled)))
		return;
	n = put_text(all, n, proof ? "" : o->account, old.account);
	n = put_text(all, n, proof ? "" : o->dialled, old.dialled);
	n = put_text(all, n, o->agent, old.agent);
	if (n > s->texts_room) {
		room = n < TEXTS_LEAST ? TEXTS_LEAST : n;
		texts = realloc(s->texts, room);
		if (!texts)
			return;
		s->texts = texts;
		s->texts_room = (uint8_t)room;
	}
	memcpy(s->texts, all, n);
}

void source_succeeded(struct source *s, uint32_t account, usec time)
{
	unsigned place = 0;

	if (!s->successes)
		s->successes = calloc(SUCCESSES_MAX, sizeof *s->successes);
	if (!s->successes)
		return;
	for (unsigned i = 0; i < SUCCESSES_MAX; i++) {
		if (s->successes[i].time && s->successes[i].account == account) {
			place = i;
			break;
		}
		if (s->successes[i].time < s->successes[place].time)
			place = i;
	}
	s->successes[place] = (struct success){time, account};
}
