/* SPDX-License-Identifier: Apache-2.0 */
#include "api/webhook_post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/http_client.h"

#define ANSWER_MAX (64u << 10) /* bytes of an answer's body that are read */

struct webhook_post {
	struct http_client *http; /* its numbers are the requests' */
	struct webhook_post_counts counts;
};

struct sending {
	struct webhook_post *owner;
	const struct webhook_config *config;
	char id[WEBHOOK_ID_MAX];
	char signature[WEBHOOK_SIGNATURE_MAX];
	uint64_t time; /* unix seconds, that are signed */
	usec began;    /* clock_monotonic() */
	webhook_post_fn *done;
	void *context;
};

struct webhook_post *webhook_post_open(uv_loop_t *loop, struct error *err)
{
	struct webhook_post *p = calloc(1, sizeof *p);

	if (!p) {
		error_set(err, "out of memory");
		return NULL;
	}
	p->http = http_client_open(loop, WEBHOOKS_MAX, err);
	if (!p->http) {
		free(p);
		return NULL;
	}
	return p;
}

static struct curl_slist *add_header(
	struct curl_slist *list, const char *name, const char *value)
{
	char line[40 + WEBHOOK_SIGNATURE_MAX];

	if (!list)
		return NULL;
	snprintf(line, sizeof line, "%s: %s", name, value);
	return http_header_add(list, line);
}

static int prepare(void *context, CURL *easy, struct curl_slist **list, struct error *err)
{
	const struct sending *s = context;
	struct http_peer peer = {
		.url = s->config->url, .proxy = "", .ca_file = s->config->ca_file};
	char time[24];

	/* libcurl leaves out a header without a value: it would go unsigned. */
	if (!s->signature[0])
		return error_set(err, "it has no secret, and unsigned nothing is sent");
	snprintf(time, sizeof time, "%" PRIu64, s->time);
	*list = add_header(*list, "webhook-id", s->id);
	*list = add_header(*list, "webhook-timestamp", time);
	*list = add_header(*list, "webhook-signature", s->signature);
	*list = add_header(*list, "Idempotency-Key", s->id);
	if (http_peer_options(easy, &peer) != CURLE_OK)
		return error_set(err, "its URL cannot be asked, or memory is short");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return 0;
}

static void count(struct webhook_post_counts *counts, enum webhook_verdict verdict)
{
	switch (verdict) {
	case WEBHOOK_DELIVERED:
		counts->delivered++;
		break;
	case WEBHOOK_GONE:
		counts->gone++;
		break;
	case WEBHOOK_LATER:
		counts->failed++;
		break;
	}
}

static void judge(
	struct webhook_outcome *out, const struct sending *s, const struct http_answer *a)
{
	const struct webhook_config *c = s->config;

	*out = (struct webhook_outcome){
		.verdict = WEBHOOK_LATER, .status = a->status, .retry_s = 0};
	switch (a->end) {
	case HTTP_ANSWERED:
	case HTTP_TOO_LARGE: /* the status counts; who talks that long is not heard out */
		webhook_judge(out, c->url, a->status, a->retry_s, a->body);
		break;
	case HTTP_TIMEOUT:
		error_set(&out->reason, "no whole answer within %u s", c->timeout_s);
		break;
	case HTTP_GARBAGE:
	case HTTP_FAILED:
	case HTTP_UNSENT:
		webhook_failure(out, c->url, a->text, a->own_words);
		break;
	case HTTP_STOPPED:
	case HTTP_CANCELLED:
		break;
	}
	out->took = clock_monotonic() - s->began;
}

static void on_ended(void *context, const struct http_answer *a)
{
	struct sending *s = context;
	struct webhook_post_counts *counts = &s->owner->counts;
	struct webhook_outcome outcome;

	if (a->end == HTTP_CANCELLED) {
		counts->cancelled++;
	} else {
		judge(&outcome, s, a);
		count(counts, outcome.verdict);
		s->done(s->context, &outcome);
	}
	free(s);
}

uint64_t webhook_post_send(struct webhook_post *p, const struct webhook_config *config,
	const char *id, struct view body, uint64_t now, webhook_post_fn *done,
	void *context)
{
	struct sending *s = calloc(1, sizeof *s);
	struct http_request request = {
		.body = malloc(body.n + 1),
		.n = body.n,
		.timeout_ms = config->timeout_s * 1000,
		.gather_max = ANSWER_MAX,
		.ca_file = config->ca_file,
		.prepare = prepare,
		.ended = on_ended,
		.context = s,
	};
	uint64_t number;

	if (!s || !request.body) {
		free(request.body);
		free(s);
		return 0;
	}
	memcpy(request.body, body.p, body.n);
	s->owner = p;
	s->config = config;
	s->time = now;
	s->began = clock_monotonic();
	s->done = done;
	s->context = context;
	view_copy(s->id, sizeof s->id, view_str(id));
	webhook_sign(s->signature, config->secret, s->id, now, body);
	number = http_post(p->http, &request);
	if (number)
		p->counts.sent++;
	else
		free(s);
	return number;
}

void webhook_post_cancel(struct webhook_post *p, uint64_t request)
{
	http_cancel(p->http, request);
}

const struct webhook_post_counts *webhook_post_counts(const struct webhook_post *p)
{
	return &p->counts;
}

void webhook_post_close(struct webhook_post *p)
{
	if (p)
		http_client_close(p->http, free, p);
}
