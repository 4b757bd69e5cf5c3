/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw transaction: what parses follows from its fields and its signature,
 * which are its last three items.
 */
#include <stdlib.h>

#include "ledger/ethereum/rlp.h"
#include "ledger/ethereum/transaction.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The last three items of the one list: v or parity, r, s. */
static void take_signature(uint8_t signature[SIGNATURE_SIZE], struct view bytes)
{
	struct rlp_item list, last[3] = {{.list = false}};
	uint64_t v;

	if (rlp_next(&bytes, &list))
		abort();
	while (list.payload.n) {
		last[0] = last[1];
		last[1] = last[2];
		if (rlp_next(&list.payload, &last[2]))
			abort();
	}
	memset(signature, 0, SIGNATURE_SIZE);
	for (unsigned k = 1; k < 3; k++)
		memcpy(signature + k * HASH_SIZE - last[k].payload.n, last[k].payload.p,
			last[k].payload.n);
	if (rlp_uint(&last[0], &v))
		abort();
	signature[64] = v < 2 ? (uint8_t)v : (v - 35) % 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	uint8_t sender[ADDRESS20], signature[SIGNATURE_SIZE];
	struct buffer again = {0};
	struct transaction t;

	if (transaction_parse(&t, sender, view_of(input, size)))
		return 0;
	if (t.data.n && (t.data.p < input || t.data.p + t.data.n > input + size))
		abort();
	take_signature(signature, view_from(view_of(input, size), t.dynamic ? 1 : 0));
	if (transaction_encode(&again, &t, signature) || again.n != size ||
		memcmp(again.p, input, size))
		abort();
	buffer_free(&again);
	return 0;
}
