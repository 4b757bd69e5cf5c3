/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain check: is it listed? why? by whom? until when? */
#include "cli/columns.h"
#include "cli/command.h"
#include "cli/query.h"

#include <string.h>

/* Each member's word about one listed indicator. */
static void words_print(const json_t *words)
{
	struct columns c;
	const json_t *w;
	size_t at;

	columns_begin(&c, "MEMBER|NAME|WEIGHT|SAYS|CATEGORY|PROOF|CELL|UNTIL",
		1u << 0 | 1u << 2 | 1u << 6);
	json_array_foreach(words, at, w)
	{
		columns_put(&c, "%lld", number_of(w, "member"));
		columns_put(&c, "%s", shown(text_of(w, "name")));
		columns_put(&c, "%lld", number_of(w, "weight"));
		columns_put(&c, "%s", is_true(w, "objection") ? "objects" : "reports");
		columns_put(&c, "%s", text_of(w, "category"));
		columns_put(&c, "%s", text_of(w, "proof"));
		columns_put(&c, "%lld", number_of(w, "cell"));
		columns_put(&c, "%s", shown_time((uint64_t)number_of(w, "expiry")));
	}
	columns_print(&c, stdout, 4);
}

static void tip_print(const char *lead, const json_t *tip, const char *whose)
{
	printf("  %-10s %s operation %lld, tip %s\n", lead, whose, number_of(tip, "seq"),
		text_of(tip, "hash"));
}

/* Who refuses calls to it, where it is a number, a URI or a domain. */
static void connectors_print(const json_t *connectors)
{
	const json_t *k;
	size_t at;

	json_array_foreach(connectors, at, k)
		printf("%s%s (%s)", at ? ", " : "             refused by ",
			shown(text_of(k, "name")), text_of(k, "state"));
	if (json_array_size(connectors))
		printf("\n");
}

/* One reading's answer. asked: what the person wrote. */
static void answer_print(const json_t *r, const struct query *q, const char *asked)
{
	const json_t *o;
	size_t at;

	printf("%s", shown(q->as && q->as[0] == 'i' ? q->text : asked));
	if (q->as)
		printf(" (%s, %s)", q->as, shown(text_of(r, "indicator")));
	else if (strcmp(asked, text_of(r, "indicator")))
		printf(" (%s)", shown(text_of(r, "indicator")));
	printf(": %s\n", shown_sentence(text_of(r, "text")));
	json_array_foreach(json_object_get(r, "bans"), at, o)
	{
		printf("  banned     %s, %s, by %s, %s, until %s\n",
			shown(*text_of(o, "text") ? text_of(o, "text") :
						    text_of(o, "indicator")),
			text_of(o, "scope"), text_of(o, "origin"), text_of(o, "state"),
			shown_time((uint64_t)number_of(o, "until")));
		connectors_print(json_object_get(o, "connectors"));
		if (*text_of(o, "reason"))
			printf("             %s\n", shown_sentence(text_of(o, "reason")));
		if (*text_of(o, "spared"))
			printf("             %s\n", shown_sentence(text_of(o, "spared")));
	}
	json_array_foreach(json_object_get(r, "listed"), at, o)
	{
		printf("  listed     %s: %s\n",
			shown(*text_of(o, "source") ? text_of(o, "source") :
						      text_of(o, "indicator")),
			shown_sentence(text_of(o, "text")));
		words_print(json_object_get(o, "words"));
	}
	o = json_object_get(r, "allowed");
	if (json_is_object(o))
		printf("  allowed    %s on this node's allowlist (%s) %s\n",
			shown(text_of(o, "indicator")), text_of(o, "origin"),
			shown(text_of(o, "note")));
	if (json_is_string(json_object_get(r, "protected")))
		printf("  protected  %s, by the consortium\n",
			shown(text_of(r, "protected")));
}

/* How far the ledger has been read: what the answer holds for. */
static void as_of_print(const json_t *r)
{
	const json_t *tip = json_object_get(r, "tip");

	tip_print("as of", json_object_get(tip, "members"), "members'");
	tip_print("", json_object_get(tip, "admin"), "administrative");
	if (!is_true(r, "caught_up"))
		printf("  The ledger is still being read: ask again in a moment.\n");
}

static bool found(const json_t *r)
{
	return json_array_size(json_object_get(r, "listed")) ||
		json_array_size(json_object_get(r, "bans"));
}

/*
 * Ask for each reading, the ledger itself with direct. Returns how many answers,
 * or -1 with *code.
 */
static int ask_each(struct invocation *in, struct direct_answers *direct,
	const struct query *q, int n, json_t **answers, int *code)
{
	for (int i = 0; i < n; i++) {
		answers[i] = direct ?
			direct_check(direct, q[i].text) :
			ask(in, "check", json_pack("{s:s}", "query", q[i].text), code);
		if (answers[i])
			continue;
		if (direct)
			*code = failure(CONTROL_FAILED, "out of memory");
		while (i-- > 0)
			json_decref(answers[i]);
		return -1;
	}
	return n;
}

static int ask_all(
	struct invocation *in, const struct query *q, int n, json_t **answers, int *code)
{
	struct direct_answers *direct = NULL;
	enum whom whom = whom_to_ask(in, code);
	int rc;

	if (whom == WHOM_NOBODY)
		return -1;
	if (whom == WHOM_LEDGER && !(direct = direct_open(in, code)))
		return -1;
	rc = ask_each(in, direct, q, n, answers, code);
	direct_close(direct);
	return rc;
}

/* The reading to show first: one that is listed, else the likeliest. */
static int first_found(json_t *const *answers, int n)
{
	for (int i = 0; i < n; i++)
		if (found(answers[i]))
			return i;
	return 0;
}

/* The first reading's answer; beside it the question and the other readings. */
static void json_out(struct invocation *in, const struct query *q, json_t *const *answers,
	int n, int first)
{
	json_t *also = json_array();

	for (int i = 0; i < n; i++)
		json_object_set_new(answers[i], "read_as", json_string(q[i].text));
	for (int i = 0; i < n; i++)
		if (i != first)
			json_array_append(also, answers[i]);
	json_object_set_new(answers[first], "query", json_string(in->arguments[0]));
	json_object_set_new(answers[first], "also", also);
	print_json(answers[first]);
}

int run_check(struct invocation *in)
{
	struct query q[QUERY_MAX];
	json_t *answers[QUERY_MAX] = {NULL};
	bool any;
	int code = 0, first, n = query_read(q, in->arguments[0], &in->error);

	if (n < 1)
		return failure(CONTROL_USAGE, "%s", in->error.text);
	if (ask_all(in, q, n, answers, &code) < 0)
		return code;
	first = first_found(answers, n);
	any = found(answers[first]);
	if (given(in, OPTION_JSON))
		json_out(in, q, answers, n, first);
	for (int i = 0; i < n && !given(in, OPTION_JSON); i++)
		if (!any || found(answers[i]))
			answer_print(answers[i], &q[i], in->arguments[0]);
	if (!given(in, OPTION_JSON))
		as_of_print(answers[first]);
	for (int i = 0; i < n; i++)
		json_decref(answers[i]);
	return any ? CONTROL_OK : CONTROL_FAILED;
}
