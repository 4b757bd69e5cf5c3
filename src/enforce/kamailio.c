/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/kamailio.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"

/* A call without an answer is sent again after, and given up after. */
#define RESEND_AFTER USEC_PER_SEC
#define GIVE_UP      (5 * USEC_PER_SEC)

#define LOOK_EVERY USEC_PER_SEC /* at one marker */

/* What Kamailio may think that a marker lives, and when it is set anew. */
#define MARKER_LIFE  86400U
#define MARKER_EVERY (3600 * USEC_PER_SEC)
#define MARKER_VALUE "here"

#define TABLES_MAX 4

/* Of an entry's seconds: they are an int there, added to the time of day. */
#define LIFE_MAX (UINT32_C(1) << 30)

enum purpose {
	FREE = 0,
	ORDER,
	MARK, /* set a table's marker */
	LOOK, /* and see whether it stands */
};

struct call {
	uint8_t purpose; /* enum purpose */
	uint8_t table;   /* index, of MARK and LOOK */
	bool unsent;
	bool taken; /* it was sent once at least */
	uint64_t sequence; /* calls leave in this order */
	usec asked;        /* first */
	usec again;        /* when it is sent again */
	struct ban_order order;
	char id[20];
	size_t n;
	char text[352];
};

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
	struct hash_key seed;
	struct table tables[TABLES_MAX];
	unsigned table_count;
	/* By enum indicator_kind: 1 + index in tables, 0: not carried. */
	uint8_t table_of[INDICATOR_AGENT + 1];
	char marker[32];

	uint8_t state; /* enum state */
	struct call calls[KAMAILIO_WINDOW];
	uint64_t drawn, sequence;
	unsigned look; /* the next table to look at, also while preparing */
	usec look_due;
	usec began; /* to prepare */
	struct call *next;
	bool full; /* it refused an entry, and took none since */
	struct pbx_figures figures;
};

static struct kamailio *of(struct pbx *p)
{
	return (struct kamailio *)p;
}

static uint64_t draw(struct kamailio *k)
{
	k->drawn++;
	return hash_bytes(&k->seed, &k->drawn, sizeof k->drawn);
}

static usec wall(const struct kamailio *k)
{
	return k->hooks.wall ? k->hooks.wall(k->hooks.context) : clock_wall();
}

/* --- calls --- */

static struct call *free_call(struct kamailio *k)
{
	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++)
		if (k->calls[i].purpose == FREE)
			return &k->calls[i];
	return NULL;
}

static unsigned in_flight(const struct kamailio *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++)
		n += k->calls[i].purpose == ORDER;
	return n;
}

static void forget_calls(struct kamailio *k)
{
	memset(k->calls, 0, sizeof k->calls);
	k->next = NULL;
}

/*
 * Queue a call. value NULL: htable.delete; "": htable.get. All texts are our
 * own and need no escaping: names of tables, keys, ids of entries.
 */
static void put_call(struct kamailio *k, struct call *c, uint8_t purpose,
	const char *table, const char *key, const char *value, uint32_t life, usec now)
{
	int n;

	c->purpose = purpose;
	c->unsent = true;
	c->taken = false;
	c->sequence = k->sequence++;
	c->asked = now;
	c->again = now + RESEND_AFTER;
	snprintf(c->id, sizeof c->id, "%016llx", (unsigned long long)draw(k));
	if (value && value[0])
		n = snprintf(c->text, sizeof c->text,
			"{\"jsonrpc\":\"2.0\",\"method\":\"htable.setxs\",\"params\":"
			"[\"%s\",\"%s\",\"%s\",%u],\"id\":\"%s\"}",
			table, key, value, life, c->id);
	else
		n = snprintf(c->text, sizeof c->text,
			"{\"jsonrpc\":\"2.0\",\"method\":\"htable.%s\",\"params\":"
			"[\"%s\",\"%s\"],\"id\":\"%s\"}",
			value ? "get" : "delete", table, key, c->id);
	c->n = (size_t)n;
}

static void put_marker(struct kamailio *k, unsigned table, uint8_t purpose, usec now)
{
	struct call *c = free_call(k);

	if (!c)
		return; /* one is kept free: not while orders alone are under way */
	c->table = (uint8_t)table;
	put_call(k, c, purpose, k->tables[table].name, k->marker,
		purpose == MARK ? MARKER_VALUE : "", MARKER_LIFE, now);
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
	forget_calls(k);
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
	forget_calls(k);
	k->state = PREPARING;
	k->look = 0;
	k->began = now;
	k->hooks.resync(k->hooks.context);
	put_marker(k, 0, MARK, now);
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

static void on_mark(struct kamailio *k, const struct call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct table *t = &k->tables[c->table];

	if (result != KAMAILIO_DONE) {
		fail_table(k, t, result, a);
		return;
	}
	t->marked = now;
	if (k->state == PREPARING)
		put_marker(k, c->table, LOOK, now);
}

static void on_look(struct kamailio *k, const struct call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now)
{
	struct table *t = &k->tables[c->table];
	bool stands = result == KAMAILIO_DONE && strcmp(a->value, MARKER_VALUE) == 0;

	if (k->state == READY) {
		if (!stands)
			prepare(k, now); /* restarted, or its tables flushed */
		else if (now - t->marked >= MARKER_EVERY)
			put_marker(k, c->table, MARK, now);
		return;
	}
	if (!stands || !expires(a->expire)) {
		fail_table(k, t, result, a);
		return;
	}
	k->look = c->table + 1u;
	if (k->look < k->table_count)
		put_marker(k, k->look, MARK, now);
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

static int set_table(struct kamailio *k, unsigned kind, const char *name,
	struct error *err)
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

static struct pbx *kamailio_open(const struct pbx_config *config,
	const struct pbx_hooks *hooks, struct error *err)
{
	struct kamailio *k = calloc(1, sizeof *k);

	if (!k) {
		error_set(err, "out of memory");
		return NULL;
	}
	k->hooks = *hooks;
	k->seed = config->seed;
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
		(unsigned long long)draw(k));
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
	struct call *c = NULL, call;

	if (k->state == FAILED)
		return;
	k->figures.messages++;
	result = kamailio_answer(&a, bytes);
	for (unsigned i = 0; a.id[0] && i < KAMAILIO_WINDOW; i++)
		if (k->calls[i].purpose != FREE && strcmp(k->calls[i].id, a.id) == 0)
			c = &k->calls[i];
	if (!c || result == KAMAILIO_NONSENSE) {
		k->figures.discarded++; /* a second answer, or not Kamailio's */
		return;
	}
	call = *c;
	c->purpose = FREE;
	if (k->next == c)
		k->next = NULL;
	if (call.purpose == ORDER)
		on_order(k, &call.order, result, &a);
	else if (call.purpose == MARK)
		on_mark(k, &call, result, &a, now);
	else
		on_look(k, &call, result, &a, now);
}

static void kamailio_closed(struct pbx *p, usec now)
{
	(void)now;
	forget_calls(of(p));
	of(p)->state = AWAY;
}

/*
 * Whether a call for this indicator is under way: sent again after a lost answer
 * it could overtake a newer one.
 */
static bool under_way(const struct kamailio *k, const struct indicator *i)
{
	for (unsigned j = 0; j < KAMAILIO_WINDOW; j++)
		if (k->calls[j].purpose == ORDER &&
			memcmp(&k->calls[j].order.indicator, i, sizeof *i) == 0)
			return true;
	return false;
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
	unsigned busy = in_flight(k);
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
		struct call *c = free_call(k);

		if (under_way(k, &o->indicator) || !c)
			break;
		if (!table || !kamailio_key(key, &o->indicator)) {
			refuse(k, o);
			continue;
		}
		c->order = *o;
		/* What is over is taken off: it may stand there with a later end. */
		put_call(k, c, ORDER, k->tables[table - 1].name, key,
			add ? pbx_id(id, &o->indicator) : NULL,
			life < LIFE_MAX ? life : LIFE_MAX, now);
		busy++;
	}
	return taken;
}

static bool kamailio_next(struct pbx *p, struct view *bytes)
{
	struct kamailio *k = of(p);

	k->next = NULL;
	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++) {
		struct call *c = &k->calls[i];

		if (c->purpose != FREE && c->unsent &&
			(!k->next || c->sequence < k->next->sequence))
			k->next = c;
	}
	if (!k->next)
		return false;
	*bytes = view_of(k->next->text, k->next->n);
	return true;
}

static void kamailio_sent(struct pbx *p, size_t n)
{
	struct kamailio *k = of(p);

	(void)n;
	if (k->next) {
		k->next->unsent = false;
		k->next->taken = true;
	}
	k->next = NULL;
}

/* Look after one call. Returns false when it is given up. */
static bool attend(struct kamailio *k, struct call *c, usec now)
{
	if (now - c->asked >= GIVE_UP) {
		if (!c->taken)
			fail(k, false,
				"Kamailio has taken nothing from its socket for %u s: "
				"its process for JSON-RPC hangs",
				(unsigned)(GIVE_UP / USEC_PER_SEC));
		else
			fail(k, false,
				"Kamailio has not answered for %u s: its process for "
				"JSON-RPC hangs, or it may not write to our socket",
				(unsigned)(GIVE_UP / USEC_PER_SEC));
		return false;
	}
	if (now >= c->again) {
		c->again = now + RESEND_AFTER;
		c->unsent = true; /* in its old place: before all that came later */
	}
	return true;
}

static usec kamailio_due(struct pbx *p, usec now)
{
	struct kamailio *k = of(p);
	usec next = k->look_due;

	if (k->state == AWAY || k->state == FAILED)
		return 0;
	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++)
		if (k->calls[i].purpose != FREE && !attend(k, &k->calls[i], now))
			return 0;
	if (k->state == READY && now >= k->look_due) {
		k->look_due = next = now + LOOK_EVERY;
		put_marker(k, k->look, LOOK, now);
		k->look = (k->look + 1) % k->table_count;
	}
	if (k->state == PREPARING)
		next = UINT64_MAX;
	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++)
		if (k->calls[i].purpose != FREE && k->calls[i].again < next)
			next = k->calls[i].again;
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
	out->in_flight = in_flight(k);
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
