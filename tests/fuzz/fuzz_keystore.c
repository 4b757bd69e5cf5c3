/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keystore's text. The key derivation is only done where it is cheap: the
 * parser's bounds allow what takes seconds. What decrypts is written and read
 * back as the same key.
 */
#include <stdlib.h>

#include "ledger/keystore_file.h"

#define BLOCKS_MAX 64 /* n r p */
#define ROUNDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static bool is_cheap(const struct keystore_file *f)
{
	if (f->rounds)
		return f->rounds <= ROUNDS_MAX;
	return (uint64_t)f->cost.n * f->cost.r * f->cost.p <= BLOCKS_MAX;
}

static void round_trip(const struct signer *s, struct view password)
{
	static const struct keystore_cost cost = {2, 1, 1};
	static const struct keystore_seed seed = {{1}, {2}, {3}};
	struct buffer out = {0};
	struct signer *back;
	bool wrong;

	if (keystore_encrypt(&out, s, password, &cost, &seed, NULL))
		abort();
	back = keystore_decrypt(view_of(out.p, out.n), password, &wrong, NULL);
	if (!back || memcmp(signer_address(back), signer_address(s), ADDRESS20) != 0)
		abort();
	signer_free(back);
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const struct view text = view_of(input, size), password = view_str("p");
	struct error err = {0};
	struct keystore_file f;
	struct signer *s;
	bool wrong;

	if (keystore_file_parse(&f, text, &err)) {
		if (!err.text[0])
			abort();
		return 0;
	}
	if (!is_cheap(&f))
		return 0;
	s = keystore_decrypt(text, password, &wrong, &err);
	if (s)
		round_trip(s, password);
	else if (!err.text[0])
		abort();
	signer_free(s);
	return 0;
}
