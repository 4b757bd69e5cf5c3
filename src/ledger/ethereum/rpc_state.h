/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_RPC_STATE_H
#define LEDGER_ETHEREUM_RPC_STATE_H

#include "ledger/ethereum/curl_uv.h"
#include "ledger/ethereum/rpc.h"

/* What rpc.c (the calls) and rpc_curl.c (libcurl on libuv) share. */

struct call {
	struct rpc *rpc;
	struct call *next;
	uint64_t number;
	char *request; /* the body; NULL once ended */
	CURL *easy;    /* NULL while it waits for its turn */
	struct curl_slist *headers;
	rpc_chunk_fn *chunk; /* NULL: the reply is gathered in body */
	rpc_reply_fn *reply;
	void *context;
	struct buffer body;
	uint64_t received; /* bytes, decompressed */
	unsigned timeout_ms;
	uint64_t deadline; /* rpc_now(); 0: none yet */
	bool late;         /* the deadline was put off once, see rpc.c */
	bool cancelled;
	bool stopped;   /* chunk said so */
	bool too_large; /* over the limit for what it is */
	char detail[CURL_ERROR_SIZE];
};

struct rpc {
	uv_loop_t *loop;
	const struct endpoint *endpoint;
	struct curl_uv curl;
	struct call *calls; /* in the order of their asking */
	uint64_t next;
	unsigned running; /* calls with an easy handle */
	unsigned depth;   /* > 0: inside a callback of the loop */
	bool closing;
	unsigned open;         /* curl and work_timer that have not closed yet */
	uv_timer_t work_timer; /* what is to be started or is overdue */
};

/* Milliseconds of CLOCK_MONOTONIC, never 0. */
uint64_t rpc_now(void);

/* --- rpc_curl.c --- */

/* Put the call on its way. Returns 0, or -1 with a text. */
int rpc_curl_start(struct call *c, struct error *err);

/* Take it off, at whatever point it is; not inside libcurl. */
void rpc_curl_stop(struct call *c);

#endif
