/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_TEXT_H
#define DAEMON_SENSE_TEXT_H

#include "daemon/sense_journal.h"
#include "daemon/sense_logs.h"
#include "sense/observation.h"

/*
 * The sources of the role `sense` that are text: those of type log, which
 * fail2ban's filters read, and of type kamailio. Their lines stand in a file, in
 * the journal, or come as syslog of other machines.
 */
struct sense_text;

/*
 * Before the sandbox closes: load filters, open sockets, load what reads
 * journals, ask logs for the lines of files. A source that is wrong is logged,
 * told to the node and does nothing; the others go on. config must outlive it,
 * and it must outlive logs. NULL when memory is short.
 */
struct sense_text *sense_text_new(uv_loop_t *loop, const struct config *config,
	struct sense_logs *logs, observation_fn *observation, void *context);

#define SENSE_TEXT_PATHS_MAX (SENSE_JOURNAL_PATHS * CONFIG_SOURCES_MAX)

/*
 * The folders of journals, into paths[] of most elements, which must stay within
 * reach. Returns how many.
 */
size_t sense_text_paths(
	const struct sense_text *s, struct sandbox_path *paths, size_t most);

/* The node is there: journals are read from where it says that they were. */
void sense_text_start(
	struct sense_text *s, const struct log_position *list, size_t count);

/* The node is gone: journals wait. */
void sense_text_stop(struct sense_text *s);

/* Tell the node which journals' positions changed, once their observations are sent. */
void sense_text_tell_positions(struct sense_text *s, struct link *node);

/*
 * Tell the node what it does not know yet of each source. again: the link is
 * new, it knows nothing.
 */
void sense_text_tell(struct sense_text *s, struct link *node, bool again);

/*
 * Whether a new process may do better: it reads files of filters anew, and tries
 * again what could not be opened.
 */
bool sense_text_waits(const struct sense_text *s);

/* The memory goes when the loop has run. NULL is fine. */
void sense_text_free(struct sense_text *s);

#endif
