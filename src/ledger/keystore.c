/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/keystore.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/keccak.h"
#include "base/secret_page.h"
#include "ledger/keystore_file.h"
#include "ledger/scrypt_narrow.h"

const struct keystore_cost keystore_standard = {262144, 8, 1};
const struct keystore_cost keystore_light = {4096, 8, 1};

/* In a locked page. */
struct work {
	uint8_t derived[32]; /* half a cipher key, half a MAC key */
	uint8_t secret[32];
};

/* scrypt; whether it worked. */
static bool derive_scrypt(
	struct work *w, const struct keystore_file *f, struct view password)
{
	/* n blocks, two of scratch, p times 128 r: never twice the bound. */
	const uint64_t limit = (uint64_t)KEYSTORE_MEMORY_MAX * 2 + 4096;
	const char *p = password.n ? (const char *)password.p : "";

	if (f->cost.r == 1)
		return !scrypt_narrow(w->derived, sizeof w->derived, password,
			view_of(f->salt, f->salt_size), f->cost.n, f->cost.p);
	return EVP_PBE_scrypt(p, password.n, f->salt, f->salt_size, f->cost.n, f->cost.r,
		       f->cost.p, limit, w->derived, sizeof w->derived) == 1;
}

/* The password into the derived key. Returns 0, or -1 with a text. */
static int derive(struct work *w, const struct keystore_file *f, struct view password,
	struct error *err)
{
	const char *p = password.n ? (const char *)password.p : "";
	bool ok;

	if (password.n > KEYSTORE_PASSWORD_MAX)
		return error_set(
			err, "a password of more than %d bytes", KEYSTORE_PASSWORD_MAX);
	if (f->rounds)
		ok = PKCS5_PBKDF2_HMAC(p, (int)password.n, f->salt, (int)f->salt_size,
			     (int)f->rounds, EVP_sha256(), sizeof w->derived,
			     w->derived) == 1;
	else
		ok = derive_scrypt(w, f, password);
	if (!ok)
		return error_set(err,
			"the key derivation failed: it needs %llu MiB of memory",
			((unsigned long long)f->cost.n * f->cost.r >> 13) + 1);
	return 0;
}

/* 32 bytes through AES-128-CTR, either way. Returns 0 or -1. */
static int cipher(uint8_t out[32], const uint8_t in[32], const uint8_t key[16],
	const uint8_t iv[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, ok;

	ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, key, iv) &&
		EVP_EncryptUpdate(ctx, out, &n, in, 32) && n == 32;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -1;
}

static void authenticate(
	uint8_t mac[32], const struct work *w, const uint8_t ciphertext[32])
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, w->derived + 16, 16);
	keccak_update(&k, ciphertext, 32);
	keccak_final(&k, mac);
	explicit_bzero(&k, sizeof k);
}

static struct work *work_new(struct error *err)
{
	struct work *w = secret_page_new();

	if (!w)
		error_set(err, "no locked page for the key: %s (raise LimitMEMLOCK)",
			strerror(errno));
	return w;
}

/* The secret under its MAC. Returns 0, or -1 with a text. */
static int decrypt(struct work *w, const struct keystore_file *f, struct view password,
	bool *wrong_password, struct error *err)
{
	uint8_t mac[32];

	if (derive(w, f, password, err))
		return -1;
	authenticate(mac, w, f->ciphertext);
	if (CRYPTO_memcmp(mac, f->mac, sizeof mac) != 0) {
		*wrong_password = true;
		return error_set(err, "the password is wrong (or the file is damaged)");
	}
	if (cipher(w->secret, f->ciphertext, w->derived, f->iv))
		return error_set(err, "AES-128-CTR failed");
	return 0;
}

struct signer *keystore_decrypt(
	struct view text, struct view password, bool *wrong_password, struct error *err)
{
	struct keystore_file f;
	struct signer *s = NULL;
	struct work *w;

	*wrong_password = false;
	if (keystore_file_parse(&f, text, err))
		return NULL;
	w = work_new(err);
	if (!w)
		return NULL;
	if (decrypt(w, &f, password, wrong_password, err))
		goto done;
	s = signer_from_secret(w->secret);
	if (!s) {
		error_set(err,
			"what it holds is not a secp256k1 key, or no page can be "
			"locked for it");
		goto done;
	}
	if (f.has_address && memcmp(f.address, signer_address(s), ADDRESS20) != 0) {
		error_set(
			err, "its address is not that of the key inside: it was changed");
		signer_free(s);
		s = NULL;
	}
done:
	secret_page_free(w);
	return s;
}

int keystore_encrypt(struct buffer *out, const struct signer *s, struct view password,
	const struct keystore_cost *cost, const struct keystore_seed *seed,
	struct error *err)
{
	struct keystore_file f = {.cost = *cost, .salt_size = sizeof seed->salt};
	struct work *w;
	int rc = -1;

	if (keystore_cost_check(cost, err))
		return -1;
	w = work_new(err);
	if (!w)
		return -1;
	memcpy(f.address, signer_address(s), ADDRESS20);
	memcpy(f.salt, seed->salt, sizeof seed->salt);
	memcpy(f.iv, seed->iv, sizeof f.iv);
	if (derive(w, &f, password, err))
		goto done;
	if (cipher(f.ciphertext, signer_secret(s), w->derived, f.iv)) {
		error_set(err, "AES-128-CTR failed");
		goto done;
	}
	authenticate(f.mac, w, f.ciphertext);
	rc = keystore_file_print(out, &f, seed->id);
	if (rc)
		error_set(err, "out of memory");
done:
	secret_page_free(w);
	return rc;
}
