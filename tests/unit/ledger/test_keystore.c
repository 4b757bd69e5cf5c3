/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/hex.h"
#include "ledger/keystore.h"
#include "ledger/scrypt_narrow.h"

/* tests/data/keystore/NAME, sources in its README. */
static json_t *load(const char *name)
{
	char path[4096];
	json_t *root;

	snprintf(path, sizeof path, "%s/keystore/%s", TESTS_DATA, name);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	return root;
}

static struct signer *decrypt(
	const json_t *root, const char *password, bool *wrong_password, struct error *err)
{
	char *text = json_dumps(root, 0);
	struct signer *s;

	assert_non_null(text);
	s = keystore_decrypt(view_str(text), view_str(password), wrong_password, err);
	free(text);
	return s;
}

static void assert_secret(const struct signer *s, const char *hex)
{
	uint8_t due[32];

	assert_int_equal(hex_decode(due, 32, view_str(hex)), 0);
	assert_memory_equal(signer_secret(s), due, 32);
}

#define DEFINITION "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
#define EIP155     "4646464646464646464646464646464646464646464646464646464646464646"
#define HORSE      "correct horse battery staple"

static void test_vectors(void **state)
{
	static const struct {
		const char *file, *password, *secret;
	} vectors[] = {
		{"definition-pbkdf2.json", "testpassword", DEFINITION},
		{"definition-scrypt.json", "testpassword", DEFINITION},
		{"ethers.json", HORSE, EIP155},
	};

	(void)state;
	for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
		json_t *root = load(vectors[k].file);
		struct error err = {0};
		struct signer *s;
		bool wrong = true;

		s = decrypt(root, vectors[k].password, &wrong, &err);
		if (!s)
			fail_msg("%s: %s", vectors[k].file, err.text);
		assert_false(wrong);
		assert_secret(s, vectors[k].secret);
		signer_free(s);
		json_decref(root);
	}
}

/* The first vector of RFC 7914, section 12; then against OpenSSL's. */
static void test_scrypt_narrow(void **state)
{
	static const char rfc[] = "77d6576238657b203b19ca42c18a0497"
				  "f16b4844e3074ae8dfdffa3fede21442"
				  "fcd0069ded0948f8326a753a0fc81f17"
				  "e8d3e0fb2e0d3628cf35e20c38d18906";
	uint8_t out[64], due[64];

	(void)state;
	assert_int_equal(hex_decode(due, 64, view_str(rfc)), 0);
	assert_int_equal(scrypt_narrow(out, 64, view_str(""), view_of("", 0), 16, 1), 0);
	assert_memory_equal(out, due, 64);
	for (uint32_t n = 2; n <= 32768; n *= 4) {
		for (uint32_t p = 1; p <= 3; p++) {
			assert_int_equal(
				EVP_PBE_scrypt("pass", 4, (const uint8_t *)"NaCl", 4, n,
					1, p, 64 << 20, due, 64),
				1);
			assert_int_equal(scrypt_narrow(out, 64, view_str("pass"),
						 view_str("NaCl"), n, p),
				0);
			assert_memory_equal(out, due, 64);
		}
	}
}

static void test_wrong_password(void **state)
{
	static const char *const passwords[] = {"", "Correct horse battery staple",
		"correct horse battery staple ", "correct horse battery staple\n"};
	json_t *root = load("ethers.json");

	(void)state;
	for (size_t k = 0; k < sizeof passwords / sizeof *passwords; k++) {
		struct error err = {0};
		bool wrong = false;

		assert_null(decrypt(root, passwords[k], &wrong, &err));
		assert_true(wrong);
		assert_string_equal(
			err.text, "the password is wrong (or the file is damaged)");
	}
	json_decref(root);
}

/* The object that holds a field, by a path such as "crypto.kdfparams.n". */
static json_t *holder(json_t *root, const char *path, const char **field)
{
	const char *dot;

	while ((dot = strchr(path, '.'))) {
		root = json_object_getn(root, path, (size_t)(dot - path));
		assert_non_null(root);
		path = dot + 1;
	}
	*field = path;
	return root;
}

/* ethers.json with one field changed (value NULL: taken out). */
static struct signer *changed(
	const char *path, const char *value, bool *wrong, struct error *err)
{
	json_t *root = load("ethers.json"), *object;
	struct signer *s;
	const char *field;

	/* ethers writes "Crypto". */
	json_object_set(root, "crypto", json_object_get(root, "Crypto"));
	json_object_del(root, "Crypto");
	object = holder(root, path, &field);
	if (value)
		json_object_set_new(
			object, field, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(object, field);
	s = decrypt(root, HORSE, wrong, err);
	json_decref(root);
	return s;
}

static void test_fields(void **state)
{
	static const struct {
		const char *path, *value, *due;
	} cases[] = {
		{"version", "1", "version 3"},
		{"version", "\"3\"", "version 3"},
		{"version", NULL, "version 3"},
		{"crypto", "7", "crypto is missing"},
		{"crypto", NULL, "crypto is missing"},
		{"crypto.cipher", "\"aes-128-cbc\"",
			"cipher \"aes-128-cbc\" is not known: aes-128-ctr"},
		{"crypto.cipher", "\"\\u001b[2J\"",
			"cipher \"\\x1b[2J\" is not known: aes-128-ctr"},
		{"crypto.ciphertext", "\"00\"", "ciphertext is missing or not 32 bytes"},
		{"crypto.ciphertext", NULL, "ciphertext is missing or not 32 bytes"},
		{"crypto.cipherparams", "[]", "iv is missing or not 16 bytes"},
		{"crypto.cipherparams.iv", "\"0x00\"", "iv is missing or not 16 bytes"},
		{"crypto.mac", "\"zz\"", "mac is missing or not 32 bytes"},
		{"crypto.kdf", "\"bcrypt\"",
			"kdf \"bcrypt\" is not known: scrypt or pbkdf2"},
		{"crypto.kdf", NULL, "kdf \"\" is not known"},
		{"crypto.kdf", "\"pbkdf2\"", "prf \"\" is not known: hmac-sha256"},
		{"crypto.kdfparams", "null", "dklen is missing"},
		{"crypto.kdfparams.dklen", "64", "dklen 64: the format has 32"},
		{"crypto.kdfparams.salt", "\"abc\"", "salt is missing or not 1 bytes"},
		{"crypto.kdfparams.n", "4095", "n must be a power of two"},
		{"crypto.kdfparams.n", "1", "n must be a power of two"},
		{"crypto.kdfparams.n", "0", "n is missing or not a number of 1"},
		{"crypto.kdfparams.n", "-4096", "n is missing or not a number of 1"},
		{"crypto.kdfparams.n", "4096.0", "n is missing or not a number of 1"},
		{"crypto.kdfparams.n", "4294967296", "n is missing or not a number of 1"},
		{"crypto.kdfparams.n", "2147483648", "more than 512 MiB of memory"},
		{"crypto.kdfparams.n", "1048576", "more than 512 MiB of memory"},
		{"crypto.kdfparams.r", "4294967295", "more than 512 MiB of memory"},
		{"crypto.kdfparams.r", "1025", "more than 512 MiB of memory"},
		{"crypto.kdfparams.p", "4294967295", "more than 512 MiB of memory"},
		{"crypto.kdfparams.p", "513", "more time than any wallet"},
		{"address", "\"00\"", "address is not 20 bytes"},
		{"address", "7", "address is not 20 bytes"},
		{"address", "\"008aeeda4d805471df9b2a5b0f38a0c3bcba786b\"",
			"its address is not that of the key inside"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct error err = {0};
		bool wrong = true;

		assert_null(changed(cases[k].path, cases[k].value, &wrong, &err));
		if (!strstr(err.text, cases[k].due))
			fail_msg("%s: %s", cases[k].path, err.text);
		assert_false(wrong);
	}
}

/* What is read all the same: no address, with 0x; what only the MAC sees. */
static void test_tolerated(void **state)
{
	struct error err = {0};
	struct signer *s;
	bool wrong;

	(void)state;
	s = changed("address", NULL, &wrong, &err);
	assert_non_null(s);
	signer_free(s);
	s = changed("address", "\"0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\"", &wrong,
		&err);
	assert_non_null(s);
	signer_free(s);
	assert_null(changed("crypto.kdfparams.salt", "\"00\"", &wrong, &err));
	assert_true(wrong);
	assert_null(changed("crypto.kdfparams.r", "4", &wrong, &err));
	assert_true(wrong);
	/* AES-CTR without its IV under the MAC: only the address tells. */
	assert_null(changed("crypto.cipherparams.iv",
		"\"00000000000000000000000000000000\"", &wrong, &err));
	assert_false(wrong);
	assert_non_null(strstr(err.text, "its address is not that of the key inside"));
}

static void test_pbkdf2_rounds(void **state)
{
	static const char *const wrong_rounds[] = {"0", "10000001", "-1", "\"1\""};
	bool wrong;

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		json_t *root = load("definition-pbkdf2.json");
		struct error err = {0};
		const char *field;
		json_t *params = holder(root, "crypto.kdfparams.c", &field);

		json_object_set_new(params, field,
			json_loads(wrong_rounds[k], JSON_DECODE_ANY, NULL));
		assert_null(decrypt(root, "testpassword", &wrong, &err));
		assert_string_equal(
			err.text, "c is missing or not a number of 1 to 10000000");
		json_decref(root);
	}
}

static void assert_no_keystore(struct view text, const char *due)
{
	struct error err = {0};
	bool wrong = true;

	assert_null(keystore_decrypt(text, view_str("x"), &wrong, &err));
	assert_false(wrong);
	if (!strstr(err.text, due))
		fail_msg("%s", err.text);
}

static void test_no_keystore(void **state)
{
	char *large = calloc(1, KEYSTORE_TEXT_MAX + 1);

	(void)state;
	assert_non_null(large);
	assert_no_keystore(view_str(""), "not JSON: line");
	assert_no_keystore(view_str("{"), "not JSON: line");
	assert_no_keystore(view_str("[]"), "version 3");
	assert_no_keystore(view_str("{\"version\":3,\"version\":3}"), "not JSON");
	assert_no_keystore(view_of(large, KEYSTORE_TEXT_MAX + 1), "no keystore");
	free(large);
}

static struct signer *signer_of(const char *hex)
{
	uint8_t secret[32];
	struct signer *s;

	assert_int_equal(hex_decode(secret, 32, view_str(hex)), 0);
	s = signer_from_secret(secret);
	assert_non_null(s);
	return s;
}

static void test_round_trip(void **state)
{
	static const char *const passwords[] = {"", "x", "Gr\u00fc\u00dfe \u2713"};
	struct keystore_seed seed;
	struct signer *s = signer_of(EIP155);

	(void)state;
	for (size_t k = 0; k < sizeof passwords / sizeof *passwords; k++) {
		struct buffer out = {0}, again = {0};
		struct error err = {0};
		struct signer *back;
		bool wrong;

		memset(&seed, (int)k + 1, sizeof seed);
		assert_int_equal(keystore_encrypt(&out, s, view_str(passwords[k]),
					 &keystore_light, &seed, &err),
			0);
		back = keystore_decrypt(
			view_of(out.p, out.n), view_str(passwords[k]), &wrong, &err);
		assert_non_null(back);
		assert_secret(back, EIP155);
		signer_free(back);
		assert_null(keystore_decrypt(
			view_of(out.p, out.n), view_str("y"), &wrong, &err));
		assert_true(wrong);
		/* The same seed gives the same file, another one another. */
		keystore_encrypt(
			&again, s, view_str(passwords[k]), &keystore_light, &seed, &err);
		assert_true(view_eq(view_of(out.p, out.n), view_of(again.p, again.n)));
		seed.salt[0] ^= 1;
		again.n = 0;
		keystore_encrypt(
			&again, s, view_str(passwords[k]), &keystore_light, &seed, &err);
		assert_false(view_eq(view_of(out.p, out.n), view_of(again.p, again.n)));
		buffer_free(&out);
		buffer_free(&again);
	}
	signer_free(s);
}

static void test_written_form(void **state)
{
	struct signer *s = signer_of(EIP155);
	struct keystore_seed seed;
	struct buffer out = {0};
	struct error err = {0};
	const json_t *params;
	json_t *root;

	(void)state;
	memset(&seed, 0xff, sizeof seed);
	assert_int_equal(keystore_encrypt(&out, s, view_str("p"),
				 &(struct keystore_cost){2, 1, 1}, &seed, &err),
		0);
	assert_int_equal(out.p[out.n - 1], '\n');
	root = json_loadb((char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "id")),
		"ffffffff-ffff-4fff-bfff-ffffffffffff");
	assert_string_equal(json_string_value(json_object_get(root, "address")),
		"9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
	params = json_object_get(json_object_get(root, "crypto"), "kdfparams");
	assert_int_equal(json_integer_value(json_object_get(params, "n")), 2);
	assert_int_equal(json_integer_value(json_object_get(params, "dklen")), 32);
	/* The secret is not in it. */
	assert_null(memmem(out.p, out.n, EIP155, 16));
	json_decref(root);
	buffer_free(&out);
	signer_free(s);
}

static void test_refused_cost(void **state)
{
	static const struct keystore_cost costs[] = {{0, 8, 1}, {3, 8, 1}, {2, 0, 1},
		{2, 1, 0}, {1u << 22, 2, 1}, {1u << 31, 1u << 31, 1}, {2, 1, 1025},
		{2, 4096, 1024}, {1u << 22, 1, 1}, {2, 1u << 22, 1}};
	struct signer *s = signer_of(EIP155);
	struct keystore_seed seed = {{0}, {0}, {0}};
	static char long_password[KEYSTORE_PASSWORD_MAX + 2];
	struct buffer out = {0};
	struct error err = {0};

	(void)state;
	for (size_t k = 0; k < sizeof costs / sizeof *costs; k++)
		assert_int_equal(
			keystore_encrypt(&out, s, view_str("p"), &costs[k], &seed, &err),
			-1);
	memset(long_password, 'p', KEYSTORE_PASSWORD_MAX + 1);
	assert_int_equal(keystore_encrypt(&out, s, view_str(long_password),
				 &keystore_light, &seed, &err),
		-1);
	assert_string_equal(err.text, "a password of more than 1024 bytes");
	assert_int_equal(out.n, 0);
	/* What geth and ethers write by default is within the bounds. */
	assert_true(keystore_standard.n == 262144 && keystore_standard.r == 8 &&
		keystore_standard.p == 1);
	assert_int_equal(
		keystore_encrypt(&out, s, view_str("p"), &keystore_standard, &seed, &err),
		0);
	buffer_free(&out);
	signer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_scrypt_narrow),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_pbkdf2_rounds),
		cmocka_unit_test(test_no_keystore),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_written_form),
		cmocka_unit_test(test_refused_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
