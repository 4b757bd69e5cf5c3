/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_event.h"

#include "sense/security_event.h"

/* What every security event begins with; RequestBadFormat has no account. */
#define SECURITY_HEAD "EventTV", "Severity", "Service", "EventVersion"
#define SECURITY_WHO  "AccountID", "SessionID", "LocalAddress", "RemoteAddress"

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
	{"Newchannel", "call,all",
		{"Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum",
			"CallerIDName", "ConnectedLineNum", "ConnectedLineName",
			"Language", "AccountCode", "Context", "Exten", "Priority",
			"Uniqueid", "Linkedid"},
		{NULL}},
	{"FullyBooted", "system,all", {"Uptime", "LastReload", "Status"}, {NULL}},
	{"Shutdown", "system,all", {"Shutdown", "Restart"}, {NULL}},
};

/* manager.conf: timestampevents, debug; asterisk.conf: systemname. */
static const char *const head_optional[] = {
	"Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName"};

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

static bool fits(const struct ami_message *m, const struct event_shape *s)
{
	size_t at = 2;

	if (m->faults || !key_at(m, 1, "Privilege") ||
		!is(m->field[1].value, s->privilege))
		return false;
	pass_optional(
		m, &at, head_optional, sizeof head_optional / sizeof head_optional[0]);
	for (size_t i = 0; i < BODY_MAX && s->required[i]; i++)
		if (!key_at(m, at++, s->required[i]))
			return false;
	pass_optional(m, &at, s->optional, sizeof s->optional / sizeof s->optional[0]);
	while (key_at(m, at, "ChanVariable"))
		at++;
	return at == m->count;
}

static enum ami_event_result observe(
	struct observation *o, const struct ami_message *m, uint8_t kind)
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
		!(is(severity, "Informational") || is(severity, "Error")))
		return AMI_EVENT_INJECTION;
	switch (security_event_observe(o, &e, SENSOR_AMI)) {
	case SECURITY_EVENT_OBSERVATION:
		return AMI_EVENT_OBSERVATION;
	case SECURITY_EVENT_NOTHING:
		return AMI_EVENT_NOTHING;
	case SECURITY_EVENT_IMPOSSIBLE:
		break;
	}
	return AMI_EVENT_INJECTION;
}

/*
 * A channel that is born ringing was opened by who calls; those that Asterisk
 * opens to call somebody are born down.
 */
static enum ami_event_result take_call(struct ami_call *call, const struct ami_message *m)
{
	static const char technology[] = "PJSIP/";
	struct view channel = ami_message_get(m, "Channel");
	size_t dash = view_rfind(channel, '-');

	if (!is(ami_message_get(m, "ChannelState"), "4") ||
		!view_starts(channel, technology) || dash == channel.n)
		return AMI_EVENT_NOTHING;
	call->endpoint = view_from(view_head(channel, dash), sizeof technology - 1);
	call->dialled = ami_message_get(m, "Exten");
	return call->endpoint.n && call->dialled.n ? AMI_EVENT_CALL : AMI_EVENT_NOTHING;
}

enum ami_event_result ami_event_parse(
	struct observation *o, struct ami_call *call, const struct ami_message *m)
{
	const struct event_shape *s = NULL;
	uint8_t kind;

	if (!key_at(m, 0, "Event"))
		return AMI_EVENT_INJECTION; /* what a broken one left over */
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		if (is(m->field[0].value, shapes[i].name))
			s = &shapes[i];
	if (!s)
		return m->faults ? AMI_EVENT_INJECTION : AMI_EVENT_NOTHING;
	if (!fits(m, s))
		return AMI_EVENT_INJECTION;
	kind = security_event_kind(m->field[0].value);
	if (kind)
		return observe(o, m, kind);
	if (is(m->field[0].value, "Newchannel"))
		return take_call(call, m);
	return is(m->field[0].value, "Shutdown") ? AMI_EVENT_SHUTDOWN : AMI_EVENT_BOOTED;
}
