/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/bytes.h"

/*
 * A binary min-heap of (time, payload up to 24 bytes). Entries are never
 * moved or cancelled: who pops one checks whether it still means anything
 * (lazy deletion).
 */
struct heap_entry {
	uint64_t at;
	uint8_t payload[24];
};

struct heap {
	struct heap_entry *entries;
	size_t n, capacity;
};

/* Copies n <= 24 payload bytes. Returns 0, or -1 when memory is short. */
int heap_push(struct heap *h, uint64_t at, const void *payload, size_t n);

/* The earliest entry, or NULL when empty. */
const struct heap_entry *heap_peek(const struct heap *h);

/* Remove the earliest entry (heap not empty). */
void heap_pop(struct heap *h);

void heap_free(struct heap *h);

#endif
