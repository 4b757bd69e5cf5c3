/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_FILTERS_H
#define DAEMON_SENSE_FILTERS_H

#include "daemon/config.h"
#include "daemon/sense_logs.h"
#include "sense/observation.h"

/*
 * The sources of type log of the role `sense`: text logs that fail2ban's filters
 * read.
 */
struct sense_filters;

/*
 * Before the sandbox closes: load the filter of each [source] of type log and
 * ask logs for its lines. One that is wrong is logged, told to the node and does
 * nothing; the others go on. config must outlive it, and it must outlive logs.
 * NULL when memory is short.
 */
struct sense_filters *sense_filters_new(const struct config *config,
	struct sense_logs *logs, observation_fn *observation, void *context);

/*
 * Tell the node what it does not know yet of each source. again: the link is
 * new, it knows nothing.
 */
void sense_filters_tell(struct sense_filters *s, struct link *node, bool again);

/* NULL is fine. */
void sense_filters_free(struct sense_filters *s);

#endif
