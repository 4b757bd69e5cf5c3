/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_EVIDENCE_FILE_H
#define API_EVIDENCE_FILE_H

#include <jansson.h>

#include "ledger/ledger.h"
#include "store/evidence.h"

/*
 * The file that the owner of a listed address is given: one record with what it
 * takes to see that it is what its author committed to, and when. JSON:
 *
 *   format      "sipchain evidence 1"
 *   indicator   what was reported
 *   record      what was seen (or raw: the same as text, if it is no such JSON)
 *   salt        32 bytes; leaf = keccak256(00 | salt | indicator | record), where
 *               the record counts as compact JSON, keys sorted, ASCII
 *   leaf        that hash
 *   path        index, count, siblings: from the leaf to the commitment
 *   commitment  the Merkle root that the batch carries
 *   operation   seq, member, name, time, block, actor, tip_before: of the batch in
 *               the members' chain
 *   ledger      id; type; chain_id and contract of one on a chain
 *
 * It comes from a stranger: every length is bounded, and nothing in it is
 * believed that the ledger does not say.
 */
#define EVIDENCE_FILE_FORMAT "sipchain evidence 1"
#define EVIDENCE_FILE_MAX    (512U << 10)

struct evidence_file {
	struct indicator indicator;
	json_t *record; /* NULL: body is no such JSON */
	char *body;     /* what the leaf is over, allocated */
	size_t body_length;
	uint8_t salt[EVIDENCE_SALT];
	uint8_t leaf[KECCAK_SIZE];
	struct merkle_path path;
	uint8_t commitment[KECCAK_SIZE];
	/* the operation */
	uint64_t seq, block;
	uint32_t time;
	uint16_t member;
	uint8_t actor[ADDRESS20];
	uint8_t tip_before[HASH_SIZE];
	/* the ledger */
	uint8_t ledger[HASH_SIZE];
	bool on_chain;
	uint64_t chain_id;
	uint8_t contract[ADDRESS20];
};

/* Returns 0, or -1 with a text that names the field; nothing to free then. */
int evidence_file_parse(struct evidence_file *out, struct view text, struct error *err);
void evidence_file_free(struct evidence_file *f);

/*
 * Whether the file agrees with itself: record, salt and indicator give the leaf,
 * the record is about the indicator, the path leads to the commitment. Returns 0,
 * or -1 with a text that says what was changed. Pure.
 */
int evidence_file_check(const struct evidence_file *f, struct error *err);

/*
 * Looking for the file's batch among a ledger's operations, which are given to
 * evidence_search_event() one by one (a reading's event function). Zero but for
 * what is looked for.
 */
struct evidence_search {
	struct indicator indicator;
	uint8_t commitment[KECCAK_SIZE];
	uint64_t seq; /* to say what stands there instead */
	/* out */
	bool found; /* what follows is of the batch with the commitment */
	uint64_t found_seq, block;
	uint32_t time;
	uint16_t member;
	uint8_t actor[ADDRESS20], tip_before[HASH_SIZE];
	bool named; /* one of its words is about the indicator; the word: */
	struct report word;
	bool other_at_seq; /* a batch with another commitment stands at seq */
	uint8_t other[KECCAK_SIZE];
	uint64_t batches; /* seen */
};

void evidence_search_event(void *context, const struct ledger_event *event);

/*
 * Whether the ledger that was searched says what the file says. id is that
 * ledger's. Returns 0, or -1 with a text: another ledger, another batch, or which
 * field differs. Pure.
 */
int evidence_search_judge(const struct evidence_search *found,
	const struct evidence_file *f, const uint8_t id[HASH_SIZE], struct error *err);

/*
 * The file of a record as evidence_answer_get() gives it and the batch that was
 * found. name: the member's; ledger: the object "ledger", taken over. NULL when
 * memory is short or the answer lacks something.
 */
json_t *evidence_file_json(const json_t *answer, const struct evidence_search *found,
	const char *name, json_t *ledger);

#endif
