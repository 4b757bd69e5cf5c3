/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "ledger/signer.h"

static struct signer *from_hex(const char *hex)
{
	uint8_t secret[32];

	assert_int_equal(hex_decode(secret, 32, view_str(hex)), 0);
	return signer_from_secret(secret);
}

static void assert_address(const char *secret, const char *address)
{
	struct signer *s = from_hex(secret);
	char text[ADDRESS20_TEXT];

	assert_non_null(s);
	assert_string_equal(address20_print(text, signer_address(s)), address);
	signer_free(s);
}

#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
/* The group's order n (SEC 2, 2.4.1), and n - 1. */
#define ORDER   "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ORDER_1 "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"

static void test_addresses(void **state)
{
	(void)state;
	/* 1 and n - 1 are the generator and its negation, listed everywhere; the
	 * third is the example key of the web3.js documentation. */
	assert_address(ONE, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
	assert_address(ORDER_1, "0x80C0dbf239224071c59dD8970ab9d542E3414aB2");
	assert_address("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
		"0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
	assert_null(from_hex(ORDER));
	assert_null(from_hex("00000000000000000000000000000000"
			     "00000000000000000000000000000000"));
}

static void test_rfc6979(void **state)
{
	/* Key 1, SHA-256 of "Satoshi Nakamoto": the vector that Bitcoin
	 * libraries share for RFC 6979 on secp256k1 with a low s. */
	static const char hash_hex[] =
		"a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e";
	static const char due[] =
		"934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
		"2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5";
	uint8_t hash[32], signature[SIGNATURE_SIZE], address[ADDRESS20];
	struct signer *s = from_hex(ONE);
	char text[129];

	(void)state;
	hex_decode(hash, 32, view_str(hash_hex));
	assert_int_equal(signer_sign(s, signature, hash), 0);
	assert_string_equal(hex_encode(text, signature, 64), due);
	assert_int_equal(signature_recover(address, signature, hash), 0);
	assert_memory_equal(address, signer_address(s), ADDRESS20);
	signer_free(s);
}

/* n - s, big-endian. */
static void negate(uint8_t s[32])
{
	uint8_t n[32];
	int borrow = 0;

	hex_decode(n, 32, view_str(ORDER));
	for (int k = 31; k >= 0; k--) {
		int v = n[k] - s[k] - borrow;

		borrow = v < 0;
		s[k] = (uint8_t)(v + (borrow ? 256 : 0));
	}
}

static void test_recover_refuses(void **state)
{
	uint8_t hash[32] = {7}, good[SIGNATURE_SIZE], bad[SIGNATURE_SIZE];
	uint8_t address[ADDRESS20];
	struct signer *s = from_hex(ONE);

	(void)state;
	assert_int_equal(signer_sign(s, good, hash), 0);
	/* The same signature's other form: s negated, the parity flipped. */
	memcpy(bad, good, sizeof bad);
	negate(bad + 32);
	bad[64] ^= 1;
	assert_int_equal(signature_recover(address, bad, hash), -1);
	for (int id = 4; id < 256; id++) {
		memcpy(bad, good, sizeof bad);
		bad[64] = (uint8_t)id;
		assert_int_equal(signature_recover(address, bad, hash), -1);
	}
	memset(bad, 0, sizeof bad);
	assert_int_equal(signature_recover(address, bad, hash), -1);
	memset(bad, 0xff, 64);
	assert_int_equal(signature_recover(address, bad, hash), -1);
	/* Any flipped bit gives another address, or none. */
	for (unsigned bit = 0; bit < 8 * 64; bit++) {
		memcpy(bad, good, sizeof bad);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!signature_recover(address, bad, hash))
			assert_memory_not_equal(address, signer_address(s), ADDRESS20);
	}
	signer_free(s);
}

static void test_eip55(void **state)
{
	/* The examples of EIP-55. */
	static const char *const good[] = {
		"0x52908400098527886E0F7030069857D2E4169EE7",
		"0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77",
		"0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
		"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	};
	static const char *const bad[] = {
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", /* case */
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee", /* digit */
		"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0x",
		"",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
		"0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0xg709f2102306220921060314715629080e2fb777",
	};
	uint8_t address[ADDRESS20];
	char text[ADDRESS20_TEXT];
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
		assert_int_equal(address20_parse(address, view_str(good[k]), &err), 0);
		assert_string_equal(address20_print(text, address), good[k]);
	}
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		err.text[0] = '\0';
		assert_int_equal(address20_parse(address, view_str(bad[k]), &err), -1);
		assert_non_null(strstr(err.text, k < 2 ? "EIP-55" : "40 hex digits"));
	}
	/* All of one case carries no checksum. */
	assert_int_equal(
		address20_parse(address,
			view_str("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"), &err),
		0);
	assert_string_equal(address20_print(text, address), good[4]);
}

/* --- key files --- */

static char folder[] = "/tmp/sipchain-signer-XXXXXX";

static char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_open_fails(const char *path, const char *text)
{
	struct error err = {0};

	assert_null(signer_open(path, &err));
	if (!strstr(err.text, text) || !strstr(err.text, path))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void test_create_and_open(void **state)
{
	const char *path = in_folder("new.key");
	struct signer *made, *read;
	struct error err = {0};
	struct stat st;
	uint8_t a[SIGNATURE_SIZE], b[SIGNATURE_SIZE], hash[32] = {1};

	(void)state;
	made = signer_create(path, &err);
	assert_non_null(made);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	read = signer_open(path, &err);
	if (!read)
		fail_msg("%s", err.text);
	assert_memory_equal(signer_address(made), signer_address(read), ADDRESS20);
	assert_int_equal(signer_sign(made, a, hash), 0);
	assert_int_equal(signer_sign(read, b, hash), 0);
	assert_memory_equal(a, b, SIGNATURE_SIZE);
	/* A second one does not overwrite the first. */
	assert_null(signer_create(path, &err));
	assert_non_null(strstr(err.text, "not overwritten"));
	signer_free(made);
	signer_free(read);
	read = signer_open(path, &err);
	assert_non_null(read);
	signer_free(read);
	made = signer_create(in_folder("other.key"), &err);
	read = signer_open(in_folder("new.key"), &err);
	assert_memory_not_equal(signer_address(made), signer_address(read), ADDRESS20);
	signer_free(made);
	signer_free(read);
}

static void test_bad_files(void **state)
{
	const char *path = in_folder("bad.key");
	struct signer *s;
	char text[80];

	(void)state;
	assert_open_fails(in_folder("none.key"), "No such file");
	path = in_folder("bad.key");
	write_file(path, ONE, 0600);
	s = signer_open(path, NULL);
	assert_non_null(s); /* the newline is optional */
	signer_free(s);
	write_file(path, ONE "\n", 0640);
	assert_open_fails(path, "chmod 600");
	write_file(path, ONE "\n", 0604);
	assert_open_fails(path, "mode 0604");
	write_file(path, ONE "\n\n", 0600);
	assert_open_fails(path, "64 hex digits");
	write_file(path, ONE "0", 0600);
	assert_open_fails(path, "64 hex digits");
	write_file(path, "", 0600);
	assert_open_fails(path, "64 hex digits");
	snprintf(text, sizeof text, "0x%.62s\n", ONE);
	write_file(path, text, 0600);
	assert_open_fails(path, "64 hex digits");
	write_file(path, ORDER "\n", 0600);
	assert_open_fails(path, "not a secp256k1 key");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_open_fails(path, "regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_open_fails(path, "regular file");
	if (geteuid() == 0) {
		path = in_folder("foreign.key");
		write_file(path, ONE "\n", 0600);
		assert_int_equal(chown(path, 12345, 0), 0);
		assert_open_fails(path, "belongs to user 12345");
	}
}

static void assert_opens_as_one(const char *path)
{
	struct error err = {0};
	struct signer *s = signer_open(path, &err);
	char text[ADDRESS20_TEXT];

	if (!s)
		fail_msg("%s", err.text);
	assert_string_equal(address20_print(text, signer_address(s)),
		"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
	signer_free(s);
}

static void write_bytes(const char *path, const void *bytes, size_t n, mode_t mode)
{
	int fd;

	write_file(path, "", mode);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

/* 32 bytes are a key, too, whatever they are; one more or less is none. */
static void test_raw_key(void **state)
{
	const char *path = in_folder("raw.key");
	uint8_t raw[33] = {0};
	struct signer *s;

	(void)state;
	raw[31] = 1;
	write_bytes(path, raw, 32, 0600);
	assert_opens_as_one(path);
	write_bytes(path, raw, 33, 0600);
	assert_open_fails(path, "or 32 bytes");
	write_bytes(path, raw, 31, 0600);
	assert_open_fails(path, "or 32 bytes");
	raw[31] = '\n';
	write_bytes(path, raw, 32, 0600);
	s = signer_open(path, NULL);
	assert_non_null(s);
	assert_memory_equal(signer_secret(s), raw, 32);
	signer_free(s);
	write_file(path,
		"{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\",\"ciphertext\":\"5318b4d5bcd28de64ee5559e\"",
		0600);
	assert_open_fails(path, "sipchain key import");
	unlink(path);
}

static void assert_credential_fails(const char *name, const char *text)
{
	struct error err = {0};

	assert_null(signer_open(name, &err));
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void test_credential(void **state)
{
	const char *path = in_folder("member.key");

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_credential_fails("credential:member.key", "LoadCredential=member.key");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	assert_credential_fails("credential:member.key", "No such file");
	for (unsigned k = 0; k < 2; k++) {
		write_file(path, ONE "\n", k ? 0440 : 0400);
		assert_opens_as_one("credential:member.key");
		unlink(path);
	}
	write_file(path, ONE, 0460);
	assert_credential_fails("credential:member.key", "mode 0460");
	unlink(path);
	write_file(path, ONE, 0444);
	assert_credential_fails("credential:member.key", "mode 0444");
	assert_credential_fails("credential:", "file name");
	assert_credential_fails("credential:../member.key", "file name");
	assert_credential_fails("credential:.", "file name");
	assert_credential_fails("credential:/member.key", "file name");
	setenv("CREDENTIALS_DIRECTORY", "", 1);
	assert_credential_fails("credential:member.key", "LoadCredential");
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(path);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(in_folder("new.key"));
	unlink(in_folder("other.key"));
	unlink(in_folder("foreign.key"));
	rmdir(in_folder("bad.key"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_rfc6979),
		cmocka_unit_test(test_recover_refuses),
		cmocka_unit_test(test_eip55),
		cmocka_unit_test(test_create_and_open),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_raw_key),
		cmocka_unit_test(test_credential),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
