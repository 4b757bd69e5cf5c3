/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HTTP_CLIENT_STATE_H
#define BASE_HTTP_CLIENT_STATE_H

#include "base/curl_uv.h"
#include "base/http_client.h"

/* What http_client.c (the requests) and http_transfer.c (libcurl) share. */

struct http_call {
	struct http_client *client;
	struct http_call *next;
	uint64_t number;
	struct http_request request;
	CURL *easy; /* NULL while it waits for its turn */
	struct curl_slist *headers;
	struct buffer body;
	uint64_t received; /* bytes, decompressed */
	uint64_t deadline; /* http_now(); 0: none yet */
	bool late;         /* the deadline was put off once, see http_client.c */
	bool told;         /* ended() was called */
	bool stopped;      /* chunk said so */
	bool too_large;
	char detail[CURL_ERROR_SIZE];
};

struct http_client {
	uv_loop_t *loop;
	struct curl_uv curl;
	struct http_call *calls; /* in the order of their asking */
	uint64_t next;
	unsigned parallel;
	unsigned running; /* calls with an easy handle */
	unsigned depth;   /* > 0: inside a callback of the loop */
	bool closing;
	void (*closed)(void *context);
	void *closed_context;
	unsigned open;         /* curl and work_timer that have not closed yet */
	uv_timer_t work_timer; /* what is to be started or is overdue */
};

/* Milliseconds of CLOCK_MONOTONIC, never 0. */
uint64_t http_now(void);

/* --- http_transfer.c --- */

/* Put the call on its way. Returns 0, or -1 with a text. */
int http_transfer_start(struct http_call *c, struct error *err);

/* Take it off, at whatever point it is; not inside libcurl. */
void http_transfer_stop(struct http_call *c);

/* What libcurl knows of an answer's head. */
void http_transfer_head(const struct http_call *c, struct http_answer *out);

#endif
