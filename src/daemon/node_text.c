/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of hashed indicators (URIs, domains, user agents), as they were published
 * or asked for here: the ledger's words hold their hashes only. For people, and for
 * decisions about a URI whose domain or number is allowed.
 */
#include "daemon/node.h"

#include <string.h>

/* More texts than this are not kept; their indicators show as hashes. */
#define TEXTS_KEPT 8192

struct kept {
	struct indicator indicator; /* the key */
	char text[INDICATOR_SOURCE_TEXT + 1];
};

void node_text_note(struct node *n, const struct indicator *i, struct view text)
{
	struct kept *k;

	if (i->kind < INDICATOR_URI || !text.n || text.n > INDICATOR_SOURCE_TEXT)
		return;
	if (!n->texts)
		n->texts = table_new(
			sizeof(struct kept), INDICATOR_SIZE, TEXTS_KEPT, n->hash_key);
	k = n->texts ? table_put(n->texts, i, NULL) : NULL;
	if (k)
		view_copy(k->text, sizeof k->text, text);
}

void node_texts_take(struct node *n, const struct operation *op)
{
	if (op->type != OP_BATCH || !op->texts.n)
		return;
	for (unsigned i = 0; i < op->count; i++) {
		struct report word;
		struct view text;

		if (operation_text(op, i, &text))
			continue;
		word_decode(&word, op->words + (size_t)i * WORD_SIZE);
		node_text_note(n, &word.indicator, text);
	}
}

const char *node_text(const struct node *n, const struct indicator *i)
{
	const struct kept *k = n->texts ? table_get(n->texts, i) : NULL;

	return k ? k->text : NULL;
}

void node_text_forget(struct node *n, const struct indicator *i)
{
	if (n->texts)
		table_remove(n->texts, i);
}
