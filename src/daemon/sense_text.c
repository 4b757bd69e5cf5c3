/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "daemon/config_source.h"
#include "daemon/sense_source.h"
#include "sense/filter/filter_observe.h"
#include "sense/kamailio_log.h"
#include "sense/syslog_server.h"

/* One of the three that bring lines is there, but for a file, which logs follow. */
struct source {
	struct sense_text *all;
	unsigned index; /* in the configuration */
	const struct config_source *config;
	struct filter *filter; /* of type log */
	struct kamailio_log_figures kamailio;
	struct sense_journal *journal;
	struct syslog_server *server;
	bool used;
	char trouble[200]; /* why it is not, or what it lacks */
	uint64_t observed;
	struct source_status told;
};

struct sense_text {
	uv_loop_t *loop;
	struct sense_logs *logs;
	struct source sources[CONFIG_SOURCES_MAX];
	size_t count;
	observation_fn *observation;
	void *context;
	char line[LOG_ENTRY_MAX + 1024]; /* an entry's, for a filter */
};

/* --- lines --- */

static void feed_kamailio(struct source *s, struct view line, bool real)
{
	struct observation o;
	enum kamailio_log_result result = kamailio_log_parse(&o, line, clock_wall());

	s->kamailio.lines[result]++;
	if (result != KAMAILIO_LOG_OBSERVATION)
		return;
	/* Whoever forges a datagram's sender writes what he likes about anybody. */
	if (!real)
		o.proof = PROOF_NONE;
	s->observed++;
	s->all->observation(s->all->context, &o);
}

/* time 0: it stands in the line. */
static void feed_filter(struct source *s, struct view line, usec time)
{
	s->observed += filter_observe(s->filter, line, time, clock_wall(),
		s->all->observation, s->all->context);
}

/* A line of a file. */
static void on_line(void *context, struct view line)
{
	struct source *s = context;

	if (s->filter)
		feed_filter(s, line, 0);
	else
		feed_kamailio(s, line, true);
}

/* Lines of a file that say nothing to the filter. */
static size_t on_skip(void *context, struct view text, uint64_t *lines)
{
	struct source *s = context;

	return filter_skip(s->filter, text, lines);
}

/* real: nobody but its writer can have sent it. What a filter reads is never proved. */
static void feed(struct source *s, const struct log_entry *e, bool real)
{
	if (s->filter)
		feed_filter(s, log_entry_line(s->all->line, sizeof s->all->line, e),
			e->time ? e->time : clock_wall());
	else
		feed_kamailio(s, e->message, real);
}

static void on_syslog(void *context, const struct log_entry *e, bool real)
{
	feed(context, e, real);
}

static void on_journal(void *context, const struct log_entry *e)
{
	feed(context, e, true);
}

/* --- opening --- */

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

static int open_syslog(struct source *s, struct error *err)
{
	const struct config_listen *l = &s->config->syslog;
	bool udp = l->transport == TRANSPORT_UDP;
	int fd = syslog_open(udp, &l->address, l->port, err);

	if (fd < 0)
		return -1;
	s->server = syslog_server_new(
		s->all->loop, fd, udp, &s->config->from, on_syslog, s, err);
	return s->server ? 0 : -1;
}

static int open_place(struct source *s, struct error *err)
{
	if (s->config->syslog.transport)
		return open_syslog(s, err);
	if (!s->config->journal[0]) {
		if (sense_logs_add(s->all->logs, s->config->path, on_line, s, err))
			return -1;
		if (s->filter)
			sense_logs_skip(s->all->logs, s->config->path, on_skip, s);
		return 0;
	}
	s->journal = sense_journal_new(s->all->loop, s->config, on_journal, s, err);
	return s->journal ? 0 : -1;
}

static void open_source(struct source *s)
{
	char title[CONFIG_SOURCE_TITLE];
	struct error err = {""};

	config_source_title(title, s->config);
	if (s->config->type == CONFIG_SOURCE_LOG) {
		s->filter = config_source_filter(s->config, &err);
		if (!s->filter)
			goto fail;
		log_info("[%s] its filter is %s", title, filter_name(s->filter));
	}
	if (open_place(s, &err))
		goto fail;
	s->used = true;
	return;
fail:
	filter_free(s->filter);
	s->filter = NULL;
	log_error("[%s] %s; this source is not used", title, err.text);
	snprintf(s->trouble, sizeof s->trouble, "%.199s", err.text);
}

struct sense_text *sense_text_new(uv_loop_t *loop, const struct config *config,
	struct sense_logs *logs, observation_fn *observation, void *context)
{
	struct sense_text *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = loop;
	s->logs = logs;
	s->observation = observation;
	s->context = context;
	keep_time_zone();
	for (size_t i = 0; i < config->source_count; i++) {
		struct source *one = &s->sources[s->count];

		if (config->sources[i].type != CONFIG_SOURCE_LOG &&
			config->sources[i].type != CONFIG_SOURCE_KAMAILIO)
			continue;
		one->all = s;
		one->index = (unsigned)i;
		one->config = &config->sources[i];
		open_source(one);
		s->count++;
	}
	return s;
}

size_t sense_text_paths(
	const struct sense_text *s, struct sandbox_path *paths, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->sources[i].journal && n + SENSE_JOURNAL_PATHS <= most)
			n += sense_journal_paths(s->sources[i].journal, paths + n);
	return n;
}

/* --- journals --- */

static void start_journal(struct source *s, const struct log_position *list, size_t count)
{
	char title[CONFIG_SOURCE_TITLE];
	struct error err = {""};
	int rc = sense_journal_start(s->journal, list, count, &err);

	s->used = rc == 0;
	snprintf(s->trouble, sizeof s->trouble, "%.199s", err.text);
	if (rc)
		log_error("[%s] %s", config_source_title(title, s->config), err.text);
	else if (err.text[0])
		log_warning("[%s] %s", config_source_title(title, s->config), err.text);
}

void sense_text_start(struct sense_text *s, const struct log_position *list, size_t count)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sources[i].journal)
			start_journal(&s->sources[i], list, count);
}

void sense_text_stop(struct sense_text *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sources[i].journal)
			sense_journal_stop(s->sources[i].journal);
}

void sense_text_tell_positions(struct sense_text *s, struct link *node)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sources[i].journal)
			sense_journal_tell(s->sources[i].journal, node);
}

/* --- to the node --- */

static void status_of_log(struct source_status *out, const struct source *s)
{
	struct filter_figures f;

	if (!s->filter)
		return;
	filter_figures(s->filter, &f);
	out->of.log.lines = f.lines;
	out->of.log.failures = f.failures;
	out->of.log.unnamed = f.unnamed;
	out->of.log.exhausted = f.exhausted;
	out->of.log.off = f.off;
}

static void status_of_kamailio(struct source_status *out, const struct source *s)
{
	for (unsigned i = 0; i < 4; i++)
		out->of.kamailio.lines += s->kamailio.lines[i];
	out->of.kamailio.cut = s->kamailio.lines[KAMAILIO_LOG_UNREADABLE];
	out->of.kamailio.injected = s->kamailio.lines[KAMAILIO_LOG_INJECTION];
}

static void status_of(struct source_status *out, const struct source *s)
{
	char trouble[sizeof s->trouble];
	struct syslog_figures f;

	snprintf(trouble, sizeof trouble, "%s", s->trouble);
	if (s->used && s->config->path[0])
		sense_logs_trouble(
			s->all->logs, s->config->path, trouble, sizeof trouble);
	sense_source_begin(out, s->config, s->index, s->used, trouble);
	out->observations = s->observed;
	if (s->config->type == CONFIG_SOURCE_LOG)
		status_of_log(out, s);
	else
		status_of_kamailio(out, s);
	if (s->journal)
		out->way.failures = sense_journal_failures(s->journal);
	if (!s->server)
		return;
	syslog_server_figures(s->server, &f);
	out->way.bad = f.bad + f.oversize;
	out->way.refused = f.refused;
	out->way.dropped = f.kernel_dropped;
}

void sense_text_tell(struct sense_text *s, struct link *node, bool again)
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

bool sense_text_waits(const struct sense_text *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sources[i].filter || !s->sources[i].used)
			return true;
	return false;
}

void sense_text_free(struct sense_text *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		sense_journal_free(s->sources[i].journal);
		syslog_server_close(s->sources[i].server);
		filter_free(s->sources[i].filter);
	}
	free(s);
}
