/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include "ledger/ethereum/rlp.h"
#include "ledger/ethereum/transaction.h"

/* transactions.json, signed by ethers and by viem in turn. */
static json_t *root;

static int setup(void **state)
{
	(void)state;
	root = vectors_load("transactions.json");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(root);
	return 0;
}

static struct signer *test_signer(void)
{
	struct view secret = hex_field(root, "key");
	struct signer *s = signer_from_secret(secret.p);

	assert_non_null(s);
	bytes_free(secret);
	return s;
}

/* The fields of a vector; t->data must be freed. */
static void vector_fields(struct transaction *t, const json_t *v)
{
	const json_t *to = json_object_get(v, "to");

	*t = (struct transaction){
		.dynamic = json_is_true(json_object_get(v, "dynamic")),
		.chain_id = number_field(v, "chain_id"),
		.nonce = number_field(v, "nonce"),
		.max_fee = number_field(v, "max_fee"),
		.priority_fee = number_field(v, "priority_fee"),
		.gas_limit = number_field(v, "gas_limit"),
		.creates = json_is_null(to),
		.data = hex_field(v, "data"),
	};
	if (!t->creates)
		assert_int_equal(
			hex_decode(t->to, ADDRESS20, view_str(json_string_value(to))), 0);
}

static void assert_same(const struct transaction *a, const struct transaction *b)
{
	assert_int_equal(a->dynamic, b->dynamic);
	assert_true(a->chain_id == b->chain_id && a->nonce == b->nonce);
	assert_true(a->max_fee == b->max_fee && a->priority_fee == b->priority_fee);
	assert_true(a->gas_limit == b->gas_limit);
	assert_int_equal(a->creates, b->creates);
	assert_memory_equal(a->to, b->to, ADDRESS20);
	assert_true(view_eq(a->data, b->data));
}

static void test_sign(void **state)
{
	const json_t *list = json_object_get(root, "transactions");
	struct signer *s = test_signer();
	unsigned dynamic = 0;

	(void)state;
	assert_int_equal(json_array_size(list), 32);
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *v = json_array_get(list, k);
		struct view hash_due = hex_field(v, "hash");
		struct buffer raw = {0};
		struct transaction t;
		uint8_t hash[HASH_SIZE];

		vector_fields(&t, v);
		dynamic += t.dynamic;
		assert_int_equal(transaction_sign(&raw, hash, &t, s), 0);
		assert_memory_equal(hash, hash_due.p, HASH_SIZE);
		assert_buffer_hex(&raw, json_string_value(json_object_get(v, "raw")));
		bytes_free(hash_due);
		bytes_free(t.data);
	}
	assert_int_equal(dynamic, 16);
	signer_free(s);
}

static void test_parse(void **state)
{
	const json_t *list = json_object_get(root, "transactions");
	struct view owner = hex_field(root, "sender");

	(void)state;
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *v = json_array_get(list, k);
		struct view raw = hex_field(v, "raw");
		struct transaction t, due;
		uint8_t sender[ADDRESS20];

		vector_fields(&due, v);
		assert_int_equal(transaction_parse(&t, sender, raw), 0);
		assert_same(&t, &due);
		assert_memory_equal(sender, owner.p, ADDRESS20);
		/* Cut anywhere, or with a byte more, it is none. */
		for (size_t n = 0; n < raw.n; n++)
			assert_int_equal(
				transaction_parse(&t, sender, view_of(raw.p, n)), -1);
		bytes_free(due.data);
		bytes_free(raw);
	}
	bytes_free(owner);
}

/* No flipped bit gives the same sender the same transaction. */
static void test_mutations(void **state)
{
	const json_t *list = json_object_get(root, "transactions");
	struct view owner = hex_field(root, "sender");

	(void)state;
	for (size_t k = 1; k < json_array_size(list); k += 16) {
		struct view raw = hex_field(json_array_get(list, k), "raw");
		uint8_t *p = (uint8_t *)(uintptr_t)raw.p, sender[ADDRESS20];
		struct transaction t;

		for (size_t bit = 0; bit < 8 * raw.n; bit++) {
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (!transaction_parse(&t, sender, raw) &&
				!memcmp(sender, owner.p, ADDRESS20))
				fail_msg("bit %zu of transaction %zu", bit, k);
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		bytes_free(raw);
	}
	bytes_free(owner);
}

static void test_foreign(void **state)
{
	const json_t *foreign = json_object_get(root, "foreign");
	const char *name;
	const json_t *value;
	uint8_t sender[ADDRESS20];
	struct transaction t;

	(void)state;
	assert_int_equal(json_object_size(foreign), 5);
	json_object_foreach((json_t *)(uintptr_t)foreign, name, value)
	{
		struct view raw = hex_bytes(json_string_value(value));

		if (!transaction_parse(&t, sender, raw))
			fail_msg("taken: %s", name);
		bytes_free(raw);
	}
}

/*
 * The example of EIP-155, word for word. It carries an ether, so that
 * transaction_parse() refuses it; its parts are taken by hand.
 */
static void test_eip155(void **state)
{
	struct view raw = hex_bytes(
		"f86c098504a817c80082520894353535353535353535353535353"
		"5353535353535880de0b6b3a76400008025a028ef61340bd939bc"
		"2195fe537567866003e1a15d3c71ff63e1590620aa636276a067c"
		"be9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb196"
		"6a3b6d83");
	struct view hash = hex_bytes(
		"daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
	struct view owner = hex_field(root, "sender");
	struct view rest = raw;
	struct rlp_item list, item;
	uint8_t signature[SIGNATURE_SIZE], sender[ADDRESS20];
	uint64_t v = 0;

	(void)state;
	assert_int_equal(rlp_next(&rest, &list), 0);
	for (unsigned k = 0; k < 7; k++)
		assert_int_equal(rlp_next(&list.payload, &item), 0);
	assert_int_equal(rlp_uint(&item, &v), 0);
	assert_int_equal(v, 37);
	signature[64] = (uint8_t)((v - 35) % 2);
	assert_int_equal(rlp_next(&list.payload, &item), 0);
	memcpy(signature, item.payload.p, HASH_SIZE);
	assert_int_equal(rlp_next(&list.payload, &item), 0);
	memcpy(signature + HASH_SIZE, item.payload.p, HASH_SIZE);
	assert_int_equal(signature_recover(sender, signature, hash.p), 0);
	assert_memory_equal(sender, owner.p, ADDRESS20);
	bytes_free(raw);
	bytes_free(hash);
	bytes_free(owner);
}

static struct transaction plain(bool dynamic)
{
	return (struct transaction){.dynamic = dynamic,
		.chain_id = 7,
		.nonce = 1,
		.max_fee = 5,
		.priority_fee = dynamic ? 2 : 0,
		.gas_limit = 9};
}

static void test_refused(void **state)
{
	struct signer *s = test_signer();
	struct buffer raw = {0};
	struct transaction t = plain(true);
	uint8_t hash[HASH_SIZE], signature[SIGNATURE_SIZE] = {1};

	(void)state;
	t.priority_fee = 6;
	assert_int_equal(transaction_sign(&raw, hash, &t, s), -1);
	t = plain(true);
	t.chain_id = 0;
	assert_int_equal(transaction_sign(&raw, hash, &t, s), -1);
	t = plain(false);
	t.chain_id = 0;
	assert_int_equal(transaction_sign(&raw, hash, &t, s), -1);
	t.chain_id = (UINT64_MAX - 36) / 2 + 1;
	assert_int_equal(transaction_sign(&raw, hash, &t, s), -1);
	t = plain(true);
	signature[64] = 2;
	assert_int_equal(transaction_encode(&raw, &t, signature), -1);
	assert_int_equal(raw.n, 0);
	raw.max = 20;
	assert_int_equal(transaction_sign(&raw, hash, &t, s), -1);
	buffer_free(&raw);
	signer_free(s);
}

/* The largest chain id that v can carry, and fees of 64 bits. */
static void test_extremes(void **state)
{
	struct signer *s = test_signer();

	(void)state;
	for (int dynamic = 0; dynamic < 2; dynamic++) {
		struct transaction t = plain(dynamic), back;
		struct buffer raw = {0};
		uint8_t hash[HASH_SIZE], sender[ADDRESS20];

		t.chain_id = dynamic ? UINT64_MAX : (UINT64_MAX - 36) / 2;
		t.nonce = t.max_fee = t.gas_limit = UINT64_MAX;
		t.priority_fee = dynamic ? UINT64_MAX : 0;
		assert_int_equal(transaction_sign(&raw, hash, &t, s), 0);
		assert_int_equal(
			transaction_parse(&back, sender, view_of(raw.p, raw.n)), 0);
		assert_same(&t, &back);
		assert_memory_equal(sender, signer_address(s), ADDRESS20);
		buffer_free(&raw);
	}
	signer_free(s);
}

/* n - s with the other parity is as good a signature, but EIP-2 refuses it. */
static void test_high_s(void **state)
{
	struct view order = hex_bytes(
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
	struct signer *s = test_signer();
	struct transaction t = plain(true), back;
	struct buffer raw = {0}, high = {0};
	uint8_t hash[HASH_SIZE], sender[ADDRESS20], signature[SIGNATURE_SIZE];
	int borrow = 0;

	(void)state;
	assert_int_equal(transaction_sign(&raw, hash, &t, s), 0);
	/* r and s are the last 2 * (1 + 32) bytes, the parity is before them. */
	memcpy(signature, raw.p + raw.n - 65, HASH_SIZE);
	for (int k = HASH_SIZE - 1; k >= 0; k--) {
		int d = order.p[k] - raw.p[raw.n - HASH_SIZE + (size_t)k] - borrow;

		borrow = d < 0;
		signature[HASH_SIZE + k] = (uint8_t)d;
	}
	signature[64] = raw.p[raw.n - 67] == 0x80; /* the other one */
	assert_int_equal(transaction_encode(&high, &t, signature), 0);
	assert_int_equal(high.n, raw.n);
	assert_int_equal(transaction_parse(&back, sender, view_of(raw.p, raw.n)), 0);
	assert_int_equal(transaction_parse(&back, sender, view_of(high.p, high.n)), -1);
	buffer_free(&raw);
	buffer_free(&high);
	bytes_free(order);
	signer_free(s);
}

static void test_contract_address(void **state)
{
	const json_t *list = json_object_get(root, "created");
	struct view owner = hex_field(root, "sender");

	(void)state;
	assert_int_equal(json_array_size(list), 9);
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *v = json_array_get(list, k);
		struct view due = hex_field(v, "address");
		uint8_t out[ADDRESS20];

		contract_address(out, owner.p, number_field(v, "nonce"));
		assert_memory_equal(out, due.p, ADDRESS20);
		bytes_free(due);
	}
	bytes_free(owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_eip155),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_high_s),
		cmocka_unit_test(test_contract_address),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
