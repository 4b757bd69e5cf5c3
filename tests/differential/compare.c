/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include "base/hex.h"
#include "chain.h"
#include "ledger/ethereum/abi.h"

static const uint8_t nobody[ADDRESS20];

#define SAME(what, condition)                                                            \
	do {                                                                             \
		if (!(condition))                                                        \
			die("%s differs (%s)", what, #condition);                        \
	} while (0)

/* A view's result, valid until the next ask. */
static struct view ask(
	const uint8_t contract[ADDRESS20], struct buffer *call, uint32_t time)
{
	static struct buffer result;

	if (!chain_call(&result, contract, nobody, view_of(call->p, call->n), time))
		die("a view reverted");
	buffer_free(call);
	return view_of(result.p, result.n);
}

static struct error err;
#define DECODED(expression)                                                              \
	do {                                                                             \
		if (expression)                                                          \
			die("%s: %s", #expression, err.text);                            \
	} while (0)

void compare_tips(const struct registry *r, const struct registry *local,
	const uint8_t contract[ADDRESS20], uint32_t time)
{
	struct contract_tips tips;
	struct buffer call = {0};

	abi_call_tips(&call);
	DECODED(abi_tips_decode(&tips, ask(contract, &call, time), &err));
	for (enum chain c = CHAIN_MEMBERS; c <= CHAIN_ADMIN; c++) {
		const struct tip *fold = registry_tip(r, c);

		SAME("tip", !memcmp(fold->hash, tips.tip[c].hash, HASH_SIZE));
		SAME("seq", fold->seq == tips.tip[c].seq);
		SAME("tip", !memcmp(fold->hash, registry_tip(local, c)->hash, HASH_SIZE));
		SAME("seq", fold->seq == registry_tip(local, c)->seq);
	}
}

static void same_members(const struct member *a, const struct member *b)
{
	SAME("status", a->status == b->status);
	SAME("generation", a->generation == b->generation);
	SAME("weight", a->weight == b->weight);
	SAME("cap", a->cap == b->cap);
	SAME("name", !strcmp(a->name, b->name));
	SAME("signers", a->signer_count == b->signer_count);
	for (unsigned k = 0; k < a->signer_count; k++) {
		unsigned j = 0;

		/* Their order is nobody's business. */
		while (j < b->signer_count &&
			memcmp(a->signers[k], b->signers[j], ADDRESS20))
			j++;
		SAME("signers", j < b->signer_count);
	}
}

static void compare_members(const struct history *h, const struct registry *r,
	const struct registry *local, const uint8_t contract[ADDRESS20])
{
	struct buffer call = {0};
	uint64_t count;

	abi_call_member_count(&call);
	DECODED(abi_uint_decode(&count, ask(contract, &call, h->time), &err));
	SAME("members", count == registry_members(r));
	SAME("members", count == registry_members(local));
	for (uint16_t i = 1; i <= count; i++) {
		struct member m = {.index = i};

		abi_call_member(&call, i);
		DECODED(abi_member_decode(&m, ask(contract, &call, h->time), &err));
		same_members(registry_member(r, i), &m);
		same_members(registry_member(r, i), registry_member(local, i));
	}
	for (unsigned a = 0; a < ACTORS; a++) {
		const struct member *m = registry_member_by_signer(
			r, signer_address(h->actors[a]));
		uint64_t of;

		abi_call_member_of(&call, signer_address(h->actors[a]));
		DECODED(abi_uint_decode(&of, ask(contract, &call, h->time), &err));
		SAME("memberOf", of == (m ? m->index : 0));
	}
}

static void compare_address(const uint8_t *due, const uint8_t contract[ADDRESS20],
	struct buffer *call, uint32_t time)
{
	uint8_t is[ADDRESS20];

	DECODED(abi_address_decode(is, ask(contract, call, time), &err));
	SAME("an office", !memcmp(due ? due : nobody, is, ADDRESS20));
}

static void compare_whole(const struct history *h, const struct registry *r,
	const uint8_t contract[ADDRESS20])
{
	static const uint8_t none[HASH_SIZE];
	const struct indicator *table;
	struct ledger_config config;
	struct buffer call = {0};
	uint8_t hash[HASH_SIZE];
	struct view bytes;
	uint64_t paused;
	size_t n;

	abi_call_owner(&call);
	compare_address(registry_owner(r), contract, &call, h->time);
	abi_call_guardian(&call);
	compare_address(registry_guardian(r), contract, &call, h->time);
	abi_call_pending_owner(&call);
	compare_address(registry_proposed_owner(r), contract, &call, h->time);
	abi_call_paused(&call);
	DECODED(abi_uint_decode(&paused, ask(contract, &call, h->time), &err));
	SAME("paused", paused == registry_paused(r));
	abi_call_id(&call);
	DECODED(abi_hash_decode(hash, ask(contract, &call, h->time), &err));
	SAME("id", !memcmp(hash, registry_id(r), HASH_SIZE));
	abi_call_superseded(&call);
	DECODED(abi_hash_decode(hash, ask(contract, &call, h->time), &err));
	SAME("successor",
		!memcmp(hash, registry_superseded(r) ? registry_superseded(r) : none,
			HASH_SIZE));
	abi_call_config(&call);
	DECODED(abi_config_decode(&config, ask(contract, &call, h->time), &err));
	SAME("config",
		!memcmp(&config.limits, &registry_config(r)->limits,
			sizeof config.limits));
	SAME("max_ttl", config.max_ttl == registry_config(r)->max_ttl);
	SAME("threshold", config.threshold == registry_config(r)->threshold);
	table = registry_protected(r, &n);
	abi_call_protected(&call);
	DECODED(abi_protected_decode(&bytes, ask(contract, &call, h->time), &err));
	SAME("protected", bytes.n == n * INDICATOR_SIZE);
	SAME("protected", !n || !memcmp(bytes.p, table, bytes.n));
}

/* Every cell; those with a live word into cells[]. */
static size_t compare_cells(const struct history *h, const struct registry *r,
	const uint8_t contract[ADDRESS20], uint64_t *cells)
{
	struct buffer call = {0};
	size_t live = 0;

	for (uint16_t i = 1; i <= registry_members(r); i++) {
		const struct member *m = registry_member(r, i);
		struct view words;

		abi_call_snapshot(&call, i, 0, CELLS_TOP + 2);
		DECODED(abi_words_decode(&words, ask(contract, &call, h->time), &err));
		SAME("snapshot", words.n == (CELLS_TOP + 2) * WORD_SIZE);
		for (uint32_t c = 0; c < CELLS_TOP + 2; c++) {
			struct report stands, due;
			bool alive;

			word_decode(&stands, words.p + (size_t)c * WORD_SIZE);
			alive = stands.expiry > h->time && stands.member == i &&
				stands.generation == m->generation &&
				m->status != MEMBER_REMOVED;
			if (m->status == MEMBER_ACTIVE) {
				int rc = registry_cell(r, i, c, h->time, &due);

				SAME("live", alive == !rc);
				SAME("word", rc || !memcmp(&due, &stands, sizeof due));
			}
			if (alive)
				cells[live++] = (uint64_t)i << 24 | c;
		}
	}
	return live;
}

static void compare_support(const struct history *h, const struct registry *r,
	const uint8_t contract[ADDRESS20], const uint64_t *cells, size_t live)
{
	struct buffer call = {0};

	for (unsigned k = 0; k < POOL; k++) {
		int64_t is;

		abi_call_support(&call, &h->pool[k], cells, live);
		DECODED(abi_int_decode(&is, ask(contract, &call, h->time), &err));
		SAME("support", is == registry_support(r, &h->pool[k], h->time));
	}
}

void compare_state(const struct history *h, const struct registry *r,
	const struct registry *local, const uint8_t contract[ADDRESS20])
{
	static uint64_t cells[(MEMBERS_TOP + 1) * (CELLS_TOP + 2) * 8];
	size_t live;

	compare_tips(r, local, contract, h->time);
	compare_members(h, r, local, contract);
	compare_whole(h, r, contract);
	live = compare_cells(h, r, contract, cells);
	compare_support(h, r, contract, cells, live);
	for (unsigned k = 0; k < POOL; k++)
		SAME("support",
			registry_support(r, &h->pool[k], h->time) ==
				registry_support(local, &h->pool[k], h->time));
}
