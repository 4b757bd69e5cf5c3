/* SPDX-License-Identifier: Apache-2.0 */
/* The node's state, and the stream of events. */
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/event_answer.h"
#include "base/escape.h"
#include "base/keccak.h"
#include "base/log.h"
#include "daemon/node_http.h"
#include "daemon/node_webhook.h"
#include "store/outbox.h"

/* --- /v1/status, /metrics --- */

void node_http_status(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	(void)call;
	node_http_json(x, MHD_HTTP_OK, node_status(n));
}

json_t *node_http_figures(const struct node *n)
{
	struct http_figures f;

	if (!n->http)
		return json_null();
	http_server_figures(n->http->server, &f);
	return json_pack("{s:I, s:I, s:I, s:I, s:i, s:i, s:o}", "requests",
		(json_int_t)f.requests, "refused", (json_int_t)f.refused, "cut",
		(json_int_t)f.cut, "evicted", (json_int_t)f.evicted, "connections",
		(int)f.connections, "streams", (int)f.streams, "trouble",
		node_http_trouble(n));
}

static void gauge(struct buffer *out, const char *name, const char *help, uint64_t value)
{
	size_t n = strlen(name);
	bool counter = n > 6 && !strcmp(name + n - 6, "_total");

	buffer_printf(out,
		"# HELP sipchain_%s %s\n# TYPE sipchain_%s %s\nsipchain_%s %" PRIu64 "\n",
		name, help, name, counter ? "counter" : "gauge", name, value);
}

void node_http_metrics(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	uint64_t rows[OUTBOX_STATES] = {0};
	struct buffer out = {.max = 65536};
	struct detect_figures d = {0};
	struct error err = {""};
	struct webhook_figures w;
	struct http_figures f;

	(void)call;
	node_webhooks_figures(n, &w);
	if (outbox_counts(n->store, rows, &err))
		log_error("outbox: %s", err.text);
	http_server_figures(n->http->server, &f);
	if (n->detector)
		detector_figures(n->detector, &d);
	gauge(&out, "uptime_seconds", "Since role node began.",
		(clock_monotonic() - n->started) / USEC_PER_SEC);
	gauge(&out, "ledger_healthy", "1: the ledger is reached and folds.",
		n->healthy && !n->misfolded && n->caught_up);
	gauge(&out, "ledger_operations_total", "Operations folded, members' chain.",
		registry_tip(n->registry, CHAIN_MEMBERS)->seq);
	gauge(&out, "reports_live", "Live reports on the ledger.",
		registry_live_count(n->registry));
	gauge(&out, "bans", "Bans that stand here.", ban_table_count(n->bans));
	gauge(&out, "outbox_waiting", "Reports that wait for the ledger.",
		rows[OUTBOX_WAITING] + rows[OUTBOX_ASSIGNED] + rows[OUTBOX_SUBMITTED]);
	gauge(&out, "observations_total", "What the sensors saw.", d.observations);
	gauge(&out, "detections_total", "What became of it.", d.detections);
	gauge(&out, "http_requests_total", "Requests answered.", f.requests);
	gauge(&out, "http_refused_total", "... with 4xx or 5xx.", f.refused);
	gauge(&out, "http_cut_total", "Connections ended for their slowness.", f.cut);
	gauge(&out, "http_connections", "Connections open.", f.connections);
	gauge(&out, "http_streams", "Streams of events among them.", f.streams);
	gauge(&out, "webhook_events_total", "Events delivered to webhooks.", w.events);
	gauge(&out, "webhook_lost_total", "... forgotten before that.", w.lost);
	gauge(&out, "webhook_behind", "... that wait for the slowest of them.", w.behind);
	gauge(&out, "webhooks_failing", "Webhooks in trouble.", w.failing);
	http_answer(x, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		view_of(out.p, out.n));
	buffer_free(&out);
}

/* --- /v1/events --- */

#define ROWS_AT_ONCE   64
#define ROUNDS_AT_ONCE 16
#define TYPES_MAX      128

/* One who follows: where he is in the journal, and what is on its way to him. */
struct follower {
	struct node *node;
	bool by_token; /* whose secret has this hash */
	uint8_t digest[KECCAK_SIZE];
	uint64_t at;           /* the last event that he has, or does not want */
	char types[TYPES_MAX]; /* ",ban,unban,"; "": all */
	struct buffer out;
};

static bool wanted(const struct follower *f, const char *type)
{
	char name[EVENT_TYPE_MAX + 3];

	snprintf(name, sizeof name, ",%s,", type);
	return !f->types[0] || strstr(f->types, name);
}

static bool take_event(void *context, const struct event *e)
{
	struct follower *f = context;

	f->at = e->id;
	if (wanted(f, e->type))
		event_stream_print(&f->out, e);
	return f->out.n < 32768;
}

static ssize_t read_events(void *context, char *dst, size_t max)
{
	struct follower *f = context;
	struct error err = {""};
	size_t n;

	for (unsigned i = 0; !f->out.n && i < ROUNDS_AT_ONCE; i++) {
		int count = events_after(
			f->node->store, f->at, ROWS_AT_ONCE, take_event, f, &err);

		if (count < 0)
			log_error("store: %s", err.text);
		if (count < ROWS_AT_ONCE)
			break;
	}
	if (f->out.failed)
		return -1;
	n = f->out.n < max ? f->out.n : max;
	if (n) {
		memcpy(dst, f->out.p, n);
		buffer_consume(&f->out, n);
	}
	return (ssize_t)n;
}

static void end_events(void *context)
{
	struct follower *f = context;

	buffer_free(&f->out);
	free(f);
}

/* Whether the token that let it in is no longer in force. */
static bool is_revoked(const void *context, const void *stream)
{
	const struct node_http *h = context;
	const struct follower *f = stream;

	for (size_t i = 0; f->by_token && i < HTTP_TOKENS_MAX; i++)
		if (h->tokens[i].rights & HTTP_READ &&
			!memcmp(h->tokens[i].digest, f->digest, sizeof f->digest))
			return false;
	return f->by_token;
}

void node_http_end_revoked(struct node *n)
{
	http_server_cut_streams(n->http->server, is_revoked, n->http);
}

/*
 * Where to begin: after Last-Event-ID, or `since`; without either with what comes
 * now. What is not in the journal (any more) is told as an event "gap".
 */
static int begin_at(struct follower *f, struct http_exchange *x, struct error *err)
{
	const char *since = http_parameter(http_request_target(x), "since");
	struct view id = http_request_header(x, "Last-Event-ID");
	uint64_t oldest, newest, after;

	if (events_range(f->node->store, &oldest, &newest, err))
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	buffer_printf(
		&f->out, ": events of %s\nretry: 2000\n\n", f->node->config->node.name);
	f->at = newest;
	if (!id.n && !since)
		return 0;
	if (view_decimal(id.n ? view_trim(id) : view_str(since), INT64_MAX, &after)) {
		error_set(
			err, "%s: an event's id, or 0", id.n ? "Last-Event-ID" : "since");
		return MHD_HTTP_BAD_REQUEST;
	}
	f->at = after;
	if (after + 1 >= oldest && after <= newest)
		return 0;
	if (after > newest) /* another node's, or of a store that is gone */
		f->at = newest;
	else if (after || oldest > 1)
		f->at = oldest - 1;
	buffer_printf(&f->out,
		"event: gap\ndata: {\"after\":%" PRIu64 ",\"oldest\":%" PRIu64
		",\"newest\":%" PRIu64 "}\n\n",
		after, oldest, newest);
	return 0;
}

void node_http_events(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	const char *types = http_parameter(http_request_target(x), "type");
	struct http_stream stream = {.read = read_events, .end = end_events};
	struct follower *f = calloc(1, sizeof *f);
	struct error err = {"out of memory"};
	int status = MHD_HTTP_SERVICE_UNAVAILABLE;

	if (f) {
		f->node = n;
		f->out.max = 1U << 20;
		f->by_token = call->token != NULL;
		if (call->token)
			memcpy(f->digest, call->token->digest, sizeof f->digest);
		status = begin_at(f, x, &err);
	}
	if (!status && types && (strlen(types) + 3 > sizeof f->types)) {
		status = MHD_HTTP_BAD_REQUEST;
		error_set(&err, "type: at most %d bytes", TYPES_MAX - 3);
	}
	if (!status && types)
		snprintf(f->types, sizeof f->types, ",%s,", types);
	if (!status) {
		stream.context = f;
		http_put_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
		/* nginx would gather what it is to pass on. */
		http_put_header(x, "X-Accel-Buffering", "no");
		if (!http_answer_stream(x, http_media_name(HTTP_EVENTS), &stream))
			return;
		status = MHD_HTTP_SERVICE_UNAVAILABLE;
		error_set(&err, "%d clients follow already", HTTP_STREAMS_MAX);
	}
	if (f)
		end_events(f);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		http_put_header(x, MHD_HTTP_HEADER_RETRY_AFTER, "10");
	node_http_refuse(x, call, (unsigned)status, NULL, "%s", err.text);
}
