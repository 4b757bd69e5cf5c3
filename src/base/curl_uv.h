/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CURL_UV_H
#define BASE_CURL_UV_H

#include <curl/curl.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * libcurl's multi interface driven by a libuv loop: its sockets are polled and
 * its timer is kept (CURLMOPT_SOCKETFUNCTION, CURLMOPT_TIMERFUNCTION).
 */
struct curl_uv_callbacks {
	void *context;
	/* The loop has called us; the transfers' own callbacks come between. */
	void (*enter)(void *context);
	/* A transfer has ended; its handle may be removed. Between the two. */
	void (*ended)(void *context, CURL *easy, CURLcode code);
	void (*leave)(void *context);
	/* The last handle has closed after curl_uv_close(). */
	void (*closed)(void *context);
};

struct curl_uv {
	uv_loop_t *loop;
	CURLM *multi;
	struct curl_uv_callbacks callbacks;
	uv_timer_t timer;
	unsigned handles; /* that have not closed yet */
	bool inside;      /* in libcurl: handles must not be added or removed */
};

/* Returns 0, or -1 with a text. */
int curl_uv_open(struct curl_uv *c, uv_loop_t *loop,
	const struct curl_uv_callbacks *callbacks, struct error *err);

/* All easy handles have been removed; not inside libcurl. Ends connections. */
void curl_uv_close(struct curl_uv *c);

#endif
