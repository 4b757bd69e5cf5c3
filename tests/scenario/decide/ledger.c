/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario's operations on the ledger. */
#include <stdio.h>

#include "play.h"

static const uint8_t owner[ADDRESS20] = {0x0e};

/* Offer the operation to the registry. Returns 0, or -1 with *why. */
static int submit(struct run *r, struct operation *op, struct refusal *why)
{
	enum chain chain = operation_chain(op->type);
	struct buffer bytes = {0};
	int rc;

	op->seq = r->seq[chain];
	op->time = r->now;
	if (operation_encode(&bytes, op) != 0)
		bad(r, "out of memory");
	rc = registry_apply(r->registry, op, view_of(bytes.p, bytes.n), NULL, NULL, why);
	buffer_free(&bytes);
	if (rc == 0)
		r->seq[chain]++;
	return rc;
}

void found(struct run *r)
{
	struct operation op = {.type = OP_GENESIS, .config = r->config, .salt = {1}};
	struct refusal why;
	char text[200];

	memcpy(op.actor, owner, ADDRESS20);
	if (submit(r, &op, &why) != 0)
		bad(r, "genesis: %s", refusal_print(text, &why));
	r->founded = true;
}

/* A member's one signer. */
static void signer_of(uint8_t address[ADDRESS20], uint32_t member)
{
	memset(address, 0, ADDRESS20);
	address[0] = 0x5e;
	be32_store(address + 16, member);
}

static void do_member(struct run *r, const struct statement *s, struct operation *op)
{
	const struct member *m;

	op->member = (uint16_t)number(r, s->n > 1 ? s->word[1] : NULL, "member");
	m = registry_member(r->registry, op->member);
	op->weight = (uint16_t)number_or(r, s, "weight", m != NULL ? m->weight : 1);
	op->cap = number_or(r, s, "cap", m != NULL ? m->cap : 100);
	if (m != NULL && m->status != MEMBER_REMOVED) {
		op->type = OP_MEMBER_SET;
		return;
	}
	op->type = OP_MEMBER_ADD;
	op->name = view_str("member");
	signer_of(op->signers[0], op->member);
	op->signer_count = 1;
}

/* report, replace, object, spend */
static void do_word(struct run *r, const struct statement *s, struct operation *op,
	uint8_t word[WORD_SIZE])
{
	struct report w = {.indicator = indicator(r, s, 1)};
	const char *proof = value(s, "proof"), *category = value(s, "category");
	const struct member *m;
	int parsed;

	op->type = OP_BATCH;
	op->member = w.member = (uint16_t)number(r, value(s, "member"), "member");
	m = registry_member(r->registry, w.member);
	w.generation = m != NULL ? m->generation : 1;
	w.cell = number(r, value(s, "cell"), "cell");
	w.expiry = r->now + number_or(r, s, "ttl", 600);
	parsed = proof_parse(view_str(proof != NULL ? proof : "nonce"));
	if (parsed < 0)
		bad(r, "unknown proof %s", proof);
	w.proof = (uint8_t)parsed;
	parsed = category_parse(view_str(category != NULL ? category : "password"));
	if (parsed < 0)
		bad(r, "unknown category %s", category);
	w.category = (uint8_t)parsed;
	if (strcmp(s->word[0], "object") == 0)
		w.category = CATEGORY_OBJECTION;
	if (strcmp(s->word[0], "replace") == 0)
		w.action = ACTION_REPLACE;
	if (strcmp(s->word[0], "spend") == 0)
		w.action = ACTION_SPEND;
	word_encode(word, &w);
	op->words = word;
	op->count = 1;
	signer_of(op->actor, w.member);
}

static const struct {
	const char *name;
	uint8_t type;
} admin[] = {
	{"remove", OP_MEMBER_REMOVE},
	{"suspend", OP_MEMBER_SUSPEND},
	{"resume", OP_MEMBER_RESUME},
	{"pause", OP_PAUSE},
	{"unpause", OP_UNPAUSE},
	{"protect", OP_PROTECT},
	{"threshold", OP_CONFIG},
};

/* Build an administrative operation; false when the statement is none. */
static bool do_admin(struct run *r, const struct statement *s, struct operation *op,
	uint8_t table[WORDS_MAX * INDICATOR_SIZE])
{
	memcpy(op->actor, owner, ADDRESS20);
	if (strcmp(s->word[0], "member") == 0) {
		do_member(r, s, op);
		return true;
	}
	for (size_t k = 0; k < sizeof(admin) / sizeof(admin[0]); k++) {
		if (strcmp(s->word[0], admin[k].name) == 0)
			op->type = admin[k].type;
	}
	if (op->type == OP_CONFIG) {
		r->config.threshold = number(
			r, s->n > 1 ? s->word[1] : NULL, "threshold");
		op->config = r->config;
	} else if (op->type == OP_PROTECT) {
		for (unsigned k = 1; k < s->n; k++) {
			struct indicator i = indicator(r, s, k);

			memcpy(table + (k - 1) * INDICATOR_SIZE, &i, INDICATOR_SIZE);
		}
		op->table = table;
		op->table_count = (uint16_t)(s->n - 1);
	} else if (op->type != 0 && op->type != OP_PAUSE && op->type != OP_UNPAUSE) {
		op->member = (uint16_t)number(r, s->n > 1 ? s->word[1] : NULL, "member");
	}
	return op->type != 0;
}

void do_operation(struct run *r, const struct statement *s, const char *expected)
{
	uint8_t word[WORD_SIZE], table[WORDS_MAX * INDICATOR_SIZE];
	struct operation op = {0};
	struct refusal why = {0};
	char text[200];
	int rc;

	if (s->n == 0)
		bad(r, "an operation is needed");
	if (strcmp(s->word[0], "report") == 0 || strcmp(s->word[0], "replace") == 0 ||
		strcmp(s->word[0], "object") == 0 || strcmp(s->word[0], "spend") == 0)
		do_word(r, s, &op, word);
	else if (!do_admin(r, s, &op, table))
		bad(r, "unknown statement %s", s->word[0]);
	rc = submit(r, &op, &why);
	if (expected == NULL && rc != 0)
		bad(r, "%s: %s", s->word[0], refusal_print(text, &why));
	if (expected == NULL)
		return;
	r->expectations++;
	if (rc == 0 || strcmp(refusal_name(why.code), expected) != 0) {
		fprintf(stderr, "%s:%u: refused %s expected, got %s\n", r->file, r->line,
			expected, rc == 0 ? "accepted" : refusal_name(why.code));
		r->failures++;
	}
}
