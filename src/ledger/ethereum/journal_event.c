/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/journal_state.h"

#include "base/hex.h"

bool journal_head(const struct journal *j, uint64_t *number, uint8_t hash[HASH_SIZE])
{
	if (!j->now.has_head)
		return false;
	*number = j->now.head;
	memcpy(hash, j->now.head_hash, HASH_SIZE);
	return true;
}

bool journal_reach(const struct journal *j, enum chain chain, uint64_t *number)
{
	*number = j->now.reach[chain];
	return j->now.has_reach[chain];
}

bool journal_window(
	const struct journal *j, struct tip *before, uint32_t *since, uint64_t *block)
{
	if (!j->now.has_window)
		return false;
	*before = j->now.window;
	*since = j->now.since;
	if (block)
		*block = j->now.window_block;
	return true;
}

const struct tip *journal_tip(const struct journal *j, enum chain chain)
{
	return &j->now.tip[chain];
}

const struct tip *journal_staged_tip(const struct journal *j, enum chain chain)
{
	return &j->now.staged[chain];
}

uint32_t journal_longest_ttl(const struct journal *j)
{
	return j->now.longest;
}

/* --- block hashes --- */

int journal_block(struct journal *j, uint64_t number, uint8_t hash[HASH_SIZE])
{
	sqlite3_stmt *s = j->statement[SQL_BLOCK_GET];
	int rc = -1;

	sqlite3_bind_int64(s, 1, (int64_t)number);
	if (sqlite3_step(s) == SQLITE_ROW && journal_column(s, 0).n == HASH_SIZE) {
		memcpy(hash, journal_column(s, 0).p, HASH_SIZE);
		rc = 0;
	}
	sqlite3_reset(s);
	return rc;
}

int journal_block_before(
	struct journal *j, uint64_t number, uint64_t *out, uint8_t hash[HASH_SIZE])
{
	sqlite3_stmt *s = j->statement[SQL_BLOCK_BEFORE];
	int rc = -1;

	sqlite3_bind_int64(s, 1, number > INT64_MAX ? INT64_MAX : (int64_t)number);
	sqlite3_bind_int64(s, 2, 1);
	if (sqlite3_step(s) == SQLITE_ROW && journal_column(s, 1).n == HASH_SIZE) {
		*out = (uint64_t)sqlite3_column_int64(s, 0);
		memcpy(hash, journal_column(s, 1).p, HASH_SIZE);
		rc = 0;
	}
	sqlite3_reset(s);
	return rc;
}

unsigned journal_blocks(struct journal *j, uint64_t *out, unsigned max)
{
	sqlite3_stmt *s = j->statement[SQL_BLOCK_BEFORE];
	unsigned n = 0;

	sqlite3_bind_int64(s, 1, INT64_MAX);
	sqlite3_bind_int64(s, 2, max);
	while (n < max && sqlite3_step(s) == SQLITE_ROW)
		out[n++] = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return n;
}

/* --- staging --- */

/* What of a configuration matters here: how long a report may live. */
static void note_ttl(struct journal_reading *n, const struct operation *op)
{
	if ((op->type == OP_GENESIS || op->type == OP_CONFIG) &&
		op->config.max_ttl > n->longest)
		n->longest = op->config.max_ttl;
}

int journal_set_window(struct journal *j, const struct tip *before, uint32_t since,
	uint64_t block, struct error *err)
{
	struct journal_reading *n = &j->now;

	if (n->last[CHAIN_MEMBERS])
		return error_set(
			err, "journal %s: a window behind its first event", j->path);
	n->has_window = true;
	n->window = *before;
	n->since = since;
	n->window_block = block;
	n->staged[CHAIN_MEMBERS] = *before;
	return 0;
}

/* 1: it is in already, just so; 0: it is not; -1: something else is there. */
static int look(
	struct journal *j, uint64_t key, const struct ledger_event *e, struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_EVENT_GET];
	int rc = 0;

	sqlite3_bind_int64(s, 1, (int64_t)key);
	if (sqlite3_step(s) == SQLITE_ROW) {
		rc = 1;
		if (!view_eq(journal_column(s, 0), e->bytes))
			rc = error_set(err,
				"another operation stood at the same place of block "
				"%llu",
				(unsigned long long)e->block);
	}
	sqlite3_reset(s);
	return rc;
}

/* Whether it follows what is staged. Returns 0, or -1 with a text. */
static int check_follows(const struct journal *j, uint64_t key,
	const struct ledger_event *e, struct error *err)
{
	const struct tip *tip = &j->now.staged[e->chain];
	const char *name = e->chain == CHAIN_ADMIN ? "administrative" : "members'";
	char is[17], due[17];

	if (e->operation.seq != tip->seq)
		return error_set(err,
			"%s operation %llu came where %llu is due: one was left out or "
			"invented",
			name, (unsigned long long)e->operation.seq,
			(unsigned long long)tip->seq);
	if (memcmp(e->tip_before, tip->hash, HASH_SIZE))
		return error_set(err,
			"the tip before %s operation %llu is %s.., folding gives %s..: "
			"an operation was altered",
			name, (unsigned long long)tip->seq,
			hex_encode(is, e->tip_before, 8), hex_encode(due, tip->hash, 8));
	if (key <= j->now.last[e->chain])
		return error_set(err,
			"%s operation %llu stands before the one it follows", name,
			(unsigned long long)tip->seq);
	if (j->now.has_head && key < journal_key(j->now.head + 1, 0))
		return error_set(err,
			"%s operation %llu stands in a block that was read to its end "
			"without it",
			name, (unsigned long long)tip->seq);
	return 0;
}

int journal_event(struct journal *j, const struct ledger_event *e, uint32_t index,
	struct error *err)
{
	struct journal_reading *n = &j->now;
	sqlite3_stmt *s = j->statement[SQL_EVENT_PUT];
	uint64_t key;
	int there;

	if (e->block > JOURNAL_BLOCK_MAX || index > JOURNAL_INDEX_MAX)
		return error_set(err, "block %llu, log %u: no such place",
			(unsigned long long)e->block, index);
	key = journal_key(e->block, index);
	if (key <= n->last[e->chain] && (there = look(j, key, e, err)) != 0)
		return there < 0 ? -1 : 0;
	if (check_follows(j, key, e, err))
		return -1;
	sqlite3_bind_int64(s, 1, (int64_t)key);
	sqlite3_bind_int64(s, 2, e->chain);
	sqlite3_bind_int64(s, 3, (int64_t)e->operation.seq);
	sqlite3_bind_blob(s, 4, e->tip_before, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(s, 5, e->bytes.p, (int)e->bytes.n, SQLITE_STATIC);
	if (journal_run(j, s, err))
		return -1;
	tip_advance(n->staged[e->chain].hash, n->staged[e->chain].hash, e->bytes);
	n->staged[e->chain].seq++;
	n->last[e->chain] = key;
	note_ttl(n, &e->operation);
	return 0;
}

int journal_set_reach(
	struct journal *j, enum chain chain, uint64_t number, struct error *err)
{
	if (number > JOURNAL_BLOCK_MAX)
		return error_set(
			err, "block %llu: no such block", (unsigned long long)number);
	j->now.has_reach[chain] = true;
	j->now.reach[chain] = number;
	return 0;
}

int journal_set_head(struct journal *j, uint64_t number, const uint8_t hash[HASH_SIZE],
	struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_BLOCK_PUT];
	struct journal_reading *n = &j->now;

	if (journal_set_reach(j, CHAIN_MEMBERS, number, err) ||
		journal_set_reach(j, CHAIN_ADMIN, number, err))
		return -1;
	n->has_head = true;
	n->head = number;
	memcpy(n->head_hash, hash, HASH_SIZE);
	memcpy(n->tip, n->staged, sizeof n->tip);
	sqlite3_bind_int64(s, 1, (int64_t)number);
	sqlite3_bind_blob(s, 2, hash, HASH_SIZE, SQLITE_STATIC);
	return journal_run(j, s, err);
}

/* --- giving it out --- */

uint64_t journal_cursor(uint64_t block)
{
	return block ? journal_key(block, 0) - 1 : 0;
}

int journal_next(struct journal *j, uint64_t *cursor, unsigned max, journal_event_fn *fn,
	void *context, struct error *err)
{
	sqlite3_stmt *s = j->statement[SQL_EVENT_NEXT];
	int step = SQLITE_DONE, n = 0;

	if (!j->now.has_head)
		return 0;
	sqlite3_bind_int64(s, 1, (int64_t)*cursor);
	sqlite3_bind_int64(s, 2, (int64_t)journal_key(j->now.head + 1, 0));
	sqlite3_bind_int64(s, 3, max);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		uint64_t key = (uint64_t)sqlite3_column_int64(s, 0);
		struct ledger_event e = {
			.chain = (enum chain)sqlite3_column_int(s, 1),
			.block = key >> JOURNAL_INDEX_BITS,
			.bytes = journal_column(s, 3),
		};
		struct view tip = journal_column(s, 2);

		if (tip.n != HASH_SIZE || operation_decode(&e.operation, e.bytes, err) ||
			operation_chain(e.operation.type) != e.chain) {
			sqlite3_reset(s);
			return error_set(err,
				"journal %s: the event of block %llu is damaged: move "
				"the file away, and it is read again",
				j->path, (unsigned long long)e.block);
		}
		memcpy(e.tip_before, tip.p, HASH_SIZE);
		*cursor = key;
		n++;
		if (!fn(context, &e)) {
			step = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(s);
	return step == SQLITE_DONE ? n : journal_error(j, err, "reading events");
}

struct replay {
	journal_event_fn *fn;
	void *context;
	bool stopped;
};

static bool pass(void *context, const struct ledger_event *event)
{
	struct replay *r = context;

	r->stopped = !r->fn(r->context, event);
	return !r->stopped;
}

int journal_replay(
	struct journal *j, journal_event_fn *fn, void *context, struct error *err)
{
	struct replay r = {fn, context, false};
	uint64_t cursor = 0;
	int n;

	do {
		n = journal_next(j, &cursor, 1024, pass, &r, err);
	} while (n > 0 && !r.stopped);
	return n < 0 ? -1 : 0;
}
