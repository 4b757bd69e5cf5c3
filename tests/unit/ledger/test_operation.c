/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"
#include "base/hex.h"
#include "ledger/operation.h"

/*
 * Made with an independent Keccak-256 in Python (checked against the published
 * hash of the empty string, c5d24601...) from the layout in operation.h.
 */
#define GENESIS                                                                          \
	"1000000000000000006553f100"                                                     \
	"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"                                       \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"               \
	"a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2"                                       \
	"1020050000093a8000000002"
#define GENESIS_ID  "28f666ba0d64d43cc434416c666a6dea0be6e111e5089c08ffa9cc15c324e2c7"
#define GENESIS_TIP "62bdca2d64d053187b9c5e33f3c240ac0faeb8deebcdf4e06e23d7c40d67ac5f"
#define BATCH                                                                            \
	"0100000000000000056553f101"                                                     \
	"a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3"                                       \
	"0001"                                                                           \
	"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"               \
	"0002"                                                                           \
	"0120080808080000000000000000000000006553ff1000010000000007010300"               \
	"04809bd5cfc3c1e765b6d366f265f80eb4bf6553ff1000010000000008040701"               \
	"00000014"                                                                       \
	"13"                                                                             \
	"7369703a626f62406578616d706c652e636f6d"
#define BATCH_TIP "912495ee2fe1703ac7b0e091f710ddefadd379df7f415c84532b6f211842848e"

static struct view from_hex(uint8_t *dst, const char *hex)
{
	size_t n = strlen(hex) / 2;

	assert_int_equal(hex_decode(dst, n, view_str(hex)), 0);
	return view_of(dst, n);
}

static void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	char text[2 * 64 + 1];

	assert_string_equal(hex_encode(text, p, n), hex);
}

/* decode, encode, the same bytes. */
static void assert_round_trip(struct view bytes)
{
	struct buffer again = {0};
	struct operation op;
	struct error err = {0};

	if (operation_decode(&op, bytes, &err))
		fail_msg("%s", err.text);
	assert_int_equal(operation_encode(&again, &op), 0);
	assert_int_equal(again.n, bytes.n);
	assert_memory_equal(again.p, bytes.p, bytes.n);
	buffer_free(&again);
}

static void test_genesis_vector(void **state)
{
	uint8_t raw[256], hash[HASH_SIZE], zero[HASH_SIZE] = {0};
	struct view bytes = from_hex(raw, GENESIS);
	struct operation op;

	(void)state;
	assert_int_equal(operation_decode(&op, bytes, NULL), 0);
	assert_int_equal(op.type, OP_GENESIS);
	assert_int_equal(op.seq, 0);
	assert_int_equal(op.time, 1700000000);
	assert_int_equal(op.actor[0], 0xa1);
	assert_int_equal(op.salt[31], 0x1f);
	assert_int_equal(op.address[19], 0xa2);
	assert_int_equal(op.config.limits.min_v4, 16);
	assert_int_equal(op.config.limits.min_v6, 32);
	assert_int_equal(op.config.limits.min_e164, 5);
	assert_false(op.config.limits.allow_unroutable);
	assert_int_equal(op.config.max_ttl, 604800);
	assert_int_equal(op.config.threshold, 2);
	assert_round_trip(bytes);
	ledger_id(hash, bytes);
	assert_hex(hash, HASH_SIZE, GENESIS_ID);
	tip_advance(hash, zero, bytes);
	assert_hex(hash, HASH_SIZE, GENESIS_TIP);
}

static void test_batch_vector(void **state)
{
	uint8_t raw[512], tip[HASH_SIZE];
	struct view bytes = from_hex(raw, BATCH), text;
	struct operation op;
	struct report word;

	(void)state;
	assert_int_equal(operation_decode(&op, bytes, NULL), 0);
	assert_int_equal(op.type, OP_BATCH);
	assert_int_equal(op.seq, 5);
	assert_int_equal(op.member, 1);
	assert_int_equal(op.commitment[31], 0xcc);
	assert_int_equal(op.count, 2);
	word_decode(&word, op.words + WORD_SIZE);
	assert_int_equal(word.cell, 8);
	assert_int_equal(word.action, ACTION_REPLACE);
	assert_round_trip(bytes);
	/* The first word is an address and has no text; the second has. */
	assert_int_equal(operation_text(&op, 0, &text), -1);
	assert_int_equal(operation_text(&op, 1, &text), 0);
	assert_int_equal(text.n, 19);
	assert_memory_equal(text.p, "sip:bob@example.com", 19);
	assert_int_equal(operation_text(&op, 2, &text), -1);
	from_hex(tip, GENESIS_TIP);
	tip_advance(tip, tip, bytes);
	assert_hex(tip, HASH_SIZE, BATCH_TIP);
}

static void test_text_that_lies(void **state)
{
	uint8_t raw[512];
	struct view bytes = from_hex(raw, BATCH), text;
	struct operation op;

	(void)state;
	raw[bytes.n - 1] ^= 1; /* sip:bob@example.con: another hash */
	assert_int_equal(operation_decode(&op, bytes, NULL), 0);
	assert_int_equal(operation_text(&op, 1, &text), -1);
	raw[bytes.n - 1] ^= 1;
	raw[bytes.n - 20] = 200; /* its length runs past the end */
	assert_int_equal(operation_decode(&op, bytes, NULL), 0);
	assert_int_equal(operation_text(&op, 1, &text), -1);
}

/* One operation of every type, all fields filled. */
static struct operation sample(uint8_t type)
{
	static const uint8_t words[3 * WORD_SIZE] = {1, 2, 3};
	static const uint8_t table[2 * INDICATOR_SIZE] = {1, 8, 10};
	struct operation op = {
		.type = type,
		.seq = UINT64_C(0x1122334455667788),
		.time = 0xfffffffe,
		.member = 0xabcd,
		.count = 3,
		.words = words,
		.texts = view_of("\3abc", 4),
		.weight = 7,
		.cap = 1 << 24,
		.name = view_of("Universit\xc3\xa4t", 12),
		.signer_count = 2,
		.table = table,
		.table_count = 2,
		.config = {{24, 48, 7, true}, 86400, 9},
	};

	memset(op.actor, 0x11, sizeof op.actor);
	memset(op.address, 0x22, sizeof op.address);
	memset(op.salt, 0x33, sizeof op.salt);
	memset(op.next, 0x44, sizeof op.next);
	memset(op.signers, 0x55, sizeof op.signers);
	return op;
}

static const uint8_t types[] = {OP_BATCH, OP_GENESIS, OP_MEMBER_ADD, OP_MEMBER_SET,
	OP_MEMBER_REMOVE, OP_MEMBER_SUSPEND, OP_MEMBER_RESUME, OP_SIGNER_ADD,
	OP_SIGNER_REMOVE, OP_PROTECT, OP_CONFIG, OP_GUARDIAN, OP_OWNER_PROPOSE,
	OP_OWNER_ACCEPT, OP_PAUSE, OP_UNPAUSE, OP_SUPERSEDE};

static void test_every_type(void **state)
{
	static const size_t bodies[] = {2 + 32 + 2 + 96 + 4 + 4, 32 + 20 + 12,
		2 + 2 + 4 + 1 + 12 + 1 + 40, 8, 2, 2, 2, 22, 22, 2 + 36, 12, 20, 20, 0, 0,
		0, 32};

	(void)state;
	for (size_t k = 0; k < sizeof types; k++) {
		struct operation op = sample(types[k]);
		struct buffer b = {0};
		struct error err;

		assert_int_equal(operation_encode(&b, &op), 0);
		assert_int_equal(b.n, OPERATION_HEAD + bodies[k]);
		assert_round_trip(view_of(b.p, b.n));
		/* Cut anywhere, or with a byte more: refused, with a reason. */
		for (size_t n = 0; n < b.n; n++) {
			err.text[0] = '\0';
			assert_int_equal(
				operation_decode(&op, view_of(b.p, n), &err), -1);
			assert_true(err.text[0]);
		}
		buffer_put_u8(&b, 0);
		assert_int_equal(operation_decode(&op, view_of(b.p, b.n), &err), -1);
		assert_non_null(strstr(err.text, "1 bytes follow its end"));
		buffer_free(&b);
	}
}

static void test_names_and_chains(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof types; k++) {
		assert_string_not_equal(operation_name(types[k]), "?");
		assert_int_equal(operation_chain(types[k]),
			types[k] == OP_BATCH ? CHAIN_MEMBERS : CHAIN_ADMIN);
	}
	assert_string_equal(operation_name(OP_BATCH), "batch");
	assert_string_equal(operation_name(OP_OWNER_ACCEPT), "owner-accept");
	assert_string_equal(operation_name(0), "?");
	assert_string_equal(operation_name(0x20), "?");
}

/* Encode a sample, change one byte, and expect this text. */
static void assert_refused(uint8_t type, size_t at, uint8_t value, const char *text)
{
	struct operation op = sample(type);
	struct buffer b = {0};
	struct error err = {0};

	assert_int_equal(operation_encode(&b, &op), 0);
	b.p[at] = value;
	assert_int_equal(operation_decode(&op, view_of(b.p, b.n), &err), -1);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	buffer_free(&b);
}

static void test_limits(void **state)
{
	struct operation op = sample(OP_BATCH);
	struct buffer b = {0};

	(void)state;
	assert_refused(OP_PAUSE, 0, 0x55, "unknown type 0x55");
	assert_refused(OP_BATCH, OPERATION_HEAD + 34, 0x02, "at most 256");
	assert_refused(OP_BATCH, OPERATION_HEAD + 36 + 96, 1, "texts: at most 65536");
	assert_refused(OP_MEMBER_ADD, OPERATION_HEAD + 8, 0, "name of 0 bytes");
	assert_refused(OP_MEMBER_ADD, OPERATION_HEAD + 8, 65, "name of 65 bytes");
	assert_refused(OP_MEMBER_ADD, OPERATION_HEAD + 21, 9, "9 signers: at most 8");
	assert_refused(OP_PROTECT, OPERATION_HEAD, 0x04, "1026 entries: at most 1024");
	assert_refused(OP_CONFIG, OPERATION_HEAD + 3, 2, "malformed");
	assert_refused(OP_GENESIS, OPERATION_HEAD + 55, 255, "malformed");
	/* What would not decode is not encoded either, and leaves no bytes. */
	op.count = BATCH_MAX + 1;
	assert_int_equal(operation_encode(&b, &op), -1);
	op = sample(OP_MEMBER_ADD);
	op.name.n = 0;
	assert_int_equal(operation_encode(&b, &op), -1);
	op = sample(OP_PROTECT);
	op.table_count = PROTECTED_MAX + 1;
	assert_int_equal(operation_encode(&b, &op), -1);
	op = sample(0x77);
	assert_int_equal(operation_encode(&b, &op), -1);
	assert_int_equal(b.n, 0);
	b.max = 40;
	op = sample(OP_BATCH);
	assert_int_equal(operation_encode(&b, &op), -1);
	assert_true(b.failed);
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genesis_vector),
		cmocka_unit_test(test_batch_vector),
		cmocka_unit_test(test_text_that_lies),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_names_and_chains),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
