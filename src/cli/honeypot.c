/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain honeypot: where records are, and which of them are asked for. */
#include "cli/honeypot.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/choice.h"
#include "daemon/config.h"
#include "indicator/word.h"

#define LIMIT_MOST   1000000
#define NUMBER_LEAST 3 /* digits */

/* --- the filter --- */

/* "2h", "2026-11-22" or "2026-11-22T10:00:00Z". 0 or -1. */
static int read_since(usec *since, const char *text, usec now)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
	uint64_t seconds;

	if (!duration_parse(&seconds, view_str(text), NULL)) {
		*since = seconds < now / USEC_PER_SEC ? now - seconds * USEC_PER_SEC : 1;
		return 0;
	}
	for (size_t i = 0; i < 2; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		time_t t = end && !*end ? timegm(&tm) : -1;

		if (t <= 0)
			continue;
		*since = (usec)t * USEC_PER_SEC;
		return 0;
	}
	return -1;
}

/* "+972 59-123*" into "97259123". 0 or -1. */
static int read_number(struct honeypot_filter *f, const char *text)
{
	size_t n = 0;

	for (const char *c = text; *c; c++) {
		if (isdigit((unsigned char)*c) && n < sizeof f->number - 1)
			f->number[n++] = *c;
		else if (*c == '*' && !c[1])
			f->number_prefix = true;
		else if (!strchr("+ -.()", *c))
			return -1;
	}
	return n < NUMBER_LEAST ? -1 : 0;
}

static int read_source(struct honeypot_filter *f, const char *text, struct error *err)
{
	if (indicator_parse(&f->source, NULL, view_str(text), err))
		return -1;
	if (f->source.kind != INDICATOR_IP4 && f->source.kind != INDICATOR_IP6)
		return error_set(err, "it is no address and no prefix");
	f->has_source = true;
	return 0;
}

int honeypot_filter_read(struct honeypot_filter *f, struct invocation *in, usec now)
{
	const char *by = option(in, OPTION_BY, "session");

	memset(f, 0, sizeof *f);
	if (given(in, OPTION_SINCE) &&
		read_since(&f->since, option(in, OPTION_SINCE, ""), now))
		return failure(CONTROL_USAGE,
			"--since: how long ago, such as 2h, or a time in UTC, such as "
			"2026-11-22 or 2026-11-22T10:00:00Z");
	if (given(in, OPTION_SOURCE) &&
		read_source(f, option(in, OPTION_SOURCE, ""), &in->error))
		return failure(CONTROL_USAGE, "--source %s: %s",
			shown(option(in, OPTION_SOURCE, "")), in->error.text);
	if (given(in, OPTION_NUMBER) && read_number(f, option(in, OPTION_NUMBER, "")))
		return failure(CONTROL_USAGE,
			"--number: at least %d digits, such as +972591234567, or +97259* for "
			"what contains them",
			NUMBER_LEAST);
	if (given(in, OPTION_LIMIT) &&
		(view_decimal(
			 view_str(option(in, OPTION_LIMIT, "")), LIMIT_MOST, &f->limit) ||
			!f->limit))
		return failure(
			CONTROL_USAGE, "--limit: a number from 1 to %d", LIMIT_MOST);
	f->proved = given(in, OPTION_PROVED);
	f->by_source = !strcmp(by, "source");
	if (!f->by_source && strcmp(by, "session"))
		return failure(CONTROL_USAGE, "--by: session or source");
	return 0;
}

bool honeypot_takes(const struct honeypot_filter *f, const struct record *r)
{
	struct indicator source;

	if (r->time < f->since)
		return false;
	if (!f->has_source)
		return true;
	if (!r->remote.family)
		return false;
	source = indicator_from_address(&r->remote, r->remote.family == 4 ? 32 : 128);
	return indicator_contains(&f->source, &source);
}

bool honeypot_dialled(const struct honeypot_filter *f, struct view dialled)
{
	size_t n = strlen(f->number), have = 0;
	char digits[256];

	for (size_t i = 0; i < dialled.n && have < sizeof digits - 1; i++)
		if (isdigit(dialled.p[i]))
			digits[have++] = (char)dialled.p[i];
	digits[have] = 0;
	if (!n || have < n)
		return false;
	/* What stands before is an outside line, an international prefix, a guess. */
	return f->number_prefix ? strstr(digits, f->number) != NULL :
				  !strcmp(digits + have - n, f->number);
}

bool honeypot_proves(uint8_t proof)
{
	return proof == PROOF_NONCE || proof == PROOF_ACK || proof == PROOF_TCP ||
		proof == PROOF_AUTH;
}

/* --- the folder --- */

/* Into path[], or an exit code, having said why. */
static int find_folder(struct invocation *in, char *path, size_t size)
{
	static struct config config;
	int code;

	if (given(in, OPTION_FOLDER)) {
		snprintf(path, size, "%s", option(in, OPTION_FOLDER, ""));
		return 0;
	}
	code = load_config(in, &config);
	if (code)
		return code;
	if (config.honeypot.record[0])
		snprintf(path, size, "%s", config.honeypot.record);
	else
		snprintf(path, size, "%s/honeypot", config.node.state);
	config_free(&config);
	return 0;
}

struct record_reader *honeypot_open(struct invocation *in, int *code)
{
	char path[CONFIG_PATH_MAX + 32];
	struct record_reader *r;
	int why;

	*code = find_folder(in, path, sizeof path);
	if (*code)
		return NULL;
	errno = 0;
	r = record_reader_open(path, &in->error);
	why = errno;
	if (r)
		return r;
	if (why == EACCES)
		*code = failure(CONTROL_PERMISSION,
			"%s; what the honeypot recorded is for root and the daemon's group",
			in->error.text);
	else if (why == ENOENT)
		*code = failure(CONTROL_FAILED,
			"%s; nothing was recorded there: [honeypot] record names the "
			"folder, or --folder",
			in->error.text);
	else
		*code = failure(CONTROL_FAILED, "%s", in->error.text);
	return NULL;
}

void honeypot_close(struct record_reader *r)
{
	struct record_reader_figures f;

	if (!r)
		return;
	record_reader_figures(r, &f);
	if (f.damaged || f.torn)
		fprintf(stderr,
			"sipchain: left out: %llu damaged messages, and %llu unreadable bytes "
			"at the end of %llu files (a daemon or a machine that died, or the "
			"disk)\n",
			(unsigned long long)f.damaged, (unsigned long long)f.torn_bytes,
			(unsigned long long)f.torn);
	record_reader_close(r);
}
