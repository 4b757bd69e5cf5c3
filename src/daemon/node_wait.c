/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of the control socket that are answered later. */
#include "daemon/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"

#define FATE_WITHIN     (10 * USEC_PER_SEC)
#define COUNTERS_WITHIN (1 * USEC_PER_SEC)

/* Returns 0, or -1 after having refused the client. */
static int wait_for(
	struct node *n, uint64_t row, struct control_client *client, usec within)
{
	struct node_waiter *w = calloc(1, sizeof *w);

	if (!w) {
		control_refuse(client, CONTROL_FAILED, "out of memory");
		return -1;
	}
	w->client = client;
	w->row = row;
	w->until = clock_monotonic() + within;
	w->next = n->waiters;
	n->waiters = w;
	node_schedule(n);
	return 0;
}

void node_wait(struct node *n, uint64_t row, struct control_client *client)
{
	wait_for(n, row, client, FATE_WITHIN);
}

bool node_row_awaited(const struct node *n, uint64_t row)
{
	const struct node_waiter *w;

	for (w = n->waiters; w; w = w->next)
		if (w->row == row)
			return true;
	return false;
}

/*
 * Take the waiters that match out of the list, before any is answered: an
 * answer lets the client's next line in, which may change the list.
 */
static struct node_waiter *take(struct node *n, bool by_row, uint64_t row, usec now)
{
	struct node_waiter **at = &n->waiters, *taken = NULL, *w;

	while ((w = *at)) {
		if (by_row ? w->row != row : w->until > now) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = taken;
		taken = w;
	}
	return taken;
}

/* The first of a taken list, removed from it and freed; its client and row. */
static struct control_client *next(struct node_waiter **taken, uint64_t *row)
{
	struct node_waiter *w = *taken;
	struct control_client *client = w->client;

	*row = w->row;
	*taken = w->next;
	free(w);
	return client;
}

/*
 * On a chain every answer names the transaction and its block: null while they
 * are not known.
 */
static json_t *row_json(const struct node *n, uint64_t row, const char *state,
	const char *text, const struct ledger_fate *fate)
{
	json_t *out = json_pack(
		"{s:I, s:s, s:s}", "id", (json_int_t)row, "state", state, "text", text);

	if (n->config->ledger.type == CONFIG_LEDGER_ETHEREUM)
		answer_transaction(out, fate ? fate->transaction : NULL,
			fate ? fate->block : 0, n->config->ledger.ethereum.explorer);
	return out;
}

void node_row_final(
	struct node *n, uint64_t row, const struct ledger_fate *fate, const char *text)
{
	struct node_waiter *taken = take(n, true, row, 0);

	while (taken) {
		struct control_client *client = next(&taken, &row);

		control_answer(client, row_json(n, row, "final", text, fate));
	}
}

void node_row_done(struct node *n, uint64_t row, bool final, const char *why)
{
	struct node_waiter *taken;

	if (final) {
		node_row_final(n, row, NULL, why);
		return;
	}
	taken = take(n, true, row, 0);
	while (taken)
		control_refuse(next(&taken, &row), CONTROL_FAILED, "refused: %s", why);
}

void node_ask_counters(struct node *n, struct control_client *client)
{
	if (!n->enforce || !n->enforcer_ready || !n->enforcer.active ||
		link_send(n->enforce, MSG_COUNTERS_ASK, view_of(NULL, 0)))
		control_answer(client, node_banned(n));
	else
		wait_for(n, 0, client, COUNTERS_WITHIN);
}

void node_counters_answer(struct node *n)
{
	struct node_waiter *taken = take(n, true, 0, 0);
	uint64_t row;

	while (taken)
		control_answer(next(&taken, &row), node_banned(n));
}

usec node_wait_expire(struct node *n, usec now)
{
	struct node_waiter *taken = take(n, false, 0, now), *w;
	uint64_t row;
	usec first = 0;

	while (taken) {
		struct control_client *client = next(&taken, &row);

		if (row)
			control_answer(client,
				row_json(n, row, "waiting",
					"kept in the outbox; the ledger has not confirmed it yet, see "
					"`sipchain status`",
					NULL));
		else
			control_answer(client, node_banned(n));
	}
	for (w = n->waiters; w; w = w->next)
		if (!first || w->until < first)
			first = w->until;
	return first;
}

void node_stop_waiting(struct node *n)
{
	node_wait_expire(n, UINT64_MAX);
}
