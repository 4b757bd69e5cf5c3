/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain evidence list, show, export: the records that this node keeps. */
#include "cli/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/evidence_answer.h"
#include "base/hex.h"
#include "base/units.h"
#include "cli/columns.h"
#include "cli/new_file.h"

#define LIST_MOST 1000

/* --- asking: the daemon, or its store when it does not run --- */

/* What is asked for: an indicator, or a record's number. */
struct wish {
	bool any; /* neither */
	uint64_t id;
	struct indicator indicator;
	int limit;
};

static int read_wish(struct wish *w, struct invocation *in)
{
	const char *text = in->count ? in->arguments[0] : NULL;
	uint64_t n = LIST_MOST;

	memset(w, 0, sizeof *w);
	if (given(in, OPTION_LIMIT) &&
		(view_decimal(view_str(option(in, OPTION_LIMIT, "")), LIST_MOST, &n) ||
			!n))
		return failure(
			CONTROL_USAGE, "--limit: a number from 1 to %d", LIST_MOST);
	w->limit = (int)n;
	w->any = !text;
	if (!text || !view_decimal(view_str(text), INT64_MAX, &w->id))
		return 0;
	if (indicator_parse(&w->indicator, NULL, view_str(text), &in->error))
		return failure(CONTROL_USAGE, "%s: %s", shown(text), in->error.text);
	return 0;
}

/* The store's answer, without the daemon. NULL with *code. */
static json_t *ask_store(struct invocation *in, const char *state, const struct wish *w,
	bool list, int *code)
{
	char path[CONFIG_PATH_MAX + 32];
	struct store *s;
	json_t *out;

	snprintf(path, sizeof path, "%s/node.db", state);
	*code = file_permitted(path, R_OK | W_OK);
	if (*code)
		return NULL;
	if (access(path, F_OK)) {
		*code = failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
		return NULL;
	}
	s = store_open(path, &in->error);
	if (!s) {
		*code = failure(CONTROL_FAILED, "%s", in->error.text);
		return NULL;
	}
	out = list ? evidence_answer_list(
			     s, w->any ? NULL : &w->indicator, 0, w->limit, &in->error) :
		     evidence_answer_get(s, w->id, &w->indicator, &in->error);
	store_close(s);
	if (!out)
		*code = failure(CONTROL_FAILED, "%s", in->error.text);
	return out;
}

static json_t *wish_json(const struct wish *w)
{
	char text[INDICATOR_TEXT];
	json_t *o = json_pack("{s:i}", "limit", w->limit);

	if (w->id)
		json_object_set_new(o, "id", json_integer((json_int_t)w->id));
	else if (!w->any)
		json_object_set_new(o, "indicator",
			json_string(indicator_print(text, &w->indicator)));
	return o;
}

static json_t *ask_for(struct invocation *in, const struct wish *w, bool list, int *code)
{
	static struct config config;
	char path[CONFIG_PATH_MAX + 32];
	struct control_connection *c = NULL;
	enum control_code why = CONTROL_UNREACHABLE;
	json_t *out;

	if (given(in, OPTION_SOCKET))
		return ask(
			in, list ? "evidence-list" : "evidence-get", wish_json(w), code);
	*code = load_config(in, &config);
	if (*code)
		return NULL;
	snprintf(path, sizeof path, "%s/control.sock", config.node.run);
	if (!given(in, OPTION_DIRECT))
		c = control_connect(path, &why, &in->error);
	if (c || why != CONTROL_UNREACHABLE) {
		control_disconnect(c);
		out = ask(
			in, list ? "evidence-list" : "evidence-get", wish_json(w), code);
	} else {
		out = ask_store(in, config.node.state, w, list, code);
	}
	config_free(&config);
	return out;
}

/* The record that the first argument means. NULL with *code. */
static json_t *get(struct invocation *in, int *code)
{
	struct wish w;
	json_t *out;

	*code = read_wish(&w, in);
	if (*code)
		return NULL;
	out = ask_for(in, &w, false, code);
	if (!json_is_null(out))
		return out;
	json_decref(out);
	*code = failure(CONTROL_FAILED,
		"no evidence about %s is kept here; see `sipchain evidence list`",
		shown(in->arguments[0]));
	return NULL;
}

/* --- list --- */

static void print_list(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "evidence"), *o;
	struct columns c;
	size_t at;

	columns_begin(&c, "ID|INDICATOR|CATEGORY|MADE|BYTES|REPORT", 1 | 1 << 4);
	json_array_foreach(list, at, o)
	{
		long long block = number_of(o, "block");

		columns_put(&c, "%lld", number_of(o, "id"));
		columns_put(&c, "%s", shown(text_of(o, "indicator")));
		columns_put(&c, "%s",
			text_of(o, "category")[0] ? shown(text_of(o, "category")) : "-");
		columns_put(&c, "%s", shown_time((uint64_t)number_of(o, "created")));
		columns_put(&c, "%lld", number_of(o, "bytes"));
		if (block)
			columns_put(&c, "%s, block %lld", text_of(o, "state"), block);
		else
			columns_put(&c, "%s", text_of(o, "state"));
	}
	if (json_array_size(list))
		columns_print(&c, stdout, 0);
	else
		columns_print(&c, stderr, 0);
	printf("%zu records shown, %lld bytes kept in all\n", json_array_size(list),
		number_of(answer, "bytes"));
}

int run_evidence_list(struct invocation *in)
{
	struct wish w;
	json_t *answer;
	int code = read_wish(&w, in);

	if (code)
		return code;
	if (w.id)
		return failure(CONTROL_USAGE, "list takes an indicator, show a number");
	answer = ask_for(in, &w, true, &code);
	if (!answer)
		return code;
	if (given(in, OPTION_JSON))
		print_json(answer);
	else
		print_list(answer);
	json_decref(answer);
	return 0;
}

/* --- show --- */

static void print_observations(const json_t *list)
{
	struct columns c;
	const json_t *o;
	size_t at;

	if (!json_array_size(list))
		return;
	columns_begin(&c, "TIME|SENSOR|VIA|KIND|PROOF|ACCOUNT|DIALLED|REQUEST|AGENT", 0);
	json_array_foreach(list, at, o)
	{
		static const char *const keys[] = {"time", "sensor", "transport", "kind",
			"proof", "account", "dialled", "request", "agent"};

		for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
			columns_put(&c, "%s",
				text_of(o, keys[i])[0] ?
					shown_sentence(text_of(o, keys[i])) :
					"-");
	}
	columns_print(&c, stdout, 2);
}

void evidence_record_print(const json_t *record, const char *raw)
{
	static const char *const keys[] = {"detected", "rule", "reason", "category",
		"proof", "by", "node", "software"};
	const json_t *list = json_object_get(record, "observations");

	if (!record) {
		printf("record        %s\n", shown(raw ? raw : ""));
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (text_of(record, keys[i])[0])
			printf("%-14s%s\n", keys[i],
				shown_sentence(text_of(record, keys[i])));
	if (list)
		printf("observations  %zu of %lld\n", json_array_size(list),
			number_of(record, "seen"));
	print_observations(list);
}

int run_evidence_show(struct invocation *in)
{
	int code;
	json_t *o = get(in, &code);

	if (!o)
		return code;
	if (given(in, OPTION_JSON)) {
		print_json(o);
	} else {
		printf("id            %lld\nindicator     %s\nmade          %s\n",
			number_of(o, "id"), shown(text_of(o, "indicator")),
			shown_time((uint64_t)number_of(o, "created")));
		if (number_of(o, "block"))
			printf("on the ledger block %lld, commitment %s\n",
				number_of(o, "block"), shown(text_of(o, "commitment")));
		else
			printf("on the ledger not yet\n");
		evidence_record_print(json_object_get(o, "record"), text_of(o, "raw"));
	}
	json_decref(o);
	return 0;
}

/* --- export --- */

/* The batch that carries the record, found on the ledger. Returns an exit code. */
static int find_batch(struct invocation *in, const json_t *answer, json_t **file)
{
	struct evidence_search search = {.seq = UINT64_MAX};
	const char *commitment = text_of(answer, "commitment");
	const struct member *m;
	struct evidence_ledger l;
	int code;

	if (hex_decode(search.commitment, KECCAK_SIZE, view_str(commitment)) ||
		indicator_parse(&search.indicator, NULL,
			view_str(text_of(answer, "indicator")), &in->error))
		return failure(CONTROL_FAILED,
			"no batch carries this record yet: it cannot be verified by others");
	code = evidence_ledger_read(&l, in, NULL, &search);
	if (code)
		return code;
	if (!search.found) {
		evidence_ledger_close(&l);
		return failure(CONTROL_FAILED,
			"the batch of this record is not on the ledger yet; try again when "
			"its report is final (`sipchain evidence list`)");
	}
	m = registry_member(evidence_ledger_registry(&l), search.member);
	*file = evidence_file_json(
		answer, &search, m ? m->name : "", evidence_ledger_json(&l));
	evidence_ledger_close(&l);
	return *file ? 0 : failure(CONTROL_FAILED, "out of memory");
}

/* What is written is read once more: nothing leaves that would not verify. */
static int write_file(struct invocation *in, const char *path, const json_t *file)
{
	char *text = json_dumps(file, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	struct evidence_file again;
	int code = 0;

	if (!text)
		return failure(CONTROL_FAILED, "out of memory");
	if (evidence_file_parse(&again, view_str(text), &in->error)) {
		code = failure(CONTROL_FAILED, "%s", in->error.text);
	} else {
		if (evidence_file_check(&again, &in->error))
			code = failure(CONTROL_FAILED,
				"the kept record was changed since it was committed to: %s",
				in->error.text);
		evidence_file_free(&again);
	}
	if (!code && new_file_write(path, 0644, view_str(text)))
		code = failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
	free(text);
	return code;
}

int run_evidence_export(struct invocation *in)
{
	const char *path = in->arguments[1];
	json_t *file = NULL, *answer;
	int code;

	answer = get(in, &code);
	if (!answer)
		return code;
	code = find_batch(in, answer, &file);
	json_decref(answer);
	if (code)
		return code;
	code = write_file(in, path, file);
	if (!code && given(in, OPTION_JSON))
		print_json(file);
	else if (!code)
		printf("%s: the record about %s, for its owner; anybody verifies it with\n"
		       "  sipchain evidence verify %s\n",
			shown(path), shown(text_of(file, "indicator")), shown(path));
	json_decref(file);
	return code;
}
