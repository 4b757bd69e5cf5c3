/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_OBSERVATION_H
#define SENSE_OBSERVATION_H

#include "base/clock.h"
#include "indicator/address.h"
#include "indicator/word.h"

enum observation_kind {
	OBSERVED_AUTH_FAILED = 1,     /* credentials given and refused */
	OBSERVED_UNKNOWN_ACCOUNT = 2, /* asked for an account that is not there */
	OBSERVED_SCAN =
		3, /* a request that only probes (unanswered challenge, OPTIONS) */
	OBSERVED_CALL_REJECTED = 4, /* an INVITE refused */
	OBSERVED_MALFORMED = 5,     /* not parseable as SIP, or the PBX says so */
	OBSERVED_AUTH_OK = 6,       /* credentials accepted */
	OBSERVED_PROOF = 7,         /* nothing but a proof of the source */
	/*
	 * An authenticated account calls dialled. Not an attempt: it says where a
	 * stolen account calls to. attempt is that of its OBSERVED_AUTH_OK.
	 */
	OBSERVED_CALL = 8,
	/* Text that means to be read as a line of a log, see injection.h. */
	OBSERVED_INJECTION = 9,
	OBSERVED_KINDS, /* those above are what the detector counts */
	/*
	 * An INVITE that says nothing of its sender (busy, overload, no answer) but
	 * what it dialled. No attempt: the detector does not look at it.
	 */
	OBSERVED_DIALLED = OBSERVED_KINDS,
	/*
	 * A call that a ban in the PBX ended. No attempt either, and no evidence:
	 * returned is the indicator as it is printed, request the number that was
	 * looked up.
	 */
	OBSERVED_BLOCKED
};

/*
 * What speaks for or against a source that nothing proves; far less than a
 * proof, for whoever forges packets can imitate or provoke all of it.
 */
enum observation_sign {
	/*
	 * It used what only an answer of ours told (an ACK, a BYE with our To-tag,
	 * be the tag guessable): it seems to receive what is sent to it.
	 */
	SIGN_TOOK_PART = 1,
	/*
	 * It answered a challenge that it never got, or did not acknowledge the
	 * answer to an INVITE: it seems not to receive what is sent to it.
	 */
	SIGN_FORGED = 2,
	SIGN_TOOL = 4, /* the request names itself a tool that only attacks */
	/*
	 * The PBX forbade it (403) without asking for credentials, as Asterisk does
	 * what its ACL denies: who has this address is hardly served there. That no
	 * answer was seen is no sign: packets of HEP get lost.
	 */
	SIGN_UNSERVED = 8,
	SIGNS_ALL = 15
};

enum observation_sensor {
	SENSOR_HEP = 1,
	SENSOR_SECURITY_LOG = 2,
	SENSOR_HONEYPOT = 3,
	SENSOR_AMI = 4,
	SENSOR_FILTER = 5,
	SENSOR_KAMAILIO = 6, /* the shipped include's log lines, also OpenSIPS's */
};

enum sip_transport {
	TRANSPORT_UDP = 1,
	TRANSPORT_TCP = 2,
	TRANSPORT_TLS = 3,
	TRANSPORT_WS = 4,
	TRANSPORT_WSS = 5,
};

/*
 * One thing a sensor saw. Texts are hostile: bounded, NUL-terminated, NUL
 * bytes replaced, otherwise raw; escape them wherever they are shown.
 *
 * attempt is the key under which several observations are one attempt: a hash
 * over Call-ID and, where there is one, the digest response, so that a log
 * line, a HEP packet and their retransmissions of one attempt agree, and a
 * tool that reuses one Call-ID for every guess does not hide.
 */
struct observation {
	usec time;
	struct address source;
	uint16_t port;
	uint8_t kind;      /* enum observation_kind */
	uint8_t proof;     /* enum proof: what this very observation proves */
	uint8_t transport; /* enum sip_transport */
	uint8_t sensor;    /* enum observation_sensor */
	uint8_t method;    /* enum sip_method; 0: another one, or not known */
	uint8_t signs;     /* of enum observation_sign */
	uint64_t attempt;
	char account[64];
	/* At the honeypot also "user@domain", of a name that it calls. */
	char dialled[64];
	char agent[96];
	/* For the evidence alone; zeros and "" where a sensor has it not. */
	uint64_t call_id;  /* of the Call-ID, see observation_call_id() */
	usec issued;       /* when it was sent what it returned; 0: not known */
	char returned[48]; /* our nonce or To-tag that it sent back, cut to fit */
	char request[80];  /* the request line, host and account masked: "*" */
};

/* "hep", "security-log", ...; "auth-failed", "scan", ...; "udp", ... */
const char *sensor_name(uint8_t sensor);
const char *observation_kind_name(uint8_t kind);
const char *transport_name(uint8_t transport);
/* Of the bit with this number: "took-part", "forged", "tool", "unserved". */
const char *sign_name(uint8_t bit);

/*
 * The attempt key. Call-ID and response may be empty; of a longer Call-ID only
 * the beginning counts, which is all that the includes for Kamailio and OpenSIPS
 * write. A fixed hash, not a keyed one: two sensors must agree.
 */
#define ATTEMPT_CALL_ID 128 /* bytes */
uint64_t observation_attempt(struct view call_id, struct view response);

/*
 * Of what cannot have waited anywhere: the time that another machine's clock gives
 * counts while it is near ours, else the present does. By a clock that is wrong
 * one attempt would be two, another sensor having seen it in time.
 */
void observation_live(struct observation *o, usec now);

/* The first eight bytes of keccak256 of a Call-ID; 0 for an empty one. */
uint64_t observation_call_id(struct view call_id);

/*
 * Whether a dialled string is rather an extension or a name of the site than a
 * number: up to five digits, or letters.
 */
bool dialled_names_account(const char *dialled);

/*
 * The user part of a dialled URI as a PBX dials it, into dst of size bytes,
 * NUL-terminated, cut to fit: escapes of what may be dialled are undone (%39 is
 * a 9 like any other), all others stay as they came, so that %0a does not
 * become a line break here.
 */
void observation_dialled(char *dst, size_t size, struct view user);

/* What every sensor gives its observations to. */
typedef void observation_fn(void *context, const struct observation *o);

#endif
