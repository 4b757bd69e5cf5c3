/* SPDX-License-Identifier: Apache-2.0 */
/* A keystore's JSON. */
#include "ledger/keystore_file.h"

#include <jansson.h>

#include "base/escape.h"
#include "base/hex.h"

int keystore_cost_check(const struct keystore_cost *cost, struct error *err)
{
	/* In 64 bits neither product can wrap. */
	uint64_t blocks = (uint64_t)cost->n * cost->r;
	uint64_t lanes = (uint64_t)cost->p * cost->r; /* 128 bytes each, too */

	if (cost->n < 2 || (cost->n & (cost->n - 1)) || !cost->r || !cost->p)
		return error_set(err,
			"scrypt's n must be a power of two above 1, r and p at least 1");
	if (blocks > KEYSTORE_MEMORY_MAX / 128 || lanes > KEYSTORE_MEMORY_MAX / 128 ||
		blocks + lanes > KEYSTORE_MEMORY_MAX / 128)
		return error_set(err,
			"scrypt with n %u, r %u and p %u takes more than %u MiB of memory",
			cost->n, cost->r, cost->p, KEYSTORE_MEMORY_MAX >> 20);
	if (cost->p > KEYSTORE_LANES_MAX || cost->p > KEYSTORE_WORK_MAX / blocks)
		return error_set(err,
			"scrypt with n %u, r %u and p %u takes more time than any wallet "
			"asks for",
			cost->n, cost->r, cost->p);
	return 0;
}

/* Exactly n bytes of hex. */
static int need_bytes(uint8_t *out, size_t n, const json_t *object, const char *field,
	struct error *err)
{
	const json_t *value = json_object_get(object, field);
	struct view text = {NULL, 0};

	if (json_is_string(value))
		text = view_of(json_string_value(value), json_string_length(value));
	if (text.n != 2 * n || view_starts(text, "0x") || hex_decode(out, n, text))
		return error_set(
			err, "%s is missing or not %zu bytes as hex digits", field, n);
	return 0;
}

static int need_number(uint32_t *out, uint32_t max, const json_t *object,
	const char *field, struct error *err)
{
	const json_t *value = json_object_get(object, field);
	json_int_t v = json_integer_value(value);

	if (!json_is_integer(value) || v < 1 || v > (json_int_t)max)
		return error_set(
			err, "%s is missing or not a number of 1 to %u", field, max);
	*out = (uint32_t)v;
	return 0;
}

/* A field that must be one known word. */
static int need_word(
	const json_t *object, const char *field, const char *word, struct error *err)
{
	const json_t *value = json_object_get(object, field);

	if (json_is_string(value) && !strcmp(json_string_value(value), word))
		return 0;
	return error_set(err, "%s \"%s\" is not known: %s", field,
		escaped(view_str(json_is_string(value) ? json_string_value(value) : "")),
		word);
}

static int take_salt(struct keystore_file *f, const json_t *params, struct error *err)
{
	size_t digits = json_string_length(json_object_get(params, "salt"));

	f->salt_size = digits / 2;
	if (f->salt_size > KEYSTORE_SALT_MAX)
		return error_set(
			err, "kdfparams: salt of more than %d bytes", KEYSTORE_SALT_MAX);
	return need_bytes(f->salt, f->salt_size, params, "salt", err);
}

static int take_kdf(struct keystore_file *f, const json_t *crypto, struct error *err)
{
	const char *kdf = json_string_value(json_object_get(crypto, "kdf"));
	const json_t *params = json_object_get(crypto, "kdfparams");
	uint32_t size = 0;

	/* 32 bytes: half of it encrypts, half of it authenticates. */
	if (need_number(&size, 1024, params, "dklen", err) || take_salt(f, params, err))
		return -1;
	if (size != 32)
		return error_set(err, "dklen %u: the format has 32", size);
	if (kdf && !strcmp(kdf, "pbkdf2"))
		return need_word(params, "prf", "hmac-sha256", err) ||
				need_number(&f->rounds, KEYSTORE_ROUNDS_MAX, params, "c",
					err) ?
			-1 :
			0;
	if (!kdf || strcmp(kdf, "scrypt") != 0)
		return error_set(err, "kdf \"%s\" is not known: scrypt or pbkdf2",
			escaped(view_str(kdf ? kdf : "")));
	if (need_number(&f->cost.n, UINT32_MAX, params, "n", err) ||
		need_number(&f->cost.r, UINT32_MAX, params, "r", err) ||
		need_number(&f->cost.p, UINT32_MAX, params, "p", err))
		return -1;
	return keystore_cost_check(&f->cost, err);
}

static int take_crypto(struct keystore_file *f, const json_t *crypto, struct error *err)
{
	if (!json_is_object(crypto))
		return error_set(err, "crypto is missing");
	if (need_word(crypto, "cipher", "aes-128-ctr", err) ||
		need_bytes(
			f->ciphertext, sizeof f->ciphertext, crypto, "ciphertext", err) ||
		need_bytes(f->iv, sizeof f->iv, json_object_get(crypto, "cipherparams"),
			"iv", err) ||
		need_bytes(f->mac, sizeof f->mac, crypto, "mac", err))
		return -1;
	return take_kdf(f, crypto, err);
}

/* Wallets write the address with or without 0x, or leave it out. */
static int take_address(struct keystore_file *f, const json_t *root, struct error *err)
{
	const json_t *value = json_object_get(root, "address");
	struct view text;

	if (!value || json_is_null(value))
		return 0;
	text = view_of(json_string_value(value), json_string_length(value));
	if (!json_is_string(value) || hex_decode(f->address, ADDRESS20, text))
		return error_set(err, "address is not 20 bytes as hex digits");
	f->has_address = true;
	return 0;
}

static int take_root(struct keystore_file *f, const json_t *root, struct error *err)
{
	const json_t *version = json_object_get(root, "version");
	const json_t *crypto = json_object_get(root, "crypto");

	if (!json_is_integer(version) || json_integer_value(version) != 3)
		return error_set(err,
			"not a keystore of version 3 (\"version\": 3): export the "
			"key anew from the wallet");
	/* Some wallets write it with a capital letter. */
	if (!crypto)
		crypto = json_object_get(root, "Crypto");
	return take_crypto(f, crypto, err) || take_address(f, root, err) ? -1 : 0;
}

int keystore_file_parse(struct keystore_file *out, struct view text, struct error *err)
{
	json_error_t why;
	json_t *root;
	int rc;

	*out = (struct keystore_file){0};
	if (text.n > KEYSTORE_TEXT_MAX)
		return error_set(
			err, "more than %d bytes: no keystore", KEYSTORE_TEXT_MAX);
	root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return error_set(
			err, "not JSON: line %d, column %d", why.line, why.column);
	rc = take_root(out, root, err);
	json_decref(root);
	return rc;
}

/* RFC 9562's version 4, from 16 random bytes. */
static void put_uuid(struct buffer *out, const uint8_t id[16])
{
	uint8_t raw[16];
	char hex[33];

	memcpy(raw, id, sizeof raw);
	raw[6] = (uint8_t)((raw[6] & 15) | 0x40);
	raw[8] = (uint8_t)((raw[8] & 63) | 0x80);
	hex_encode(hex, raw, sizeof raw);
	buffer_printf(out, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
}

int keystore_file_print(
	struct buffer *out, const struct keystore_file *f, const uint8_t id[16])
{
	char address[2 * ADDRESS20 + 1], text[65], iv[33], mac[65];
	char salt[2 * KEYSTORE_SALT_MAX + 1];

	buffer_printf(out, "{\"version\":3,\"id\":\"");
	put_uuid(out, id);
	buffer_printf(out,
		"\",\"address\":\"%s\",\"crypto\":{\"cipher\":\"aes-128-ctr\","
		"\"ciphertext\":\"%s\",\"cipherparams\":{\"iv\":\"%s\"},"
		"\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":32,\"n\":%u,\"r\":%u,"
		"\"p\":%u,\"salt\":\"%s\"},\"mac\":\"%s\"}}\n",
		hex_encode(address, f->address, ADDRESS20),
		hex_encode(text, f->ciphertext, sizeof f->ciphertext),
		hex_encode(iv, f->iv, sizeof f->iv), f->cost.n, f->cost.r, f->cost.p,
		hex_encode(salt, f->salt, f->salt_size),
		hex_encode(mac, f->mac, sizeof f->mac));
	return out->failed ? -1 : 0;
}
