/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ACCURACY_SENSORS_H
#define TESTS_ACCURACY_SENSORS_H

#include "base/error.h"
#include "sense/observation.h"

/*
 * The sensors that a case of the corpora can be replayed through: each a
 * function that feeds one file of the case, with the clock of the capture, to
 * the sensor as it runs in the daemon, and gives away what that observed. A
 * further sensor is one more function and one more line of sensors[].
 */
struct sensor_run {
	observation_fn *observe;
	void *context;
	unsigned injections; /* attempts at writing a log's or a stream's fields */
	unsigned lines;      /* packets, lines or messages that were read */
};

struct sensor {
	const char *set;   /* the sensor set that it makes alone: "hep" */
	const char *pbx;   /* the corpora's folder, NULL: any */
	const char *files; /* in the case's folder; of several, by '|', the first there */
	/*
	 * Returns 0, or -1 with what is wrong with the file, its name left out; what
	 * came before that was observed.
	 */
	int (*run)(struct sensor_run *run, const char *path, struct error *err);
};

/* What this machine lacks for it, or NULL: then it runs. */
const char *sensor_lacks(const struct sensor *s);

extern const struct sensor sensors[];
extern const size_t sensors_count;

#endif
