/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_SESSION_H
#define LEDGER_ETHEREUM_SESSION_H

#include <jansson.h>

#include "ledger/ethereum/header.h"
#include "ledger/ethereum/settings.h"
#include "ledger/reading.h"
#include "ledger/signer.h"

/*
 * One command's dealings with the chain, blocking: an own loop, the first
 * endpoint that answers and is our ledger. For the command line; the daemon
 * uses ethereum.h. What is asked together goes out together, on connections
 * that stay open, so that a command costs few round trips.
 */
struct session;

/* What VERSION() of a contract says that we can speak to. */
#define CONTRACT_VERSION 1

/* Why something did not go: the command line gives each its own exit code. */
enum session_fault {
	SESSION_OK = 0,
	SESSION_UNREACHABLE,  /* no endpoint answers */
	SESSION_UNAUTHORISED, /* an endpoint refuses our key for it */
	SESSION_CERTIFICATE,  /* TLS: expired, wrong name, unknown CA */
	SESSION_PROXY,        /* the configured proxy does not let us through */
	SESSION_NOT_RPC, /* something answers, but no JSON-RPC: a web page, a portal */
	SESSION_WRONG_CHAIN, /* chain id or genesis differ from the pinned */
	SESSION_NO_CODE,     /* no contract at the address */
	SESSION_WRONG_CODE,  /* a contract, but not ours, or another version */
	SESSION_REFUSED,     /* a rule of the ledger: refusal */
	SESSION_NO_FUNDS,    /* the purse is empty */
	SESSION_FEE,         /* the chain asks more than max_fee */
	SESSION_NOT_MINED,   /* no block took it in time: it may still come */
	SESSION_LIED,        /* what the endpoint says does not verify */
	SESSION_FAILED,      /* anything else: error */
};

struct session_failure {
	enum session_fault fault;
	struct refusal refusal; /* SESSION_REFUSED */
	struct error error;     /* one line, with its remedy, in every case */
};

struct session_view;

/*
 * Reach an endpoint and compare the pins (those that are not zero). Without a
 * pinned code hash the code must be that of our own build, with one it must be
 * the pinned and say the version we speak. A contract of all zeros: none is
 * there yet, nothing of it is asked. Endpoints that cannot be used are passed
 * over while there is another; *why is the first fault that is more than
 * silence. NULL with *why. The settings are copied.
 *
 * For a command that is to be quick, views[n] (n <= 8, calls filled in) are
 * asked in the same round trip and the code, which is long, only when one of
 * them has no result: then *why says what stands at the address instead. What
 * is signed after that is bound to chain id and address all the same.
 */
struct session *session_open(
	const struct ethereum_settings *s, struct session_failure *why);
struct session *session_open_views(const struct ethereum_settings *s,
	struct session_view *views, size_t n, struct session_failure *why);
void session_close(struct session *s);

/* The settings, with chain id, genesis and code hash as they were found. */
const struct ethereum_settings *session_settings(const struct session *s);

/* The name of the endpoint that is spoken to; the chain's head, as last asked. */
const char *session_endpoint(const struct session *s);
const struct header *session_head(const struct session *s);

/*
 * Is the contract's code ours? What session_open() sees to, for who opened with
 * views and cannot make sense of them. 0 or -1 with *why.
 */
int session_check_code(struct session *s, struct session_failure *why);

/* --- asking --- */

/* One question of several: the answer is a new reference, or NULL with why. */
struct question {
	const char *method; /* NULL: this one is left out */
	json_t *params;     /* taken over */
	size_t endpoint;    /* 0: the one that is spoken to; else 1 + its index */
	/* out */
	json_t *answer;
	struct session_failure why;
	bool no_method; /* the engine does not serve it */
};

/*
 * Ask them all at once; each has its answer or its why. A rate limit is waited
 * for, up to a few seconds.
 */
void session_ask(struct session *s, struct question *q, size_t n);

/* Drop the answers. */
void questions_free(struct question *q, size_t n);

/* One call. A new reference, or NULL with *why (a revert is decoded). */
json_t *session_call(struct session *s, const char *method, json_t *params,
	struct session_failure *why);

/* A view of the contract: the call data, and what came back. */
struct session_view {
	struct buffer call;   /* fill it; freed by views_free() */
	struct buffer result; /* the bytes */
};

/*
 * Ask for n views at once, n <= 16, as of a block (a quantity, or NULL: the
 * head). 0, or -1 with the first failure.
 */
int session_views(struct session *s, const char *block, struct session_view *views,
	size_t n, struct session_failure *why);
void views_free(struct session_view *views, size_t n);

/* --- reading --- */

/*
 * Read and verify the ledger's events (whole: from its creation; else what can
 * still be live at now) with all endpoints of the settings: one is followed,
 * the others are its witnesses. event (may be NULL) sees each. 0 or -1.
 */
typedef void session_event_fn(void *context, const struct ledger_event *event);
int session_read(struct session *s, bool whole, uint32_t now, session_event_fn *event,
	void *context, struct session_failure *why);
/* After session_read(); the session's. */
const struct reading *session_reading(const struct session *s);

/* --- writing --- */

/* What a transaction would cost, before it is signed. */
struct session_cost {
	uint64_t gas;        /* estimate with its margin */
	uint64_t fee;        /* wei a gas offered at most */
	uint8_t balance[32]; /* wei, big-endian */
	char text[128];      /* "at most 0.000123 coins (2,345,678 gas at 50 gwei)" */
	char purse[96];      /* the balance in coins: "1.25" */
};

struct session_receipt {
	uint8_t transaction[HASH_SIZE];
	uint64_t block; /* 0: not waited for */
	uint64_t gas_used;
	uint8_t contract[ADDRESS20]; /* of a creation */
	/* The operation that it made, when it was waited for. */
	bool operated;
	uint8_t type; /* enum operation_type */
	uint64_t seq;
	uint32_t time;
};

/*
 * data to the contract (creates: a creation): preflight, estimate, and, unless
 * dry, sign, send to every endpoint and wait for the block (at most wait_ms; 0:
 * do not wait). *cost is filled as soon as it is known, also when the purse
 * does not cover it; before (may be NULL) is asked then whether to go on, and
 * "no" is -1 with SESSION_OK. Returns 0, or -1 with *why; SESSION_NOT_MINED
 * leaves the transaction's hash in *receipt.
 */
typedef bool session_before_fn(void *context, const struct session_cost *cost);
int session_transact(struct session *s, struct view data, bool creates,
	const struct signer *signer, bool dry, unsigned wait_ms,
	session_before_fn *before, void *context, struct session_cost *cost,
	struct session_receipt *receipt, struct session_failure *why);

/*
 * Wait for a transaction's receipt; receipt->transaction names it. 0 or -1 (a
 * transaction that is in a block but reverted is SESSION_FAILED).
 */
int session_receipt(struct session *s, unsigned wait_ms, struct session_receipt *receipt,
	struct session_failure *why);

/* An account's balance in wei, big-endian. 0 or -1 with *why. */
int session_balance(struct session *s, const uint8_t address[ADDRESS20], uint8_t wei[32],
	struct session_failure *why);

/*
 * What a gas costs now in wei, as the endpoints say (of several the lower one in
 * the middle): the price, or the base fee and the priority fee. Returns 0, or -1
 * when none of them tells.
 */
int session_price(struct session *s, uint64_t *wei);

/* wei in coins (10^18), without trailing zeros, cut to 18 digits: "0.000123". */
#define COINS_TEXT 96
char *coins_print(char dst[COINS_TEXT], const uint8_t wei[32]);

/* Fill *why and return -1. */
int session_fail(struct session_failure *why, enum session_fault fault, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));

#endif
