/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/window.h"

#include "base/hex.h"

#define SLACK 120 /* seconds that this machine's clock may be ahead */

void window_begin(struct window_search *w, uint32_t since, uint64_t from, uint64_t to)
{
	*w = (struct window_search){.low = from, .high = to, .since = since};
}

bool window_next(const struct window_search *w, uint64_t *number)
{
	if (w->low >= w->high) {
		*number = w->low;
		return false;
	}
	*number = w->low + (w->high - w->low) / 2;
	return true;
}

void window_answer(struct window_search *w, uint64_t timestamp)
{
	uint64_t middle = w->low + (w->high - w->low) / 2;

	if (timestamp < w->since)
		w->low = middle + 1;
	else
		w->high = middle;
}

uint32_t window_since(uint32_t now, uint64_t head_timestamp, uint32_t longest)
{
	uint64_t back = (uint64_t)longest + SLACK;

	/* A chain that stands still is behind the clock. */
	if (head_timestamp < now)
		now = (uint32_t)head_timestamp;
	return now > back ? (uint32_t)(now - back) : 0;
}

int window_prove(const struct ledger_event *last, const struct tip *before,
	uint32_t since, struct error *err)
{
	uint8_t hash[HASH_SIZE];
	char is[17], due[17];

	if (last->chain != CHAIN_MEMBERS || last->operation.seq + 1 != before->seq)
		return error_set(err,
			"the operation before the window is not members' operation %llu",
			(unsigned long long)before->seq - 1);
	tip_advance(hash, last->tip_before, last->bytes);
	if (memcmp(hash, before->hash, HASH_SIZE))
		return error_set(err,
			"members' operation %llu leads to tip %s.., the one after it "
			"carries %s..: operations were left out or altered",
			(unsigned long long)last->operation.seq, hex_encode(is, hash, 8),
			hex_encode(due, before->hash, 8));
	if (last->operation.time >= since)
		return error_set(err,
			"members' operation %llu of the window was left out",
			(unsigned long long)last->operation.seq);
	return 0;
}
