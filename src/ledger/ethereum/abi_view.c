/* SPDX-License-Identifier: Apache-2.0 */
/* The views: what is asked, and what comes back. */
#include "base/escape.h"
#include "ledger/ethereum/abi_word.h"

/* A call begins with its selector. */
static int call(struct buffer *out, const char *signature)
{
	uint8_t selector[SELECTOR_SIZE];

	abi_selector(selector, signature);
	return buffer_put(out, selector, sizeof selector);
}

int abi_call_version(struct buffer *out)
{
	return call(out, "VERSION()");
}

int abi_call_id(struct buffer *out)
{
	return call(out, "id()");
}

int abi_call_tips(struct buffer *out)
{
	return call(out, "tips()");
}

int abi_call_config(struct buffer *out)
{
	return call(out, "config()");
}

int abi_call_guardian(struct buffer *out)
{
	return call(out, "guardian()");
}

int abi_call_owner(struct buffer *out)
{
	return call(out, "owner()");
}

int abi_call_pending_owner(struct buffer *out)
{
	return call(out, "pendingOwner()");
}

int abi_call_paused(struct buffer *out)
{
	return call(out, "paused()");
}

int abi_call_superseded(struct buffer *out)
{
	return call(out, "superseded()");
}

int abi_call_member_count(struct buffer *out)
{
	return call(out, "memberCount()");
}

int abi_call_protected(struct buffer *out)
{
	return call(out, "protectedTable()");
}

int abi_call_member(struct buffer *out, uint16_t member)
{
	call(out, "member(uint16)");
	abi_put_uint(out, member);
	return out->failed ? -1 : 0;
}

int abi_call_member_of(struct buffer *out, const uint8_t signer[ADDRESS20])
{
	call(out, "memberOf(address)");
	abi_put_address(out, signer);
	return out->failed ? -1 : 0;
}

int abi_call_snapshot(struct buffer *out, uint16_t member, uint32_t from, uint32_t count)
{
	call(out, "snapshot(uint16,uint24,uint24)");
	abi_put_uint(out, member);
	abi_put_uint(out, from);
	abi_put_uint(out, count);
	return out->failed ? -1 : 0;
}

int abi_call_support(struct buffer *out, const struct indicator *i, const uint64_t *cells,
	size_t count)
{
	call(out, "support(bytes18,uint40[])");
	abi_put_left(out, i, INDICATOR_SIZE);
	abi_put_uint(out, 2 * ABI_WORD);
	abi_put_uint(out, count);
	for (size_t k = 0; k < count; k++)
		abi_put_uint(out, cells[k]);
	return out->failed ? -1 : 0;
}

/* --- what comes back --- */

static struct abi_reader begin(const char *what, struct view result, struct error *err)
{
	return (struct abi_reader){.rest = result, .what = what, .err = err};
}

int abi_uint_decode(uint64_t *out, struct view result, struct error *err)
{
	struct abi_reader r = begin("contract's number", result, err);

	*out = abi_take_uint(&r, "value", UINT64_MAX);
	return abi_reader_end(&r);
}

int abi_int_decode(int64_t *out, struct view result, struct error *err)
{
	struct abi_reader r = begin("contract's number", result, err);
	const uint8_t *word = abi_take_word(&r, "value");
	uint64_t low = be64_load(word + ABI_WORD - 8);
	/* Two's complement: the 24 bytes above repeat the sign. */
	uint8_t sign = low >> 63 ? 0xff : 0;

	for (unsigned k = 0; k < ABI_WORD - 8; k++)
		if (word[k] != sign)
			return abi_reader_fail(&r, "value", "the number is too large");
	memcpy(out, &low, sizeof *out);
	return abi_reader_end(&r);
}

int abi_hash_decode(uint8_t out[HASH_SIZE], struct view result, struct error *err)
{
	struct abi_reader r = begin("contract's hash", result, err);

	memcpy(out, abi_take_word(&r, "value"), HASH_SIZE);
	return abi_reader_end(&r);
}

int abi_address_decode(uint8_t out[ADDRESS20], struct view result, struct error *err)
{
	struct abi_reader r = begin("contract's address", result, err);

	abi_take_address(&r, "value", out);
	return abi_reader_end(&r);
}

int abi_tips_decode(struct contract_tips *out, struct view result, struct error *err)
{
	static const char *const fields[2][3] = {
		{"members' tip", "members' seq", "members' block"},
		{"administrative tip", "administrative seq", "administrative block"},
	};
	struct abi_reader r = begin("tips()", result, err);

	for (unsigned c = 0; c < 2; c++) {
		memcpy(out->tip[c].hash, abi_take_word(&r, fields[c][0]), HASH_SIZE);
		out->tip[c].seq = abi_take_uint(&r, fields[c][1], UINT64_MAX);
		out->last_block[c] = abi_take_uint(&r, fields[c][2], UINT64_MAX);
	}
	return abi_reader_end(&r);
}

int abi_config_decode(struct ledger_config *out, struct view result, struct error *err)
{
	struct abi_reader r = begin("config()", result, err);
	/* As a CONFIG operation, whose body these bytes are. */
	uint8_t bytes[OPERATION_HEAD + 12] = {OP_CONFIG};
	struct operation op;

	abi_take_left(&r, "value", bytes + OPERATION_HEAD, 12);
	if (abi_reader_end(&r))
		return -1;
	if (operation_decode(&op, view_of(bytes, sizeof bytes), err))
		return error_prefix(err, "config()");
	*out = op.config;
	return 0;
}

static void take_signers(struct abi_reader *r, struct member *m)
{
	m->signer_count = (uint8_t)abi_take_uint(r, "signers", SIGNERS_MAX);
	for (unsigned k = 0; k < m->signer_count; k++)
		abi_take_address(r, "signers", m->signers[k]);
}

int abi_member_decode(struct member *out, struct view result, struct error *err)
{
	struct abi_reader r = begin("member()", result, err);
	struct view name;
	uint64_t offset;

	*out = (struct member){.index = out->index};
	out->status = (uint8_t)abi_take_uint(&r, "status", MEMBER_REMOVED);
	out->generation = (uint16_t)abi_take_uint(&r, "generation", UINT16_MAX);
	out->weight = (uint16_t)abi_take_uint(&r, "weight", UINT16_MAX);
	out->cap = (uint32_t)abi_take_uint(&r, "cap", 1u << 24);
	abi_take_offset(&r, "name", 6 * ABI_WORD);
	offset = abi_take_uint(&r, "signers", UINT32_MAX);
	name = abi_take_bytes(&r, "name", NAME_MAX_BYTES);
	/* Only now is it known where the signers must begin. */
	if (!r.failed && offset != 6 * ABI_WORD + abi_tail_size(name.n))
		return abi_reader_fail(
			&r, "signers", "not where the ABI's strict encoding has it");
	if (!text_is_clean(name))
		return abi_reader_fail(&r, "name", "not clean UTF-8");
	view_copy(out->name, sizeof out->name, name);
	take_signers(&r, out);
	return abi_reader_end(&r);
}

int abi_protected_decode(struct view *table, struct view result, struct error *err)
{
	struct abi_reader r = begin("protectedTable()", result, err);

	abi_take_offset(&r, "table", ABI_WORD);
	*table = abi_take_bytes(&r, "table", PROTECTED_MAX * INDICATOR_SIZE);
	if (table->n % INDICATOR_SIZE)
		return abi_reader_fail(&r, "table", "no whole number of entries");
	return abi_reader_end(&r);
}

int abi_words_decode(struct view *words, struct view result, struct error *err)
{
	struct abi_reader r = begin("snapshot()", result, err);
	uint64_t count;

	abi_take_offset(&r, "words", ABI_WORD);
	count = abi_take_uint(&r, "words", UINT32_MAX);
	if (!r.failed && count > r.rest.n / WORD_SIZE)
		return abi_reader_fail(&r, "words", "the bytes end before it");
	*words = view_head(r.rest, (size_t)count * WORD_SIZE);
	r.rest = view_from(r.rest, words->n);
	return abi_reader_end(&r);
}
