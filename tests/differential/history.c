/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <stdlib.h>

#include "chain.h"

/* Ranges that contain one another, that are protected below, that are nowhere. */
static const char *const texts[] = {
	"8.8.8.8",
	"8.8.8.0/24",
	"8.8.8.0/25",
	"8.8.8.9",
	"8.8.9.0/30",
	"9.9.9.9",
	"2600:0:1::7",
	"2600:0:1::/64",
	"+972592577956",
	"+972592577*",
	"sip:bob@example.com",
	"agent:friendly-scanner",
	"8.8.0.0/16",
	"9.9.0.0/17",
	"11.0.0.0/8",
	"10.1.2.3",
	"100.64.0.1",
	"127.0.0.0/9",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.0.2.7",
	"192.0.0.0/16",
	"198.18.0.1",
	"203.0.113.5",
	"223.255.255.255",
	"224.0.0.1",
	"255.255.255.255",
	"0.0.0.0/8",
	"2600::/32",
	"2600:0:1::/48",
	"2001:db8::1",
	"2001::/16",
	"2001:4860::/32",
	"2001:200::/23",
	"fc00::/16",
	"::/16",
	"64:ff9b:1::1",
	"64:ff9b::808:808",
	"3fff::1",
	"5f00::/16",
	"100::1",
	"+97259*",
	"+4420*",
	"+1",
	"+12025550123",
	"domain:example.com",
	"agent:sipvicious",
	"+9*",
	"0.0.0.0/0",
	"4.0.0.0/8",
};
#define COMMON 12

_Static_assert(sizeof texts / sizeof *texts == POOL, "the pool is full");

static bool chance(struct history *h, unsigned one_in)
{
	return !prng_below(&h->random, one_in);
}

void history_begin(struct history *h, uint64_t seed, uint32_t time)
{
	struct error err;

	h->random.state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	h->time = time;
	for (size_t k = 0; k < POOL; k++)
		if (indicator_parse(&h->pool[k], NULL, view_str(texts[k]), &err))
			die("%s: %s", texts[k], err.text);
}

struct ledger_config history_config(struct history *h, bool valid)
{
	struct ledger_config c = {
		.limits = {(uint8_t)(8 + prng_below(&h->random, 18)),
			(uint8_t)(16 + prng_below(&h->random, 40)),
			(uint8_t)(1 + prng_below(&h->random, 5)), chance(h, 2)},
		.max_ttl = 1 + prng_below(&h->random, chance(h, 8) ? 366 * 86400 : 5000),
		.threshold = 1 + prng_below(&h->random, 3),
	};

	if (valid)
		return c;
	switch (prng_below(&h->random, 8)) {
	case 0:
		c.limits.min_v4 = (uint8_t)prng_next(&h->random);
		break;
	case 1:
		c.limits.min_v6 = (uint8_t)prng_next(&h->random);
		break;
	case 2:
		c.limits.min_e164 = (uint8_t)prng_next(&h->random);
		break;
	case 3:
		c.max_ttl = (uint32_t)prng_next(&h->random);
		break;
	case 4:
		c.max_ttl = 0;
		break;
	case 5:
		c.threshold = 0;
		break;
	default:
		break;
	}
	return c;
}

static struct indicator any_indicator(struct history *h)
{
	/* Mostly one of the first, on which members meet. */
	struct indicator i =
		h->pool[prng_below(&h->random, chance(h, 12) ? POOL : COMMON)];

	if (chance(h, 60)) /* hostile: any bit of it */
		((uint8_t *)&i)[prng_below(&h->random, INDICATOR_SIZE)] ^= (uint8_t)(1u
			<< prng_below(&h->random, 8));
	return i;
}

static uint16_t any_member(struct history *h, const struct registry *r)
{
	if (chance(h, 40))
		return (uint16_t)prng_next(&h->random);
	if (chance(h, 20) || !registry_members(r))
		return (uint16_t)(prng_below(&h->random, registry_members(r) + 2u));
	return (uint16_t)(1 + prng_below(&h->random, registry_members(r)));
}

static void any_word(struct history *h, const struct registry *r, uint16_t index,
	uint8_t word[WORD_SIZE])
{
	const struct member *m = registry_member(r, index);
	struct report e = {
		.indicator = any_indicator(h),
		.expiry = h->time + 1 +
			prng_below(&h->random, registry_config(r)->max_ttl),
		.member = index,
		.generation = m ? m->generation : 0,
		.cell = prng_below(&h->random,
			m && m->cap < CELLS_TOP && !chance(h, 25) ? m->cap : CELLS_TOP),
		.category = (uint8_t)(chance(h, 6) ? CATEGORY_OBJECTION :
						     1 + prng_below(&h->random, 8)),
		.proof = (uint8_t)prng_below(&h->random, PROOF_COUNT),
		.action = (uint8_t)(chance(h, 5) ? ACTION_SPEND : chance(h, 3)),
	};
	struct report held;

	/* What stands there is spent or refreshed more often than by luck. */
	if (m && chance(h, 2) && !registry_cell(r, index, e.cell, h->time, &held))
		e.indicator = held.indicator;
	if (chance(h, 80))
		e.expiry = h->time +
			prng_below(&h->random, 3) * (registry_config(r)->max_ttl + 1);
	word_encode(word, &e);
	if (chance(h, 60))
		word[prng_below(&h->random, WORD_SIZE)] ^= (uint8_t)(1u
			<< prng_below(&h->random, 8));
}

/* An actor who may sign for the member, or any. */
static unsigned signer_of(struct history *h, const struct registry *r, uint16_t index)
{
	const struct member *m = registry_member(r, index);

	if (m && m->signer_count && !chance(h, 15)) {
		unsigned k = prng_below(&h->random, m->signer_count);

		for (unsigned a = 0; a < ACTORS; a++)
			if (!memcmp(signer_address(h->actors[a]), m->signers[k],
				    ADDRESS20))
				return a;
	}
	return prng_below(&h->random, ACTORS);
}

static unsigned next_batch(
	struct history *h, const struct registry *r, struct operation *op)
{
	op->type = OP_BATCH;
	op->member = any_member(h, r);
	/* One who can: the others are asked often enough. */
	for (unsigned tries = 0; tries < 6 && !chance(h, 6); tries++) {
		const struct member *m = registry_member(r, op->member);

		if (m && m->status == MEMBER_ACTIVE && m->signer_count)
			break;
		op->member = any_member(h, r);
	}
	op->count = (uint16_t)(1 + prng_below(&h->random, chance(h, 4) ? 12 : 3));
	if (chance(h, 40))
		op->count = chance(h, 2) ? 0 : 257;
	for (unsigned k = 0; k < op->count; k++)
		any_word(h, r, op->member, h->words + (size_t)k * WORD_SIZE);
	op->words = h->words;
	for (size_t k = 0; k < HASH_SIZE; k++)
		op->commitment[k] = (uint8_t)prng_next(&h->random);
	for (size_t k = 0; k < sizeof h->texts; k++)
		h->texts[k] = (uint8_t)prng_next(&h->random);
	op->texts = view_of(
		h->texts, chance(h, 3) ? prng_below(&h->random, sizeof h->texts + 1) : 0);
	return signer_of(h, r, op->member);
}

static void any_name(struct history *h, struct operation *op)
{
	static const char *const names[] = {"bank", "université", "\xf0\x9f\x93\x9e", "",
		"a\nb", "\xc3", "\xed\xa0\x80", "\xe2\x80\xae", "\xc0\x80", "\xc2\x85",
		"\xf4\x90\x80\x80", "ITSP 7"};
	const char *pick = names[prng_below(
		&h->random, chance(h, 3) ? sizeof names / sizeof *names : 3)];
	size_t n = strlen(pick);

	memcpy(h->name, pick, n);
	if (chance(h, 10)) {
		n = NAME_MAX_BYTES + chance(h, 2);
		memset(h->name, 'x', n);
	}
	if (n && chance(h, 12))
		h->name[prng_below(&h->random, (unsigned)n)] = (char)prng_next(
			&h->random);
	op->name = view_of(h->name, n);
}

static void member_terms(struct history *h, struct operation *op)
{
	op->weight = (uint16_t)(chance(h, 15) ? 0 : 1 + prng_below(&h->random, 3));
	op->cap = 1 + prng_below(&h->random, CELLS_TOP);
	if (chance(h, 15))
		op->cap = chance(h, 3) ? 0 : (UINT32_C(1) << 24) + chance(h, 2);
}

static void any_address(
	struct history *h, const struct registry *r, uint8_t address[ADDRESS20])
{
	unsigned a = prng_below(&h->random, ACTORS);

	/* Mostly one who signs for nobody yet. */
	for (unsigned tries = 0; tries < 8 && !chance(h, 8) &&
		(a < 3 || a == STRANGER ||
			registry_member_by_signer(r, signer_address(h->actors[a])));
		tries++)
		a = prng_below(&h->random, ACTORS);
	if (chance(h, 25))
		memset(address, 0, ADDRESS20);
	else
		memcpy(address, signer_address(h->actors[a]), ADDRESS20);
}

static int by_order(const void *a, const void *b)
{
	return indicator_compare(a, b);
}

static void next_table(struct history *h, struct operation *op)
{
	struct indicator *table = (struct indicator *)(void *)h->table;
	unsigned n = prng_below(&h->random, 6);

	for (unsigned k = 0; k < n; k++)
		table[k] = any_indicator(h);
	if (!chance(h, 4)) {
		unsigned kept = 0;

		qsort(table, n, sizeof *table, by_order);
		for (unsigned k = 0; k < n; k++)
			if (!kept || !indicator_overlaps(&table[kept - 1], &table[k]))
				table[kept++] = table[k];
		n = kept;
	}
	op->table = h->table;
	op->table_count = (uint16_t)n;
}

static unsigned admin_actor(struct history *h, const struct registry *r, uint8_t type)
{
	const uint8_t *due = registry_owner(r);

	if (type == OP_OWNER_ACCEPT && registry_proposed_owner(r))
		due = registry_proposed_owner(r);
	else if ((type == OP_MEMBER_SUSPEND || type == OP_PAUSE) && chance(h, 2))
		due = registry_guardian(r);
	for (unsigned a = 0; a < ACTORS && !chance(h, 150); a++)
		if (!memcmp(signer_address(h->actors[a]), due, ADDRESS20))
			return a;
	return prng_below(&h->random, ACTORS);
}

static unsigned next_admin(
	struct history *h, const struct registry *r, struct operation *op)
{
	/* As often as they stand here. */
	static const uint8_t types[] = {OP_MEMBER_ADD, OP_MEMBER_ADD, OP_MEMBER_ADD,
		OP_MEMBER_SET, OP_MEMBER_SET, OP_MEMBER_REMOVE, OP_MEMBER_SUSPEND,
		OP_MEMBER_RESUME, OP_MEMBER_RESUME, OP_SIGNER_ADD, OP_SIGNER_ADD,
		OP_SIGNER_ADD, OP_SIGNER_REMOVE, OP_PROTECT, OP_PROTECT, OP_CONFIG,
		OP_CONFIG, OP_GUARDIAN, OP_OWNER_PROPOSE, OP_OWNER_ACCEPT, OP_PAUSE,
		OP_UNPAUSE, OP_UNPAUSE, OP_UNPAUSE};

	op->type = types[prng_below(&h->random, sizeof types)];
	if (registry_paused(r) && chance(h, 3))
		op->type = OP_UNPAUSE;
	if (chance(h, 400))
		op->type = OP_SUPERSEDE;
	op->member = any_member(h, r);
	if (op->type == OP_MEMBER_ADD && registry_members(r) < MEMBERS_TOP &&
		!chance(h, 3))
		op->member = (uint16_t)(registry_members(r) + 1);
	member_terms(h, op);
	any_name(h, op);
	any_address(h, r, op->address);
	op->signer_count = (uint8_t)prng_below(&h->random, 3);
	for (unsigned k = 0; k < op->signer_count; k++)
		any_address(h, r, op->signers[k]);
	if (op->type == OP_SIGNER_REMOVE && registry_member(r, op->member) &&
		registry_member(r, op->member)->signer_count && !chance(h, 3))
		memcpy(op->address, registry_member(r, op->member)->signers[0],
			ADDRESS20);
	if (op->type == OP_OWNER_PROPOSE && !chance(h, 6))
		memcpy(op->address,
			signer_address(h->actors[2 * prng_below(&h->random, 2)]),
			ADDRESS20);
	if (op->type == OP_PROTECT)
		next_table(h, op);
	if (op->type == OP_CONFIG)
		op->config = history_config(h, !chance(h, 4));
	for (size_t k = 0; k < HASH_SIZE && !chance(h, 200); k++)
		op->next[k] = (uint8_t)prng_next(&h->random);
	return admin_actor(h, r, op->type);
}

unsigned history_next(struct history *h, const struct registry *r, struct operation *op)
{
	unsigned actor;

	memset(op, 0, sizeof *op);
	h->time += 1 + prng_below(&h->random, chance(h, 10) ? 3000 : 40);
	actor = prng_below(&h->random, 10) < 7 && registry_members(r) > 1 ?
		next_batch(h, r, op) :
		next_admin(h, r, op);
	op->seq = registry_tip(r, operation_chain(op->type))->seq;
	op->time = h->time;
	memcpy(op->actor, signer_address(h->actors[actor]), ADDRESS20);
	return actor;
}
