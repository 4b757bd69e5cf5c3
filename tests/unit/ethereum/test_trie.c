/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include "base/keccak.h"
#include "ledger/ethereum/header.h"
#include "ledger/ethereum/rlp.h"
#include "ledger/ethereum/trie.h"

#define SLOTS_MAX 8

/* Recorded from engines; the state root is the recorded block's. */
static const char *const files[] = {"proof-anvil.json", "proof-geth.json"};

static void state_root(uint8_t out[HASH_SIZE], const json_t *root)
{
	assert_int_equal(
		fixed_parse(out, HASH_SIZE,
			json_object_get(json_object_get(root, "block"), "stateRoot")),
		0);
}

static unsigned take_slots(struct proved_slot slots[SLOTS_MAX], const json_t *c)
{
	const json_t *list = json_object_get(c, "slots");

	assert_true(json_array_size(list) <= SLOTS_MAX);
	for (size_t k = 0; k < json_array_size(list); k++)
		assert_int_equal(
			fixed_parse(slots[k].slot, HASH_SIZE, json_array_get(list, k)),
			0);
	return (unsigned)json_array_size(list);
}

/* Verify a recorded case as it stands. */
static int verify(struct proved_slot slots[SLOTS_MAX], uint8_t code[HASH_SIZE],
	const json_t *root, const json_t *c, struct error *err)
{
	uint8_t account[ADDRESS20], top[HASH_SIZE];

	state_root(top, root);
	assert_int_equal(
		fixed_parse(account, ADDRESS20, json_object_get(c, "account")), 0);
	return proof_verify(slots, take_slots(slots, c), code,
		json_object_get(c, "result"), account, top, err);
}

static void check_case(const json_t *root, const json_t *c)
{
	const json_t *values = json_object_get(c, "values");
	struct proved_slot slots[SLOTS_MAX];
	uint8_t code[HASH_SIZE], due[HASH_SIZE];
	struct error err = {0};
	int rc = verify(slots, code, root, c, &err);

	if (json_is_true(json_object_get(c, "absent"))) {
		assert_int_equal(rc, -1);
		assert_string_equal(err.text,
			"accountProof: it proves that there is no such account");
		return;
	}
	if (rc)
		fail_msg("%s", err.text);
	assert_int_equal(fixed_parse(due, HASH_SIZE, json_object_get(c, "code")), 0);
	assert_memory_equal(code, due, HASH_SIZE);
	for (size_t k = 0; k < json_array_size(values); k++) {
		assert_int_equal(
			fixed_parse(due, HASH_SIZE, json_array_get(values, k)), 0);
		assert_memory_equal(slots[k].value, due, HASH_SIZE);
	}
}

static void test_recorded(void **state)
{
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		json_t *root = vectors_load(files[f]);
		const json_t *cases = json_object_get(root, "cases");

		assert_int_equal(json_array_size(cases), 6);
		for (size_t k = 0; k < json_array_size(cases); k++) {
			const json_t *c = json_array_get(cases, k);

			print_message("# %s: %s\n", files[f],
				json_string_value(json_object_get(c, "title")));
			check_case(root, c);
		}
		json_decref(root);
	}
}

/* Change one digit of a node's text; undo by calling again. */
static void flip(json_t *node, size_t digit)
{
	char *text = strdup(json_string_value(node));

	assert_non_null(text);
	text[digit] = "123456789abcdef0"[strchr("0123456789abcdef", text[digit]) -
		"0123456789abcdef"];
	json_string_set(node, text);
	free(text);
}

/* Every changed byte of every node, a node less, a node more. Returns how many. */
static unsigned mutate(const json_t *root, const json_t *c, json_t *proof)
{
	struct proved_slot slots[SLOTS_MAX];
	uint8_t code[HASH_SIZE];
	struct error err = {0};
	unsigned tried = 0;

	for (size_t k = 0; k < json_array_size(proof); k++) {
		json_t *node = json_array_get(proof, k), *whole = json_copy(node);

		for (size_t d = 2; d < json_string_length(whole); d += 2) {
			flip(node, d);
			if (!verify(slots, code, root, c, &err))
				fail_msg("node %zu, digit %zu", k, d);
			json_string_set(node, json_string_value(whole));
			tried++;
		}
		json_array_remove(proof, k);
		/* What is shorter than its hash stands in the node above it, too
		 * (anvil); the empty trie's proof may go without its node. */
		assert_int_equal(verify(slots, code, root, c, &err),
			json_string_length(whole) < 2 + 2 * HASH_SIZE ? 0 : -1);
		json_array_insert(proof, k, whole);
		assert_int_equal(verify(slots, code, root, c, &err), 0);
		json_array_insert(proof, k, whole);
		assert_int_equal(verify(slots, code, root, c, &err), -1);
		json_array_remove(proof, k);
		json_decref(whole);
	}
	json_array_append_new(proof, json_string("0xc0"));
	assert_int_equal(verify(slots, code, root, c, &err), -1);
	json_array_remove(proof, json_array_size(proof) - 1);
	return tried + 1;
}

static void test_mutations(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (size_t f = 0; f < 2; f++) {
		json_t *root = vectors_load(files[f]);
		const json_t *cases = json_object_get(root, "cases");

		for (size_t k = 0; k < json_array_size(cases); k++) {
			const json_t *c = json_array_get(cases, k);
			const json_t *result = json_object_get(c, "result");
			const json_t *slots = json_object_get(result, "storageProof");

			if (json_is_true(json_object_get(c, "absent")))
				continue;
			tried += mutate(root, c, json_object_get(result, "accountProof"));
			for (size_t s = 0; s < json_array_size(slots); s++)
				tried += mutate(root, c,
					json_object_get(
						json_array_get(slots, s), "proof"));
		}
		json_decref(root);
	}
	print_message("# %u mutated proofs refused\n", tried);
	assert_true(tried > 15000);
}

/* A proof is of one slot, one account and one root. */
static void test_other_question(void **state)
{
	json_t *root = vectors_load("proof-geth.json");
	const json_t *c = json_array_get(json_object_get(root, "cases"), 0);
	const json_t *result = json_object_get(c, "result");
	uint8_t account[ADDRESS20], top[HASH_SIZE];
	struct proved_slot slots[SLOTS_MAX];
	struct error err = {0};
	unsigned n = take_slots(slots, c);

	(void)state;
	state_root(top, root);
	assert_int_equal(
		fixed_parse(account, ADDRESS20, json_object_get(c, "account")), 0);
	assert_int_equal(proof_verify(slots, n, NULL, result, account, top, &err), 0);
	slots[1].slot[31] ^= 1;
	assert_int_equal(proof_verify(slots, n, NULL, result, account, top, &err), -1);
	assert_non_null(strstr(err.text, "storageProof 1: proof: "));
	slots[1].slot[31] ^= 1;
	top[0] ^= 1;
	assert_int_equal(proof_verify(slots, n, NULL, result, account, top, &err), -1);
	assert_string_equal(
		err.text, "accountProof: proof: node 0: its hash is not the root");
	top[0] ^= 1;
	account[0] ^= 1;
	assert_int_equal(proof_verify(slots, n, NULL, result, account, top, &err), -1);
	account[0] ^= 1;
	assert_int_equal(
		proof_verify(slots, n - 1, NULL, result, account, top, &err), -1);
	assert_string_equal(err.text, "storageProof: not an array of 5 proofs");
	json_decref(root);
}

static void test_not_a_proof(void **state)
{
	static const char *const texts[] = {"null", "[]", "7", "{}",
		"{\"accountProof\":7}", "{\"accountProof\":[7]}",
		"{\"accountProof\":[\"0x8\"]}", "{\"accountProof\":[\"80\"]}",
		"{\"accountProof\":[\"\"]}", "{\"accountProof\":[\"0x\"]}",
		"{\"accountProof\":[\"0xzz\"]}", "{\"accountProof\":[null]}",
		"{\"accountProof\":[]}"};
	uint8_t account[ADDRESS20] = {0}, top[HASH_SIZE] = {0};
	char *huge;

	(void)state;
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
		json_t *result = json_loads(texts[k], JSON_DECODE_ANY, NULL);
		struct error err = {0};

		assert_non_null(result);
		assert_int_equal(
			proof_verify(NULL, 0, NULL, result, account, top, &err), -1);
		assert_true(!strncmp(err.text, "accountProof: ", 14));
		json_decref(result);
	}
	/* A node of 1025 bytes, and 65 nodes. */
	huge = malloc(2 + 2 * 1025 + 1);
	assert_non_null(huge);
	memset(huge, '0', 2 + 2 * 1025);
	huge[1] = 'x';
	huge[2 + 2 * 1025] = '\0';
	for (int many = 0; many < 2; many++) {
		json_t *nodes = json_array(), *result;
		struct error err = {0};

		for (int k = 0; k < (many ? PROOF_NODES_MAX + 1 : 1); k++)
			json_array_append_new(nodes, json_string(many ? "0x80" : huge));
		result = json_pack("{s:o}", "accountProof", nodes);
		assert_int_equal(
			proof_verify(NULL, 0, NULL, result, account, top, &err), -1);
		assert_non_null(strstr(err.text, many ? "64 nodes" : "1024 bytes"));
		json_decref(result);
	}
	free(huge);
}

/* --- tries made by hand, each hash right, each node wrong in one way --- */

static struct view key(void)
{
	return view_str("key");
}

/* rlp of [path, value] */
static void pair(struct buffer *out, struct view path, struct view value)
{
	struct buffer items = {0};

	rlp_put_bytes(&items, path);
	rlp_put_bytes(&items, value);
	rlp_put_list(out, view_of(items.p, items.n));
	buffer_free(&items);
}

/* Verify one node under its own hash. */
static int verify_one(struct view *value, struct view node, struct error *err)
{
	uint8_t root[HASH_SIZE];

	keccak256(root, node.p, node.n);
	return trie_verify(value, root, key(), &node, 1, err);
}

static void test_leaf(void **state)
{
	uint8_t path[1 + HASH_SIZE + 1] = {0x20};
	struct buffer node = {0};
	struct error err = {0};
	struct view value;

	(void)state;
	keccak256(path + 1, "key", 3);
	pair(&node, view_of(path, 33), view_str("v"));
	assert_int_equal(verify_one(&value, view_of(node.p, node.n), &err), 0);
	assert_true(view_eq(value, view_str("v")));
	/* Another key's leaf shows that ours is absent. */
	node.n = 0;
	path[32] ^= 1;
	pair(&node, view_of(path, 33), view_str("v"));
	assert_int_equal(verify_one(&value, view_of(node.p, node.n), &err), 0);
	assert_int_equal(value.n, 0);
	path[32] ^= 1;
	/* With something behind the list it is no node. */
	buffer_put_u8(&node, 0x80);
	assert_int_equal(verify_one(&value, view_of(node.p, node.n), &err), -1);
	assert_string_equal(err.text, "proof: node 0: no RLP");
	buffer_free(&node);
}

static void test_malformed_nodes(void **state)
{
	uint8_t path[1 + HASH_SIZE + 1] = {0x20};
	struct error err = {0};
	struct view value;
	/* Of the path: first byte, length; what is said. */
	static const struct {
		uint8_t first;
		size_t n;
		const char *due;
	} cases[] = {
		{0x20, 32, "its path has the wrong length"},
		{0x20, 34, "its path is malformed"},
		{0x20, 0, "its path is malformed"},
		{0x21, 33, "its path is malformed"},
		{0x40, 33, "its path is malformed"},
		{0x30, 33, "its path has the wrong length"},
		{0x00, 33, "its path has the wrong length"},
		{0x00, 1, "its path has the wrong length"},
		{0x00, 3, "a reference is neither a hash nor a short node"},
	};

	(void)state;
	keccak256(path + 1, "key", 3);
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct buffer node = {0};

		path[0] = cases[k].first;
		pair(&node, view_of(path, cases[k].n), view_str("v"));
		assert_int_equal(verify_one(&value, view_of(node.p, node.n), &err), -1);
		if (!strstr(err.text, cases[k].due))
			fail_msg("%zu: %s", k, err.text);
		assert_int_equal(value.n, 0);
		buffer_free(&node);
	}
}

static void test_other_nodes(void **state)
{
	static const struct {
		const char *hex, *due;
	} cases[] = {
		{"c0", "neither 2 nor 17 items"},
		{"c3010203", "neither 2 nor 17 items"},
		{"d2808080808080808080808080808080808080", "neither 2 nor 17 items"},
		{"d1808080808080808080808080808080808001", "no RLP"},
		{"d18080808080808080808080808080808001", "a branch holds a value"},
		{"01", "not a list"},
		{"8180", "not a list"},
		{"c1", "no RLP"},
		{"c28100", "no RLP"},
		{"", "no RLP"},
	};
	struct error err = {0};
	struct view value;

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct view node = hex_bytes(cases[k].hex);

		assert_int_equal(verify_one(&value, node, &err), -1);
		if (!strstr(err.text, cases[k].due))
			fail_msg("%s: %s", cases[k].hex, err.text);
		bytes_free(node);
	}
	/* A branch without children: nothing is there. */
	struct view branch = hex_bytes("d18080808080808080808080808080808080");

	assert_int_equal(verify_one(&value, branch, &err), 0);
	assert_int_equal(value.n, 0);
	bytes_free(branch);
}

static void test_empty_trie(void **state)
{
	/* Yellow Paper, the hash of the empty trie: KEC(RLP(())). */
	struct view root = hex_bytes(
		"56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
	struct view node = view_str("\x80"), nodes[2] = {node, node}, value;
	struct error err = {0};

	(void)state;
	assert_int_equal(trie_verify(&value, root.p, key(), NULL, 0, &err), 0);
	assert_int_equal(value.n, 0);
	assert_int_equal(trie_verify(&value, root.p, key(), nodes, 1, &err), 0);
	assert_int_equal(value.n, 0);
	assert_int_equal(trie_verify(&value, root.p, key(), nodes, 2, &err), -1);
	assert_string_equal(err.text, "proof: 1 nodes more than the key needs");
	((uint8_t *)(uintptr_t)root.p)[0] ^= 1;
	assert_int_equal(trie_verify(&value, root.p, key(), NULL, 0, &err), -1);
	assert_string_equal(
		err.text, "proof: it ends after 0 nodes, before the key is reached");
	bytes_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_other_question),
		cmocka_unit_test(test_not_a_proof),
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_malformed_nodes),
		cmocka_unit_test(test_other_nodes),
		cmocka_unit_test(test_empty_trie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
