/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HTTP_CLIENT_H
#define BASE_HTTP_CLIENT_H

#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/http_peer.h"

/*
 * POSTs JSON over HTTP(S): libcurl's multi interface on a libuv loop, keep-alive. At
 * most `parallel` requests are on their way; more wait in order. No callback but that
 * of a cancelled request runs inside a call of the owner.
 */
struct http_client;

/*
 * Once, before the process gives up rights: libcurl, OpenSSL's configuration
 * and the name service's are read (http_client_open() does it when it was forgotten).
 * Returns 0, or -1 with a text.
 *
 * What a process still needs afterwards, for as long as it makes connections:
 *   sockets  AF_INET and AF_INET6 (stream; datagram too, connected but never
 *            written to, to order addresses; to the name servers), AF_UNIX
 *            (socketpair; nscd's socket, whose absence is no error), AF_NETLINK
 *            (getaddrinfo() lists this host's addresses), SO_ERROR and TCP
 *            options, getpeername(), getsockname()
 *   threads  one for each look-up of a name: clone3() or clone() with
 *            CLONE_THREAD, set_robust_list(), rseq(), mmap() of its stack,
 *            mprotect(), madvise(), sched_getaffinity(), futex(), its signal
 *            mask. An address instead of a name (127.0.0.1, [::1], and localhost)
 *            takes none, nor a file of a name service.
 *   files    for names, read only: /etc/hosts, /etc/resolv.conf, /etc/gai.conf,
 *            /etc/nsswitch.conf, /etc/host.conf and the modules that this
 *            names; for TLS: http_ca_bundle() or the peer's ca_file, read again
 *            once a day and for each WebSocket; /dev/urandom once (libcurl does
 *            without it)
 *   others   getrandom(), clock_gettime(), poll(), epoll's calls
 */
int http_client_init(struct error *err);

/* The system's authorities as a file or folder, or NULL when there are none. */
const char *http_ca_bundle(void);

enum http_end {
	HTTP_ANSWERED = 1,  /* status, retry_s and body are there */
	HTTP_TOO_LARGE = 2, /* the same, but of the body only its first part */
	HTTP_TIMEOUT = 3,
	HTTP_GARBAGE = 4,   /* what answers is no HTTP server: text */
	HTTP_FAILED = 5,    /* no connection, TLS, reply cut: text */
	HTTP_STOPPED = 6,   /* chunk said so */
	HTTP_UNSENT = 7,    /* prepare failed; text is its */
	HTTP_CANCELLED = 8, /* by the owner, or with the client's closing */
};

/* Borrowed for the callback. */
struct http_answer {
	enum http_end end;
	unsigned status;   /* 0: none came */
	uint32_t retry_s;  /* Retry-After (RFC 9110 section 10.2.3), an hour at most; 0 */
	uint64_t received; /* bytes of the body, decompressed */
	struct view body;  /* what was gathered of it */
	/*
	 * One sentence. When it is libcurl's own it may repeat parts of the URL, and
	 * what a peer wrote: redact and escape it.
	 */
	const char *text;
	bool own_words;
};

/*
 * Whom to ask, when the request's turn has come: http_peer_options() or the like for
 * easy, and header lines added to *list (which is never empty; NULL when memory was
 * short). Returns 0, or -1 with a text.
 */
typedef int http_prepare_fn(
	void *context, CURL *easy, struct curl_slist **list, struct error *err);

/* A part of the body of a 200. Return false to stop. */
typedef bool http_chunk_fn(void *context, struct view chunk);

/*
 * Once for each request, and the last that is heard of it, HTTP_CANCELLED inside
 * http_cancel() or http_client_close() too: there it may only free its context.
 */
typedef void http_ended_fn(void *context, const struct http_answer *answer);

struct http_request {
	char *body; /* made with malloc(): taken over, and wiped by nobody */
	size_t n;
	/*
	 * From the asking to the end; with chunk from the last byte that came (at first:
	 * from when it is on its way).
	 */
	unsigned timeout_ms;
	size_t gather_max;   /* bytes of the body that are kept, more: HTTP_TOO_LARGE */
	uint64_t stream_max; /* bytes that chunk is given, the same */
	const char
		*ca_file; /* prepare's, for the texts of failures; borrowed to the end */
	http_prepare_fn *prepare;
	http_chunk_fn *chunk; /* NULL: the body is gathered, as is that of an error */
	http_ended_fn *ended;
	void *context;
};

/* NULL with a text. */
struct http_client *http_client_open(
	uv_loop_t *loop, unsigned parallel, struct error *err);

/*
 * Ask. Returns the request's number; 0 when memory is short or the client closes (then
 * ended is not called, and the body is freed).
 */
uint64_t http_post(struct http_client *h, const struct http_request *request);

/* The number that the next request will have. */
uint64_t http_client_next(const struct http_client *h);

/* Forget a request. 0, or a number that has ended, is nothing. */
void http_cancel(struct http_client *h, uint64_t number);

/*
 * Cancels all; frees when its handles have closed on the loop, after closed (may be
 * NULL). Until then it may still be asked, which does nothing. NULL is nothing (closed
 * is not called).
 */
void http_client_close(
	struct http_client *h, void (*closed)(void *context), void *context);

#endif
