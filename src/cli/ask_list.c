/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain list, banned, allow list */
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/command.h"
#include "indicator/indicator.h"

/* --- in the order of addresses, not of hash tables --- */

struct place {
	struct indicator indicator;
	json_t *object;
};

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return indicator_compare(&x->indicator, &y->indicator);
}

/* Sort an array of objects by their "indicator", in place. */
static void sort(json_t *list)
{
	size_t n = json_array_size(list), at;
	struct place *places = calloc(n + 1, sizeof *places);
	json_t *o;

	if (!places)
		return; /* unsorted is better than nothing */
	json_array_foreach(list, at, o)
	{
		places[at].object = json_incref(o);
		indicator_parse(&places[at].indicator, NULL,
			view_str(text_of(o, "indicator")), NULL);
	}
	qsort(places, n, sizeof *places, by_place);
	json_array_clear(list);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, places[i].object);
	free(places);
}

/* "3 of 4711 shown", or how many there are. */
static void total(size_t shown_count, size_t all, const char *what)
{
	if (shown_count < all)
		printf("%zu of %zu %s shown\n", shown_count, all, what);
	else
		printf("%zu %s\n", all, what);
}

/* --list: the --limit, SIZE_MAX without. Returns 0 or an exit code. */
static int take_limit(struct invocation *in, size_t *limit)
{
	uint64_t n = SIZE_MAX;

	if (given(in, OPTION_LIMIT) &&
		(view_decimal(view_str(option(in, OPTION_LIMIT, "")), SIZE_MAX, &n) ||
			!n))
		return failure(CONTROL_USAGE, "--limit %s: give a whole number from 1 on",
			shown(option(in, OPTION_LIMIT, "")));
	*limit = (size_t)n;
	return 0;
}

/* --- list --- */

static void list_row(struct columns *c, const json_t *i)
{
	long long required = number_of(i, "required");
	bool block = is_true(i, "block");

	columns_put(c, "%s",
		shown(*text_of(i, "source") ? text_of(i, "source") :
					      text_of(i, "indicator")));
	columns_put(c, "%s", block ? "block" : "pass");
	/* UINT32_MAX is the policy's `never`; 0: it was not even counted. */
	if (!required)
		columns_put(c, "-");
	else if (required == UINT32_MAX)
		columns_put(c, "%lld/never", number_of(i, "sum"));
	else
		columns_put(c, "%lld/%lld", number_of(i, "sum"), required);
	columns_put(c, "%s", required ? text_of(i, "category") : "-");
	columns_put(c, "%s", required ? text_of(i, "proof") : "-");
	columns_put(c, "%s",
		block ? shown_time((uint64_t)number_of(i, "until")) : text_of(i, "why"));
}

static void list_print(const json_t *list, size_t all)
{
	struct columns c;
	const json_t *i;
	size_t at;

	columns_begin(
		&c, "INDICATOR|HERE|SUM/NEED|CATEGORY|PROOF|UNTIL, OR WHY NOT", 1u << 2);
	json_array_foreach(list, at, i) list_row(&c, i);
	if (all)
		columns_print(&c, stdout, 0);
	else
		buffer_free(&c.text);
	total(json_array_size(list), all, "listed");
}

/* Leave only what is asked for; returns how many there were of those. */
static size_t filter(struct invocation *in, json_t *list, size_t limit)
{
	json_t *kept = json_array(), *i;
	size_t all, at;

	json_array_foreach(list, at, i) if (!given(in, OPTION_BLOCKED) ||
		is_true(i, "block")) json_array_append(kept, i);
	json_array_clear(list);
	json_array_extend(list, kept);
	json_decref(kept);
	all = json_array_size(list);
	sort(list);
	while (json_array_size(list) > limit)
		json_array_remove(list, json_array_size(list) - 1);
	return all;
}

/* Returns 0 or an exit code. */
static int check_kind(struct invocation *in)
{
	const char *kind = option(in, OPTION_KIND, NULL);

	for (uint8_t k = INDICATOR_IP4; kind && k <= INDICATOR_AGENT; k++)
		if (!strcmp(kind, indicator_kind_name(k)))
			return 0;
	return kind ? failure(CONTROL_USAGE, "--kind %s: give %s", shown(kind),
			      option_specs[OPTION_KIND].help) :
		      0;
}

/* From the daemon or the ledger itself. NULL after having said why. */
static json_t *listing(struct invocation *in, int *code)
{
	const char *kind = option(in, OPTION_KIND, NULL);
	struct direct_answers *direct;
	json_t *result = NULL;

	switch (whom_to_ask(in, code)) {
	case WHOM_DAEMON:
		return ask(in, "list", json_pack("{s:s*}", "kind", kind), code);
	case WHOM_LEDGER:
		direct = direct_open(in, code);
		if (direct)
			result = direct_list(direct, kind);
		direct_close(direct);
		return result;
	case WHOM_NOBODY:
	default:
		return NULL;
	}
}

int run_list(struct invocation *in)
{
	json_t *result, *list;
	size_t limit = SIZE_MAX, all;
	int code = check_kind(in);

	if (!code)
		code = take_limit(in, &limit);
	if (code)
		return code;
	result = listing(in, &code);
	if (!result)
		return code;
	list = json_object_get(result, "indicators");
	all = filter(in, list, limit);
	if (given(in, OPTION_JSON)) {
		json_object_set_new(result, "count", json_integer((json_int_t)all));
		print_json(result);
	} else {
		list_print(list, all);
	}
	json_decref(result);
	return 0;
}

/* --- banned --- */

/* Who dropped what: each set's counter in the kernel. */
static void counters_print(const json_t *list)
{
	struct columns c;
	const json_t *o;
	size_t at;

	if (!json_array_size(list))
		return;
	columns_begin(&c, "SET|PACKETS|BYTES", 1u << 1 | 1u << 2);
	json_array_foreach(list, at, o)
	{
		columns_put(&c, "%s", shown(text_of(o, "set")));
		columns_put(&c, "%lld", number_of(o, "packets"));
		columns_put(&c, "%lld", number_of(o, "bytes"));
	}
	fputc('\n', stdout);
	columns_print(&c, stdout, 0);
}

static void banned_print(const json_t *result)
{
	const json_t *list = json_object_get(result, "bans"), *o;
	struct columns c;
	size_t at;

	columns_begin(&c, "BANNED|SCOPE|BY|CATEGORY|STATE|UNTIL", 0);
	json_array_foreach(list, at, o)
	{
		columns_put(&c, "%s",
			shown(*text_of(o, "text") ? text_of(o, "text") :
						    text_of(o, "indicator")));
		columns_put(&c, "%s", text_of(o, "scope"));
		columns_put(&c, "%s", text_of(o, "origin"));
		columns_put(&c, "%s", text_of(o, "category"));
		columns_put(&c, "%s", text_of(o, "state"));
		columns_put(&c, "%s", shown_time((uint64_t)number_of(o, "until")));
	}
	if (json_array_size(list))
		columns_print(&c, stdout, 0);
	else
		buffer_free(&c.text);
	printf("%zu banned%s\n", json_array_size(list),
		is_true(result, "observe") ?
			" (observe mode: nothing is in the firewall)" :
			"");
	counters_print(json_object_get(result, "counters"));
}

int run_banned(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "banned", NULL, &code);
	if (!result)
		return code;
	sort(json_object_get(result, "bans"));
	if (given(in, OPTION_JSON))
		print_json(result);
	else
		banned_print(result);
	json_decref(result);
	return 0;
}

/* --- allow list --- */

static void allow_print(const json_t *list)
{
	struct columns c;
	const json_t *o;
	size_t at;

	columns_begin(&c, "ALLOWED|FROM|UNTIL|NOTE", 0);
	json_array_foreach(list, at, o)
	{
		columns_put(&c, "%s", shown(text_of(o, "indicator")));
		columns_put(&c, "%s", text_of(o, "origin"));
		columns_put(&c, "%s",
			number_of(o, "expiry") ?
				shown_time((uint64_t)number_of(o, "expiry")) :
				"-");
		columns_put(&c, "%s", shown(text_of(o, "note")));
	}
	if (json_array_size(list))
		columns_print(&c, stdout, 0);
	else
		buffer_free(&c.text);
	total(json_array_size(list), json_array_size(list), "allowed");
}

int run_allow_list(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "allow-list", NULL, &code);
	if (!result)
		return code;
	sort(json_object_get(result, "entries"));
	if (given(in, OPTION_JSON))
		print_json(result);
	else
		allow_print(json_object_get(result, "entries"));
	json_decref(result);
	return 0;
}
