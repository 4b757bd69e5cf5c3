/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_EVIDENCE_RECORD_H
#define DAEMON_EVIDENCE_RECORD_H

#include "decide/own_number.h"

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

/*
 * The same of a number, URI or domain that attackers called: how it was read, who
 * called it, and the calls (of observations only those that dial something; what one
 * who authenticated dialled is left out, unless his account was stolen).
 */
struct number_facts {
	const char *node;
	const struct number_detection *detection;
	const struct own_action *action;
	const struct observation *observations; /* of all sources, in any order */
	size_t count;
};
char *evidence_record_number(const struct number_facts *f);

/* Of what a person or, with proof log, a program reported: by whom ("uid 0") and when. */
char *evidence_record_manual(const char *node, const struct indicator *i,
	uint8_t category, uint8_t proof, const char *by, uint32_t now);

#endif
