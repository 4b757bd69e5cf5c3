/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_filters.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "daemon/config_source.h"
#include "daemon/sense_source.h"
#include "sense/filter/filter_observe.h"

struct source {
	struct sense_filters *all;
	unsigned index; /* in the configuration */
	const struct config_source *config;
	struct filter *filter; /* NULL: trouble says why */
	char trouble[200];
	uint64_t observed;
	struct source_status told;
};

struct sense_filters {
	struct source sources[CONFIG_SOURCES_MAX];
	size_t count;
	observation_fn *observation;
	void *context;
};

/*
 * Logs write local time. Without TZ the C library looks at /etc/localtime again
 * and again, and where the sandbox hides it believes in UTC; with TZ it looks
 * once, here.
 */
static void keep_time_zone(void)
{
	setenv("TZ", ":/etc/localtime", 0);
	tzset();
}

static void on_line(void *context, struct view line)
{
	struct source *s = context;

	s->observed += filter_observe(
		s->filter, line, 0, clock_wall(), s->all->observation, s->all->context);
}

static void load(struct source *s, struct sense_logs *logs)
{
	struct filter_settings settings = {.now = clock_wall()};
	char title[CONFIG_SOURCE_TITLE];
	struct error err = {""};

	s->filter = filter_new(s->config->filter, &settings, &err);
	if (s->filter && !sense_logs_add(logs, s->config->path, on_line, s, &err)) {
		log_info("[%s] filter %s reads %s", config_source_title(title, s->config),
			filter_name(s->filter), s->config->path);
		return;
	}
	filter_free(s->filter);
	s->filter = NULL;
	log_error("[%s] %s; this source is not used",
		config_source_title(title, s->config), err.text);
	snprintf(s->trouble, sizeof s->trouble, "%.199s", err.text);
}

struct sense_filters *sense_filters_new(const struct config *config,
	struct sense_logs *logs, observation_fn *observation, void *context)
{
	struct sense_filters *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->observation = observation;
	s->context = context;
	keep_time_zone();
	for (size_t i = 0; i < config->source_count; i++) {
		struct source *one = &s->sources[s->count];

		if (config->sources[i].type != CONFIG_SOURCE_LOG)
			continue;
		one->all = s;
		one->index = (unsigned)i;
		one->config = &config->sources[i];
		load(one, logs);
		s->count++;
	}
	return s;
}

static void status_of(struct source_status *out, const struct source *s)
{
	struct filter_figures f;

	sense_source_begin(out, s->config, s->index, s->filter != NULL, s->trouble);
	out->observations = s->observed;
	if (!s->filter)
		return;
	filter_figures(s->filter, &f);
	out->of.log.lines = f.lines;
	out->of.log.failures = f.failures;
	out->of.log.unnamed = f.unnamed;
	out->of.log.exhausted = f.exhausted;
	out->of.log.off = f.off;
}

void sense_filters_tell(struct sense_filters *s, struct link *node, bool again)
{
	struct source_status now;

	for (size_t i = 0; i < s->count; i++) {
		struct source *one = &s->sources[i];

		if (again)
			memset(&one->told, 0, sizeof one->told);
		status_of(&now, one);
		sense_source_tell(&one->told, &now, node);
	}
}

void sense_filters_free(struct sense_filters *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		filter_free(s->sources[i].filter);
	free(s);
}
