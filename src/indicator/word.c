/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/word.h"

void word_encode(uint8_t dst[WORD_SIZE], const struct report *r)
{
	dst[0] = r->indicator.kind;
	dst[1] = r->indicator.plen;
	memcpy(dst + 2, r->indicator.value, 16);
	be32_store(dst + 18, r->expiry);
	be16_store(dst + 22, r->member);
	be16_store(dst + 24, r->generation);
	dst[26] = (uint8_t)(r->cell >> 16);
	be16_store(dst + 27, (uint16_t)r->cell);
	dst[29] = r->category;
	dst[30] = r->proof;
	dst[31] = r->action;
}

void word_decode(struct report *r, const uint8_t src[WORD_SIZE])
{
	/* Padding too, so that two reports compare with memcmp(). */
	memset(r, 0, sizeof(*r));
	r->indicator.kind = src[0];
	r->indicator.plen = src[1];
	memcpy(r->indicator.value, src + 2, 16);
	r->expiry = be32_load(src + 18);
	r->member = be16_load(src + 22);
	r->generation = be16_load(src + 24);
	r->cell = (uint32_t)src[26] << 16 | be16_load(src + 27);
	r->category = src[29];
	r->proof = src[30];
	r->action = src[31];
}

struct name {
	uint8_t value;
	const char *text;
};

static const struct name proofs[] = {
	{PROOF_NONE, "none"},
	{PROOF_NONCE, "nonce"},
	{PROOF_ACK, "ack"},
	{PROOF_TCP, "tcp"},
	{PROOF_AUTH, "auth"},
	{PROOF_LOG, "log"},
	{PROOF_MANUAL, "manual"},
	{PROOF_RULE, "rule"},
	{PROOF_CLUSTER, "cluster"},
};

static const struct name categories[] = {
	{CATEGORY_NONE, "none"},
	{CATEGORY_SCAN, "scan"},
	{CATEGORY_ENUMERATION, "enumeration"},
	{CATEGORY_PASSWORD, "password"},
	{CATEGORY_FRAUD, "fraud"},
	{CATEGORY_MALFORMED, "malformed"},
	{CATEGORY_STOLEN, "stolen"},
	{CATEGORY_CAMPAIGN, "campaign"},
	{CATEGORY_OTHER, "other"},
	{CATEGORY_OBJECTION, "objection"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(COUNT(proofs) == PROOF_COUNT, "a proof without a name");

static const char *name_of(const struct name *names, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return names[i].text;
	return "?";
}

static int value_of(const struct name *names, size_t n, struct view text)
{
	for (size_t i = 0; i < n; i++)
		if (view_eq(text, view_str(names[i].text)))
			return names[i].value;
	return -1;
}

const char *proof_name(uint8_t proof)
{
	return name_of(proofs, COUNT(proofs), proof);
}

int proof_parse(struct view text)
{
	return value_of(proofs, COUNT(proofs), text);
}

const char *category_name(uint8_t category)
{
	return name_of(categories, COUNT(categories), category);
}

int category_parse(struct view text)
{
	return value_of(categories, COUNT(categories), text);
}
