/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/indicators: pages of what is listed, and what this node does about it. A page
 * is made while it is sent, a few entries at a time: whoever asks for a check meanwhile
 * waits for those few, not for the page.
 */
#include <microhttpd.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/http_page.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "daemon/node_http.h"

#define PAGE_DEFAULT 1000
#define TIPS_MAX     512

/*
 * What the page would be made of, in a word: the ledger's tips, how often anything
 * was decided since, and by which process.
 */
static void etag(char dst[36], const struct node *n)
{
	const struct tip *members = registry_tip(n->registry, CHAIN_MEMBERS);
	const struct tip *admin = registry_tip(n->registry, CHAIN_ADMIN);
	uint8_t hash[KECCAK_SIZE];
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, members->hash, sizeof members->hash);
	keccak_update(&k, admin->hash, sizeof admin->hash);
	keccak_update(&k, &n->decided, sizeof n->decided);
	keccak_update(&k, &n->clock_difference, sizeof n->clock_difference);
	keccak_update(&k, &n->started, sizeof n->started);
	keccak_final(&k, hash);
	dst[0] = '"';
	hex_encode(dst + 1, hash, 16);
	memcpy(dst + 33, "\"", 2);
}

/* Whether an If-None-Match names it (RFC 9110 13.1.2; W/ does not matter). */
static bool matches(struct view header, const char *tag)
{
	return header.p &&
		(view_eq(view_trim(header), view_str("*")) ||
			view_find_str(header, tag) < header.n);
}

static int kind_of(const char *name)
{
	for (uint8_t kind = INDICATOR_IP4; kind <= INDICATOR_AGENT; kind++)
		if (!strcmp(name, indicator_kind_name(kind)))
			return kind;
	return -1;
}

/* The query; false: refused. */
static bool page_query(struct http_page_query *q, const struct node *n,
	struct http_exchange *x, const struct node_call *call)
{
	const struct http_target *t = http_request_target(x);
	const char *kind = http_parameter(t, "kind");
	const char *category = http_parameter(t, "category");
	const char *after = http_parameter(t, "after");
	const char *limit = http_parameter(t, "limit");
	const char *wrong = NULL, *remedy = NULL;
	int k = kind ? kind_of(kind) : 0;
	int cursor = 0, c = category ? category_parse(view_str(category)) : 0;
	uint64_t most = PAGE_DEFAULT;

	memset(q, 0, sizeof *q);
	if (after)
		cursor = http_cursor_parse(&q->after, after, registry_order(n->registry));
	if (k < 0) {
		wrong = "kind";
		remedy = "ip4, ip6, number, uri, domain or agent";
	} else if (c < 0 || (category && c == CATEGORY_NONE)) {
		wrong = "category";
		remedy = "there is no such category";
	} else if (cursor) {
		wrong = "after";
		remedy = cursor == -1 ?
			"what \"next\" of the page before said" :
			"the node was started again since; begin anew, without it";
	} else if (limit &&
		(view_decimal(view_str(limit), HTTP_PAGE_MAX, &most) || !most)) {
		wrong = "limit";
		remedy = "1 to 5000";
	}
	if (wrong) {
		node_http_refuse(
			x, call, MHD_HTTP_BAD_REQUEST, wrong, "%s: %s", wrong, remedy);
		return false;
	}
	q->kind = (uint8_t)k;
	q->category = (uint8_t)c;
	q->has_after = after != NULL;
	q->limit = (size_t)most;
	return true;
}

static const char *text_of(const void *context, const struct indicator *i)
{
	return node_text(context, i);
}

/* A page that is on its way. */
struct sending {
	struct node *node;
	struct http_page page;
	char tip[TIPS_MAX]; /* as it was at the beginning: the page has at least that */
	size_t printed;
	bool closed; /* all of it is in out */
	bool broken; /* memory was short */
	struct buffer out;
};

static void put_json(struct sending *s, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(value);
	s->broken |= !text || buffer_put(&s->out, text, strlen(text));
	free(text);
}

/* A few entries more, or the page's end. */
static void make_more(struct sending *s)
{
	struct node *n = s->node;
	const struct answer_source from = {.registry = n->registry,
		.policy = &n->config->policy,
		.allow = n->allow,
		.now = node_now(),
		.text = text_of,
		.context = n};
	struct indicator found[HTTP_PAGE_STEP];
	size_t count = http_page_step(&s->page, n->registry, from.now, found);
	char cursor[HTTP_CURSOR];

	for (size_t i = 0; i < count; i++) {
		if (s->printed++)
			buffer_put_u8(&s->out, ',');
		put_json(s, answer_decision(&from, &found[i], false));
	}
	if (s->page.done) {
		if (s->page.more)
			buffer_printf(&s->out, "],\"next\":\"%s\",\"tip\":%s}\n",
				http_cursor_print(cursor, &s->page.last,
					registry_order(n->registry)),
				s->tip);
		else
			buffer_printf(&s->out, "],\"next\":null,\"tip\":%s}\n", s->tip);
		s->closed = true;
	} else if (!count) {
		/* Of so many none was wanted: white space says that it goes on. */
		buffer_put_u8(&s->out, '\n');
	}
	s->broken |= s->out.failed;
}

static ssize_t read_page(void *context, char *dst, size_t max)
{
	struct sending *s = context;
	size_t n;

	if (!s->out.n && !s->closed)
		make_more(s);
	if (s->broken)
		return HTTP_STREAM_BROKEN;
	if (!s->out.n)
		return HTTP_STREAM_END;
	n = s->out.n < max ? s->out.n : max;
	memcpy(dst, s->out.p, n);
	buffer_consume(&s->out, n);
	return (ssize_t)n;
}

static void end_page(void *context)
{
	struct sending *s = context;

	buffer_free(&s->out);
	free(s);
}

/* A page with its query, to be sent; NULL: memory is short. */
static struct sending *begin_page(struct node *n, const struct http_page_query *q)
{
	json_t *tips = answer_tips(n->registry);
	struct sending *s = calloc(1, sizeof *s);
	size_t length = 0;

	if (s && tips)
		length = json_dumpb(tips, s->tip, sizeof s->tip - 1, JSON_COMPACT);
	json_decref(tips);
	if (!length || length >= sizeof s->tip) {
		free(s);
		return NULL;
	}
	s->node = n;
	s->page.query = *q;
	s->out.max = 1U << 20;
	buffer_printf(&s->out, "{\"indicators\":[");
	return s;
}

void node_http_indicators(
	struct node *n, struct http_exchange *x, const struct node_call *call)
{
	struct http_stream stream = {.read = read_page, .end = end_page, .finite = true};
	struct http_page_query q;
	char tag[36];

	if (!page_query(&q, n, x, call))
		return;
	if (!n->caught_up) {
		http_put_header(x, MHD_HTTP_HEADER_RETRY_AFTER, "5");
		node_http_refuse(x, call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
			"the ledger has not been read yet");
		return;
	}
	etag(tag, n);
	http_put_header(x, MHD_HTTP_HEADER_ETAG, tag);
	http_put_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "private, no-cache");
	if (matches(http_request_header(x, MHD_HTTP_HEADER_IF_NONE_MATCH), tag)) {
		http_answer(x, MHD_HTTP_NOT_MODIFIED, NULL, view_of(NULL, 0));
		return;
	}
	stream.context = begin_page(n, &q);
	if (stream.context && !http_answer_stream(x, http_media_name(HTTP_JSON), &stream))
		return;
	if (stream.context)
		end_page(stream.context);
	node_http_refuse(x, call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "out of memory");
}
