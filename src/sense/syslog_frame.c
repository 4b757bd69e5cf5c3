/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/syslog_frame.h"

#define DIGITS_MAX 7 /* of a length: ten megabytes, which are skipped */

static void finish(struct syslog_frames *f, syslog_frame_fn *fn, void *context)
{
	if (f->n) {
		f->messages++;
		fn(context, view_of(f->bytes, f->n));
	}
	f->n = f->want = 0;
	f->begun = false;
}

/* A digit of the length, or the blank that ends it. Returns 0 or -1. */
static int feed_length(struct syslog_frames *f, uint8_t c)
{
	if (c >= '0' && c <= '9') {
		f->want = f->want * 10 + (c - '0');
		return ++f->digits > DIGITS_MAX || !f->want ? -1 : 0;
	}
	if (c != ' ')
		return -1;
	f->counting = false;
	if (f->want > sizeof f->bytes) {
		f->oversize++;
		f->skip = f->want;
		f->want = 0;
		f->begun = false;
	}
	return 0;
}

/* A byte of a line. */
static void feed_line(
	struct syslog_frames *f, uint8_t c, syslog_frame_fn *fn, void *context)
{
	if (c == '\n' || !c) {
		f->skip_line = false;
		finish(f, fn, context);
	} else if (f->skip_line) {
		;
	} else if (f->n == sizeof f->bytes) {
		f->oversize++;
		f->skip_line = true;
		f->n = 0;
	} else {
		f->bytes[f->n++] = c;
	}
}

static void begin(struct syslog_frames *f, uint8_t c)
{
	f->begun = true;
	f->counting = c >= '1' && c <= '9';
	f->digits = 0;
	f->want = f->n = 0;
}

int syslog_frames_feed(
	struct syslog_frames *f, struct view bytes, syslog_frame_fn *fn, void *context)
{
	for (size_t i = 0; i < bytes.n; i++) {
		uint8_t c = bytes.p[i];

		if (f->skip) {
			size_t n = f->skip < bytes.n - i ? f->skip : bytes.n - i;

			f->skip -= n;
			i += n - 1;
			continue;
		}
		if (!f->begun) {
			/* Some end a counted message with a line break all the same. */
			if (c == '\n' || c == '\r' || !c)
				continue;
			begin(f, c);
		}
		if (f->counting) {
			if (feed_length(f, c))
				return -1;
		} else if (f->want) {
			f->bytes[f->n++] = c;
			if (f->n == f->want)
				finish(f, fn, context);
		} else {
			feed_line(f, c, fn, context);
		}
	}
	return 0;
}
