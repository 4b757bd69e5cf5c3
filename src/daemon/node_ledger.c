/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the ledger become the registry; the registry becomes bans. */
#include "daemon/node.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"

const struct member *node_member(const struct node *n)
{
	if (!n->self_known || !n->self.has_key)
		return NULL;
	return registry_member_by_signer(n->registry, n->self.address);
}

void node_touch(void *context, const struct indicator *i)
{
	struct node *n = context;

	if (!i || !table_put(n->dirty, i, NULL))
		n->all_dirty = true;
}

/* A learnt ban follows the decision; only addresses go to the firewall. */
static void follow(struct node *n, const struct indicator *i)
{
	const struct ban *standing = ban_table_get(n->bans, i, BAN_SIP);
	char text[INDICATOR_TEXT], sentence[DECISION_TEXT];
	struct decision d;

	if (i->kind != INDICATOR_IP4 && i->kind != INDICATOR_IP6)
		return;
	decide_learnt(&d, &n->config->policy, n->registry, n->allow, i, node_now());
	if (d.block) {
		if (standing && standing->until == d.until)
			return;
		log_info("%s: %s", indicator_print(text, i), decision_print(sentence, &d));
		node_event(n, "ban", i, "%s", decision_print(sentence, &d));
		node_ban(n, i, BAN_SIP, BAN_LEARNT, d.category, d.until);
	} else if (standing) {
		log_info("%s: no longer: %s", indicator_print(text, i),
			decision_print(sentence, &d));
		node_event(n, "unban", i, "%s", decision_print(sentence, &d));
		node_unban(n, i, BAN_SIP);
	} else if (d.why != WHY_NOT_LISTED) {
		node_event(n, "pass", i, "%s", decision_print(sentence, &d));
	}
}

static bool touch_word(void *context, const struct report *word)
{
	node_touch(context, &word->indicator);
	return true;
}

static void touch_ban(void *context, const struct ban *b)
{
	if (b->scope == BAN_SIP)
		node_touch(context, &b->indicator);
}

void node_decide_dirty(struct node *n)
{
	const struct indicator *i;
	struct table *fresh, *now;
	size_t at = 0;

	/* Before the ledger is read whole, a revocation may still be to come. */
	if (!n->caught_up)
		return;
	if (n->all_dirty) {
		n->all_dirty = false;
		registry_each(n->registry, node_now(), touch_word, n);
		ban_table_each(n->bans, touch_ban, n);
	}
	fresh = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, n->hash_key);
	if (!fresh) {
		log_error("out of memory; decisions wait");
		return;
	}
	now = n->dirty;
	n->dirty = fresh;
	while ((i = table_next(now, &at)))
		follow(n, i);
	table_free(now);
	node_bans_flush(n);
	node_schedule(n);
}

/* The ledger is delivered from its beginning: so is the registry. */
void node_ledger_start(struct node *n)
{
	struct registry *fresh = registry_new(n->hash_key);

	if (!fresh) {
		log_error("out of memory for the registry");
		return;
	}
	registry_free(n->registry);
	n->registry = fresh;
	n->caught_up = false;
	if (link_send(n->ledger, MSG_LEDGER_START, view_of(NULL, 0)))
		log_error("the ledger role takes no message: %s", strerror(errno));
}

/* Fold one operation. */
static void fold(struct node *n, struct view payload)
{
	struct event_header header;
	struct operation op;
	struct refusal why;
	struct error err;
	struct view bytes;
	char text[200];

	if (payload.n < sizeof header)
		return;
	memcpy(&header, payload.p, sizeof header);
	bytes = view_from(payload, sizeof header);
	if (operation_decode(&op, bytes, &err)) {
		log_error("an operation that does not decode: %s", err.text);
		return;
	}
	if (header.chain > CHAIN_ADMIN ||
		memcmp(registry_tip(n->registry, (enum chain)header.chain)->hash,
			header.tip_before, HASH_SIZE)) {
		log_error("operation %llu does not follow the tip that was folded; reading "
			"the ledger anew", (unsigned long long)op.seq);
		node_ledger_start(n);
		return;
	}
	if (registry_apply(n->registry, &op, bytes, node_touch, n, &why)) {
		log_error("operation %llu breaks a rule: %s", (unsigned long long)op.seq,
			refusal_print(text, &why));
		return;
	}
	node_event(n, "ledger", NULL, "%s, operation %llu", operation_name(op.type),
		(unsigned long long)op.seq);
}

static void on_caught_up(struct node *n)
{
	bool first = !n->caught_up;

	n->caught_up = true;
	n->healthy = true;
	registry_expire(n->registry, node_now(), node_touch, n);
	if (first) {
		/* Bans kept from before that nothing supports any more must go. */
		n->all_dirty = true;
		log_notice("ledger read: %zu live reports, %u members",
			registry_live_count(n->registry), registry_members(n->registry));
		node_outbox_reconcile(n);
	}
	node_decide_dirty(n);
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
		if (registry_window(n->registry, &window.before, window.since))
			log_error("a window in the middle of the history is not believed");
		break;
	case MSG_EVENT:
		fold(n, payload);
		break;
	case MSG_UNDO:
		node_ledger_start(n); /* the simplest that is right: fold anew */
		break;
	case MSG_CAUGHT_UP:
		on_caught_up(n);
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
