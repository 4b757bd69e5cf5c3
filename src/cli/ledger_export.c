/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain ledger export */
#include "cli/desk.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"

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

/* The canonical bytes, of which the tips are made: who has them can fold them. */
static json_t *bytes_json(struct view bytes)
{
	char *text = malloc(2 * bytes.n + 1);
	json_t *hex = text ? json_string(hex_encode(text, bytes.p, bytes.n)) :
			     json_null();

	free(text);
	return hex;
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
	json_object_set_new(line, "bytes", bytes_json(event->bytes));
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

/* Of a ledger on a chain: from its creation on. Returns an exit code. */
static int export_chain(struct choice *c, uint64_t *count)
{
	struct session_failure why = {0};
	struct session *s = session_open(&c->config.ledger.ethereum, &why);
	int rc = s ? session_read(s, true, 0, export_one, count, &why) : -1;

	session_close(s);
	if (!rc)
		return 0;
	if (!*count)
		return session_failed(&why);
	return failure(session_exit(&why), "after %llu operations: %s",
		(unsigned long long)*count, why.error.text);
}

static int export_local(struct invocation *in, const char *path, uint64_t *count)
{
	int code = ledger_permitted(path);

	if (code)
		return code;
	if (local_export(path, export_one, count, &in->error) < 0)
		return failure(CONTROL_FAILED, "after %llu operations: %s",
			(unsigned long long)*count, in->error.text);
	return 0;
}

int run_ledger_export(struct invocation *in)
{
	uint64_t count = 0;
	struct choice c;
	int code = choice_make(&c, in, 0);

	if (code)
		return code;
	if (!isatty(STDOUT_FILENO))
		progress_begin("writing the history");
	code = c.config.ledger.type == CONFIG_LEDGER_LOCAL ?
		export_local(in, c.config.ledger.path, &count) :
		export_chain(&c, &count);
	progress_end();
	choice_free(&c);
	if (!code && (fflush(stdout) || ferror(stdout)))
		return failure(CONTROL_FAILED, "the output could not be written");
	return code;
}
