/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/pbx_connector.h"

#include <stdio.h>
#include <stdlib.h>

#define RETRY (USEC_PER_SEC / 2) /* doubled with each failure up to .. */
/* All are on this machine: asking costs nothing, and a PBX is soon in step again. */
#define RETRY_MOST   USEC_PER_SEC
#define LASTS        (30 * USEC_PER_SEC)
#define RETRY_LOGIN  (60 * USEC_PER_SEC) /* after a refused login */
#define JITTER_PART  4
#define CONNECT_WAIT (10 * USEC_PER_SEC)
#define REFUSED_WAIT (30 * USEC_PER_SEC)
/* Somebody may have changed the PBX's own copy by hand. */
#define COMPARE_EVERY (600 * USEC_PER_SEC)
/* Orders that are handed over at once; what changes meanwhile is ordered again. */
#define BATCH 64

struct pbx_connector {
	const struct pbx_ops *ops;
	unsigned kinds;
	struct pbx *pbx;
	struct connector_callbacks callbacks;
	struct ban_table *bans;
	struct ban_order batch[BATCH];
	size_t taken, given; /* of the batch */

	uint8_t state; /* enum connector_state */
	bool observe;
	usec since, due; /* due: the next try; the end of one that takes too long */
	uint32_t failures;
	uint64_t chances; /* drawn for the jitter */
	struct hash_key seed;

	bool failing; /* the protocol gave this connection up: trouble says why */
	bool refused;
	bool became_ready;      /* not said yet */
	bool filling;           /* what resync() asked for is not all ordered, */
	uint64_t fill;          /* as far as this mark of the queue */
	bool clearing, cleared; /* observe mode: asked for, and done */
	usec refused_at;        /* when something was refused; 0: nothing */
	usec compared; /* when the last comparison began, or ready() was called */
	usec resynced;
	uint64_t hits;
	char trouble[PBX_TEXT];
	char said[PBX_TEXT]; /* the last failure that callbacks.says() told */
	usec now;            /* of the present call */
};

const char *connector_state_name(uint8_t state)
{
	static const char *const names[] = {
		"?", "off", "waiting", "connecting", "login", "ready"};

	return state < sizeof names / sizeof names[0] ? names[state] : "?";
}

static void become(struct pbx_connector *c, uint8_t state)
{
	c->state = state;
	c->since = c->now;
}

/* --- the protocol's hooks --- */

static void on_resync(void *context)
{
	struct pbx_connector *c = context;

	c->taken = c->given = 0;
	c->compared = c->now;
	c->clearing = c->cleared = false;
	ban_table_requeue(c->bans);
	c->filling = true;
	c->fill = ban_table_mark(c->bans);
}

static bool on_held(void *context, const struct ban_order *found)
{
	struct pbx_connector *c = context;

	return ban_table_found(c->bans, &found->indicator, BAN_SIP, found->until);
}

static void on_cleared(void *context, bool carried_out)
{
	struct pbx_connector *c = context;

	c->clearing = false;
	c->cleared = carried_out;
	if (!carried_out && !c->refused_at)
		c->refused_at = c->now;
	if (carried_out && c->ops->clears_whole) {
		c->taken = c->given = 0;
		ban_table_drop_all(c->bans);
	}
}

static uint32_t on_wanted(void *context, const struct indicator *i)
{
	const struct pbx_connector *c = context;
	const struct ban *b = ban_table_get(c->bans, i, BAN_SIP);

	return b ? b->until : 0;
}

static void on_ready(void *context)
{
	struct pbx_connector *c = context;

	c->trouble[0] = 0;
	c->resynced = c->compared = c->now;
	c->refused = false;
	if (c->state == CONNECTOR_READY)
		return;
	become(c, CONNECTOR_READY);
	c->became_ready = true;
}

static void on_done(void *context, const struct ban_order *order, bool carried_out)
{
	struct pbx_connector *c = context;

	ban_table_done(c->bans, order, carried_out);
	if (!carried_out && !c->refused_at)
		c->refused_at = c->now;
}

static void on_trouble(void *context, const char *text)
{
	struct pbx_connector *c = context;

	snprintf(c->trouble, sizeof c->trouble, "%s", text);
}

static void on_failed(void *context, const char *why, bool refused)
{
	struct pbx_connector *c = context;

	c->failing = true;
	c->refused = refused;
	snprintf(c->trouble, sizeof c->trouble, "%s", why);
}

static void on_hit(void *context, const struct pbx_hit *hit)
{
	struct pbx_connector *c = context;
	struct pbx_hit whole = *hit;

	c->hits++;
	if (!whole.indicator.kind) {
		const struct ban *b = ban_table_digits(
			c->bans, view_str(whole.number), BAN_SIP);

		if (b)
			whole.indicator = b->indicator;
	}
	c->callbacks.hit(c->callbacks.context, &whole);
}

/* --- made and freed --- */

static bool carries(const void *context, const struct indicator *i)
{
	const struct pbx_connector *c = context;

	return c->ops->carries(i);
}

struct pbx_connector *pbx_connector_new(const struct pbx_ops *ops,
	const struct pbx_config *config, const struct connector_callbacks *callbacks,
	struct error *err)
{
	struct pbx_connector *c = calloc(1, sizeof *c);
	const struct pbx_hooks hooks = {c, on_resync, on_held, on_ready, on_done, on_hit,
		on_trouble, on_failed, on_cleared, on_wanted, NULL};

	if (!c) {
		error_set(err, "out of memory");
		return NULL;
	}
	c->ops = ops;
	c->kinds = config->kinds ? config->kinds & ops->kinds : ops->kinds;
	c->callbacks = *callbacks;
	c->seed = config->seed;
	c->state = CONNECTOR_WAITING;
	c->bans = ban_table_new(config->seed);
	if (!c->bans)
		error_set(err, "out of memory");
	else
		c->pbx = ops->open(config, &hooks, err);
	if (!c->pbx) {
		ban_table_free(c->bans);
		free(c);
		return NULL;
	}
	if (ops->carries)
		ban_table_carry(c->bans, carries, c);
	return c;
}

void pbx_connector_free(struct pbx_connector *c)
{
	if (!c)
		return;
	c->ops->free(c->pbx);
	ban_table_free(c->bans);
	free(c);
}

/* --- what should stand --- */

bool pbx_connector_carries(const struct pbx_connector *c, uint8_t kind)
{
	return kind < 32 && c->kinds & PBX_KIND(kind);
}

void pbx_connector_follow(struct pbx_connector *c, const struct indicator *i,
	uint8_t origin, uint8_t category, uint32_t end, uint32_t now)
{
	if (!pbx_connector_carries(c, i->kind) || c->observe)
		return;
	if (end > now)
		ban_table_set(c->bans, i, BAN_SIP, origin, category, end, now);
	else
		ban_table_clear(c->bans, i, BAN_SIP);
}

void pbx_connector_observe(struct pbx_connector *c, bool observe)
{
	if (c->observe == observe)
		return;
	c->observe = observe;
	if (observe) {
		c->clearing = c->cleared = false;
		ban_table_clear_all(c->bans);
	} else if (c->state == CONNECTOR_OFF) {
		become(c, CONNECTOR_WAITING);
		c->failures = 0;
		c->due = 0;
	} else if (c->clearing || c->cleared) {
		/* It takes no orders any more: the next connection does. */
		on_failed(c, "all was about to be taken away: from the beginning", false);
	}
}

bool pbx_connector_resync(struct pbx_connector *c, usec now)
{
	c->now = now;
	if (c->state != CONNECTOR_READY)
		return false;
	c->ops->compare(c->pbx, now);
	return true;
}

/* --- the connection --- */

static usec retry(struct pbx_connector *c)
{
	/* Kamailio forgets all when it restarts, and does not speak of it. */
	usec wait = RETRY, most = c->ops->way == PBX_DATAGRAM ? RETRY : RETRY_MOST;

	if (c->refused)
		return RETRY_LOGIN;
	for (uint32_t i = 0; i < c->failures && wait < most; i++)
		wait *= 2;
	if (wait > most)
		wait = most;
	c->chances++;
	/* Up to a quarter more, so that many nodes do not come back together. */
	return wait + hash_bytes(&c->seed, &c->chances, 8) % (wait / JITTER_PART + 1);
}

static void lost(struct pbx_connector *c, const char *why)
{
	/* One that never lasts is no better than one that never comes. */
	if (c->state == CONNECTOR_READY && c->now - c->since >= LASTS)
		c->failures = 0;
	if (c->state >= CONNECTOR_LOGIN)
		c->ops->closed(c->pbx, c->now);
	c->taken = c->given = 0;
	if (why != c->trouble)
		snprintf(c->trouble, sizeof c->trouble, "%s", why);
	if (c->state == CONNECTOR_READY || strcmp(c->said, c->trouble) != 0) {
		memcpy(c->said, c->trouble, sizeof c->said);
		c->callbacks.says(c->callbacks.context, false, c->trouble);
	}
	c->due = c->now + retry(c);
	c->failures++;
	c->failing = c->became_ready = false;
	c->filling = c->clearing = c->cleared = false;
	become(c, CONNECTOR_WAITING);
}

void pbx_connector_connected(struct pbx_connector *c, usec now)
{
	c->now = now;
	c->refused = false;
	become(c, CONNECTOR_LOGIN);
	c->ops->connected(c->pbx, now);
}

void pbx_connector_closed(struct pbx_connector *c, const char *why, usec now)
{
	c->now = now;
	if (c->state < CONNECTOR_CONNECTING)
		return;
	/* Why the protocol gave it up says more than that it ended. */
	lost(c, c->failing ? c->trouble : why);
}

void pbx_connector_received(struct pbx_connector *c, struct view bytes, usec now)
{
	c->now = now;
	if (c->state >= CONNECTOR_LOGIN && !c->failing)
		c->ops->received(c->pbx, bytes, now);
}

bool pbx_connector_next(struct pbx_connector *c, struct view *bytes)
{
	return c->state >= CONNECTOR_LOGIN && !c->failing && c->ops->next(c->pbx, bytes);
}

void pbx_connector_sent(struct pbx_connector *c, size_t n)
{
	c->ops->sent(c->pbx, n);
}

/* --- time --- */

static void forget(void *context, const struct ban *b)
{
	(void)context;
	(void)b;
}

/* Hand over what waits, as far as the protocol takes it. */
static void hand_over(struct pbx_connector *c)
{
	while (c->state == CONNECTOR_READY && !c->failing && !c->clearing) {
		size_t n;

		if (c->given == c->taken) {
			c->given = 0;
			c->taken = ban_table_take(c->bans, c->batch, BATCH);
		}
		if (c->given == c->taken)
			return;
		n = c->ops->order(
			c->pbx, c->batch + c->given, c->taken - c->given, c->now);
		if (!n)
			return;
		/* A comparison that began meanwhile has forgotten the batch. */
		if (c->taken)
			c->given += n;
	}
}

/* Tell the protocol when the last order of a resync was handed over. */
static void fill(struct pbx_connector *c)
{
	if (!c->filling || c->state != CONNECTOR_READY || c->failing ||
		c->given != c->taken || !ban_table_passed(c->bans, c->fill))
		return;
	c->filling = false;
	if (c->ops->filled)
		c->ops->filled(c->pbx, c->now);
}

/* Observe mode: all at once, as far as that can be done; deletions do the rest. */
static void clear(struct pbx_connector *c)
{
	if (!c->observe || c->clearing || c->cleared || c->refused_at || c->failing)
		return;
	c->clearing = c->ops->clear != NULL;
	c->cleared = !c->clearing;
	if (c->clearing)
		c->ops->clear(c->pbx, c->now);
}

static usec sooner(usec a, usec b)
{
	return !b || (a && a < b) ? a : b;
}

/* What a connection that stands has due. Returns when there is more, or 0. */
static usec turn_connected(struct pbx_connector *c)
{
	usec next = 0;

	if (c->became_ready) {
		c->became_ready = false;
		c->said[0] = 0;
		c->callbacks.says(c->callbacks.context, true, "");
	}
	if (c->state == CONNECTOR_READY) {
		if (c->refused_at && c->now - c->refused_at >= REFUSED_WAIT) {
			c->refused_at = 0;
			ban_table_retry(c->bans);
		}
		if (c->now - c->compared >= COMPARE_EVERY) {
			c->compared = c->now;
			c->ops->compare(c->pbx, c->now);
		}
		clear(c);
		hand_over(c);
		fill(c);
		next = c->compared + COMPARE_EVERY;
		if (c->refused_at)
			next = sooner(next, c->refused_at + REFUSED_WAIT);
	}
	return c->failing ? 0 : sooner(next, c->ops->due(c->pbx, c->now));
}

static bool drained(const struct pbx_connector *c)
{
	struct view bytes;

	return c->observe && c->cleared && !c->filling && ban_table_empty(c->bans) &&
		!c->ops->next(c->pbx, &bytes);
}

usec pbx_connector_turn(struct pbx_connector *c, usec now, uint32_t wall)
{
	usec next = 0;
	uint32_t end;

	c->now = now;
	end = c->ops->expires ? ban_table_expire(c->bans, wall, forget, NULL) :
				ban_table_end(c->bans, wall, forget, NULL);
	if (c->state >= CONNECTOR_LOGIN)
		next = turn_connected(c);
	if (c->failing) {
		c->callbacks.disconnect(c->callbacks.context);
		lost(c, c->trouble);
	}
	if (drained(c) && c->state != CONNECTOR_OFF) {
		if (c->state >= CONNECTOR_LOGIN) {
			c->callbacks.disconnect(c->callbacks.context);
			c->ops->closed(c->pbx, now);
		}
		c->trouble[0] = 0;
		become(c, CONNECTOR_OFF);
	}
	if (c->state == CONNECTOR_WAITING && now >= c->due) {
		become(c, CONNECTOR_CONNECTING);
		c->due = now + CONNECT_WAIT;
		c->callbacks.connect(c->callbacks.context);
	} else if (c->state == CONNECTOR_CONNECTING && now >= c->due) {
		lost(c, "nobody made a connection"); /* the parent is too busy */
	}
	if (c->state == CONNECTOR_WAITING || c->state == CONNECTOR_CONNECTING)
		next = sooner(next, c->due);
	if (end)
		next = sooner(next, now + (end > wall ? end - wall : 1) * USEC_PER_SEC);
	return next;
}

void pbx_connector_figures(const struct pbx_connector *c, struct connector_figures *out)
{
	size_t states[BAN_KEPT + 1];

	memset(out, 0, sizeof *out);
	ban_table_tally(c->bans, states);
	out->type = c->ops->type;
	out->state = c->state;
	out->refused = c->refused;
	out->since = c->since;
	out->due = c->due;
	out->standing = states[BAN_STANDING];
	out->queued = states[BAN_QUEUED] + states[BAN_ORDERED];
	out->refusing = states[BAN_REFUSED];
	out->not_carried = states[BAN_KEPT];
	out->hits = c->hits;
	out->failures = c->failures;
	out->resynced = c->resynced;
	memcpy(out->trouble, c->trouble, sizeof out->trouble);
	c->ops->figures(c->pbx, &out->pbx);
}

size_t pbx_connector_memory(const struct pbx_connector *c)
{
	return sizeof *c + ban_table_memory(c->bans);
}
