/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/wire_table.h"

#include <stdlib.h>

#define WAYS 16

struct wire_table {
	size_t sets; /* a power of two */
	struct wire_request at[];
};

struct wire_table *wire_table_new(uint32_t entries)
{
	struct wire_table *t;
	size_t sets = 1;

	while (sets < 1u << 20 && sets * WAYS < entries)
		sets *= 2;
	t = calloc(1, sizeof *t + sets * WAYS * sizeof *t->at);
	if (t)
		t->sets = sets;
	return t;
}

void wire_table_free(struct wire_table *t)
{
	free(t);
}

static struct wire_request *set_of(struct wire_table *t, uint64_t client)
{
	return t->at + (client & (t->sets - 1)) * WAYS;
}

struct wire_request *wire_table_get(struct wire_table *t, uint64_t client, uint64_t key)
{
	struct wire_request *set = set_of(t, client);

	for (int i = 0; i < WAYS; i++)
		if (set[i].state != WIRE_FREE && set[i].key == key)
			return &set[i];
	return NULL;
}

static bool is_open(const struct wire_request *r)
{
	return r->state == WIRE_ASKED || r->state == WIRE_CHALLENGED;
}

/* A free place, else the oldest answered request; NULL when all are open. */
static struct wire_request *idle_place(struct wire_request *set)
{
	struct wire_request *place = NULL;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].state == WIRE_FREE)
			return &set[i];
		if (!is_open(&set[i]) && (!place || set[i].seen < place->seen))
			place = &set[i];
	}
	return place;
}

/* How many requests of the set are of this client. */
static unsigned share_of(const struct wire_request *set, uint64_t client)
{
	unsigned n = 0;

	for (int i = 0; i < WAYS; i++)
		n += set[i].client == client;
	return n;
}

/*
 * All are open: whoever has most of the set gives up one of his, rather one
 * that the PBX has not answered (it may never) than a challenge that will
 * count as a scan, and rather an old one.
 */
static struct wire_request *contested_place(struct wire_request *set)
{
	struct wire_request *place = set;
	unsigned most = 0;

	for (int i = 0; i < WAYS; i++) {
		unsigned share = share_of(set, set[i].client);

		if (share < most)
			continue;
		if (share > most || (share > 1 && set[i].state < place->state) ||
			((share == 1 || set[i].state == place->state) &&
				set[i].seen < place->seen)) {
			place = &set[i];
			most = share;
		}
	}
	return place;
}

struct wire_request *wire_table_put(
	struct wire_table *t, uint64_t client, uint64_t key, bool *evicted)
{
	struct wire_request *set = set_of(t, client), *place = idle_place(set);

	*evicted = !place;
	if (!place)
		place = contested_place(set);
	memset(place, 0, sizeof *place);
	place->key = key;
	place->client = client;
	return place;
}

struct wire_request *wire_table_client(
	struct wire_table *t, uint64_t client, unsigned *at)
{
	struct wire_request *set = set_of(t, client);

	while (*at < WAYS) {
		struct wire_request *r = &set[(*at)++];

		if (r->state != WIRE_FREE && r->client == client)
			return r;
	}
	return NULL;
}

struct wire_request *wire_table_next(struct wire_table *t, size_t *at)
{
	while (*at < t->sets * WAYS) {
		struct wire_request *r = &t->at[(*at)++];

		if (r->state != WIRE_FREE)
			return r;
	}
	return NULL;
}

size_t wire_table_memory(const struct wire_table *t)
{
	return sizeof *t + t->sets * WAYS * sizeof *t->at;
}
