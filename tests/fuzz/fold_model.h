/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FOLD_MODEL_H
#define FUZZ_FOLD_MODEL_H

/*
 * The ledger's rules once more, as plainly as they can be written: members and
 * cells in arrays, every question answered by looking at everything. For
 * fold_play.h, which holds the registry against it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "ledger/registry.h"

#define MODEL_MEMBERS 6
#define MODEL_CELLS   10
#define MODEL_ACTORS  8 /* 0 nobody, 1 owner, 2 guardian, 3.. signers */
#define MODEL_POOL    16

#define MUST(condition)                                                                  \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);  \
			abort();                                                         \
		}                                                                        \
	} while (0)

struct model_member {
	uint8_t status;
	uint16_t generation, weight;
	uint32_t cap;
	bool signer[MODEL_ACTORS];
	struct {
		bool held;
		struct report word;
	} cells[MODEL_CELLS + 4];
};

struct model {
	struct model_member members[MODEL_MEMBERS + 1]; /* by index, 0 unused */
	unsigned count;
	unsigned owner, guardian, proposed; /* actors; 0: nobody */
	bool paused, superseded;
	struct ledger_config config;
	struct indicator table[MODEL_POOL];
	unsigned table_count;
	uint64_t seq[2];
	uint32_t time[2];
};

static uint8_t *model_address(uint8_t dst[ADDRESS20], unsigned actor)
{
	memset(dst, actor ? 0xa0 + (int)actor : 0, ADDRESS20);
	return dst;
}

/* --- what the model accepts --- */

static bool model_live(const struct model_member *m, unsigned cell, uint32_t now)
{
	return m->cells[cell].held && m->cells[cell].word.expiry > now &&
		m->cells[cell].word.generation == m->generation &&
		m->status == MEMBER_ACTIVE;
}

static bool model_entry(const struct model *m, struct model_member *mine,
	const struct report *e, unsigned member, uint32_t now)
{
	bool live = e->cell < MODEL_CELLS + 4 && model_live(mine, e->cell, now);
	bool equal = live &&
		!memcmp(&mine->cells[e->cell].word.indicator, &e->indicator,
			INDICATOR_SIZE);

	if (e->action > ACTION_SPEND || e->member != member ||
		e->generation != mine->generation)
		return false;
	if (e->action == ACTION_SPEND) {
		if (!equal)
			return false;
		mine->cells[e->cell].held = false;
		return true;
	}
	if (m->paused || m->superseded || e->cell >= mine->cap || e->expiry <= now ||
		e->expiry > (uint64_t)now + m->config.max_ttl ||
		e->proof >= PROOF_COUNT || e->category == 0 ||
		(e->category > CATEGORY_OTHER && e->category != CATEGORY_OBJECTION) ||
		indicator_check(&e->indicator, &m->config.limits, NULL))
		return false;
	for (unsigned k = 0; k < m->table_count; k++)
		if (indicator_overlaps(&m->table[k], &e->indicator))
			return false;
	if (live && !equal && e->action != ACTION_REPLACE)
		return false;
	mine->cells[e->cell].held = true;
	mine->cells[e->cell].word = *e;
	return true;
}

/* Folds the batch into *mine, which the caller throws away if it is refused. */
static bool model_batch(const struct model *m, struct model_member *mine,
	const struct operation *op, unsigned actor)
{
	if (!mine->signer[actor] || mine->status != MEMBER_ACTIVE || !op->count)
		return false;
	for (unsigned k = 0; k < op->count; k++) {
		struct report e;

		word_decode(&e, op->words + k * WORD_SIZE);
		if (!model_entry(m, mine, &e, op->member, op->time))
			return false;
	}
	return true;
}

static bool model_signer_taken(const struct model *m, unsigned actor)
{
	for (unsigned k = 1; k <= m->count; k++)
		if (m->members[k].signer[actor])
			return true;
	return false;
}

static bool model_config_ok(const struct ledger_config *c)
{
	return c->limits.min_v4 >= 8 && c->limits.min_v4 <= 32 &&
		c->limits.min_v6 >= 16 && c->limits.min_v6 <= 128 &&
		c->limits.min_e164 >= 1 && c->limits.min_e164 <= 15 && c->max_ttl >= 1 &&
		c->max_ttl <= 366 * 86400 && c->threshold >= 1;
}

static bool model_add(
	struct model *m, const struct operation *op, const unsigned *signers)
{
	struct model_member *mine = &m->members[op->member];
	bool taken[MODEL_ACTORS] = {true};

	if (op->member == 0 || op->member > m->count + 1 || !op->weight || !op->cap ||
		op->cap > 1 << 24 || !op->name.n || op->name.n > 64 ||
		!text_is_clean(op->name) ||
		(op->member <= m->count && mine->status != MEMBER_REMOVED))
		return false;
	for (unsigned k = 0; k < op->signer_count; k++) {
		if (taken[signers[k]] || model_signer_taken(m, signers[k]))
			return false;
		taken[signers[k]] = true;
	}
	if (op->member > m->count)
		m->count = op->member;
	mine->status = MEMBER_ACTIVE;
	mine->weight = op->weight;
	mine->cap = op->cap;
	for (unsigned k = 0; k < op->signer_count; k++)
		mine->signer[signers[k]] = true;
	return true;
}

static unsigned model_signers(const struct model_member *mine)
{
	unsigned n = 0;

	for (unsigned k = 0; k < MODEL_ACTORS; k++)
		n += mine->signer[k];
	return n;
}

/* about: the actor that op->address is. */
static bool model_member_op(struct model *m, const struct operation *op, unsigned about)
{
	struct model_member *mine = &m->members[op->member];

	if (op->member == 0 || op->member > m->count)
		return false;
	switch (op->type) {
	case OP_MEMBER_SET:
		if (mine->status == MEMBER_REMOVED || !op->weight || !op->cap)
			return false;
		mine->weight = op->weight;
		mine->cap = op->cap;
		return true;
	case OP_MEMBER_REMOVE:
		if (mine->status == MEMBER_REMOVED)
			return false;
		mine->status = MEMBER_REMOVED;
		mine->generation++;
		memset(mine->signer, 0, sizeof mine->signer);
		return true;
	case OP_MEMBER_SUSPEND:
	case OP_MEMBER_RESUME:
		if (mine->status !=
			(op->type == OP_MEMBER_SUSPEND ? MEMBER_ACTIVE :
							 MEMBER_SUSPENDED))
			return false;
		mine->status = op->type == OP_MEMBER_SUSPEND ? MEMBER_SUSPENDED :
							       MEMBER_ACTIVE;
		return true;
	case OP_SIGNER_REMOVE:
		if (!mine->signer[about])
			return false;
		mine->signer[about] = false;
		return true;
	default: /* SIGNER_ADD */
		if (mine->status == MEMBER_REMOVED || !about ||
			model_signer_taken(m, about) || model_signers(mine) >= 8)
			return false;
		mine->signer[about] = true;
		return true;
	}
}

static bool model_protect(struct model *m, const struct operation *op)
{
	struct indicator t[MODEL_POOL];

	memcpy(t, op->table, op->table_count * sizeof *t);
	for (unsigned k = 0; k < op->table_count; k++) {
		if (indicator_check_shape(&t[k], NULL))
			return false;
		for (unsigned j = 0; j < k; j++)
			if (indicator_compare(&t[j], &t[k]) >= 0 ||
				indicator_overlaps(&t[j], &t[k]))
				return false;
	}
	memcpy(m->table, t, op->table_count * sizeof *t);
	m->table_count = op->table_count;
	return true;
}

static bool model_admin(
	struct model *m, const struct operation *op, unsigned actor, unsigned about)
{
	bool guardian = op->type == OP_MEMBER_SUSPEND || op->type == OP_PAUSE;

	if (op->type == OP_OWNER_ACCEPT) {
		if (!actor || actor != m->proposed)
			return false;
		m->owner = actor;
		m->proposed = 0;
		return true;
	}
	if (!actor || (actor != m->owner && !(guardian && actor == m->guardian)))
		return false;
	switch (op->type) {
	case OP_PROTECT:
		return model_protect(m, op);
	case OP_CONFIG:
		if (!model_config_ok(&op->config))
			return false;
		m->config = op->config;
		return true;
	case OP_GUARDIAN:
		m->guardian = about;
		return true;
	case OP_OWNER_PROPOSE:
		m->proposed = about;
		return true;
	case OP_PAUSE:
	case OP_UNPAUSE:
		if (m->paused == (op->type == OP_PAUSE))
			return false;
		m->paused = !m->paused;
		return true;
	case OP_SUPERSEDE:
		if (m->superseded || bytes_zero(op->next, HASH_SIZE))
			return false;
		m->superseded = true;
		return true;
	default:
		return model_member_op(m, op, about);
	}
}

/* --- what the model answers --- */

static int64_t model_support(
	const struct model *m, const struct indicator *i, uint32_t now)
{
	int64_t sum = 0;

	for (unsigned k = 1; k <= m->count; k++) {
		const struct model_member *mine = &m->members[k];
		bool reports = false, objects = false;

		for (unsigned c = 0; c < MODEL_CELLS + 4; c++) {
			const struct report *w = &mine->cells[c].word;

			if (!model_live(mine, c, now))
				continue;
			if (w->category == CATEGORY_OBJECTION)
				objects = objects || indicator_contains(i, &w->indicator);
			else
				reports = reports || !memcmp(i, &w->indicator, sizeof *i);
		}
		sum += reports ? mine->weight : 0;
		sum -= objects ? mine->weight : 0;
	}
	return sum;
}

/* The words that registry_words() should give, in its order. */
static size_t model_words(const struct model *m, const struct indicator *i, uint32_t now,
	struct report *out)
{
	size_t n = 0;

	for (unsigned k = 1; k <= m->count; k++)
		for (unsigned c = 0; c < MODEL_CELLS + 4; c++) {
			const struct report *w = &m->members[k].cells[c].word;

			if (!model_live(&m->members[k], c, now))
				continue;
			if (!memcmp(&w->indicator, i, sizeof *i) ||
				(w->category == CATEGORY_OBJECTION &&
					indicator_contains(i, &w->indicator)))
				out[n++] = *w;
		}
	return n;
}

/* Words that are held: alive but for a suspension. */
static size_t model_held(const struct model *m, uint32_t now)
{
	size_t n = 0;

	for (unsigned k = 1; k <= m->count; k++)
		for (unsigned c = 0; c < MODEL_CELLS + 4; c++)
			n += m->members[k].cells[c].held &&
				m->members[k].cells[c].word.expiry > now &&
				m->members[k].cells[c].word.generation ==
					m->members[k].generation;
	return n;
}

#endif
