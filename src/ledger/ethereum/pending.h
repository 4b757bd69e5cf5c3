/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_PENDING_H
#define LEDGER_ETHEREUM_PENDING_H

#include "ledger/ethereum/answer.h"
#include "ledger/ethereum/fee.h"
#include "ledger/ethereum/sent.h"
#include "ledger/ethereum/submission.h"

/*
 * What the writer decides, without I/O: every batch on its way and the one
 * sequence of nonces. Observations go in (a head, a count of nonces, a
 * preflight's outcome, the answers to a sending, receipts, the time), actions
 * come out by pending_next(). The writer performs one and reports its outcome.
 *
 *   QUEUED --preflight--> READY --sign--> SENT --receipt--> MINED --final--> ENDED
 *     ^                                   |  ^                |
 *     |                                   |  +--reorganised---+
 *     +--nonce stolen, or mined but       |                   |
 *        reverted: at a final block ------+----- REVERTED <---+
 *
 * Never twice: a batch is signed with another nonce only when no block can hold
 * what was signed before: the old nonce is used up in a final block and no
 * receipt of ours is there, or the receipt with status 0 is final. A signed
 * nonce is never given up otherwise, so the sequence has no gaps: its bytes go
 * out again for as long as it takes. Whether a nonce is used up or a receipt
 * says 0 is told by endpoints, of whom there may be one alone, and he may lie: a
 * batch that is then there twice is a refresh, which costs its gas, so no more
 * than RESIGN_MOST are signed anew within RESIGN_MS.
 *
 * A nonce that was signed and that nobody holds any more (its final block was
 * dropped) is a gap: what stands behind it cannot be mined. The next batch takes
 * it; when none comes, a filler does: an empty transaction to the key's own
 * address.
 */
#define PENDING_MAX    64   /* batches that are not settled */
#define SETTLED_MAX    256  /* kept for submitters that ask again */
#define SETTLED_KEPT   3600 /* seconds of chain time */
#define OFFERS_MAX     48   /* signed transactions of one batch */
#define ATTEMPTS_MAX   3    /* nonces that a batch may burn */
#define RESEND_MS      8000 /* doubled with each sending of the same bytes */
#define RESEND_MOST_MS 120000
#define RESEND_HEADS   4
#define RAISE_MS       30000
#define RAISE_LEAST_MS 10000 /* however fast blocks come */
#define RAISE_HEADS    12
#define RETRY_MS       1000 /* doubled with each failure, then +-25 % */
#define RETRY_MOST_MS  60000
#define LOOK_HEADS     4  /* receipts are asked that often in any case */
#define GAP_HEADS      3  /* a nonce nobody holds for that long is a gap */
#define GAP_FILL_HEADS 12 /* and is filled when no batch comes to take it */
#define PURSE_LASTS    10 /* transactions; with less a person is told */
#define RESIGN_MOST    16 /* batches signed anew, within */
#define RESIGN_MS      3600000

enum pending_state {
	PENDING_QUEUED = 1, /* preflight to be asked */
	PENDING_READY,      /* to be signed */
	PENDING_SENT,
	PENDING_MINED,
	PENDING_REVERTED, /* in a block, status 0 */
	PENDING_ENDED,    /* has its fate; a final one stays for a while */
};

/* One signed transaction of a batch. */
struct offer {
	uint64_t nonce;
	uint8_t hash[HASH_SIZE];
	bool dynamic;
	uint64_t max_fee, priority_fee, gas_limit;
	struct view raw; /* owned */
};

struct pending {
	struct pending *next;
	uint64_t ticket;
	struct submission submission; /* call is owned */
	bool filler;                  /* no batch: an empty transaction for a gap */
	enum pending_state state;

	struct offer *offers; /* the last is the one that is sent */
	unsigned offer_count;
	uint64_t nonce;     /* of the last offer */
	unsigned doublings; /* of the gas's bound */
	uint64_t estimate;
	unsigned attempts; /* nonces lost */

	/* One of each kind of request at a time. */
	bool asking, sending, looking;
	unsigned failures; /* in a row */
	uint64_t retry_at; /* ms: nothing is asked or sent before */

	bool send_now, raise_now, zero_now, sign_now, look_now;
	bool zero_tried;   /* for this nonce */
	unsigned sendings; /* of the last offer */
	uint64_t sent_at, sent_heads;
	uint64_t offered_at, offered_heads;
	uint64_t looked_at, looked_heads;
	bool beaten;     /* its nonce is used up in a final block */
	unsigned missed; /* looks in a row without a receipt, the nonce used up */

	uint64_t block; /* MINED, REVERTED */
	uint8_t block_hash[HASH_SIZE];
	bool confirming; /* this look is to settle it */
	bool looking_everywhere;

	struct ledger_fate fate; /* ENDED */
	bool ending;             /* ACTION_END is under way */
	bool told;
	bool drop;        /* a later batch for the same cells: forget it */
	uint64_t settled; /* chain time */
};

enum trouble {
	TROUBLE_PURSE,
	TROUBLE_FEE,
	TROUBLE_NONCE,
	TROUBLE_REFUSED,
	TROUBLE_ANEW,
	TROUBLE_QUOTE,
	TROUBLE_PURSE_LOW,
	TROUBLE_JOURNAL,
	TROUBLE_COUNT
};

struct pending_set {
	const struct ethereum_settings *settings; /* not owned */
	uint8_t sender[ADDRESS20];
	struct pending *first, **last;
	unsigned open, settled;

	bool head_known;
	struct header head;
	uint64_t final;
	uint64_t heads; /* how many were seen: the clock of blocks */

	int64_t highest; /* nonce ever signed; -1: none */
	bool count_known, counting;
	uint64_t count, count_heads;
	uint64_t count_retry_at;
	bool final_counting;
	uint64_t final_heads; /* when it was last asked */
	uint64_t gap, gap_heads;

	bool quotes_known, quoting;
	struct fee_quotes quotes; /* paid: of the last batch that was settled */
	uint64_t base_fee;        /* the head's, as far as it is believed */
	uint64_t quotes_heads;
	uint64_t quotes_retry_at;
	unsigned failures; /* of counts and quotes, in a row */

	bool purse_known;
	uint64_t purse; /* gwei, as far as 64 bits go */

	unsigned resigned; /* batches signed anew since then */
	uint64_t resigned_since;

	bool zero_works;  /* found out: transactions without fees are taken */
	bool legacy_only; /* found out: headers lie about type 2 */

	struct {
		bool on, said;
		struct error error;
	} troubles[TROUBLE_COUNT];
};

/* highest: sent_nonce(). settings must outlive it. NULL when memory is short. */
struct pending_set *pending_new(const struct ethereum_settings *settings,
	const uint8_t sender[ADDRESS20], int64_t highest);
void pending_free(struct pending_set *set);

/* --- batches come in --- */

/*
 * call (copied) under ticket. The same call data again takes the batch over
 * that is there, under the new ticket: *fresh is false then. Returns the batch,
 * or NULL with a text (full, memory, not a batch's call data).
 */
struct pending *pending_submit(struct pending_set *set, uint64_t ticket, struct view call,
	bool *fresh, struct error *err);

/* A row of the journal, by nonce and id. Returns 0, or -1 with a text. */
int pending_restore(struct pending_set *set, const struct sent *row, struct error *err);

/* --- observations; now in ms of a monotonic clock --- */

/* The head, and the highest final block's number. */
void pending_head(struct pending_set *set, const struct header *head, uint64_t final);

/* eth_getTransactionCount at latest: false, nobody answered. */
void pending_count(struct pending_set *set, bool known, uint64_t count, uint64_t now,
	uint32_t jitter);

/* The same at the block pending_next() named. */
void pending_final_count(struct pending_set *set, bool known, uint64_t count);

/* What the chain asks for gas (paid is not used); NULL: nobody answered. */
void pending_quotes(struct pending_set *set, const struct fee_quotes *quotes,
	uint64_t now, uint32_t jitter);

/* What the sender's account holds, in gwei (UINT64_MAX: that or more). */
void pending_purse(struct pending_set *set, uint64_t gwei);

enum preflight_outcome {
	PREFLIGHT_PASSED,
	PREFLIGHT_REFUSED, /* by a rule of the ledger */
	PREFLIGHT_FAILED,  /* reverted, and it is not said which rule */
	PREFLIGHT_AGAIN,   /* nobody answered, or in words that mean nothing */
	PREFLIGHT_UNCLEAR, /* the same, but an endpoint did answer */
};

struct preflight {
	enum preflight_outcome outcome;
	struct refusal refusal;
	struct error error;
	uint64_t gas;      /* eth_estimateGas; 0: not told */
	uint32_t retry_ms; /* PREFLIGHT_AGAIN: 0 unknown */
};

/* jitter: any random number; retries are spread by it. */
void pending_preflight(struct pending_set *set, struct pending *b,
	const struct preflight *p, uint64_t now, uint32_t jitter);

/*
 * ACTION_SIGN was done and is in the journal: raw, from malloc(), is taken over
 * and sent next. Cannot fail: what is in the journal must not be signed anew.
 */
void pending_signed(struct pending_set *set, struct pending *b,
	const struct transaction *t, const uint8_t hash[HASH_SIZE], struct view raw,
	uint64_t now);

/* It could not be signed or written down. */
void pending_unsigned(struct pending_set *set, struct pending *b, const char *why,
	uint64_t now, uint32_t jitter);

/* Every endpoint has answered; best: the highest. text: its words, for people. */
void pending_answered(struct pending_set *set, struct pending *b, enum answer best,
	const char *text, uint64_t now, uint32_t jitter);

enum sighting_kind {
	SIGHTING_UNKNOWN, /* not everybody that was asked answered */
	SIGHTING_ABSENT,  /* no offer has a receipt on the canonical chain */
	SIGHTING_FOUND,
};

struct sighting {
	enum sighting_kind kind;
	unsigned offer; /* which has the receipt */
	bool succeeded; /* status 1 */
	uint64_t block;
	uint8_t block_hash[HASH_SIZE];
	uint64_t gas_used;
};

void pending_looked(struct pending_set *set, struct pending *b, const struct sighting *s,
	uint64_t now, uint32_t jitter);

/* ACTION_END was done (NULL) or could not be written down. */
void pending_ended(struct pending_set *set, struct pending *b, const char *failure,
	uint64_t now, uint32_t jitter);

/* --- actions --- */

enum action_kind {
	ACTION_TROUBLE = 1, /* text, healthy */
	ACTION_END,         /* write down that the batch ended, then tell its fate */
	ACTION_FORGET,      /* the batch's rows; the batch is freed by pending_forget() */
	ACTION_COUNT,
	ACTION_FINAL_COUNT, /* block */
	ACTION_QUOTES,
	ACTION_PREFLIGHT,
	ACTION_SIGN, /* transaction */
	ACTION_SEND, /* the batch's last offer */
	ACTION_LOOK, /* receipts of its offers; everywhere: of every endpoint;
			canonical: see that the block is canonical */
};

struct action {
	enum action_kind kind;
	struct pending *batch;
	struct transaction transaction;
	uint64_t block;
	bool everywhere, canonical;
	bool healthy;
	const char *text;
};

/*
 * The next thing to do. reachable: whether an endpoint can be asked now (what
 * was signed is sent in any case). What it gives is under way then, until its
 * outcome is reported. Returns false when there is nothing to do.
 */
bool pending_next(
	struct pending_set *set, uint64_t now, bool reachable, struct action *out);

/* After ACTION_FORGET was done. */
void pending_forget(struct pending_set *set, struct pending *b);

/* When to call pending_next() again if nothing happens: ms, UINT64_MAX never. */
uint64_t pending_due(const struct pending_set *set, uint64_t now);

/* --- for pending*.c --- */

/* The wait after so many failures in a row: doubled each time, +- 25 %. */
uint64_t pending_backoff(unsigned failures, uint32_t jitter);

/* Say a trouble once, until it is over. */
void pending_trouble(struct pending_set *set, enum trouble kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void pending_healthy(struct pending_set *set, enum trouble kind, const char *text);
/* Say it once, as no trouble. */
void pending_notice(struct pending_set *set, enum trouble kind, const char *text);

/*
 * It does not fit a block, or may not: FATE_TOO_LARGE. Of one word that is
 * FATE_FAILED.
 */
void pending_too_large(struct pending_set *set, struct pending *b);

/* Whether a batch of its size may need more gas than a block holds. */
bool pending_outsized(const struct pending_set *set, const struct pending *b);

/*
 * Its nonce brings it no more: signed anew, later when that was done too often
 * of late. A filler has reached its aim.
 */
void pending_anew(struct pending_set *set, struct pending *b, uint64_t now);

/* The head, with the base fee that is believed. */
struct header pending_believed(const struct pending_set *set);

/* It has its fate (refusal and error set by the caller). */
void pending_end(struct pending_set *set, struct pending *b, enum fate fate);

/* The last offer; NULL when nothing was signed. */
struct offer *pending_offer(const struct pending *b);

/* Whether b is to be signed now, but for what of the chain must be known. */
bool pending_wants_signing(const struct pending *b);

/* Whether signing needs to know what the chain asks. */
bool pending_wants_quotes(const struct pending_set *set, const struct pending *b);

/*
 * What to sign for b. Returns false when there is nothing to sign after all:
 * the fee is too high (a trouble then), there is nothing to raise, the same
 * was signed before (it is sent again then).
 */
bool pending_fill(
	struct pending_set *set, struct pending *b, struct transaction *t, uint64_t now);

/* Make room for one more offer. Returns 0 or -1. */
int pending_reserve(struct pending *b);

/* Make a paying offer of the same nonce the one that is sent. 0, -1: none. */
int pending_prefer_paying(struct pending *b);

/*
 * Its offer without fees was taken and is not mined: offer fees again, now and
 * for what follows.
 */
void pending_pay(struct pending_set *set, struct pending *b);

/*
 * A settled batch whose rows are to be forgotten, or NULL; frees what ended
 * otherwise.
 */
struct pending *pending_outdated(struct pending_set *set);

/* Look for nonces that nobody holds; after each pending_count(). */
void pending_find_gap(struct pending_set *set);

/* The next nonce to sign. False: a gap may be there, wait. */
bool pending_next_nonce(const struct pending_set *set, uint64_t *nonce);

/*
 * A gap that nobody comes to take, and batches that wait behind it: add a
 * filler, or let a batch that stands too far behind be signed anew.
 */
void pending_fill_gap(struct pending_set *set, uint64_t now);

/* A filler's hash, in the place of its batch's: of the sender and the nonce. */
void pending_filler_hash(
	uint8_t hash[HASH_SIZE], const uint8_t sender[ADDRESS20], uint64_t nonce);

/* A filler at the end of the list; NULL when memory is short. */
struct pending *pending_add_filler(struct pending_set *set, uint64_t nonce);

#endif
