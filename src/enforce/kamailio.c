/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "enforce/kamailio_call.h"

#define LOOK_EVERY USEC_PER_SEC /* at one marker */

/* What Kamailio may think that a marker lives, and when it is set anew. */
#define MARKER_LIFE  86400U
#define MARKER_EVERY (3600 * USEC_PER_SEC)
#define MARKER_VALUE "here"

#define TABLES_MAX 4

/* Of an entry's seconds: they are an int there, added to the time of day. */
#define LIFE_MAX (UINT32_C(1) << 30)

struct table {
	char name[33];
	usec marked; /* its marker was set; monotonic */
};

enum state {
	AWAY = 0,
	PREPARING, /* sets and checks the tables' markers */
	READY,
	FAILED, /* closed() is waited for */
};

struct kamailio {
	struct pbx_hooks hooks;
	struct table tables[TABLES_MAX];
	unsigned table_count;
	/* By enum indicator_kind: 1 + index in tables, 0: not carried. */
	uint8_t table_of[INDICATOR_AGENT + 1];
	char marker[32];

	uint8_t state; /* enum state */
	struct kamailio_calls calls;
	unsigned look; /* the next table to look at, also while preparing */
	usec look_due;
	usec began; /* to prepare */
	bool full;  /* it refused an entry, and took none since */
	struct pbx_figures figures;
};

static struct kamailio *of(struct pbx *p)
{
	return (struct kamailio *)p;
}

static usec wall(const struct kamailio *k)
{
	return k->hooks.wall ? k->hooks.wall(k->hooks.context) : clock_wall();
}

static void put_marker(struct kamailio *k, unsigned table, uint8_t purpose, usec now)
{
	struct kamailio_call *c = kamailio_calls_free(&k->calls);

	if (!c)
		return; /* one is kept free: not while orders alone are under way */
	c->table = (uint8_t)table;
	kamailio_calls_put(&k->calls, c, purpose, k->tables[table].name, k->marker,
		purpose == KAMAILIO_MARK ? MARKER_VALUE : "", MARKER_LIFE, now);
}

/* --- what goes wrong --- */

static void fail(struct kamailio *k, bool refused, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void trouble(struct kamailio *k, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct kamailio *k, bool refused, const char *fmt, ...)
{
	char text[PBX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	kamailio_calls_forget(&k->calls);
	k->state = FAILED;
	k->hooks.failed(k->hooks.context, text, refused);
}

static void trouble(struct kamailio *k, const char *fmt, ...)
{
	char text[PBX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	k->hooks.trouble(k->hooks.context, text);
}

/* Why no marker stands in a table: what is wrong with the configuration. */
static void fail_table(struct kamailio *k, const struct table *t,
	enum kamailio_result result, const struct kamailio_answer *a)
{
	if (result == KAMAILIO_NO_METHOD)
		fail(k, true,
			"Kamailio has no module htable: its configuration needs "
			"loadmodule \"htable.so\" and the tables of SIPchain's "
			"include, and a restart");
	else if (result == KAMAILIO_NO_TABLE)
		fail(k, true,
			"no htable %s: kamailio.cfg needs modparam(\"htable\", "
			"\"htable\", \"%s=>size=14;autoexpire=86400;updateexpire=0;\") "
			"and a restart",
			t->name, t->name);
	else if (result == KAMAILIO_DONE) /* it stands there, with a wrong expiry */
		fail(k, true,
			"htable %s never forgets: write autoexpire into its modparam: "
			"\"%s=>size=14;autoexpire=86400;updateexpire=0;\", and restart",
			t->name, t->name);
	else
		fail(k, false, "Kamailio did not keep our marker in htable %s%s%s",
			t->name, a->text[0] ? ": " : "", a->text);
}

/* --- coming into step --- */

/* Nothing counts as standing any more: order all again when the tables are seen. */
static void prepare(struct kamailio *k, usec now)
{
	kamailio_calls_forget(&k->calls);
	k->state = PREPARING;
	k->look = 0;
	k->began = now;
	k->hooks.resync(k->hooks.context);
	put_marker(k, 0, KAMAILIO_MARK, now);
}

static void become_ready(struct kamailio *k, usec now)
{
	k->state = READY;
	k->look = 0;
	k->look_due = now + LOOK_EVERY;
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

static void on_mark(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct table *t = &k->tables[c->table];

	if (result != KAMAILIO_DONE) {
		fail_table(k, t, result, a);
		return;
	}
	t->marked = now;
	if (k->state == PREPARING)
		put_marker(k, c->table, KAMAILIO_LOOK, now);
}

static void on_look(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct table *t = &k->tables[c->table];
	bool stands = result == KAMAILIO_DONE && strcmp(a->value, MARKER_VALUE) == 0;

	if (k->state == READY) {
		if (!stands)
			prepare(k, now); /* restarted, or its tables flushed */
		else if (now - t->marked >= MARKER_EVERY)
			put_marker(k, c->table, KAMAILIO_MARK, now);
		return;
	}
	if (!stands || !expires(a->expire)) {
		fail_table(k, t, result, a);
		return;
	}
	k->look = c->table + 1u;
	if (k->look < k->table_count)
		put_marker(k, k->look, KAMAILIO_MARK, now);
	else
		become_ready(k, now);
}

static void on_order(struct kamailio *k, const struct ban_order *order,
	enum kamailio_result result, const struct kamailio_answer *a)
{
	bool done = result == KAMAILIO_DONE ||
		(result == KAMAILIO_NO_KEY && order->change == BAN_DELETE);
	char id[INDICATOR_TEXT];

	if (done) {
		k->figures.orders++;
		if (k->full && order->change == BAN_ADD) {
			k->full = false;
			k->hooks.trouble(k->hooks.context, "");
		}
	} else {
		k->figures.refusals++;
		k->full = true;
		trouble(k,
			"Kamailio refuses %s (%s): its shared memory may be full: start "
			"it with more, such as -m 256",
			pbx_id(id, &order->indicator), a->text);
	}
	k->hooks.done(k->hooks.context, order, done);
}

/* --- the interface --- */

static int set_table(
	struct kamailio *k, unsigned kind, const char *name, struct error *err)
{
	if (!name || !name[0])
		return 0;
	if (!kamailio_table_name(name))
		return error_set(err,
			"\"%s\" is no name of an htable: write letters, digits and '_', "
			"at most 32",
			escaped(view_str(name)));
	for (unsigned i = 0; i < k->table_count && !k->table_of[kind]; i++)
		if (strcmp(k->tables[i].name, name) == 0)
			k->table_of[kind] = (uint8_t)(i + 1);
	if (k->table_of[kind])
		return 0;
	snprintf(k->tables[k->table_count].name, sizeof k->tables[0].name, "%s", name);
	k->table_of[kind] = (uint8_t)++k->table_count;
	return 0;
}

static struct pbx *kamailio_open(
	const struct pbx_config *config, const struct pbx_hooks *hooks, struct error *err)
{
	struct kamailio *k = calloc(1, sizeof *k);

	if (!k) {
		error_set(err, "out of memory");
		return NULL;
	}
	k->hooks = *hooks;
	k->calls.seed = config->seed;
	if (set_table(k, INDICATOR_NUMBER, config->table_number, err) ||
		set_table(k, INDICATOR_URI, config->table_uri, err) ||
		set_table(k, INDICATOR_DOMAIN, config->table_domain, err) ||
		set_table(k, INDICATOR_IP4, config->table_address, err) ||
		set_table(k, INDICATOR_IP6, config->table_address, err))
		goto fail;
	if (!k->table_count) {
		error_set(err, "no htable is named: nothing could be blocked there");
		goto fail;
	}
	snprintf(k->marker, sizeof k->marker, "sipchain-%016llx",
		(unsigned long long)kamailio_calls_draw(&k->calls));
	return (struct pbx *)k;
fail:
	free(k);
	return NULL;
}

static void kamailio_free(struct pbx *p)
{
	free(p);
}

static void kamailio_connected(struct pbx *p, usec now)
{
	prepare(of(p), now);
}

static void kamailio_received(struct pbx *p, struct view bytes, usec now)
{
	struct kamailio *k = of(p);
	struct kamailio_answer a;
	enum kamailio_result result;
	struct kamailio_call call;

	if (k->state == FAILED)
		return;
	k->figures.messages++;
	result = kamailio_answer(&a, bytes);
	if (result == KAMAILIO_NONSENSE || !kamailio_calls_take(&k->calls, &call, a.id)) {
		k->figures.discarded++; /* a second answer, or not Kamailio's */
		return;
	}
	if (call.purpose == KAMAILIO_ORDER)
		on_order(k, &call.order, result, &a);
	else if (call.purpose == KAMAILIO_MARK)
		on_mark(k, &call, result, &a, now);
	else
		on_look(k, &call, result, &a, now);
}

static void kamailio_closed(struct pbx *p, usec now)
{
	(void)now;
	kamailio_calls_forget(&of(p)->calls);
	of(p)->state = AWAY;
}

/* An order that no call is made of. */
static void refuse(struct kamailio *k, const struct ban_order *order)
{
	char id[INDICATOR_TEXT];

	k->figures.refusals++;
	if (order->indicator.kind <= INDICATOR_AGENT &&
		k->table_of[order->indicator.kind])
		trouble(k,
			"%s is not looked up in Kamailio: addresses are, and of IPv4 "
			"prefixes of 16 and 24 bits; it stands in the firewall alone",
			pbx_id(id, &order->indicator));
	k->hooks.done(k->hooks.context, order, false);
}

static size_t kamailio_order(
	struct pbx *p, const struct ban_order *orders, size_t n, usec now)
{
	struct kamailio *k = of(p);
	unsigned busy = kamailio_calls_orders(&k->calls);
	uint32_t today;
	size_t taken = 0;

	if (k->state != READY)
		return 0;
	today = (uint32_t)(wall(k) / USEC_PER_SEC);
	for (; taken < n && busy < KAMAILIO_WINDOW - 1; taken++) {
		const struct ban_order *o = &orders[taken];
		uint8_t kind = o->indicator.kind;
		unsigned table = kind <= INDICATOR_AGENT ? k->table_of[kind] : 0;
		char key[64], id[INDICATOR_TEXT];
		bool add = o->change == BAN_ADD && o->until > today;
		uint32_t life = add ? o->until - today : 0;
		struct kamailio_call *c = kamailio_calls_free(&k->calls);

		/* Sent again after a lost answer, an older one would overtake it. */
		if (kamailio_calls_about(&k->calls, &o->indicator) || !c)
			break;
		if (!table || !kamailio_key(key, &o->indicator)) {
			refuse(k, o);
			continue;
		}
		c->order = *o;
		/* What is over is taken off: it may stand there with a later end. */
		kamailio_calls_put(&k->calls, c, KAMAILIO_ORDER,
			k->tables[table - 1].name, key,
			add ? pbx_id(id, &o->indicator) : NULL,
			life < LIFE_MAX ? life : LIFE_MAX, now);
		busy++;
	}
	return taken;
}

static bool kamailio_next(struct pbx *p, struct view *bytes)
{
	return kamailio_calls_next(&of(p)->calls, bytes);
}

static void kamailio_sent(struct pbx *p, size_t n)
{
	(void)n; /* a datagram: all of it */
	kamailio_calls_sent(&of(p)->calls);
}

static usec kamailio_due(struct pbx *p, usec now)
{
	const unsigned seconds = (unsigned)(KAMAILIO_GIVE_UP / USEC_PER_SEC);
	struct kamailio *k = of(p);
	bool taken;
	usec next;

	if (k->state == AWAY || k->state == FAILED)
		return 0;
	if (k->state == READY && now >= k->look_due) {
		k->look_due = now + LOOK_EVERY;
		put_marker(k, k->look, KAMAILIO_LOOK, now);
		k->look = (k->look + 1) % k->table_count;
	}
	next = kamailio_calls_due(&k->calls, now, &taken);
	if (!next && taken)
		fail(k, false,
			"Kamailio has not answered for %u s: its process for JSON-RPC "
			"hangs, or it may not write to our socket",
			seconds);
	else if (!next)
		fail(k, false,
			"Kamailio has taken nothing from its socket for %u s: its "
			"process for JSON-RPC hangs",
			seconds);
	else if (k->state == READY && k->look_due < next)
		next = k->look_due;
	return next;
}

static void kamailio_compare(struct pbx *p, usec now)
{
	if (of(p)->state == READY)
		prepare(of(p), now);
}

static void kamailio_figures(const struct pbx *p, struct pbx_figures *out)
{
	const struct kamailio *k = (const struct kamailio *)p;

	*out = k->figures;
	out->in_flight = kamailio_calls_orders(&k->calls);
}

const struct pbx_ops pbx_kamailio = {
	.type = "kamailio",
	.way = PBX_DATAGRAM,
	.kinds = PBX_KIND(INDICATOR_IP4) | PBX_KIND(INDICATOR_IP6) |
		PBX_KIND(INDICATOR_NUMBER) | PBX_KIND(INDICATOR_URI) |
		PBX_KIND(INDICATOR_DOMAIN),
	.expires = true,
	.open = kamailio_open,
	.free = kamailio_free,
	.connected = kamailio_connected,
	.received = kamailio_received,
	.closed = kamailio_closed,
	.order = kamailio_order,
	.next = kamailio_next,
	.sent = kamailio_sent,
	.due = kamailio_due,
	.compare = kamailio_compare,
	.figures = kamailio_figures,
};
