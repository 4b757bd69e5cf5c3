/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_SECURITY_EVENT_H
#define SENSE_SECURITY_EVENT_H

#include "sense/event_time.h"
#include "sense/observation.h"

/*
 * What one of Asterisk's security events says, whichever way it came: as a line
 * of the log (sense/security_log.h) or over AMI (sense/ami_event.h). Who reads
 * it has seen to it that each field is Asterisk's own and not an attacker's.
 */
struct security_event {
	uint8_t kind; /* enum observation_kind, of security_event_kind() */
	struct event_time time;
	struct view service, account, session, remote;
	struct view response; /* the digest's, where there is one */
	bool using_password;
	bool ambiguous; /* another address may be the real one: it proves nothing */
};

/*
 * The kind of an event's name:
 *
 *   InvalidAccountID, FailedACL      OBSERVED_UNKNOWN_ACCOUNT (not there for
 *                                    this source, in the ACL's case)
 *   ChallengeResponseFailed,
 *   InvalidPassword                  OBSERVED_AUTH_FAILED
 *   ChallengeSent                    OBSERVED_SCAN; what follows answers it
 *   RequestBadFormat                 OBSERVED_MALFORMED
 *   SuccessfulAuth                   OBSERVED_AUTH_OK
 *
 * 0 for every other: it says nothing about the remote side.
 */
uint8_t security_event_kind(struct view name);

enum security_event_result {
	SECURITY_EVENT_OBSERVATION = 0, /* *o is filled */
	SECURITY_EVENT_NOTHING = 1,     /* of no concern (another service) */
	SECURITY_EVENT_IMPOSSIBLE = 2,  /* Asterisk writes no such remote address */
};

/*
 * The event as an observation of this sensor. A stream transport proves the
 * address (PROOF_TCP), a password over any transport too (PROOF_AUTH); UDP
 * proves nothing: one forged packet makes Asterisk write any failure about
 * anybody. Managers log in and are challenged; only their failures are
 * observed, and a manager that logs in is no SIP user.
 */
enum security_event_result security_event_observe(
	struct observation *o, const struct security_event *e, uint8_t sensor);

#endif
