/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/reader_state.h"

/*
 * The logs of [base + 1, target], question by question. Whole ranges are staged
 * at once, but for the last one, which is kept in memory and committed with the
 * head: live, that is all there is. Of a reorganisation nothing is staged, as
 * what it undoes still stands in the journal.
 */
#define BROKE_MAX 3

static void ask_logs(struct log_reader *r);

/* --- staging --- */

/*
 * Operations past the contract's own tips do not exist: they are not written, so
 * that nobody fills the disk with a chain of inventions. Returns true with
 * r->log_error when one from this entry on is such. Tips that are not told say
 * nothing of the logs.
 */
static bool past_tips(struct log_reader *r, size_t from)
{
	const struct contract_tips *due = r->has_proof ? &r->proof : &r->tips;

	if (!r->has_proof && !r->has_tips)
		return false;
	for (size_t k = from; k < r->portion.count; k++) {
		const struct portion_entry *e = &r->portion.list[k];

		if (e->seq < due->tip[e->chain].seq)
			continue;
		error_set(&r->log_error,
			"it gives %s operation %llu, the contract has %llu: logs are left "
			"out, altered or invented",
			e->chain == CHAIN_ADMIN ? "administrative" : "members'",
			(unsigned long long)e->seq,
			(unsigned long long)due->tip[e->chain].seq);
		return true;
	}
	return false;
}

int reader_stage(struct log_reader *r)
{
	struct error err;

	if (!r->portion.count)
		return 0;
	/* So much, and not yet what bounds it: once more, the tips first. */
	if (r->checks_due) {
		r->careful = true;
		reader_retry(r, 0);
		return -1;
	}
	if (reader_untold(r))
		return -1;
	if (past_tips(r, 0)) {
		reader_doubt(r, r->log_error.text);
		return -1;
	}
	if (!journal_begin(r->journal, &err)) {
		if (!portion_store(&r->portion, r->journal, r->since, &err) &&
			!journal_commit(r->journal, &err)) {
			reader_mark("staged");
			return 0;
		}
		journal_rollback(r->journal);
	}
	if (journal_failed(r->journal))
		reader_own_trouble(r, err.text);
	else
		reader_doubt(r, err.text);
	return -1;
}

/* A question is answered and another follows: what it gave is kept. 0 or -1. */
static int keep_range(struct log_reader *r, const struct segment *s)
{
	struct error err;

	/* Without the tips it stays in memory, which on_chunk() sees to. */
	if (r->undo || (r->checks_due && r->portion.bytes.n < PORTION_BYTES))
		return 0;
	if (reader_stage(r))
		return -1;
	if (journal_begin(r->journal, &err) ||
		(s->chain != CHAIN_ADMIN &&
			journal_set_reach(r->journal, CHAIN_MEMBERS, r->to, &err)) ||
		(s->chain != CHAIN_MEMBERS &&
			journal_set_reach(r->journal, CHAIN_ADMIN, r->to, &err)) ||
		journal_commit(r->journal, &err)) {
		journal_rollback(r->journal);
		reader_own_trouble(r, err.text);
		return -1;
	}
	return 0;
}

/* --- a reply as it arrives --- */

static bool on_log(void *context, const struct log *log)
{
	struct log_reader *r = context;
	const struct segment *s = &r->segment[r->at];
	const struct portion_filter filter = {
		.contract = r->settings->contract,
		.from = s->from,
		.to = r->to,
		.chain = s->chain,
		.seq = UINT64_MAX,
		.known = r->target.number,
		.known_hash = r->target.hash,
	};
	int rc = portion_add(&r->portion, log, &filter, &r->log_error);

	if (rc) {
		r->moved = rc > 0;
		r->bad_log = rc < 0;
		return false;
	}
	if (!r->checks_due && past_tips(r, r->portion.count - 1)) {
		r->bad_log = true;
		return false;
	}
	r->events++;
	/* They have answered by the time the rest is verified. */
	if (!r->asked_witnesses)
		pool_ask(r->pool, r->target.number);
	r->asked_witnesses = true;
	if (r->portion.bytes.n < PORTION_BYTES)
		return true;
	if (r->undo) {
		if (r->portion.bytes.n < PORTION_KEPT_MAX)
			return true;
		r->bad_log = true;
		error_set(&r->log_error,
			"a reorganisation with more than %u bytes of "
			"operations",
			PORTION_KEPT_MAX);
		return false;
	}
	r->flushed = true;
	return true;
}

static bool on_chunk(void *context, struct view chunk)
{
	struct log_reader *r = context;
	struct error err = {""};

	/* on_log() knows better what is wrong than that it stopped there. */
	if (log_scanner_feed(r->scanner, chunk, &err)) {
		if (!r->bad_log && !r->moved)
			r->log_error = err;
		return false;
	}
	/* Not inside the scanner: a failure ends the round, and frees it. */
	if (!r->flushed || r->portion.bytes.n < PORTION_BYTES)
		return true;
	return !reader_stage(r);
}

/* What the question has brought so far does not count. */
static void forget_question(struct log_reader *r)
{
	struct error err;

	log_scanner_free(r->scanner);
	r->scanner = NULL;
	portion_cut(&r->portion, r->before_count, r->before_bytes);
	if (r->flushed && journal_unreach(r->journal, &err))
		reader_own_trouble(r, err.text);
}

static void ask_again(uv_timer_t *timer)
{
	struct log_reader *r = timer->data;

	if (r->running && r->rpc)
		ask_logs(r);
}

/* --- refusals --- */

/* One block is too much at once: its two chains apart, then the rest. */
static void split_block(struct log_reader *r, const char *why)
{
	struct segment s = r->segment[r->at];
	unsigned rest = r->segments - r->at - 1;
	struct error text;

	if (s.chain >= 0 || rest + 3 > SEGMENTS_MAX) {
		error_set(&text, "it refuses eth_getLogs even for block %llu alone: %s",
			(unsigned long long)s.from, why);
		reader_broken(r, text.text);
		return;
	}
	memmove(&r->segment[3], &r->segment[r->at + 1], rest * sizeof s);
	r->segment[0] = (struct segment){SEGMENT_PART, CHAIN_MEMBERS, s.from, s.from};
	r->segment[1] = (struct segment){SEGMENT_PART, CHAIN_ADMIN, s.from, s.from};
	r->segment[2] = s;
	r->segment[2].from++;
	r->segments = 3 + rest;
	r->at = 0;
	reader_next_segment(r);
}

static void take_verdict(struct log_reader *r, enum range_verdict verdict,
	uint32_t retry_ms, const char *why)
{
	struct error text;
	uint32_t pause;

	error_set(&text, "%s", why);
	forget_question(r);
	if (!r->running)
		return;
	switch (verdict) {
	case RANGE_SMALLER:
		ask_logs(r);
		break;
	case RANGE_SINGLE:
		split_block(r, text.text);
		break;
	case RANGE_LATER:
		pause = reader_rate_pause(r, retry_ms);
		if (pause)
			uv_timer_start(&r->retry, ask_again, pause, 0);
		else
			reader_broken(r, text.text);
		break;
	case RANGE_OTHER:
		reader_broken(r, text.text);
		break;
	}
}

/* No whole reply: perhaps it was too large for somebody on the way. */
static void broke_off(struct log_reader *r, const char *why)
{
	uint64_t from = r->segment[r->at].from;

	if (++r->broke > BROKE_MAX)
		take_verdict(r, RANGE_OTHER, 0, why);
	else
		take_verdict(r, range_broke(&r->range, from, r->to), 0, why);
}

static void passed(struct log_reader *r)
{
	struct segment *s = &r->segment[r->at];

	log_scanner_free(r->scanner);
	r->scanner = NULL;
	r->broke = r->limited = 0;
	r->pause_ms = 0;
	range_passed(&r->range, r->to - s->from + 1);
	reader_mark("logs");
	if ((r->to < s->to || r->at + 1 < r->segments) && keep_range(r, s))
		return;
	s->from = r->to + 1;
	reader_next_segment(r);
}

/* The reply ended as HTTP: what was in it? */
static void judge_reply(struct log_reader *r)
{
	struct view message, data;
	struct error err = {""};
	struct buffer scratch = {0};
	struct rpc_reply reply;
	enum range_verdict verdict;
	int64_t code;
	int rc = log_scanner_end(r->scanner, &code, &message, &data, &err);

	if (!rc) {
		passed(r);
		return;
	}
	if (rc < 0) {
		broke_off(r, err.text);
		return;
	}
	rpc_reply_error(&reply, &scratch, rpc_endpoint(r->rpc), code, message, data);
	verdict = range_refused(
		&r->range, r->segment[r->at].from, r->to, code, message, data);
	take_verdict(r, verdict, reply.retry_ms, reply.error.text);
	buffer_free(&scratch);
}

static void on_logs(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct view text = view_str(reply->error.text);
	uint64_t from;

	r->call[ASK_LOGS] = 0;
	if (!r->running || !r->scanner)
		return; /* given up while the reply came in */
	from = r->segment[r->at].from;
	if (r->moved) {
		reader_unsettled(
			r, 0, "its logs are of another block than the one it names");
		return;
	}
	if (r->bad_log) {
		reader_doubt(r, r->log_error.text);
		return;
	}
	switch (reply->outcome) {
	case RPC_RESULT:
		judge_reply(r);
		break;
	case RPC_REFUSED: /* with an HTTP status of failure */
		take_verdict(r,
			range_refused(&r->range, from, r->to, reply->code, text,
				view_of(NULL, 0)),
			reply->retry_ms, reply->error.text);
		break;
	case RPC_RATE_LIMITED:
		take_verdict(r, RANGE_LATER, reply->retry_ms, reply->error.text);
		break;
	case RPC_UNREACHABLE:
	case RPC_GARBAGE:
		broke_off(r, reply->error.text);
		break;
	case RPC_UNAUTHORISED:
		reader_broken(r, reply->error.text);
		break;
	}
}

/* --- questions --- */

static void ask_logs(struct log_reader *r)
{
	const struct segment *s = &r->segment[r->at];

	r->to = range_end(&r->range, s->from, s->to);
	r->before_count = r->portion.count;
	r->before_bytes = r->portion.bytes.n;
	r->flushed = r->moved = r->bad_log = false;
	log_scanner_free(r->scanner);
	r->scanner = log_scanner_new(rpc_next(r->rpc), on_log, r);
	if (r->scanner)
		r->call[ASK_LOGS] = rpc_stream(r->rpc, "eth_getLogs",
			request_logs(r->settings, s->from, r->to, s->chain, UINT64_MAX),
			STREAM_TIMEOUT_MS, on_chunk, on_logs, r);
	if (!r->call[ASK_LOGS])
		reader_own_trouble(r, "out of memory");
}

void reader_next_segment(struct log_reader *r)
{
	for (; r->at < r->segments; r->at++) {
		const struct segment *s = &r->segment[r->at];

		if (s->from > s->to)
			continue;
		if (s->kind == SEGMENT_MEMBERS)
			reader_search(r);
		else
			ask_logs(r);
		return;
	}
	r->logs_done = true;
	reader_verify(r);
}

static void add_segment(
	struct log_reader *r, enum segment_kind kind, int chain, uint64_t from)
{
	r->segment[r->segments++] = (struct segment){kind, chain, from, r->target.number};
}

/* What is still to be read, by what is in the journal. */
static void plan(struct log_reader *r)
{
	uint64_t members, admin;
	bool has_members = journal_reach(r->journal, CHAIN_MEMBERS, &members);
	bool has_admin = journal_reach(r->journal, CHAIN_ADMIN, &admin);

	if (r->undo) {
		add_segment(r, SEGMENT_BOTH, -1, r->base + 1);
	} else if (has_members && has_admin && members == admin) {
		add_segment(r, SEGMENT_BOTH, -1, members + 1);
	} else {
		add_segment(r, SEGMENT_BOTH, CHAIN_ADMIN,
			has_admin ? admin + 1 : r->settings->deployed);
		if (has_members)
			add_segment(r, SEGMENT_BOTH, CHAIN_MEMBERS, members + 1);
		else
			add_segment(
				r, SEGMENT_MEMBERS, CHAIN_MEMBERS, r->settings->deployed);
	}
}

void reader_fetch(struct log_reader *r)
{
	struct error err = {""};
	uint64_t reach;

	r->segments = r->at = r->broke = 0;
	r->logs_done = false;
	portion_cut(&r->portion, 0, 0);
	for (int c = 0; c < 2 && !r->undo; c++)
		if (journal_reach(r->journal, (enum chain)c, &reach) &&
			reach > r->target.number) {
			/* Staged past a block that is read up to now. */
			if (journal_unstage(r->journal, &err)) {
				reader_own_trouble(r, err.text);
				return;
			}
		}
	plan(r);
	/* Much may come: what bounds it is known first. A live block does not wait. */
	if (!r->has_base || r->target.number - r->base > FAR_BLOCKS)
		r->careful = true;
	r->logs_wait = r->careful;
	reader_ask_tips(r);
	if (r->running && !r->logs_wait)
		reader_next_segment(r);
}

void reader_fetch_logs(struct log_reader *r)
{
	r->logs_wait = false;
	reader_next_segment(r);
}
