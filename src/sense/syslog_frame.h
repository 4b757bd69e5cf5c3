/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_SYSLOG_FRAME_H
#define SENSE_SYSLOG_FRAME_H

#include "base/bytes.h"

/*
 * Messages in a stream (RFC 6587): "LENGTH MESSAGE" (octet counting, 3.4.1) or
 * a message and a line break (3.4.2; NUL ends one too). Which of both is seen
 * anew at each message: a digit begins the one, '<' the other.
 */
#define SYSLOG_MESSAGE_MAX 8192 /* longer ones are left out and counted */

struct syslog_frames {
	size_t n;       /* bytes of the message that is coming */
	size_t want;    /* octet counting: its length; 0: until a line break */
	size_t skip;    /* bytes of a counted message that is too long */
	bool begun;     /* inside a message */
	bool counting;  /* reading the digits of a length */
	bool skip_line; /* a line is too long: until its end */
	unsigned digits;
	uint64_t messages, oversize;
	uint8_t bytes[SYSLOG_MESSAGE_MAX];
};

typedef void syslog_frame_fn(void *context, struct view message);

/*
 * Feed what came; f is zero-initialised at first. Returns 0, or -1 when a
 * length is none: nothing tells then where the next message begins, and the
 * connection is to be ended.
 */
int syslog_frames_feed(
	struct syslog_frames *f, struct view bytes, syslog_frame_fn *fn, void *context);

#endif
