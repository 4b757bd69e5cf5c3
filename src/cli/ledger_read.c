/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain ledger verify, export */
#include "cli/desk.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"

static void show_progress(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu of %llu operations", (unsigned long long)done,
			(unsigned long long)total);
}

/* The two tips of a verified ledger as JSON. */
static json_t *tips_json(const struct registry *r)
{
	char id[2 * HASH_SIZE + 1];

	return json_pack("{s:s, s:o, s:o, s:I}", "id",
		hex_encode(id, registry_id(r), HASH_SIZE), "members",
		tip_json(r, CHAIN_MEMBERS), "admin", tip_json(r, CHAIN_ADMIN), "live",
		(json_int_t)registry_live_count(r));
}

int run_ledger_verify(struct invocation *in)
{
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);
	struct local *l;
	const char *path;
	int64_t verified;
	int code = 0;
	json_t *tips;

	path = ledger_path(in, &code);
	if (!path)
		return code;
	code = ledger_permitted(path);
	if (code)
		return code;
	verified = local_verify(path, show_progress, NULL, &in->error);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (verified < 0)
		return access(path, F_OK) ?
			failure(CONTROL_FAILED, "%s", in->error.text) :
			failure(CONTROL_FAILED, "NOT intact: %s", in->error.text);
	progress_begin("reading the state");
	l = local_open(path, true, now, &in->error);
	progress_end();
	if (!l)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	tips = tips_json(local_registry(l));
	if (given(in, OPTION_JSON)) {
		json_object_set_new(tips, "verified", json_integer(verified));
		json_object_set_new(tips, "intact", json_true());
		print_json(tips);
	} else {
		json_t *m = json_object_get(tips, "members"),
		       *a = json_object_get(tips, "admin");

		printf("intact: %lld operations verified (signatures, counters, tips, rules)\n"
		       "members' tip  %s after %lld\nadmin tip     %s after %lld\nledger id     %s\n",
			(long long)verified,
			json_string_value(json_object_get(m, "hash")),
			(long long)json_integer_value(json_object_get(m, "seq")),
			json_string_value(json_object_get(a, "hash")),
			(long long)json_integer_value(json_object_get(a, "seq")),
			json_string_value(json_object_get(tips, "id")));
	}
	json_decref(tips);
	local_close(l);
	return 0;
}

static const char *action_name(uint8_t action)
{
	switch (action) {
	case ACTION_REPORT:
		return "report";
	case ACTION_REPLACE:
		return "replace";
	case ACTION_SPEND:
		return "spend";
	default:
		return "?";
	}
}

/* The words of a batch as JSON. */
static json_t *words_json(const struct operation *op)
{
	json_t *words = json_array();

	for (unsigned i = 0; i < op->count; i++) {
		char text[INDICATOR_TEXT];
		struct report r;

		word_decode(&r, op->words + (size_t)i * WORD_SIZE);
		json_array_append_new(words,
			json_pack("{s:s, s:s, s:I, s:I, s:i, s:s, s:s}", "action",
				action_name(r.action), "indicator",
				indicator_print(text, &r.indicator), "expiry",
				(json_int_t)r.expiry, "cell", (json_int_t)r.cell,
				"generation", r.generation, "category",
				category_name(r.category), "proof", proof_name(r.proof)));
	}
	return words;
}

static void export_one(void *context, const struct ledger_event *event)
{
	char actor[43], tip[2 * HASH_SIZE + 1], when[32];
	const struct operation *op = &event->operation;
	uint64_t *count = context;
	json_t *line;

	address20_print(actor, op->actor);
	hex_encode(tip, event->tip_before, HASH_SIZE);
	clock_rfc3339(when, op->time);
	line = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I}", "chain",
		event->chain == CHAIN_ADMIN ? "admin" : "members", "seq",
		(json_int_t)op->seq, "operation", operation_name(op->type), "time", when,
		"actor", actor, "tip_before", tip, "block", (json_int_t)event->block);
	if (op->member)
		json_object_set_new(line, "member", json_integer(op->member));
	if (op->type == OP_BATCH) {
		char commitment[2 * HASH_SIZE + 1];

		json_object_set_new(line, "commitment",
			json_string(hex_encode(commitment, op->commitment, HASH_SIZE)));
		json_object_set_new(line, "words", words_json(op));
	}
	json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	fputc('\n', stdout);
	json_decref(line);
	++*count;
}

int run_ledger_export(struct invocation *in)
{
	uint64_t count = 0;
	const char *path;
	int code = 0;

	path = ledger_path(in, &code);
	if (!path)
		return code;
	code = ledger_permitted(path);
	if (code)
		return code;
	if (!isatty(STDOUT_FILENO))
		progress_begin("writing the history");
	if (local_export(path, export_one, &count, &in->error) < 0)
		return failure(CONTROL_FAILED, "after %llu operations: %s",
			(unsigned long long)count, in->error.text);
	progress_end();
	if (fflush(stdout) || ferror(stdout))
		return failure(CONTROL_FAILED, "the output could not be written");
	return 0;
}
