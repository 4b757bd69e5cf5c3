/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/hook.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/escape.h"
#include "enforce/ban_table.h"
#include "indicator/number.h"
#include "indicator/word.h"

/* No line that we write is longer. */
#define OUT_LINE_MAX 512

struct waiting {
	struct ban_order order;
	uint64_t id;
	uint64_t end; /* of its line in all that was queued since connected() */
};

struct hook {
	struct pbx_hooks hooks;
	char name[64];
	bool connected, failed;
	bool resync; /* resync-begin was said, resync-end not yet */

	struct buffer out;
	uint64_t queued, written; /* bytes since connected() */
	bool moved;               /* some were written since the last due() */
	usec progress;            /* when that was, or when the first began to wait */
	usec began;               /* the resync */
	uint64_t ends;            /* of the line resync-end, as waiting's */

	struct waiting waiting[HOOK_WINDOW];
	size_t head, count;
	uint64_t id;

	char line[HOOK_LINE_MAX];
	size_t line_n;
	bool overlong;
	usec second; /* since when these count */
	unsigned lines, hits;

	struct pbx_figures figures;
};

static struct hook *of(struct pbx *p)
{
	return (struct hook *)p;
}

static void fail(struct hook *h, const char *why)
{
	h->failed = true;
	h->count = 0;
	h->hooks.failed(h->hooks.context, why, false);
}

/* --- to the program --- */

static void put_line(struct hook *h, const char *text, size_t n, usec now)
{
	/* The program has had nothing to read: it is not slow with this. */
	if (!h->out.n)
		h->progress = now;
	if (buffer_put(&h->out, text, n) == 0)
		h->queued += n;
}

/*
 * Nothing in a line needs JSON's escapes: printed indicators, names of our own
 * tables, the connector's (letters, digits, '_', '-', '.').
 */
static void put_order(struct hook *h, const struct ban_order *o, usec now)
{
	char text[INDICATOR_TEXT], digits[NUMBER_DIGITS + 1], line[OUT_LINE_MAX];
	bool add = o->change == BAN_ADD;
	size_t n;

	n = (size_t)snprintf(line, sizeof line,
		"{\"op\":\"%s\",\"id\":%llu,\"indicator\":\"%s\",\"kind\":\"%s\"",
		add ? "add" : "delete", (unsigned long long)h->id,
		pbx_id(text, &o->indicator), indicator_kind_name(o->indicator.kind));
	if (o->indicator.kind == INDICATOR_NUMBER &&
		number_digits(digits, &o->indicator) > 0)
		n += (size_t)snprintf(line + n, sizeof line - n,
			",\"digits\":\"%s\",\"prefix\":%s", digits,
			o->indicator.plen == 128 ? "false" : "true");
	if (add)
		n += (size_t)snprintf(line + n, sizeof line - n,
			",\"until\":%u,\"category\":\"%s\",\"origin\":\"%s\"", o->until,
			category_name(o->category), ban_origin_name(o->origin));
	n += (size_t)snprintf(line + n, sizeof line - n, "}\n");
	put_line(h, line, n, now);
}

static void begin_resync(struct hook *h, usec now)
{
	char line[OUT_LINE_MAX];
	int n;

	h->count = 0; /* what waits is written all the same, and comes again */
	h->resync = true;
	h->began = now;
	h->ends = 0;
	n = snprintf(line, sizeof line,
		"{\"op\":\"resync-begin\",\"version\":1,\"connector\":\"%s\"}\n",
		h->name);
	put_line(h, line, (size_t)n, now);
	h->hooks.resync(h->hooks.context);
	h->figures.resyncs++;
	h->figures.sessions++;
	h->hooks.ready(h->hooks.context);
}

/* --- from the program --- */

static void text_of(char *dst, size_t size, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	dst[0] = '\0';
	if (json_is_string(v))
		pbx_hit_text(
			dst, size, view_of(json_string_value(v), json_string_length(v)));
}

static bool on_hit(struct hook *h, const json_t *o)
{
	char source[80], indicator[INDICATOR_TEXT];
	struct pbx_hit hit;

	memset(&hit, 0, sizeof hit);
	text_of(hit.number, sizeof hit.number, o, "number");
	text_of(hit.dialled, sizeof hit.dialled, o, "dialled");
	text_of(hit.account, sizeof hit.account, o, "account");
	text_of(source, sizeof source, o, "source");
	text_of(indicator, sizeof indicator, o, "indicator");
	if (source[0] &&
		address_port_parse(
			&hit.source, &hit.source_port, view_str(source), 0, NULL))
		memset(&hit.source, 0, sizeof hit.source);
	if (pbx_id_parse(&hit.indicator, view_str(indicator)) && !hit.number[0])
		return false; /* a hit on nothing */
	h->figures.hits++;
	h->hooks.hit(h->hooks.context, &hit);
	return true;
}

static bool on_failed(struct hook *h, const json_t *o, json_int_t id)
{
	char why[120], text[PBX_TEXT], name[INDICATOR_TEXT] = "";

	if (id < 1 || (uint64_t)id > h->id)
		return false;
	for (size_t i = 0; i < HOOK_WINDOW; i++)
		if (h->waiting[i].id == (uint64_t)id)
			pbx_id(name, &h->waiting[i].order.indicator);
	text_of(why, sizeof why, o, "why");
	snprintf(text, sizeof text, "the program could not do %s: %s",
		name[0] ? name : "an order", why[0] ? why : "it does not say why");
	h->figures.refusals++;
	h->hooks.trouble(h->hooks.context, text);
	return true;
}

static bool on_object(struct hook *h, const json_t *o)
{
	const json_t *v;

	v = json_object_get(o, "hit");
	if (json_is_object(v))
		return h->hits++ < HOOK_HITS_MAX && on_hit(h, v);
	v = json_object_get(o, "failed");
	if (json_is_integer(v))
		return on_failed(h, o, json_integer_value(v));
	v = json_object_get(o, "done");
	return json_is_integer(v) && json_integer_value(v) > 0 &&
		(uint64_t)json_integer_value(v) <= h->id;
}

static void on_line(struct hook *h)
{
	json_t *o;

	h->figures.messages++;
	if (h->lines++ >= HOOK_LINES_MAX) {
		h->figures.discarded++;
		return;
	}
	o = json_loadb(h->line, h->line_n, JSON_REJECT_DUPLICATES, NULL);
	if (!o || !on_object(h, o))
		h->figures.discarded++;
	json_decref(o);
}

/* --- the interface --- */

static struct pbx *hook_open(
	const struct pbx_config *config, const struct pbx_hooks *hooks, struct error *err)
{
	struct hook *h = calloc(1, sizeof *h);

	if (!h) {
		error_set(err, "out of memory");
		return NULL;
	}
	h->hooks = *hooks;
	h->out.max = HOOK_OUT_MAX;
	for (size_t i = 0, n = 0; config->name && config->name[i]; i++) {
		char c = config->name[i];

		if (n + 1 < sizeof h->name && c > ' ' && c < 0x7f && c != '"' &&
			c != '\\')
			h->name[n++] = c;
	}
	return (struct pbx *)h;
}

static void hook_free(struct pbx *p)
{
	if (!p)
		return;
	buffer_free(&of(p)->out);
	free(p);
}

static void hook_connected(struct pbx *p, usec now)
{
	struct hook *h = of(p);

	buffer_consume(&h->out, h->out.n);
	h->connected = true;
	h->failed = false;
	h->queued = h->written = h->ends = 0;
	h->line_n = 0;
	h->overlong = false;
	h->progress = now;
	begin_resync(h, now);
}

static void hook_received(struct pbx *p, struct view bytes, usec now)
{
	struct hook *h = of(p);

	if (now - h->second >= USEC_PER_SEC) {
		h->second = now;
		h->lines = h->hits = 0;
	}
	while (bytes.n && !h->failed) {
		size_t n = view_find(bytes, '\n');
		bool whole = n < bytes.n;

		if (n > sizeof h->line - h->line_n)
			h->overlong = true;
		if (!h->overlong && n) {
			memcpy(h->line + h->line_n, bytes.p, n);
			h->line_n += n;
		}
		bytes = view_from(bytes, n + 1);
		if (!whole)
			return;
		if (h->overlong) {
			h->figures.messages++;
			h->figures.discarded++;
		} else if (h->line_n) {
			on_line(h);
		}
		h->line_n = 0;
		h->overlong = false;
	}
}

static void hook_closed(struct pbx *p, usec now)
{
	struct hook *h = of(p);

	(void)now;
	h->connected = false;
	h->count = 0;
	buffer_consume(&h->out, h->out.n);
}

static size_t hook_order(
	struct pbx *p, const struct ban_order *orders, size_t n, usec now)
{
	struct hook *h = of(p);
	size_t taken = 0;

	if (!h->connected || h->failed)
		return 0;
	while (taken < n && h->count < HOOK_WINDOW &&
		h->out.n + OUT_LINE_MAX <= HOOK_OUT_MAX) {
		struct waiting *w = &h->waiting[(h->head + h->count++) % HOOK_WINDOW];

		w->order = orders[taken++];
		w->id = ++h->id;
		put_order(h, &w->order, now);
		w->end = h->queued;
	}
	return taken;
}

static bool hook_next(struct pbx *p, struct view *bytes)
{
	struct hook *h = of(p);

	*bytes = view_of(h->out.p, h->out.n);
	return h->connected && !h->failed && h->out.n;
}

static void hook_sent(struct pbx *p, size_t n)
{
	struct hook *h = of(p);

	buffer_consume(&h->out, n);
	h->written += n;
	h->moved = n > 0;
}

/* Answer the orders that the stream has taken. */
static void answer(struct hook *h)
{
	while (h->count && h->waiting[h->head].end <= h->written) {
		struct ban_order order = h->waiting[h->head].order;

		h->head = (h->head + 1) % HOOK_WINDOW;
		h->count--;
		h->figures.orders++;
		h->hooks.done(h->hooks.context, &order, true);
	}
}

static usec hook_due(struct pbx *p, usec now)
{
	struct hook *h = of(p);

	if (!h->connected || h->failed)
		return 0;
	if (h->moved || !h->out.n)
		h->progress = now;
	h->moved = false;
	answer(h);
	if (h->out.n && now - h->progress >= HOOK_STALL) {
		fail(h,
			"the program has not read its standard input for 30 s; it is "
			"started again");
		return 0;
	}
	if (h->ends && h->written >= h->ends) {
		h->ends = 0;
		h->figures.resync_took = now - h->began;
	}
	return h->out.n ? h->progress + HOOK_STALL : 0;
}

/* The last order of the resync was taken: its line is the last in the stream. */
static void hook_filled(struct pbx *p, usec now)
{
	static const char end[] = "{\"op\":\"resync-end\"}\n";
	struct hook *h = of(p);

	if (!h->connected || h->failed || !h->resync)
		return;
	h->resync = false;
	put_line(h, end, sizeof end - 1, now);
	h->ends = h->queued;
}

static void hook_compare(struct pbx *p, usec now)
{
	struct hook *h = of(p);

	if (h->connected && !h->failed)
		begin_resync(h, now);
}

static void hook_figures(const struct pbx *p, struct pbx_figures *out)
{
	const struct hook *h = (const struct hook *)p;

	*out = h->figures;
	out->in_flight = (uint32_t)h->count;
}

const struct pbx_ops pbx_hook = {
	.type = "hook",
	.way = PBX_PROGRAM,
	.kinds = PBX_KIND(INDICATOR_IP4) | PBX_KIND(INDICATOR_IP6) |
		PBX_KIND(INDICATOR_NUMBER) | PBX_KIND(INDICATOR_URI) |
		PBX_KIND(INDICATOR_DOMAIN) | PBX_KIND(INDICATOR_AGENT),
	.expires = false,
	.open = hook_open,
	.free = hook_free,
	.connected = hook_connected,
	.received = hook_received,
	.closed = hook_closed,
	.order = hook_order,
	.filled = hook_filled,
	.next = hook_next,
	.sent = hook_sent,
	.due = hook_due,
	.compare = hook_compare,
	.figures = hook_figures,
};
