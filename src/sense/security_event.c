/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/security_event.h"

static const struct {
	const char *name;
	uint8_t kind;
} kinds[] = {
	{"InvalidAccountID", OBSERVED_UNKNOWN_ACCOUNT},
	{"FailedACL", OBSERVED_UNKNOWN_ACCOUNT},
	{"ChallengeSent", OBSERVED_SCAN},
	{"SuccessfulAuth", OBSERVED_AUTH_OK},
	{"ChallengeResponseFailed", OBSERVED_AUTH_FAILED},
	{"InvalidPassword", OBSERVED_AUTH_FAILED},
	{"RequestBadFormat", OBSERVED_MALFORMED},
};

static bool is(struct view a, const char *s)
{
	return view_eq(a, view_str(s));
}

uint8_t security_event_kind(struct view name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is(name, kinds[i].name))
			return kinds[i].kind;
	return 0;
}

/* "IPV4/UDP/198.51.100.10/5071" into *o. Returns 0 or -1. */
static int remote_parse(struct observation *o, struct view remote)
{
	static const struct {
		const char *name;
		uint8_t transport;
	} transports[] = {
		{"UDP/", TRANSPORT_UDP},
		{"TCP/", TRANSPORT_TCP},
		{"TLS/", TRANSPORT_TLS},
		{"WS/", TRANSPORT_WS},
		{"WSS/", TRANSPORT_WSS},
	};
	size_t slash, i = 0;
	uint64_t port;

	if (!view_starts(remote, "IPV4/") && !view_starts(remote, "IPV6/"))
		return -1;
	remote = view_from(remote, 5);
	while (!view_starts(remote, transports[i].name))
		if (++i == sizeof(transports) / sizeof(transports[0]))
			return -1;
	o->transport = transports[i].transport;
	remote = view_from(remote, strlen(transports[i].name));
	slash = view_rfind(remote, '/');
	if (slash == remote.n ||
		view_decimal(view_from(remote, slash + 1), 65535, &port) ||
		address_parse(&o->source, view_head(remote, slash), NULL))
		return -1;
	o->port = (uint16_t)port;
	return 0;
}

enum security_event_result security_event_observe(
	struct observation *o, const struct security_event *e, uint8_t sensor)
{
	bool sip = is(e->service, "PJSIP") || is(e->service, "SIP");
	bool manager = is(e->service, "AMI");
	struct view distinct = e->response;

	if (!sip && !manager)
		return SECURITY_EVENT_NOTHING;
	/* Managers log in and are challenged; only their failures matter. */
	if (manager && (e->kind == OBSERVED_AUTH_OK || e->kind == OBSERVED_SCAN))
		return SECURITY_EVENT_NOTHING;
	memset(o, 0, sizeof(*o));
	if (remote_parse(o, e->remote))
		return SECURITY_EVENT_IMPOSSIBLE;
	o->time = event_time_usec(&e->time);
	o->kind = e->kind;
	o->sensor = sensor;
	o->proof = o->transport == TRANSPORT_UDP || e->ambiguous ? PROOF_NONE : PROOF_TCP;
	if (o->kind == OBSERVED_AUTH_OK && e->using_password)
		o->proof = PROOF_AUTH;
	/* A manager's SessionID is a pointer, the same for one connection and
	 * the next: every line is an attempt. */
	if (manager)
		distinct = view_of(&o->time, sizeof(o->time));
	o->attempt = observation_attempt(e->session, distinct);
	o->call_id = observation_call_id(e->session);
	/* The name of the endpoint that stands in for those not found. */
	if (!is(e->account, "<unknown>"))
		view_copy(o->account, sizeof(o->account), e->account);
	return SECURITY_EVENT_OBSERVATION;
}
