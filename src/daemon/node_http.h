/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_HTTP_H
#define DAEMON_NODE_HTTP_H

#include "api/http_server.h"
#include "api/http_token.h"
#include "daemon/node.h"

/*
 * The HTTP API of role node: what node_http*.c share. docs/openapi.json describes it.
 * What cannot be opened (a port that is taken, a token's file) is trouble, in the log
 * and in `status`, and the rest goes on.
 */
#define NODE_HTTP_TROUBLE 400

struct node_http {
	struct node *node;
	struct http_server *server; /* NULL: not even that can be had */
	uv_timer_t again;
	gid_t group; /* that may change things through a Unix socket; (gid_t)-1: none */
	uint32_t tokens_read; /* how often any was */
	/* By their number in the configuration; rights 0: not in force. */
	struct http_token tokens[HTTP_TOKENS_MAX];
	bool listening[CONFIG_API_LISTEN_MAX], tls;
	uint8_t certificate[KECCAK_SIZE]; /* its file's hash, when it was read */
	/* What is wrong; "": nothing. */
	struct node_http_trouble {
		char server[NODE_HTTP_TROUBLE], tls[NODE_HTTP_TROUBLE];
		char token[HTTP_TOKENS_MAX][NODE_HTTP_TROUBLE];
		char listen[CONFIG_API_LISTEN_MAX][NODE_HTTP_TROUBLE];
	} trouble;
};

/* What is known of a request once it is let in; kept in http_request_own(). */
struct node_call {
	const struct node_route *route;
	struct http_token *token; /* NULL: by the socket that it came through */
	uint32_t tokens_read;     /* when that was found out */
	uid_t uid;                /* without a token; (uid_t)-1 over TCP */
	enum http_media media;    /* of the answer */
};

/* node_http_open.c: all that is wrong, as texts. */
json_t *node_http_trouble(const struct node *n);

/* node_http.c; the context is the node. */
extern const struct http_hooks node_http_hooks;

typedef void node_route_fn(
	struct node *n, struct http_exchange *x, const struct node_call *call);

/* node_http_check.c */
node_route_fn node_http_check;
/* node_http_page.c */
node_route_fn node_http_indicators;
/* node_http_list.c */
node_route_fn node_http_status, node_http_metrics, node_http_events;
/* End the streams of whom no token in force lets in any more. */
void node_http_end_revoked(struct node *n);
/* node_http_report.c */
node_route_fn node_http_reports, node_http_report;

/* --- answers --- */

/* Takes over body. */
void node_http_json(struct http_exchange *x, unsigned status, json_t *body);

/*
 * {"error": text, "field": field} or, to who asked for text, "error: text". field may
 * be NULL.
 */
void node_http_refuse(struct http_exchange *x, const struct node_call *call,
	unsigned status, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
