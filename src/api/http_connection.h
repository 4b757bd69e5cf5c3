/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_CONNECTION_H
#define API_HTTP_CONNECTION_H

#include "api/http_library.h"
#include "api/http_server.h"
#include "base/buffer.h"

/* What http_server.c and http_exchange.c share. */
#define HTTP_HEADERS_MAX 8
#define HTTP_KEPT        64
#define HTTP_KEPT_TEXT   160

enum http_state {
	HTTP_RECEIVING, /* a request is awaited, or on its way */
	HTTP_RESPONDING,
	HTTP_STREAMING,
	HTTP_SUSPENDED, /* streaming, with nothing to say */
	HTTP_CUT,       /* shut down; libmicrohttpd will notice */
};

struct http_exchange {
	struct http_connection *of;
	struct MHD_Connection *mhd;
	const char *method;
	struct http_target target;
	int bad_target; /* the status that its text deserves, or 0 */
	struct error fault;
	bool heard; /* of; nothing was done yet, for there is no body */
	bool begun, answered, large;
	enum MHD_Result result; /* of queueing the answer */
	size_t arrived;         /* of the body, kept or not */
	struct buffer body;
	struct {
		const char *name, *value;
	} headers[HTTP_HEADERS_MAX];
	unsigned header_count;
	_Alignas(16) uint8_t own[HTTP_OWN];
};

/* One connection; it has one request at a time. */
struct http_connection {
	struct http_server *server;
	struct http_connection *next, *previous;
	struct MHD_Connection *mhd;
	int fd;
	bool local, trusted, may_change;
	uid_t uid;
	enum http_state state;
	uint64_t
		since; /* milliseconds of the loop: when it came to this state, or moved */
	bool beat;     /* a stream is to say that it lives */
	struct http_stream stream;
	struct http_exchange exchange;
};

struct http_server {
	uv_loop_t *loop;
	struct http_hooks hooks;
	struct http_figures figures;
	unsigned most;
	struct http_daemon {
		struct http_server *server;
		struct MHD_Daemon *mhd;
		uv_poll_t poll;
	} daemons[2]; /* plain, TLS */
	struct http_door {
		struct http_door *next;
		struct http_server *server;
		struct http_listener listener;
		uv_poll_t poll;
		bool shut; /* no descriptor was left: looked at again in a second */
	} * doors;
	struct http_connection *connections; /* newest first */
	/* Answers that were given, by their text: the next like one is made of nothing. */
	struct http_kept {
		struct MHD_Response *response; /* NULL: none */
		const char *type;
		size_t n;
		uint8_t text[HTTP_KEPT_TEXT];
	} kept[HTTP_KEPT];
	struct http_door *entering; /* whose connection is being added */
	uid_t entering_uid;
	bool entering_may_change;
	uv_timer_t due, again;
	unsigned handles; /* open */
	bool closing;
};

/* libmicrohttpd's callbacks about requests; http_exchange.c */
void *http_on_target(
	void *context, const char *uri, struct MHD_Connection *mhd_connection);
enum MHD_Result http_on_request(void *context, struct MHD_Connection *mhd_connection,
	const char *url, const char *method, const char *version, const char *data,
	size_t *size, void **of);
void http_on_completed(void *context, struct MHD_Connection *mhd_connection, void **of,
	enum MHD_RequestTerminationCode code);

/* A connection comes to a state, now. */
void http_become(struct http_connection *c, enum http_state state);

#endif
