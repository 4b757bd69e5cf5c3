/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/reports: what `sipchain report` does, for programs. One request is one
 * transaction: its reports, their evidence, the audit trail and, with an
 * Idempotency-Key, its answer are on the disk together before it is answered.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/http_report.h"
#include "base/escape.h"
#include "base/log.h"
#include "daemon/node_http.h"
#include "daemon/node_report.h"
#include "store/audit.h"
#include "store/http_key.h"
#include "store/outbox.h"

/* One request, while it is worked on. */
struct posting {
	struct node *node;
	struct http_exchange *x;
	const struct node_call *call;
	char owner[48];             /* "token honeypot", "uid 0" */
	char key[HTTP_KEY_MAX + 1]; /* Idempotency-Key; "": none */
	uint8_t digest[HTTP_DIGEST];
	json_t *root;
	size_t count;
	json_t *results;
	unsigned accepted;
	bool failed; /* the store could not take it: nothing of it is done */
};

/* --- one entry --- */

static json_t *refused_json(const char *reason, const char *field, const char *text)
{
	json_t *out = json_pack(
		"{s:s, s:s, s:s}", "status", "refused", "reason", reason, "error", text);

	if (field)
		json_object_set_new(out, "field", json_string(field));
	return out;
}

/* Whether the node would say it; else why not. */
static int consider(struct posting *p, const struct node_wish *w, uint32_t ttl,
	struct node_refusal *why)
{
	uint32_t until;

	if (!node_writer(p->node, why) || node_reportable(p->node, w, ttl, why) ||
		(w->log && node_log_kind(w, why)) || node_allowed_here(p->node, w, why) ||
		node_not_own(p->node, w, why) ||
		(p->call->token && node_better_known(p->node, w, &until, why)))
		return -1;
	return 0;
}

static json_t *accepted_json(const struct node_wish *w, uint64_t row, uint32_t until)
{
	char text[INDICATOR_TEXT];

	return json_pack("{s:s, s:I, s:s, s:I}", "status", "accepted", "id",
		(json_int_t)row, "indicator", indicator_print(text, &w->indicator),
		"until", (json_int_t)until);
}

static json_t *take_entry(struct posting *p, const json_t *entry)
{
	struct node_refusal why = {.code = CONTROL_FAILED, .reason = "failed"};
	struct node_wish w = {.uid = p->call->uid};
	struct http_report report;
	const char *field;
	char shown[64];
	struct error err = {""};
	uint32_t ttl;
	uint64_t row;

	if (http_report_parse(&report, entry, &field, &err)) {
		escape_view(shown, sizeof shown, view_str(field));
		return refused_json("malformed", shown, err.text);
	}
	w.indicator = report.indicator;
	memcpy(w.canonical, report.canonical, sizeof w.canonical);
	memcpy(w.note, report.note, sizeof w.note);
	w.ttl = report.ttl;
	w.log = p->call->token && p->call->token->proof == PROOF_LOG;
	snprintf(w.by, sizeof w.by, "%s", p->owner);
	ttl = node_wish_ttl(p->node, &w, REPORT_TTL_DEFAULT);
	if (consider(p, &w, ttl, &why))
		return refused_json(why.reason, NULL, why.text);
	row = node_wish_put(p->node, &w, report.category, ACTION_REPORT, ttl, &why);
	if (!row || node_audit(p->node, &w, "report")) {
		p->failed = true;
		return refused_json("failed", NULL, why.text);
	}
	p->accepted++;
	return accepted_json(&w, row, node_now() + ttl);
}

/* --- the request --- */

/* The answer's status: all taken, none, or each its own. */
static unsigned status_of(const struct posting *p)
{
	return p->accepted == p->count ? MHD_HTTP_ACCEPTED :
		p->accepted            ? MHD_HTTP_MULTI_STATUS :
					 MHD_HTTP_UNPROCESSABLE_CONTENT;
}

/* All entries and the answer in one transaction. The answer's text, or NULL. */
static char *work(struct posting *p, struct error *err)
{
	struct node *n = p->node;
	char *text = NULL;
	json_t *answer;

	node_bans_flush(n); /* what is open is committed by itself */
	if (store_begin(n->store, STORE_SYNCED, err))
		return NULL;
	n->bans_open = true; /* node_publish() joins it */
	p->results = json_array();
	for (size_t i = 0; i < p->count && !p->failed; i++)
		json_array_append_new(
			p->results, take_entry(p, http_reports_at(p->root, i)));
	answer = json_pack("{s:i, s:i, s:o}", "accepted", (int)p->accepted, "refused",
		(int)(p->count - p->accepted), "results", p->results);
	text = answer ? json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(answer);
	if (text && p->key[0] && p->accepted &&
		http_key_put(n->store, p->owner, p->key, p->digest, node_now(),
			status_of(p), text, err))
		p->failed = true;
	n->bans_open = false;
	if (!text || p->failed || store_commit(n->store, err)) {
		if (!text || p->failed)
			store_rollback(n->store);
		free(text);
		return NULL;
	}
	return text;
}

static void answer_text(struct http_exchange *x, unsigned status, const char *text)
{
	struct buffer out = {0};

	buffer_printf(&out, "%s\n", text);
	http_answer(x, status, "application/json", view_of(out.p, out.n));
	buffer_free(&out);
}

/* The key, if one is given. Returns 0, or -1 after having refused. */
static int take_key(struct posting *p)
{
	struct view key = http_request_header(p->x, "Idempotency-Key");
	struct view body = http_request_body(p->x);

	if (!key.p)
		return 0;
	key = view_trim(key);
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < 0x20 || key.p[i] > 0x7e)
			key.n = 0;
	if (!key.n || key.n > HTTP_KEY_MAX) {
		node_http_refuse(p->x, p->call, MHD_HTTP_BAD_REQUEST, "Idempotency-Key",
			"Idempotency-Key: 1 to %d printable characters", HTTP_KEY_MAX);
		return -1;
	}
	view_copy(p->key, sizeof p->key, key);
	keccak256(p->digest, body.p, body.n);
	return 0;
}

/* Whether the key was used before: then it has been answered. */
static bool answered_before(struct posting *p)
{
	struct error err = {""};
	char *text = NULL;
	unsigned status;
	int rc;

	if (!p->key[0])
		return false;
	rc = http_key_get(p->node->store, p->owner, p->key, p->digest, node_now(),
		&status, &text, &err);
	if (rc == 1) {
		http_put_header(p->x, "Idempotency-Replayed", "true");
		answer_text(p->x, status, text);
	} else if (rc == 2) {
		node_http_refuse(p->x, p->call, MHD_HTTP_CONFLICT, "Idempotency-Key",
			"this Idempotency-Key was used for another request");
	} else if (rc < 0) {
		log_error("store: %s", err.text);
	}
	free(text);
	return rc > 0;
}

/* Take it out of the token's rate. Returns whether there is so much left. */
static bool within_rate(struct posting *p)
{
	char seconds[24];
	long wait;

	if (!p->call->token)
		return true;
	wait = http_token_spend(p->call->token, (unsigned)p->count, clock_monotonic());
	if (!wait)
		return true;
	if (wait > 0) {
		snprintf(seconds, sizeof seconds, "%ld", wait);
		http_put_header(p->x, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
		node_http_refuse(p->x, p->call, MHD_HTTP_TOO_MANY_REQUESTS, NULL,
			"this token may send %u reports a minute; again in %ld s",
			p->call->token->rate, wait);
	} else {
		node_http_refuse(p->x, p->call, MHD_HTTP_TOO_MANY_REQUESTS, "reports",
			"this token may send %u reports a minute: send smaller batches",
			p->call->token->rate);
	}
	return false;
}

static void post(struct posting *p)
{
	struct error err = {"out of memory"};
	char name[HTTP_REPORT_NAME], *text;
	const char *field = name;

	p->root = http_reports_load(http_request_body(p->x), name, &err);
	if (!p->root || http_reports_list(p->root, &p->count, &field, &err)) {
		node_http_refuse(p->x, p->call, MHD_HTTP_BAD_REQUEST,
			field[0] ? field : NULL, "%s", err.text);
		return;
	}
	if (take_key(p) || answered_before(p) || !within_rate(p))
		return;
	text = work(p, &err);
	if (!text) {
		log_error("reports over HTTP: %s", err.text);
		http_put_header(p->x, MHD_HTTP_HEADER_RETRY_AFTER, "10");
		node_http_refuse(p->x, p->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
			"they could not be stored; nothing of it was done");
		return;
	}
	answer_text(p->x, status_of(p), text);
	free(text);
	if (p->accepted)
		node_outbox_submit(p->node);
}

void node_http_reports(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	struct posting p = {.node = n, .x = x, .call = call};

	if (call->token)
		snprintf(p.owner, sizeof p.owner, "token %s", call->token->name);
	else
		snprintf(p.owner, sizeof p.owner, "uid %u", (unsigned)call->uid);
	post(&p);
	json_decref(p.root);
}

/* GET /v1/reports/ID: what became of one. */
void node_http_report(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	const char *name = http_request_target(x)->path + strlen("/v1/reports/");
	char text[INDICATOR_TEXT];
	struct error err = {""};
	struct outbox_row row;
	uint64_t id;
	json_t *out;
	int rc;

	if (view_decimal(view_str(name), INT64_MAX, &id)) {
		node_http_refuse(
			x, call, MHD_HTTP_NOT_FOUND, NULL, "a report's id is a number");
		return;
	}
	rc = outbox_get(n->store, &row, id, &err);
	if (rc != 1) {
		if (rc < 0)
			log_error("store: %s", err.text);
		if (rc)
			http_put_header(x, MHD_HTTP_HEADER_RETRY_AFTER, "10");
		node_http_refuse(x, call,
			rc ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_NOT_FOUND, NULL,
			rc ? "the store cannot be read" :
			     "there is no such report (any more)");
		return;
	}
	out = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "id", (json_int_t)id,
		"indicator", indicator_print(text, &row.indicator), "want",
		outbox_want_name(row.want), "state", outbox_state_name(row.state),
		"category", category_name(row.category), "until", (json_int_t)row.expiry,
		"block", (json_int_t)row.block, "updated", (json_int_t)row.updated);
	if (row.error[0])
		json_object_set_new(out, "error", json_string(row.error));
	node_http_json(x, MHD_HTTP_OK, out);
}
