/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include "base/hex.h"
#include "base/keccak.h"

static const char *digest(const void *p, size_t n)
{
	static char text[2 * KECCAK_SIZE + 1];
	uint8_t out[KECCAK_SIZE];

	keccak256(out, p, n);
	return hex_encode(text, out, KECCAK_SIZE);
}

/*
 * Values that every Ethereum client knows: the hash of no code, of the empty
 * trie (keccak256(0x80)), of an ERC-20 Transfer's signature.
 */
static void test_ethereum(void **state)
{
	static const char event[] = "Transfer(address,address,uint256)";

	(void)state;
	assert_string_equal(digest("", 0),
		"c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	assert_string_equal(digest("abc", 3),
		"4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	assert_string_equal(digest("\x80", 1),
		"56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
	assert_string_equal(digest(event, strlen(event)),
		"ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

/*
 * Around one and two blocks of 136 bytes; the message's byte i is i mod 251.
 * From PyCryptodome's Crypto.Hash.keccak.
 */
static const struct {
	size_t n;
	const char *hex;
} blocks[] = {
	{1, "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"},
	{135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62"},
	{136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e"},
	{137, "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db"},
	{271, "27eceb59ebc3dc8a04a5b135be641591a7278540e4556a2ba9f408194e666ec3"},
	{272, "8e2476e65823b24d96ebe239f2c1534cdf763e689e2410c3b1cb0c74e6177bfc"},
	{273, "3f02f134370e4debb95140ef49ddd3aed8c65ff1ed83a43f1b269421f179c5f9"},
	{1000, "af692982e84a5a9688359025660a7857cd28ee7c8d867cfa1677baf2e6d1f63b"},
};

static void fill(uint8_t message[1000])
{
	for (unsigned i = 0; i < 1000; i++)
		message[i] = (uint8_t)(i % 251);
}

static void test_block_edges(void **state)
{
	uint8_t message[1000];

	(void)state;
	fill(message);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		assert_string_equal(digest(message, blocks[i].n), blocks[i].hex);
}

/* Any division into pieces gives the same digest. */
static void test_incremental(void **state)
{
	uint8_t message[1000], out[KECCAK_SIZE], whole[KECCAK_SIZE];
	struct keccak k;

	(void)state;
	fill(message);
	for (size_t piece = 1; piece < 300; piece++) {
		keccak_init(&k);
		for (size_t at = 0; at < sizeof(message); at += piece)
			keccak_update(
				&k, message + at, piece < 1000 - at ? piece : 1000 - at);
		keccak_update(&k, NULL, 0);
		keccak_final(&k, out);
		assert_string_equal(digest(message, 1000), blocks[7].hex);
		keccak256(whole, message, 1000);
		assert_memory_equal(out, whole, KECCAK_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ethereum),
		cmocka_unit_test(test_block_edges),
		cmocka_unit_test(test_incremental),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
