/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_KEYSTORE_FILE_H
#define LEDGER_KEYSTORE_FILE_H

#include "ledger/keystore.h"

/* A keystore's fields, for keystore.c and keystore_file.c only. */
#define KEYSTORE_SALT_MAX 256

struct keystore_file {
	bool has_address;
	uint8_t address[ADDRESS20];
	uint8_t ciphertext[32];
	uint8_t iv[16];
	uint8_t mac[32];
	uint8_t salt[KEYSTORE_SALT_MAX];
	size_t salt_size;
	uint32_t rounds;           /* PBKDF2; 0: scrypt */
	struct keystore_cost cost; /* scrypt */
};

/* Read and bound every field. Returns 0, or -1 with a text that names it. */
int keystore_file_parse(struct keystore_file *out, struct view text, struct error *err);

/* Append it as JSON (scrypt only). Returns 0 or -1 (memory). */
int keystore_file_print(
	struct buffer *out, const struct keystore_file *f, const uint8_t id[16]);

/* Whether scrypt may cost that. Returns 0, or -1 with a text. */
int keystore_cost_check(const struct keystore_cost *cost, struct error *err);

#endif
