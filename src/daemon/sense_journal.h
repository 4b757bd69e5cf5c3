/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_JOURNAL_H
#define DAEMON_SENSE_JOURNAL_H

#include "daemon/config.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/sandbox.h"
#include "sense/journald.h"

/*
 * The journal of one [source] of the role `sense`. Its position is a log's with
 * the path "journal:SOURCE".
 */
struct sense_journal;

/*
 * Before the sandbox closes: load what reads journals. config must outlive it.
 * NULL with a text.
 */
struct sense_journal *sense_journal_new(uv_loop_t *loop,
	const struct config_source *config, log_entry_fn *entry, void *context,
	struct error *err);

#define SENSE_JOURNAL_PATHS 2

/*
 * Its folders, into paths[SENSE_JOURNAL_PATHS], which must stay within reach.
 * Returns how many. They are valid while the configuration is.
 */
size_t sense_journal_paths(const struct sense_journal *j, struct sandbox_path *paths);

/*
 * The node is there: read from where it says that the journal was read to. 0, or
 * -1 with a text; then it is read when the node begins again. A text with 0
 * tells what stays out of reach.
 */
int sense_journal_start(struct sense_journal *j, const struct log_position *list,
	size_t count, struct error *err);

/* The node is gone: the journal waits. */
void sense_journal_stop(struct sense_journal *j);

/* Tell the node the position when it changed, once the observations are sent. */
void sense_journal_tell(struct sense_journal *j, struct link *node);

/* How often it could not be read. */
uint64_t sense_journal_failures(const struct sense_journal *j);

/* The memory goes when the loop has run. NULL is fine. */
void sense_journal_free(struct sense_journal *j);

#endif
