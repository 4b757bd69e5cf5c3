/* SPDX-License-Identifier: Apache-2.0 */
/* A block's header in JSON: what is taken is printed back as it was. */
#include <stdlib.h>
#include <strings.h>

#include "ledger/ethereum/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void same(const char *printed, const json_t *block, const char *field)
{
	/* Upper-case digits are read, never written. */
	if (strcasecmp(printed, json_string_value(json_object_get(block, field))) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	json_t *block = json_loadb((const char *)input, size, JSON_DECODE_ANY, NULL);
	char text[QUANTITY_TEXT], hash[2 * HASH_SIZE + 3];
	struct error err = {0};
	struct header h;

	if (!block)
		return 0;
	if (header_parse(&h, block, &err)) {
		if (!err.text[0])
			abort();
	} else {
		same(quantity_print(text, h.number), block, "number");
		same(quantity_print(text, h.timestamp), block, "timestamp");
		same(fixed_print(hash, h.hash, HASH_SIZE), block, "hash");
		same(fixed_print(hash, h.parent, HASH_SIZE), block, "parentHash");
		if (h.has_base_fee)
			same(quantity_print(text, h.base_fee), block, "baseFeePerGas");
	}
	json_decref(block);
	return 0;
}
