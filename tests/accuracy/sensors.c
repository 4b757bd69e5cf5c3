/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sense/ami_accounts.h"
#include "sense/ami_event.h"
#include "sense/filter/filter_observe.h"
#include "sense/kamailio_log.h"
#include "sense/pcap.h"
#include "sense/security_log.h"
#include "sense/wire.h"

/* The collector's own step, and how long after a packet something may be due. */
#define STEP    (250 * USEC_PER_SEC / 1000)
#define SETTLED (10 * USEC_PER_SEC)
#define LONG    (240 * USEC_PER_SEC)

/* Let the collector's clock go from one packet's time to the next one's. */
static void pass_time(struct wire *w, usec from, usec to)
{
	usec settled = to - from > SETTLED ? from + SETTLED : to;

	for (usec now = from + STEP; now < settled; now += STEP)
		wire_expire(w, now);
	wire_expire(w, to);
}

static int run_hep(struct sensor_run *run, const char *path, struct error *err)
{
	struct wire *w = wire_new(&wire_config_default, (struct hash_key){1, 2},
		run->observe, run->context);
	struct pcap_datagram d = {0};
	struct hep_message m;
	struct pcap p;
	usec last = 0;
	int rc = 0;

	if (!w || pcap_open(&p, path)) {
		wire_free(w);
		return error_set(err, "no pcap file that can be read");
	}
	while (pcap_next(&p, &d)) {
		if (last && d.time > last)
			pass_time(w, last, d.time);
		last = d.time;
		run->lines++;
		if (hep_decode(&m, d.payload) == HEP_VALID)
			wire_feed(w, &m, &d.source, d.time);
	}
	pass_time(w, last, last + LONG);
	if (p.cut_at)
		rc = error_set(err, "cut off: packet %u, at byte %zu, is not whole",
			run->lines + 1, p.cut_at);
	pcap_close(&p);
	wire_free(w);
	return rc;
}

/* Each line of a file to fn. Returns 0 or -1. */
static int each_line(struct sensor_run *run, const char *path, struct error *err,
	void (*fn)(void *context, struct view line), void *context)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	ssize_t n;
	int rc = 0;

	if (!f)
		return error_set(err, "%s", strerror(errno));
	while ((n = getline(&line, &size, f)) >= 0) {
		run->lines++;
		fn(context, view_of(line, (size_t)n));
	}
	if (ferror(f))
		rc = error_set(err, "%s after line %u", strerror(errno), run->lines);
	free(line);
	fclose(f);
	return rc;
}

/* --- Asterisk's security log */

struct security_log {
	struct sensor_run *run;
	struct security_log_figures figures;
};

static void on_security(void *context, struct view line)
{
	struct security_log *l = context;

	security_log_feed(&l->figures, line, l->run->observe, l->run->context);
}

static int run_security_log(struct sensor_run *run, const char *path, struct error *err)
{
	struct security_log l = {.run = run};
	int rc = each_line(run, path, err, on_security, &l);

	run->injections += (unsigned)l.figures.lines[SECURITY_LOG_INJECTION];
	return rc;
}

/* --- the include's lines in Kamailio's log */

struct kamailio_log {
	struct sensor_run *run;
	int year;
	usec now;
};

/* syslog's head ("Nov 21 20:27:20", UTC) names no year: that of the packets. */
static int year_beside(const char *path)
{
	struct pcap_datagram d = {0};
	char beside[4096];
	struct pcap p;
	struct tm tm;
	time_t t;

	snprintf(beside, sizeof beside, "%.*s/hep.pcap", (int)(strrchr(path, '/') - path),
		path);
	if (pcap_open(&p, beside))
		return 2000; /* any */
	pcap_next(&p, &d);
	pcap_close(&p);
	t = (time_t)(d.time / USEC_PER_SEC);
	return gmtime_r(&t, &tm)->tm_year + 1900;
}

static void on_kamailio(void *context, struct view line)
{
	struct kamailio_log *l = context;
	struct tm tm = {.tm_year = l->year - 1900};
	struct observation o;
	char head[32];

	view_copy(head, sizeof head, line);
	if (strptime(head, "%b %d %H:%M:%S", &tm))
		l->now = (usec)timegm(&tm) * USEC_PER_SEC;
	switch (kamailio_log_parse(&o, line, l->now)) {
	case KAMAILIO_LOG_OBSERVATION:
		l->run->observe(l->run->context, &o);
		break;
	case KAMAILIO_LOG_INJECTION:
		l->run->injections++;
		break;
	case KAMAILIO_LOG_NOTHING:
	case KAMAILIO_LOG_UNREADABLE:
		break;
	}
}

static int run_kamailio_log(struct sensor_run *run, const char *path, struct error *err)
{
	struct kamailio_log l = {.run = run, .year = year_beside(path)};

	return each_line(run, path, err, on_kamailio, &l);
}

/* --- AMI */

struct ami_log {
	struct sensor_run *run;
	struct ami_accounts *accounts;
	usec last; /* Newchannel bears no time: that of the event before it */
};

/* As ami_session.c does with what nobody asked for. */
static bool on_message(void *context, const struct ami_message *m)
{
	struct ami_log *l = context;
	struct observation o;
	struct ami_call call;

	l->run->lines++;
	if (m->count && view_eq(m->field[0].key, view_str("Response")))
		return true; /* an answer to who recorded the stream */
	switch (ami_event_parse(&o, &call, m)) {
	case AMI_EVENT_OBSERVATION:
		l->last = o.time;
		ami_accounts_success(l->accounts, &o, l->last);
		l->run->observe(l->run->context, &o);
		break;
	case AMI_EVENT_CALL:
		if (!ami_accounts_call(
			    l->accounts, &o, call.endpoint, call.dialled, l->last))
			break;
		o.time = l->last;
		l->run->observe(l->run->context, &o);
		break;
	case AMI_EVENT_INJECTION:
		l->run->injections++;
		break;
	case AMI_EVENT_NOTHING:
	case AMI_EVENT_BOOTED:
	case AMI_EVENT_SHUTDOWN:
		break;
	}
	return true;
}

static int run_ami(struct sensor_run *run, const char *path, struct error *err)
{
	struct ami_log l = {run, ami_accounts_new((struct hash_key){5, 6}), 0};
	struct ami_reader r = {0};
	FILE *f = fopen(path, "rb");
	uint8_t block[4096];
	struct view greeting;
	int rc = 0;
	size_t n;

	if (!f || !l.accounts) {
		rc = error_set(err, "%s", strerror(errno));
		goto done;
	}
	n = fread(block, 1, sizeof block, f);
	/* A record may begin with the greeting or with the first event. */
	if (view_starts(view_of(block, n), "Asterisk Call Manager/"))
		rc = ami_reader_line(&r, view_of(block, n), &greeting) > 0 ? 0 : -1;
	else
		rc = ami_reader_feed(&r, view_of(block, n), on_message, &l);
	while (!rc && (n = fread(block, 1, sizeof block, f)) > 0)
		rc = ami_reader_feed(&r, view_of(block, n), on_message, &l);
	if (rc || ferror(f))
		rc = error_set(err, "no more after message %u", run->lines);
done:
	if (f)
		fclose(f);
	ami_reader_free(&r);
	ami_accounts_free(l.accounts);
	return rc;
}

/* --- fail2ban's filter on the default log */

#define DAY (86400 * USEC_PER_SEC)

struct filter_log {
	struct sensor_run *run;
	struct filter *filter;
	usec now;
};

/*
 * When a line was written: its own word ("[2026-11-21 20:04:28.239]", UTC),
 * unless it is one that an attacker wrote.
 */
static usec written(usec before, struct view line)
{
	char head[32];
	struct tm tm = {0};
	usec t;

	view_copy(head, sizeof head, line);
	if (sscanf(head, "[%4d-%2d-%2d %2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		    &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return before;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	t = (usec)timegm(&tm) * USEC_PER_SEC;
	return !before || (t > before && t - before < DAY) ? t : before;
}

static void on_logged(void *context, struct view line)
{
	struct filter_log *l = context;

	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	l->now = written(l->now, line);
	filter_observe(l->filter, line, 0, l->now, l->run->observe, l->run->context);
}

static int run_filter(struct sensor_run *run, const char *path, struct error *err)
{
	struct filter_settings settings = {.now = 0};
	struct filter_log l = {.run = run};
	int rc;

	l.filter = filter_new("asterisk", &settings, err);
	if (!l.filter)
		return -1;
	rc = each_line(run, path, err, on_logged, &l);
	filter_free(l.filter);
	return rc;
}

const char *sensor_lacks(const struct sensor *s)
{
	static struct error err;
	static bool tried, there;
	struct filter *f;

	if (s->run != run_filter)
		return NULL;
	if (!tried) {
		f = filter_new("asterisk", &(struct filter_settings){.now = 0}, &err);
		there = f != NULL;
		tried = true;
		filter_free(f);
	}
	return there ? NULL : err.text;
}

const struct sensor sensors[] = {
	{"hep", NULL, "hep.pcap", run_hep},
	{"log", "asterisk", "security.json|security.log", run_security_log},
	{"log", "kamailio", "kamailio.log", run_kamailio_log},
	{"ami", "asterisk", "ami.log", run_ami},
	{"filter", "asterisk", "stock.log", run_filter},
};

const size_t sensors_count = sizeof sensors / sizeof sensors[0];
