/* SPDX-License-Identifier: Apache-2.0 */
#include <secp256k1_recovery.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "ledger/public_key.h"
#include "ledger/signer.h"

void public_key_address(uint8_t address[ADDRESS20], const secp256k1_pubkey *key)
{
	uint8_t point[65], hash[KECCAK_SIZE];
	size_t n = sizeof point;

	/* 0x04 | x | y: Ethereum hashes the coordinates alone. */
	secp256k1_ec_pubkey_serialize(
		secp256k1_context_static, point, &n, key, SECP256K1_EC_UNCOMPRESSED);
	keccak256(hash, point + 1, 64);
	memcpy(address, hash + KECCAK_SIZE - ADDRESS20, ADDRESS20);
}

int signature_recover(uint8_t address[ADDRESS20], const uint8_t signature[SIGNATURE_SIZE],
	const uint8_t hash[HASH_SIZE])
{
	const secp256k1_context *ctx = secp256k1_context_static;
	secp256k1_ecdsa_recoverable_signature recoverable;
	secp256k1_ecdsa_signature plain;
	secp256k1_pubkey key;

	if (signature[64] > 3 ||
		!secp256k1_ecdsa_recoverable_signature_parse_compact(
			ctx, &recoverable, signature, signature[64]))
		return -1;
	/* A high s is the same signature written twice (EIP-2): refused, so
	 * that nobody but the author can make another form of it. */
	secp256k1_ecdsa_recoverable_signature_convert(ctx, &plain, &recoverable);
	if (secp256k1_ecdsa_signature_normalize(ctx, NULL, &plain))
		return -1;
	if (!secp256k1_ecdsa_recover(ctx, &key, &recoverable, hash))
		return -1;
	public_key_address(address, &key);
	return 0;
}

char *address20_print(char *dst, const uint8_t address[ADDRESS20])
{
	char digits[2 * ADDRESS20 + 1];
	uint8_t hash[KECCAK_SIZE];

	/* EIP-55: a letter is upper case where the hash's digit is >= 8. */
	hex_encode(digits, address, ADDRESS20);
	keccak256(hash, digits, 2 * ADDRESS20);
	for (int k = 0; k < 2 * ADDRESS20; k++) {
		uint8_t nibble = k % 2 ? hash[k / 2] & 15 : hash[k / 2] >> 4;

		if (nibble >= 8 && digits[k] >= 'a')
			digits[k] = (char)(digits[k] - 'a' + 'A');
	}
	memcpy(dst, "0x", 2);
	memcpy(dst + 2, digits, sizeof digits);
	return dst;
}

int address20_parse(uint8_t address[ADDRESS20], struct view text, struct error *err)
{
	char right[ADDRESS20_TEXT];
	bool upper = false, lower = false;

	if (text.n != 2 + 2 * ADDRESS20 || text.p[0] != '0' || text.p[1] != 'x' ||
		hex_decode(address, ADDRESS20, text))
		return error_set(err,
			"\"%s\" is no address: write 0x and 40 hex "
			"digits",
			escaped(text));
	for (size_t k = 2; k < text.n; k++) {
		upper = upper || (text.p[k] >= 'A' && text.p[k] <= 'F');
		lower = lower || (text.p[k] >= 'a' && text.p[k] <= 'f');
	}
	if (!upper || !lower)
		return 0;
	address20_print(right, address);
	if (memcmp(right, text.p, text.n))
		return error_set(err,
			"\"%s\": the checksum of its upper and lower "
			"case (EIP-55) is wrong: a digit is mistyped; copy the address "
			"again",
			escaped(text));
	return 0;
}
