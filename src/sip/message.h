/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H

#include "sip/field.h"

/*
 * A SIP message taken apart (RFC 3261). Nothing is copied: all views point
 * into the packet that was parsed. Header names are matched without case and
 * in compact form (7.3.3), lines may be folded (7.3.1) and may end in LF
 * alone. Where two readers could understand one message differently (two
 * From headers, two tags, a repeated nonce), the message is malformed.
 */
#define SIP_MESSAGE_MAX 65536
#define SIP_HEADERS_MAX 128
#define SIP_DIGESTS_MAX 4

enum sip_method {
	SIP_OTHER = 0, /* an extension method */
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_REGISTER,
	SIP_OPTIONS,
	SIP_PRACK,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_PUBLISH,
	SIP_INFO,
	SIP_REFER,
	SIP_MESSAGE,
	SIP_UPDATE,
};

enum sip_verdict {
	SIP_VALID = 0,
	SIP_KEEPALIVE, /* CRLF, CRLFCRLF (RFC 5626 3.5.1), NUL bytes: no message */
	SIP_FOREIGN,   /* another protocol: no start line of SIP (STUN, HTTP, ...) */
	SIP_MALFORMED, /* means to be SIP and is not */
};

struct sip_message {
	bool request;
	enum sip_method method; /* of the request, or of the CSeq in a response */
	struct view method_name;
	struct view uri;       /* Request-URI */
	struct sip_uri target; /* its parts */
	unsigned status;       /* 100..699 in a response */
	struct view reason;

	struct sip_via via; /* topmost */
	struct sip_party from, to;
	struct sip_party contact; /* the first; uri.n == 0: none, or "*" */
	struct view call_id;
	uint32_t cseq;
	struct view cseq_method;
	struct view agent; /* User-Agent, in a response else Server */
	struct sip_digest credentials[SIP_DIGESTS_MAX];
	unsigned n_credentials;
	struct sip_digest challenges[SIP_DIGESTS_MAX];
	unsigned n_challenges;
	int64_t content_length; /* -1: no such header */
	int64_t expires;        /* -1: none, or not a number */
	struct view body;       /* as Content-Length says, else all the rest */
};

/*
 * Parse one whole message (a datagram, or a frame of a stream). When the
 * verdict is SIP_MALFORMED, *why (may be NULL) names the reason, and the
 * fields hold what was understood before it: request, method and call_id are
 * then useful for a log line, nothing else is to be trusted.
 */
enum sip_verdict sip_parse(struct sip_message *m, struct view packet, const char **why);

/* "INVITE" to SIP_INVITE; methods are case-sensitive (7.1). */
enum sip_method sip_method_of(struct view name);

#endif
