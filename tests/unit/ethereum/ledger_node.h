/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_LEDGER_NODE_H
#define TESTS_ETHEREUM_LEDGER_NODE_H

#include <jansson.h>
#include <pthread.h>

#include "history.h"
#include "server.h"

/*
 * A node of a chain with the ledger's contract on it, as readers see it: blocks,
 * logs, tips. What it says is the test's, and so is in which way it lies.
 */
#define NODE_DEPLOYED UINT64_C(5)
#define NODE_BLOCKS   2000

struct ledger_node {
	struct server *server;
	pthread_mutex_t lock;
	struct history history; /* what the contract holds on this node's chain */
	uint64_t head;
	uint32_t spacing;          /* seconds a block */
	uint8_t fork[NODE_BLOCKS]; /* part of a block's hash */

	/* What it can and cannot. */
	bool no_by_hash, no_genesis, down;
	uint64_t range_limit;  /* blocks a question; 0: any */
	uint64_t result_limit; /* logs a question, with a suggested range */
	uint64_t pruned;       /* no logs below this block */
	unsigned delay_ms;     /* before each answer */

	/* How it lies or errs. */
	int omit, alter, repeat; /* an entry of the history; -1: none */
	bool invent;             /* one more members' operation in the head's block */
	bool consistent;         /* what it leaves out, its tips leave out too */
	bool wrong_tips, reversed;
	unsigned flood;       /* so many invented members' operations .. */
	uint64_t flood_block; /* .. in this block, after all the others */
	bool no_tips;         /* it refuses to tell them */
	uint64_t seq_ahead;   /* so many more operations, say its tips */
	uint64_t final;       /* what the tag `finalized` names; 0: it knows no tags */
	bool final_strange;   /* .. with another hash */
	uint64_t claims;      /* the height of its newest block; 0: as it is */
	unsigned cut;         /* so many answers to eth_getLogs break off */
	unsigned limited;     /* so many requests: rate limited */
	bool fork_on_logs;    /* reorganise the head while its logs are read */

	unsigned logs_asked, tips_asked, blocks_asked, widest;
};

/* A chain of 10 blocks with the contract's first operations in 5 and 6. */
struct ledger_node *node_start(void);
void node_stop(struct ledger_node *n);
/* "http://127.0.0.1:PORT ws=none name=NAME" into dst[100]. */
char *node_line(char *dst, const struct ledger_node *n, const char *name);

uint32_t node_time(const struct ledger_node *n, uint64_t block);
void node_hash(uint8_t hash[HASH_SIZE], const struct ledger_node *n, uint64_t block);

/* n more blocks, empty. */
void node_mine(struct ledger_node *n, unsigned blocks);
/* One more block with so many batches. */
void node_batches(struct ledger_node *n, unsigned count);
/* One more block with an administrative operation. */
void node_admin(struct ledger_node *n, enum operation_type type);
/* Blocks from this one on are others, and empty: up to the same height. */
void node_fork(struct ledger_node *n, uint64_t from);
/* The same blocks and operations as another node. */
void node_copy(struct ledger_node *n, const struct ledger_node *from);

void node_lock(struct ledger_node *n);
void node_unlock(struct ledger_node *n);

#endif
