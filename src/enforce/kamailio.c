/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "enforce/kamailio_state.h"

/* Of an entry's seconds: they are an int there, added to the time of day. */
#define LIFE_MAX (UINT32_C(1) << 30)

static struct kamailio *of(struct pbx *p)
{
	return (struct kamailio *)p;
}

usec kamailio_wall(const struct kamailio *k)
{
	return k->hooks.wall ? k->hooks.wall(k->hooks.context) : clock_wall();
}

/* --- what goes wrong --- */

void kamailio_fail(struct kamailio *k, bool refused, const char *fmt, ...)
{
	char text[PBX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	kamailio_calls_forget(&k->calls);
	k->state = KAMAILIO_GIVEN_UP;
	k->hooks.failed(k->hooks.context, text, refused);
}

static void trouble(struct kamailio *k, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void trouble(struct kamailio *k, const char *fmt, ...)
{
	char text[PBX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	k->hooks.trouble(k->hooks.context, text);
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
	kamailio_prepare(of(p), now);
}

static void kamailio_received(struct pbx *p, struct view bytes, usec now)
{
	struct kamailio *k = of(p);
	struct kamailio_answer a;
	enum kamailio_result result;
	struct kamailio_call call;

	if (k->state == KAMAILIO_GIVEN_UP)
		return;
	k->figures.messages++;
	result = kamailio_answer(&a, bytes);
	if (result == KAMAILIO_NONSENSE || !kamailio_calls_take(&k->calls, &call, a.id)) {
		k->figures.discarded++; /* a second answer, or not Kamailio's */
		return;
	}
	if (call.purpose == KAMAILIO_ORDER)
		on_order(k, &call.order, result, &a);
	kamailio_mark_answered(k, &call, result, &a, now);
}

static void kamailio_closed(struct pbx *p, usec now)
{
	(void)now;
	kamailio_calls_forget(&of(p)->calls);
	of(p)->state = KAMAILIO_AWAY;
}

/* An order that no call is made of: its owner should have known. */
static void refuse(struct kamailio *k, const struct ban_order *order)
{
	k->figures.refusals++;
	k->hooks.done(k->hooks.context, order, false);
}

/* An entry's value. */
static const char *value_of(char dst[KAMAILIO_VALUE_MAX], const struct kamailio_table *t,
	const struct indicator *i)
{
	char id[INDICATOR_TEXT];

	snprintf(dst, KAMAILIO_VALUE_MAX, "%09u%s", t->mark.top % (KAMAILIO_LAST + 1),
		pbx_id(id, i));
	return dst;
}

static size_t kamailio_order(
	struct pbx *p, const struct ban_order *orders, size_t n, usec now)
{
	struct kamailio *k = of(p);
	unsigned busy = kamailio_calls_orders(&k->calls);
	uint32_t today;
	size_t taken = 0;

	if (k->state != KAMAILIO_READY && k->state != KAMAILIO_ENDED)
		return 0;
	today = (uint32_t)(kamailio_wall(k) / USEC_PER_SEC);
	for (; taken < n && busy < KAMAILIO_WINDOW - 1; taken++) {
		const struct ban_order *o = &orders[taken];
		uint8_t kind = o->indicator.kind;
		unsigned table = kind <= INDICATOR_AGENT ? k->table_of[kind] : 0;
		char key[64], value[KAMAILIO_VALUE_MAX];
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
			add ? value_of(value, &k->tables[table - 1], &o->indicator) :
			      NULL,
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

	if (k->state == KAMAILIO_AWAY || k->state == KAMAILIO_GIVEN_UP)
		return 0;
	kamailio_mark_due(k, now);
	next = kamailio_calls_due(&k->calls, now, &taken);
	if (!next && taken)
		kamailio_fail(k, false,
			"Kamailio has not answered for %u s: its process for JSON-RPC "
			"hangs, or it may not write to our socket",
			seconds);
	else if (!next)
		kamailio_fail(k, false,
			"Kamailio has taken nothing from its socket for %u s: its "
			"process for JSON-RPC hangs",
			seconds);
	else if (k->state == KAMAILIO_READY && k->look_due < next)
		next = k->look_due;
	return next;
}

static void kamailio_compare(struct pbx *p, usec now)
{
	if (of(p)->state == KAMAILIO_READY)
		kamailio_prepare(of(p), now);
}

static void kamailio_filled(struct pbx *p, usec now)
{
	kamailio_mark_filled(of(p), now);
}

static void kamailio_clear(struct pbx *p, usec now)
{
	kamailio_mark_end(of(p), now);
}

static bool kamailio_carries(const struct indicator *i)
{
	char key[64];

	return kamailio_key(key, i) != NULL;
}

static void kamailio_figures(const struct pbx *p, struct pbx_figures *out)
{
	const struct kamailio *k = (const struct kamailio *)p;

	*out = k->figures;
	out->resent = k->calls.resent;
	out->in_flight = kamailio_calls_orders(&k->calls);
}

const struct pbx_ops pbx_kamailio = {
	.type = "kamailio",
	.way = PBX_DATAGRAM,
	.kinds = PBX_KIND(INDICATOR_IP4) | PBX_KIND(INDICATOR_IP6) |
		PBX_KIND(INDICATOR_NUMBER) | PBX_KIND(INDICATOR_URI) |
		PBX_KIND(INDICATOR_DOMAIN),
	.carries = kamailio_carries,
	.expires = true,
	.open = kamailio_open,
	.free = kamailio_free,
	.connected = kamailio_connected,
	.received = kamailio_received,
	.closed = kamailio_closed,
	.order = kamailio_order,
	.filled = kamailio_filled,
	.clear = kamailio_clear,
	.next = kamailio_next,
	.sent = kamailio_sent,
	.due = kamailio_due,
	.compare = kamailio_compare,
	.figures = kamailio_figures,
};
