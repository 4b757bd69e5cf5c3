/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_SIGNER_H
#define LEDGER_SIGNER_H

#include "base/error.h"
#include "ledger/operation.h"

/*
 * A secp256k1 key. The secret lives in one mlock()ed, MADV_DONTDUMP page and
 * is wiped by signer_free().
 */
struct signer;

#define SIGNATURE_SIZE 65 /* r 32 | s 32 | recovery id 1, low s */

/*
 * Read a key file: 64 hex digits and an optional newline, or 32 raw bytes. The
 * file must be a regular file owned by root or the caller, with no access for
 * group and others. "credential:NAME" means $CREDENTIALS_DIRECTORY/NAME, as
 * systemd makes it (systemd.exec(5), CREDENTIALS); there the group's read bit,
 * which its ACL shows, may be set. NULL with a text that names the file and the
 * remedy.
 */
struct signer *signer_open(const char *path, struct error *err);

/*
 * Make a new random key and write it to path (O_EXCL, mode 0600, fsync).
 * NULL with a text.
 */
struct signer *signer_create(const char *path, struct error *err);

/*
 * From 32 secret bytes (tests, credentials), which stay the caller's to wipe;
 * NULL when out of range or no page can be locked.
 */
struct signer *signer_from_secret(const uint8_t secret[32]);

/*
 * Write the key to path, as signer_create() does. Returns 0, or -1 with a text
 * and errno; no file is left then.
 */
int signer_save(const struct signer *s, const char *path, struct error *err);

void signer_free(struct signer *s);

/* The 32 secret bytes in their locked page; for keystore.c only. */
const uint8_t *signer_secret(const struct signer *s);

/* The key's Ethereum address: last 20 bytes of keccak256(public key). */
const uint8_t *signer_address(const struct signer *s);

/* Sign a 32-byte hash, deterministic (RFC 6979), low s. Returns 0 or -1. */
int signer_sign(const struct signer *s, uint8_t signature[SIGNATURE_SIZE],
	const uint8_t hash[HASH_SIZE]);

/*
 * The address that made signature over hash. Returns 0, or -1 when the
 * signature is malformed, has a high s, or recovers to nothing.
 */
int signature_recover(uint8_t address[ADDRESS20], const uint8_t signature[SIGNATURE_SIZE],
	const uint8_t hash[HASH_SIZE]);

#define ADDRESS20_TEXT (2 + 2 * ADDRESS20 + 1)

/* "0x" + 40 digits with the EIP-55 checksum case into dst[43]. Returns dst. */
char *address20_print(char *dst, const uint8_t address[ADDRESS20]);

/*
 * Parse it, with its 0x; mixed case must pass EIP-55. Returns 0 or -1 with a
 * text.
 */
int address20_parse(uint8_t address[ADDRESS20], struct view text, struct error *err);

#endif
