/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reports LEDGER KEY MEMBER FIRST COUNT SECONDS [numbers]: that member reports COUNT
 * addresses for so long, in batches as large as the ledger takes them, each
 * one signed and committed. They are 198.18.0.0/15, the range that RFC 2544
 * keeps for benchmarks, from the FIRST-th on; or numbers, +8835100 and seven digits
 * (883 is the code of international networks).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ledger/local.h"

#define BENCHMARK_NET UINT32_C(0xc6120000) /* 198.18.0.0 */

static uint32_t now(void)
{
	return (uint32_t)time(NULL);
}

/* The i-th address or number. */
static void indicator_of(struct indicator *out, uint32_t i)
{
	char digits[24];

	if (out->kind == INDICATOR_IP4) {
		be32_store(out->value, BENCHMARK_NET + i);
		return;
	}
	snprintf(digits, sizeof digits, "8835100%07u", i);
	if (indicator_from_digits(out, view_str(digits)))
		abort();
}

/* Reports first .. first + op->count, in the cells of the same numbers. */
static int batch(struct local *l, struct operation *op, const struct signer *signer,
	struct report *r, uint32_t first)
{
	uint8_t words[BATCH_MAX * WORD_SIZE];
	struct error err = {""};
	struct refusal why;
	char text[REFUSAL_TEXT];

	for (uint32_t i = 0; i < op->count; i++) {
		indicator_of(&r->indicator, first + i);
		r->cell = first + i;
		word_encode(words + (size_t)i * WORD_SIZE, r);
	}
	op->words = words;
	switch (local_append(l, op, signer, now(), &why, &err)) {
	case 0:
		return 0;
	case -1:
		fprintf(stderr, "reports: refused: %s\n", refusal_print(text, &why));
		return -1;
	default:
		fprintf(stderr, "reports: %s\n", err.text);
		return -1;
	}
}

int main(int argc, char **argv)
{
	struct operation op = {.type = OP_BATCH};
	struct report r = {
		.indicator = {.kind = INDICATOR_IP4, .plen = 32},
		.category = CATEGORY_PASSWORD,
		.proof = PROOF_NONCE,
		.action = ACTION_REPORT,
	};
	const struct member *member;
	struct signer *signer;
	struct local *l;
	struct error err = {""};
	uint32_t first, end;

	if (argc != 7 && (argc != 8 || strcmp(argv[7], "numbers") != 0)) {
		fprintf(stderr,
			"usage: %s LEDGER KEY MEMBER FIRST COUNT SECONDS [numbers]\n",
			argv[0]);
		return 2;
	}
	if (argc == 8)
		r.indicator.kind = INDICATOR_NUMBER;
	signer = signer_open(argv[2], &err);
	l = signer ? local_open(argv[1], false, now(), &err) : NULL;
	if (!l) {
		fprintf(stderr, "reports: %s\n", err.text);
		return 1;
	}
	op.member = r.member = (uint16_t)atoi(argv[3]);
	member = registry_member(local_registry(l), op.member);
	if (!member) {
		fprintf(stderr, "reports: no member %s\n", argv[3]);
		return 1;
	}
	r.generation = member->generation;
	r.expiry = now() + (uint32_t)atoi(argv[6]);
	first = (uint32_t)strtoul(argv[4], NULL, 10);
	end = first + (uint32_t)strtoul(argv[5], NULL, 10);
	for (; first < end; first += op.count) {
		op.count = (uint16_t)(end - first < BATCH_MAX ? end - first : BATCH_MAX);
		if (batch(l, &op, signer, &r, first) < 0)
			return 1;
	}
	local_close(l);
	signer_free(signer);
	return 0;
}
