/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/journal_state.h"

/* What takes events away again: a reorganisation, a cut reply, age. */

#define DAMAGED                                                                          \
	"journal %s: an event is damaged: move the file away, and it is read again"

/* The tip after a chain's last event below key; the window's when none is. */
static int tip_below(struct journal *j, enum chain chain, uint64_t key, struct tip *tip,
	uint64_t *last, struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_EVENT_LAST];
	int step, rc = 0;

	memset(tip, 0, sizeof *tip);
	*last = 0;
	if (chain == CHAIN_MEMBERS && j->now.has_window)
		*tip = j->now.window;
	sqlite3_bind_int64(s, 1, chain);
	sqlite3_bind_int64(s, 2, key > INT64_MAX ? INT64_MAX : (int64_t)key);
	step = sqlite3_step(s);
	if (step == SQLITE_ROW) {
		struct view before = journal_column(s, 1), bytes = journal_column(s, 2);

		if (before.n != HASH_SIZE || bytes.n < OPERATION_HEAD) {
			rc = error_set(err, DAMAGED, j->path);
		} else {
			*last = (uint64_t)sqlite3_column_int64(s, 0);
			tip_advance(tip->hash, before.p, bytes);
			tip->seq = be64_load(bytes.p + 1) + 1;
		}
	} else if (step != SQLITE_DONE) {
		rc = journal_error(j, err, "reading events");
	}
	sqlite3_reset(s);
	return rc;
}

static int derive_longest(struct journal *j, struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_EVENT_CHAIN];
	int step;

	j->now.longest = 0;
	sqlite3_bind_int64(s, 1, CHAIN_ADMIN);
	sqlite3_bind_int64(s, 2, -1);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct operation op;

		if (operation_decode(&op, journal_column(s, 2), NULL)) {
			sqlite3_reset(s);
			return error_set(err, DAMAGED, j->path);
		}
		if ((op.type == OP_GENESIS || op.type == OP_CONFIG) &&
			op.config.max_ttl > j->now.longest)
			j->now.longest = op.config.max_ttl;
	}
	sqlite3_reset(s);
	return step == SQLITE_DONE ? 0 : journal_error(j, err, "reading configurations");
}

int journal_derive(struct journal *j, struct error *err)
{
	struct journal_reading *n = &j->now;
	uint64_t end = n->has_head ? journal_key(n->head + 1, 0) : 0, last;

	for (int c = 0; c < 2; c++)
		if (tip_below(j, (enum chain)c, end, &n->tip[c], &last, err) ||
			tip_below(j, (enum chain)c, UINT64_MAX, &n->staged[c],
				&n->last[c], err))
			return -1;
	return derive_longest(j, err);
}

int journal_drop(struct journal *j, enum chain chain, uint64_t key, struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_EVENT_DROP_CHAIN];

	sqlite3_bind_int64(s, 1, (int64_t)key);
	sqlite3_bind_int64(s, 2, chain);
	return journal_run(j, s, err);
}

/* --- a reorganisation --- */

/* Nothing that was read is left. */
static int forget_all(struct journal *j, struct error *err)
{
	sqlite3_stmt *event = j->statement[SQL_EVENT_DROP];
	sqlite3_stmt *block = j->statement[SQL_BLOCK_DROP];

	sqlite3_bind_int64(event, 1, 0);
	sqlite3_bind_int64(block, 1, 0);
	memset(&j->now, 0, sizeof j->now);
	return journal_run(j, event, err) || journal_run(j, block, err) ? -1 : 0;
}

int journal_undo(struct journal *j, uint64_t block, struct error *err)
{
	sqlite3_stmt *event = j->statement[SQL_EVENT_DROP];
	sqlite3_stmt *drop = j->statement[SQL_BLOCK_DROP];
	struct journal_reading *n = &j->now;
	uint8_t hash[HASH_SIZE];
	uint64_t below;

	if (journal_block_before(j, block, &below, hash) ||
		(n->has_window && n->window_block >= block))
		return forget_all(j, err);
	sqlite3_bind_int64(event, 1, (int64_t)journal_key(below + 1, 0));
	sqlite3_bind_int64(drop, 1, (int64_t)below + 1);
	if (journal_run(j, event, err) || journal_run(j, drop, err))
		return -1;
	n->has_head = true;
	n->head = below;
	memcpy(n->head_hash, hash, HASH_SIZE);
	for (int c = 0; c < 2; c++) {
		n->has_reach[c] = true;
		n->reach[c] = below;
	}
	return journal_derive(j, err);
}

/* --- what is staged --- */

static int unstage(struct journal *j, struct error *err)
{
	struct journal_reading *n = &j->now;

	if (!n->has_head)
		return forget_all(j, err);
	for (int c = 0; c < 2; c++) {
		if (journal_drop(j, (enum chain)c, journal_key(n->head + 1, 0), err))
			return -1;
		n->reach[c] = n->head;
	}
	return journal_derive(j, err);
}

static int unreach(struct journal *j, struct error *err)
{
	struct journal_reading *n = &j->now;

	for (int c = 0; c < 2; c++) {
		uint64_t key = n->has_reach[c] ? journal_key(n->reach[c] + 1, 0) : 0;

		if (n->last[c] >= key && journal_drop(j, (enum chain)c, key, err))
			return -1;
	}
	/* A window of which no event is left was set by the cut reply. */
	if (!n->has_reach[CHAIN_MEMBERS])
		n->has_window = false;
	return journal_derive(j, err);
}

typedef int change_fn(struct journal *j, struct error *err);

/* One change as a transaction of its own. */
static int alone(struct journal *j, change_fn *change, struct error *err)
{
	if (journal_begin(j, err))
		return -1;
	if (change(j, err)) {
		journal_rollback(j);
		return -1;
	}
	return journal_commit(j, err);
}

int journal_unstage(struct journal *j, struct error *err)
{
	return alone(j, unstage, err);
}

int journal_unreach(struct journal *j, struct error *err)
{
	const struct journal_reading *n = &j->now;

	for (int c = 0; c < 2; c++)
		if (n->last[c] &&
			(!n->has_reach[c] ||
				n->last[c] >= journal_key(n->reach[c] + 1, 0)))
			return alone(j, unreach, err);
	if (n->has_window && !n->has_reach[CHAIN_MEMBERS])
		return alone(j, unreach, err);
	return 0;
}

/* --- age --- */

/* The window after all of the first max events that may go. How many. */
static int find_trim(struct journal *j, uint32_t since, uint64_t final, unsigned max,
	struct journal_reading *moved, struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_EVENT_CHAIN];
	int step = SQLITE_DONE, count = 0;

	sqlite3_bind_int64(s, 1, CHAIN_MEMBERS);
	sqlite3_bind_int64(s, 2, max);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		uint64_t block = (uint64_t)sqlite3_column_int64(s, 0) >>
			JOURNAL_INDEX_BITS;
		struct view before = journal_column(s, 1), bytes = journal_column(s, 2);

		if (before.n != HASH_SIZE || bytes.n < OPERATION_HEAD) {
			sqlite3_reset(s);
			return error_set(err, DAMAGED, j->path);
		}
		if (block > final || be32_load(bytes.p + 9) >= since) {
			step = SQLITE_DONE;
			break;
		}
		moved->has_window = true;
		moved->since = since;
		moved->window_block = block;
		tip_advance(moved->window.hash, before.p, bytes);
		moved->window.seq = be64_load(bytes.p + 1) + 1;
		count++;
	}
	sqlite3_reset(s);
	return step == SQLITE_DONE ? count : journal_error(j, err, "trimming");
}

static int trim(struct journal *j, struct error *err)
{
	sqlite3_stmt *event = j->statement[SQL_EVENT_TRIM];
	sqlite3_stmt *block = j->statement[SQL_BLOCK_TRIM];
	uint64_t head = j->now.head;

	sqlite3_bind_int64(event, 1, j->now.has_window ? (int64_t)j->now.window.seq : 0);
	sqlite3_bind_int64(
		block, 1, head > JOURNAL_BLOCKS ? (int64_t)(head - JOURNAL_BLOCKS) : 0);
	if (journal_run(j, event, err) || journal_run(j, block, err))
		return -1;
	return journal_derive(j, err);
}

int journal_trim(struct journal *j, uint32_t since, uint64_t final, unsigned max,
	struct error *err)
{
	struct journal_reading moved = j->now, was = j->now;
	int count;

	if (!j->now.has_head)
		return 0;
	if (final > j->now.head)
		final = j->now.head;
	count = find_trim(j, since, final, max, &moved, err);
	if (count < 0)
		return -1;
	j->now = moved;
	if (alone(j, trim, err)) {
		j->now = was;
		return -1;
	}
	return count;
}
