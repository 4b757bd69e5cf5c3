/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_JOURNALD_H
#define SENSE_JOURNALD_H

#include <uv.h>

#include "base/error.h"
#include "sense/log_entry.h"

/*
 * Follows systemd's journal: the entries of one unit or identifier, from where
 * the last run stopped, over rotation and vacuuming.
 *
 * The library (libsystemd.so.0, there wherever a journal is) is loaded when a
 * source asks for it, not linked: it brings five more libraries (compression,
 * cryptography) with it, none of which a process that holds a signing key is to
 * have, and no host without a journal needs any of it.
 */

/*
 * Load the library. Once, before the process is sealed. Returns 0, or -1 with a
 * text that names the remedy.
 */
int journald_load(struct error *err);

/* Where reading stands: what a cursor of the journal says, as numbers. */
struct journald_position {
	uint8_t seqnum_id[16];
	uint64_t seqnum;   /* 0: no entry was read, only the time counts */
	uint64_t realtime; /* microseconds */
	uint64_t hash;
};

/* The folders that are read when none is named: systemd-journald's own. */
#define JOURNAL_PERSISTENT "/var/log/journal"
#define JOURNAL_VOLATILE   "/run/log/journal"

struct journald_config {
	const char *directory; /* NULL or "": the two above, system journals only */
	/*
	 * A unit (asterisk.service: it has a dot), by _SYSTEMD_UNIT, which
	 * journald itself writes; or an identifier (kamailio), by
	 * SYSLOG_IDENTIFIER, which any local program may claim.
	 */
	const char *match;
};

struct journald_events {
	log_entry_fn *entry;
	void (*position)(void *context, const struct journald_position *position);
	void *context;
};

struct journald_figures {
	uint64_t entries;
	uint64_t without;  /* entries without a message */
	uint64_t cut;      /* longer than LOG_ENTRY_MAX */
	uint64_t failures; /* times that the journal could not be read */
};

struct journald;

/*
 * Begin. resume NULL: at the end. A position whose entry is gone goes on at the
 * first entry after its time. NULL with a text: the library is not loaded, the
 * journal cannot be opened, memory is short.
 */
struct journald *journald_open(uv_loop_t *loop, const struct journald_config *config,
	const struct journald_position *resume, const struct journald_events *events,
	struct error *err);

/* The memory goes when the loop has run. No callback comes after. NULL is fine. */
void journald_close(struct journald *j);

void journald_figures(const struct journald *j, struct journald_figures *out);

/*
 * Whether there is a journal file that this process may not read, as when its
 * user is not in the group systemd-journal.
 */
bool journald_forbidden(const char *directory);

#endif
