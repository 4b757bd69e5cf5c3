/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain honeypot tail */
#include <time.h>
#include <unistd.h>

#include "cli/honeypot.h"

#define LOOK_EVERY_MS 200

static bool is_asked_for(const struct honeypot_filter *f, const struct record *r)
{
	return honeypot_takes(f, r) && (!f->proved || honeypot_proves(r->proof)) &&
		(!f->number[0] || honeypot_dialled(f, r->text[RECORD_DIALLED]));
}

static void tell(const struct record *r, bool json)
{
	json_t *o;

	if (!json) {
		honeypot_message_line(stdout, r);
		return;
	}
	o = honeypot_message_json(r);
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	fputc('\n', stdout);
	json_decref(o);
}

/* Until nobody reads any more, or so many were told. 0 or -1 with the error. */
static int follow(struct record_reader *r, const struct honeypot_filter *f, bool json,
	struct error *err)
{
	const struct timespec pause = {0, LOOK_EVERY_MS * 1000000L};
	struct record record;
	uint64_t told = 0;
	int rc;

	for (;;) {
		while ((rc = record_reader_next(r, &record, err)) > 0) {
			if (!is_asked_for(f, &record))
				continue;
			tell(&record, json);
			if (++told == f->limit)
				return 0;
		}
		if (rc < 0)
			return -1;
		if (fflush(stdout))
			return 0;
		nanosleep(&pause, NULL);
	}
}

int run_honeypot_tail(struct invocation *in)
{
	struct honeypot_filter f;
	struct record_reader *r;
	int code = honeypot_filter_read(&f, in, clock_wall());

	if (code)
		return code;
	r = honeypot_open(in, &code);
	if (!r)
		return code;
	progress_begin("looking for the end of what was recorded");
	code = record_reader_since(r, f.since ? f.since : UINT64_MAX, &in->error);
	progress_end();
	if (!code && isatty(STDERR_FILENO))
		fputs("following; Ctrl-C ends it\n", stderr);
	if (!code)
		code = follow(r, &f, given(in, OPTION_JSON), &in->error);
	if (code)
		code = failure(CONTROL_FAILED, "%s", in->error.text);
	honeypot_close(r);
	return code;
}
