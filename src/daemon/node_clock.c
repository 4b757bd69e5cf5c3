/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's clock is set while we run: by hand, by NTP after a start with a
 * wrong one, or because a suspended machine goes on (CLOCK_MONOTONIC and the
 * kernel's timeouts of bans stand still meanwhile). Reports live by the time of
 * day, so all that was reckoned from it is reckoned anew. Slewing, as NTP does
 * otherwise, moves both clocks alike and is not seen here.
 */
#include "daemon/node.h"

#include "base/log.h"
#include "store/outbox.h"

/* Less is within the seconds that expiries are counted in. */
#define STEP_LEAST USEC_PER_SEC

/* A process that is not scheduled between two readings sees no step. */
#define READING_MOST (STEP_LEAST / 100)
#define READINGS     5

/* The time of day less the time that only goes forward. */
static int64_t difference(void)
{
	usec before, wall, after;
	int tries = 0;

	do {
		before = clock_monotonic();
		wall = clock_wall();
		after = clock_monotonic();
	} while (after - before > READING_MOST && ++tries < READINGS);
	return (int64_t)(wall - (before + (after - before) / 2));
}

void node_clock_begin(struct node *n)
{
	n->clock_difference = difference();
}

/* How far the clock was set since the last look that saw it, microseconds. */
static int64_t step(const struct node *n)
{
	int64_t by = difference() - n->clock_difference;

	return by >= (int64_t)STEP_LEAST || by <= -(int64_t)STEP_LEAST ? by : 0;
}

bool node_clock_was_set(const struct node *n)
{
	return step(n) != 0;
}

/*
 * The kernel ends a ban after a length of time that was right by the old clock:
 * one that has ended by the new is taken out by an order.
 */
static void end_ban(void *context, const struct ban *b)
{
	struct node *n = context;

	if (b->until > node_now())
		return;
	node_event(
		n, "expired", &b->indicator, "%s ban ended", ban_origin_name(b->origin));
	node_unban(n, &b->indicator, b->scope);
}

void node_clock_follow(struct node *n)
{
	int64_t by = step(n);
	struct error err = {""};

	if (!by)
		return;
	n->clock_difference += by;
	log_warning(
		"the machine's clock was set %s by %lld s: all bans are reckoned anew",
		by > 0 ? "forward" : "back",
		(long long)((by > 0 ? by : -by) / (int64_t)USEC_PER_SEC));
	node_event(n, "trouble", NULL, "the machine's clock was set %s by %lld s",
		by > 0 ? "forward" : "back",
		(long long)((by > 0 ? by : -by) / (int64_t)USEC_PER_SEC));
	ban_table_each(n->bans, end_ban, n);
	ban_table_requeue(n->bans);
	node_bans_flush(n);
	/* What ended by the old time and lives by the new was forgotten. */
	if (by > 0)
		return;
	node_ledger_start(n);
	if (outbox_clock_set_back(n->store, node_now(), &err))
		log_error("outbox: %s", err.text);
}
