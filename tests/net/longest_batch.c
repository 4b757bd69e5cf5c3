/* SPDX-License-Identifier: Apache-2.0 */
/*
 * longest_batch LEDGER KEY MEMBER FIRST: that member reports 256 SIP URIs of
 * 255 bytes each with their texts, in the cells from FIRST on, in one
 * operation: no longer one can be written. Prints each URI.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/local.h"

#define HOST "@203.0.113.200"

static uint8_t words[BATCH_MAX * WORD_SIZE];
static uint8_t texts[TEXTS_MAX];

/* The nth word and its text. Returns 0 or -1. */
static int put(struct report *r, unsigned n, unsigned first, struct error *err)
{
	char text[512], canonical[INDICATOR_SOURCE_TEXT + 1];

	snprintf(text, sizeof text, "sip:%0*u" HOST,
		(int)(INDICATOR_SOURCE_TEXT - strlen("sip:" HOST)), first + n);
	if (indicator_parse(&r->indicator, canonical, view_str(text), err))
		return -1;
	if (strlen(canonical) != INDICATOR_SOURCE_TEXT)
		return error_set(err, "%s is not as long as a text can be", canonical);
	r->cell = first + n;
	word_encode(words + (size_t)n * WORD_SIZE, r);
	texts[n * 256] = INDICATOR_SOURCE_TEXT;
	memcpy(texts + n * 256 + 1, canonical, INDICATOR_SOURCE_TEXT);
	puts(canonical);
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t now = (uint32_t)time(NULL);
	struct operation op = {.type = OP_BATCH,
		.count = BATCH_MAX,
		.words = words,
		.texts = {texts, sizeof texts}};
	struct report r = {.category = CATEGORY_FRAUD,
		.proof = PROOF_MANUAL,
		.action = ACTION_REPORT,
		.expiry = now + 3000};
	struct error err = {""};
	struct refusal why;
	struct signer *signer;
	struct local *l;
	char text[REFUSAL_TEXT];
	int rc = -2;

	if (argc != 5) {
		fprintf(stderr, "usage: %s LEDGER KEY MEMBER FIRST\n", argv[0]);
		return 2;
	}
	signer = signer_open(argv[2], &err);
	l = signer ? local_open(argv[1], false, now, &err) : NULL;
	op.member = r.member = (uint16_t)atoi(argv[3]);
	if (l && registry_member(local_registry(l), op.member)) {
		r.generation = registry_member(local_registry(l), op.member)->generation;
		rc = 0;
		for (unsigned i = 0; i < BATCH_MAX && !rc; i++)
			rc = put(&r, i, (unsigned)atoi(argv[4]), &err) ? -2 : 0;
		if (!rc)
			rc = local_append(l, &op, signer, now, &why, &err);
	}
	if (rc)
		fprintf(stderr, "longest_batch: %s\n",
			rc == -1 ? refusal_print(text, &why) : err.text);
	local_close(l);
	signer_free(signer);
	return rc ? 1 : 0;
}
