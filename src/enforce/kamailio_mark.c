/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coming into step with Kamailio: the tables' marks, and the generation in which
 * entries count (enforce/kamailio.h).
 */
#include "enforce/kamailio_state.h"

/*
 * When the mark is set anew, and how long it lives without. A node that has gone for
 * good blocks nobody for longer than that.
 */
#define MARK_EVERY (3600 * USEC_PER_SEC)
#define MARK_LIFE  (7 * 86400U)

/* Ask something about a table's mark. Returns whether there was room. */
static bool put_mark(struct kamailio *k, unsigned table, uint8_t purpose,
	struct kamailio_mark mark, usec now)
{
	struct kamailio_call *c = kamailio_calls_free(&k->calls);
	char value[KAMAILIO_MARK_MAX] = "";

	if (!c)
		return false; /* one is kept free: not while orders alone are under way */
	if (purpose == KAMAILIO_SET)
		kamailio_mark_print(value, mark);
	c->table = (uint8_t)table;
	c->mark = mark;
	kamailio_calls_put(&k->calls, c, purpose, k->tables[table].name, KAMAILIO_MARK,
		purpose == KAMAILIO_END ? NULL : value, MARK_LIFE, now);
	return true;
}

static bool ask_mark(struct kamailio *k, unsigned table, uint8_t purpose, usec now)
{
	return put_mark(k, table, purpose, k->tables[table].mark, now);
}

/* Why no mark stands in a table: what is wrong with the configuration. */
static void fail_table(struct kamailio *k, const struct kamailio_table *t,
	enum kamailio_result result, const struct kamailio_answer *a)
{
	if (result == KAMAILIO_NO_METHOD)
		kamailio_fail(k, true,
			"Kamailio has no module htable: its configuration needs "
			"loadmodule \"htable.so\" and the tables of SIPchain's "
			"include, and a restart");
	else if (result == KAMAILIO_NO_TABLE)
		kamailio_fail(k, true,
			"no htable %s: kamailio.cfg needs modparam(\"htable\", "
			"\"htable\", \"%s=>size=14;autoexpire=86400;updateexpire=0;\") "
			"and a restart",
			t->name, t->name);
	else if (result == KAMAILIO_DONE) /* it stands there, with a wrong expiry */
		kamailio_fail(k, true,
			"htable %s never forgets: write autoexpire into its modparam: "
			"\"%s=>size=14;autoexpire=86400;updateexpire=0;\", and restart",
			t->name, t->name);
	else
		kamailio_fail(k, false, "Kamailio did not keep our mark in htable %s%s%s",
			t->name, a->text[0] ? ": " : "", a->text);
}

/* --- coming into step --- */

/* Nothing counts as standing any more: order all again when the tables are seen. */
void kamailio_prepare(struct kamailio *k, usec now)
{
	kamailio_calls_forget(&k->calls);
	k->state = KAMAILIO_PREPARING;
	k->look = 0;
	k->began = now;
	k->filled = false;
	k->raising = 0;
	k->hooks.resync(k->hooks.context);
	ask_mark(k, 0, KAMAILIO_FIND, now);
}

static void become_ready(struct kamailio *k, usec now)
{
	k->state = KAMAILIO_READY;
	k->look = 0;
	k->look_due = now + KAMAILIO_LOOK_EVERY;
	k->full = false;
	k->figures.sessions++;
	k->figures.resyncs++;
	k->figures.resync_took = now - k->began;
	k->hooks.ready(k->hooks.context);
}

/*
 * "2026-11-22 13:12:20" is an expiry; "NEVER" is none, and neither is a time of
 * 1970, which a table without autoexpire gives ("" is that of a Kamailio which
 * does not tell).
 */
static bool expires(const char *expire)
{
	return !expire[0] || (expire[0] >= '2' && expire[0] <= '9');
}

/* What the table holds counts until all is written anew, in a later generation. */
static void on_find(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct kamailio_table *t = &k->tables[c->table];
	uint64_t today = kamailio_wall(k) / USEC_PER_SEC;

	if (result != KAMAILIO_DONE && result != KAMAILIO_NO_KEY) {
		fail_table(k, t, result, a);
		return;
	}
	if (kamailio_mark_parse(&t->mark, a->value) ||
		!kamailio_mark_next(t->mark.top, today))
		t->mark = (struct kamailio_mark){0};
	t->mark.top = kamailio_mark_next(t->mark.top, today);
	if (!t->mark.floor)
		t->mark.floor = t->mark.top;
	ask_mark(k, c->table, KAMAILIO_SET, now);
}

/*
 * All that shall stand does so in the newest generation: what is older counts no
 * longer. One table after the other, when there is room for the call.
 */
static void raise_marks(struct kamailio *k, usec now)
{
	if (k->state != KAMAILIO_READY || !k->filled || k->raising ||
		kamailio_calls_before(&k->calls, k->orders))
		return;
	for (unsigned i = 0; i < k->table_count; i++) {
		uint32_t top = k->tables[i].mark.top;

		if (k->tables[i].mark.floor == top)
			continue;
		if (put_mark(k, i, KAMAILIO_SET, (struct kamailio_mark){top, top}, now))
			k->raising = i + 1;
		return;
	}
	k->filled = false;
	k->figures.resync_took = now - k->began;
}

static void on_set(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct kamailio_table *t = &k->tables[c->table];

	if (result != KAMAILIO_DONE) {
		fail_table(k, t, result, a);
		return;
	}
	t->marked = now;
	t->mark = c->mark;
	if (k->state == KAMAILIO_PREPARING) {
		ask_mark(k, c->table, KAMAILIO_LOOK, now);
	} else if (k->raising == c->table + 1u) {
		k->raising = 0;
		raise_marks(k, now);
	}
}

static void on_look(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct kamailio_table *t = &k->tables[c->table];
	struct kamailio_mark found;
	bool stands = result == KAMAILIO_DONE && !kamailio_mark_parse(&found, a->value) &&
		found.top == t->mark.top &&
		(found.floor == t->mark.floor || found.floor == found.top);

	if (k->state == KAMAILIO_READY) {
		if (!stands)
			kamailio_prepare(
				k, now); /* restarted, its tables flushed, another node */
		else if (now - t->marked >= MARK_EVERY && !k->raising)
			ask_mark(k, c->table, KAMAILIO_SET, now);
		return;
	}
	if (!stands || !expires(a->expire)) {
		fail_table(k, t, result, a);
		return;
	}
	k->look = c->table + 1u;
	if (k->look < k->table_count)
		ask_mark(k, k->look, KAMAILIO_FIND, now);
	else
		become_ready(k, now);
}

/* The mark of a table is gone, and with it all that its entries meant. */
static void on_end(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, usec now)
{
	if (k->state != KAMAILIO_ENDING)
		return;
	if (result != KAMAILIO_DONE && result != KAMAILIO_NO_KEY) {
		k->state = KAMAILIO_READY;
		k->hooks.cleared(k->hooks.context, false);
	} else if (c->table + 1u < k->table_count) {
		ask_mark(k, c->table + 1u, KAMAILIO_END, now);
	} else {
		k->state = KAMAILIO_ENDED;
		k->hooks.cleared(k->hooks.context, true);
	}
}

/* --- for kamailio.c --- */

void kamailio_mark_answered(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	switch ((enum kamailio_purpose)c->purpose) {
	case KAMAILIO_FIND:
		on_find(k, c, result, a, now);
		break;
	case KAMAILIO_SET:
		on_set(k, c, result, a, now);
		break;
	case KAMAILIO_LOOK:
		on_look(k, c, result, a, now);
		break;
	case KAMAILIO_END:
		on_end(k, c, result, now);
		break;
	case KAMAILIO_ORDER: /* it may have been the last one of a resync */
		raise_marks(k, now);
		break;
	case KAMAILIO_FREE:
		break;
	}
}

void kamailio_mark_filled(struct kamailio *k, usec now)
{
	if (k->state != KAMAILIO_READY)
		return;
	k->filled = true;
	k->orders = k->calls.sequence;
	raise_marks(k, now);
}

void kamailio_mark_due(struct kamailio *k, usec now)
{
	if (k->state != KAMAILIO_READY)
		return;
	if (now >= k->look_due) {
		k->look_due = now + KAMAILIO_LOOK_EVERY;
		ask_mark(k, k->look, KAMAILIO_LOOK, now);
		k->look = (k->look + 1) % k->table_count;
	}
	raise_marks(k, now);
}

void kamailio_mark_end(struct kamailio *k, usec now)
{
	if (k->state != KAMAILIO_READY)
		return;
	/* Not a call under way that would set it again; orders mean nothing without. */
	kamailio_calls_forget_marks(&k->calls);
	k->state = KAMAILIO_ENDING;
	ask_mark(k, 0, KAMAILIO_END, now);
}
