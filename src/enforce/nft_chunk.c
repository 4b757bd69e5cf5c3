/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_chunk.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#define KEY_SIZE (INDICATOR_SIZE + 1)

/* The kernel turns milliseconds into 64-bit nanoseconds; stay well below. */
#define TIMEOUT_MOST (UINT64_C(100) * 365 * 86400 * 1000)

struct nft_chunk *nft_chunk_new(void)
{
	struct nft_chunk *c = calloc(1, sizeof(*c));

	/* Members of the consortium choose what is listed, so also what would
	 * collide. */
	if (c)
		c->key = hash_key_random();
	return c;
}

void nft_chunk_free(struct nft_chunk *c)
{
	free(c);
}

/* Whether an order makes a ban stand, rather than end, at now. */
static bool adds(const struct ban_order *o, usec now)
{
	return o->change == BAN_ADD && (usec)o->until * USEC_PER_SEC > now;
}

/* Find the later order about the same ban, or enter this one. */
static uint16_t last_about(struct nft_chunk *c, uint16_t i)
{
	const struct ban_order *o = &c->orders[i];
	uint8_t key[KEY_SIZE];
	size_t at;

	memcpy(key, &o->indicator, INDICATOR_SIZE);
	key[INDICATOR_SIZE] = o->scope;
	at = hash_bytes(&c->key, key, sizeof(key)) % NFT_SEEN_SLOTS;
	for (; c->seen[at] != 0; at = (at + 1) % NFT_SEEN_SLOTS) {
		const struct ban_order *other = &c->orders[c->seen[at] - 1];

		if (other->scope == o->scope &&
			memcmp(&other->indicator, &o->indicator, INDICATOR_SIZE) == 0)
			return (uint16_t)(c->seen[at] - 1);
	}
	c->seen[at] = (uint16_t)(i + 1);
	return i;
}

/* What to do about one order; later ones are already planned. */
static void plan_order(struct nft_chunk *c, const struct nft_standing *s, uint16_t i)
{
	const struct ban_order *o = &c->orders[i];
	bool add = adds(o, s->now);

	c->step[i] = NFT_STEP_NONE;
	c->ok[i] = false;
	c->heir[i] = i;
	c->slot[i] = o->scope > BAN_ALL ? NFT_NO_SLOT :
					  nft_set_slot_of(&o->indicator, o->scope);
	if (c->slot[i] == NFT_NO_SLOT)
		return;
	if (add && nft_spans_overlap(s->allow, s->allow_count, &o->indicator))
		return;
	c->heir[i] = last_about(c, i);
	if (c->heir[i] != i)
		return;
	if (!add && !s->present[c->slot[i]]) {
		c->ok[i] = true; /* no such set, so no such ban */
		return;
	}
	c->step[i] = add ? NFT_STEP_ADD : NFT_STEP_DELETE;
	c->timeout[i] = 0;
	if (add)
		c->timeout[i] = ((usec)o->until * USEC_PER_SEC - s->now + 999) / 1000;
	if (c->timeout[i] > TIMEOUT_MOST)
		c->timeout[i] = TIMEOUT_MOST;
}

void nft_chunk_plan(struct nft_chunk *c, const struct nft_standing *standing,
	const struct ban_order *orders, size_t n)
{
	c->orders = orders;
	c->n = n;
	memset(c->seen, 0, sizeof(c->seen));
	for (size_t i = n; i-- > 0;)
		plan_order(c, standing, (uint16_t)i);
}

/* How the elements of one message are written. */
struct manner {
	uint16_t type;
	bool exclusive; /* NEWSETELEM: refuse an element that stands */
	bool timeouts;
	bool expiration;
};

/* One message about all picked orders from first on with its set and step. */
static void put_group(struct nft_chunk *c, struct nft_batch *b, const char *table,
	size_t first, struct manner how)
{
	const struct nft_set set = nft_set_at(c->slot[first]);
	unsigned key_length = set.family == 4 ? 4 : 16;
	char name[NFT_SET_NAME];
	size_t nest;

	nest = nft_elements_begin(
		b, table, nft_set_name(name, &set), how.type, how.exclusive);
	for (size_t i = first; i < c->n; i++) {
		if (!c->pick[i] || c->step[i] != c->step[first] ||
			c->slot[i] != c->slot[first])
			continue;
		nft_put_ban(b, c->orders[i].indicator.value, key_length,
			how.timeouts ? c->timeout[i] : 0, how.expiration);
		c->put[i] = true;
	}
	nft_elements_end(b, nest);
}

/*
 * The messages that carry a group out, whether its elements stand or not:
 *
 *               Linux 6.12     6.3            before
 *   add         NEW            DESTROY, NEW   NEW, DEL, NEW
 *   delete      DESTROY        DESTROY        NEW, DEL
 *
 * Before 6.12 NEW does not touch an element that stands. DEL of one that does
 * not is refused, and all the transaction with it: so NEW goes before it.
 */
static void put_steps(struct nft_chunk *c, struct nft_batch *b, const char *table,
	size_t first, const struct nft_features *features, bool exclusive)
{
	const struct manner new = {.type = NFT_MSG_NEWSETELEM,
		.exclusive = exclusive,
		.timeouts = c->step[first] == NFT_STEP_ADD,
		.expiration = features->update_timeout};
	const struct manner end = {
		.type = features->destroy ? NFT_DESTROYSETELEM : NFT_MSG_DELSETELEM};
	bool add = c->step[first] == NFT_STEP_ADD;

	if (!add || (!features->update_timeout && !exclusive)) {
		if (!features->destroy)
			put_group(c, b, table, first, new);
		put_group(c, b, table, first, end);
	}
	if (add)
		put_group(c, b, table, first, new);
}

void nft_chunk_put(struct nft_chunk *c, struct nft_batch *b, const char *table,
	const struct nft_features *features, bool exclusive)
{
	memset(c->put, 0, sizeof(c->put));
	for (int step = NFT_STEP_DELETE; step >= NFT_STEP_ADD; step--)
		for (size_t i = 0; i < c->n; i++)
			if (c->pick[i] && !c->put[i] && c->step[i] == step)
				put_steps(c, b, table, i, features,
					exclusive && step == NFT_STEP_ADD);
}

size_t nft_chunk_settle(const struct nft_chunk *c, uint8_t *done, usec now)
{
	size_t refused = 0;

	for (size_t i = 0; i < c->n; i++) {
		bool ok = c->ok[c->heir[i]];

		/* A ban that the heir could not add does not stand. */
		if (c->heir[i] != i && !adds(&c->orders[i], now))
			ok = true;
		if (done)
			done[i] = ok;
		refused += !ok;
	}
	return refused;
}
