/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/ethereum.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ledger/ethereum/reader.h"
#include "ledger/ethereum/writer.h"

/*
 * The parts put together: the pool says whom to follow, the reader fills the
 * journal, the writer sends; what the owner gets comes out of the journal, from
 * a cursor, be it the first delivery, a later one or the newest block.
 */
#define PORTION       300 /* events a turn of the loop */
#define TRIM_EVERY_MS 600000
#define TRIM_AT_ONCE  2000 /* events */

struct ethereum_ledger {
	struct ledger base; /* first: the owner holds this */
	const struct ethereum_settings *settings;
	uint32_t (*now)(void);
	uv_loop_t *loop;
	struct journal *journal;
	struct pool *pool;
	struct log_reader *reader;
	struct writer *writer; /* NULL: no signer */
	uv_timer_t turn;

	bool started;
	bool undone; /* told; until start() nothing is delivered */
	bool window_told;
	bool caught_up;  /* said since the last event */
	bool at_length;  /* more than a portion was delivered since then */
	bool complete;   /* the journal has been read up to a newest block */
	uint64_t cursor; /* of the journal: what was delivered */
	struct header head;
	bool has_head; /* the reader's, in this session */
	uint64_t final;
	uint64_t trimmed; /* ms */
	bool delivering;  /* out of the journal: it is not to be closed */
	bool restarted;   /* start() was called while it delivered */
	bool closing;
	bool reading_ill, writing_ill; /* the last that was said of either */
};

static struct ethereum_ledger *of(struct ledger *l)
{
	return (struct ethereum_ledger *)(void *)l;
}

static void say(void *context, bool healthy, const char *text)
{
	struct ethereum_ledger *l = context;

	if (!l->closing && l->base.callbacks.trouble)
		l->base.callbacks.trouble(l->base.callbacks.context, healthy, text);
}

/* Of endpoints and what they say: over with the next newest block that verifies. */
static void say_reading(void *context, bool healthy, const char *text)
{
	struct ethereum_ledger *l = context;

	l->reading_ill = !healthy;
	say(l, healthy, text);
}

/* Of the writer, which says itself when it is over. */
static void say_writing(void *context, bool healthy, const char *text)
{
	struct ethereum_ledger *l = context;

	l->writing_ill = !healthy;
	say(l, healthy, text);
}

static void say_read(struct ethereum_ledger *l)
{
	struct error line;

	if (!l->reading_ill || l->writing_ill)
		return;
	error_set(&line, "the chain is followed, block %llu is verified",
		(unsigned long long)l->head.number);
	say_reading(l, true, line.text);
}

/* --- delivery --- */

static void tell_window(struct ethereum_ledger *l)
{
	struct tip before;
	uint32_t since;

	if (l->window_told || !journal_window(l->journal, &before, &since, NULL))
		return;
	l->window_told = true;
	if (l->base.callbacks.window)
		l->base.callbacks.window(l->base.callbacks.context, &before, since);
}

/* fn of journal_next(): the owner may do anything but change the journal. */
static bool deliver(void *context, const struct ledger_event *event)
{
	struct ethereum_ledger *l = context;

	if (event->chain == CHAIN_MEMBERS)
		tell_window(l);
	if (l->closing || l->restarted)
		return false;
	/* Told from its genesis, the chain has none, whatever trim() drops after that. */
	if (event->chain == CHAIN_MEMBERS)
		l->window_told = true;
	l->caught_up = false;
	l->base.callbacks.event(l->base.callbacks.context, event);
	return !l->closing && !l->restarted && l->started && !l->undone;
}

static void turn(uv_timer_t *timer);

static void say_caught_up(struct ethereum_ledger *l)
{
	if (l->caught_up || l->closing || !l->complete)
		return;
	l->caught_up = true;
	if (l->at_length) {
		journal_release(l->journal);
		malloc_trim(0);
	}
	l->at_length = false;
	if (l->base.callbacks.caught_up)
		l->base.callbacks.caught_up(l->base.callbacks.context);
}

/* One portion; the rest in the next turn. */
static void deliver_some(struct ethereum_ledger *l)
{
	uint8_t hash[HASH_SIZE];
	uint64_t number;
	struct error err;
	int n;

	if (!l->started || l->undone || l->closing ||
		!journal_head(l->journal, &number, hash))
		return;
	l->delivering = true;
	l->restarted = false;
	n = journal_next(l->journal, &l->cursor, PORTION, deliver, l, &err);
	l->delivering = false;
	if (l->closing) {
		journal_close(l->journal);
		l->journal = NULL;
		return;
	}
	if (n < 0) {
		say(l, false, err.text);
		return;
	}
	if (l->restarted)
		l->cursor = 0; /* the next turn begins there */
	if (l->undone || l->restarted)
		return;
	if (n == PORTION) {
		l->at_length = true;
		uv_timer_start(&l->turn, turn, 0, 0);
		return;
	}
	tell_window(l);
	/* Or the owner began anew within that. */
	if (!uv_is_active((uv_handle_t *)&l->turn))
		say_caught_up(l);
}

static void trim(struct ethereum_ledger *l)
{
	uint32_t longest = journal_longest_ttl(l->journal), now = l->now();
	uint64_t ms = uv_now(l->loop);
	struct error err;
	int n;

	/* What is still to be delivered must follow what was. */
	if (uv_is_active((uv_handle_t *)&l->turn))
		return;
	if (l->trimmed && ms - l->trimmed < TRIM_EVERY_MS)
		return;
	l->trimmed = ms;
	/* A chain that stands still is behind the clock. */
	if (l->head.timestamp < now)
		now = (uint32_t)l->head.timestamp;
	n = journal_trim(l->journal, now > longest ? now - longest : 0, l->final,
		TRIM_AT_ONCE, &err);
	if (n < 0)
		say(l, false, err.text);
	if (n == TRIM_AT_ONCE)
		l->trimmed = 0;
}

static void turn(uv_timer_t *timer)
{
	deliver_some(timer->data);
}

/* --- what the parts tell --- */

static void on_head(void *context, const struct header *head, uint64_t final, bool newest)
{
	struct ethereum_ledger *l = context;

	l->complete = l->complete || newest;
	l->head = *head;
	l->has_head = true;
	l->final = final;
	if (newest)
		say_read(l);
	if (!uv_is_active((uv_handle_t *)&l->turn))
		deliver_some(l);
	if (l->writer && !l->closing)
		writer_head(l->writer, head, final);
	if (!l->closing)
		trim(l);
}

static void on_undo(void *context, uint64_t block)
{
	struct ethereum_ledger *l = context;
	uint64_t kept = journal_cursor(block);

	/* Nothing of it was delivered: nothing is to be taken back. */
	if (!l->started || l->undone || l->cursor <= kept)
		return;
	l->undone = true;
	l->caught_up = false;
	uv_timer_stop(&l->turn);
	if (l->base.callbacks.undo)
		l->base.callbacks.undo(l->base.callbacks.context, block);
}

static void on_followed(void *context, struct rpc *rpc)
{
	struct ethereum_ledger *l = context;

	reader_follow(l->reader, rpc);
}

static void on_fate(void *context, const struct ledger_fate *fate)
{
	struct ethereum_ledger *l = context;

	if (!l->closing && l->base.callbacks.fate)
		l->base.callbacks.fate(l->base.callbacks.context, fate);
}

/* --- the methods --- */

static int start(struct ledger *base, uint32_t now, struct error *err)
{
	struct ethereum_ledger *l = of(base);

	(void)now; /* the window was chosen by the reader's clock */
	if (l->closing)
		return error_set(err, "the ledger is being closed");
	l->started = l->restarted = true;
	l->undone = l->window_told = l->caught_up = false;
	l->cursor = 0;
	uv_timer_start(&l->turn, turn, 0, 0);
	return 0;
}

static int submit(struct ledger *base, const struct ledger_batch *b, struct error *err)
{
	struct ethereum_ledger *l = of(base);

	if (!l->writer)
		return error_set(err,
			"this node has no key to sign with ([member] key): it can only "
			"read");
	if (l->closing)
		return error_set(err, "the ledger is being closed");
	return writer_submit(l->writer, b, err);
}

static int tip(struct ledger *base, enum chain chain, struct tip *out, struct error *err)
{
	struct ethereum_ledger *l = of(base);
	uint8_t hash[HASH_SIZE];
	uint64_t number;

	if (!journal_head(l->journal, &number, hash))
		return error_set(err, "the chain has not been read yet");
	*out = *journal_tip(l->journal, chain);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The parts, in reverse order; each frees itself when its handles have closed. */
static void close_parts(struct ethereum_ledger *l)
{
	l->closing = true;
	writer_close(l->writer);
	reader_close(l->reader);
	pool_close(l->pool);
	/* At once: the owner may open the same file anew before the loop turns. */
	if (!l->delivering) {
		journal_close(l->journal);
		l->journal = NULL;
	}
	l->writer = NULL;
	l->reader = NULL;
	l->pool = NULL;
}

static void close_ledger(struct ledger *base)
{
	struct ethereum_ledger *l = of(base);

	if (l->closing)
		return;
	close_parts(l);
	uv_close((uv_handle_t *)&l->turn, on_closed);
}

static uint32_t wall_clock(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

static uint64_t monotonic_ms(void)
{
	return clock_monotonic() / 1000;
}

/* Returns 0, or -1 with a text. */
static int open_parts(
	struct ethereum_ledger *l, const struct signer *signer, struct error *err)
{
	const struct pool_callbacks pool = {
		.context = l, .followed = on_followed, .trouble = say_reading};
	const struct reader_callbacks reader = {
		.context = l, .head = on_head, .undo = on_undo, .trouble = say_reading};
	const struct writer_callbacks writer = {
		.context = l, .fate = on_fate, .trouble = say_writing};

	l->journal = journal_open(l->settings, err);
	if (!l->journal)
		return -1;
	l->pool = pool_open(l->loop, l->settings, &pool, err);
	if (!l->pool)
		return -1;
	l->reader = reader_open(
		l->loop, l->settings, l->journal, l->pool, l->now, &reader, err);
	if (!l->reader)
		return -1;
	if (!signer)
		return 0;
	l->writer = writer_open(l->loop, l->settings, l->journal, l->pool, signer,
		monotonic_ms, &writer, err);
	return l->writer ? 0 : -1;
}

struct ledger *ethereum_ledger_new(uv_loop_t *loop, const struct ethereum_settings *s,
	const struct signer *signer, const struct ledger_callbacks *callbacks,
	uint32_t (*now)(void), struct error *err)
{
	static const struct ledger_methods methods = {start, submit, tip, close_ledger};
	struct ethereum_ledger *l = calloc(1, sizeof *l);
	uint8_t hash[HASH_SIZE];
	uint64_t number;

	if (!l) {
		error_set(err, "out of memory");
		return NULL;
	}
	l->base.methods = &methods;
	l->base.callbacks = *callbacks;
	l->settings = s;
	l->now = now ? now : wall_clock;
	l->loop = loop;
	if (open_parts(l, signer, err)) {
		close_parts(l);
		free(l);
		return NULL;
	}
	l->complete = journal_head(l->journal, &number, hash);
	uv_timer_init(loop, &l->turn);
	l->turn.data = l;
	return &l->base;
}

char *ethereum_ledger_where(char *dst, size_t size, const struct ledger *base)
{
	const struct ethereum_ledger *l = (const struct ethereum_ledger *)(const void *)
		base;
	const struct rpc *rpc = l->closing ? NULL : pool_followed(l->pool);
	unsigned witnesses = rpc ? pool_witnesses(l->pool) : 0;
	uint8_t hash[HASH_SIZE];
	uint64_t number = 0;
	bool known = !l->closing && journal_head(l->journal, &number, hash);

	if (!rpc && known)
		snprintf(dst, size, "no endpoint (verified up to block %llu)",
			(unsigned long long)number);
	else if (!rpc)
		snprintf(dst, size, "no endpoint");
	else
		snprintf(dst, size, "%s (block %llu), %u witness%s",
			rpc_endpoint(rpc)->name, (unsigned long long)number, witnesses,
			witnesses == 1 ? "" : "es");
	return dst;
}

void ethereum_ledger_progress(struct ethereum_progress *out, const struct ledger *base)
{
	const struct ethereum_ledger *l = (const struct ethereum_ledger *)(const void *)
		base;
	uint8_t hash[HASH_SIZE];

	memset(out, 0, sizeof *out);
	if (l->closing)
		return;
	journal_head(l->journal, &out->head, hash);
	if (l->has_head && l->head.number == out->head)
		out->head_time = l->head.timestamp;
	out->final = reader_final(l->reader);
	if (pool_followed(l->pool))
		out->witnesses = pool_witnesses(l->pool);
}
