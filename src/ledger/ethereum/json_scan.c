/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/json_scan.h"

#include <inttypes.h>

#include "base/escape.h"

enum state {
	VALUE,       /* a value must come */
	FIRST_VALUE, /* or the array ends */
	FIRST_KEY,   /* a key must come, or the object ends */
	NEXT_KEY,    /* a key must come */
	COLON,
	AFTER, /* a comma, or the container ends */
	STRING,
	ESCAPE,  /* behind a backslash */
	UNICODE, /* behind \u */
	NUMBER,
	LITERAL,
	DONE, /* white space only */
};

#define WINDOW 4096

static const struct view nothing;

void json_scan_init(struct json_scan *s, json_event_fn *fn, void *context)
{
	*s = (struct json_scan){.fn = fn, .context = context, .state = VALUE};
}

static int emit(struct json_scan *s, enum json_event event, struct error *err)
{
	return s->fn(s->context, event, nothing, true, err);
}

static int wrong(const struct json_scan *s, size_t at, uint8_t c, struct error *err)
{
	return error_set(err, "not JSON: unexpected %s at byte %" PRIu64,
		c < 0x20 ? "control character" : escaped(view_of(&c, 1)), s->offset + at);
}

/* A value has ended: what may come behind it. */
static void value_ended(struct json_scan *s)
{
	s->state = s->depth > 0 ? AFTER : DONE;
}

static int open_container(struct json_scan *s, size_t at, bool object, struct error *err)
{
	if (s->depth == JSON_SCAN_DEPTH)
		return error_set(err, "JSON nested deeper than %d at byte %" PRIu64,
			JSON_SCAN_DEPTH, s->offset + at);
	s->objects &= ~(UINT32_C(1) << s->depth);
	s->objects |= (uint32_t)object << s->depth;
	s->depth++;
	s->state = object ? FIRST_KEY : FIRST_VALUE;
	return emit(s, object ? JSON_EVENT_OBJECT : JSON_EVENT_ARRAY, err);
}

static int close_container(struct json_scan *s, size_t at, uint8_t c, struct error *err)
{
	bool object = s->objects >> (s->depth - 1) & 1;

	if (object != (c == '}'))
		return wrong(s, at, c, err);
	s->depth--;
	value_ended(s);
	return emit(s, object ? JSON_EVENT_OBJECT_END : JSON_EVENT_ARRAY_END, err);
}

static void begin_string(struct json_scan *s, bool key)
{
	s->key = key;
	s->key_cut = false;
	s->n = 0;
	s->state = STRING;
}

/* The first byte of a value. */
static int begin_value(struct json_scan *s, size_t at, uint8_t c, struct error *err)
{
	switch (c) {
	case '{':
		return open_container(s, at, true, err);
	case '[':
		return open_container(s, at, false, err);
	case '"':
		begin_string(s, false);
		return 0;
	case 't':
	case 'f':
	case 'n':
		s->state = LITERAL;
		break;
	default:
		if (c != '-' && (c < '0' || c > '9'))
			return wrong(s, at, c, err);
		s->state = NUMBER;
	}
	s->text[0] = (char)c;
	s->n = 1;
	return 0;
}

/* --- strings --- */

/* A piece of a string goes to fn at once, one of a key into text. */
static int put_piece(struct json_scan *s, struct view piece, bool last, struct error *err)
{
	size_t room = sizeof s->text - s->n;

	if (!s->key)
		return s->fn(s->context, JSON_EVENT_STRING, piece, last, err);
	if (piece.n > room) {
		s->key_cut = true;
		piece.n = room;
	}
	if (piece.n > 0)
		memcpy(s->text + s->n, piece.p, piece.n);
	s->n = (uint8_t)(s->n + piece.n);
	if (!last)
		return 0;
	return s->fn(
		s->context, JSON_EVENT_KEY, view_of(s->text, s->n), !s->key_cut, err);
}

/* Whether any of n bytes is a control character, eight at a time. */
static bool has_control(const uint8_t *p, size_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t found = 0, word;
	size_t i = 0;

	/* Set in the top bit of each byte under 0x20 (and only if there is one). */
	for (; i + 8 <= n; i += 8) {
		memcpy(&word, p + i, 8);
		found |= (word - ones * 0x20) & ~word & ones * 0x80;
	}
	for (; i < n; i++)
		found |= p[i] < 0x20;
	return found != 0;
}

/*
 * How many bytes of v are plain: up to a quote, a backslash, a control
 * character or the end. Looks WINDOW bytes ahead at most: a string full of
 * escapes would otherwise be searched to its end behind each of them.
 */
static size_t plain_bytes(struct view v)
{
	const uint8_t *hit;
	size_t n = v.n < WINDOW ? v.n : WINDOW;

	hit = memchr(v.p, '"', n);
	if (hit)
		n = (size_t)(hit - v.p);
	hit = memchr(v.p, '\\', n);
	if (hit)
		n = (size_t)(hit - v.p);
	if (!has_control(v.p, n))
		return n;
	for (n = 0; v.p[n] >= 0x20; n++)
		;
	return n;
}

/* rest begins inside a string. Returns the bytes used, or -1 with a text. */
static ptrdiff_t scan_string(
	struct json_scan *s, struct view rest, size_t at, struct error *err)
{
	size_t n = plain_bytes(rest);
	uint8_t next = n < rest.n ? rest.p[n] : 'x';
	bool last = next == '"';

	/* First what stands before: however it is cut, the same is said of it. */
	if ((n > 0 || last) && put_piece(s, view_head(rest, n), last, err))
		return -1;
	if (next < 0x20)
		return wrong(s, at + n, next, err);
	if (last && s->key)
		s->state = COLON;
	else if (last)
		value_ended(s);
	else if (next == '\\')
		s->state = ESCAPE;
	else
		return (ptrdiff_t)n; /* more of the string follows */
	return (ptrdiff_t)n + 1;
}

static int scan_escape(struct json_scan *s, size_t at, uint8_t c, struct error *err)
{
	static const char names[] = "\"\\/bfnrt";
	static const uint8_t bytes[] = "\"\\/\b\f\n\r\t";
	const char *name = c ? strchr(names, c) : NULL;

	if (c == 'u') {
		s->state = UNICODE;
		s->digits = 0;
		s->unit = 0;
		return 0;
	}
	if (!name)
		return wrong(s, at, c, err);
	s->state = STRING;
	return put_piece(s, view_of(&bytes[name - names], 1), false, err);
}

/* One digit of \uXXXX; the fourth makes UTF-8 of it, "?" of a surrogate. */
static int scan_unicode(struct json_scan *s, size_t at, uint8_t c, struct error *err)
{
	uint8_t utf8[3];
	unsigned u, n = 0;

	if (c >= '0' && c <= '9')
		u = c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		u = (c | 0x20) - 'a' + 10u;
	else
		return wrong(s, at, c, err);
	s->unit = (uint16_t)(s->unit << 4 | u);
	if (++s->digits < 4)
		return 0;
	u = s->unit >= 0xd800 && s->unit <= 0xdfff ? '?' : s->unit;
	if (u < 0x80) {
		utf8[n++] = (uint8_t)u;
	} else if (u < 0x800) {
		utf8[n++] = (uint8_t)(0xc0 | u >> 6);
		utf8[n++] = (uint8_t)(0x80 | (u & 0x3f));
	} else {
		utf8[n++] = (uint8_t)(0xe0 | u >> 12);
		utf8[n++] = (uint8_t)(0x80 | (u >> 6 & 0x3f));
		utf8[n++] = (uint8_t)(0x80 | (u & 0x3f));
	}
	s->state = STRING;
	return put_piece(s, view_of(utf8, n), false, err);
}

/* --- numbers and literals --- */

static size_t skip_digits(struct view v, size_t at)
{
	while (at < v.n && v.p[at] >= '0' && v.p[at] <= '9')
		at++;
	return at;
}

/* RFC 8259 section 6. */
static bool is_number(struct view v)
{
	size_t at = v.n > 0 && v.p[0] == '-', end = skip_digits(v, at);

	if (end == at || (v.p[at] == '0' && end > at + 1))
		return false;
	at = end;
	if (at < v.n && v.p[at] == '.') {
		end = skip_digits(v, at + 1);
		if (end == at + 1)
			return false;
		at = end;
	}
	if (at < v.n && (v.p[at] | 0x20) == 'e') {
		at++;
		if (at < v.n && (v.p[at] == '+' || v.p[at] == '-'))
			at++;
		end = skip_digits(v, at);
		if (end == at)
			return false;
		at = end;
	}
	return at == v.n;
}

/* The word in text has ended. */
static int end_word(struct json_scan *s, size_t at, struct error *err)
{
	struct view text = view_of(s->text, s->n);
	bool number = s->state == NUMBER;

	value_ended(s);
	if (number && is_number(text))
		return s->fn(s->context, JSON_EVENT_NUMBER, text, true, err);
	if (!number && view_eq(text, view_str("true")))
		return emit(s, JSON_EVENT_TRUE, err);
	if (!number && view_eq(text, view_str("false")))
		return emit(s, JSON_EVENT_FALSE, err);
	if (!number && view_eq(text, view_str("null")))
		return emit(s, JSON_EVENT_NULL, err);
	/* Not the word itself: it may be a secret that a peer repeats. */
	return error_set(
		err, "not JSON: a malformed word before byte %" PRIu64, s->offset + at);
}

static bool is_word_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' ||
		c == '.' || c == 'E';
}

/* --- the whole --- */

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* A byte between tokens that is no white space. */
static int scan_structure(struct json_scan *s, size_t at, uint8_t c, struct error *err)
{
	switch (s->state) {
	case FIRST_VALUE:
		if (c == ']')
			return close_container(s, at, c, err);
		return begin_value(s, at, c, err);
	case VALUE:
		return begin_value(s, at, c, err);
	case FIRST_KEY:
	case NEXT_KEY:
		if (c == '}' && s->state == FIRST_KEY)
			return close_container(s, at, c, err);
		if (c != '"')
			return wrong(s, at, c, err);
		begin_string(s, true);
		return 0;
	case COLON:
		if (c != ':')
			return wrong(s, at, c, err);
		s->state = VALUE;
		return 0;
	case AFTER:
		if (c == '}' || c == ']')
			return close_container(s, at, c, err);
		if (c != ',')
			return wrong(s, at, c, err);
		s->state = s->objects >> (s->depth - 1) & 1 ? NEXT_KEY : VALUE;
		return 0;
	default:
		return wrong(s, at, c, err);
	}
}

int json_scan_feed(struct json_scan *s, struct view chunk, struct error *err)
{
	size_t at = 0;

	while (at < chunk.n) {
		uint8_t c = chunk.p[at];
		ptrdiff_t used = 1;
		int rc = 0;

		switch (s->state) {
		case STRING:
			used = scan_string(s, view_from(chunk, at), at, err);
			rc = used < 0;
			break;
		case ESCAPE:
			rc = scan_escape(s, at, c, err);
			break;
		case UNICODE:
			rc = scan_unicode(s, at, c, err);
			break;
		case NUMBER:
		case LITERAL:
			if (!is_word_byte(c)) {
				rc = end_word(s, at, err);
				used = 0; /* it belongs to what follows */
			} else if (s->n == sizeof s->text) {
				rc = error_set(err,
					"JSON: a number of more than %d digits",
					JSON_SCAN_TEXT);
			} else {
				s->text[s->n++] = (char)c;
			}
			break;
		default:
			if (!is_space(c))
				rc = scan_structure(s, at, c, err);
		}
		if (rc)
			return -1;
		at += (size_t)used;
	}
	s->offset += chunk.n;
	return 0;
}

int json_scan_end(struct json_scan *s, struct error *err)
{
	if (s->depth == 0 && (s->state == NUMBER || s->state == LITERAL) &&
		end_word(s, 0, err))
		return -1;
	if (s->state != DONE)
		return error_set(err, "cut off at byte %" PRIu64, s->offset);
	return 0;
}
