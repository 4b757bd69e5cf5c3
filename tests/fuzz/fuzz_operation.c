/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operation's bytes: what decodes encodes to the same bytes, and the
 * registry may be asked about it, whatever it says.
 */
#include <stdlib.h>

#include "ledger/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct buffer again = {0};
	struct error err = {0};
	struct operation op;
	struct registry *r;
	struct refusal why;
	struct view text;

	if (operation_decode(&op, view_of(input, size), &err)) {
		if (!err.text[0])
			abort();
		return 0;
	}
	if (operation_encode(&again, &op) || again.n != size ||
		memcmp(again.p, input, size))
		abort();
	buffer_free(&again);
	for (unsigned k = 0; k < op.count; k++)
		if (!operation_text(&op, k, &text) &&
			(text.p < input || text.p + text.n > input + size))
			abort();
	r = registry_new((struct hash_key){3, 4});
	if (!r)
		abort();
	if (!registry_apply(r, &op, view_of(input, size), NULL, NULL, &why) &&
		op.type != OP_GENESIS)
		abort();
	registry_free(r);
	return 0;
}
