/* SPDX-License-Identifier: Apache-2.0 */
/* Why a call was refused: the contract's errors, and the language's own. */
#include <stdio.h>

#include "base/escape.h"
#include "base/hex.h"
#include "ledger/ethereum/abi_word.h"

#define SIGNATURE_TEXT 64

/* "CellLive(uint256)": from the name and whether it tells an entry. */
static void refusal_selector(uint8_t out[SELECTOR_SIZE], enum refusal_code code)
{
	char text[SIGNATURE_TEXT];
	const char *arguments = "";

	if (refusal_has_conflict(code))
		arguments = "uint256,bytes18";
	else if (refusal_has_entry(code))
		arguments = "uint256";
	snprintf(text, sizeof text, "%s(%s)", refusal_name(code), arguments);
	abi_selector(out, text);
}

/* The code whose selector begins revert; REFUSED_NOT when there is none. */
static enum refusal_code find(struct view revert)
{
	uint8_t selector[SELECTOR_SIZE];

	for (int code = REFUSED_NOT + 1; code < REFUSED_COUNT; code++) {
		/* No rule of a ledger's but this process's own trouble. */
		if (code == REFUSED_MEMORY)
			continue;
		refusal_selector(selector, (enum refusal_code)code);
		if (!memcmp(revert.p, selector, sizeof selector))
			return (enum refusal_code)code;
	}
	return REFUSED_NOT;
}

int abi_refusal_decode(struct refusal *out, struct view revert)
{
	struct abi_reader r = {.rest = view_from(revert, SELECTOR_SIZE)};

	*out = (struct refusal){0};
	if (revert.n < SELECTOR_SIZE)
		return -1;
	out->code = find(revert);
	if (out->code == REFUSED_NOT)
		return -1;
	r.what = refusal_name(out->code);
	if (refusal_has_entry(out->code))
		out->entry = (uint32_t)abi_take_uint(&r, "entry", UINT32_MAX);
	if (refusal_has_conflict(out->code)) {
		abi_take_left(&r, "conflict", &out->conflict, INDICATOR_SIZE);
		if (indicator_check_shape(&out->conflict, NULL))
			return -1;
	}
	return abi_reader_end(&r);
}

/* The string of Error(string). Returns 0 or -1. */
static int error_string(struct view *text, struct view revert)
{
	struct abi_reader r = {.rest = view_from(revert, SELECTOR_SIZE), .what = "Error"};

	abi_take_offset(&r, "text", ABI_WORD);
	*text = abi_take_bytes(&r, "text", revert.n);
	return abi_reader_end(&r);
}

/* The code of Panic(uint256). Returns 0 or -1. */
static int panic_code(uint64_t *code, struct view revert)
{
	struct abi_reader r = {.rest = view_from(revert, SELECTOR_SIZE), .what = "Panic"};

	*code = abi_take_uint(&r, "code", UINT64_MAX);
	return abi_reader_end(&r);
}

int abi_revert_text(struct view revert, struct error *err)
{
	uint8_t error[SELECTOR_SIZE], panic[SELECTOR_SIZE];
	char hex[2 * SELECTOR_SIZE + 1];
	struct view text;
	uint64_t code;

	abi_selector(error, "Error(string)");
	abi_selector(panic, "Panic(uint256)");
	if (revert.n < SELECTOR_SIZE)
		return error_set(err, "the contract refused without a reason");
	if (!memcmp(revert.p, error, sizeof error) && !error_string(&text, revert))
		return error_set(err, "the contract refused: \"%s\"", escaped(text));
	if (!memcmp(revert.p, panic, sizeof panic) && !panic_code(&code, revert))
		return error_set(err,
			"the contract stopped with Panic 0x%llx, a fault in it",
			(unsigned long long)code);
	return error_set(err,
		"the contract refused with an error that this version does not know "
		"(0x%s and %zu bytes)",
		hex_encode(hex, revert.p, SELECTOR_SIZE), revert.n - SELECTOR_SIZE);
}
