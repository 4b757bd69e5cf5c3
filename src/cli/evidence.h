/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include "api/evidence_file.h"
#include "cli/choice.h"

/*
 * A ledger that is read from its beginning for a batch: a local one, one on a
 * chain, or the exported history that --history names.
 */
struct evidence_ledger {
	struct choice choice; /* not with --history */
	bool chosen;
	struct reading *reading;
	struct session *session;
	struct registry *history;
};

/*
 * Read it whole; search sees every operation. like: a file whose contract is
 * meant when the command line names an endpoint and none (NULL: none). Returns 0
 * or an exit code, having said why (nothing to close then).
 */
int evidence_ledger_read(struct evidence_ledger *l, struct invocation *in,
	const struct evidence_file *like, struct evidence_search *search);
void evidence_ledger_close(struct evidence_ledger *l);

const struct registry *evidence_ledger_registry(const struct evidence_ledger *l);

/* The object "ledger" of an evidence file, a new reference. */
json_t *evidence_ledger_json(const struct evidence_ledger *l);

/* Where it was read: "the local ledger FILE", ...; for people. */
#define EVIDENCE_WHERE 400
const char *evidence_ledger_where(
	char dst[EVIDENCE_WHERE], const struct evidence_ledger *l, struct invocation *in);

/* What a record holds, as lines for people. */
void evidence_record_print(const json_t *record, const char *raw);

#endif
