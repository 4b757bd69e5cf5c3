/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HONEYPOT_H
#define CLI_HONEYPOT_H

#include "base/table.h"
#include "cli/command.h"
#include "indicator/indicator.h"
#include "sense/honeypot/record_reader.h"

/*
 * `sipchain honeypot`: what the honeypot recorded. The records are read from their
 * folder, whether a daemon runs or not.
 */

/* Which messages and sessions are asked for. */
struct honeypot_filter {
	usec since; /* 0: all */
	bool has_source;
	struct indicator source; /* an address or a prefix */
	char number[32];         /* digits; "": any */
	bool number_prefix;      /* numbers that begin so */
	bool proved;             /* sources that are proved */
	bool by_source;          /* a session is all that came from one address */
	uint64_t limit;          /* 0: none was given */
};

/* From the options. Returns 0, or an exit code, having said why. Pure but for now. */
int honeypot_filter_read(struct honeypot_filter *f, struct invocation *in, usec now);

/*
 * The reader of --folder, or of the folder that the configuration names. NULL after
 * having said why; *code is the exit code.
 */
struct record_reader *honeypot_open(struct invocation *in, int *code);

/* Say what was left out as damaged, if anything was, and close. NULL is fine. */
void honeypot_close(struct record_reader *r);

/* What a message says for itself, time and source. Pure. */
bool honeypot_takes(const struct honeypot_filter *f, const struct record *r);

/* Whether this dialled string may mean the number that is asked for. Pure. */
bool honeypot_dialled(const struct honeypot_filter *f, struct view dialled);

/* Whether a proof class proves a source. */
bool honeypot_proves(uint8_t proof);

/* --- sessions --- */

struct honeypot_sessions;

struct honeypot_session {
	uint64_t id; /* the table's key */
	usec begin, end;
	struct address remote;
	uint16_t port;
	uint8_t transport, proof;
	uint32_t in, out;
	uint32_t accounts, numbers, sessions; /* different ones */
	bool dialled;                         /* the number that is asked for */
	/* Places in the texts: the first and the last kept; 0: none. */
	uint32_t first[2], last[2];
	uint8_t kept[2];
	char tool[24], agent[72];
};

enum honeypot_list { HONEYPOT_ACCOUNTS, HONEYPOT_NUMBERS };

/* How many accounts, and how many numbers, of a session are kept as text. */
#define HONEYPOT_KEPT 50

/* NULL when memory is short. */
struct honeypot_sessions *honeypot_sessions_new(const struct honeypot_filter *f);
void honeypot_sessions_free(struct honeypot_sessions *s);

/* Count a message in. Returns 0, or -1 when there are too many sessions. */
int honeypot_sessions_add(struct honeypot_sessions *s, const struct record *r);

/* The number of the session that a message belongs to, as the filter says. */
uint64_t honeypot_session_id(const struct honeypot_filter *f, const struct record *r);

/* Whether the whole of a session is asked for; false also of one not known. */
bool honeypot_sessions_has(const struct honeypot_sessions *s, uint64_t id);

/*
 * Those that are asked for by their begin, the newest `limit` of them. *count is how
 * many are shown, *all how many there are. malloc; NULL when there is none or memory
 * is short (*count is 0 and *all is not).
 */
const struct honeypot_session **honeypot_sessions_list(
	const struct honeypot_sessions *s, size_t limit, size_t *count, size_t *all);

/* The next text of a list from *at on, which begins as session->first[list]. */
struct view honeypot_sessions_text(const struct honeypot_sessions *s, uint32_t *at);

/*
 * All messages that the filter takes, counted. NULL after having said why; *code is the
 * exit code.
 */
struct honeypot_sessions *honeypot_sessions_read(
	struct invocation *in, const struct honeypot_filter *f, int *code);

/* --- messages --- */

/* As an object with all of it, a new reference. */
json_t *honeypot_message_json(const struct record *r);

/* As one line. */
void honeypot_message_line(FILE *out, const struct record *r);

/* As its line and the whole of it below, escaped. */
void honeypot_message_print(FILE *out, const struct record *r);

/* A session's number as it is written: 16 hex digits. */
#define HONEYPOT_ID 17
const char *honeypot_id(char dst[HONEYPOT_ID], uint64_t id);

#endif
