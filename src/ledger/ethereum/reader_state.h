/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_READER_STATE_H
#define LEDGER_ETHEREUM_READER_STATE_H

#include "ledger/ethereum/chain.h"
#include "ledger/ethereum/logs.h"
#include "ledger/ethereum/portion.h"
#include "ledger/ethereum/range.h"
#include "ledger/ethereum/reader.h"
#include "ledger/ethereum/request.h"
#include "ledger/ethereum/websocket.h"
#include "ledger/ethereum/window.h"

/*
 * What the reader's files share. A reading is a row of rounds:
 *
 *   reader.c         wake -> head -> (target) -> fetch ...
 *   reader_chain.c   is what was processed still canonical? the ancestor
 *   reader_logs.c    the logs in ranges, into portions, staged
 *   reader_window.c  a first reading's window: where, and its proof
 *   reader_final.c   what of it is final
 *   reader_verify.c  tips, proof, canonical, witnesses -> commit
 *   reader_socket.c  what wakes it
 */
#define CALL_TIMEOUT_MS   RPC_TIMEOUT_MS
#define STREAM_TIMEOUT_MS 30000       /* from the last byte */
#define PORTION_BYTES     (1u << 20)  /* staged in portions of so much */
#define PORTION_KEPT_MAX  (64u << 20) /* of a reorganisation, kept in memory */
#define FAR_BLOCKS        128         /* further behind: first up to .. */
#define NEAR_BLOCKS       32          /* .. so far below the head */

#define SEEN_MAX 64

enum reader_call {
	ASK_HEAD,
	ASK_FINAL,
	ASK_BLOCK, /* one after the other: ours, an ancestor, the target .. */
	ASK_LOGS,
	ASK_TIPS,
	ASK_PROOF,
	ASK_CANONICAL,
	ASK_COUNT
};

enum segment_kind {
	SEGMENT_BOTH,
	SEGMENT_ADMIN,
	SEGMENT_MEMBERS, /* of a first reading: its start is searched first */
	SEGMENT_PART,    /* one block by chain: both together are refused */
};

struct segment {
	enum segment_kind kind;
	int chain; /* -1: both */
	uint64_t from, to;
};

#define SEGMENTS_MAX 4

struct log_reader {
	uv_loop_t *loop;
	const struct ethereum_settings *settings;
	struct journal *journal;
	struct pool *pool;
	uint32_t (*now)(void);
	struct reader_callbacks callbacks;
	struct rpc *rpc; /* followed; NULL: none */
	const struct abilities *can;
	uv_timer_t timer; /* the next round */
	uv_timer_t retry; /* the same step again, later */
	unsigned open_handles;
	bool closing;

	/* --- the round --- */
	bool running;
	bool again;     /* woken meanwhile */
	uint64_t began; /* ms */
	uint64_t call[ASK_COUNT];
	struct header latest, target;
	struct final_block tag; /* what the finality tag says there */
	bool has_tag;
	unsigned head_due;
	uint64_t base; /* the block that is gone on from */
	bool has_base;
	bool undo;           /* everything above base is undone */
	struct header block; /* the last answer of ASK_BLOCK */
	struct header ours;  /* what stands at the height of the journal's head */
	void (*block_done)(struct log_reader *r, bool there);
	struct ancestor ancestor;
	uint64_t kept[ANCESTOR_BLOCKS_MAX];

	/* --- the logs --- */
	struct segment segment[SEGMENTS_MAX];
	unsigned segments, at;
	struct range range; /* of this endpoint */
	uint64_t to;        /* of the question */
	struct log_scanner *scanner;
	struct portion portion;
	size_t before_count, before_bytes; /* of the portion, before the question */
	bool flushed;   /* some of this question's are staged already */
	bool moved;     /* a log of a reorganised block was seen */
	unsigned broke; /* questions in a row that broke off */
	bool logs_done;
	bool careful;    /* no log is asked for before the tips are known */
	bool logs_wait;  /* .. and they are not yet */
	uint64_t events; /* of this round */
	bool bad_log;    /* log_error says what is wrong with one */
	struct error log_error;
	uint32_t since; /* of a first reading */
	struct window_search search;

	/* --- the proof of the window --- */
	bool proving;
	struct portion last;

	/* --- verification --- */
	unsigned checks_due; /* tips and proof */
	bool has_tips, has_proof;
	struct contract_tips tips, proof;
	struct error tips_error, proof_error;
	unsigned contradicted; /* rounds in a row in which eth_call did the proof */
	bool asked_witnesses;
	bool canonical_due, confirm_due;
	enum confirmation confirmed;

	/* --- memory of rounds --- */
	unsigned doubts;    /* in a row: the endpoint said what cannot be */
	struct error doubt; /* the last of them */
	unsigned unsettled; /* rounds in a row that came to no end */
	uint64_t unsettled_since;
	bool compared;       /* a block was verified since this endpoint is followed */
	bool inherited;      /* staged events are another session's or endpoint's */
	uint64_t hold_until; /* ms: no round begins earlier */
	uint32_t pause_ms;   /* of the last rate limit */
	unsigned limited;    /* rate limits in a row */
	struct final_block final;
	unsigned tag_denies; /* rounds in a row: the tag names no block of ours */
	struct {
		uint64_t number, timestamp;
	} seen[SEEN_MAX]; /* heads, a ring: when final blocks by depth were made */
	unsigned seen_next;
	bool has_candidate; /* for the pool's anchor, once it is final */
	uint64_t candidate;
	uint8_t candidate_hash[HASH_SIZE];
	bool trouble; /* our own, said and not yet over */

	/* --- the socket --- */
	struct websocket *socket;
	char socket_url[4][ENDPOINT_URL_MAX];
	unsigned sockets, socket_at;
	bool socket_told; /* by the configuration: there is one */
	bool subscribed;
	char head_id[80], logs_id[80];
	uint64_t noticed; /* ms, the last notification */
	uint64_t subscribed_at;
	uint32_t socket_pause_ms; /* of a place that has served */
	uint32_t places_pause_ms; /* after all places */
	uv_timer_t socket_timer;
	bool polled;     /* this round was begun by the poll */
	unsigned missed; /* new blocks in a row that only the poll found */
};

/* --- reader.c --- */
void reader_mark(const char *name);
/* Look for a new head: at once, or when the last look is a while ago. */
void reader_wake(struct log_reader *r, bool soon);
/* One question; a former one of the same kind is forgotten. */
bool reader_ask(struct log_reader *r, enum reader_call call, const char *method,
	json_t *params, rpc_reply_fn *fn);
/* A header by number into r->block; `there`: the node has it. */
void reader_ask_block(struct log_reader *r, uint64_t number,
	void (*done)(struct log_reader *r, bool there));
/* The round has ended; more: the next follows at once. */
void reader_round_done(struct log_reader *r, bool more);
/* r->target is committed; undone: what was at or above `from` is gone. */
void reader_committed(struct log_reader *r, bool undone, uint64_t from);
/* The round is given up and begun anew after a pause. */
void reader_retry(struct log_reader *r, uint64_t pause_ms);
/*
 * The same for a round in which blocks changed or were not confirmed; when that
 * goes on, another endpoint is tried, and why is told.
 */
void reader_unsettled(struct log_reader *r, uint64_t pause_ms, const char *why);
/* A pause for a rate limit: what the endpoint asks for, or growing. 0: give up. */
uint32_t reader_rate_pause(struct log_reader *r, uint32_t retry_ms);
/* The endpoint gave no answer: a pause, or the pool takes another. */
void reader_failed(struct log_reader *r, const struct rpc_reply *reply);
void reader_broken(struct log_reader *r, const char *why);
/* It said what cannot be; if it does so again and again, it lies. */
void reader_doubt(struct log_reader *r, const char *why);
/* It lies: r->doubt says how. */
void reader_lied(struct log_reader *r);
/* This machine's own trouble (the journal's file). */
void reader_own_trouble(struct log_reader *r, const char *why);

/* --- reader_chain.c: r->latest is known; ends in reader_fetch() --- */
void reader_place(struct log_reader *r);
/* Forget all that was read, and read it anew. */
void reader_start_over(struct log_reader *r, const char *why);
/* The same of what stands above this block, which is kept. */
void reader_go_back(struct log_reader *r, uint64_t block, const char *why);

/* --- reader_final.c --- */

/* r->target is what the journal holds: what is final then. */
void reader_finalise(struct log_reader *r);
/* r->target was committed, confirmed by others or by nobody. */
void reader_seen(struct log_reader *r);
/* Blocks from this one on were undone. */
void reader_unfinalise(struct log_reader *r, uint64_t from);
/*
 * Whether what is followed denies a final block that another endpoint has; the
 * pool's rounds settle who is wrong.
 */
bool reader_denies_final(struct log_reader *r, uint64_t base);
/* The endpoint's tag names another block than was verified there, and lies. */
bool reader_tag_lies(const struct log_reader *r);

/* --- reader_logs.c: base and target are known; ends in reader_verify() --- */
void reader_fetch(struct log_reader *r);
/* The tips are known, and told by others too where nothing proves them. */
void reader_fetch_logs(struct log_reader *r);
void reader_next_segment(struct log_reader *r);
/* Stage what is in the portion. 0, or -1: the round was given up. */
int reader_stage(struct log_reader *r);

/* --- reader_window.c --- */
void reader_search(struct log_reader *r);
/* Prove the window of a first reading, then reader_check(). */
void reader_prove(struct log_reader *r);

/* --- reader_verify.c --- */
/* True when neither tips nor a proof were told: the round was given up. */
bool reader_untold(struct log_reader *r);
void reader_ask_tips(struct log_reader *r);
/* Logs or tips have come in: when both, verify. */
void reader_verify(struct log_reader *r);
void reader_check(struct log_reader *r);
/*
 * What the endpoint gives does not follow what is in the journal: r->doubt. One
 * of the two is wrong; it is the journal's when the contract's tips were never
 * what it holds and the witnesses say so, too.
 */
void reader_suspect(struct log_reader *r);

/* --- reader_socket.c --- */
void reader_socket_begin(struct log_reader *r);
void reader_socket_end(struct log_reader *r);
/* The poll has found a new block: a notification of it should have come. */
void reader_socket_missed(struct log_reader *r);

#endif
