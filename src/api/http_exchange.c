/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and their answers. */
#include <jansson.h>
#include <stdlib.h>

#include "api/http_connection.h"

/* A body that is too large is read on so far, for the answer to be heard. */
#define SWALLOW_MAX (4 * HTTP_BODY_MAX)

void *http_on_target(void *context, const char *uri, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = mhd.connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_connection *c = info ? info->socket_context : NULL;
	struct http_exchange *x;

	(void)context;
	if (!c)
		return NULL;
	x = &c->exchange;
	x->of = c;
	x->mhd = connection;
	x->heard = x->begun = x->answered = x->large = false;
	x->arrived = 0;
	x->header_count = 0;
	memset(x->own, 0, sizeof x->own);
	x->bad_target = http_target_parse(&x->target, view_str(uri), &x->fault);
	return x;
}

static enum MHD_Result count_lengths(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	unsigned *count = context;

	(void)kind;
	(void)value;
	*count += view_eq_nocase(view_str(name), MHD_HTTP_HEADER_CONTENT_LENGTH) ||
		view_eq_nocase(view_str(name), MHD_HTTP_HEADER_TRANSFER_ENCODING);
	return MHD_YES;
}

/*
 * A request that gives its length twice ends elsewhere for us than for a proxy that
 * passed it on: what follows could be another's request (RFC 9112 11.2).
 */
static bool two_lengths(const struct http_exchange *x)
{
	unsigned count = 0;

	mhd.values(x->mhd, MHD_HEADER_KIND, count_lengths, &count);
	return count > 1;
}

/*
 * What the length alone forbids, before anything of the body is read. Up to a point
 * the body is let in all the same, for the sender to hear the answer.
 */
static bool too_large(struct http_exchange *x, struct view length)
{
	uint64_t n;

	if (view_decimal(view_trim(length), SWALLOW_MAX, &n))
		return true;
	x->large = n > HTTP_BODY_MAX;
	return false;
}

static void answer_large(struct http_exchange *x)
{
	http_answer(x, MHD_HTTP_CONTENT_TOO_LARGE, "application/json",
		view_str(
			"{\"error\":\"the body is too large: at most 524288 bytes\"}\n"));
}

_Static_assert(HTTP_BODY_MAX == 524288, "the text says so");

/* What is wrong with the target, in whose words there may be escapes. */
static void answer_fault(struct http_exchange *x)
{
	json_t *body = json_pack("{s:s}", "error", x->fault.text);
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
	struct buffer out = {0};

	json_decref(body);
	buffer_printf(&out, "%s\n", text ? text : "{}");
	free(text);
	http_answer(
		x, (unsigned)x->bad_target, "application/json", view_of(out.p, out.n));
	buffer_free(&out);
}

static void begin(struct http_exchange *x, struct view length)
{
	struct http_server *s = x->of->server;

	x->begun = true;
	if (length.p && two_lengths(x)) {
		http_put_header(x, MHD_HTTP_HEADER_CONNECTION, "close");
		http_answer(x, MHD_HTTP_BAD_REQUEST, "application/json",
			view_str("{\"error\":\"the request gives its length twice\"}\n"));
	} else if (x->bad_target) {
		answer_fault(x);
	} else if (length.p && too_large(x, length)) {
		answer_large(x);
	} else if (!x->large) {
		s->hooks.head(s->hooks.context, x);
	}
}

/* More of the body. Returns whether the connection may go on. */
static bool take(struct http_exchange *x, const char *data, size_t n)
{
	x->arrived += n;
	if (x->large || x->arrived > HTTP_BODY_MAX) {
		x->large = true;
		buffer_free(&x->body);
	} else if (buffer_put(&x->body, data, n)) {
		return false;
	}
	return x->arrived <= SWALLOW_MAX;
}

enum MHD_Result http_on_request(void *context, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version, const char *data,
	size_t *size, void **of)
{
	struct http_exchange *x = *of;
	struct view length;

	(void)context;
	(void)connection;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (!x->begun) {
		x->method = method;
		length = http_request_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
		/*
		 * What is answered at this first call closes its connection, for a
		 * body would follow. Where none does, the second call is waited for.
		 */
		if (!x->heard && !length.p &&
			!http_request_header(x, MHD_HTTP_HEADER_TRANSFER_ENCODING).p) {
			x->heard = true;
			return MHD_YES;
		}
		begin(x, length);
		if (x->answered)
			return x->result;
		if (!x->heard)
			return MHD_YES;
	}
	if (x->answered)
		return MHD_NO;
	if (*size) {
		bool good = take(x, data, *size);

		*size = 0;
		return good ? MHD_YES : MHD_NO;
	}
	if (x->large)
		answer_large(x);
	else
		x->of->server->hooks.request(x->of->server->hooks.context, x);
	return x->answered ? x->result : MHD_NO;
}

void http_on_completed(void *context, struct MHD_Connection *connection, void **of,
	enum MHD_RequestTerminationCode code)
{
	struct http_exchange *x = *of;

	(void)context;
	(void)connection;
	(void)code;
	*of = NULL;
	if (!x)
		return;
	buffer_free(&x->body);
	if (x->of->state != HTTP_CUT)
		http_become(x->of, HTTP_RECEIVING);
}

/* --- asking --- */

const char *http_method(const struct http_exchange *x)
{
	return x->method;
}

const struct http_target *http_request_target(const struct http_exchange *x)
{
	return &x->target;
}

struct view http_request_header(const struct http_exchange *x, const char *name)
{
	const char *text = mhd.lookup(x->mhd, MHD_HEADER_KIND, name);

	return text ? view_str(text) : (struct view){0};
}

struct view http_request_body(const struct http_exchange *x)
{
	return view_of(x->body.p, x->body.n);
}

bool http_from_trusted(const struct http_exchange *x)
{
	return x->of->trusted;
}

bool http_from_local(const struct http_exchange *x, uid_t *uid, bool *may_change)
{
	*uid = x->of->uid;
	*may_change = x->of->may_change;
	return x->of->local;
}

void *http_request_own(struct http_exchange *x)
{
	return x->own;
}

/* --- answering --- */

void http_put_header(struct http_exchange *x, const char *name, const char *value)
{
	if (x->header_count == HTTP_HEADERS_MAX)
		return;
	x->headers[x->header_count].name = name;
	x->headers[x->header_count++].value = value;
}

static void count(struct http_exchange *x, unsigned status)
{
	struct http_server *s = x->of->server;

	s->figures.requests++;
	s->figures.refused += status >= 400;
	x->answered = true;
}

static void finish(
	struct http_exchange *x, unsigned status, struct MHD_Response *response)
{
	count(x, status);
	x->result = MHD_NO;
	if (!response)
		return;
	for (unsigned i = 0; i < x->header_count; i++)
		mhd.header(response, x->headers[i].name, x->headers[i].value);
	x->result = mhd.queue(x->mhd, status, response);
	mhd.destroy(response);
}

static struct MHD_Response *make(const char *type, struct view body)
{
	static uint8_t nothing[1];
	void *bytes = body.p ? (void *)(uintptr_t)body.p : nothing;
	struct MHD_Response *made = mhd.response(body.n, bytes, MHD_RESPMEM_MUST_COPY);

	if (made && type)
		mhd.header(made, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return made;
}

/*
 * Most checks are answered with the words of one before, and making an answer costs
 * more than finding out what it says. NULL when memory is short; the server's.
 */
static struct MHD_Response *kept(
	struct http_server *s, const char *type, struct view body)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	struct http_kept *k;

	for (size_t i = 0; i < body.n; i++)
		hash = (hash ^ body.p[i]) * 16777619U;
	k = &s->kept[hash % HTTP_KEPT];
	if (k->response && k->type == type && k->n == body.n &&
		!memcmp(k->text, body.p, body.n))
		return k->response;
	if (k->response)
		mhd.destroy(k->response);
	k->response = make(type, body);
	k->type = type;
	k->n = body.n;
	memcpy(k->text, body.p, body.n);
	return k->response;
}

void http_answer(
	struct http_exchange *x, unsigned status, const char *type, struct view body)
{
	http_become(x->of, HTTP_RESPONDING);
	if (type && body.n && body.n <= HTTP_KEPT_TEXT && !x->header_count) {
		count(x, status);
		x->result = mhd.queue(x->mhd, status, kept(x->of->server, type, body));
		return;
	}
	finish(x, status, make(type, body));
}

/* --- streams --- */

static ssize_t read_stream(void *context, uint64_t at, char *dst, size_t max)
{
	struct http_connection *c = context;
	ssize_t n = c->stream.read(c->stream.context, dst, max);

	(void)at;
	if (n < 0)
		return n == HTTP_STREAM_BROKEN ? MHD_CONTENT_READER_END_WITH_ERROR :
						 MHD_CONTENT_READER_END_OF_STREAM;
	if (!n && c->beat && max >= 3) {
		memcpy(dst, ":\n\n", 3);
		n = 3;
	}
	c->beat = false;
	if (n) {
		http_become(c, HTTP_STREAMING);
		return n;
	}
	http_become(c, HTTP_SUSPENDED);
	mhd.suspend(c->mhd);
	return 0;
}

static void end_stream(void *context)
{
	struct http_connection *c = context;

	c->server->figures.streams -= !c->stream.finite;
	c->stream.end(c->stream.context);
	memset(&c->stream, 0, sizeof c->stream);
}

int http_answer_stream(
	struct http_exchange *x, const char *type, const struct http_stream *stream)
{
	struct http_connection *c = x->of;
	struct MHD_Response *response;

	/* libmicrohttpd 0.9.75 would end the body that a HEAD does not have. */
	if (!strcmp(http_method(x), MHD_HTTP_METHOD_HEAD)) {
		stream->end(stream->context);
		http_answer(x, MHD_HTTP_OK, type, view_of(NULL, 0));
		return 0;
	}
	if (!stream->finite && c->server->figures.streams >= HTTP_STREAMS_MAX)
		return -1;
	response = mhd.stream(MHD_SIZE_UNKNOWN, 16384, read_stream, c, end_stream);
	if (!response)
		return -1;
	mhd.header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	c->stream = *stream;
	c->beat = false;
	c->server->figures.streams += !stream->finite;
	http_become(c, HTTP_STREAMING);
	finish(x, MHD_HTTP_OK, response);
	return 0;
}
