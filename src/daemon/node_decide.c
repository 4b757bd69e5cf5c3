/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry becomes bans. Few indicators are decided at once; of many, so many
 * in a turn of the loop, and what else the node has to answer goes between: first
 * what lifts a ban, then what sets one.
 */
#include "daemon/node.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* Of so many turns one is not for lifting when others wait. */
#define LIFTS_IN_TURNS 4

/* What becomes of a ban by itself; the names are the events' types. */
static const char *const names[NODE_CHANGES] = {
	[NODE_BANNED] = "ban",
	[NODE_UNBANNED] = "unban",
	[NODE_PASSED] = "pass",
	[NODE_EXPIRED] = "expired",
};

void node_touch(void *context, const struct indicator *i)
{
	struct node *n = context;

	if (!i || !table_put(n->dirty, i, NULL))
		n->all_dirty = true;
}

/* Whether some are still to be decided in turns. */
static bool waiting(const struct node_deciding *d)
{
	return d->lifts.now || d->all.now;
}

/* --- what is told of many --- */

bool node_change_told(struct node *n, enum node_change change)
{
	struct node_deciding *d = &n->deciding;

	if (change == NODE_EXPIRED ? !d->expiring : !d->turning)
		return true;
	if (d->told < NODE_CHANGES_TOLD) {
		d->told++;
		return true;
	}
	d->untold[change]++;
	return false;
}

/* Many have changed: say of how many nothing was said one by one. */
static void tell_rest(struct node *n)
{
	struct node_deciding *d = &n->deciding;
	json_t *body = json_object();
	char text[160] = "";
	size_t used = 0;

	for (unsigned i = 0; i < NODE_CHANGES; i++) {
		if (!d->untold[i])
			continue;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%llu %s",
			used ? ", " : "", (unsigned long long)d->untold[i], names[i]);
		json_object_set_new(
			body, names[i], json_integer((json_int_t)d->untold[i]));
	}
	if (used) {
		log_notice("at once, and not told one by one: %s", text);
		json_object_set_new(body, "text",
			json_sprintf("at once, and not told one by one: %s", text));
		node_bans_begin(n, STORE_SOON);
		node_event_with(n, "bans", NULL, body);
	} else
		json_decref(body);
	memset(d->untold, 0, sizeof d->untold);
	d->told = 0;
}

void node_expiring(struct node *n, bool more)
{
	bool was = n->deciding.expiring;

	n->deciding.expiring = more;
	if (was && !more && !waiting(&n->deciding))
		tell_rest(n);
}

/* A decision's change: into the journal and the log. */
static void tell(struct node *n, enum node_change change, const struct indicator *i,
	const struct decision *d)
{
	char text[INDICATOR_TEXT], sentence[DECISION_TEXT];

	if (!node_change_told(n, change))
		return;
	decision_print(sentence, d);
	if (change != NODE_PASSED)
		log_info("%s: %s%s", indicator_print(text, i),
			change == NODE_UNBANNED ? "no longer: " : "", sentence);
	node_bans_begin(n, STORE_SOON); /* the event is one with its ban */
	node_event(n, names[change], i, "%s", sentence);
}

/* --- one indicator --- */

/* The ban that stands, and is not about to be taken out because it has ended. */
static const struct ban *standing(
	const struct node *n, const struct indicator *i, uint8_t scope)
{
	const struct ban *b = ban_table_get(n->bans, i, scope);

	return b && b->until > node_now() ? b : NULL;
}

/* Whether a ban for own reasons still may stand; if not, d says why. */
static bool may_stand(struct decision *d, const struct node *n, const struct ban *b)
{
	const struct indicator *i = &b->indicator;

	decide_own_text(d, n->registry, n->allow, i, node_text(n, i), WHY_OWN_DETECTION,
		b->until, node_now());
	if (!d->block)
		return false;
	/* The site was not known to be this one when it was detected; an operator knows. */
	d->why = b->origin == BAN_OWN ? decide_home(&n->config->policy, i) : (enum why)0;
	d->block = !d->why;
	return d->block;
}

/* What came to be protected or allowed is not banned for own reasons either. */
static void follow_own(struct node *n, const struct indicator *i)
{
	const struct ban *b = standing(n, i, BAN_ALL);
	struct decision d;

	if (!b || may_stand(&d, n, b))
		return;
	tell(n, NODE_UNBANNED, i, &d);
	node_unban(n, i, BAN_ALL);
	node_forgive(n, i);
}

enum follow {
	FOLLOW_ALL,
	FOLLOW_QUIETLY, /* what passes as before is no news */
	FOLLOW_LIFTS,   /* nothing but a ban that may not stand is changed */
};

/*
 * A learnt ban follows the decision: addresses go to the firewall, numbers and names
 * to the connectors.
 */
static void follow_learnt(struct node *n, const struct indicator *i, enum follow how)
{
	const struct ban *b = standing(n, i, BAN_SIP);
	struct decision d;

	if (i->kind == INDICATOR_AGENT)
		return; /* nothing refuses calls by their User-Agent, which says nothing */
	follow_own(n, i);
	/* Before the ledger is read whole, a revocation may still be to come. */
	if (!n->caught_up || (how == FOLLOW_LIFTS && !b))
		return;
	decide_learnt_text(&d, &n->config->policy, n->registry, n->allow, i,
		node_text(n, i), node_now());
	if (d.block) {
		if (how == FOLLOW_LIFTS || (b && b->until == d.until))
			return;
		tell(n, NODE_BANNED, i, &d);
		node_ban(n, i, BAN_SIP, BAN_LEARNT, d.category, d.until);
	} else if (b) {
		tell(n, NODE_UNBANNED, i, &d);
		node_unban(n, i, BAN_SIP);
	} else if (d.why != WHY_NOT_LISTED && how == FOLLOW_ALL) {
		tell(n, NODE_PASSED, i, &d);
	}
}

static void follow(struct node *n, const struct indicator *i, enum follow how)
{
	follow_learnt(n, i, how);
	if (how == FOLLOW_LIFTS)
		return;
	/* Its text, when nothing speaks of it any more that could be asked about. */
	if (i->kind >= INDICATOR_NUMBER && n->caught_up &&
		!registry_words(n->registry, i, node_now(), NULL, 0) &&
		!ban_table_get(n->bans, i, BAN_ALL))
		node_text_forget(n, i);
}

/* --- many of them --- */

static bool touch_word(void *context, const struct report *word)
{
	node_touch(context, &word->indicator);
	return true;
}

static void touch_ban(void *context, const struct ban *b)
{
	node_touch(context, &b->indicator);
}

/* Decide up to most of a table from *at on. Returns whether that was all. */
static bool decide(
	struct node *n, const struct table *t, size_t *at, size_t most, enum follow how)
{
	const struct indicator *i;

	n->decided++;
	while (most-- > 0) {
		i = table_next(t, at);
		if (!i)
			return true;
		follow(n, i, how);
	}
	return false;
}

/* Up to NODE_DECISIONS of a queue that is not empty. */
static void turn(struct node *n, struct node_queue *q, enum follow how)
{
	bool all;

	n->deciding.turning = true;
	all = decide(n, q->now, &q->at, NODE_DECISIONS, how);
	n->deciding.turning = false;
	if (!all)
		return;
	table_free(q->now);
	q->now = q->next;
	q->next = NULL;
	q->at = 0;
	q->quiet = q->next_quiet;
}

/* One turn of the loop. */
static void on_turn(uv_idle_t *idle)
{
	struct node *n = idle->data;
	struct node_deciding *d = &n->deciding;

	/* Changes that never end keep lifting without end: the others go on, too. */
	if (d->lifts.now && (!d->all.now || ++d->turns % LIFTS_IN_TURNS))
		turn(n, &d->lifts, FOLLOW_LIFTS);
	else
		turn(n, &d->all, d->all.quiet ? FOLLOW_QUIETLY : FOLLOW_ALL);
	if (!waiting(d)) {
		uv_idle_stop(&d->turn);
		if (!d->expiring)
			tell_rest(n);
	}
	/* The kernel works on the first while the last are decided. */
	node_bans_flush(n);
	if (!waiting(d))
		node_schedule(n);
}

/* After those that are being decided; t is taken over. */
static void enqueue(struct node *n, struct node_queue *q, struct table *t, bool quiet)
{
	const struct indicator *i;
	size_t at = 0;

	if (!q->now) {
		q->now = t;
		q->at = 0;
		q->quiet = quiet;
		return;
	}
	if (!q->next) {
		q->next = t;
		q->next_quiet = quiet;
		return;
	}
	q->next_quiet |= quiet;
	while ((i = table_next(t, &at)))
		if (!table_put(q->next, i, NULL))
			n->all_dirty = true;
	table_free(t);
}

/* Those of a table that are banned; NULL: none, or memory is short. */
static struct table *banned_of(const struct node *n, const struct table *t)
{
	struct table *out = NULL;
	const struct indicator *i;
	size_t at = 0;

	while ((i = table_next(t, &at))) {
		if (!ban_table_get(n->bans, i, BAN_SIP) &&
			!ban_table_get(n->bans, i, BAN_ALL))
			continue;
		if (!out)
			out = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, n->hash_key);
		if (!out)
			break;
		/* One that finds no room has its turn among all. */
		table_put(out, i, NULL);
	}
	return out;
}

/* These are more than a turn's. */
static void put_off(struct node *n, struct table *t, bool quiet)
{
	struct node_deciding *d = &n->deciding;
	struct table *banned = banned_of(n, t);

	if (banned)
		enqueue(n, &d->lifts, banned, true);
	enqueue(n, &d->all, t, quiet);
	uv_idle_start(&d->turn, on_turn);
}

void node_decide_dirty(struct node *n)
{
	bool quiet = n->all_dirty;
	struct table *fresh, *now;
	size_t at = 0;

	/* What passes is news with its report, not each time that all is looked at. */
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
	if (table_count(now) > NODE_DECISIONS) {
		put_off(n, now, quiet);
	} else {
		/* Few do not wait for many that are being decided. */
		if (table_count(now))
			decide(n, now, &at, NODE_DECISIONS,
				quiet ? FOLLOW_QUIETLY : FOLLOW_ALL);
		table_free(now);
	}
	node_bans_flush(n);
	node_schedule(n);
}

struct allowing {
	struct node *n;
	const struct indicator *of;
};

static void touch_allowed(void *context, const struct ban *b)
{
	const struct allowing *a = context;

	if (indicator_contains(a->of, &b->indicator) ||
		indicator_contains(&b->indicator, a->of))
		node_touch(a->n, &b->indicator);
}

void node_decide_allowed(struct node *n, const struct indicator *i)
{
	struct allowing a = {n, i};

	/* Whoever asked for it does not wait for what is not about it. */
	ban_table_each(n->bans, touch_allowed, &a);
	node_decide_dirty(n);
	n->all_dirty = true;
	node_decide_dirty(n);
}

void node_decide_open(struct node *n)
{
	uv_idle_init(&n->loop, &n->deciding.turn);
	n->deciding.turn.data = n;
}

static void drop(struct node_queue *q)
{
	table_free(q->now);
	table_free(q->next);
	q->now = q->next = NULL;
}

void node_decide_close(struct node *n)
{
	uv_close((uv_handle_t *)&n->deciding.turn, NULL);
	drop(&n->deciding.lifts);
	drop(&n->deciding.all);
}
