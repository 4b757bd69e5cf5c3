/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_SERVER_H
#define API_HTTP_SERVER_H

#include <sys/types.h>
#include <uv.h>

#include "api/http_accept.h"
#include "api/http_target.h"
#include "indicator/address.h"

/*
 * HTTP/1.1 in the loop of its owner, by libmicrohttpd without a thread: sockets are
 * accepted here and given to it, its epoll descriptor is polled by libuv. What it
 * leaves open is bounded here: how many connections there are, how long a request
 * may take to arrive and an answer to leave, how large a body is.
 *
 * When there are too many connections the one goes whose request has been awaited
 * longest; an answer is never cut off for a newcomer.
 */
#define HTTP_BODY_MAX (512U << 10)
#define HTTP_HEAD_MAX 8192 /* bytes of a request's head, about */
#define HTTP_RECEIVE_SECONDS                                                             \
	15 /* from the connection, or the last answer, to a request */
#define HTTP_RESPOND_SECONDS 60
#define HTTP_BEAT_SECONDS    15 /* a stream that has nothing to say says so */
#define HTTP_STREAMS_MAX     64

struct http_server;
struct http_exchange;

struct http_listener {
	int fd;       /* bound and listening, not blocking; the server closes it */
	bool local;   /* a Unix socket */
	gid_t group;  /* ... whose members may change things; (gid_t)-1: none */
	bool trusted; /* only this machine can reach it */
	bool tls;
};

/*
 * head is called when a request's head is known: true to go on; false when it has
 * answered already (the body, if any, is not read then). request is called with the
 * whole body, and answers.
 */
struct http_hooks {
	void *context;
	bool (*head)(void *context, struct http_exchange *x);
	void (*request)(void *context, struct http_exchange *x);
};

/* connections: the most at once. NULL with a text. */
struct http_server *http_server_new(uv_loop_t *loop, unsigned connections,
	const struct http_hooks *hooks, struct error *err);

/*
 * Be able to speak TLS, with these PEM texts; before a listener with tls is given, and
 * once. 0, or -1 with a text.
 */
int http_server_tls(struct http_server *s, const char *certificate, const char *key,
	struct error *err);

/* One more listener. 0; or -1 with a text, its descriptor is closed then. */
int http_server_listen(
	struct http_server *s, const struct http_listener *listener, struct error *err);

/* Ends every connection; memory goes when the loop has closed its handles. */
void http_server_close(struct http_server *s);

/* Streams have something to say: their read functions are called soon. */
void http_server_wake(struct http_server *s);

/* End the connections of those streams (by their contexts) that ends() says so of. */
void http_server_cut_streams(struct http_server *s,
	bool (*ends)(const void *context, const void *stream), const void *context);

struct http_figures {
	uint64_t requests, refused; /* answered at all; with 4xx or 5xx */
	uint64_t cut;               /* connections ended for their slowness */
	uint64_t evicted;           /* ... because there were too many */
	unsigned connections, streams;
};

/* Zeros for NULL. */
void http_server_figures(const struct http_server *s, struct http_figures *out);

/* --- a request; what is given out is valid until it has been answered --- */

const char *http_method(const struct http_exchange *x);
const struct http_target *http_request_target(const struct http_exchange *x);
/* The text of a header's first line, p == NULL when there is none. */
struct view http_request_header(const struct http_exchange *x, const char *name);
struct view http_request_body(const struct http_exchange *x);
bool http_from_trusted(const struct http_exchange *x);
/* Through a Unix socket: who it is, and whether he may change things (control_peer()). */
bool http_from_local(const struct http_exchange *x, uid_t *uid, bool *may_change);
/* HTTP_OWN bytes for the hooks, zero at first. */
#define HTTP_OWN 48
void *http_request_own(struct http_exchange *x);

/* --- the answer, once --- */

/* A header of the answer to come; name and value must stay until then. */
void http_put_header(struct http_exchange *x, const char *name, const char *value);
/* body is copied; type is one of few texts that stay. */
void http_answer(
	struct http_exchange *x, unsigned status, const char *type, struct view body);

/*
 * An answer that is made while it is sent: read gives up to max bytes, 0 for nothing
 * now (it is asked again after http_server_wake(), and from time to time), or one of
 * those below. After 0 a comment is sent when nothing was for HTTP_BEAT_SECONDS. end:
 * the client or the server is gone, or all was given; the context is not used any more.
 *
 * finite: it comes to its end by itself, and never gives 0. Nobody follows it: it is
 * neither counted among the streams nor ended with them.
 */
#define HTTP_STREAM_END    (-1)
#define HTTP_STREAM_BROKEN (-2) /* the client is to see that it is not whole */
struct http_stream {
	void *context;
	ssize_t (*read)(void *context, char *dst, size_t max);
	void (*end)(void *context);
	bool finite;
};

/*
 * Returns 0; -1: there are HTTP_STREAMS_MAX, and nothing has been answered. A HEAD is
 * answered at once, and end has been called.
 */
int http_answer_stream(
	struct http_exchange *x, const char *type, const struct http_stream *stream);

#endif
