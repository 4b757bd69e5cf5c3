/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_event.h"

#include "base/escape.h"
#include "sense/security_event.h"

/* What every security event begins with; RequestBadFormat has no account. */
#define SECURITY_HEAD "EventTV", "Severity", "Service", "EventVersion"
#define SECURITY_WHO  "AccountID", "SessionID", "LocalAddress", "RemoteAddress"

/* What ast_manager_build_channel_state_string() makes of a channel. */
#define CHANNEL_FIELDS                                                                   \
	"Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName",    \
		"ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode",      \
		"Context", "Exten", "Priority", "Uniqueid", "Linkedid"

#define BODY_MAX 16

/* The fields of each event in their order: the first must stand there. */
static const struct event_shape {
	const char *name;
	const char *privilege; /* what authority_to_str() makes of its class */
	const char *required[BODY_MAX];
	const char *optional[8];
} shapes[] = {
	{"FailedACL", "security,all", {SECURITY_HEAD, SECURITY_WHO},
		{"Module", "ACLName", "SessionTV"}},
	{"InvalidAccountID", "security,all", {SECURITY_HEAD, SECURITY_WHO},
		{"Module", "SessionTV"}},
	{"RequestBadFormat", "security,all",
		{SECURITY_HEAD, "SessionID", "LocalAddress", "RemoteAddress",
			"RequestType"},
		{"Module", "SessionTV", "AccountID", "RequestParams"}},
	{"SuccessfulAuth", "security,all", {SECURITY_HEAD, SECURITY_WHO, "UsingPassword"},
		{"Module", "SessionTV"}},
	{"ChallengeResponseFailed", "security,all",
		{SECURITY_HEAD, SECURITY_WHO, "Challenge", "Response",
			"ExpectedResponse"},
		{"Module", "SessionTV"}},
	{"InvalidPassword", "security,all", {SECURITY_HEAD, SECURITY_WHO},
		{"Module", "SessionTV", "Challenge", "ReceivedChallenge",
			"ReceivedHash"}},
	{"ChallengeSent", "security,all", {SECURITY_HEAD, SECURITY_WHO, "Challenge"},
		{"Module", "SessionTV"}},
	{"Newchannel", "call,all", {CHANNEL_FIELDS}, {NULL}},
	{"FullyBooted", "system,all", {"Uptime", "LastReload", "Status"}, {NULL}},
	{"Shutdown", "system,all", {"Shutdown", "Restart"}, {NULL}},
};

/* Of app_userevent; then what sipchain.conf tells. */
static const struct event_shape blocked_shape = {
	"UserEvent", "user,all", {CHANNEL_FIELDS}, {"TenantID"}};
static const char *const blocked_fields[] = {
	"UserEvent", "Number", "Dialed", "Indicator", "Remote", NULL};

/* manager.conf: timestampevents, debug; asterisk.conf: systemname. */
static const char *const head_optional[] = {
	"Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName"};
static const char *const nothing_more[] = {NULL};

static bool is(struct view a, const char *s)
{
	return view_eq(a, view_str(s));
}

static bool key_at(const struct ami_message *m, size_t at, const char *key)
{
	return at < m->count && is(m->field[at].key, key);
}

/* Go past those of the fields that stand at *at, in their order. */
static void pass_optional(
	const struct ami_message *m, size_t *at, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count && keys[i]; i++)
		if (key_at(m, *at, keys[i]))
			(*at)++;
}

static bool no_faults(const struct ami_message *m, struct parse_trace *trace)
{
	if (m->faults & AMI_OVERSIZE)
		return parse_why(trace, "longer, or of more lines, than any event");
	if (m->faults & AMI_BARE_BREAK)
		return parse_why(trace,
			"a bare CR, LF or NUL stands in it, which Asterisk never writes");
	if (m->faults & AMI_DUPLICATE)
		return parse_why(trace, "a key stands in it twice");
	if (m->faults & AMI_NO_FIELD)
		return parse_why(trace, "a line of it is no \"Key: value\"");
	return true;
}

/* The field that is there, where another belongs. */
static bool misplaced(const struct ami_message *m, size_t at, const char *key,
	struct parse_trace *trace)
{
	if (at >= m->count)
		return parse_why(trace, "cut off: there is no %s", key);
	return parse_why(
		trace, "%s stands where %s belongs", escaped(m->field[at].key), key);
}

/* last: keys that follow all others, up to NULL. */
static bool fits(const struct ami_message *m, const struct event_shape *s,
	const char *const *last, struct parse_trace *trace)
{
	size_t at = 2;

	if (!no_faults(m, trace))
		return false;
	if (!key_at(m, 1, "Privilege"))
		return misplaced(m, 1, "Privilege", trace);
	if (!is(m->field[1].value, s->privilege))
		return parse_why(trace, "its Privilege is not %s", s->privilege);
	pass_optional(
		m, &at, head_optional, sizeof head_optional / sizeof head_optional[0]);
	for (size_t i = 0; i < BODY_MAX && s->required[i]; i++)
		if (!key_at(m, at++, s->required[i]))
			return misplaced(m, at - 1, s->required[i], trace);
	pass_optional(m, &at, s->optional, sizeof s->optional / sizeof s->optional[0]);
	while (key_at(m, at, "ChanVariable"))
		at++;
	for (; *last; last++)
		if (!key_at(m, at++, *last))
			return misplaced(m, at - 1, *last, trace);
	return at == m->count || misplaced(m, at, "the end", trace);
}

static enum ami_event_result observe(struct observation *o, const struct ami_message *m,
	uint8_t kind, struct parse_trace *trace)
{
	struct view severity = ami_message_get(m, "Severity");
	struct security_event e = {
		.kind = kind,
		.service = ami_message_get(m, "Service"),
		.account = ami_message_get(m, "AccountID"),
		.session = ami_message_get(m, "SessionID"),
		.remote = ami_message_get(m, "RemoteAddress"),
		.response = ami_message_get(m, "Response"),
		.using_password = is(ami_message_get(m, "UsingPassword"), "1"),
	};

	if (event_time_parse(&e.time, ami_message_get(m, "EventTV")) || !e.time.year ||
		!(is(severity, "Informational") || is(severity, "Error"))) {
		parse_why(trace, "its EventTV or Severity is none that Asterisk writes");
		return AMI_EVENT_INJECTION;
	}
	switch (security_event_observe(o, &e, SENSOR_AMI)) {
	case SECURITY_EVENT_OBSERVATION:
		return AMI_EVENT_OBSERVATION;
	case SECURITY_EVENT_NOTHING:
		parse_why(trace, "of another service, or a manager's ordinary login");
		return AMI_EVENT_NOTHING;
	case SECURITY_EVENT_IMPOSSIBLE:
		break;
	}
	parse_why(trace, "its RemoteAddress is none that Asterisk writes");
	return AMI_EVENT_INJECTION;
}

/* "101" of "PJSIP/101-0000001a"; p is NULL when it is no channel of chan_pjsip. */
static struct view endpoint_of(struct view channel)
{
	static const char technology[] = "PJSIP/";
	size_t dash = view_rfind(channel, '-');

	if (!view_starts(channel, technology) || dash == channel.n)
		return (struct view){0};
	return view_from(view_head(channel, dash), sizeof technology - 1);
}

/*
 * A channel that is born ringing was opened by who calls; those that Asterisk
 * opens to call somebody are born down.
 */
static enum ami_event_result take_call(
	struct ami_call *call, const struct ami_message *m, struct parse_trace *trace)
{
	call->endpoint = endpoint_of(ami_message_get(m, "Channel"));
	if (!is(ami_message_get(m, "ChannelState"), "4") || !call->endpoint.p) {
		parse_why(trace, "no channel that a SIP endpoint opened to call");
		return AMI_EVENT_NOTHING;
	}
	call->dialled = ami_message_get(m, "Exten");
	return call->endpoint.n && call->dialled.n ? AMI_EVENT_CALL : AMI_EVENT_NOTHING;
}

enum ami_event_result ami_event_parse(
	struct observation *o, struct ami_call *call, const struct ami_message *m)
{
	return ami_event_trace(o, call, m, NULL);
}

enum ami_event_result ami_event_trace(struct observation *o, struct ami_call *call,
	const struct ami_message *m, struct parse_trace *trace)
{
	const struct event_shape *s = NULL;
	uint8_t kind;

	if (!key_at(m, 0, "Event")) {
		/* What a broken one left over. */
		if (no_faults(m, trace))
			misplaced(m, 0, "Event", trace);
		return AMI_EVENT_INJECTION;
	}
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		if (is(m->field[0].value, shapes[i].name))
			s = &shapes[i];
	if (!s && no_faults(m, trace)) {
		parse_why(trace, "no event that says anything of an attack");
		return AMI_EVENT_NOTHING;
	}
	if (!s || !fits(m, s, nothing_more, trace))
		return AMI_EVENT_INJECTION;
	kind = security_event_kind(m->field[0].value);
	if (kind)
		return observe(o, m, kind, trace);
	if (is(m->field[0].value, "Newchannel"))
		return take_call(call, m, trace);
	return is(m->field[0].value, "Shutdown") ? AMI_EVENT_SHUTDOWN : AMI_EVENT_BOOTED;
}

enum ami_event_result ami_event_blocked(
	struct ami_blocked *out, const struct ami_message *m)
{
	struct observation o;
	struct ami_call call;
	enum ami_event_result result;

	if (!ami_message_is(m, "Event", "UserEvent")) {
		result = ami_event_parse(&o, &call, m);
		return result == AMI_EVENT_OBSERVATION || result == AMI_EVENT_CALL ?
			AMI_EVENT_NOTHING :
			result;
	}
	if (!m->faults && !is(ami_message_get(m, "UserEvent"), "SIPchainBlocked"))
		return AMI_EVENT_NOTHING;
	if (!fits(m, &blocked_shape, blocked_fields, NULL) ||
		!is(ami_message_get(m, "UserEvent"), "SIPchainBlocked"))
		return AMI_EVENT_INJECTION;
	out->endpoint = endpoint_of(ami_message_get(m, "Channel"));
	out->number = ami_message_get(m, "Number");
	out->dialled = ami_message_get(m, "Dialed");
	out->indicator = ami_message_get(m, "Indicator");
	out->remote = ami_message_get(m, "Remote");
	return AMI_EVENT_CALL;
}
