/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/abi_word.h"

#include "base/keccak.h"

static const uint8_t zeros[ABI_WORD];

void abi_selector(uint8_t out[SELECTOR_SIZE], const char *signature)
{
	uint8_t hash[KECCAK_SIZE];

	keccak256(hash, signature, strlen(signature));
	memcpy(out, hash, SELECTOR_SIZE);
}

void abi_put_uint(struct buffer *out, uint64_t value)
{
	buffer_put(out, zeros, ABI_WORD - 8);
	buffer_put_u64(out, value);
}

void abi_put_left(struct buffer *out, const void *bytes, size_t n)
{
	buffer_put(out, bytes, n);
	buffer_put(out, zeros, ABI_WORD - n);
}

void abi_put_address(struct buffer *out, const uint8_t address[ADDRESS20])
{
	buffer_put(out, zeros, ABI_WORD - ADDRESS20);
	buffer_put(out, address, ADDRESS20);
}

/* How many zeros make n bytes whole words. */
static size_t padding(size_t n)
{
	return (ABI_WORD - n % ABI_WORD) % ABI_WORD;
}

void abi_put_bytes(struct buffer *out, struct view bytes)
{
	abi_put_uint(out, bytes.n);
	buffer_put(out, bytes.p, bytes.n);
	buffer_put(out, zeros, padding(bytes.n));
}

size_t abi_tail_size(size_t n)
{
	return ABI_WORD + n + padding(n);
}

int abi_reader_fail(struct abi_reader *r, const char *field, const char *why)
{
	if (!r->failed)
		error_set(r->err, "%s: %s: %s", r->what, field, why);
	r->failed = true;
	r->rest = (struct view){NULL, 0};
	return -1;
}

const uint8_t *abi_take_word(struct abi_reader *r, const char *field)
{
	const uint8_t *word = r->rest.p;

	if (r->failed)
		return zeros;
	if (r->rest.n < ABI_WORD) {
		abi_reader_fail(r, field, "the bytes end before it");
		return zeros;
	}
	r->rest = view_from(r->rest, ABI_WORD);
	return word;
}

uint64_t abi_take_uint(struct abi_reader *r, const char *field, uint64_t max)
{
	const uint8_t *word = abi_take_word(r, field);
	uint64_t value = be64_load(word + ABI_WORD - 8);

	if (bytes_zero(word, ABI_WORD - 8) && value <= max)
		return value;
	abi_reader_fail(r, field, "the number is too large");
	return 0;
}

void abi_take_address(struct abi_reader *r, const char *field, uint8_t out[ADDRESS20])
{
	const uint8_t *word = abi_take_word(r, field);

	if (!bytes_zero(word, ABI_WORD - ADDRESS20))
		abi_reader_fail(r, field, "no address of 20 bytes");
	memcpy(out, word + ABI_WORD - ADDRESS20, ADDRESS20);
}

void abi_take_left(struct abi_reader *r, const char *field, void *out, size_t n)
{
	const uint8_t *word = abi_take_word(r, field);

	if (!bytes_zero(word + n, ABI_WORD - n))
		abi_reader_fail(r, field, "bytes behind its end are not zero");
	memcpy(out, word, n);
}

void abi_take_offset(struct abi_reader *r, const char *field, size_t right)
{
	if (abi_take_uint(r, field, UINT64_MAX) != right)
		abi_reader_fail(r, field, "not where the ABI's strict encoding has it");
}

struct view abi_take_bytes(struct abi_reader *r, const char *field, size_t max)
{
	size_t n = (size_t)abi_take_uint(r, field, max);
	struct view bytes = view_head(r->rest, n);

	if (r->failed)
		return (struct view){NULL, 0};
	if (r->rest.n < n || r->rest.n - n < padding(n)) {
		abi_reader_fail(r, field, "the bytes end before it");
		return (struct view){NULL, 0};
	}
	if (padding(n) && !bytes_zero(r->rest.p + n, padding(n))) {
		abi_reader_fail(r, field, "bytes behind its end are not zero");
		return (struct view){NULL, 0};
	}
	r->rest = view_from(r->rest, n + padding(n));
	return bytes;
}

int abi_reader_end(struct abi_reader *r)
{
	if (!r->failed && r->rest.n)
		abi_reader_fail(r, "end", "more bytes than the values take");
	return r->failed ? -1 : 0;
}
