/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_WEBHOOK_RIG_H
#define TESTS_WEBHOOK_RIG_H

#include "node_for_test.h"

#include "daemon/node_webhook_state.h"

/*
 * A node with webhooks and the other end of its link to `deliver`, on the clock of
 * node_for_test.h. One at a time: `n`.
 */
extern struct node *n;

/* For each case: a folder of its own. */
extern char folder[64];
int make_folder(void **state);
int delete_folder(void **state);

/* The node with the webhooks "siem", which wants all, and "bans"; its end, as by kill -9. */
void begin(void);
void end(void);

/* Let it do what is due at this second; libuv's timers are pushed. */
void turn(double seconds);

/* A new role: a link, over which it says that nothing is lacking. */
void link_role(void);

/* The role says what each webhook lacks. */
void say(const char *siem, const char *bans);

/* A batch as it arrived at the role, put together; zeros: none yet. */
struct arrived {
	struct batch_header header;
	struct buffer body;
	json_t *json;
};

/* The next one, in the place of what *a had; false: nothing came. */
bool take(struct arrived *a);
void forget(struct arrived *a);

/* How many events it has; the id of one. */
size_t count_of(const struct arrived *a);
json_int_t id_of(const struct arrived *a, size_t i);

/* The role says what came of it. */
void answer(const struct arrived *a, enum webhook_verdict verdict, uint32_t status,
	uint32_t retry_s, const char *reason);

/* So many events happen. */
void events(unsigned count, const char *type);

/* The row as it is in the store. */
struct webhook_row stored(const char *name);

#endif
