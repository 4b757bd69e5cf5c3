/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_SESSION_STATE_H
#define LEDGER_ETHEREUM_SESSION_STATE_H

#include "base/clock.h"
#include "ledger/ethereum/rpc.h"
#include "ledger/ethereum/session.h"

/* What the files of the session share; nobody else includes this. */
struct session {
	struct ethereum_settings settings;
	uv_loop_t loop;
	uv_timer_t timer;
	struct rpc *rpc[ENDPOINTS_MAX]; /* opened when first needed */
	size_t at;                      /* the endpoint that is spoken to */
	struct header head;             /* at opening ... */
	usec opened;                    /* ... which was then; monotonic */
	struct reading *reading;
	bool has_contract;
};

/*
 * session_ask() that returns enough_ms after the first answer, without those
 * that have not answered by then (their why is SESSION_UNREACHABLE). 0: wait
 * for all.
 */
void session_ask_some(
	struct session *s, struct question *q, size_t n, unsigned enough_ms);

/* Check whatever opening left out, before more is believed. 0 or -1. */
int session_check_all(struct session *s, struct session_failure *why);

/* The endpoint's connection, opened now if need be. NULL with *why. */
struct rpc *session_rpc(struct session *s, size_t i, struct session_failure *why);

/* Let time pass. */
void session_sleep(struct session *s, unsigned ms);

/* A view's question, and its answer into the view: 0 or -1 with *why. */
void view_ask(struct session *s, const char *block, const struct session_view *view,
	struct question *q);
int view_take(struct session *s, struct session_view *view, const struct question *q,
	struct session_failure *why);

/* {"to": contract (unless creates), "from": from (unless NULL), "data": ...} */
json_t *session_call_object(
	const struct session *s, struct view data, bool creates, const uint8_t *from);

/* "0x..." of bytes; a new reference or NULL. */
json_t *hex_json(struct view bytes);

/* The bytes of a "0x..." string, appended to out. 0 or -1. */
int hex_bytes(struct buffer *out, const json_t *value);

#endif
