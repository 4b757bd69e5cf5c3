/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of logs: the shipped includes', a filter's, in syslog or the journal. */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "sense/kamailio_log.h"
#include "sense/syslog_message.h"

#define LATER (10 * USEC_PER_SEC)
/* Lines looked at until it is known whether it is a log. */
#define LOOK_AT 1000
#define MARK    "SIPCHAIN "

bool explain_line(struct view *rest, struct view *line)
{
	size_t n = view_find(*rest, '\n');

	if (!rest->n)
		return false;
	*line = view_head(*rest, n);
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	*rest = view_from(*rest, n < rest->n ? n + 1 : n);
	return true;
}

static bool has_mark(struct view line)
{
	return view_find_str(line, MARK) < line.n;
}

/* --- the includes' lines --- */

static void feed_kamailio(struct explain *x, struct view line)
{
	static const char *const results[] = {"a line of the shipped include",
		"left alone", "cut off: not believed", "discarded and counted as forged"};
	json_t *fields = json_object();
	struct parse_trace trace = {.field = explain_parsed, .context = fields};
	enum kamailio_log_result result;
	usec now = clock_wall();
	struct observation o;

	result = kamailio_log_trace(&o, line, now, &trace);
	if (result == KAMAILIO_LOG_OBSERVATION && o.time == now)
		explain_field(fields, "time",
			view_str(json_object_get(fields, "t") ?
					"not understood, or not yet: it counts as of now" :
					"none: it counts as of now"));
	explain_judged(x, results[result], trace.why, line, fields);
	if (result == KAMAILIO_LOG_OBSERVATION)
		explain_observe(x, &o);
}

/* --- lines of files --- */

static void left_alone(struct explain *x, struct view line)
{
	char text[640];

	snprintf(text, sizeof text,
		"left alone: no line of the includes', and no filter was named for it "
		"(--filter NAME): %.500s",
		explain_text(line));
	explain_read(x, text, NULL);
}

/* Say once which filter was chosen. */
static void stock(struct explain *x, const char *filter)
{
	char text[160];

	if (x->filters)
		return;
	snprintf(text, sizeof text,
		"it looks like a log for the filter %s of fail2ban's (--filter names "
		"another)",
		filter);
	explain_read(x, text, NULL);
}

/* What is missing where a filter was chosen for the operator. */
static int stock_missing(const char *filter, struct error *err)
{
	char why[sizeof err->text];

	snprintf(why, sizeof why, "%s", err->text);
	return error_set(err,
		"looks like a log for the filter %s, which cannot be used: %.300s; install "
		"fail2ban's filters, or name one by --filter and --filters",
		filter, why);
}

static int feed_entry(
	struct explain *x, const struct log_entry *e, bool journal, struct error *err)
{
	const char *filter = x->filter;

	if (!filter && has_mark(e->message)) {
		feed_kamailio(x, e->message);
		return 0;
	}
	if (!filter)
		filter = view_eq(e->app, view_str("asterisk")) ?
			"asterisk" :
			view_eq(e->app, view_str("freeswitch")) ?
			"freeswitch" :
			explain_stock_filter(e->message);
	if (!filter) {
		left_alone(x, e->message);
		return 0;
	}
	if (!x->filter)
		stock(x, filter);
	if (!explain_filter_entry(x, filter, journal, e, err))
		return 0;
	return x->filter ? -1 : stock_missing(filter, err);
}

static bool is_syslog(struct syslog_message *m, struct view line)
{
	return view_starts(line, "<") && !syslog_message_parse(m, line);
}

static void put_entry(json_t *fields, const struct log_entry *e)
{
	explain_field(fields, "host", e->host);
	explain_field(fields, "program", e->app);
	explain_field(fields, "pid", e->pid);
	explain_field(fields, "message", e->message);
}

static int feed_syslog(
	struct explain *x, const struct syslog_message *m, struct error *err)
{
	json_t *fields = json_pack(
		"{s:i, s:i}", "facility", m->facility, "severity", m->severity);

	put_entry(fields, &m->entry);
	if (!m->entry.time)
		explain_field(fields, "time",
			view_str("with no year and zone, or none: it counts as of now"));
	explain_read(x,
		"a syslog message, read as over TCP: over UDP from another machine anybody "
		"can have sent it, and it would prove nothing",
		fields);
	return feed_entry(x, &m->entry, false, err);
}

static int feed_line(struct explain *x, struct view line, struct error *err)
{
	const char *filter = x->filter;
	struct syslog_message m;

	if (is_syslog(&m, line))
		return feed_syslog(x, &m, err);
	if (!filter)
		filter = explain_stock_filter(line);
	if (!filter && has_mark(line)) {
		feed_kamailio(x, line);
		return 0;
	}
	if (!filter) {
		left_alone(x, line);
		return 0;
	}
	if (!x->filter)
		stock(x, filter);
	if (!explain_filter_line(x, filter, line, err))
		return 0;
	return x->filter ? -1 : stock_missing(filter, err);
}

bool explain_takes_lines(struct view input)
{
	struct syslog_message m;
	struct view line;

	for (unsigned i = 0; i < LOOK_AT && explain_line(&input, &line); i++)
		if (has_mark(line) || explain_stock_filter(line) || is_syslog(&m, line))
			return true;
	return false;
}

int explain_feed_lines(struct explain *x, struct view input, struct error *err)
{
	struct view line;
	unsigned n = 0;

	while (explain_line(&input, &line)) {
		n++;
		if (!line.n || !feed_line(x, line, err))
			continue;
		return x->filter ? -1 : error_prefix(err, "line %u", n);
	}
	explain_later(x, LATER);
	return 0;
}

/* --- the journal, as `journalctl -o export` writes it --- */

bool explain_takes_journal(struct view input)
{
	return view_starts(input, "__CURSOR=") ||
		view_starts(input, "__REALTIME_TIMESTAMP=");
}

/* "NAME=VALUE", or NAME, 8 bytes of the length (little-endian), and so many bytes. */
static int take_field(struct view *rest, struct view *name, struct view *value)
{
	struct view line;
	uint64_t n = 0;
	size_t at;

	if (!explain_line(rest, &line))
		return 0;
	at = view_find(line, '=');
	*name = view_head(line, at);
	*value = view_from(line, at + 1);
	if (at < line.n || !line.n)
		return 1;
	for (unsigned i = 8; i-- > 0 && rest->n >= 8;)
		n = n << 8 | rest->p[i];
	if (rest->n < 9 || n > rest->n - 9 || rest->p[8 + n] != '\n')
		return -1;
	*value = view_head(view_from(*rest, 8), (size_t)n);
	*rest = view_from(*rest, 8 + (size_t)n + 1);
	return 1;
}

/* One entry, up to the empty line behind it. 1, 0 at the end, -1: cut off. */
static int take_entry(struct view *rest, struct log_entry *e)
{
	struct view name, value;
	uint64_t time;
	bool any = false;
	int rc;

	memset(e, 0, sizeof *e);
	while ((rc = take_field(rest, &name, &value)) > 0 && (name.n || !any)) {
		any |= name.n > 0;
		if (view_eq(name, view_str("MESSAGE")))
			e->message = view_head(value, LOG_ENTRY_MAX);
		else if (view_eq(name, view_str("_HOSTNAME")))
			e->host = value;
		else if (view_eq(name, view_str("SYSLOG_IDENTIFIER")))
			e->app = value;
		else if (view_eq(name, view_str("_PID")))
			e->pid = value;
		else if (view_eq(name, view_str("__REALTIME_TIMESTAMP")) &&
			!view_decimal(value, UINT64_MAX / 2, &time))
			e->time = time;
	}
	return rc < 0 ? -1 : any;
}

int explain_feed_journal(struct explain *x, struct view input, struct error *err)
{
	struct log_entry e;
	unsigned n = 0;
	int rc;

	while ((rc = take_entry(&input, &e)) > 0) {
		json_t *fields = json_object();

		n++;
		put_entry(fields, &e);
		explain_read(x, "an entry of the journal", fields);
		if (e.message.p && feed_entry(x, &e, true, err))
			return x->filter ? -1 : error_prefix(err, "entry %u", n);
	}
	if (rc < 0)
		return error_set(err,
			"is cut off in entry %u: make it anew, with "
			"`journalctl -o export`",
			n + 1);
	explain_later(x, LATER);
	return 0;
}
