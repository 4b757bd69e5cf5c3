/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/header.h"

#include <stdio.h>

#include "base/hex.h"
#include "ledger/ethereum/json_bounded.h"

int quantity_parse(uint64_t *out, const json_t *value)
{
	struct view text = json_text(value);
	uint64_t v = 0;

	if (!view_starts(text, "0x") || text.n < 3 || text.n >= QUANTITY_TEXT)
		return -1;
	text = view_from(text, 2);
	if (text.p[0] == '0' && text.n > 1)
		return -1;
	for (size_t k = 0; k < text.n; k++) {
		int d = hex_digit(text.p[k]);

		if (d < 0)
			return -1;
		v = v << 4 | (unsigned)d;
	}
	*out = v;
	return 0;
}

int wei_parse(uint8_t wei[32], const json_t *value)
{
	size_t n = json_string_length(value);
	char digits[65];

	if (!json_is_string(value) || n < 3 || n > 66 ||
		memcmp(json_string_value(value), "0x", 2))
		return -1;
	memset(digits, '0', sizeof digits - 1);
	digits[64] = 0;
	memcpy(digits + 66 - n, json_string_value(value) + 2, n - 2);
	return hex_decode(wei, 32, view_str(digits));
}

int fixed_parse(uint8_t *out, size_t n, const json_t *value)
{
	struct view text = json_text(value);

	/* hex_decode() would take the digits without their 0x, too. */
	if (!view_starts(text, "0x"))
		return -1;
	return hex_decode(out, n, text);
}

char *quantity_print(char *dst, uint64_t value)
{
	snprintf(dst, QUANTITY_TEXT, "0x%llx", (unsigned long long)value);
	return dst;
}

char *fixed_print(char *dst, const uint8_t *bytes, size_t n)
{
	memcpy(dst, "0x", 2);
	hex_encode(dst + 2, bytes, n);
	return dst;
}

/* A field that must be there. */
static int need_quantity(
	uint64_t *out, const json_t *block, const char *field, struct error *err)
{
	if (!quantity_parse(out, json_object_get(block, field)))
		return 0;
	return error_set(
		err, "block header: %s is missing or no quantity of 64 bits", field);
}

static int need_hash(
	uint8_t out[HASH_SIZE], const json_t *block, const char *field, struct error *err)
{
	if (!fixed_parse(out, HASH_SIZE, json_object_get(block, field)))
		return 0;
	return error_set(
		err, "block header: %s is missing or no hash of 32 bytes", field);
}

/* Engines write a field that they do not know as null, or leave it out. */
static bool has(const json_t *block, const char *field)
{
	const json_t *value = json_object_get(block, field);

	return value && !json_is_null(value);
}

int header_parse(struct header *out, const json_t *block, struct error *err)
{
	*out = (struct header){0};
	if (!json_is_object(block))
		return error_set(err, "block header: not an object");
	if (need_quantity(&out->number, block, "number", err) ||
		need_quantity(&out->timestamp, block, "timestamp", err) ||
		need_hash(out->hash, block, "hash", err) ||
		need_hash(out->parent, block, "parentHash", err))
		return -1;
	if (has(block, "stateRoot") &&
		need_hash(out->state_root, block, "stateRoot", err))
		return -1;
	if (has(block, "gasLimit") &&
		need_quantity(&out->gas_limit, block, "gasLimit", err))
		return -1;
	if (has(block, "gasUsed") && need_quantity(&out->gas_used, block, "gasUsed", err))
		return -1;
	out->has_base_fee = has(block, "baseFeePerGas");
	if (out->has_base_fee &&
		need_quantity(&out->base_fee, block, "baseFeePerGas", err))
		return -1;
	return 0;
}
