/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/security_log.h"
#include "base/escape.h"
#include "sense/security_event.h"

#include <jansson.h>

enum {
	TAIL_MODULE = 1 << 0,
	TAIL_SESSION_TV = 1 << 1,
	TAIL_ACL_NAME = 1 << 2,
	TAIL_CHALLENGE = 1 << 3,
	TAIL_USING_PASSWORD = 1 << 4,
	TAIL_HOSTILE = 1 << 5, /* the tail holds text of the attacker's */
};

static const struct {
	const char *name;
	unsigned bit;
} tail_fields[] = {
	{"Module", TAIL_MODULE},
	{"SessionTV", TAIL_SESSION_TV},
	{"ACLName", TAIL_ACL_NAME},
	{"Challenge", TAIL_CHALLENGE},
	{"UsingPassword", TAIL_USING_PASSWORD},
};

/*
 * What may stand behind RemoteAddress in the kinds that concern us
 * (main/security_events.c, sec_events[]: the required elements, then the
 * optional ones). In the others it is text of the attacker's.
 */
static const struct {
	const char *name;
	unsigned tail;
} tail_kinds[] = {
	{"InvalidAccountID", TAIL_MODULE | TAIL_SESSION_TV},
	{"FailedACL", TAIL_MODULE | TAIL_SESSION_TV | TAIL_ACL_NAME},
	/* The challenge is the server's own nonce. */
	{"ChallengeSent", TAIL_MODULE | TAIL_SESSION_TV | TAIL_CHALLENGE},
	{"SuccessfulAuth", TAIL_MODULE | TAIL_SESSION_TV | TAIL_USING_PASSWORD},
};

static unsigned tail_of(struct view kind)
{
	for (size_t i = 0; i < sizeof(tail_kinds) / sizeof(tail_kinds[0]); i++)
		if (view_eq(kind, view_str(tail_kinds[i].name)))
			return tail_kinds[i].tail;
	return TAIL_HOSTILE;
}

/* Take `name="value"` with a value free of quotes off the front of *rest. */
static bool take_first(struct view *rest, const char *name, struct view *value)
{
	struct view r = *rest;
	size_t end;

	if (!view_starts(r, name))
		return false;
	r = view_from(r, strlen(name));
	if (!view_starts(r, "=\""))
		return false;
	r = view_from(r, 2);
	end = view_find(r, '"');
	if (end == r.n)
		return false;
	*value = view_head(r, end);
	r = view_from(r, end + 1);
	if (r.n) {
		if (r.p[0] != ',')
			return false;
		r = view_from(r, 1);
	}
	*rest = r;
	return true;
}

/* Take `,name="value"` with a value free of quotes off the end of *rest. */
static bool take_last(struct view *rest, struct view *name, struct view *value)
{
	struct view r = *rest;
	size_t at;

	if (!r.n || r.p[r.n - 1] != '"')
		return false;
	r = view_head(r, r.n - 1);
	at = view_rfind(r, '"');
	if (at == r.n || !at || r.p[at - 1] != '=')
		return false;
	*value = view_from(r, at + 1);
	r = view_head(r, at - 1);
	at = view_rfind(r, ',');
	if (at == r.n)
		return false;
	*name = view_from(r, at + 1);
	*rest = view_head(r, at);
	return true;
}

/* Index of the last occurrence of s, or text.n. */
static size_t find_last(struct view text, const char *s)
{
	size_t found = text.n, at = 0;

	for (;;) {
		size_t step = view_find_str(view_from(text, at), s);

		if (at + step >= text.n)
			return found;
		found = at + step;
		at = found + 1;
	}
}

static bool is(struct view a, const char *s)
{
	return view_eq(a, view_str(s));
}

static unsigned tail_bit(struct view name)
{
	for (size_t i = 0; i < sizeof(tail_fields) / sizeof(tail_fields[0]); i++)
		if (is(name, tail_fields[i].name))
			return tail_fields[i].bit;
	return 0;
}

static bool no_remote(struct parse_trace *trace)
{
	return parse_why(trace, "there is no RemoteAddress where it belongs");
}

/*
 * Read a tail that is Asterisk's own from the right up to RemoteAddress. Only
 * names that belong there, each once.
 */
static bool take_tail(struct security_event *e, struct view *rest, unsigned allowed,
	struct parse_trace *trace)
{
	struct view name, value;

	while (take_last(rest, &name, &value)) {
		unsigned bit = tail_bit(name);

		if (is(name, "RemoteAddress")) {
			e->remote = value;
			return true;
		}
		if (!(bit & allowed))
			return parse_why(trace,
				"behind RemoteAddress stands %s, which does not belong "
				"there or is there twice",
				escaped(name));
		allowed &= ~bit;
		if (bit == TAIL_USING_PASSWORD)
			e->using_password = is(value, "1");
	}
	return no_remote(trace);
}

/*
 * Find RemoteAddress before a tail with text of the attacker's. Where there
 * are several, the last is Asterisk's unless he could write bare quotes there.
 */
static bool take_hostile_tail(
	struct security_event *e, struct view *rest, struct parse_trace *trace)
{
	static const char remote[] = "\",RemoteAddress=\"";
	static const char response[] = "\",Response=\"";
	size_t at = find_last(*rest, remote), end;
	struct view tail;

	if (at == rest->n)
		return no_remote(trace);
	e->ambiguous = view_find_str(*rest, remote) != at;
	tail = view_from(*rest, at + sizeof(remote) - 1);
	end = view_find(tail, '"');
	if (end == tail.n)
		return no_remote(trace);
	e->remote = view_head(tail, end);
	tail = view_from(tail, end);
	*rest = view_head(*rest, at + 1);
	at = find_last(tail, response);
	if (at < tail.n) {
		tail = view_from(tail, at + sizeof(response) - 1);
		at = find_last(tail, "\",ExpectedResponse=\"");
		if (at < tail.n)
			e->response = view_head(tail, at);
	}
	return true;
}

/* AccountID="A",SessionID="S" of what stands between head and tail. */
static void split_session(struct security_event *e, struct view middle)
{
	static const char account[] = "AccountID=\"", session[] = "\",SessionID=\"";
	size_t at;

	if (middle.n && middle.p[middle.n - 1] == '"')
		middle = view_head(middle, middle.n - 1);
	if (view_starts(middle, account)) {
		middle = view_from(middle, sizeof(account) - 1);
		at = find_last(middle, session);
		e->account = view_head(middle, at);
		e->session = view_from(
			middle, at < middle.n ? at + sizeof(session) - 1 : middle.n);
	} else if (view_starts(middle, session + 2)) {
		/* RequestBadFormat has its account, if any, in the tail. */
		e->session = view_from(middle, sizeof(session) - 3);
	}
}

/* What lies between head and tail, and the tail. */
static void tell(
	const struct security_event *e, struct view local, struct parse_trace *trace)
{
	parse_field(trace, "AccountID", e->account);
	parse_field(trace, "SessionID", e->session);
	parse_field(trace, "LocalAddress", local);
	parse_field(trace, "RemoteAddress", e->remote);
	if (e->ambiguous)
		parse_field(trace, "ambiguous",
			view_str("there are several RemoteAddress: the last counts, and "
				 "proves nothing"));
	if (e->using_password)
		parse_field(trace, "UsingPassword", view_str("1"));
}

/* The event's text into *e. */
static enum security_log_result event_parse(
	struct security_event *e, struct view text, struct parse_trace *trace)
{
	struct view rest = text, kind, tv, severity, version, name, local;
	unsigned tail;

	memset(e, 0, sizeof(*e));
	if (!take_first(&rest, "SecurityEvent", &kind) ||
		!take_first(&rest, "EventTV", &tv) ||
		!take_first(&rest, "Severity", &severity) ||
		!take_first(&rest, "Service", &e->service) ||
		!take_first(&rest, "EventVersion", &version) ||
		event_time_parse(&e->time, tv) || !e->time.year) {
		parse_why(
			trace, "its head (SecurityEvent ... EventVersion) is not whole");
		return SECURITY_LOG_UNREADABLE;
	}
	parse_field(trace, "SecurityEvent", kind);
	parse_field(trace, "EventTV", tv);
	parse_field(trace, "Severity", severity);
	parse_field(trace, "Service", e->service);
	e->kind = security_event_kind(kind);
	if (!e->kind) {
		parse_why(trace, "a kind of event that says nothing of a source");
		return SECURITY_LOG_NOTHING;
	}
	tail = tail_of(kind);
	if (tail & TAIL_HOSTILE ? !take_hostile_tail(e, &rest, trace) :
				  !take_tail(e, &rest, tail, trace))
		return SECURITY_LOG_INJECTION;
	if (!take_last(&rest, &name, &local) || !is(name, "LocalAddress")) {
		parse_why(trace, "before RemoteAddress stands no LocalAddress");
		return SECURITY_LOG_INJECTION;
	}
	split_session(e, rest);
	tell(e, local, trace);
	return SECURITY_LOG_OBSERVATION;
}

/* The event as an observation. */
static enum security_log_result observe(
	struct observation *o, const struct security_event *e, struct parse_trace *trace)
{
	switch (security_event_observe(o, e, SENSOR_SECURITY_LOG)) {
	case SECURITY_EVENT_OBSERVATION:
		return SECURITY_LOG_OBSERVATION;
	case SECURITY_EVENT_NOTHING:
		parse_why(trace, "of another service, or a manager's ordinary login");
		return SECURITY_LOG_NOTHING;
	case SECURITY_EVENT_IMPOSSIBLE:
		break;
	}
	parse_why(trace, "its RemoteAddress is none that Asterisk writes");
	return SECURITY_LOG_INJECTION;
}

/* Event text and the line's own time (0 bytes: it has none that is known). */
static enum security_log_result parse_text(struct observation *o, struct view text,
	const struct event_time *line_time, struct parse_trace *trace)
{
	enum security_log_result result;
	struct security_event e;

	result = event_parse(&e, view_trim(text), trace);
	if (result == SECURITY_LOG_UNREADABLE)
		return result;
	/* Even of a kind without meaning: it was not Asterisk who wrote it. */
	if (line_time &&
		!event_time_near(
			&e.time, line_time, SECURITY_LOG_SKEW * (int64_t)USEC_PER_SEC)) {
		parse_why(trace, "its EventTV is not near the time of the line itself");
		return SECURITY_LOG_INJECTION;
	}
	if (result != SECURITY_LOG_OBSERVATION)
		return result;
	return observe(o, &e, trace);
}

/* A member of a JSON object that is a string, as a view; empty when it is not. */
static struct view member(const json_t *object, const char *name)
{
	const json_t *s = json_object_get(object, name);

	if (!json_is_string(s))
		return (struct view){0};
	return view_of(json_string_value(s), json_string_length(s));
}

static enum security_log_result parse_json(
	struct observation *o, struct view line, struct parse_trace *trace)
{
	enum security_log_result result = SECURITY_LOG_UNREADABLE;
	const json_t *message, *location;
	struct event_time t;
	json_t *root;

	root = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	if (!root) {
		parse_why(trace, "no JSON object: cut off, or a name in it twice");
		return result;
	}
	message = json_object_get(root, "logmsg");
	location = json_object_get(message, "location");
	if (!is(member(message, "level"), "SECURITY") ||
		!is(member(location, "filename"), "res_security_log.c")) {
		parse_why(trace, "not of level SECURITY and of res_security_log.c");
		goto done;
	}
	/*
	 * JSON keeps an attacker inside his string, so a dateformat that is not
	 * known here does no harm; a time that is known must agree.
	 */
	result = parse_text(o, member(message, "message"),
		event_time_parse(&t, member(root, "timestamp")) ? NULL : &t, trace);
done:
	json_decref(root);
	return result;
}

/* "[" date "] SECURITY[" number "]" ["[C-" hex "]"] " res_security_log.c: " */
static bool take_prefix(struct view *rest, struct event_time *t)
{
	struct view r = *rest;
	uint64_t lwp;
	size_t end;

	end = view_find(r, ']');
	if (!end || end == r.n || event_time_parse(t, view_from(view_head(r, end), 1)))
		return false;
	r = view_from(r, end);
	if (!view_starts(r, "] SECURITY["))
		return false;
	r = view_from(r, strlen("] SECURITY["));
	end = view_find(r, ']');
	if (end == r.n || view_decimal(view_head(r, end), UINT32_MAX, &lwp))
		return false;
	r = view_from(r, end + 1);
	if (view_starts(r, "[C-")) {
		end = view_find(r, ']');
		if (end > strlen("[C-ffffffff") || end == r.n)
			return false;
		r = view_from(r, end + 1);
	}
	if (!view_starts(r, " res_security_log.c: "))
		return false;
	*rest = view_from(r, strlen(" res_security_log.c: "));
	return true;
}

static enum security_log_result parse_plain(
	struct observation *o, struct view line, struct parse_trace *trace)
{
	struct event_time t;

	if (line.n > SECURITY_LOG_TEXT_MAX) {
		parse_why(trace, "longer than %u bytes, where Asterisk may have cut it",
			SECURITY_LOG_TEXT_MAX);
		return SECURITY_LOG_UNREADABLE;
	}
	if (!take_prefix(&line, &t)) {
		parse_why(trace,
			"it does not begin \"[DATE] SECURITY[NUMBER] res_security_log.c: \"");
		return SECURITY_LOG_UNREADABLE;
	}
	return parse_text(o, line, &t, trace);
}

/* The line that Asterisk writes first into each file it opens. */
static bool is_banner(struct view line)
{
	size_t end = view_find(line, ']');

	return view_starts(line, "[") && view_starts(view_from(line, end), "] Asterisk ");
}

enum security_log_result security_log_parse(struct observation *o, struct view line)
{
	return security_log_trace(o, line, NULL);
}

enum security_log_result security_log_trace(
	struct observation *o, struct view line, struct parse_trace *trace)
{
	line = view_trim(line);
	if (!line.n)
		return SECURITY_LOG_NOTHING;
	if (line.n > SECURITY_LOG_LINE_MAX) {
		parse_why(trace, "longer than %u bytes", SECURITY_LOG_LINE_MAX);
		return SECURITY_LOG_UNREADABLE;
	}
	if (line.p[0] == '{')
		return parse_json(o, line, trace);
	if (is_banner(line)) {
		parse_why(trace, "the line that Asterisk writes first into a file");
		return SECURITY_LOG_NOTHING;
	}
	return parse_plain(o, line, trace);
}

void security_log_feed(struct security_log_figures *figures, struct view line,
	observation_fn *fn, void *context)
{
	enum security_log_result result;
	struct observation o;

	result = security_log_parse(&o, line);
	figures->lines[result]++;
	if (result == SECURITY_LOG_OBSERVATION)
		fn(context, &o);
}
