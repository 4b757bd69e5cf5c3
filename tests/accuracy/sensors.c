/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors.h"

#include <stdio.h>
#include <stdlib.h>

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

static int run_hep(struct sensor_run *run, const char *path)
{
	struct wire *w = wire_new(&wire_config_default, (struct hash_key){1, 2},
		run->observe, run->context);
	struct pcap_datagram d = {0};
	struct hep_message m;
	struct pcap p;
	usec last = 0;
	int rc = -1;

	if (!w || pcap_open(&p, path))
		goto done;
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
		fprintf(stderr, "%s: cut off: the packet at byte %zu is not whole\n",
			path, p.cut_at);
	pcap_close(&p);
	rc = 0;
done:
	wire_free(w);
	return rc;
}

static int run_security_log(struct sensor_run *run, const char *path)
{
	struct security_log_figures figures = {{0}};
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	ssize_t n;

	if (!f)
		return -1;
	while ((n = getline(&line, &size, f)) >= 0) {
		run->lines++;
		security_log_feed(
			&figures, view_of(line, (size_t)n), run->observe, run->context);
	}
	free(line);
	fclose(f);
	run->injections += (unsigned)figures.lines[SECURITY_LOG_INJECTION];
	return 0;
}

const struct sensor sensors[] = {
	{"hep", NULL, "hep.pcap", run_hep},
	{"log", "asterisk", "security.json|security.log", run_security_log},
};

const size_t sensors_count = sizeof sensors / sizeof sensors[0];
