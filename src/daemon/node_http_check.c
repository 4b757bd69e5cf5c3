/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/check: shall this call, packet or URI be blocked here? Asked by dialplans,
 * for each call: nothing is allocated on the way but by libmicrohttpd, and by what a
 * decision about a listed indicator needs.
 */
#include "daemon/node_http.h"

#include <microhttpd.h>
#include <stdio.h>

#include "base/units.h"
#include "indicator/number.h"

/* An outside line, an international prefix and a number have no more digits. */
#define DIALLED_MOST 24

/* What stands against the thing asked about. */
struct verdict {
	bool block;
	struct indicator
		indicator; /* that says so, or would; kind 0: nothing is listed */
	uint32_t until;
	const char *why;
	bool operators; /* an operator's own ban says so */
};

/* The longest listed prefix that blocks; else the longest listed, and why it does not. */
static void judge(struct verdict *v, const struct node *n, const struct indicator *i)
{
	struct indicator around[136];
	const size_t most = sizeof around / sizeof around[0];
	const struct ban *b = ban_table_around(n->bans, i, BAN_ALL);
	struct decision d;
	size_t count;

	if (b && b->until > node_now()) {
		bool operators = b->origin == BAN_OPERATOR;

		*v = (struct verdict){true, b->indicator, b->until,
			operators ? "operator" : "own-detection", operators};
		return;
	}
	if (!n->caught_up) /* a revocation may still be to come */
		return;
	count = registry_around(n->registry, i, around, most);
	for (size_t k = 0; k < count && k < most && !v->block; k++) {
		decide_learnt(&d, &n->config->policy, n->registry, n->allow, &around[k],
			node_now());
		if (d.block || !v->indicator.kind)
			*v = (struct verdict){
				d.block, around[k], d.until, why_name(d.why), false};
	}
}

/*
 * A part of what is asked about, unless what is allowed, protected or the site's own
 * spares it. That something is the site's own takes nothing from an operator's ban.
 */
static void judge_part(struct verdict *v, const struct node *n,
	const struct uri_parts *parts, enum uri_part part)
{
	struct verdict of_part = {.why = v->why};
	struct decision spared;

	if (parts->part[part].kind)
		judge(&of_part, n, &parts->part[part]);
	if (!of_part.indicator.kind)
		return;
	if (decide_spared(&spared, of_part.operators ? NULL : &n->config->policy,
		    n->registry, n->allow, parts, part, node_now())) {
		of_part.block = false;
		of_part.until = 0;
		of_part.why = why_name(spared.why);
	}
	if (of_part.block || !v->indicator.kind)
		*v = of_part;
}

/*
 * A call to a URI is one to its domain and to the number in it, too; a number that is
 * asked about alone is looked at as the one in a URI is.
 */
static void judge_call(struct verdict *v, const struct node *n, const struct indicator *i,
	const char *canonical)
{
	struct uri_parts parts = {.part = {{0}}};

	if (i->kind == INDICATOR_NUMBER)
		parts.part[URI_NUMBER] = *i;
	else if (i->kind == INDICATOR_URI)
		/* Asked by its hash, uri#..., it may have been published. */
		uri_parts(&parts, i, *canonical ? canonical : node_text(n, i));
	else
		parts.part[URI_ITSELF] = *i;
	for (enum uri_part k = URI_ITSELF; k < URI_PARTS && !v->block; k++)
		judge_part(v, n, &parts, k);
}

/*
 * Digits, with more behind them than any number has: exchanges take no notice of
 * those, and whoever dials a blocked prefix could add some.
 */
static void take_digits(struct indicator *out, struct view number, struct view more)
{
	char digits[NUMBER_DIGITS];
	size_t n = number.n < sizeof digits ? number.n : sizeof digits;
	size_t rest = more.n < sizeof digits - n ? more.n : sizeof digits - n;

	memcpy(digits, number.p, n);
	memcpy(digits + n, more.p, rest);
	indicator_from_digits(out, view_of(digits, n + rest));
}

/*
 * What a phone dialled here, read by [numbers]: kind 0 when that is no number, or
 * could be more than one; nothing that is listed is meant then.
 */
static void read_dialled(struct indicator *out, const struct node *n, const char *dialled)
{
	struct dialled_reading r;
	char head[DIALLED_MOST + 1];
	size_t length = strnlen(dialled, DIALLED_MOST);

	memset(out, 0, sizeof *out);
	do {
		memcpy(head, dialled, length);
		head[length] = 0;
		dialled_read(&r, numbers_plan(n->numbers), head);
	} while (r.reading == READ_INVALID && --length);
	if (r.digits[0] && r.reading != READ_AMBIGUOUS)
		take_digits(out, view_str(r.digits),
			view_of(dialled + length,
				strspn(dialled + length, "0123456789")));
}

/* "+97259...", " 97259..." ('+' as forms write it), or what was dialled: 0097259... */
static int parse_number(
	struct indicator *out, const struct node *n, const char *value, struct error *err)
{
	char text[64];
	size_t length = strlen(value);

	if (length > 48)
		return error_set(err, "a number has 15 digits at most");
	if (*value && value[strspn(value, "0123456789*#")] == 0) {
		read_dialled(out, n, value);
		return 0;
	}
	memcpy(text, value, length);
	if (*value == ' ')
		text[0] = '+';
	/* As of what is dialled: what is behind a whole number does not count. */
	if (text[0] == '+' && length > 1 + NUMBER_DIGITS &&
		value[1 + strspn(value + 1, "0123456789")] == 0)
		length = 1 + NUMBER_DIGITS;
	if (indicator_parse(out, NULL, view_of(text, length), err))
		return -1;
	return out->kind == INDICATOR_NUMBER ?
		0 :
		error_set(err,
			"is no number: write E.164 with its +, such as %%2B972599..., or what "
			"was dialled");
}

static int parse(struct indicator *out, char *canonical, const struct node *n,
	const char *name, const char *value, struct error *err)
{
	*canonical = '\0'; /* only a URI has such a text */
	if (!strcmp(name, "number"))
		return parse_number(out, n, value, err);
	if (indicator_parse(out, canonical, view_str(value), err))
		return -1;
	if (!strcmp(name, "uri"))
		return out->kind == INDICATOR_URI ? 0 : error_set(err, "is no SIP URI");
	return out->kind == INDICATOR_IP4 || out->kind == INDICATOR_IP6 ?
		0 :
		error_set(err, "is no address");
}

/* Of what is listed; `why` is one of ours. No format is read, for speed. */
static struct view listed_json(char text[400], const struct verdict *v, bool observe)
{
	char name[INDICATOR_TEXT], *at = text;

	at = stpcpy(at, "{\"block\":");
	at = stpcpy(at, v->block && !observe ? "true" : "false");
	at = stpcpy(at, ",\"indicator\":\"");
	at = stpcpy(at, indicator_print(name, &v->indicator));
	at = stpcpy(at, "\",\"until\":");
	at += decimal_put(at, v->until);
	at = stpcpy(at, ",\"why\":\"");
	at = stpcpy(at, v->why);
	at = stpcpy(at, v->block && observe ? "\",\"observe\":true}\n" : "\"}\n");
	return view_of(text, (size_t)(at - text));
}

_Static_assert(INDICATOR_TEXT + 200 < 400, "an answer fits");

static void answer(struct http_exchange *x, const struct node_call *call,
	const struct verdict *v, bool observe)
{
	char text[400];

	if (call->media == HTTP_TEXT) {
		http_answer(x, MHD_HTTP_OK, "text/plain; charset=utf-8",
			view_str(v->block && !observe ? "block\n" : "pass\n"));
		return;
	}
	http_answer(x, MHD_HTTP_OK, "application/json",
		v->indicator.kind ?
			listed_json(text, v, observe) :
			view_str("{\"block\":false,\"why\":\"not-listed\"}\n"));
}

void node_http_check(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	const struct http_target *target = http_request_target(x);
	struct verdict v = {.why = "not-listed"};
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	struct error err = {""};
	struct indicator i;

	if (target->count != 1) {
		node_http_refuse(x, call, MHD_HTTP_BAD_REQUEST, NULL,
			"ask for one of number, ip, uri");
		return;
	}
	if (parse(&i, canonical, n, target->parameters[0].name,
		    target->parameters[0].value, &err)) {
		node_http_refuse(x, call, MHD_HTTP_BAD_REQUEST,
			target->parameters[0].name, "%s", err.text);
		return;
	}
	if (i.kind)
		judge_call(&v, n, &i, canonical);
	answer(x, call, &v, n->config->node.observe);
}
