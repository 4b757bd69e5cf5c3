/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_ANSWER_TEXT_H
#define SENSE_HONEYPOT_ANSWER_TEXT_H

#include "base/bytes.h"
#include "sip/message.h"

/*
 * The headers of a message as they stand in it, for what is sent back word for word,
 * and for messages that sip_parse() refuses. Lenient: what is no header is passed over.
 */
struct header_walk {
	struct view rest;
	struct view body; /* once the walk is over */
};

/* Behind the start line. */
struct header_walk header_walk_begin(struct view packet);

/*
 * The next header: its name as written, and its value, trimmed, with the line breaks
 * of a folded one inside. False at the empty line or the end of the packet.
 */
bool header_walk_next(struct header_walk *w, struct view *name, struct view *value);

#define ECHO_VIAS_MAX   64
#define ECHO_ROUTES_MAX 8

/* What an answer takes over, and what decides about it; views into the packet. */
struct echo {
	struct view via[ECHO_VIAS_MAX], record_route[ECHO_ROUTES_MAX];
	unsigned n_vias, n_record_routes;
	struct view from, to, call_id, cseq, contact;
	struct view require, content_type, content_encoding, accept, event;
	struct view authorization[SIP_DIGESTS_MAX];
	unsigned n_authorizations;
	bool has_accept;
	bool has_max_forwards, max_forwards_wrong;
	bool secrets;  /* secrets_mask() may find something in it */
	bool too_many; /* more Vias or routes than there is room for */
	struct view body;
};

void echo_read(struct echo *e, struct view packet);

/* Text into a buffer of fixed size; what does not fit sets full. */
struct pen {
	uint8_t *p;
	size_t n, max;
	bool full;
};

static inline void pen_put(struct pen *pen, struct view text)
{
	if (pen->full || text.n > pen->max - pen->n) {
		pen->full = true;
		return;
	}
	if (text.n)
		memcpy(pen->p + pen->n, text.p, text.n);
	pen->n += text.n;
}

static inline void pen_str(struct pen *pen, const char *text)
{
	pen_put(pen, view_str(text));
}

void pen_number(struct pen *pen, uint64_t v);
void pen_printf(struct pen *pen, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The text on one line (unfolded). */
void pen_unfolded(struct pen *pen, struct view text);

#endif
