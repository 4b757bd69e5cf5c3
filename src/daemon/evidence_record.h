/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_EVIDENCE_RECORD_H
#define DAEMON_EVIDENCE_RECORD_H

#include "decide/own.h"

/*
 * The record behind a report: what proved the detection, as JSON in the one
 * form that evidence_file.h can write down again byte for byte (compact, keys
 * sorted, ASCII). Pure.
 *
 * What is not in it, because the record is shown to strangers as it was
 * committed to, and nothing can be struck out afterwards:
 * - digest responses, passwords, Authorization headers: no sensor gives them;
 * - account names, which may be the member's own: "account 1", "account 2" by
 *   their first appearance. Numbers, not hashes: three digits of an extension
 *   are found under any hash whose salt is shown, and the number still tells
 *   one guess from another;
 * - extensions and names that were dialled ("extension 1"); numbers stay, for
 *   they are what a fraud is about and the caller chose them;
 * - the PBX's addresses: request lines come without them (wire_request.c).
 */
struct evidence_facts {
	const char *node; /* its name */
	const struct detection *detection;
	const struct own_action *action;
	const struct detect_config *thresholds;
	const struct observation *observations; /* trail_pick()'s */
	size_t count;
	uint64_t seen; /* so many there were in all */
};

/* Allocated text, the caller frees it; NULL when memory is short. */
char *evidence_record(const struct evidence_facts *f);

/* Of what a person or, with proof log, a program reported: who on this machine and when. */
char *evidence_record_manual(const char *node, const struct indicator *i,
	uint8_t category, uint8_t proof, unsigned uid, uint32_t now);

#endif
