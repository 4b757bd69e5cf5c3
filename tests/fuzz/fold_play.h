/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FOLD_PLAY_H
#define FUZZ_FOLD_PLAY_H

/*
 * A script of bytes is turned into operations: the registry must accept
 * exactly what the model accepts, change nothing when it refuses, answer every
 * question as the model does, and touch every indicator whose support has
 * changed. abort() where they differ. For the fuzz target and a unit test.
 */
#include "fold_model.h"

#define MODEL_STEPS 400

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
	"8.8.0.0/16",
	"8.8.8.0/24",
	"8.8.8.0/25",
	"8.8.8.8",
	"8.8.8.9",
	"9.9.9.9",
	"10.1.2.3",
	"2600::/32",
	"2600:0:1::/48",
	"2600:0:1::7",
	"+97259*",
	"+972592577*",
	"+972592577956",
	"sip:bob@example.com",
	"agent:scanner",
	"8.0.0.0/7",
};

/* --- comparing --- */

static bool same_report(const struct report *a, const struct report *b)
{
	return !memcmp(&a->indicator, &b->indicator, sizeof a->indicator) &&
		a->expiry == b->expiry && a->member == b->member &&
		a->generation == b->generation && a->cell == b->cell &&
		a->category == b->category && a->proof == b->proof;
}

static void compare_indicator(const struct fold_run *run, const struct indicator *i)
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
		MUST(found || !model_words(&run->model, &run->pool[k], run->now, due) ||
			due[0].category == CATEGORY_OBJECTION ||
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
			bool live = !registry_cell(
				run->registry, (uint16_t)k, c, run->now, &word);

			MUST(live == model_live(mine, c, run->now));
			MUST(!live || same_report(&word, &mine->cells[c].word));
		}
	}
	for (unsigned a = 0; a < MODEL_ACTORS; a++) {
		uint8_t address[ADDRESS20];
		const struct member *m = registry_member_by_signer(
			run->registry, model_address(address, a));

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
static void compare_choice(
	struct fold_run *run, unsigned member, const struct indicator *i)
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
	MUST(!registry_choose_cell(
		run->registry, (uint16_t)member, i, run->now, NULL, 0, &cell, &action));
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
		.category = odd & 1 ? CATEGORY_OBJECTION : 1 + odd % CATEGORY_OTHER,
		.proof = odd % PROOF_COUNT,
		.action = odd >= 200 || odd % 8 < 4 ? ACTION_REPORT :
			odd % 8 < 6                 ? ACTION_REPLACE :
						      ACTION_SPEND,
	};

	if (e.action == ACTION_SPEND && odd < 180)
		e.indicator = mine->cells[e.cell].word.indicator;
	/* Now and then something is wrong with it. */
	switch (odd) {
	case 200:
		e.cell += 4;
		break;
	case 201:
		e.expiry = run->now;
		break;
	case 202:
		e.expiry = UINT32_MAX;
		break;
	case 203:
		e.member++;
		break;
	case 204:
		e.generation++;
		break;
	case 205:
		e.category = CATEGORY_OTHER + 1;
		break;
	case 206:
		e.proof = PROOF_COUNT;
		break;
	case 207:
		e.action = ACTION_SPEND + 1;
		break;
	case 208:
		e.indicator.plen ^= 3;
		break;
	case 209:
		e.indicator.kind = reader_u8(&run->script);
		break;
	case 210:
		e.indicator.value[reader_u8(&run->script) % 16] ^= 16;
		break;
	case 211:
		e.category = 0;
		break;
	default:
		break;
	}
	word_encode(dst, &e);
}

static void make_config(struct fold_run *run, struct ledger_config *c)
{
	uint8_t odd = reader_u8(&run->script);

	*c = (struct ledger_config){{16, 32, 5, odd & 1}, 40 + odd % 64, 1};
	switch (odd) {
	case 250:
		c->max_ttl = 0;
		break;
	case 251:
		c->threshold = 0;
		break;
	case 252:
		c->limits.min_v4 = 7;
		break;
	case 253:
		c->limits.min_v6 = 129;
		break;
	case 254:
		c->limits.min_e164 = 16;
		break;
	case 255:
		c->max_ttl = 366 * 86400 + 1;
		break;
	default:
		break;
	}
}

/* What one step does; batches come as often as all else. */
static uint8_t choose_type(struct fold_run *run)
{
	static const uint8_t types[] = {OP_MEMBER_ADD, OP_MEMBER_ADD, OP_MEMBER_SET,
		OP_MEMBER_REMOVE, OP_MEMBER_SUSPEND, OP_MEMBER_RESUME, OP_SIGNER_ADD,
		OP_SIGNER_REMOVE, OP_PROTECT, OP_CONFIG, OP_GUARDIAN, OP_OWNER_PROPOSE,
		OP_OWNER_ACCEPT, OP_PAUSE, OP_UNPAUSE, OP_SIGNER_ADD};
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
				&run->pool[(at * 5 + 3) % MODEL_POOL], INDICATOR_SIZE);
	}
	s->op.table = s->table;
}

/* Mostly a member with whom the operation has a chance. */
static uint16_t choose_member(const struct fold_run *run, uint8_t type, uint8_t who)
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
		ok = s->actor && s->actor == m->owner && model_add(&next, op, s->signers);
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

		s->support[k] = registry_support(run->registry, &run->pool[k], run->now);
		s->listed[k] = registry_around(run->registry, &run->pool[k], &first, 1) &&
			!memcmp(&first, &run->pool[k], sizeof first);
	}
}

/*
 * Whose support has changed was touched, but for a prefix that nobody reports:
 * objections inside it make it negative, which means nothing.
 */
static void compare_touched(const struct fold_run *run, const struct snapshot *before,
	const struct snapshot *after)
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
	MUST(ok ==
		!registry_apply(run->registry, &s.op, view_of(bytes.p, bytes.n), on_touch,
			run, &apply));
	MUST(check.code == apply.code && check.entry == apply.entry);
	MUST(ok == (check.code == REFUSED_NOT));
	MUST(ok == model_apply(&run->model, &s));
	take(run, &after);
	if (ok) {
		run->accepted[s.op.type]++;
		compare_touched(run, &before, &after);
		MUST(s.op.type != OP_BATCH ||
			registry_live_count(run->registry) ==
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
		MUST(!indicator_parse(
			&run->pool[k], NULL, view_str(model_pool[k]), NULL));
	m->owner = 1;
	m->guardian = 2;
	m->config = (struct ledger_config){{16, 32, 5, false}, 48, 2};
	op.config = m->config;
	model_address(op.actor, 1);
	model_address(op.address, 2);
	run->registry = registry_new((struct hash_key){1, 2});
	MUST(run->registry && !operation_encode(&bytes, &op));
	MUST(!registry_apply(
		run->registry, &op, view_of(bytes.p, bytes.n), NULL, NULL, &why));
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

		s.op = (struct operation){.type = OP_MEMBER_ADD,
			.seq = k,
			.time = run->now,
			.member = (uint16_t)k,
			.weight = 2,
			.cap = MODEL_CELLS,
			.name = view_of("a", 1),
			.signer_count = 1};
		model_address(s.op.actor, 1);
		model_address(s.op.signers[0], 2 + k);
		MUST(!operation_encode(&bytes, &s.op));
		MUST(!registry_apply(run->registry, &s.op, view_of(bytes.p, bytes.n),
			NULL, NULL, &why));
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
