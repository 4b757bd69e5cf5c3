/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_ANSWER_H
#define DAEMON_NODE_ANSWER_H

#include "api/answer.h"
#include "daemon/node.h"

/* The parts of the answers to commands that only ask. */

/* The node as a source of answers, now. */
struct answer_source node_answers(const struct node *n);

/* One ban, as `banned` and `check` show it. */
json_t *node_ban_json(const struct node *n, const struct ban *b);

/* The command `check`. node_check.c */
void node_check(struct node *n, struct control_client *client, const json_t *arguments);

#endif
