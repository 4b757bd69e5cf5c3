/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any lines through three filters: in Asterisk's form, in sshd's (connections),
 * over several lines. Each filter runs twice, once with the search for literals
 * and once without: what the search hides must be nothing, be it a line or a block
 * of lines that is passed over.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sense/filter/filter_observe.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define NOW (UINT64_C(1795305600) * USEC_PER_SEC)

static const char asterisk[] =
	"[Definition]\n"
	"prefregex = ^\\[\\]\\s*(?:NOTICE|SECURITY)\\[\\d+\\]:?\\S*:? <F-CONTENT>.+</F-CONTENT>$\n"
	"failregex = ^\\S+ Request '[^']*' from '(?:[^']*|.*?)' failed for '<HOST>(?::\\d+)?' - "
	"(?:No matching|Failed)\n"
	"  SecurityEvent=\"(?:FailedACL|InvalidPassword)\".*?,RemoteAddress=\"IPV[46]/[^/\"]+/"
	"<HOST>/<F-PORT/>\"\n"
	"  (?i)refused <F-USER>\\S+</F-USER> <ADDR>\n"
	"ignoreregex = 192\\.0\\.2\\.9\ndatepattern = {^LN-BEG}\n";

static const char connections[] =
	"[Definition]\n"
	"prefregex = s\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$\n"
	"failregex = ^<F-NOFAIL>connect</F-NOFAIL> from <HOST>$\n"
	"  ^failed for <F-USER>\\S+</F-USER>$\n"
	"  ^<F-NOFAIL><F-MLFGAINED>accepted</F-MLFGAINED></F-NOFAIL> for "
	"<F-ALT_USER>\\S+</F-ALT_USER>$\n"
	"  ^<F-NOFAIL><F-MLFFORGET>closed</F-MLFFORGET></F-NOFAIL>$\n";

static const char several_lines[] =
	"[Definition]\nmaxlines = 4\n"
	"failregex = ^ from <HOST> id=(?P<n>\\d+)$<SKIPLINES>^ denied id=(?P=n)$\n";

static const char *const texts[] = {asterisk, connections, several_lines};

static struct filter *filters[3][2];

static void load(void)
{
	struct filter_settings settings = {.now = NOW};
	char folder[] = "/tmp/sipchain-fuzz-XXXXXX", path[64];
	const char *folders[] = {folder, NULL};
	struct error err = {""};

	setenv("TZ", "UTC", 1);
	if (!mkdtemp(folder))
		abort();
	settings.folders = folders;
	snprintf(path, sizeof path, "%s/x.conf", folder);
	for (size_t i = 0; i < 3; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd < 0 || write(fd, texts[i], strlen(texts[i])) < 0)
			abort();
		close(fd);
		for (size_t test = 0; test < 2; test++) {
			settings.test = test;
			filters[i][test] = filter_new("x", &settings, &err);
			if (!filters[i][test]) {
				fprintf(stderr, "%s\n", err.text);
				abort();
			}
		}
	}
	unlink(path);
	rmdir(folder);
}

static void on_observation(void *context, const struct observation *o)
{
	unsigned *count = context;

	if (o->proof != PROOF_NONE || o->sensor != SENSOR_FILTER ||
		(o->source.family != 4 && o->source.family != 6) ||
		!memchr(o->account, 0, sizeof o->account) || *o->dialled || *o->agent)
		abort();
	++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view rest = view_of(input, size), last;
	size_t passed = 0; /* bytes of rest that are passed over */
	uint64_t lines;

	if (!filters[0][0])
		load();
	while (rest.n) {
		struct view line = view_head(rest, view_find(rest, '\n'));

		last = view_head(rest, view_rfind(rest, '\n') + 1);
		if (!passed && line.n < rest.n)
			passed = filter_skip(filters[0][0], last, &lines);
		rest = view_from(rest, line.n + 1);
		for (size_t i = 0; i < 3; i++) {
			unsigned with = 0, without = 0;

			filter_observe(
				filters[i][0], line, 0, NOW, on_observation, &with);
			filter_observe(
				filters[i][1], line, 0, NOW, on_observation, &without);
			if (i == 0 && passed && without)
				abort();
			/* Of the others, what came before decides: they differ in it. */
			if (i == 0 && (with != 0) != (without != 0))
				abort();
		}
		if (passed && (passed <= line.n || passed > last.n))
			abort();
		passed -= passed ? line.n + 1 : 0;
	}
	return 0;
}
