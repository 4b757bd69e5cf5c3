/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keccak.h"
#include "ledger/ethereum/pending.h"

/*
 * Nonces: which comes next, and those that were signed and that nobody holds
 * any more. A block with such a one was final and was dropped all the same, long
 * after, when its batch was forgotten; or an endpoint told a count that was
 * never true.
 */

static bool held(const struct pending_set *set, uint64_t nonce)
{
	for (const struct pending *b = set->first; b; b = b->next)
		for (unsigned i = 0; i < b->offer_count; i++)
			if (b->offers[i].nonce == nonce)
				return true;
	return false;
}

/*
 * It must stay a gap for some heads, as an endpoint that lags behind shows the
 * same.
 */
void pending_find_gap(struct pending_set *set)
{
	uint64_t end = (uint64_t)(set->highest + 1), n = set->count;

	while (n < end && n - set->count < PENDING_MAX + SETTLED_MAX && held(set, n))
		n++;
	if (n >= end) {
		set->gap_heads = 0;
	} else if (!set->gap_heads || set->gap != n) {
		set->gap = n;
		set->gap_heads = set->heads;
	}
}

bool pending_next_nonce(const struct pending_set *set, uint64_t *nonce)
{
	uint64_t end = (uint64_t)(set->highest + 1);

	if (set->gap_heads) {
		*nonce = set->gap;
		return set->heads - set->gap_heads >= GAP_HEADS;
	}
	*nonce = end > set->count ? end : set->count;
	return true;
}

/* --- filling one --- */

void pending_filler_hash(
	uint8_t hash[HASH_SIZE], const uint8_t sender[ADDRESS20], uint64_t nonce)
{
	uint8_t bytes[ADDRESS20 + 8];

	memcpy(bytes, sender, ADDRESS20);
	be64_store(bytes + ADDRESS20, nonce);
	keccak256(hash, bytes, sizeof bytes);
}

/*
 * Who waits behind the gap, the nearest; NULL: nobody, or somebody is about to
 * take it.
 */
static struct pending *behind(const struct pending_set *set)
{
	struct pending *nearest = NULL;

	for (struct pending *b = set->first; b; b = b->next) {
		if (b->state == PENDING_QUEUED || b->state == PENDING_READY)
			return NULL;
		if (b->state == PENDING_SENT && b->nonce > set->gap &&
			(!nearest || b->nonce < nearest->nonce))
			nearest = b;
	}
	return nearest;
}

void pending_fill_gap(struct pending_set *set, uint64_t now)
{
	struct pending *b, *filler;

	if (!set->gap_heads || set->heads - set->gap_heads < GAP_FILL_HEADS ||
		!set->count_known || set->count_heads != set->heads)
		return;
	b = behind(set);
	if (!b)
		return;
	/*
	 * So many were never signed: the count that led there was not true, and
	 * that nonce will not come within a report's life.
	 */
	if (b->nonce - set->gap > PENDING_MAX + SETTLED_MAX) {
		if (!b->sending && !b->looking)
			pending_anew(set, b, now);
		return;
	}
	filler = pending_add_filler(set, set->gap);
	if (!filler)
		return; /* with the next head */
	filler->state = PENDING_READY;
	set->open++;
}
