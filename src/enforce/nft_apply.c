/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include "enforce/nft_chunk.h"
#include "enforce/nft_rule.h"
#include "enforce/nft_state.h"

/*
 * Before Linux 6.12 a renewal costs two or three messages an element; bans that
 * are all new need one. From this many on it pays to try; after a refusal
 * so many chunks are sent the safe way before it is tried again.
 */
#define HOPE_FROM  100
#define HOPE_AGAIN 64

/* Make the sets, with their rules, that the chunk's bans need. */
static int make_sets(struct nft *n, struct error *err)
{
	const struct nft_chunk *c = n->chunk;
	const char *table = n->config.table;
	const struct nft_count zero = {0};
	bool made[NFT_SLOTS] = {false};
	struct nft_outcome out;
	char name[NFT_SET_NAME];

	nft_transport_begin(&n->transport, &n->batch);
	for (size_t i = 0; i < c->n; i++) {
		uint16_t slot = c->slot[i];
		struct nft_set_shape shape;
		struct nft_set set;

		if (c->step[i] != NFT_STEP_ADD || n->present[slot] || made[slot])
			continue;
		made[slot] = true;
		set = nft_set_at(slot);
		shape = nft_ban_shape(&set, n->config.set_size, n->config.gc_interval);
		nft_put_set(&n->batch, table, nft_set_name(name, &set), &shape);
		nft_rule_ban(&n->batch, table,
			set.scope == BAN_ALL ? NFT_ALL_CHAIN : NFT_SIP_CHAIN, &set,
			&zero);
	}
	if (n->batch.count == 0)
		return 0;
	if (nft_transport_commit(&n->transport, &n->batch, &out) < 0)
		return nft_refused(n, &out, "make the set of a prefix length", err);
	for (size_t slot = 0; slot < NFT_SLOTS; slot++)
		n->present[slot] |= made[slot];
	return 0;
}

/*
 * Send the picked orders as one transaction, a second time when the answer was
 * lost: all that is said here may be said twice. Returns 0 or errno.
 */
static int commit_picked(struct nft *n, bool exclusive, struct nft_outcome *out)
{
	struct nft_chunk *c = n->chunk;

	*out = (struct nft_outcome){0};
	for (unsigned tries = 0; tries < 2; tries++) {
		nft_transport_begin(&n->transport, &n->batch);
		nft_chunk_put(c, &n->batch, n->config.table, &n->features, exclusive);
		if (n->batch.count == 0)
			return 0;
		if (nft_transport_commit(&n->transport, &n->batch, out) == 0) {
			for (size_t i = 0; i < c->n; i++)
				c->ok[i] |= c->pick[i];
			return 0;
		}
		if (out->error != ENOBUFS && out->error != ETIMEDOUT)
			break;
	}
	return out->error;
}

/*
 * Whether the ban of order i stands. When even the set is gone this says no,
 * and the transaction that follows says why.
 */
static bool stands(struct nft *n, size_t i)
{
	const struct nft_set set = nft_set_at(n->chunk->slot[i]);
	struct nft_outcome out;
	char name[NFT_SET_NAME];
	size_t nest;

	nft_transport_ask(&n->transport, &n->batch, NFT_MSG_GETSETELEM, NLM_F_ACK);
	nft_put_name(&n->batch, NFTA_SET_ELEM_LIST_TABLE, n->config.table);
	nft_put_name(&n->batch, NFTA_SET_ELEM_LIST_SET, nft_set_name(name, &set));
	nest = nft_nest(&n->batch, NFTA_SET_ELEM_LIST_ELEMENTS);
	nft_put_ban(&n->batch, n->chunk->orders[i].indicator.value,
		set.family == 4 ? 4 : 16, 0, false);
	nft_nest_end(&n->batch, nest);
	return nft_transport_question(&n->transport, &n->batch, NULL, NULL, &out) == 0;
}

/* Pick the next most orders of a slot that were not tried. Returns how many. */
static size_t pick_some(
	struct nft_chunk *c, const bool *fresh, uint16_t slot, size_t *at, size_t most)
{
	size_t picked = 0;

	memset(c->pick, 0, sizeof(c->pick));
	for (; *at < c->n && picked < most; ++*at) {
		if (!fresh[*at] || c->slot[*at] != slot)
			continue;
		c->pick[*at] = true;
		picked++;
	}
	return picked;
}

/*
 * Add as many new bans to one set as it takes, in order: 1, 2, 4 ... at a time
 * until it refuses, then halving. A refusal costs the kernel an RCU grace
 * period (some 10 ms), so there may be only a logarithm of them, and just one
 * in a set that is already full.
 */
static int fill(struct nft *n, const bool *fresh, uint16_t slot, struct error *err)
{
	struct nft_outcome out;
	size_t at = 0, most = 1;
	bool growing = true;

	for (;;) {
		size_t from = at;
		size_t picked = pick_some(n->chunk, fresh, slot, &at, most);

		if (picked == 0)
			return 0;
		switch (commit_picked(n, false, &out)) {
		case 0:
			if (growing)
				most *= 2;
			else if (most > 1)
				most /= 2;
			break;
		case ENFILE:
			if (picked == 1)
				return 0; /* full: so for all that follow */
			at = from;
			most = picked / 2;
			growing = false;
			break;
		default:
			return nft_refused(n, &out, "add bans", err);
		}
	}
}

/* Orders of the chunk that are sent. */
static size_t count_steps(const struct nft_chunk *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->n; i++)
		count += c->step[i] != NFT_STEP_NONE;
	return count;
}

/*
 * The kernel refused one single order because the set is full. A ban that was
 * to be deleted, and for that added first, was not there.
 */
static void settle_alone(struct nft_chunk *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->step[i] == NFT_STEP_DELETE)
			c->ok[i] = true;
}

/*
 * A set of the chunk is full: what stands can be renewed or deleted all the
 * same. Ask for each, since the kernel refuses a transaction as a whole.
 */
static int carry_out_full(struct nft *n, struct error *err)
{
	struct nft_chunk *c = n->chunk;
	bool fresh[NFT_ELEMENTS_MAX] = {false}, filled[NFT_SLOTS] = {false};
	struct nft_outcome out;

	if (count_steps(c) == 1) {
		settle_alone(c);
		return 0;
	}
	for (size_t i = 0; i < c->n; i++) {
		bool there = c->step[i] != NFT_STEP_NONE && stands(n, i);

		c->pick[i] = there;
		fresh[i] = c->step[i] == NFT_STEP_ADD && !there;
		if (c->step[i] == NFT_STEP_DELETE && !there)
			c->ok[i] = true;
	}
	if (commit_picked(n, false, &out) != 0)
		return nft_refused(n, &out, "change bans in a full set", err);
	for (size_t i = 0; i < c->n; i++) {
		if (!fresh[i] || filled[c->slot[i]])
			continue;
		filled[c->slot[i]] = true;
		if (fill(n, fresh, c->slot[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Carry out the planned chunk. Returns 0, or -1 with out->error and a text. */
static int carry_out(struct nft *n, struct nft_outcome *out, struct error *err)
{
	struct nft_chunk *c = n->chunk;
	bool hope = !n->features.update_timeout && c->n >= HOPE_FROM &&
		n->hope_after == 0;

	for (size_t i = 0; i < c->n; i++)
		c->pick[i] = c->step[i] != NFT_STEP_NONE;
	if (n->hope_after > 0)
		n->hope_after--;
	if (hope && commit_picked(n, true, out) == EEXIST)
		n->hope_after = HOPE_AGAIN;
	if (!hope || out->error == EEXIST)
		(void)commit_picked(n, false, out);
	if (out->error == 0)
		return 0;
	if (out->error == ENFILE)
		return carry_out_full(n, err);
	return nft_refused(n, out, "change bans", err);
}

int nft_apply(struct nft *n, const struct ban_order *orders, size_t count, usec now,
	uint8_t *done, size_t *refused, struct error *err)
{
	const struct nft_standing standing = {.present = n->present,
		.allow = n->allow,
		.allow_count = n->allow_count,
		.now = now};
	struct nft_outcome out = {0};
	size_t at = 0;

	*refused = 0;
	if (done)
		memset(done, 0, count);
	if (!n->ready)
		return error_set(err, "the table %s is not set up: nft_setup() first",
			n->config.table);
	while (at < count) {
		size_t most = count - at < n->chunk_most ? count - at : n->chunk_most;

		nft_chunk_plan(n->chunk, &standing, orders + at, most);
		if (make_sets(n, err) < 0)
			return -1;
		if (carry_out(n, &out, err) < 0) {
			/* A small send buffer: smaller transactions from now on. */
			if (out.error != EMSGSIZE || n->chunk_most == 1)
				return -1;
			n->chunk_most = most > 1 ? most / 2 : 1;
			continue;
		}
		*refused += nft_chunk_settle(n->chunk, done ? done + at : NULL, now);
		at += most;
	}
	return 0;
}
