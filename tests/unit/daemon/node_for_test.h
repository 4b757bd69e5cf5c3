/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_FOR_TEST_H
#define TESTS_NODE_FOR_TEST_H

#include "../cmocka_all.h"

#include "daemon/node.h"

/*
 * A node without its other processes, on a clock that the test sets: what it
 * sends to the ledger role is read from the other end of their link, and what
 * a ledger would tell is folded from a history that the test writes.
 */
#define OWNER 0xa1
#define ALICE 0xa3 /* signer of member 1, which the node is */
#define BOB   0xa4 /* signer of member 2 */
#define T0    UINT32_C(1700000000)

/* Seconds since the start; both clocks go by it. */
void clock_set(double seconds);
/* So much passes with each reading of the monotonic clock; 0: nothing, as at first. */
void clock_pace(double seconds);
/* The time of day alone: so many seconds away from it. */
void clock_set_wall(double seconds);

/* A new node over this folder's store; a chain's, or the local ledger's. */
struct node *node_begin(const char *folder, bool chain);
/* Its end without a word, as by kill -9; the store stays. */
void node_kill(struct node *n);
/* The ledger role begins (again): a new link, and the history from its start. */
void node_link(struct node *n);
void node_unlink(struct node *n);

/* --- the ledger's side --- */

/* Begin a history: genesis, members 1 and 2 with this cap. */
void history_begin(uint32_t cap);
/* How long it is; cut it back to that, as a reorganisation does. */
size_t history_length(void);
void history_cut(size_t length);
/* Append one operation (seq and time are filled in), told to the node at once. */
void history_tell(struct node *n, struct operation op);
/* The two halves of that: the operation, and that it was all. */
void history_fold(struct node *n, struct operation op);
void history_caught_up(struct node *n);
/* One report by BOB, told; with its text, unless it is written as a hash (uri#...). */
void history_report(struct node *n, const char *text, uint32_t cell, uint32_t expiry);
/* All of it from the start, as MSG_LEDGER_START asks; then that it was all. */
void history_deliver(struct node *n);

/* A batch as it arrived at the ledger role. */
struct submitted {
	struct submit_header header;
	struct report words[BATCH_MAX];
	uint8_t raw[BATCH_MAX * WORD_SIZE];
};

/* The next one, or false when nothing (more) has been sent. */
bool take_submitted(struct submitted *out);
/* Put it onto the ledger as the next operation, and tell it. */
void include(struct node *n, const struct submitted *s);
void tell_fate(struct node *n, uint64_t ticket, enum fate fate, enum refusal_code code,
	uint32_t entry);

/* --- the node's side --- */

struct indicator of(const char *text);
/* Decide a report (or spend); its row. Submitting is the test's to ask for. */
uint64_t decide_report(struct node *n, const char *text, uint32_t expiry);
uint64_t decide_spend(struct node *n, const char *text);
/* A row's state by name. */
const char *row_state(struct node *n, uint64_t row);

#endif
