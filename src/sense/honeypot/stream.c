/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/stream.h"

/* Whether a header line's name is Content-Length, or l, its compact form. */
static bool names_length(struct view name)
{
	name = view_trim(name);
	return view_eq_nocase(name, "Content-Length") || view_eq_nocase(name, "l");
}

/*
 * The value of one header line, whose continuations were joined to it: digits
 * within white space. Returns 0 or -1.
 */
static int read_length(uint64_t *out, struct view value)
{
	return view_decimal(view_trim(value), STREAM_MESSAGE_MAX, out);
}

/* Take one line with its continuations off *rest, line ends inside it left. */
static struct view take_header(struct view *rest)
{
	struct view line = {rest->p, 0};

	do {
		size_t n = view_find(*rest, '\n');

		line.n += n < rest->n ? n + 1 : n;
		*rest = view_from(*rest, n + 1);
	} while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'));
	return line;
}

/*
 * The body's length by the head of a message: 0 without the header. -1 when it
 * is no number, too great, or given twice with different values, which two
 * readers could understand differently.
 */
static int body_length(uint64_t *out, struct view head)
{
	bool seen = false;
	uint64_t length;

	*out = 0;
	(void)take_header(&head);
	while (head.n) {
		struct view line = take_header(&head);
		size_t colon = view_find(line, ':');

		if (colon == line.n || !names_length(view_head(line, colon)))
			continue;
		if (read_length(&length, view_from(line, colon + 1)) ||
			(seen && length != *out))
			return -1;
		seen = true;
		*out = length;
	}
	return 0;
}

/*
 * Behind which byte the head ends, seen from the line end at `at`; 0 when the
 * next line is not empty, or not there yet (*more).
 */
static size_t head_end(struct view bytes, size_t at, bool *more)
{
	size_t next = at + 1;

	*more = false;
	if (next < bytes.n && bytes.p[next] == '\r')
		next++;
	if (next >= bytes.n) {
		*more = true;
		return 0;
	}
	return bytes.p[next] == '\n' ? next + 1 : 0;
}

/* "REGISTER sip:a SIP/2.0" or "SIP/2.0 200 OK": anything else is no SIP. */
static bool is_start_line(struct view line)
{
	return view_find_str(line, "SIP/") < line.n;
}

/* Set s->total when the head is whole. Returns the verdict so far. */
static enum stream_verdict find_head(struct stream_state *s, struct view bytes)
{
	struct view head = view_head(bytes, STREAM_HEAD_MAX);
	uint64_t body;
	bool more;

	while (s->looked < head.n) {
		size_t at = s->looked + view_find(view_from(head, s->looked), '\n');
		size_t end;

		if (at == head.n) {
			s->looked = (uint32_t)at;
			break;
		}
		/* The first line tells early what does not speak SIP at all. */
		if (view_find(head, '\n') == at && !is_start_line(view_head(head, at)))
			return STREAM_BROKEN;
		end = head_end(head, at, &more);
		if (more)
			break;
		s->looked = (uint32_t)at + 1;
		if (!end)
			continue;
		if (body_length(&body, view_head(head, end)) ||
			end + body > STREAM_MESSAGE_MAX)
			return STREAM_BROKEN;
		s->total = (uint32_t)(end + body);
		return STREAM_MORE;
	}
	return bytes.n >= STREAM_HEAD_MAX ? STREAM_BROKEN : STREAM_MORE;
}

/*
 * Line ends before a message mean nothing (RFC 3261 7.5), but two in a row are
 * a question whether we are alive. Taken one by one, so that nothing of them is
 * kept: the connection is idle between them.
 */
static enum stream_verdict take_break(struct stream_state *s, size_t *n, size_t length)
{
	*n = length;
	if (++s->breaks < 2)
		return STREAM_BLANK;
	s->breaks = 0;
	return STREAM_KEEPALIVE;
}

enum stream_verdict stream_next(struct stream_state *s, size_t *n, struct view bytes)
{
	*n = 0;
	if (!bytes.n)
		return STREAM_MORE;
	if (!s->looked && !s->total) {
		if (bytes.p[0] == '\n')
			return take_break(s, n, 1);
		if (bytes.p[0] == '\r') {
			if (bytes.n == 1)
				return STREAM_MORE;
			return bytes.p[1] == '\n' ? take_break(s, n, 2) : STREAM_BROKEN;
		}
		s->breaks = 0;
		/* A TLS greeting, a binary protocol. */
		if (bytes.p[0] <= ' ' || bytes.p[0] >= 0x7f)
			return STREAM_BROKEN;
	}
	if (!s->total && find_head(s, bytes) == STREAM_BROKEN)
		return STREAM_BROKEN;
	if (!s->total || bytes.n < s->total)
		return STREAM_MORE;
	*n = s->total;
	s->looked = s->total = 0;
	return STREAM_MESSAGE;
}
