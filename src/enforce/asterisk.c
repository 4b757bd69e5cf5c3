/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asterisk over its manager interface. Asterisk carries the actions of one
 * connection out one after the other and answers in their order, so that what is
 * in flight is a ring, and an answer that is not the first one's is none.
 *
 *   greeting -> Challenge -> Login -> Filter -> DBGetTree ... ready
 *                                                  ^           | FullyBooted,
 *                                                  +-----------+ compare()
 */
#include "enforce/asterisk_state.h"

#include <stdlib.h>
#include <stdio.h>

#include "sense/ami_event.h"
#include "sense/ami_login.h"

/* Entries to be deleted that are remembered at once; others at the next compare. */
#define STRAYS_MAX (1U << 20)

#define PING_AFTER (5 * USEC_PER_SEC)  /* of silence */
#define HANG       (10 * USEC_PER_SEC) /* without an answer */

/* --- answers --- */

static void on_ready(struct asterisk *a)
{
	static const char booting[] =
		"Asterisk has not said that it is fully booted: it still starts, or the "
		"user lacks read = system,user in manager.conf (blocked calls are then "
		"not told)";

	a->step = STEP_READY;
	a->figures.sessions += a->fresh;
	a->fresh = false;
	a->figures.resyncs++;
	a->figures.resync_took = a->now - a->compare_began;
	if (a->strays.failed)
		a->again = true;
	a->hooks.ready(a->hooks.context);
	if (!a->booted)
		a->hooks.trouble(a->hooks.context, booting);
	asterisk_settle(a);
}

static void on_refused(struct asterisk *a, struct request *r, struct view why)
{
	if (view_starts(why, "Permission denied")) {
		asterisk_give_up(a,
			"Asterisk refuses the action: the user lacks write = system in "
			"manager.conf",
			(struct view){0}, true);
		return;
	}
	switch ((enum ask)r->ask) {
	case ASK_CHALLENGE:
	case ASK_LOGIN:
		asterisk_give_up(a,
			"Asterisk refuses the login (check user and secret_file against "
			"manager.conf, and its permit= for this address)",
			why, true);
		break;
	case ASK_FILTER: /* it will send more than is needed, no harm */
		asterisk_ask_compare(a);
		break;
	case ASK_TREE:
		asterisk_give_up(a,
			"Asterisk does not list AstDB (DBGetTree needs 16.24, 18.10 or "
			"later)",
			why, true);
		break;
	case ASK_ORDER:
		/*
		 * Nothing else is said of a key that is not there, and of one that could
		 * not be deleted: the next comparison finds the latter.
		 */
		if (r->order.change == BAN_DELETE)
			a->figures.orders++;
		else
			a->figures.refusals++;
		a->hooks.done(a->hooks.context, &r->order, r->order.change == BAN_DELETE);
		break;
	case ASK_CLEAR: /* nothing else is said of a tree that is not there */
		a->hooks.cleared(a->hooks.context, true);
		break;
	case ASK_STRAY:
	case ASK_PING:
		break;
	}
}

static void on_challenge(struct asterisk *a, struct view number)
{
	char id[ASTERISK_ID];

	if (!number.n || number.n > AMI_CHALLENGE_MAX) {
		asterisk_give_up(a, "Asterisk sends no challenge", number, false);
		return;
	}
	asterisk_ask(a, ASK_LOGIN, id);
	ami_login_put(&a->out, id, a->user, a->secret, number, "user,system");
}

static void on_success(struct asterisk *a, struct request *r, const struct ami_message *m)
{
	switch ((enum ask)r->ask) {
	case ASK_CHALLENGE:
		on_challenge(a, ami_message_get(m, "Challenge"));
		break;
	case ASK_LOGIN:
		asterisk_ask_filter(a);
		break;
	case ASK_FILTER:
		asterisk_ask_compare(a);
		break;
	case ASK_TREE: /* on_answer() keeps it until the list is whole */
		break;
	case ASK_ORDER:
		a->figures.orders++;
		a->hooks.done(a->hooks.context, &r->order, true);
		break;
	case ASK_CLEAR:
		a->hooks.cleared(a->hooks.context, true);
		break;
	case ASK_STRAY:
	case ASK_PING:
		break;
	}
}

/* The first in flight was answered whole. */
static struct request take_first(struct asterisk *a)
{
	struct request r = a->ring[a->head];

	a->head = (a->head + 1) % ASTERISK_RING;
	a->in_flight--;
	return r;
}

static void on_answer(struct asterisk *a, const struct ami_message *m)
{
	bool success = ami_message_is(m, "Response", "Success");
	struct request r;

	a->progress = a->now;
	if (success && a->ring[a->head].ask == ASK_TREE) {
		a->listing = true;
		return;
	}
	r = take_first(a);
	if (success)
		on_success(a, &r, m);
	else
		on_refused(a, &r, ami_message_get(m, "Message"));
	asterisk_settle(a);
}

/* --- what AstDB holds --- */

static void on_entry(struct asterisk *a, struct view key, struct view value)
{
	struct ban_order found;
	struct indicator twin;
	struct view stray;

	a->figures.found++;
	if (!asterisk_entry_parse(&found, key, value)) {
		if (a->hooks.held(a->hooks.context, &found))
			return;
		/* What is to stand there instead is ordered, which overwrites it. */
		if (a->hooks.wanted(a->hooks.context, &found.indicator) ||
			(!asterisk_entry_twin(&twin, &found.indicator) &&
				a->hooks.wanted(a->hooks.context, &twin)))
			return;
	}
	if (asterisk_entry_key(&stray, key)) {
		a->figures.discarded++;
		return;
	}
	/* When it is full the rest follows: on_ready() compares once more. */
	if (!buffer_put(&a->strays, stray.p, stray.n) && !buffer_put_u8(&a->strays, 0))
		a->figures.removed++;
}

/* Whether these are an entry's fields, and no line of it is another's. */
static bool is_entry(const struct ami_message *m)
{
	return m->count == 4 && view_eq(m->field[1].key, view_str("Key")) &&
		view_eq(m->field[2].key, view_str("Val")) &&
		view_eq(m->field[3].key, view_str("ActionID"));
}

static void on_listed(struct asterisk *a, const struct ami_message *m)
{
	a->progress = a->now;
	if (ami_message_is(m, "Event", "DBGetTreeResponse") && is_entry(m)) {
		on_entry(a, m->field[1].value, m->field[2].value);
	} else if (ami_message_is(m, "Event", "DBGetTreeComplete")) {
		take_first(a);
		a->listing = false;
		on_ready(a);
	} else {
		a->figures.discarded++;
	}
}

/* --- events --- */

static void on_blocked(struct asterisk *a, const struct ami_blocked *b)
{
	struct pbx_hit hit;

	memset(&hit, 0, sizeof hit);
	pbx_id_parse(&hit.indicator, b->indicator);
	pbx_hit_text(hit.number, sizeof hit.number, b->number);
	pbx_hit_text(hit.dialled, sizeof hit.dialled, b->dialled);
	pbx_hit_text(hit.account, sizeof hit.account, b->endpoint);
	if (address_port_parse(&hit.source, &hit.source_port, b->remote, 0, NULL))
		memset(&hit.source, 0, sizeof hit.source);
	a->figures.hits++;
	a->hooks.hit(a->hooks.context, &hit);
}

static void on_event(struct asterisk *a, const struct ami_message *m)
{
	struct ami_blocked blocked;

	switch (ami_event_blocked(&blocked, m)) {
	case AMI_EVENT_CALL:
		on_blocked(a, &blocked);
		break;
	case AMI_EVENT_BOOTED:
		/* After the login it is said at once, before anything is asked. */
		a->booted = true;
		a->again = a->step == STEP_READY || a->step == STEP_COMPARE;
		asterisk_settle(a);
		break;
	case AMI_EVENT_SHUTDOWN:
		a->booted = false;
		break;
	case AMI_EVENT_INJECTION:
		a->figures.discarded++;
		break;
	case AMI_EVENT_OBSERVATION:
	case AMI_EVENT_NOTHING:
		break;
	}
}

static bool on_message(void *context, const struct ami_message *m)
{
	struct asterisk *a = context;
	bool answer = m->count && view_eq(m->field[0].key, view_str("Response"));
	char first[ASTERISK_ID] = "";
	bool ours;

	a->figures.messages++;
	a->heard = a->now;
	if (a->in_flight)
		asterisk_id(first, a->ring[a->head].id);
	ours = first[0] && view_eq(ami_message_get(m, "ActionID"), view_str(first));
	if (!answer && !ours)
		on_event(a, m);
	/* A list follows its answer; else it is forged, or somebody's own text. */
	else if (!ours || m->faults || answer == a->listing)
		a->figures.discarded++;
	else if (answer)
		on_answer(a, m);
	else
		on_listed(a, m);
	return a->step != STEP_DOWN;
}

static void asterisk_received(struct pbx *p, struct view bytes, usec now)
{
	struct asterisk *a = asterisk_of(p);
	struct view line;
	char id[ASTERISK_ID];
	int rc;

	if (a->step == STEP_DOWN)
		return;
	a->now = now;
	if (a->step == STEP_GREETING) {
		rc = ami_reader_line(&a->reader, bytes, &line);
		if (!rc)
			return;
		if (rc < 0 || !view_starts(line, AMI_GREETING)) {
			asterisk_give_up(a, "what answers there is no Asterisk manager",
				rc < 0 ? (struct view){0} : line, false);
			return;
		}
		a->step = STEP_LOGIN;
		asterisk_ask(a, ASK_CHALLENGE, id);
		ami_login_challenge(&a->out, id);
		bytes = (struct view){0};
	}
	if (ami_reader_feed(&a->reader, bytes, on_message, a) || a->out.failed)
		asterisk_give_up(a, "out of memory", (struct view){0}, false);
}

/* --- the owner's other calls --- */

static void forget(struct asterisk *a)
{
	ami_reader_free(&a->reader);
	buffer_free(&a->out);
	buffer_free(&a->strays);
	a->strays_sent = 0;
	a->head = a->in_flight = 0;
	a->listing = a->booted = a->again = false;
}

static void asterisk_connected(struct pbx *p, usec now)
{
	struct asterisk *a = asterisk_of(p);

	forget(a);
	a->step = STEP_GREETING; /* Asterisk speaks first */
	a->fresh = true;
	a->now = a->heard = a->progress = now;
}

static void asterisk_closed(struct pbx *p, usec now)
{
	struct asterisk *a = asterisk_of(p);

	(void)now;
	forget(a);
	a->step = STEP_DOWN;
}

static bool asterisk_next(struct pbx *p, struct view *bytes)
{
	struct asterisk *a = asterisk_of(p);

	*bytes = view_of(a->out.p, a->out.n);
	return a->out.n && a->step != STEP_DOWN;
}

static void asterisk_sent(struct pbx *p, size_t n)
{
	buffer_consume(&asterisk_of(p)->out, n);
}

static usec asterisk_due(struct pbx *p, usec now)
{
	struct asterisk *a = asterisk_of(p);

	a->now = now;
	if (a->step == STEP_DOWN)
		return 0;
	/* A greeting that comes in drops never ends: only what is whole counts. */
	if (a->step == STEP_GREETING || a->in_flight) {
		if (now - a->progress < HANG)
			return a->progress + HANG;
		asterisk_give_up(a, "Asterisk does not answer", (struct view){0}, false);
		return 0;
	}
	if (now - a->heard < PING_AFTER)
		return a->heard + PING_AFTER;
	asterisk_ask_ping(a);
	return now + HANG;
}

static void asterisk_compare(struct pbx *p, usec now)
{
	struct asterisk *a = asterisk_of(p);

	a->now = now;
	a->again = a->step == STEP_READY || a->step == STEP_COMPARE;
	asterisk_settle(a);
}

static void asterisk_figures(const struct pbx *p, struct pbx_figures *out)
{
	const struct asterisk *a = (const struct asterisk *)(const void *)p;

	*out = a->figures;
	out->in_flight = (uint32_t)a->in_flight;
}

static struct pbx *asterisk_open(
	const struct pbx_config *config, const struct pbx_hooks *hooks, struct error *err)
{
	struct asterisk *a;

	if (!config->user || !*config->user || strpbrk(config->user, "\r\n") ||
		!config->secret.n) {
		error_set(err, "user and secret_file are needed");
		return NULL;
	}
	a = calloc(1, sizeof *a);
	if (!a) {
		error_set(err, "out of memory");
		return NULL;
	}
	a->hooks = *hooks;
	a->secret = config->secret;
	a->seed = config->seed;
	a->strays.max = STRAYS_MAX;
	snprintf(a->user, sizeof a->user, "%s", config->user);
	return (struct pbx *)(void *)a;
}

static void asterisk_free(struct pbx *p)
{
	if (!p)
		return;
	forget(asterisk_of(p));
	free(p);
}

const struct pbx_ops pbx_asterisk = {
	.type = "asterisk",
	.way = PBX_STREAM,
	.kinds = PBX_KIND(INDICATOR_NUMBER),
	.expires = false,
	.open = asterisk_open,
	.free = asterisk_free,
	.connected = asterisk_connected,
	.received = asterisk_received,
	.closed = asterisk_closed,
	.order = asterisk_order,
	.clear = asterisk_clear,
	.clears_whole = true,
	.next = asterisk_next,
	.sent = asterisk_sent,
	.due = asterisk_due,
	.compare = asterisk_compare,
	.figures = asterisk_figures,
};
