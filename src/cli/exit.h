/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include "cli/command.h"
#include "ledger/ethereum/session.h"

/*
 * The exit codes (enum control_code) in one table: what the usage and the
 * manual page say of them, and which fault of the ledger gives which.
 */
struct exit_code {
	int code;
	const char *meaning;
};

extern const struct exit_code exit_codes[];
extern const size_t exit_codes_count;

/* Which code a refusal has: a wrong key is a matter of permission. Pure. */
int refusal_exit(enum refusal_code code);

/* Which code a session's failure has. Pure. */
int session_exit(const struct session_failure *why);

/* failure() of a session. Returns its exit code. */
int session_failed(const struct session_failure *why);

/* failure() of a refusal, "refused: ...". Returns its exit code. */
int refused(const struct refusal *why);

#endif
