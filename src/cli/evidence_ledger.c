/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger that a record was committed to, read for its batch. */
#include "cli/evidence.h"

#include <string.h>

#include "base/hex.h"
#include "cli/desk.h"
#include "ledger/history.h"

static struct ledger *open_local(void *context, uv_loop_t *loop,
	const struct ledger_callbacks *callbacks, struct error *err)
{
	return local_ledger_new(loop, context, NULL, callbacks, NULL, err);
}

static int read_local(
	struct evidence_ledger *l, struct invocation *in, struct evidence_search *search)
{
	struct reading_order order = {
		.open = open_local,
		.context = l->choice.config.ledger.path,
		.patience_ms = 30000,
		.event = evidence_search_event,
		.event_context = search,
	};
	int code = ledger_permitted(l->choice.config.ledger.path);

	if (code)
		return code;
	progress_begin("reading the ledger");
	l->reading = reading_run(&order, &in->error);
	progress_end();
	return l->reading ? 0 : failure(CONTROL_FAILED, "%s", in->error.text);
}

static int read_chain(struct evidence_ledger *l, struct evidence_search *search)
{
	struct session_failure why = {0};
	int rc = -1;

	progress_begin("reading and verifying the ledger");
	l->session = session_open(&l->choice.config.ledger.ethereum, &why);
	if (l->session)
		rc = session_read(
			l->session, true, 0, evidence_search_event, search, &why);
	progress_end();
	return rc ? session_failed(&why) : 0;
}

static int read_history(
	struct evidence_ledger *l, struct invocation *in, struct evidence_search *search)
{
	const char *path = option(in, OPTION_HISTORY, "");
	uint64_t count;

	if (choice_given(in))
		return failure(CONTROL_USAGE,
			"--history is read instead of a ledger: give one or the other");
	l->history = history_read(
		path, evidence_search_event, search, &count, &in->error);
	return l->history ? 0 : failure(CONTROL_FAILED, "%s", in->error.text);
}

int evidence_ledger_read(struct evidence_ledger *l, struct invocation *in,
	const struct evidence_file *like, struct evidence_search *search)
{
	static char contract[ADDRESS20_TEXT];
	int code;

	memset(l, 0, sizeof *l);
	if (given(in, OPTION_HISTORY)) {
		code = read_history(l, in, search);
		return code;
	}
	if (like && like->on_chain && given(in, OPTION_ENDPOINT) &&
		!given(in, OPTION_CONTRACT) && !given(in, OPTION_CONFIG))
		in->options[OPTION_CONTRACT] = address20_print(contract, like->contract);
	code = choice_make(&l->choice, in, 0);
	if (code)
		return code;
	l->chosen = true;
	code = l->choice.config.ledger.type == CONFIG_LEDGER_LOCAL ?
		read_local(l, in, search) :
		read_chain(l, search);
	if (code)
		evidence_ledger_close(l);
	return code;
}

void evidence_ledger_close(struct evidence_ledger *l)
{
	reading_free(l->reading);
	session_close(l->session);
	registry_free(l->history);
	if (l->chosen)
		choice_free(&l->choice);
	memset(l, 0, sizeof *l);
}

const struct registry *evidence_ledger_registry(const struct evidence_ledger *l)
{
	if (l->history)
		return l->history;
	return reading_registry(l->session ? session_reading(l->session) : l->reading);
}

json_t *evidence_ledger_json(const struct evidence_ledger *l)
{
	const struct ethereum_settings *s;
	char address[ADDRESS20_TEXT];
	json_t *o = json_pack("{s:o, s:s}", "id",
		hash_json(registry_id(evidence_ledger_registry(l))), "type",
		l->session ? "ethereum" : "local");

	if (!o || !l->session)
		return o;
	s = session_settings(l->session);
	json_object_set_new(o, "chain_id", json_integer((json_int_t)s->chain_id));
	json_object_set_new(
		o, "contract", json_string(address20_print(address, s->contract)));
	return o;
}

const char *evidence_ledger_where(
	char dst[EVIDENCE_WHERE], const struct evidence_ledger *l, struct invocation *in)
{
	char address[ADDRESS20_TEXT];

	if (l->history)
		snprintf(dst, EVIDENCE_WHERE,
			"the history %s (its operations fold; that they are the ledger's is "
			"the word of who gave it)",
			shown(option(in, OPTION_HISTORY, "")));
	else if (l->session)
		snprintf(dst, EVIDENCE_WHERE, "contract %s of chain %llu, read from %s",
			address20_print(address, session_settings(l->session)->contract),
			(unsigned long long)session_settings(l->session)->chain_id,
			shown(session_endpoint(l->session)));
	else
		snprintf(dst, EVIDENCE_WHERE, "the local ledger %s",
			shown(l->choice.config.ledger.path));
	return dst;
}
