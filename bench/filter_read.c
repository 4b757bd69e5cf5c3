/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_read FILTER LOG NOW [alone]: a log through a filter and the detector, as
 * sense and node do it, on one core; NOW (unix seconds) is the present; alone:
 * without the detector, as sense by itself. Prints one line
 * of JSON: lines, failures, sources, seconds of this process on a core, lines a
 * second, highest resident memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "detect/detect.h"
#include "sense/filter/filter_observe.h"
#include "sense/logfile.h"

#define SOURCES 20000

struct reading {
	struct filter *filter;
	struct detector *detector;
	usec now;
	uint64_t observations, detections;
};

static void on_observation(void *context, const struct observation *o)
{
	struct reading *r = context;
	struct detection d;

	r->observations++;
	if (r->detector)
		r->detections += detector_feed(r->detector, o, &d);
}

static void on_line(void *context, struct view line)
{
	struct reading *r = context;

	filter_observe(r->filter, line, 0, r->now, on_observation, r);
}

static size_t on_skip(void *context, struct view text, uint64_t *lines)
{
	struct reading *r = context;

	return filter_skip(r->filter, text, lines);
}

/* Seconds of this process on a core: what else runs here does not count. */
static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* KiB. Not ru_maxrss, which begins with what the caller had before exec(). */
static long highest_rss(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

int main(int argc, char **argv)
{
	struct detect_config config = detect_config_default;
	struct logfile_figures lines = {.lines = 0};
	struct filter_settings settings = {.test = false};
	struct reading r = {.filter = NULL};
	const struct logfile_taker taker = {on_line, on_skip, &r};
	struct detect_figures figures;
	struct filter_figures filtered;
	struct error err = {""};
	enum logfile_state state;
	struct logfile *log;
	double begun, loaded, done;
	char folder[1024], name[1024];
	int directory;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: filter_read FILTER LOG NOW [alone]\n");
		return 2;
	}
	settings.now = r.now = strtoull(argv[3], NULL, 10) * USEC_PER_SEC;
	config.sources_max = SOURCES;
	begun = cpu();
	r.filter = filter_new(argv[1], &settings, &err);
	r.detector = argc == 4 ? detector_new(&config, hash_key_random()) : NULL;
	snprintf(folder, sizeof folder, "%s", argv[2]);
	snprintf(name, sizeof name, "%s", argv[2]);
	directory = open(dirname(folder), O_RDONLY | O_DIRECTORY);
	log = directory < 0 ? NULL : logfile_open(directory, basename(name));
	if (!r.filter || (!r.detector && argc == 4) || !log) {
		fprintf(stderr, "filter_read: %s\n",
			err.text[0] ? err.text : strerror(errno));
		return 2;
	}
	loaded = cpu();
	do
		state = logfile_read(log, 256 * 1024, &taker, &lines);
	while (state == LOGFILE_MORE);
	done = cpu();
	memset(&figures, 0, sizeof figures);
	if (r.detector)
		detector_figures(r.detector, &figures);
	filter_figures(r.filter, &filtered);
	printf("{\"lines\": %llu, \"looked_at\": %llu, \"failures\": %llu, \"observations\": %llu, "
	       "\"detections\": %llu, \"sources\": %zu, \"exhausted\": %llu, \"load_seconds\": %.4f, "
	       "\"seconds\": %.3f, \"lines_per_second\": %.0f, \"detector_kib\": %zu, \"rss_kib\": %ld}\n",
		(unsigned long long)lines.lines, (unsigned long long)filtered.looked_at,
		(unsigned long long)filtered.failures, (unsigned long long)r.observations,
		(unsigned long long)r.detections, figures.sources,
		(unsigned long long)filtered.exhausted, loaded - begun, done - loaded,
		(double)lines.lines / (done - loaded), figures.memory / 1024,
		highest_rss());
	logfile_close(log);
	close(directory);
	if (r.detector)
		detector_free(r.detector);
	filter_free(r.filter);
	return state == LOGFILE_END ? 0 : 1;
}
