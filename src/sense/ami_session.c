/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_session.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/log.h"
#include "sense/ami_event.h"
#include "sense/ami_login.h"

#define OUT_MAX 65536

/*
 * Everything else in the class call (each state of each channel) is left out by
 * Asterisk itself. The expression is matched against the whole event from its
 * first byte on, so that no text inside can begin with it.
 */
static const char filter[] =
	"^Event: (FailedACL|InvalidAccountID|RequestBadFormat|SuccessfulAuth"
	"|ChallengeResponseFailed|InvalidPassword|ChallengeSent|Newchannel"
	"|FullyBooted|Shutdown)";

int ami_session_init(struct ami_session *s, const struct ami_config *config,
	const struct ami_callbacks *callbacks, struct hash_key seed)
{
	memset(s, 0, sizeof *s);
	snprintf(s->user, sizeof s->user, "%s", config->user);
	s->secret = config->secret;
	s->callbacks = *callbacks;
	s->seed = seed;
	s->out.max = OUT_MAX;
	s->accounts = ami_accounts_new(seed);
	return s->accounts ? 0 : -1;
}

void ami_session_free(struct ami_session *s)
{
	ami_reader_free(&s->reader);
	buffer_free(&s->out);
	ami_trunks_free(&s->trunks);
	ami_accounts_free(s->accounts);
	s->accounts = NULL;
}

uint64_t ami_session_draw(struct ami_session *s)
{
	s->drawn++;
	return hash_bytes(&s->seed, &s->drawn, sizeof s->drawn);
}

void ami_session_begin(struct ami_session *s)
{
	ami_reader_free(&s->reader);
	buffer_free(&s->out);
	s->ask = AMI_ASK_NONE;
	s->greeted = s->denied = s->failed = s->refused = false;
	s->round = 0;
	s->figures.booted = false;
	s->figures.trouble[0] = 0;
}

/* --- what is sent --- */

static void trouble(struct ami_session *s, const char *text, struct view why)
{
	snprintf(s->figures.trouble, sizeof s->figures.trouble, "%s%s%s", text,
		why.n ? ": " : "", why.n ? escaped(why) : "");
}

static void fail(struct ami_session *s, const char *text, struct view why)
{
	trouble(s, text, why);
	s->failed = true;
}

static const char *fresh_id(struct ami_session *s)
{
	snprintf(s->id, sizeof s->id, "sipchain-%016" PRIx64, ami_session_draw(s));
	return s->id;
}

/* Begin an action whose answer is waited for. */
static void act(struct ami_session *s, enum ami_ask ask, const char *action, usec now)
{
	s->ask = ask;
	s->asked = now;
	buffer_printf(&s->out, "Action: %s\r\nActionID: %s\r\n", action, fresh_id(s));
}

static void challenge(struct ami_session *s, usec now)
{
	s->ask = AMI_ASK_CHALLENGE;
	s->asked = now;
	ami_login_challenge(&s->out, fresh_id(s));
}

static void login(struct ami_session *s, struct view number, usec now)
{
	s->ask = AMI_ASK_LOGIN;
	s->asked = now;
	ami_login_put(
		&s->out, fresh_id(s), s->user, s->secret, number, "security,call,system");
}

static void ask_filter(struct ami_session *s, usec now)
{
	act(s, AMI_ASK_FILTER, "Filter", now);
	buffer_printf(&s->out, "Operation: Add\r\nFilter: %s\r\n\r\n", filter);
}

void ami_session_ping(struct ami_session *s)
{
	/* Any answer will do: its id is ours only to be told from a forged one. */
	buffer_printf(&s->out, "Action: Ping\r\nActionID: sipchain-ping\r\n\r\n");
}

void ami_session_round(struct ami_session *s, usec now)
{
	if (s->ask != AMI_ASK_NONE || s->denied)
		return;
	s->round = now;
	ami_trunks_begin(&s->trunks);
	act(s, AMI_ASK_ENDPOINTS, "PJSIPShowEndpoints", now);
	buffer_printf(&s->out, "\r\n");
}

/* --- trunks --- */

static void round_over(struct ami_session *s)
{
	s->ask = AMI_ASK_NONE;
	if (s->trunks.names.failed) {
		trouble(s, "out of memory for the endpoints", (struct view){0});
		return;
	}
	s->figures.trouble[0] = 0;
	s->figures.trunks = (uint32_t)s->trunks.count;
	s->figures.trunks_unused = (uint32_t)s->trunks.unused;
	s->figures.endpoints = (uint32_t)s->trunks.endpoints;
	s->callbacks.trunks(s->callbacks.context, s->trunks.list, s->trunks.count);
}

static void ask_next(struct ami_session *s, usec now)
{
	const char *name = ami_trunks_next(&s->trunks);

	if (!name) {
		round_over(s);
		return;
	}
	act(s, AMI_ASK_ENDPOINT, "PJSIPShowEndpoint", now);
	buffer_printf(&s->out, "Endpoint: %s\r\n\r\n", name);
}

/* An event that belongs to an answer of ours. */
static void on_listed(struct ami_session *s, const struct ami_message *m, usec now)
{
	if (s->ask == AMI_ASK_ENDPOINTS && ami_message_is(m, "Event", "EndpointList"))
		ami_trunks_endpoint(&s->trunks, ami_message_get(m, "ObjectName"));
	else if (s->ask == AMI_ASK_ENDPOINT &&
		ami_message_is(m, "Event", "IdentifyDetail"))
		ami_trunks_match(&s->trunks, ami_message_get(m, "EndpointName"),
			ami_message_get(m, "Match"));
	else if (ami_message_is(m, "Event", "EndpointListComplete") ||
		ami_message_is(m, "Event", "EndpointDetailComplete"))
		ask_next(s, now);
	s->asked = now; /* it goes on: nothing hangs */
}

/* --- answers --- */

static void denied(struct ami_session *s)
{
	static const char remedy[] =
		"no trunks are asked for and nothing is filtered: the user "
		"lacks write = system in manager.conf";

	s->denied = true;
	s->ask = AMI_ASK_NONE;
	trouble(s, remedy, (struct view){0});
}

static void on_refused(struct ami_session *s, struct view why, usec now)
{
	bool permission = view_starts(why, "Permission denied");

	switch (s->ask) {
	case AMI_ASK_CHALLENGE:
	case AMI_ASK_LOGIN:
		s->refused = true;
		fail(s,
			"Asterisk refuses the login (check user and secret_file against "
			"manager.conf, and its permit= for this address)",
			why);
		break;
	case AMI_ASK_FILTER:
		if (permission) {
			denied(s);
			break;
		}
		log_warning("AMI: Asterisk takes no filter of events: %s", escaped(why));
		s->ask = AMI_ASK_NONE;
		ami_session_round(s, now);
		break;
	case AMI_ASK_ENDPOINTS:
		if (permission)
			denied(s);
		else {
			/*
			 * "No endpoints found" is also what it says when the database
			 * that they are in is away: nobody has lost his trunks by that.
			 */
			bool none = view_starts(why, "No endpoints found");

			s->ask = AMI_ASK_NONE;
			trouble(s,
				none ? "Asterisk lists no endpoints; trunks listed before "
				       "stay for a week" :
				       "trunks cannot be listed (is res_pjsip loaded?)",
				none ? (struct view){0} : why);
		}
		break;
	case AMI_ASK_ENDPOINT: /* it went away meanwhile */
		ask_next(s, now);
		break;
	case AMI_ASK_NONE:
		break;
	}
}

static void on_answer(struct ami_session *s, const struct ami_message *m, usec now)
{
	struct view number = ami_message_get(m, "Challenge");

	if (!ami_message_is(m, "Response", "Success")) {
		on_refused(s, ami_message_get(m, "Message"), now);
		return;
	}
	switch (s->ask) {
	case AMI_ASK_CHALLENGE:
		if (number.n && number.n <= AMI_CHALLENGE_MAX)
			login(s, number, now);
		else
			fail(s, "Asterisk sends no challenge", number);
		break;
	case AMI_ASK_LOGIN:
		s->figures.logins++;
		s->figures.state = AMI_READY;
		ask_filter(s, now);
		break;
	case AMI_ASK_FILTER:
		s->ask = AMI_ASK_NONE;
		ami_session_round(s, now);
		break;
	case AMI_ASK_ENDPOINTS:
	case AMI_ASK_ENDPOINT: /* the list follows, as events */
	case AMI_ASK_NONE:
		break;
	}
}

/* --- what arrives --- */

struct arrival {
	struct ami_session *session;
	usec now;
};

static void on_event(struct ami_session *s, const struct ami_message *m, usec now)
{
	struct observation o;
	struct ami_call call;

	switch (ami_event_parse(&o, &call, m)) {
	case AMI_EVENT_OBSERVATION:
		ami_accounts_success(s->accounts, &o, now);
		s->figures.observations++;
		s->callbacks.observation(s->callbacks.context, &o);
		break;
	case AMI_EVENT_CALL:
		if (!ami_accounts_call(s->accounts, &o, call.endpoint, call.dialled, now))
			break;
		s->figures.calls++;
		s->callbacks.observation(s->callbacks.context, &o);
		break;
	case AMI_EVENT_INJECTION:
		s->figures.injected++;
		break;
	case AMI_EVENT_BOOTED:
		s->figures.booted = true;
		break;
	case AMI_EVENT_SHUTDOWN:
		s->figures.booted = false;
		log_notice("AMI: Asterisk says that it stops");
		break;
	case AMI_EVENT_NOTHING:
		break;
	}
}

static bool on_message(void *context, const struct ami_message *m)
{
	struct arrival *arrival = context;
	struct ami_session *s = arrival->session;
	struct view id = ami_message_get(m, "ActionID");
	bool ours = s->ask != AMI_ASK_NONE && view_eq(id, view_str(s->id));

	s->figures.messages++;
	if (ours && m->faults)
		s->figures.injected++; /* nothing that Asterisk's own files say */
	else if (ours && view_eq(m->field[0].key, view_str("Response")))
		on_answer(s, m, arrival->now);
	else if (ours)
		on_listed(s, m, arrival->now);
	else if (!(m->count && view_eq(m->field[0].key, view_str("Response"))))
		on_event(s, m, arrival->now);
	else if (!view_starts(id, "sipchain-"))
		s->figures.injected++;
	return !s->failed;
}

void ami_session_feed(struct ami_session *s, struct view bytes, usec now)
{
	struct arrival arrival = {s, now};
	struct view line;
	int rc;

	if (!s->greeted) {
		rc = ami_reader_line(&s->reader, bytes, &line);
		if (!rc)
			return;
		if (rc < 0 || !view_starts(line, AMI_GREETING)) {
			fail(s, "what answers there is no Asterisk manager",
				rc < 0 ? (struct view){0} : line);
			return;
		}
		s->greeted = true;
		s->figures.state = AMI_LOGIN;
		challenge(s, now);
		bytes = (struct view){0};
	}
	if (ami_reader_feed(&s->reader, bytes, on_message, &arrival) || s->out.failed)
		fail(s, "out of memory", (struct view){0});
}
