/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_FOR_FUZZ_H
#define TESTS_NODE_FOR_FUZZ_H

#include "daemon/node.h"

/*
 * The role `node` without its other processes, whole but for their links: its
 * store is a new file, its ledger one that has this node as a member.
 */
struct node *fuzz_node_begin(void);
void fuzz_node_end(struct node *n);

/* A socket path beside the store, of this process alone. */
const char *fuzz_node_socket(void);

/*
 * What must hold whatever it was told: every answer that it can give about
 * itself is one that can be sent.
 */
void fuzz_node_check(struct node *n);

#endif
