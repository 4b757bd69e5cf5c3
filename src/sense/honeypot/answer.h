/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_ANSWER_H
#define SENSE_HONEYPOT_ANSWER_H

#include "base/clock.h"
#include "sense/honeypot/answer_text.h"
#include "sense/honeypot/honeypot.h"
#include "sense/honeypot/profile.h"

/* One answer to one request. */
struct answer {
	const struct honeypot_profile *profile;
	const struct honeypot_path *path; /* of the request */
	const struct echo *echo;
	const struct sip_via *via; /* the topmost, taken apart; NULL: not understood */
	enum sip_method method;
	unsigned status;
	const char *reason;
	const char *tag; /* what the To gets; "": nothing, or it has one */
	bool keep_tag;   /* the tag is there to be returned: rather no answer than none */
	const char *nonce, *short_nonce; /* of a 401 */
	uint64_t opaque;
	bool stale;
	bool sdp; /* with a session description */
	struct view dialled;
	struct view unsupported; /* of a 420 */
	struct address shown;    /* our own address as texts have it */
	int64_t expires;         /* of a REGISTER */
	uint64_t id;             /* of the session description */
	usec now;
};

/*
 * Write it into dst of size bytes, with at most `most` of them: what is optional is left out until it
 * fits, then the short forms are taken (in which the Content-Length may be absent over
 * UDP, RFC 3261 20.14), then what is preferred goes, then the To-tag unless keep_tag, at
 * last rport and received.
 * Returns the length, or 0: it does not fit.
 */
size_t answer_write(const struct answer *a, uint8_t *dst, size_t size, size_t most);

/* Into *to, where the answer goes (RFC 3261 18.2.2, RFC 3581 4). maddr is not followed:
 * it would let a stranger choose whom we send to. */
void answer_path(struct honeypot_path *to, const struct honeypot_path *path,
	const struct sip_via *via);

/* The usual reason phrase of a status. */
const char *answer_reason(unsigned status);

/* "192.0.2.1:5060", "[2001:db8::1]:5060" */
void pen_address(struct pen *pen, const struct address *a, uint16_t port);

/* A profile's lines for a BYE: {agent} is filled in, any other is empty. */
void answer_lines(struct pen *pen, const struct honeypot_profile *p, const char *lines);

#endif
