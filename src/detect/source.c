/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/source.h"
#include "base/table.h"

#include <stdlib.h>

struct sources {
	struct table *by_address; /* of struct entry */
	struct link unproved, proved, ripening;
	uint32_t max;
	uint64_t evicted;
};

/* The table moves its records; sources have lists through them and may not. */
struct entry {
	struct address address;
	struct source *source;
};

static void list_init(struct link *l)
{
	l->prev = l->next = l;
}

/* Out of whatever list it is in, linked to itself. */
static void list_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* To the end of a list. */
static void list_append(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static struct source *of_age(struct link *l)
{
	return (struct source *)((char *)l - offsetof(struct source, age));
}

static struct source *of_ripening(struct link *l)
{
	return (struct source *)((char *)l - offsetof(struct source, ripening));
}

static void source_free(struct source *source)
{
	list_remove(&source->age);
	list_remove(&source->ripening);
	attempts_free(&source->attempts);
	free(source);
}

struct sources *sources_new(uint32_t max, struct hash_key key)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->by_address = table_new(sizeof(struct entry), sizeof(struct address), 0, key);
	if (!s->by_address) {
		free(s);
		return NULL;
	}
	list_init(&s->unproved);
	list_init(&s->proved);
	list_init(&s->ripening);
	s->max = max ? max : 1;
	return s;
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	while (s->unproved.next != &s->unproved)
		source_free(of_age(s->unproved.next));
	while (s->proved.next != &s->proved)
		source_free(of_age(s->proved.next));
	table_free(s->by_address);
	free(s);
}

void sources_limit(struct sources *s, uint32_t max)
{
	s->max = max ? max : 1;
}

/* Make room for one: the oldest unproved, and only then the oldest proved. */
static void evict(struct sources *s)
{
	struct link *head = s->unproved.next != &s->unproved ? &s->unproved : &s->proved;
	struct source *oldest = of_age(head->next);

	table_remove(s->by_address, &oldest->address);
	source_free(oldest);
	s->evicted++;
}

struct source *sources_put(struct sources *s, const struct address *address)
{
	struct entry *e = table_get(s->by_address, address);
	struct source *source;

	if (e) {
		source = e->source;
		list_remove(&source->age);
		list_append(source->proved ? &s->proved : &s->unproved, &source->age);
		return source;
	}
	while (table_count(s->by_address) >= s->max)
		evict(s);
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	e = table_put(s->by_address, address, NULL);
	if (!e) {
		free(source);
		return NULL;
	}
	e->source = source;
	source->address = *address;
	list_init(&source->ripening);
	list_append(&s->unproved, &source->age);
	return source;
}

struct source *sources_find(const struct sources *s, const struct address *address)
{
	struct entry *e = table_get(s->by_address, address);

	return e ? e->source : NULL;
}

void sources_unfit(struct sources *s)
{
	struct entry *e;
	size_t at = 0;

	while ((e = table_next(s->by_address, &at)))
		for (unsigned i = 0; i < e->source->attempts.n; i++)
			e->source->attempts.list[i].fits =
				e->source->attempts.list[i].phone = 0;
}

void sources_keep(struct sources *s, struct source *source)
{
	if (source->proved)
		return;
	source->proved = true;
	list_remove(&source->age);
	list_append(&s->proved, &source->age);
}

void sources_ripen(struct sources *s, struct source *source, usec at)
{
	if (source->ripening.next != &source->ripening)
		return;
	source->ripe = at;
	list_append(&s->ripening, &source->ripening);
}

struct source *sources_ripe(struct sources *s, usec now)
{
	struct source *first;

	if (s->ripening.next == &s->ripening)
		return NULL;
	first = of_ripening(s->ripening.next);
	/*
	 * Appended with one and the same delay, so in order of time but for the
	 * sensors' differing clocks. A head that is further ahead than any delay
	 * comes of a clock set back and must not hold up its followers.
	 */
	if (first->ripe > now && first->ripe - now < RIPEN_MOST)
		return NULL;
	list_remove(&first->ripening);
	return first;
}

size_t sources_count(const struct sources *s)
{
	return table_count(s->by_address);
}

/* The lists' lengths are not known without walking: figures are rare. */
static size_t attempts_memory(const struct link *head)
{
	size_t bytes = 0;

	for (struct link *l = head->next; l != head; l = l->next)
		bytes += of_age(l)->attempts.capacity * sizeof(struct attempt);
	return bytes;
}

size_t sources_memory(const struct sources *s)
{
	return sizeof(*s) + table_memory(s->by_address) +
		table_count(s->by_address) * sizeof(struct source) +
		attempts_memory(&s->unproved) + attempts_memory(&s->proved);
}

uint64_t sources_evicted(const struct sources *s)
{
	return s->evicted;
}
