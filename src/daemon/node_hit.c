/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node_hit.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/node.h"

#define TOLD  20 /* one by one, in .. */
#define EVERY USEC_PER_SEC

/* Whether it is told; if not it is counted. */
static bool told(struct hit_limit *l)
{
	usec now = clock_monotonic();

	if (now - l->since >= EVERY) {
		l->since = now;
		l->told = 0;
	}
	if (l->told == TOLD) {
		l->untold++;
		return false;
	}
	l->told++;
	return true;
}

void node_hit(struct node *n, const char *connector, const char *sensor,
	struct hit_limit *limit, const struct pbx_hit *hit)
{
	const struct indicator *i = hit->indicator.kind ? &hit->indicator : NULL;
	const char *by = connector[0] ? connector : sensor;
	const char *dialled = hit->dialled[0] ? hit->dialled : hit->number;
	char source[ADDRESS_TEXT] = "", id[INDICATOR_TEXT] = "an indicator", text[500];
	json_t *body;

	if (!told(limit))
		return;
	if (hit->source.family)
		address_print(source, &hit->source);
	if (i)
		indicator_print(id, i);
	snprintf(text, sizeof text, "%s%s%s called %s: refused, %s is blocked",
		hit->account[0] ? hit->account : "somebody", source[0] ? " at " : "",
		source, dialled[0] ? dialled : "a number", id);
	body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "text", text,
		"connector", connector, "sensor", sensor, "number", hit->number,
		"dialled", hit->dialled, "account", hit->account, "source", source,
		"source_port", (int)hit->source_port, "untold",
		(json_int_t)limit->untold);
	if (limit->untold)
		log_notice("%s: %llu calls more were refused", by,
			(unsigned long long)limit->untold);
	limit->untold = 0;
	log_notice("%s: %s", by, text);
	node_event_with(n, "hit", i, body);
}

void node_hit_observed(struct node *n, const struct observation *o)
{
	struct pbx_hit hit;

	memset(&hit, 0, sizeof hit);
	if (pbx_id_parse(&hit.indicator, view_str(o->returned)))
		return; /* the include writes it always */
	pbx_hit_text(hit.number, sizeof hit.number, view_str(o->request));
	pbx_hit_text(hit.dialled, sizeof hit.dialled, view_str(o->dialled));
	pbx_hit_text(hit.account, sizeof hit.account, view_str(o->account));
	if (o->source.family == 4 || o->source.family == 6)
		hit.source = o->source;
	hit.source_port = o->port;
	hit.wall = o->time;
	node_hit(n, "", sensor_name(o->sensor), &n->log_hits, &hit);
}
