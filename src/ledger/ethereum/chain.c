/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/chain.h"

#include <string.h>

enum chain_step chain_step(
	uint64_t number, const uint8_t hash[HASH_SIZE], const struct header *head)
{
	if (head->number == number)
		return memcmp(head->hash, hash, HASH_SIZE) ? CHAIN_LEFT : CHAIN_KNOWN;
	if (head->number < number)
		return CHAIN_LEFT;
	if (head->number > number + 1)
		return CHAIN_GAP;
	return memcmp(head->parent, hash, HASH_SIZE) ? CHAIN_LEFT : CHAIN_EXTENDS;
}

void ancestor_begin(struct ancestor *a, const uint64_t *kept, unsigned count)
{
	*a = (struct ancestor){
		.kept = kept, .count = count, .high = count, .step = 1, .gallop = true};
}

/* The entry to be asked for: low <= entry < high while it is undecided. */
static unsigned entry_of(const struct ancestor *a)
{
	unsigned left = a->high - a->low;

	if (!a->gallop)
		return a->low + left / 2;
	return a->step - 1 < left ? a->low + a->step - 1 : a->high - 1;
}

bool ancestor_next(const struct ancestor *a, uint64_t *number)
{
	if (a->low < a->high) {
		*number = a->kept[entry_of(a)];
		return true;
	}
	*number = a->high < a->count ? a->kept[a->high] : UINT64_MAX;
	return false;
}

void ancestor_answer(struct ancestor *a, bool matches)
{
	unsigned entry = entry_of(a);

	if (matches) {
		a->high = entry;
		a->gallop = false;
	} else {
		a->low = entry + 1;
		a->step *= 2;
	}
}
