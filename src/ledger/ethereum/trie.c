/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/trie.h"

#include "base/keccak.h"
#include "ledger/ethereum/rlp.h"

#define BRANCH_ITEMS 17 /* sixteen children and a value */
#define KEY_NIBBLES  (2 * HASH_SIZE)

/* How far a walk has come. */
struct walk {
	uint8_t key[HASH_SIZE]; /* keccak256 of the key asked for */
	unsigned at;            /* nibbles of it that are behind us */
	const struct view *nodes;
	unsigned count, next; /* nodes[next] is the next that may be named */
	struct view node;     /* the one to look at; within nodes[next - 1] */
	struct view value;
	bool done;
	struct error *err;
};

static unsigned nibble(const uint8_t *bytes, unsigned k)
{
	return k % 2 ? bytes[k / 2] & 15 : bytes[k / 2] >> 4;
}

static int fail(const struct walk *w, const char *why)
{
	return error_set(w->err, "proof: node %u: %s", w->next ? w->next - 1 : 0, why);
}

/* Go on in the next node of the proof, which must have this hash. */
static int enter(struct walk *w, const uint8_t hash[HASH_SIZE])
{
	uint8_t digest[HASH_SIZE];

	if (w->next == w->count)
		return error_set(w->err,
			"proof: it ends after %u nodes, before the key is reached",
			w->count);
	w->node = w->nodes[w->next++];
	keccak256(digest, w->node.p, w->node.n);
	if (memcmp(digest, hash, HASH_SIZE) != 0)
		return fail(w,
			w->next == 1 ? "its hash is not the root" :
				       "its hash is not what the node above names");
	return 0;
}

/* The key is not there. */
static int absent(struct walk *w)
{
	w->value = (struct view){NULL, 0};
	w->done = true;
	return 0;
}

static int found(struct walk *w, const struct rlp_item *value)
{
	if (value->list || !value->payload.n)
		return fail(w, "its value is empty or a list");
	w->value = value->payload;
	w->done = true;
	return 0;
}

/*
 * Follow a reference: a node's hash, or, where that is not longer than the
 * hash would be, the node itself.
 */
static int follow(struct walk *w, const struct rlp_item *child)
{
	if (child->list && child->whole.n < HASH_SIZE) {
		w->node = child->whole;
		/* anvil gives such a node once more, by itself; geth does not. */
		if (w->next < w->count && view_eq(w->nodes[w->next], w->node))
			w->next++;
		return 0;
	}
	if (child->list || child->payload.n != HASH_SIZE)
		return fail(w, "a reference is neither a hash nor a short node");
	return enter(w, child->payload.p);
}

static int step_branch(struct walk *w, const struct rlp_item items[BRANCH_ITEMS])
{
	const struct rlp_item *child;

	/* All keys are 32 bytes: none ends in a branch. */
	if (w->at == KEY_NIBBLES)
		return fail(w, "a branch below the whole key");
	if (items[BRANCH_ITEMS - 1].list || items[BRANCH_ITEMS - 1].payload.n)
		return fail(w, "a branch holds a value");
	child = &items[nibble(w->key, w->at++)];
	if (!child->list && !child->payload.n)
		return absent(w);
	return follow(w, child);
}

/*
 * A leaf or an extension: the first nibble of its path says which (2) and
 * whether the number of nibbles is odd (1); when even, a zero nibble follows.
 */
static int step_path(struct walk *w, const struct rlp_item items[2])
{
	struct view path = items[0].payload;
	unsigned flags, from, length;

	if (items[0].list || !path.n || path.n > 1 + HASH_SIZE || path.p[0] >> 4 > 3)
		return fail(w, "its path is malformed");
	flags = path.p[0] >> 4;
	from = flags & 1 ? 1 : 2;
	if (!(flags & 1) && path.p[0] & 15)
		return fail(w, "its path is malformed");
	length = 2 * (unsigned)path.n - from;
	if (flags & 2 ? length != KEY_NIBBLES - w->at :
			!length || length >= KEY_NIBBLES - w->at)
		return fail(w, "its path has the wrong length");
	for (unsigned k = 0; k < length; k++)
		if (nibble(path.p, from + k) != nibble(w->key, w->at + k))
			return absent(w);
	w->at += length;
	return flags & 2 ? found(w, &items[1]) : follow(w, &items[1]);
}

/* Look at one node. */
static int step(struct walk *w)
{
	struct rlp_item list, items[BRANCH_ITEMS];
	struct view rest = w->node;
	unsigned n = 0;

	if (rlp_next(&rest, &list) || rest.n)
		return fail(w, "no RLP");
	/* Only the root of the empty trie is an empty string. */
	if (!list.list && !list.payload.n && w->next == 1 && !w->at)
		return absent(w);
	if (!list.list)
		return fail(w, "not a list");
	while (list.payload.n && n < BRANCH_ITEMS)
		if (rlp_next(&list.payload, &items[n++]))
			return fail(w, "no RLP");
	if (list.payload.n || (n != 2 && n != BRANCH_ITEMS))
		return fail(w, "neither 2 nor 17 items");
	return n == 2 ? step_path(w, items) : step_branch(w, items);
}

/* The root of a trie without any key: keccak256 of the empty string's RLP. */
static bool is_empty_root(const uint8_t root[HASH_SIZE])
{
	static const uint8_t empty = 0x80;
	uint8_t digest[HASH_SIZE];

	keccak256(digest, &empty, 1);
	return !memcmp(root, digest, HASH_SIZE);
}

int trie_verify(struct view *value, const uint8_t root[HASH_SIZE], struct view key,
	const struct view *nodes, unsigned count, struct error *err)
{
	struct walk w = {.nodes = nodes, .count = count, .err = err};

	*value = (struct view){NULL, 0};
	if (count > PROOF_NODES_MAX)
		return error_set(
			err, "proof: %u nodes: at most %d", count, PROOF_NODES_MAX);
	if (!count && is_empty_root(root))
		return 0;
	keccak256(w.key, key.p, key.n);
	if (enter(&w, root))
		return -1;
	/* Each step uses up a nibble of the key or ends the walk. */
	while (!w.done)
		if (step(&w))
			return -1;
	if (w.next != count)
		return error_set(
			err, "proof: %u nodes more than the key needs", count - w.next);
	*value = w.value;
	return 0;
}
