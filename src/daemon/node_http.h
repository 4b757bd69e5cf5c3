/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_HTTP_H
#define DAEMON_NODE_HTTP_H

#include "api/http_server.h"
#include "api/http_token.h"
#include "daemon/node.h"

/* The HTTP API of role node: what node_http*.c share. docs/openapi.json describes it. */
struct node_http {
	struct http_server *server;
	struct http_token tokens[HTTP_TOKENS_MAX];
	size_t token_count;
};

/* What is known of a request once it is let in; kept in http_request_own(). */
struct node_call {
	const struct node_route *route;
	struct http_token *token; /* NULL: by the socket that it came through */
	uid_t uid;                /* without a token; (uid_t)-1 over TCP */
	enum http_media media;    /* of the answer */
};

typedef void node_route_fn(
	struct node *n, struct http_exchange *x, const struct node_call *call);

/* node_http_check.c */
node_route_fn node_http_check;
/* node_http_list.c */
node_route_fn node_http_indicators, node_http_status, node_http_metrics, node_http_events;
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
