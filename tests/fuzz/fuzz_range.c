/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider's refusal of eth_getLogs: from, span and code, then its message.
 * Whatever it says, the next question is within [from, to] and smaller.
 */
#include <stdlib.h>

#include "ledger/ethereum/range.h"

#define HEAD 18

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct range r = {0};
	struct view text;
	uint64_t from, to, end;
	unsigned halved = 0;
	int16_t code;

	if (size < HEAD)
		return 0;
	from = be64_load(data) >> 1;
	to = from + (be64_load(data + 8) >> 1);
	code = (int16_t)be16_load(data + 16);
	text = view_of(data + HEAD, size - HEAD);
	while ((end = range_end(&r, from, to)) > from) {
		enum range_verdict v = range_refused(
			&r, from, end, code, text, view_of(NULL, 0));

		require(end <= to);
		if (v != RANGE_SMALLER)
			return 0;
		require(range_end(&r, from, to) < end && r.span > 0);
		require(++halved <= 64);
	}
	range_passed(&r, 1);
	require(range_end(&r, from, to) >= from && range_end(&r, from, to) <= to);
	return 0;
}
