/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/pool.h"

#include <stdlib.h>

#define BLOCK ((size_t)16384)

struct pool_block {
	struct pool_block *next;
	size_t used, size;
	_Alignas(max_align_t) uint8_t bytes[];
};

void *pool_take(struct pool *p, size_t n)
{
	const size_t unit = _Alignof(max_align_t);
	struct pool_block *b = p->blocks;
	size_t size;
	void *taken;

	if (p->failed || n > p->max ||
		(n = (n + unit - 1) / unit * unit) > p->max - p->used) {
		p->failed = true;
		return NULL;
	}
	if (!b || b->size - b->used < n) {
		size = n > BLOCK ? n : BLOCK;
		b = calloc(1, sizeof *b + size);
		if (!b) {
			p->failed = true;
			return NULL;
		}
		b->size = size;
		b->next = p->blocks;
		p->blocks = b;
	}
	taken = b->bytes + b->used;
	b->used += n;
	p->used += n;
	return taken;
}

char *pool_text(struct pool *p, struct view text)
{
	char *copy = pool_take(p, text.n + 1);

	if (copy && text.n)
		memcpy(copy, text.p, text.n);
	return copy;
}

void pool_free(struct pool *p)
{
	while (p->blocks) {
		struct pool_block *b = p->blocks;

		p->blocks = b->next;
		free(b);
	}
	p->used = 0;
	p->failed = false;
}
