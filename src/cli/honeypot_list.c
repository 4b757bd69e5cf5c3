/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain honeypot sessions, show */
#include "cli/honeypot.h"

#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/units.h"
#include "cli/columns.h"
#include "indicator/word.h"
#include "sense/observation.h"

#define LIST_USUAL  1000
#define TEXTS_SHOWN 2

/* --- sessions --- */

static json_t *texts_json(const struct honeypot_sessions *s,
	const struct honeypot_session *x, enum honeypot_list list)
{
	json_t *o = json_array();

	for (uint32_t at = x->first[list]; at;) {
		struct view v = honeypot_sessions_text(s, &at);
		json_t *text = json_stringn((const char *)v.p, v.n);

		/* What is no UTF-8 is shown as it would be on a terminal. */
		json_array_append_new(o, text ? text : json_string(escaped(v)));
	}
	return o;
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_t *value = json_string(text);

	if (*text)
		json_object_set_new(
			o, key, value ? value : json_string(escaped(view_str(text))));
	else
		json_decref(value);
}

static json_t *session_json(
	const struct honeypot_sessions *s, const struct honeypot_session *x)
{
	char source[ADDRESS_TEXT], id[HONEYPOT_ID];
	json_t *o = json_pack("{s:s, s:f, s:f, s:s, s:i, s:s, s:s, s:b, s:i, s:i}",
		"session", honeypot_id(id, x->id), "begin",
		(double)x->begin / (double)USEC_PER_SEC, "end",
		(double)x->end / (double)USEC_PER_SEC, "source",
		x->remote.family ? address_print(source, &x->remote) : "", "port",
		x->port, "transport", transport_name(x->transport), "proof",
		proof_name(x->proof), "proved", honeypot_proves(x->proof), "in",
		(int)x->in, "out", (int)x->out);

	if (!o)
		return NULL;
	put_text(o, "tool", x->tool);
	put_text(o, "agent", x->agent);
	json_object_set_new(o, "sessions", json_integer(x->sessions));
	json_object_set_new(o, "accounts_count", json_integer(x->accounts));
	json_object_set_new(o, "accounts", texts_json(s, x, HONEYPOT_ACCOUNTS));
	json_object_set_new(o, "numbers_count", json_integer(x->numbers));
	json_object_set_new(o, "numbers", texts_json(s, x, HONEYPOT_NUMBERS));
	return o;
}

/* "101, 102 +35" */
static void put_texts(struct columns *c, const struct honeypot_sessions *s,
	const struct honeypot_session *x, enum honeypot_list list, uint32_t count)
{
	struct buffer text = {.max = 0};
	uint32_t shown_now = 0;

	for (uint32_t at = x->first[list]; at && shown_now < TEXTS_SHOWN; shown_now++) {
		struct view v = honeypot_sessions_text(s, &at);

		buffer_printf(&text, "%s%s", shown_now ? ", " : "", escaped(v));
	}
	if (count > shown_now)
		buffer_printf(&text, " +%u", count - shown_now);
	columns_put(
		c, "%.*s", text.n ? (int)text.n : 1, text.n ? (const char *)text.p : "-");
	buffer_free(&text);
}

static void put_row(struct columns *c, const struct honeypot_sessions *s,
	const struct honeypot_session *x, bool by_source)
{
	char when[32], lasted[32], source[ADDRESS_TEXT], id[HONEYPOT_ID];

	if (by_source)
		columns_put(c, "%u", x->sessions);
	else
		columns_put(c, "%s", honeypot_id(id, x->id));
	columns_put(c, "%s", clock_rfc3339(when, x->begin / USEC_PER_SEC));
	columns_put(c, "%s", duration_print(lasted, (x->end - x->begin) / USEC_PER_SEC));
	columns_put(c, "%s", x->remote.family ? address_print(source, &x->remote) : "?");
	columns_put(c, "%s", transport_name(x->transport));
	columns_put(c, "%s", proof_name(x->proof));
	columns_put(c, "%s", x->tool[0] ? shown(x->tool) : "-");
	put_texts(c, s, x, HONEYPOT_ACCOUNTS, x->accounts);
	put_texts(c, s, x, HONEYPOT_NUMBERS, x->numbers);
	columns_put(c, "%u", x->in);
	columns_put(c, "%u", x->out);
	columns_put(c, "%s", x->agent[0] ? shown(x->agent) : "-");
}

static void print_list(const struct honeypot_sessions *s,
	const struct honeypot_session **list, size_t count, size_t all, bool by_source)
{
	const char *what = by_source ? "sources" : "sessions";
	struct columns c;

	columns_begin(&c,
		by_source ?
			"SESSIONS|BEGIN|LASTED|SOURCE|VIA|PROOF|TOOL|ACCOUNTS|NUMBERS|IN|"
			"OUT|AGENT" :
			"SESSION|BEGIN|LASTED|SOURCE|VIA|PROOF|TOOL|ACCOUNTS|NUMBERS|IN|OUT|"
			"AGENT",
		(by_source ? 1u : 0u) | 1u << 9 | 1u << 10);
	for (size_t i = 0; i < count; i++)
		put_row(&c, s, list[i], by_source);
	columns_print(&c, count ? stdout : stderr, 0);
	if (count < all)
		printf("%zu of %zu %s shown, the newest\n", count, all, what);
	else
		printf("%zu %s\n", count, what);
}

static void print_list_json(const struct honeypot_sessions *s,
	const struct honeypot_session **list, size_t count, size_t all)
{
	json_t *o = json_pack("{s:I, s:[]}", "count", (json_int_t)all, "sessions");
	json_t *array = json_object_get(o, "sessions");

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, session_json(s, list[i]));
	print_json(o);
	json_decref(o);
}

int run_honeypot_sessions(struct invocation *in)
{
	const struct honeypot_session **list;
	struct honeypot_sessions *s;
	struct honeypot_filter f;
	size_t count, all;
	int code = honeypot_filter_read(&f, in, clock_wall());

	if (code)
		return code;
	s = honeypot_sessions_read(in, &f, &code);
	if (!s)
		return code;
	list = honeypot_sessions_list(s, f.limit ? f.limit : LIST_USUAL, &count, &all);
	if (!list)
		code = failure(CONTROL_FAILED, "out of memory");
	else if (given(in, OPTION_JSON))
		print_list_json(s, list, count, all);
	else
		print_list(s, list, count, all, f.by_source);
	free(list);
	honeypot_sessions_free(s);
	return code;
}

/* --- show --- */

/* What is to be shown: a session by its number, or all of an address. */
struct wanted {
	bool session;
	uint64_t id;
	struct honeypot_filter filter;
};

static int read_wanted(struct wanted *w, struct invocation *in)
{
	const char *text = in->arguments[0];
	struct address source;
	uint8_t id[8];
	int code = honeypot_filter_read(&w->filter, in, clock_wall());

	if (code)
		return code;
	w->session = strlen(text) == HONEYPOT_ID - 1 &&
		!hex_decode(id, 8, view_str(text));
	if (w->session)
		w->id = be64_load(id);
	else if (address_parse(&source, view_str(text), NULL))
		return failure(CONTROL_USAGE,
			"%s: a session's number, 16 hex digits as `sipchain honeypot "
			"sessions` prints them, or an address",
			shown(text));
	if (w->session)
		return 0;
	w->filter.source = indicator_from_address(&source, source.family == 4 ? 32 : 128);
	w->filter.has_source = true;
	return 0;
}

static bool is_wanted(const struct wanted *w, const struct record *r)
{
	return honeypot_takes(&w->filter, r) &&
		(!w->session || record_session(r) == w->id);
}

/* Print them, or add them to the array. How many, or -1 with the error. */
static long long show(
	const struct wanted *w, struct record_reader *r, json_t *array, struct error *err)
{
	struct record record;
	long long n = 0;
	int rc = record_reader_since(r, w->filter.since, err);

	while (rc >= 0 && (rc = record_reader_next(r, &record, err)) > 0) {
		if (!is_wanted(w, &record))
			continue;
		if (w->filter.limit && n == (long long)w->filter.limit)
			break;
		if (array) {
			json_array_append_new(array, honeypot_message_json(&record));
		} else {
			progress_end(); /* there is something to be seen from here on */
			honeypot_message_print(stdout, &record);
		}
		n++;
	}
	return rc < 0 ? -1 : n;
}

int run_honeypot_show(struct invocation *in)
{
	struct wanted w = {.session = false};
	json_t *array = given(in, OPTION_JSON) ? json_array() : NULL;
	struct record_reader *r = NULL;
	long long n;
	int code = read_wanted(&w, in);

	if (!code)
		r = honeypot_open(in, &code);
	if (!r) {
		json_decref(array);
		return code;
	}
	progress_begin("reading what was recorded");
	n = show(&w, r, array, &in->error);
	progress_end();
	if (n < 0)
		code = failure(CONTROL_FAILED, "%s", in->error.text);
	else if (!n)
		code = failure(CONTROL_FAILED,
			"nothing of %s was recorded, or it is no longer kept; see `sipchain "
			"honeypot sessions`",
			shown(in->arguments[0]));
	else if (array)
		print_json(array);
	json_decref(array);
	honeypot_close(r);
	return code;
}
