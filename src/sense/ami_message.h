/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_MESSAGE_H
#define SENSE_AMI_MESSAGE_H

#include "base/buffer.h"
#include "base/bytes.h"

/*
 * Messages of the Asterisk Manager Interface (AMI): lines "Key: value" that end
 * in CR LF; an empty line ends the message.
 *
 * Asterisk escapes nothing: what a SIP message brought in with a decoded %0a or
 * %0d%0a stands in the stream as it came, so that an attacker writes lines, and
 * ends one message to begin another. The reader only splits and says what is
 * odd; ami_event.h knows what each event has to look like.
 */
#define AMI_FIELDS_MAX  256   /* an EndpointDetail of Asterisk 22 has 130 */
#define AMI_LINE_MAX    16384 /* a trunk may match some hundred prefixes */
#define AMI_MESSAGE_MAX 65536

struct ami_field {
	struct view key, value; /* value without the blank that follows the colon */
};

enum ami_fault {
	AMI_BARE_BREAK = 1, /* CR without LF, LF without CR, or a NUL byte */
	AMI_DUPLICATE = 2,  /* one key twice (ChanVariable excepted: it may be) */
	AMI_NO_FIELD = 4,   /* a line that is no "Key: value" */
	AMI_OVERSIZE = 8,   /* a line, the message, or the number of its lines */
};

/* Views are into the reader's bytes. */
struct ami_message {
	unsigned faults; /* enum ami_fault; oversize: no fields at all */
	size_t count;
	struct ami_field field[AMI_FIELDS_MAX];
};

/* The field of that key (case counts); empty when there is none. */
struct view ami_message_get(const struct ami_message *m, const char *key);

/* Whether the first line is "Event: name" ("Response: name"). */
bool ami_message_is(const struct ami_message *m, const char *key, const char *name);

/* Split one message, without its empty line. Pure. */
void ami_message_split(struct ami_message *out, struct view text);

/* Collects messages from a stream of bytes. Zero-initialise. */
struct ami_reader {
	struct buffer rest; /* begins with the first byte of a message */
	size_t looked;      /* bytes of it that hold no end of a message */
	bool skipping;      /* inside one that was too long */
};

/*
 * Called for each message; the view is valid during the call. Returns whether
 * to go on: after false, ami_reader_feed() drops what it has and returns.
 */
typedef bool ami_message_fn(void *context, const struct ami_message *m);

/*
 * Add bytes and give out the messages that are complete. A message longer than
 * AMI_MESSAGE_MAX is given once, with AMI_OVERSIZE and no fields, and skipped up
 * to its end. Never holds more than AMI_MESSAGE_MAX and one more call's bytes.
 * Returns 0, or -1 when memory is short.
 */
int ami_reader_feed(
	struct ami_reader *r, struct view bytes, ami_message_fn *fn, void *context);

/*
 * The greeting: take the first line, without its end, off the front. It is not
 * in the form of a message. Returns 1, 0 when it is not whole yet, or -1 when
 * it is longer than 256 bytes. The line is valid until the next call.
 */
int ami_reader_line(struct ami_reader *r, struct view bytes, struct view *line);

void ami_reader_free(struct ami_reader *r);

#endif
