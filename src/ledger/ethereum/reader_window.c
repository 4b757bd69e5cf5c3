/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/reader_state.h"

/*
 * A first reading has the administrative chain from the contract's creation on
 * and of the members' chain what may still live. Which block that begins with
 * is found by timestamps; that nothing before it matters is proved by the
 * operation just before: it must hash to the tip that the window begins with,
 * and be older.
 */

/* --- where it begins --- */

static void search_on(struct log_reader *r);

static void on_middle(struct log_reader *r, bool there)
{
	uint64_t number;

	if (!window_next(&r->search, &number))
		return;
	if (!there || r->block.number != number) {
		struct error text;

		error_set(
			&text, "it does not have block %llu", (unsigned long long)number);
		reader_broken(r, text.text);
		return;
	}
	window_answer(&r->search, r->block.timestamp);
	search_on(r);
}

static void search_on(struct log_reader *r)
{
	struct segment *s = &r->segment[r->at];
	uint64_t number;

	if (window_next(&r->search, &number)) {
		reader_ask_block(r, number, on_middle);
		return;
	}
	s->from = number;
	s->kind = SEGMENT_BOTH;
	reader_next_segment(r);
}

void reader_search(struct log_reader *r)
{
	const struct segment *s = &r->segment[r->at];
	uint32_t longest = journal_longest_ttl(r->journal);

	if (!longest) {
		reader_doubt(r,
			"it gives no GENESIS of the contract: [ledger] deployed "
			"is too late, or logs are left out");
		return;
	}
	r->since = window_since(r->now(), r->target.timestamp, longest);
	window_begin(&r->search, r->since, s->from, s->to);
	search_on(r);
}

/* --- its proof --- */

/* The tip that the window begins with, and where the operation before stands. */
struct start {
	struct tip before;
	uint32_t since;
	uint64_t block;
};

/* Returns false when the members' chain is there from its beginning. */
static bool find_start(const struct log_reader *r, struct start *w)
{
	const struct contract_tips *tips = r->has_proof ? &r->proof : &r->tips;

	if (journal_window(r->journal, &w->before, &w->since, &w->block))
		return true;
	/* No event in it at all: then it begins with the contract's tip. */
	if (journal_staged_tip(r->journal, CHAIN_MEMBERS)->seq ||
		!tips->tip[CHAIN_MEMBERS].seq)
		return false;
	w->before = tips->tip[CHAIN_MEMBERS];
	w->block = tips->last_block[CHAIN_MEMBERS];
	w->since = r->since;
	return true;
}

static bool on_log(void *context, const struct log *log)
{
	struct log_reader *r = context;
	const struct portion_filter filter = {
		.contract = r->settings->contract,
		.from = r->to,
		.to = r->to,
		.chain = CHAIN_MEMBERS,
		.seq = UINT64_MAX,
	};

	/* It is one operation, told once or a few times. */
	return r->last.bytes.n <= PORTION_BYTES &&
		!portion_add(&r->last, log, &filter, &r->log_error);
}

static bool on_chunk(void *context, struct view chunk)
{
	struct log_reader *r = context;

	return !log_scanner_feed(r->scanner, chunk, &r->log_error);
}

/* The window's first event follows what was fetched, or somebody lies. */
static void check_last(struct log_reader *r)
{
	struct ledger_event last;
	struct start w;
	struct error err;

	portion_sort(&r->last);
	if (!find_start(r, &w))
		return;
	if (r->last.count != 1)
		error_set(&err,
			"block %llu has not members' operation %llu, which stands "
			"there",
			(unsigned long long)w.block,
			(unsigned long long)w.before.seq - 1);
	else if (!portion_event(&r->last, 0, &last, &err) &&
		!window_prove(&last, &w.before, w.since, &err)) {
		portion_cut(&r->last, 0, 0);
		reader_check(r);
		return;
	}
	reader_doubt(r, err.text);
}

static void on_logs(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct view message, data;
	struct error err;
	int64_t code;
	int rc;

	r->call[ASK_LOGS] = 0;
	if (!r->scanner)
		return;
	if (reply->outcome != RPC_RESULT) {
		reader_failed(r, reply);
		return;
	}
	rc = log_scanner_end(r->scanner, &code, &message, &data, &err);
	if (rc > 0) {
		struct buffer scratch = {0};
		struct rpc_reply refused;

		rpc_reply_error(
			&refused, &scratch, rpc_endpoint(r->rpc), code, message, data);
		reader_failed(r, &refused);
		buffer_free(&scratch);
	} else if (rc) {
		reader_doubt(r, err.text);
	} else {
		check_last(r);
	}
	if (!r->call[ASK_LOGS]) {
		log_scanner_free(r->scanner);
		r->scanner = NULL;
	}
}

void reader_prove(struct log_reader *r)
{
	struct start w;

	if (!find_start(r, &w)) {
		reader_check(r);
		return;
	}
	portion_cut(&r->last, 0, 0);
	r->to = w.block;
	log_scanner_free(r->scanner);
	r->scanner = log_scanner_new(rpc_next(r->rpc), on_log, r);
	if (r->scanner)
		r->call[ASK_LOGS] = rpc_stream(r->rpc, "eth_getLogs",
			request_logs(r->settings, w.block, w.block, CHAIN_MEMBERS,
				w.before.seq - 1),
			RPC_TIMEOUT_MS, on_chunk, on_logs, r);
	if (!r->call[ASK_LOGS])
		reader_own_trouble(r, "out of memory");
}
