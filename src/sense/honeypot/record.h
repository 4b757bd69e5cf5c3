/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_RECORD_H
#define SENSE_HONEYPOT_RECORD_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hash.h"
#include "indicator/address.h"

/*
 * What the honeypot keeps of each message, and how it stands in a file. A folder of
 * segments, NNNNNNNNNN.record, is only ever appended to (recorder.h) and read by
 * whoever may (record_reader.h). All integers are big-endian.
 *
 *   segment = header record...
 *   header  = "SIPREC1\n" sequence:64 created:64 key:128 check:32
 *   record  = length:32 check:32 head addresses texts bytes
 *
 * check is the lower half of SipHash-1-3, under the segment's key, of all that stands
 * behind it; length counts all of the record. The key is random, so that nobody
 * who is recorded can write a message that has a record inside which would be taken
 * for one where the disk lost something. What the death of the process or of the
 * machine left half written has a wrong length or check, and is skipped.
 */
#define RECORD_HEADER    44
#define RECORD_BYTES_MAX 65535 /* of a message; what is longer is cut */
#define RECORD_TEXT_MAX  255
#define RECORD_MAX       (96 + 6 * RECORD_TEXT_MAX + RECORD_BYTES_MAX)
#define RECORD_NAME      32 /* a segment's name, with NUL */

enum record_text {
	RECORD_ACCOUNT,
	RECORD_DIALLED,
	RECORD_AGENT,
	RECORD_TOOL,   /* the tool's name, if it is known */
	RECORD_TARGET, /* whom the tool says that it means */
	RECORD_WHY,    /* what is wrong with a malformed one */
	RECORD_TEXTS
};

/* One message. Texts and bytes are hostile. */
struct record {
	usec time;
	uint64_t session; /* 0: the message has no Call-ID */
	struct address remote, local;
	uint16_t remote_port, local_port;
	uint8_t transport; /* enum sip_transport */
	bool out;          /* ours; else the remote's */
	bool cut;          /* only the beginning of the message is there */
	uint8_t verdict;   /* enum sip_verdict */
	uint8_t proof;     /* enum proof */
	uint8_t method;    /* enum sip_method */
	uint16_t status;   /* 0: a request, or no SIP */
	struct view text[RECORD_TEXTS];
	struct view bytes;
};

/* How many bytes the record takes in a segment. */
size_t record_size(const struct record *r);

/*
 * Append it to dst, texts and bytes cut to their limits. Returns 0, or -1 when dst
 * failed.
 */
int record_encode(struct buffer *dst, const struct record *r, const struct hash_key *key);

enum record_verdict {
	RECORD_WHOLE,
	RECORD_SHORT,   /* more bytes are needed to say */
	RECORD_DAMAGED, /* its check is wrong: the next one may be sound */
	RECORD_LOST,    /* its length cannot be: nothing behind it can be found */
};

/*
 * Take the record at the front of bytes apart; views point into bytes. *length is
 * how many bytes it has, with RECORD_WHOLE and RECORD_DAMAGED; 0 else. Pure.
 */
enum record_verdict record_decode(
	struct record *r, size_t *length, struct view bytes, const struct hash_key *key);

struct record_segment {
	uint64_t sequence; /* from 1 on, one more with each segment */
	usec created;
	struct hash_key key;
};

#define RECORD_SEGMENT_HEADER 44

/* The header of a segment. Return 0, or -1 when dst failed or it is none. */
int record_segment_encode(struct buffer *dst, const struct record_segment *s);
int record_segment_decode(struct record_segment *s, struct view bytes);

/*
 * The name of a segment's file: at least ten digits. The sequence of a name, or 0 when
 * no segment has that name.
 */
const char *record_name(char dst[RECORD_NAME], uint64_t sequence);
uint64_t record_sequence(const char *name);

/*
 * Its session, or, of what has none, a number that is the same for all that comes
 * from this address.
 */
uint64_t record_session(const struct record *r);

#endif
