/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_KEYSTORE_H
#define LEDGER_KEYSTORE_H

#include "base/buffer.h"
#include "ledger/signer.h"

/*
 * Web3 Secret Storage, version 3: a key in a JSON file behind a password, as
 * wallets exchange it. Import takes scrypt and PBKDF2-HMAC-SHA-256 with
 * AES-128-CTR; the MAC is keccak256(derived key's second half, ciphertext).
 *
 * The file is hostile: what it may make the key derivation cost is bounded. A
 * password is taken as the bytes it is (geth does the same; ethers folds it to
 * NFKC first, which only matters outside ASCII).
 */
#define KEYSTORE_TEXT_MAX     65536
#define KEYSTORE_PASSWORD_MAX 1024

/* More than any wallet asks for; 262144, 8, 1 needs 256 MiB. */
#define KEYSTORE_MEMORY_MAX (512u << 20) /* bytes: 128 r (n + p) */
#define KEYSTORE_WORK_MAX   (1u << 24)   /* n r p: eight times the usual */
#define KEYSTORE_LANES_MAX  1024         /* p */
#define KEYSTORE_ROUNDS_MAX 10000000     /* PBKDF2's c */

/* scrypt's parameters (RFC 7914): n a power of two. */
struct keystore_cost {
	uint32_t n, r, p;
};

/* What geth calls standard, and light (4 MiB; for tests). */
extern const struct keystore_cost keystore_standard;
extern const struct keystore_cost keystore_light;

/* What must be random, from the caller: getrandom(2). */
struct keystore_seed {
	uint8_t salt[32];
	uint8_t iv[16];
	uint8_t id[16]; /* of the UUID, version and variant are set here */
};

/*
 * The key in a keystore's text. NULL with a text; *wrong_password tells that
 * all is well but the password. On the way the key is only in locked memory
 * (OpenSSL wipes its own).
 */
struct signer *keystore_decrypt(
	struct view text, struct view password, bool *wrong_password, struct error *err);

/*
 * Append s as a keystore's text, with a newline. Returns 0, or -1 with a text:
 * memory, cost out of the bounds above, a password too long.
 */
int keystore_encrypt(struct buffer *out, const struct signer *s, struct view password,
	const struct keystore_cost *cost, const struct keystore_seed *seed,
	struct error *err);

#endif
