/* SPDX-License-Identifier: Apache-2.0 */
/* Which ledger this node is on, and what follows when it is another one. */
#include "daemon/node.h"

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "store/ledger_mark.h"

#define DROPPED_SAID 1000 /* lines of the log */

static struct ledger_mark mark_of(const struct registry *r)
{
	const uint8_t *next = registry_superseded(r);
	struct ledger_mark mark = {.has_next = next != NULL};

	memcpy(mark.id, registry_id(r), LEDGER_ID);
	if (next)
		memcpy(mark.next, next, LEDGER_ID);
	return mark;
}

static bool same(const struct ledger_mark *a, const struct ledger_mark *b)
{
	return !memcmp(a->id, b->id, LEDGER_ID) && a->has_next == b->has_next &&
		!memcmp(a->next, b->next, LEDGER_ID);
}

struct drop {
	bool succeeds;
	unsigned said;
};

/* Each that is dropped, by name, before it is: somebody may want it elsewhere. */
static void say_dropped(void *context, const struct outbox_row *row)
{
	struct drop *d = context;
	char text[INDICATOR_TEXT];

	if ((d->succeeds && row->want != OUTBOX_SPEND) || d->said++ >= DROPPED_SAID)
		return;
	log_warning(
		"dropped, as it was for the ledger that was configured before: %s of %s",
		row->want == OUTBOX_SPEND          ? "the revocation" :
			row->want == OUTBOX_OBJECT ? "the objection" :
						     "the report",
		row->text[0] ? row->text : indicator_print(text, &row->indicator));
}

/* Another ledger was configured: say what becomes of what was for the first. */
static void moved(struct node *n, const struct ledger_mark *was,
	const struct ledger_mark *is, bool succeeds, const struct ledger_move *m)
{
	char from[2 * LEDGER_ID + 1], to[2 * LEDGER_ID + 1];
	struct error line;

	hex_encode(from, was->id, LEDGER_ID);
	hex_encode(to, is->id, LEDGER_ID);
	if (succeeds)
		error_set(&line,
			"this ledger (%.16s...) succeeds the last one (%.16s...): %" PRIu64
			" reports that waited go to it, %" PRIu64
			" that are live there are reported anew, %" PRIu64
			" revocations are dropped",
			to, from, m->carried, m->anew, m->dropped);
	else
		error_set(&line,
			"another ledger (%.16s...) than the last one (%.16s...), which did "
			"not name it as its successor: nothing of that one is published "
			"here, and %" PRIu64 " requests that waited for it are dropped",
			to, from, m->dropped);
	log_notice("%s", line.text);
	node_event(n, "trouble", NULL, "%s", line.text);
}

int node_identity_check(struct node *n, struct error *err)
{
	struct ledger_mark was, is = mark_of(n->registry);
	struct ledger_move m;
	struct drop drop = {.succeeds = false};
	int known = ledger_mark_get(n->store, &was, err);

	if (known < 0)
		return -1;
	/* The store's transactions do not nest. */
	if (n->bans_open)
		node_bans_flush(n);
	if (known && same(&was, &is))
		return 0;
	if (!known || !memcmp(was.id, is.id, LEDGER_ID))
		return ledger_mark_put(n->store, &is, err);
	drop.succeeds = was.has_next && !memcmp(was.next, is.id, LEDGER_ID);
	if (outbox_list(n->store, 0, INT32_MAX, true, say_dropped, &drop, err) < 0 ||
		ledger_mark_move(n->store, &is, drop.succeeds, node_now(), &m, err))
		return -1;
	moved(n, &was, &is, drop.succeeds, &m);
	return 0;
}
