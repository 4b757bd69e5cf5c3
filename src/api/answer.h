/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include <jansson.h>

#include "base/buffer.h"
#include "decide/decide.h"

/*
 * What the ledger says about an indicator and what follows from it by a policy
 * and an allowlist, as JSON: for the control socket, and for the command that
 * reads the ledger without a daemon. Pure.
 */
struct answer_source {
	const struct registry *registry;
	const struct policy *policy;
	const struct allowlist *allow;
	uint32_t now; /* unix seconds */
	/* The published text of a hashed indicator, or NULL. */
	const char *(*text)(const void *context, const struct indicator *i);
	const void *context;
};

/* {"seq": ..., "hash": ...} of a chain's tip. */
json_t *answer_tip(const struct registry *r, enum chain chain);

/* {"members": tip, "admin": tip} */
json_t *answer_tips(const struct registry *r);

/* The decision about one listed indicator; with_words adds who says what. */
json_t *answer_decision(
	const struct answer_source *s, const struct indicator *i, bool with_words);

/* Decisions about all listed indicators, of one kind (NULL: any), in no order. */
json_t *answer_list(const struct answer_source *s, const char *kind);

/*
 * Decisions, with words, about everything listed that contains i; of a URI (its
 * canonical text, "" when it is not known) also about its domain and the number in it, each as it
 * counts for calls to this URI (decide_spared()).
 */
json_t *answer_around(
	const struct answer_source *s, const struct indicator *i, const char *uri);

/* Whether a decision of such a list blocks. */
bool answer_any_blocks(const json_t *listed);

/*
 * A link to an explorer: the template with "0x" and the hash in the place of {tx},
 * with its NUL, into out; nothing when there is no {tx} in it.
 */
void explorer_link(
	struct buffer *out, const char *pattern, const uint8_t transaction[HASH_SIZE]);

/*
 * "transaction", "block" and, where pattern is a template, "link" into out; null
 * for what is not known: no transaction (NULL, zeros), block 0.
 */
void answer_transaction(
	json_t *out, const uint8_t *transaction, uint64_t block, const char *pattern);

/* What the allowlist and the protected table have of an indicator; NULL: nothing. */
struct answer_exempt {
	const struct allow_entry *allowed;
	const struct indicator *protected;
};

/* Of i, else of the domain or the number of a URI (as above). */
struct answer_exempt answer_exempt(
	const struct answer_source *s, const struct indicator *i, const char *uri);

/*
 * Into the answer about an indicator: "allowed" (indicator, origin, note of the
 * allowlist's entry) and "protected" (the protected range).
 */
void answer_exceptions(json_t *out, const struct answer_exempt *exempt);

#endif
