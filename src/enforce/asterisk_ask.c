/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to Asterisk: actions, and among them the orders. */
#include "enforce/asterisk_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"

/* The expression is matched from the event's first byte on. */
#define FILTER "^Event: (UserEvent.*UserEvent: SIPchainBlocked|FullyBooted|Shutdown)"

/* --- actions --- */

void asterisk_give_up(struct asterisk *a, const char *text, struct view why, bool refused)
{
	char whole[PBX_TEXT];

	if (a->step == STEP_DOWN)
		return;
	a->step = STEP_DOWN;
	snprintf(whole, sizeof whole, "%s%s%s", text, why.n ? ": " : "",
		why.n ? escaped(why) : "");
	a->hooks.failed(a->hooks.context, whole, refused);
}

void asterisk_id(char dst[ASTERISK_ID], uint64_t id)
{
	snprintf(dst, ASTERISK_ID, "sipchain-%016" PRIx64, id);
}

/* A place in the ring for what is about to be asked; the id is nobody's guess. */
struct request *asterisk_ask(struct asterisk *a, enum ask what, char id[ASTERISK_ID])
{
	struct request *r = &a->ring[(a->head + a->in_flight) % ASTERISK_RING];

	if (!a->in_flight++)
		a->progress = a->now;
	a->drawn++;
	*r = (struct request){
		.ask = (uint8_t)what, .id = hash_bytes(&a->seed, &a->drawn, 8)};
	asterisk_id(id, r->id);
	return r;
}

static void ask_plain(struct asterisk *a, enum ask what, const char *action)
{
	char id[ASTERISK_ID];

	asterisk_ask(a, what, id);
	buffer_printf(&a->out, "Action: %s\r\nActionID: %s\r\n", action, id);
}

void asterisk_ask_filter(struct asterisk *a)
{
	ask_plain(a, ASK_FILTER, "Filter");
	buffer_printf(&a->out, "Operation: Add\r\nFilter: " FILTER "\r\n\r\n");
}

void asterisk_ask_ping(struct asterisk *a)
{
	ask_plain(a, ASK_PING, "Ping");
	buffer_put(&a->out, "\r\n", 2);
}

void asterisk_ask_compare(struct asterisk *a)
{
	/* What is in flight is carried out first, and then listed. */
	for (size_t i = 0; i < a->in_flight; i++)
		if (a->ring[(a->head + i) % ASTERISK_RING].ask == ASK_ORDER)
			a->ring[(a->head + i) % ASTERISK_RING].ask = ASK_STRAY;
	a->step = STEP_COMPARE;
	a->listing = a->again = false;
	a->compare_began = a->now;
	a->strays.n = a->strays_sent = 0;
	a->strays.failed = false;
	a->figures.found = a->figures.removed = 0;
	a->hooks.resync(a->hooks.context);
	ask_plain(a, ASK_TREE, "DBGetTree");
	buffer_printf(
		&a->out, "Family: " ASTERISK_FAMILY "\r\nKey: " ASTERISK_TREE "\r\n\r\n");
}

void asterisk_clear(struct pbx *p, usec now)
{
	struct asterisk *a = asterisk_of(p);

	a->now = now;
	if (a->step != STEP_READY)
		return;
	a->strays.n = a->strays_sent = 0;
	ask_plain(a, ASK_CLEAR, "DBDelTree");
	buffer_printf(
		&a->out, "Family: " ASTERISK_FAMILY "\r\nKey: " ASTERISK_TREE "\r\n\r\n");
}

/* DBPut, or DBDel when value is NULL. Returns 0, or -1: it does not fit a line. */
static int put_database(
	struct asterisk *a, const char *id, struct view key, const char *value)
{
	struct buffer *out = &a->out;
	size_t before = out->n;

	buffer_printf(out,
		"Action: %s\r\nActionID: %s\r\nFamily: " ASTERISK_FAMILY "\r\n",
		value ? "DBPut" : "DBDel", id);
	if (asterisk_line(out, "Key", key) ||
		(value && asterisk_line(out, "Val", view_str(value)))) {
		out->n = before;
		return -1;
	}
	buffer_put(out, "\r\n", 2);
	return 0;
}

/* Delete what was found and shall not stand, as far as there is room. */
static void send_strays(struct asterisk *a)
{
	char id[ASTERISK_ID];

	while (a->strays_sent < a->strays.n && a->in_flight < ASTERISK_WINDOW) {
		const char *key = (const char *)a->strays.p + a->strays_sent;

		a->strays_sent += strlen(key) + 1;
		asterisk_ask(a, ASK_STRAY, id);
		put_database(a, id, view_str(key), NULL);
	}
}

/* In step: do what is left of the last comparison, and begin the next. */
void asterisk_settle(struct asterisk *a)
{
	if (a->step != STEP_READY)
		return;
	send_strays(a);
	if (a->again && a->strays_sent == a->strays.n)
		asterisk_ask_compare(a);
}

/* --- orders --- */

/* What is to stand under this order's key from now on; NULL: nothing. */
static const struct indicator *stands_then(struct asterisk *a, const struct ban_order *o,
	struct indicator *twin, uint32_t *until)
{
	uint32_t other = 0;

	if (!asterisk_entry_twin(twin, &o->indicator))
		other = a->hooks.wanted(a->hooks.context, twin);
	/* The prefix covers the number of the same digits. */
	if (other && (o->change == BAN_DELETE || !asterisk_entry_prefix(&o->indicator))) {
		*until = other;
		return twin;
	}
	*until = o->until;
	return o->change == BAN_DELETE ? NULL : &o->indicator;
}

static void order_one(struct asterisk *a, const struct ban_order *o)
{
	char key[ASTERISK_KEY], value[ASTERISK_VALUE], id[ASTERISK_ID];
	const struct indicator *then;
	struct indicator twin;
	struct request *r;
	uint32_t until;

	then = stands_then(a, o, &twin, &until);
	if (asterisk_entry(key, value, then ? then : &o->indicator, until)) {
		a->figures.refusals++;
		a->hooks.done(a->hooks.context, o, false);
		return;
	}
	r = asterisk_ask(a, ASK_ORDER, id);
	r->order = *o;
	/* Digits, '|', '+' and '*' fit any line. */
	put_database(a, id, view_str(key), then ? value : NULL);
}

size_t asterisk_order(struct pbx *p, const struct ban_order *orders, size_t n, usec now)
{
	struct asterisk *a = asterisk_of(p);
	size_t taken = 0;

	a->now = now;
	while (taken < n && a->step == STEP_READY && a->in_flight < ASTERISK_WINDOW &&
		a->strays_sent == a->strays.n)
		order_one(a, &orders[taken++]);
	if (a->out.failed)
		asterisk_give_up(a, "out of memory", (struct view){0}, false);
	return taken;
}
