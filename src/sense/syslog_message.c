/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/syslog_message.h"
#include "sense/event_time.h"

#define PRIORITY_MAX 191

/* Take what stands before the next blank, and the blank. */
static bool take_token(struct view *rest, struct view *token)
{
	size_t end = view_find(*rest, ' ');

	*token = view_head(*rest, end);
	if (!end || end == rest->n)
		return false;
	*rest = view_from(*rest, end + 1);
	return true;
}

/* "<PRI>" */
static int take_priority(struct syslog_message *m, struct view *rest)
{
	struct view r = *rest;
	uint64_t priority;
	size_t end;

	if (!view_starts(r, "<"))
		return -1;
	r = view_from(r, 1);
	end = view_find(view_head(r, 4), '>');
	if (end > 3 || end >= r.n ||
		view_decimal(view_head(r, end), PRIORITY_MAX, &priority))
		return -1;
	m->facility = (uint8_t)(priority / 8);
	m->severity = (uint8_t)(priority % 8);
	*rest = view_from(r, end + 1);
	return 0;
}

/* --- RFC 5424 --- */

/* "2003-10-11T22:14:15.003Z", "2003-08-24T05:14:15.000003-07:00"; 6 */
static int parse_timestamp(usec *out, struct view v)
{
	char text[48];
	struct event_time t;
	struct view zone;
	size_t at;

	*out = 0;
	if (view_eq(v, view_str("-")))
		return 0;
	if (v.n < 20 || v.n >= sizeof text - 8 || v.p[10] != 'T')
		return -1;
	at = 19;
	if (v.p[at] == '.')
		for (at++; at < v.n && v.p[at] >= '0' && v.p[at] <= '9';)
			at++;
	zone = view_from(v, at);
	view_copy(text, sizeof text, view_head(v, at));
	/* As Asterisk's EventTV writes a zone, which event_time_parse() knows. */
	if (view_eq(zone, view_str("Z")))
		memcpy(text + at, "+0000", 6);
	else if (zone.n == 6 && (zone.p[0] == '+' || zone.p[0] == '-') &&
		zone.p[3] == ':') {
		text[at] = (char)zone.p[0];
		memcpy(text + at + 1, zone.p + 1, 2);
		memcpy(text + at + 3, zone.p + 4, 2);
		text[at + 5] = '\0';
	} else {
		return -1;
	}
	if (event_time_parse(&t, view_str(text)))
		return -1;
	*out = event_time_usec(&t);
	return 0;
}

/* Structured data: "-", or [ID NAME="VALUE" ...] ... with \" \\ \] inside. */
static int skip_structured(struct view *rest)
{
	struct view r = *rest;
	bool quoted = false;
	size_t i = 0;

	if (view_starts(r, "-")) {
		*rest = view_from(r, 1);
		return 0;
	}
	while (i < r.n && r.p[i] == '[') {
		for (i++; i < r.n && (quoted || r.p[i] != ']'); i++) {
			if (quoted && r.p[i] == '\\')
				i++;
			else if (r.p[i] == '"')
				quoted = !quoted;
		}
		if (i >= r.n)
			return -1;
		i++;
	}
	*rest = view_from(r, i);
	return i ? 0 : -1;
}

static struct view nil(struct view v)
{
	return view_eq(v, view_str("-")) ? (struct view){0} : v;
}

/* Behind "<PRI>1 ". */
static int parse_5424(struct syslog_message *m, struct view rest)
{
	struct view time, id;
	struct log_entry *e = &m->entry;

	if (!take_token(&rest, &time) || parse_timestamp(&e->time, time) ||
		!take_token(&rest, &e->host) || !take_token(&rest, &e->app) ||
		!take_token(&rest, &e->pid) || !take_token(&rest, &id) ||
		skip_structured(&rest))
		return -1;
	e->host = nil(e->host);
	e->app = nil(e->app);
	e->pid = nil(e->pid);
	if (rest.n && rest.p[0] != ' ')
		return -1;
	rest = view_from(rest, rest.n != 0);
	if (view_starts(rest, "\xef\xbb\xbf"))
		rest = view_from(rest, 3);
	/* rsyslog keeps the blank that stood behind RFC 3164's tag. */
	if (view_starts(rest, " "))
		rest = view_from(rest, 1);
	e->message = rest;
	return 0;
}

/* --- RFC 3164 --- */

/* "TAG[PID]: " or "TAG: "; left alone when there is no tag. */
static void take_tag(struct log_entry *e, struct view *rest)
{
	struct view r = *rest, tag;
	size_t open;

	if (!take_token(&r, &tag) || tag.p[tag.n - 1] != ':')
		return;
	tag = view_head(tag, tag.n - 1);
	open = view_find(tag, '[');
	if (open < tag.n && tag.p[tag.n - 1] == ']') {
		e->pid = view_head(view_from(tag, open + 1), tag.n - open - 2);
		tag = view_head(tag, open);
	}
	e->app = tag;
	*rest = r;
}

static void parse_3164(struct syslog_message *m, struct view rest)
{
	struct log_entry *e = &m->entry;
	struct event_time t;
	struct view token, r;

	if (rest.n > 16 && rest.p[15] == ' ' &&
		!event_time_parse(&t, view_head(rest, 15))) {
		rest = view_from(rest, 16);
	} else {
		r = rest;
		if (take_token(&r, &token) && token.n > 1 &&
			!parse_timestamp(&e->time, token))
			rest = r;
	}
	/* A host, unless the tag comes at once. */
	r = rest;
	if (take_token(&r, &token) && token.p[token.n - 1] != ':') {
		struct log_entry behind = {.time = 0};
		struct view after = r;

		take_tag(&behind, &after);
		if (behind.app.n) {
			e->host = token;
			rest = r;
		}
	}
	take_tag(e, &rest);
	e->message = rest;
}

int syslog_message_parse(struct syslog_message *m, struct view packet)
{
	memset(m, 0, sizeof *m);
	while (packet.n &&
		(packet.p[packet.n - 1] == '\n' || packet.p[packet.n - 1] == '\r' ||
			!packet.p[packet.n - 1]))
		packet.n--;
	if (take_priority(m, &packet))
		return -1;
	if (view_starts(packet, "1 "))
		return parse_5424(m, view_from(packet, 2));
	parse_3164(m, packet);
	return 0;
}
