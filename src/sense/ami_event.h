/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_EVENT_H
#define SENSE_AMI_EVENT_H

#include "sense/ami_message.h"
#include "sense/observation.h"
#include "sense/parse_trace.h"

/*
 * Events of Asterisk's manager interface as observations. Pure.
 *
 * Each kind of event has its fields in one order, which Asterisk's code fixes
 * (main/security_events.c, sec_events[]; main/manager_channels.c). An event
 * that lacks one of them, has one more, one twice, or any out of its place was
 * not written by Asterisk alone and is discarded whole, even where what came
 * from the attacker could be told from the rest: there is nothing to gain.
 *
 * What an attacker brings into a value is short (36 bytes of an account that is
 * not there, 80 of a dialled string), a whole event of these kinds takes 250:
 * he cannot write one, he can only break those that stand around his text.
 */
enum ami_event_result {
	AMI_EVENT_OBSERVATION = 0, /* *o is filled */
	AMI_EVENT_NOTHING = 1,     /* of no concern */
	AMI_EVENT_INJECTION = 2,   /* somebody tried to write fields of his own */
	AMI_EVENT_CALL = 3,        /* *call is filled */
	AMI_EVENT_BOOTED = 4,      /* Asterisk is up: after its start, and a login */
	AMI_EVENT_SHUTDOWN = 5,    /* it stops */
};

/* A channel that an endpoint of chan_pjsip opened towards Asterisk: it calls. */
struct ami_call {
	struct view endpoint; /* "101" of "PJSIP/101-0000001a" */
	struct view dialled;
};

/*
 * Judge a message that is an event ("Event: ..."). Security events become what
 * security_event_observe() makes of them, with SENSOR_AMI.
 */
enum ami_event_result ami_event_parse(
	struct observation *o, struct ami_call *call, const struct ami_message *m);

/* The same, and tell why it is no observation; trace may be NULL. */
enum ami_event_result ami_event_trace(struct observation *o, struct ami_call *call,
	const struct ami_message *m, struct parse_trace *trace);

/*
 * A call that the dialplan's check refused: what packaging/asterisk/sipchain.conf
 * tells by UserEvent. Views are into the message. An attacker can bring line
 * breaks into the fields before (his caller id), so that the event is discarded,
 * but no event of his own: this one takes 500 bytes.
 */
struct ami_blocked {
	struct view endpoint;  /* of chan_pjsip; empty: another technology */
	struct view number;    /* digits, as it was looked up */
	struct view dialled;   /* as the trunk would have had it */
	struct view indicator; /* the third part of the entry's value */
	struct view remote;    /* "192.0.2.7:5060"; empty: not known */
};

/*
 * Judge a message on a connection that waits for those: AMI_EVENT_CALL (*out is
 * filled), AMI_EVENT_BOOTED, AMI_EVENT_SHUTDOWN, AMI_EVENT_INJECTION, or
 * AMI_EVENT_NOTHING (other events, other user events too).
 */
enum ami_event_result ami_event_blocked(
	struct ami_blocked *out, const struct ami_message *m);

#endif
