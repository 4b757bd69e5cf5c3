/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP API: routes, who may, what is refused before it is looked at. */
#include "daemon/node_http.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "store/audit.h"

_Static_assert(sizeof(struct node_call) <= HTTP_OWN, "a call fits");

static const char *const no_parameters[] = {NULL};
static const char *const check_parameters[] = {"number", "ip", "uri", NULL};
static const char *const page_parameters[] = {"kind", "category", "after", "limit", NULL};
static const char *const event_parameters[] = {"since", "type", NULL};

/* A path that ends in '/' stands for whatever follows it. */
static const struct node_route {
	const char *path, *method;
	enum http_right right;
	unsigned medias; /* what it can answer in: enum http_media */
	const char *const *parameters;
	node_route_fn *run;
} routes[] = {
	{"/v1/check", "GET", HTTP_READ, HTTP_JSON | HTTP_TEXT, check_parameters,
		node_http_check},
	{"/v1/reports", "POST", HTTP_REPORT, HTTP_JSON, no_parameters, node_http_reports},
	{"/v1/reports/", "GET", HTTP_READ, HTTP_JSON, no_parameters, node_http_report},
	{"/v1/indicators", "GET", HTTP_READ, HTTP_JSON, page_parameters,
		node_http_indicators},
	{"/v1/events", "GET", HTTP_READ, HTTP_EVENTS, event_parameters, node_http_events},
	{"/v1/status", "GET", HTTP_READ, HTTP_JSON, no_parameters, node_http_status},
	{"/metrics", "GET", HTTP_READ, HTTP_TEXT, no_parameters, node_http_metrics},
};

#define ROUTES (sizeof routes / sizeof routes[0])

/* --- answers --- */

void node_http_json(struct http_exchange *x, unsigned status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	struct buffer out = {0};

	json_decref(body);
	if (text)
		buffer_printf(&out, "%s\n", text);
	free(text);
	if (out.n && !out.failed)
		http_answer(x, status, "application/json", view_of(out.p, out.n));
	else
		http_answer(x, MHD_HTTP_SERVICE_UNAVAILABLE, "application/json",
			view_str("{\"error\":\"out of memory\"}\n"));
	buffer_free(&out);
}

void node_http_refuse(struct http_exchange *x, const struct node_call *call,
	unsigned status, const char *field, const char *fmt, ...)
{
	char text[500], line[520];
	va_list ap;
	json_t *body;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (call->media == HTTP_TEXT) {
		snprintf(line, sizeof line, "error: %s\n", text);
		http_answer(x, status, http_media_name(HTTP_TEXT), view_str(line));
		return;
	}
	body = json_pack("{s:s}", "error", text);
	if (field)
		json_object_set_new(body, "field", json_string(field));
	node_http_json(x, status, body);
}

/* --- who may --- */

/*
 * Whether the request names this machine as its host. A page from elsewhere that a
 * browser of this machine shows can reach a loopback address by a name of its own,
 * but cannot hide that name.
 */
static bool names_this_machine(const struct http_exchange *x)
{
	struct view host = http_request_header(x, MHD_HTTP_HEADER_HOST);
	struct address a;
	uint16_t port;

	if (http_request_header(x, MHD_HTTP_HEADER_ORIGIN).p)
		return false;
	if (view_eq_nocase(view_head(host, view_find(host, ':')), "localhost"))
		return true;
	return !address_port_parse(&a, &port, host, 80, NULL);
}

/* Without a token: what the socket allows. Returns the rights. */
static unsigned rights_of_socket(
	struct node *n, const struct http_exchange *x, struct node_call *call)
{
	unsigned read = n->config->api.anonymous ? HTTP_READ : 0;
	bool may_change;

	/* The whole world comes from this machine then, as the user that the proxy is. */
	if (n->config->api.behind_proxy)
		return 0;
	if (http_from_local(x, &call->uid, &may_change))
		return may_change ? HTTP_READ | HTTP_REPORT : read;
	return http_from_trusted(x) && names_this_machine(x) ? read : 0;
}

/* Returns whether the request may go on; it has been answered otherwise. */
static bool authorise(struct node *n, struct http_exchange *x, struct node_call *call)
{
	struct view header = http_request_header(x, MHD_HTTP_HEADER_AUTHORIZATION);
	struct view secret = http_bearer(header);
	unsigned rights;

	call->uid = AUDIT_NODE;
	call->tokens_read = n->http->tokens_read;
	if (header.p) {
		call->token = secret.n && secret.n <= HTTP_SECRET_MAX ?
			http_token_find(n->http->tokens, HTTP_TOKENS_MAX, secret) :
			NULL;
		rights = call->token ? call->token->rights : 0;
	} else {
		rights = rights_of_socket(n, x, call);
	}
	if (rights & call->route->right)
		return true;
	if (rights && (call->token || call->uid != AUDIT_NODE)) {
		node_http_refuse(x, call, MHD_HTTP_FORBIDDEN, NULL,
			call->token ?
				"this token may not %s" :
				"who reports is root, the daemon's user or in [node] "
				"control_group, or has a token that may %s",
			call->route->right == HTTP_REPORT ? "report" : "read");
		return false;
	}
	http_put_header(x, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
		header.p ? "Bearer realm=\"sipchain\", error=\"invalid_token\"" :
			   "Bearer realm=\"sipchain\"");
	node_http_refuse(x, call, MHD_HTTP_UNAUTHORIZED, NULL,
		header.p ? "no such token" :
			   "this needs a token: Authorization: Bearer ...");
	return false;
}

/* --- routes --- */

static bool is_path(const struct node_route *r, const char *path)
{
	size_t n = strlen(r->path);

	if (r->path[n - 1] == '/')
		return !strncmp(path, r->path, n) && path[n];
	return !strcmp(path, r->path);
}

static const struct node_route *find_route(const char *path)
{
	for (size_t i = 0; i < ROUTES; i++)
		if (is_path(&routes[i], path))
			return &routes[i];
	return NULL;
}

/* What a body must be said to be. Returns whether it is. */
static bool fit_body(struct http_exchange *x, const struct node_call *call)
{
	struct view type = http_request_header(x, MHD_HTTP_HEADER_CONTENT_TYPE);

	if (!http_request_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH).p &&
		!http_request_header(x, MHD_HTTP_HEADER_TRANSFER_ENCODING).p) {
		node_http_refuse(x, call, MHD_HTTP_LENGTH_REQUIRED, NULL,
			"a report needs a body, and its length");
		return false;
	}
	if (!type.p || !http_is_json(type) ||
		http_request_header(x, MHD_HTTP_HEADER_CONTENT_ENCODING).p) {
		node_http_refuse(x, call, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
			"send Content-Type: application/json, not compressed");
		return false;
	}
	return true;
}

/* The head of a request; false: it has been answered. */
static bool on_head(void *context, struct http_exchange *x)
{
	const struct http_target *target = http_request_target(x);
	struct node_call *call = http_request_own(x);
	const char *method = http_method(x), *unknown;
	struct node *n = context;

	call->media = HTTP_JSON;
	call->route = find_route(target->path);
	if (!call->route) {
		node_http_refuse(x, call, MHD_HTTP_NOT_FOUND, NULL,
			"there is nothing of that name; docs/openapi.json lists what there is");
		return false;
	}
	if (strcmp(method, call->route->method) != 0 &&
		(strcmp(method, "HEAD") != 0 ||
			strcmp(call->route->method, "GET") != 0)) {
		http_put_header(x, MHD_HTTP_HEADER_ALLOW,
			strcmp(call->route->method, "GET") ? call->route->method :
							     "GET, HEAD");
		node_http_refuse(x, call, MHD_HTTP_METHOD_NOT_ALLOWED, NULL,
			"this is for %s", call->route->method);
		return false;
	}
	if (!authorise(n, x, call))
		return false;
	call->media = http_accept(
		http_request_header(x, MHD_HTTP_HEADER_ACCEPT), call->route->medias);
	if (!call->media) {
		node_http_refuse(x, call, MHD_HTTP_NOT_ACCEPTABLE, NULL,
			"this is answered in %s",
			call->route->medias & HTTP_JSON           ? "application/json" :
				call->route->medias & HTTP_EVENTS ? "text/event-stream" :
								    "text/plain");
		return false;
	}
	unknown = http_parameter_unknown(target, call->route->parameters);
	if (unknown) {
		node_http_refuse(x, call, MHD_HTTP_BAD_REQUEST, unknown,
			"no such parameter: %s", escaped(view_str(unknown)));
		return false;
	}
	return strcmp(method, "POST") != 0 || fit_body(x, call);
}

static void on_request(void *context, struct http_exchange *x)
{
	struct node_call *call = http_request_own(x);
	struct node *n = context;

	/* While its body came the tokens were read anew: who was let in may not be. */
	if (call->tokens_read != n->http->tokens_read && !authorise(n, x, call))
		return;
	call->route->run(n, x, call);
}

const struct http_hooks node_http_hooks = {NULL, on_head, on_request};
