/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include <stdlib.h>

int heap_push(struct heap *h, uint64_t at, const void *payload, size_t n)
{
	struct heap_entry entry = {.at = at};
	size_t i;

	if (n > sizeof(entry.payload))
		return -1;
	if (h->n == h->capacity) {
		size_t capacity = h->capacity ? 2 * h->capacity : 64;
		struct heap_entry *p;

		if (capacity > SIZE_MAX / 2 / sizeof(*p))
			return -1;
		p = realloc(h->entries, capacity * sizeof(*p));
		if (!p)
			return -1;
		h->entries = p;
		h->capacity = capacity;
	}
	if (n > 0)
		memcpy(entry.payload, payload, n);
	/* Sift up: pull later parents down into the hole. */
	for (i = h->n++; i > 0; i = (i - 1) / 2) {
		if (h->entries[(i - 1) / 2].at <= at)
			break;
		h->entries[i] = h->entries[(i - 1) / 2];
	}
	h->entries[i] = entry;
	return 0;
}

const struct heap_entry *heap_peek(const struct heap *h)
{
	return h->n > 0 ? &h->entries[0] : NULL;
}

void heap_pop(struct heap *h)
{
	struct heap_entry last;
	size_t i = 0, child;

	if (h->n == 0)
		return;
	last = h->entries[--h->n];
	/* Sift down: pull the earlier child up into the hole. */
	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->entries[child + 1].at < h->entries[child].at)
			child++;
		if (last.at <= h->entries[child].at)
			break;
		h->entries[i] = h->entries[child];
		i = child;
	}
	h->entries[i] = last;
}

void heap_free(struct heap *h)
{
	free(h->entries);
	*h = (struct heap){0};
}
