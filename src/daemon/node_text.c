/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published texts of hashed indicators (URIs, domains, user agents), for
 * people: the ledger's words hold their hashes only. No decision looks here.
 */
#include "daemon/node.h"

#include <string.h>

/* More texts than this are not kept; their indicators show as hashes. */
#define TEXTS_KEPT 8192

struct kept {
	struct indicator indicator; /* the key */
	char text[INDICATOR_SOURCE_TEXT + 1];
};

void node_texts_take(struct node *n, const struct operation *op)
{
	if (op->type != OP_BATCH || !op->texts.n)
		return;
	if (!n->texts)
		n->texts = table_new(
			sizeof(struct kept), INDICATOR_SIZE, TEXTS_KEPT, n->hash_key);
	for (unsigned i = 0; n->texts && i < op->count; i++) {
		struct report word;
		struct kept *k;
		struct view text;

		if (operation_text(op, i, &text))
			continue;
		word_decode(&word, op->words + (size_t)i * WORD_SIZE);
		k = table_put(n->texts, &word.indicator, NULL);
		if (k)
			view_copy(k->text, sizeof k->text, text);
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
