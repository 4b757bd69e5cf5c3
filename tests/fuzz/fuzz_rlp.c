/* SPDX-License-Identifier: Apache-2.0 */
/* RLP: what decodes encodes to the same bytes, lists inside lists too. */
#include <stdlib.h>

#include "ledger/ethereum/rlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* Take all items of bytes and put them again; deep lists are put whole. */
static void play(struct view bytes, unsigned depth)
{
	struct buffer again = {0};
	struct view rest = bytes;
	struct rlp_item item;
	uint64_t value;

	while (!rlp_next(&rest, &item)) {
		if (item.whole.p < bytes.p ||
			(item.payload.n &&
				item.payload.p + item.payload.n !=
					item.whole.p + item.whole.n))
			abort();
		if (item.list)
			rlp_put_list(&again, item.payload);
		else if (!rlp_uint(&item, &value))
			rlp_put_uint(&again, value);
		else
			rlp_put_bytes(&again, item.payload);
		if (item.list && depth < 16)
			play(item.payload, depth + 1);
	}
	if (again.n != bytes.n - rest.n || (again.n && memcmp(again.p, bytes.p, again.n)))
		abort();
	buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	play(view_of(input, size), 0);
	return 0;
}
