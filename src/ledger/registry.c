/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/registry.h"

#include <stdlib.h>

#include "ledger/registry_state.h"

struct registry *registry_new(struct hash_key key)
{
	struct registry *r = calloc(1, sizeof *r);
	bool emptied; /* of nothing */

	if (!r)
		return NULL;
	r->key = key;
	r->signers = table_new(sizeof(struct signer_record), ADDRESS20, 0, key);
	r->by_cell.key = r->by_indicator.key = key;
	if (!r->signers || buckets_fit(&r->by_cell, 0, &emptied) ||
		buckets_fit(&r->by_indicator, 0, &emptied)) {
		registry_free(r);
		return NULL;
	}
	return r;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	buckets_free(&r->by_indicator);
	buckets_free(&r->by_cell);
	table_free(r->signers);
	free(r->objections);
	free(r->heap);
	free(r->words);
	free(r->seats);
	free(r->protected);
	free(r);
}

struct seat *registry_seat(const struct registry *r, uint16_t member)
{
	if (member < 1 || member > r->seat_count)
		return NULL;
	return &r->seats[member - 1];
}

bool word_live(const struct registry *r, const struct word *w, uint32_t now)
{
	const struct member *m = &registry_seat(r, w->member)->member;

	return w->expiry > now && m->status == MEMBER_ACTIVE;
}

void registry_touch(const struct registry *r, const struct indicator *i, bool objection,
	registry_touch_fn *touch, void *context)
{
	struct indicator around[129];
	size_t n;

	if (!touch)
		return;
	touch(context, i);
	if (!objection)
		return;
	n = registry_around(r, i, around, 129);
	for (size_t k = 0; k < n; k++)
		if (memcmp(&around[k], i, sizeof *i))
			touch(context, &around[k]);
}

/* --- batches --- */

struct touched {
	struct indicator indicator;
	bool objection;
};

/* Note the word of a cell that is about to go. */
static void note(struct touched *list, size_t *n, const struct word *w)
{
	list[(*n)++] = (struct touched){w->indicator, is_objection(w)};
}

static int apply_batch(struct registry *r, const struct operation *op,
	registry_touch_fn *touch, void *context)
{
	struct touched touched[2 * BATCH_MAX];
	size_t n = 0, puts = 0;

	for (uint32_t k = 0; k < op->count; k++)
		puts += op->words[(k + 1) * (size_t)WORD_SIZE - 1] != ACTION_SPEND;
	if (index_reserve(r, puts))
		return -1;
	for (uint32_t k = 0; k < op->count; k++) {
		struct report e;
		uint32_t *link, slot;

		word_decode(&e, op->words + (size_t)k * WORD_SIZE);
		link = index_link(r, e.member, e.cell);
		slot = *link;
		if (slot != NO_SLOT)
			note(touched, &n, &r->words[slot]);
		if (e.action != ACTION_SPEND) {
			slot = index_put(r, &e, link);
			note(touched, &n, &r->words[slot]);
		} else if (slot != NO_SLOT) {
			index_drop(r, slot);
		}
	}
	for (size_t k = 0; k < n; k++)
		registry_touch(
			r, &touched[k].indicator, touched[k].objection, touch, context);
	return 0;
}

/* --- members --- */

/* Touch every word of a member, whose status or weight is the new one. */
static void touch_member(const struct registry *r, uint16_t member,
	registry_touch_fn *touch, void *context)
{
	if (!touch || !registry_seat(r, member)->member.live)
		return;
	for (uint32_t slot = 0; slot < r->word_count; slot++)
		if (r->words[slot].member == member)
			registry_touch(r, &r->words[slot].indicator,
				is_objection(&r->words[slot]), touch, context);
}

/* Forget every word of a member. */
static void drop_member(struct registry *r, uint16_t member)
{
	if (!registry_seat(r, member)->member.live)
		return;
	objections_leave_member(r, member);
	/* From the end: what fills a hole has been looked at already. */
	for (uint32_t slot = r->word_count; slot-- > 0;)
		if (r->words[slot].member == member)
			index_drop(r, slot);
	index_shrink(r);
}

/* Returns 0, or -1 when memory is short, with no signer put. */
static int put_signers(
	struct registry *r, uint16_t member, uint8_t signers[][ADDRESS20], uint8_t count)
{
	for (uint8_t k = 0; k < count; k++) {
		struct signer_record *s = table_put(r->signers, signers[k], NULL);

		if (!s) {
			while (k-- > 0)
				table_remove(r->signers, signers[k]);
			return -1;
		}
		s->member = member;
	}
	return 0;
}

static int apply_member_add(struct registry *r, const struct operation *op)
{
	uint8_t signers[SIGNERS_MAX][ADDRESS20];
	struct member *m;

	if (op->member > r->seat_capacity) {
		size_t capacity = r->seat_capacity ? 2 * r->seat_capacity : 8;
		struct seat *p = realloc(r->seats, capacity * sizeof *p);

		if (!p)
			return -1;
		r->seats = p;
		r->seat_capacity = capacity;
	}
	memcpy(signers, op->signers, sizeof signers);
	if (put_signers(r, op->member, signers, op->signer_count))
		return -1;
	if (op->member > r->seat_count) {
		memset(&r->seats[r->seat_count], 0, sizeof *r->seats);
		r->seat_count = op->member;
	}
	m = &registry_seat(r, op->member)->member;
	m->index = op->member;
	m->status = MEMBER_ACTIVE;
	m->weight = op->weight;
	m->cap = op->cap;
	view_copy(m->name, sizeof m->name, op->name);
	memcpy(m->signers, signers, sizeof m->signers);
	m->signer_count = op->signer_count;
	return 0;
}

static void apply_member_remove(
	struct registry *r, struct member *m, registry_touch_fn *touch, void *context)
{
	m->status = MEMBER_REMOVED;
	m->generation++;
	for (uint8_t k = 0; k < m->signer_count; k++)
		table_remove(r->signers, m->signers[k]);
	m->signer_count = 0;
	/* None of its words is live any more: touched first, while they still
	 * say where they were. */
	touch_member(r, m->index, touch, context);
	drop_member(r, m->index);
}

static int apply_signer(struct registry *r, const struct operation *op, struct member *m)
{
	uint8_t signer[1][ADDRESS20];
	uint8_t k = 0;

	memcpy(signer[0], op->address, ADDRESS20);
	if (op->type == OP_SIGNER_ADD) {
		if (put_signers(r, op->member, signer, 1))
			return -1;
		memcpy(m->signers[m->signer_count++], op->address, ADDRESS20);
		return 0;
	}
	table_remove(r->signers, op->address);
	while (memcmp(m->signers[k], op->address, ADDRESS20))
		k++;
	m->signer_count--;
	for (; k < m->signer_count; k++)
		memcpy(m->signers[k], m->signers[k + 1], ADDRESS20);
	return 0;
}

static int apply_member(struct registry *r, const struct operation *op,
	registry_touch_fn *touch, void *context)
{
	struct seat *seat = registry_seat(r, op->member);
	struct member *m;

	if (!seat) /* the rules saw to it */
		return -1;
	m = &seat->member;
	switch (op->type) {
	case OP_MEMBER_SET:
		m->weight = op->weight;
		m->cap = op->cap;
		break;
	case OP_MEMBER_REMOVE:
		apply_member_remove(r, m, touch, context);
		return 0;
	case OP_MEMBER_SUSPEND:
		m->status = MEMBER_SUSPENDED;
		break;
	case OP_MEMBER_RESUME:
		m->status = MEMBER_ACTIVE;
		break;
	default:
		return apply_signer(r, op, m);
	}
	touch_member(r, op->member, touch, context);
	return 0;
}

/* --- the rest --- */

static void set_config(struct registry *r, const struct ledger_config *config)
{
	r->config = *config;
	if (r->longest_ttl < config->max_ttl)
		r->longest_ttl = config->max_ttl;
}

static int apply_table(struct registry *r, const struct operation *op)
{
	size_t size = (size_t)op->table_count * INDICATOR_SIZE;
	struct indicator *table = malloc(size ? size : 1);

	if (!table)
		return -1;
	if (size)
		memcpy(table, op->table, size);
	free(r->protected);
	r->protected = table;
	r->protected_count = op->table_count;
	return 0;
}

static void apply_genesis(
	struct registry *r, const struct operation *op, struct view bytes)
{
	r->begun = true;
	ledger_id(r->id, bytes);
	memcpy(r->owner, op->actor, ADDRESS20);
	memcpy(r->guardian, op->address, ADDRESS20);
	set_config(r, &op->config);
}

/* Operations about the ledger as a whole. */
static int apply_whole(struct registry *r, const struct operation *op, struct view bytes)
{
	switch (op->type) {
	case OP_GENESIS:
		apply_genesis(r, op, bytes);
		return 0;
	case OP_PROTECT:
		return apply_table(r, op);
	case OP_CONFIG:
		set_config(r, &op->config);
		return 0;
	case OP_GUARDIAN:
		memcpy(r->guardian, op->address, ADDRESS20);
		return 0;
	case OP_OWNER_PROPOSE:
		memcpy(r->proposed, op->address, ADDRESS20);
		return 0;
	case OP_OWNER_ACCEPT:
		memcpy(r->owner, r->proposed, ADDRESS20);
		memset(r->proposed, 0, ADDRESS20);
		return 0;
	case OP_PAUSE:
	case OP_UNPAUSE:
		r->paused = op->type == OP_PAUSE;
		return 0;
	default: /* SUPERSEDE */
		r->superseded = true;
		memcpy(r->next, op->next, HASH_SIZE);
		return 0;
	}
}

/* Whether an operation may change what any indicator is worth. */
static bool touches_all(uint8_t type)
{
	return type == OP_GENESIS || type == OP_CONFIG || type == OP_PROTECT ||
		type == OP_PAUSE || type == OP_UNPAUSE;
}

static int apply_body(struct registry *r, const struct operation *op, struct view bytes,
	registry_touch_fn *touch, void *context)
{
	switch (op->type) {
	case OP_BATCH:
		return apply_batch(r, op, touch, context);
	case OP_MEMBER_ADD:
		return apply_member_add(r, op);
	case OP_MEMBER_SET:
	case OP_MEMBER_REMOVE:
	case OP_MEMBER_SUSPEND:
	case OP_MEMBER_RESUME:
	case OP_SIGNER_ADD:
	case OP_SIGNER_REMOVE:
		return apply_member(r, op, touch, context);
	default:
		return apply_whole(r, op, bytes);
	}
}

/* Forget what is dead at `now`. */
static void expire(
	struct registry *r, uint32_t now, registry_touch_fn *touch, void *context)
{
	bool any = false;

	while (r->word_count && r->words[r->heap[0]].expiry <= now) {
		uint32_t slot = r->heap[0];
		struct indicator gone = r->words[slot].indicator;
		bool objection = is_objection(&r->words[slot]);

		index_drop(r, slot);
		registry_touch(r, &gone, objection, touch, context);
		any = true;
	}
	if (any)
		index_shrink(r);
}

int registry_apply(struct registry *r, const struct operation *op, struct view bytes,
	registry_touch_fn *touch, void *context, struct refusal *why)
{
	enum chain chain = operation_chain(op->type);

	if (registry_judge(r, op, op->time < r->blind_until, why))
		return -1;
	if (apply_body(r, op, bytes, touch, context)) {
		*why = (struct refusal){.code = REFUSED_MEMORY};
		return -1;
	}
	tip_advance(r->tips[chain].hash, r->tips[chain].hash, bytes);
	r->tips[chain].seq++;
	r->times[chain] = op->time;
	if (touch && touches_all(op->type))
		touch(context, NULL);
	/* Only by the members' own chain: the other one may run ahead of it. */
	if (op->type == OP_BATCH)
		expire(r, op->time, touch, context);
	return 0;
}

int registry_window(struct registry *r, const struct tip *before, uint32_t since)
{
	uint64_t until = (uint64_t)since + r->longest_ttl;

	if (!r->begun || r->tips[CHAIN_MEMBERS].seq)
		return -1;
	r->tips[CHAIN_MEMBERS] = *before;
	if (until > UINT32_MAX)
		until = UINT32_MAX;
	if (r->blind_until < until)
		r->blind_until = (uint32_t)until;
	return 0;
}

uint32_t registry_longest_ttl(const struct registry *r)
{
	return r->longest_ttl;
}

void registry_expire(
	struct registry *r, uint32_t now, registry_touch_fn *touch, void *context)
{
	/*
	 * The caller's clock may be ahead of the ledger's: an operation of
	 * before `now` may still come that spends a word forgotten here.
	 */
	if (r->blind_until < now)
		r->blind_until = now;
	expire(r, now, touch, context);
}

uint32_t registry_next_expiry(const struct registry *r)
{
	return r->word_count ? r->words[r->heap[0]].expiry : 0;
}
