/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_LOGS_H
#define LEDGER_ETHEREUM_LOGS_H

#include "base/buffer.h"
#include "base/error.h"
#include "ledger/operation.h"

/*
 * The reply to eth_getLogs scanned as it arrives: JSON of any white space and
 * field order, split anywhere, in memory bounded by one log. A log's data is
 * decoded from hex on the way. Unknown fields are skipped at any depth up to
 * JSON_SCAN_DEPTH; a known one that is there twice is refused.
 *
 * The id may stand behind the result: what was given counts only when
 * log_scanner_end() has returned 0.
 */
#define LOG_TOPICS_MAX 4
#define LOG_DATA_MAX   (2 * OPERATION_MAX) /* bytes of one log's data */

struct log {
	uint8_t address[ADDRESS20];
	uint8_t topics[LOG_TOPICS_MAX][HASH_SIZE];
	unsigned topic_count;
	struct view data; /* valid during the callback */
	uint64_t block;
	uint8_t block_hash[HASH_SIZE];
	uint8_t transaction[HASH_SIZE];
	uint32_t index; /* within the block */
	bool removed;
};

/* Return false to stop the scan (log_scanner_feed() then returns -1). */
typedef bool log_fn(void *context, const struct log *log);

struct log_scanner;

/* id: the request's, which the reply must repeat. NULL when memory is short. */
struct log_scanner *log_scanner_new(uint64_t id, log_fn *fn, void *context);
void log_scanner_free(struct log_scanner *s);

/*
 * Returns 0, or -1 with a text once the bytes cannot be a reply any more, a
 * log lacks a field or has a malformed one (the field is named), or fn stopped.
 */
int log_scanner_feed(struct log_scanner *s, struct view chunk, struct error *err);

/*
 * The body has ended. Returns 0 when it was a whole reply with a result; 1 when
 * it was a whole reply with an error object: *code, *message (into the scanner,
 * unescaped) and *data_text (its "data" when that is a string) are its; -1 with
 * a text when it was cut off or is something else.
 */
int log_scanner_end(struct log_scanner *s, int64_t *code, struct view *message,
	struct view *data_text, struct error *err);

/* How many logs were given so far. */
uint64_t log_scanner_count(const struct log_scanner *s);

#endif
