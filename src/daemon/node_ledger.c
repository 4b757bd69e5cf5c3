/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the ledger become the registry. */
#include "daemon/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"

#define READ_AGAIN (10 * USEC_PER_SEC)

const struct member *node_member(const struct node *n)
{
	if (!n->self_known || !n->self.has_key)
		return NULL;
	return registry_member_by_signer(n->registry, n->self.address);
}

void node_ledger_start(struct node *n)
{
	struct registry *fresh = registry_new(n->hash_key);

	n->read_again_at = 0;
	if (!fresh || !n->ledger) {
		registry_free(fresh);
		return;
	}
	registry_free(n->incoming);
	n->incoming = fresh;
	/* The local ledger is opened anew and drops what it had not written yet. */
	if (n->config->ledger.type == CONFIG_LEDGER_LOCAL)
		node_flights_forget(n);
	table_free(n->texts); /* they come again with their batches */
	n->texts = NULL;
	n->delivery++;
	if (link_send(n->ledger, MSG_LEDGER_START,
		    view_of(&n->delivery, sizeof n->delivery)))
		log_error("the ledger role takes no message: %s", strerror(errno));
}

/* What cannot be folded: ask for all of it again, but not in a circle. */
static void read_again(struct node *n)
{
	registry_free(n->incoming);
	n->incoming = NULL;
	n->delivery++; /* what is still on its way is of no use */
	n->misfolded = true;
	n->read_again_at = clock_monotonic() + READ_AGAIN;
	node_schedule(n);
}

/* Fold one operation. */
static void fold(struct node *n, struct view payload)
{
	struct registry *r = n->incoming ? n->incoming : n->registry;
	struct event_header header;
	struct operation op;
	struct refusal why;
	struct error err;
	struct view bytes;
	char text[200];

	if (payload.n < sizeof header)
		return;
	memcpy(&header, payload.p, sizeof header);
	if (header.delivery != n->delivery)
		return;
	bytes = view_from(payload, sizeof header);
	if (operation_decode(&op, bytes, &err)) {
		log_error("an operation that does not decode: %s", err.text);
		read_again(n);
		return;
	}
	if (header.chain != operation_chain(op.type) ||
		memcmp(registry_tip(r, (enum chain)header.chain)->hash, header.tip_before,
			HASH_SIZE)) {
		log_error("operation %llu does not follow the tip that was folded",
			(unsigned long long)op.seq);
		read_again(n);
		return;
	}
	/* While it is read anew nothing is decided: then everything is. */
	if (registry_apply(
		    r, &op, bytes, r == n->registry ? node_touch : NULL, n, &why)) {
		log_error("operation %llu breaks a rule: %s", (unsigned long long)op.seq,
			refusal_print(text, &why));
		read_again(n);
		return;
	}
	node_texts_take(n, &op);
	/* An unpause, a resumption, a new limit: what was refused may pass now. */
	if (header.chain == CHAIN_ADMIN)
		n->retry_at = 0;
	/* Remembered, so that the successor is known when it is configured. */
	if (op.type == OP_SUPERSEDE && r == n->registry && node_identity_check(n, &err))
		log_error("store: %s", err.text);
	if (r == n->registry)
		node_event(n, "ledger", NULL, "%s, operation %llu",
			operation_name(op.type), (unsigned long long)op.seq);
}

/* The ledger was read whole: from now on this registry counts. */
static void take_incoming(struct node *n)
{
	struct error err = {""};

	registry_free(n->registry);
	n->registry = n->incoming;
	n->incoming = NULL;
	n->caught_up = true;
	/* Bans kept from before that nothing supports any more must go. */
	n->all_dirty = true;
	log_notice("ledger read: %zu live reports, %u members",
		registry_live_count(n->registry), registry_members(n->registry));
	n->identified = !node_identity_check(n, &err);
	if (n->identified)
		node_outbox_reconcile(n);
	else
		log_error("store: %s (nothing is published)", err.text);
}

static void on_caught_up(struct node *n, struct view payload)
{
	uint32_t delivery;

	if (payload.n != sizeof delivery)
		return;
	memcpy(&delivery, payload.p, sizeof delivery);
	if (delivery != n->delivery)
		return;
	n->misfolded = false;
	if (n->incoming)
		take_incoming(n);
	registry_expire(n->registry, node_now(), node_touch, n);
	node_decide_dirty(n);
	node_sense_start(n);
	node_outbox_submit(n);
}

static void on_trouble(struct node *n, struct view payload)
{
	struct ledger_trouble t;

	if (payload.n != sizeof t)
		return;
	memcpy(&t, payload.p, sizeof t);
	t.text[sizeof t.text - 1] = 0;
	n->healthy = t.healthy;
	memcpy(n->trouble, t.text, sizeof n->trouble);
	node_event(n, "trouble", NULL, "%s", t.text);
}

void node_ledger_message(struct node *n, uint16_t type, struct view payload)
{
	struct ledger_fate fate;
	struct ledger_window window;

	switch (type) {
	case MSG_LEDGER_SELF:
		if (payload.n == sizeof n->self) {
			memcpy(&n->self, payload.p, sizeof n->self);
			n->self.where[sizeof n->self.where - 1] = 0;
			n->self_known = true;
		}
		break;
	case MSG_WINDOW:
		if (payload.n != sizeof window)
			break;
		memcpy(&window, payload.p, sizeof window);
		if (window.delivery != n->delivery || !n->incoming ||
			!registry_window(n->incoming, &window.before, window.since))
			break;
		log_error("a window in the middle of the history is not believed");
		read_again(n);
		break;
	case MSG_EVENT:
		fold(n, payload);
		break;
	case MSG_UNDO: /* the simplest that is right: fold anew */
		if (payload.n == sizeof n->delivery &&
			!memcmp(payload.p, &n->delivery, sizeof n->delivery))
			node_ledger_start(n);
		break;
	case MSG_CAUGHT_UP:
		on_caught_up(n, payload);
		break;
	case MSG_FATE:
		if (payload.n == sizeof fate) {
			memcpy(&fate, payload.p, sizeof fate);
			fate.error.text[sizeof fate.error.text - 1] = 0;
			node_outbox_fate(n, &fate);
		}
		break;
	case MSG_TROUBLE:
		on_trouble(n, payload);
		break;
	default:
		break;
	}
}
