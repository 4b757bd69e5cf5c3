/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a contract, or who claims to speak for it, gives back. The first byte
 * says what the rest is; what decodes encodes to the same bytes.
 */
#include <stdlib.h>

#include "ledger/ethereum/abi_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static struct error err;

static void same(struct buffer *again, struct view bytes)
{
	if (again->n != bytes.n || (bytes.n && memcmp(again->p, bytes.p, bytes.n)))
		abort();
	buffer_free(again);
}

/* A refusal must have said why. */
static int refused(void)
{
	if (!err.text[0])
		abort();
	return 0;
}

static int play_event(struct view bytes)
{
	uint8_t topics[3][HASH_SIZE];
	struct buffer again = {0};
	struct contract_event e;

	if (bytes.n < 2 * HASH_SIZE)
		return 0;
	memcpy(topics[0], abi_operation_topic, HASH_SIZE);
	memcpy(topics[1], bytes.p, 2 * HASH_SIZE);
	if (abi_event_decode(&e, (const uint8_t(*)[HASH_SIZE])topics, 3,
		    view_from(bytes, 2 * HASH_SIZE), &err))
		return refused();
	abi_put_uint(&again, e.chain);
	abi_put_uint(&again, e.seq);
	buffer_put(&again, e.tip_before, HASH_SIZE);
	abi_put_uint(&again, e.block_before);
	abi_put_uint(&again, 3 * ABI_WORD);
	abi_put_bytes(&again, e.operation);
	same(&again, bytes);
	return 0;
}

static int play_member(struct view bytes)
{
	struct buffer again = {0};
	struct member m = {0};

	if (abi_member_decode(&m, bytes, &err))
		return refused();
	abi_put_uint(&again, m.status);
	abi_put_uint(&again, m.generation);
	abi_put_uint(&again, m.weight);
	abi_put_uint(&again, m.cap);
	abi_put_uint(&again, 6 * ABI_WORD);
	abi_put_uint(&again, 6 * ABI_WORD + abi_tail_size(strlen(m.name)));
	abi_put_bytes(&again, view_str(m.name));
	abi_put_uint(&again, m.signer_count);
	for (unsigned k = 0; k < m.signer_count; k++)
		abi_put_address(&again, m.signers[k]);
	same(&again, bytes);
	return 0;
}

static int play_tips(struct view bytes)
{
	struct contract_tips tips;
	struct buffer again = {0};

	if (abi_tips_decode(&tips, bytes, &err))
		return refused();
	for (unsigned c = 0; c < 2; c++) {
		buffer_put(&again, tips.tip[c].hash, HASH_SIZE);
		abi_put_uint(&again, tips.tip[c].seq);
		abi_put_uint(&again, tips.last_block[c]);
	}
	same(&again, bytes);
	return 0;
}

static int play_lists(struct view bytes)
{
	struct buffer again = {0};
	struct view out;

	if (!abi_protected_decode(&out, bytes, &err)) {
		abi_put_uint(&again, ABI_WORD);
		abi_put_bytes(&again, out);
		same(&again, bytes);
	}
	if (!abi_words_decode(&out, bytes, &err)) {
		abi_put_uint(&again, ABI_WORD);
		abi_put_uint(&again, out.n / WORD_SIZE);
		buffer_put(&again, out.p, out.n);
		same(&again, bytes);
	}
	return 0;
}

static int play_words(struct view bytes)
{
	struct ledger_config config;
	struct buffer again = {0};
	uint8_t out[HASH_SIZE];
	uint64_t u;
	int64_t i;

	if (!abi_uint_decode(&u, bytes, &err)) {
		abi_put_uint(&again, u);
		same(&again, bytes);
	}
	if (!abi_int_decode(&i, bytes, &err) && i >= 0 &&
		(abi_uint_decode(&u, bytes, &err) || u != (uint64_t)i))
		abort();
	if (!abi_address_decode(out, bytes, &err)) {
		abi_put_address(&again, out);
		same(&again, bytes);
	}
	if (!abi_hash_decode(out, bytes, &err) && memcmp(out, bytes.p, HASH_SIZE))
		abort();
	if (!abi_config_decode(&config, bytes, &err)) {
		struct operation op = {.type = OP_CONFIG, .config = config};

		if (abi_operation_call(&again, &op))
			abort();
		buffer_consume(&again, SELECTOR_SIZE);
		same(&again, bytes);
	}
	return 0;
}

static int play_refusal(struct view bytes)
{
	char text[REFUSAL_TEXT];
	struct refusal r;

	if (!abi_refusal_decode(&r, bytes))
		refusal_print(text, &r);
	abi_revert_text(bytes, &err);
	return refused();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view bytes = view_from(view_of(input, size), 1);

	err.text[0] = '\0';
	switch (size ? input[0] : 0) {
	case 'e':
		return play_event(bytes);
	case 'm':
		return play_member(bytes);
	case 't':
		return play_tips(bytes);
	case 'l':
		return play_lists(bytes);
	case 'r':
		return play_refusal(bytes);
	default:
		return play_words(bytes);
	}
}
