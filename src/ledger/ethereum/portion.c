/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/portion.h"

#include <stdlib.h>

#include "ledger/ethereum/abi.h"

/* Whether it is a log that was asked for. Returns as portion_add(). */
static int check_log(
	const struct log *log, const struct portion_filter *f, struct error *err)
{
	if (memcmp(log->address, f->contract, ADDRESS20))
		return error_set(err, "a log of another contract");
	if (log->block < f->from || log->block > f->to)
		return error_set(err, "a log of block %llu, which was not asked for",
			(unsigned long long)log->block);
	/* No node says so in an answer about canonical blocks. */
	if (log->removed)
		return error_set(err, "a log of block %llu that is called removed",
			(unsigned long long)log->block);
	if (f->known_hash && log->block == f->known &&
		memcmp(log->block_hash, f->known_hash, HASH_SIZE))
		return 1;
	return 0;
}

static int reserve(struct portion *p)
{
	size_t capacity = p->capacity ? p->capacity * 2 : 16;
	struct portion_entry *grown;

	if (p->count < p->capacity)
		return 0;
	grown = realloc(p->list, capacity * sizeof *grown);
	if (!grown)
		return -1;
	p->list = grown;
	p->capacity = capacity;
	return 0;
}

int portion_add(struct portion *p, const struct log *log, const struct portion_filter *f,
	struct error *err)
{
	struct contract_event event;
	struct portion_entry *e;
	int rc = check_log(log, f, err);

	if (rc)
		return rc;
	if (abi_event_decode(&event, log->topics, log->topic_count, log->data, err))
		return error_prefix(err, "block %llu, log %u",
			(unsigned long long)log->block, log->index);
	if ((f->chain >= 0 && (int)event.chain != f->chain) ||
		(f->seq != UINT64_MAX && event.seq != f->seq))
		return error_set(err, "an operation that was not asked for");
	if (reserve(p))
		return error_set(err, "out of memory");
	e = &p->list[p->count];
	*e = (struct portion_entry){.chain = event.chain,
		.block = log->block,
		.index = log->index,
		.seq = event.seq,
		.block_before = event.block_before,
		.at = p->bytes.n,
		.n = event.operation.n};
	memcpy(e->tip_before, event.tip_before, HASH_SIZE);
	if (buffer_put(&p->bytes, event.operation.p, event.operation.n))
		return error_set(err, "out of memory");
	p->count++;
	return 0;
}

void portion_cut(struct portion *p, size_t count, size_t bytes)
{
	if (p->count > count)
		p->count = count;
	if (p->bytes.n > bytes)
		p->bytes.n = bytes;
}

static int by_place(const void *a, const void *b)
{
	const struct portion_entry *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool same(const struct portion *p, const struct portion_entry *a,
	const struct portion_entry *b)
{
	return a->block == b->block && a->index == b->index &&
		view_eq(view_of(p->bytes.p + a->at, a->n),
			view_of(p->bytes.p + b->at, b->n));
}

void portion_sort(struct portion *p)
{
	size_t kept = 0;

	if (p->count < 2)
		return;
	qsort(p->list, p->count, sizeof *p->list, by_place);
	for (size_t k = 1; k < p->count; k++)
		if (!same(p, &p->list[kept], &p->list[k]))
			p->list[++kept] = p->list[k];
	p->count = kept + 1;
}

int portion_event(
	const struct portion *p, size_t k, struct ledger_event *out, struct error *err)
{
	const struct portion_entry *e = &p->list[k];

	*out = (struct ledger_event){.chain = e->chain,
		.block = e->block,
		.bytes = view_of(p->bytes.p + e->at, e->n)};
	memcpy(out->tip_before, e->tip_before, HASH_SIZE);
	return operation_decode(&out->operation, out->bytes, err);
}

/* The first members' event of a first reading says where the window begins. */
static int begin_window(struct journal *j, const struct portion_entry *e, uint32_t since,
	struct error *err)
{
	struct tip before;
	uint32_t was;

	if (e->chain != CHAIN_MEMBERS || !e->seq ||
		journal_window(j, &before, &was, NULL) ||
		journal_staged_tip(j, CHAIN_MEMBERS)->seq)
		return 0;
	memcpy(before.hash, e->tip_before, HASH_SIZE);
	before.seq = e->seq;
	return journal_set_window(j, &before, since, e->block_before, err);
}

int portion_store(struct portion *p, struct journal *j, uint32_t since, struct error *err)
{
	struct ledger_event event;

	portion_sort(p);
	for (size_t k = 0; k < p->count; k++)
		if (begin_window(j, &p->list[k], since, err) ||
			portion_event(p, k, &event, err) ||
			journal_event(j, &event, p->list[k].index, err))
			return -1;
	portion_cut(p, 0, 0);
	return 0;
}

void portion_free(struct portion *p)
{
	buffer_free(&p->bytes);
	free(p->list);
	memset(p, 0, sizeof *p);
}
