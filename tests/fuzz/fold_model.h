/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FOLD_MODEL_H
#define FUZZ_FOLD_MODEL_H

/*
 * The ledger's rules once more, as plainly as they can be written: members and
 * cells in arrays, every question answered by looking at everything. A script
 * of bytes is turned into operations; the registry must accept exactly what
 * the model accepts, change nothing when it refuses, answer every question as
 * the model does, and touch every indicator whose support has changed. abort()
 * where they differ. Used by the fuzz target and by a unit test.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "ledger/registry.h"

#define MODEL_MEMBERS 6
#define MODEL_CELLS 10
#define MODEL_ACTORS 8 /* 0 nobody, 1 owner, 2 guardian, 3.. signers */
#define MODEL_POOL 16
#define MODEL_STEPS 400

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
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

struct fold_run {
	struct registry *registry;
	struct model model;
	struct reader script;
	uint32_t now;
	struct indicator pool[MODEL_POOL];
	unsigned accepted[256], refused[REFUSED_COUNT]; /* what was reached */
	struct indicator touched[4096];
	size_t touched_count;
	bool touched_all;
};

static const char *const model_pool[MODEL_POOL] = {
	"8.8.0.0/16", "8.8.8.0/24", "8.8.8.0/25", "8.8.8.8", "8.8.8.9", "9.9.9.9",
	"10.1.2.3", "2600::/32", "2600:0:1::/48", "2600:0:1::7", "+97259*",
	"+972592577*", "+972592577956", "sip:bob@example.com", "agent:scanner",
	"8.0.0.0/7",
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
	bool equal = live && !memcmp(&mine->cells[e->cell].word.indicator,
		&e->indicator, INDICATOR_SIZE);

	if (e->action > ACTION_SPEND || e->member != member ||
	    e->generation != mine->generation)
		return false;
	if (e->action == ACTION_SPEND) {
		if (!equal)
			return false;
		mine->cells[e->cell].held = false;
		return true;
	}
	if (m->paused || m->superseded || e->cell >= mine->cap ||
	    e->expiry <= now || e->expiry > (uint64_t)now + m->config.max_ttl ||
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
		c->limits.min_e164 >= 1 && c->limits.min_e164 <= 15 &&
		c->max_ttl >= 1 && c->max_ttl <= 366 * 86400 && c->threshold >= 1;
}

static bool model_add(struct model *m, const struct operation *op,
	const unsigned *signers)
{
	struct model_member *mine = &m->members[op->member];
	bool taken[MODEL_ACTORS] = {true};

	if (op->member == 0 || op->member > m->count + 1 || !op->weight ||
	    !op->cap || op->cap > 1 << 24 || !op->name.n || op->name.n > 64 ||
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
static bool model_member_op(struct model *m, const struct operation *op,
	unsigned about)
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
		if (mine->status != (op->type == OP_MEMBER_SUSPEND ? MEMBER_ACTIVE :
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

static bool model_admin(struct model *m, const struct operation *op,
	unsigned actor, unsigned about)
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

static int64_t model_support(const struct model *m, const struct indicator *i,
	uint32_t now)
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
static size_t model_words(const struct model *m, const struct indicator *i,
	uint32_t now, struct report *out)
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

/* --- comparing --- */

static bool same_report(const struct report *a, const struct report *b)
{
	return !memcmp(&a->indicator, &b->indicator, sizeof a->indicator) &&
		a->expiry == b->expiry && a->member == b->member &&
		a->generation == b->generation && a->cell == b->cell &&
		a->category == b->category && a->proof == b->proof;
}

static void compare_indicator(const struct fold_run *run,
	const struct indicator *i)
{
	static struct report is[MODEL_MEMBERS * (MODEL_CELLS + 4)],
		due[MODEL_MEMBERS * (MODEL_CELLS + 4)];
	struct indicator around[129];
	size_t n, m, listed = 0;

	MUST(registry_support(run->registry, i, run->now) ==
		model_support(&run->model, i, run->now));
	n = registry_words(run->registry, i, run->now, is, sizeof is / sizeof *is);
	m = model_words(&run->model, i, run->now, due);
	MUST(n == m);
	for (size_t k = 0; k < n; k++)
		MUST(same_report(&is[k], &due[k]));
	n = registry_around(run->registry, i, around, 129);
	for (size_t k = 0; k < n; k++) {
		MUST(indicator_contains(&around[k], i));
		MUST(!k || around[k].plen < around[k - 1].plen);
	}
	for (unsigned k = 0; k < MODEL_POOL; k++) {
		bool found = false;

		if (!indicator_contains(&run->pool[k], i))
			continue;
		for (size_t j = 0; j < n; j++)
			found = found || !memcmp(&around[j], &run->pool[k], sizeof *i);
		listed += found;
		/* Alive and in the model: it must be listed. */
		MUST(found || !model_words(&run->model, &run->pool[k], run->now,
			due) || due[0].category == CATEGORY_OBJECTION ||
			memcmp(&due[0].indicator, &run->pool[k], sizeof *i));
	}
	MUST(listed <= n);
}

static void compare_cells(const struct fold_run *run)
{
	for (unsigned k = 1; k <= run->model.count; k++) {
		const struct model_member *mine = &run->model.members[k];
		const struct member *m = registry_member(run->registry, (uint16_t)k);

		MUST(m && m->status == mine->status && m->weight == mine->weight &&
			m->cap == mine->cap && m->generation == mine->generation &&
			m->signer_count == model_signers(mine));
		for (unsigned c = 0; c < MODEL_CELLS + 4; c++) {
			struct report word;
			bool live = !registry_cell(run->registry, (uint16_t)k, c,
				run->now, &word);

			MUST(live == model_live(mine, c, run->now));
			MUST(!live || same_report(&word, &mine->cells[c].word));
		}
	}
	for (unsigned a = 0; a < MODEL_ACTORS; a++) {
		uint8_t address[ADDRESS20];
		const struct member *m = registry_member_by_signer(run->registry,
			model_address(address, a));

		MUST(!!m == model_signer_taken(&run->model, a));
		MUST(!m || run->model.members[m->index].signer[a]);
	}
}

struct count {
	size_t n;
	uint32_t now;
};

static bool count_word(void *context, const struct report *word)
{
	struct count *c = context;

	MUST(word->expiry > c->now);
	c->n++;
	return true;
}

static void compare(const struct fold_run *run)
{
	struct count each = {0, run->now};
	size_t live = 0;

	MUST(registry_members(run->registry) == run->model.count);
	MUST(registry_paused(run->registry) == run->model.paused);
	for (unsigned k = 0; k < MODEL_POOL; k++)
		compare_indicator(run, &run->pool[k]);
	compare_cells(run);
	registry_each(run->registry, run->now, count_word, &each);
	for (unsigned k = 1; k <= run->model.count; k++)
		for (unsigned c = 0; c < MODEL_CELLS + 4; c++)
			live += model_live(&run->model.members[k], c, run->now);
	MUST(each.n == live);
}

/* Where a member's next report goes must be a place where it is accepted. */
static void compare_choice(struct fold_run *run, unsigned member,
	const struct indicator *i)
{
	const struct model_member *mine = &run->model.members[member];
	unsigned free_cell = MODEL_CELLS + 4, own = MODEL_CELLS + 4;
	uint32_t cell;
	uint8_t action;

	if (!member || member > run->model.count ||
	    mine->status != MEMBER_ACTIVE) /* suspended: dead words keep cells */
		return;
	for (unsigned c = mine->cap; c-- > 0;) {
		if (!model_live(mine, c, run->now))
			free_cell = c;
		else if (!memcmp(&mine->cells[c].word.indicator, i, sizeof *i))
			own = c;
	}
	MUST(!registry_choose_cell(run->registry, (uint16_t)member, i, run->now,
		NULL, 0, &cell, &action));
	if (own < MODEL_CELLS + 4)
		MUST(cell == own && action == ACTION_REPORT);
	else if (free_cell < MODEL_CELLS + 4)
		MUST(cell == free_cell && action == ACTION_REPORT);
	else
		for (unsigned c = 0; c < mine->cap; c++)
			MUST(action == ACTION_REPLACE && cell < mine->cap &&
				mine->cells[c].word.expiry >=
				mine->cells[cell].word.expiry);
}

/* --- from bytes to operations --- */

static void make_word(struct fold_run *run, uint8_t *dst, unsigned member)
{
	uint8_t odd = reader_u8(&run->script);
	const struct model_member *mine = &run->model.members[member];
	struct report e = {
		.indicator = run->pool[reader_u8(&run->script) % MODEL_POOL],
		.expiry = run->now + 1 + reader_u8(&run->script) % 64,
		.member = (uint16_t)member,
		.generation = mine->generation,
		.cell = reader_u8(&run->script) % MODEL_CELLS,
		.category = odd & 1 ? CATEGORY_OBJECTION :
			1 + odd % CATEGORY_OTHER,
		.proof = odd % PROOF_COUNT,
		.action = odd >= 200 || odd % 8 < 4 ? ACTION_REPORT :
			odd % 8 < 6 ? ACTION_REPLACE : ACTION_SPEND,
	};

	if (e.action == ACTION_SPEND && odd < 180)
		e.indicator = mine->cells[e.cell].word.indicator;
	/* Now and then something is wrong with it. */
	switch (odd) {
	case 200: e.cell += 4; break;
	case 201: e.expiry = run->now; break;
	case 202: e.expiry = UINT32_MAX; break;
	case 203: e.member++; break;
	case 204: e.generation++; break;
	case 205: e.category = CATEGORY_OTHER + 1; break;
	case 206: e.proof = PROOF_COUNT; break;
	case 207: e.action = ACTION_SPEND + 1; break;
	case 208: e.indicator.plen ^= 3; break;
	case 209: e.indicator.kind = reader_u8(&run->script); break;
	case 210: e.indicator.value[reader_u8(&run->script) % 16] ^= 16; break;
	case 211: e.category = 0; break;
	default: break;
	}
	word_encode(dst, &e);
}

static void make_config(struct fold_run *run, struct ledger_config *c)
{
	uint8_t odd = reader_u8(&run->script);

	*c = (struct ledger_config){{16, 32, 5, odd & 1}, 40 + odd % 64, 1};
	switch (odd) {
	case 250: c->max_ttl = 0; break;
	case 251: c->threshold = 0; break;
	case 252: c->limits.min_v4 = 7; break;
	case 253: c->limits.min_v6 = 129; break;
	case 254: c->limits.min_e164 = 16; break;
	case 255: c->max_ttl = 366 * 86400 + 1; break;
	default: break;
	}
}

/* What one step does; batches come as often as all else. */
static uint8_t choose_type(struct fold_run *run)
{
	static const uint8_t types[] = {OP_MEMBER_ADD, OP_MEMBER_ADD,
		OP_MEMBER_SET, OP_MEMBER_REMOVE, OP_MEMBER_SUSPEND,
		OP_MEMBER_RESUME, OP_SIGNER_ADD, OP_SIGNER_REMOVE, OP_PROTECT,
		OP_CONFIG, OP_GUARDIAN, OP_OWNER_PROPOSE, OP_OWNER_ACCEPT,
		OP_PAUSE, OP_UNPAUSE, OP_SIGNER_ADD};
	uint8_t b = reader_u8(&run->script);

	if (b == 255)
		return OP_SUPERSEDE;
	if (b == 254)
		return OP_GENESIS;
	return b & 0x20 ? types[b % 16] : OP_BATCH;
}

struct step {
	struct operation op;
	unsigned actor, about, signers[SIGNERS_MAX];
	uint8_t words[8 * WORD_SIZE];
	uint8_t table[MODEL_POOL * INDICATOR_SIZE];
};

static void make_table(struct fold_run *run, struct step *s)
{
	uint8_t mask = reader_u8(&run->script);

	/* The pool in order, so that most tables are sorted; 0x80: not. */
	for (unsigned k = 0; k < 7; k++) {
		unsigned at = mask & 0x80 ? 6 - k : k;

		if (mask >> at & 1)
			memcpy(s->table + INDICATOR_SIZE * s->op.table_count++,
				&run->pool[(at * 5 + 3) % MODEL_POOL],
				INDICATOR_SIZE);
	}
	s->op.table = s->table;
}

/* Mostly a member with whom the operation has a chance. */
static uint16_t choose_member(const struct fold_run *run, uint8_t type,
	uint8_t who)
{
	const struct model *m = &run->model;
	unsigned k = 1 + who % MODEL_MEMBERS;

	if (who % 16 == 15 || !m->count)
		return (uint16_t)k;
	if (type == OP_MEMBER_ADD)
		return (uint16_t)(m->count < MODEL_MEMBERS ? m->count + 1 : k);
	k = 1 + who % m->count;
	for (unsigned tries = 0; type == OP_BATCH && tries < m->count; tries++) {
		if (model_signers(&m->members[k]) &&
		    m->members[k].status == MEMBER_ACTIVE)
			break;
		k = 1 + k % m->count;
	}
	return (uint16_t)k;
}

static void make_step(struct fold_run *run, struct step *s)
{
	struct operation *op = &s->op;
	uint8_t who = reader_u8(&run->script), odd = reader_u8(&run->script);

	memset(s, 0, sizeof *s);
	op->type = choose_type(run);
	/* What stops most batches must not be the usual state. */
	if ((op->type == OP_PAUSE && odd & 7) ||
	    (op->type == OP_SUPERSEDE && odd % 16 != 1))
		op->type = OP_UNPAUSE;
	if ((op->type == OP_MEMBER_REMOVE && odd & 6) ||
	    (op->type == OP_MEMBER_SUSPEND && odd & 2))
		op->type = OP_MEMBER_RESUME;
	op->time = run->now;
	op->seq = run->model.seq[operation_chain(op->type)] + (odd == 77);
	if (odd == 78)
		op->time = run->model.time[operation_chain(op->type)] - 1;
	op->member = choose_member(run, op->type, who);
	s->about = odd % MODEL_ACTORS;
	s->actor = run->model.owner;
	if (op->type == OP_BATCH) {
		for (unsigned a = MODEL_ACTORS; a-- > 1;)
			if (run->model.members[op->member].signer[a])
				s->actor = a;
		op->count = odd % 16 ? 1 + odd % 3 : odd / 16 % 8;
		for (unsigned k = 0; k < op->count; k++)
			make_word(run, s->words + k * WORD_SIZE, op->member);
		op->words = s->words;
	} else if (op->type == OP_OWNER_ACCEPT) {
		s->actor = run->model.proposed;
	}
	if (who >= 0xe0)
		s->actor = who % MODEL_ACTORS;
	op->weight = odd % 9;
	op->cap = who % 16 ? 4 + who % (MODEL_CELLS - 3) : 1;
	op->name = odd == 79 ? view_of("\x1b", 1) : view_of("Bank of Examples", 16);
	op->signer_count = odd % 16 ? 1 + odd % 2 : 0;
	for (unsigned k = 0; k < op->signer_count; k++) {
		s->signers[k] = 3 + reader_u8(&run->script) % (MODEL_ACTORS - 3);
		model_address(op->signers[k], s->signers[k]);
	}
	if (op->type == OP_PROTECT)
		make_table(run, s);
	make_config(run, &op->config);
	memset(op->next, odd & 1, HASH_SIZE);
	model_address(op->actor, s->actor);
	model_address(op->address, s->about);
}

static bool model_apply(struct model *m, const struct step *s)
{
	const struct operation *op = &s->op;
	enum chain chain = operation_chain(op->type);
	struct model next = *m;
	bool ok;

	if (op->type == OP_GENESIS || op->seq != m->seq[chain] ||
	    op->time < m->time[chain])
		return false;
	if (op->type == OP_BATCH)
		ok = op->member <= m->count &&
			model_batch(m, &next.members[op->member], op, s->actor);
	else if (op->type == OP_MEMBER_ADD)
		ok = s->actor && s->actor == m->owner &&
			model_add(&next, op, s->signers);
	else
		ok = model_admin(&next, op, s->actor, s->about);
	if (!ok)
		return false;
	next.seq[chain]++;
	next.time[chain] = op->time;
	*m = next;
	return true;
}

static void on_touch(void *context, const struct indicator *i)
{
	struct fold_run *run = context;

	if (!i)
		run->touched_all = true;
	else if (run->touched_count < 4096)
		run->touched[run->touched_count++] = *i;
	else
		run->touched_all = true;
}

static bool was_touched(const struct fold_run *run, const struct indicator *i)
{
	for (size_t k = 0; k < run->touched_count; k++)
		if (!memcmp(&run->touched[k], i, sizeof *i))
			return true;
	return run->touched_all;
}

/* All that a refused operation must leave alone. */
struct snapshot {
	struct tip tips[2];
	size_t live;
	uint32_t next_expiry;
	int64_t support[MODEL_POOL];
	bool listed[MODEL_POOL];
};

static void take(const struct fold_run *run, struct snapshot *s)
{
	memset(s, 0, sizeof *s);
	s->tips[0] = *registry_tip(run->registry, CHAIN_MEMBERS);
	s->tips[1] = *registry_tip(run->registry, CHAIN_ADMIN);
	s->live = registry_live_count(run->registry);
	s->next_expiry = registry_next_expiry(run->registry);
	for (unsigned k = 0; k < MODEL_POOL; k++) {
		struct indicator first;

		s->support[k] = registry_support(run->registry, &run->pool[k],
			run->now);
		s->listed[k] = registry_around(run->registry, &run->pool[k], &first,
			1) && !memcmp(&first, &run->pool[k], sizeof first);
	}
}

/*
 * Whose support has changed was touched, but for a prefix that nobody reports:
 * objections inside it make it negative, which means nothing.
 */
static void compare_touched(const struct fold_run *run,
	const struct snapshot *before, const struct snapshot *after)
{
	for (unsigned k = 0; k < MODEL_POOL; k++)
		MUST(before->support[k] == after->support[k] ||
			was_touched(run, &run->pool[k]) ||
			(!before->listed[k] && !after->listed[k]));
}

static void play_step(struct fold_run *run)
{
	struct snapshot before, after;
	struct refusal check, apply;
	struct buffer bytes = {0};
	struct step s;
	bool ok;

	make_step(run, &s);
	MUST(!operation_encode(&bytes, &s.op));
	take(run, &before);
	run->touched_count = 0;
	run->touched_all = false;
	ok = !registry_check(run->registry, &s.op, &check);
	MUST(ok == !registry_apply(run->registry, &s.op, view_of(bytes.p, bytes.n),
		on_touch, run, &apply));
	MUST(check.code == apply.code && check.entry == apply.entry);
	MUST(ok == (check.code == REFUSED_NOT));
	MUST(ok == model_apply(&run->model, &s));
	take(run, &after);
	if (ok) {
		run->accepted[s.op.type]++;
		compare_touched(run, &before, &after);
		MUST(s.op.type != OP_BATCH || registry_live_count(run->registry) ==
			model_held(&run->model, run->now));
	} else {
		run->refused[check.code]++;
		MUST(!memcmp(&before, &after, sizeof before));
		MUST(!run->touched_count && !run->touched_all);
	}
	buffer_free(&bytes);
	compare(run);
	compare_choice(run, s.op.member, &run->pool[s.about]);
}

static void play_time(struct fold_run *run, uint8_t by)
{
	struct snapshot before, after;

	run->touched_count = 0;
	run->touched_all = false;
	take(run, &before);
	run->now += by;
	registry_expire(run->registry, run->now, on_touch, run);
	take(run, &after);
	compare_touched(run, &before, &after);
	MUST(registry_live_count(run->registry) == model_held(&run->model, run->now));
	MUST(!after.next_expiry || after.next_expiry > run->now);
	compare(run);
}

static void model_begin(struct fold_run *run)
{
	struct operation op = {.type = OP_GENESIS, .time = run->now};
	struct model *m = &run->model;
	struct buffer bytes = {0};
	struct refusal why;

	for (unsigned k = 0; k < MODEL_POOL; k++)
		MUST(!indicator_parse(&run->pool[k], NULL, view_str(model_pool[k]),
			NULL));
	m->owner = 1;
	m->guardian = 2;
	m->config = (struct ledger_config){{16, 32, 5, false}, 48, 2};
	op.config = m->config;
	model_address(op.actor, 1);
	model_address(op.address, 2);
	run->registry = registry_new((struct hash_key){1, 2});
	MUST(run->registry && !operation_encode(&bytes, &op));
	MUST(!registry_apply(run->registry, &op, view_of(bytes.p, bytes.n), NULL,
		NULL, &why));
	m->seq[CHAIN_ADMIN] = 1;
	m->time[CHAIN_ADMIN] = run->now;
	buffer_free(&bytes);
}

/* Two members to begin with, added by operations like any other. */
static void model_members(struct fold_run *run)
{
	for (unsigned k = 1; k <= 2; k++) {
		struct step s = {.actor = 1, .signers = {2 + k}};
		struct buffer bytes = {0};
		struct refusal why;

		s.op = (struct operation){.type = OP_MEMBER_ADD, .seq = k,
			.time = run->now, .member = (uint16_t)k, .weight = 2,
			.cap = MODEL_CELLS, .name = view_of("a", 1),
			.signer_count = 1};
		model_address(s.op.actor, 1);
		model_address(s.op.signers[0], 2 + k);
		MUST(!operation_encode(&bytes, &s.op));
		MUST(!registry_apply(run->registry, &s.op,
			view_of(bytes.p, bytes.n), NULL, NULL, &why));
		MUST(model_apply(&run->model, &s));
		buffer_free(&bytes);
	}
}

/* Play a script to its end; run is the caller's, zeroed, for its counts. */
static void model_play(struct fold_run *run, struct view script)
{
	run->script.rest = script;
	run->now = 1700000000;
	model_begin(run);
	model_members(run);
	for (unsigned k = 0; k < MODEL_STEPS && run->script.rest.n; k++) {
		uint8_t b = reader_u8(&run->script);

		if (b % 8 == 0)
			play_time(run, b / 8);
		else
			play_step(run);
	}
	registry_free(run->registry);
	run->registry = NULL;
}

#endif
