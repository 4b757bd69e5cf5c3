/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain ledger verify: everything from the genesis on, once more. */
#include "cli/desk.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "cli/contract.h"

/* How often a ledger that grows while it is read is caught up with. */
#define READ_TRIES 5

static void show_progress(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu of %llu operations", (unsigned long long)done,
			(unsigned long long)total);
}

/* The two tips of a verified ledger as JSON, and how many operations there were. */
static json_t *tips_json(const struct registry *r, json_int_t verified)
{
	char id[2 * HASH_SIZE + 1];

	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:b}", "id",
		hex_encode(id, registry_id(r), HASH_SIZE), "members",
		tip_json(r, CHAIN_MEMBERS), "admin", tip_json(r, CHAIN_ADMIN), "live",
		(json_int_t)registry_live_count(r), "verified", verified, "intact", 1);
}

static void tips_print(const json_t *tips)
{
	const json_t *m = json_object_get(tips, "members");
	const json_t *a = json_object_get(tips, "admin");

	printf("members' tip  %s after %lld\nadmin tip     %s after %lld\n"
	       "ledger id     %s\n",
		text_of(m, "hash"), number_of(m, "seq"), text_of(a, "hash"),
		number_of(a, "seq"), text_of(tips, "id"));
}

/* --- a local one --- */

static int verify_local(struct invocation *in, const char *path)
{
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);
	struct local *l;
	int64_t verified;
	json_t *tips;
	int code = ledger_permitted(path);

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
	tips = tips_json(local_registry(l), verified);
	if (given(in, OPTION_JSON)) {
		print_json(tips);
	} else {
		printf("intact: %lld operations verified (signatures, counters, tips, "
		       "rules)\n",
			(long long)verified);
		tips_print(tips);
	}
	json_decref(tips);
	local_close(l);
	return 0;
}

/* --- one on a chain --- */

/*
 * Whether what was folded ends in the contract's own tips: 1 yes, 0 the
 * contract went on meanwhile, -1 with *why.
 */
static int compare(
	struct session *s, struct contract_state *state, struct session_failure *why)
{
	const struct registry *r = reading_registry(session_reading(s));

	if (contract_state_read(s, state, why))
		return -1;
	for (int chain = CHAIN_MEMBERS; chain <= CHAIN_ADMIN; chain++) {
		const struct tip *ours = registry_tip(r, (enum chain)chain);
		const struct tip *theirs = &state->tips.tip[chain];

		if (theirs->seq > ours->seq)
			return 0;
		if (theirs->seq == ours->seq &&
			!memcmp(theirs->hash, ours->hash, HASH_SIZE))
			continue;
		return session_fail(why, SESSION_LIED,
			"NOT intact: the events give the %s tip after %llu operations, the "
			"contract has another one after %llu; the endpoint %s left out or "
			"changed events: ask another one",
			chain == CHAIN_ADMIN ? "administrative" : "members'",
			(unsigned long long)ours->seq, (unsigned long long)theirs->seq,
			session_endpoint(s));
	}
	return 1;
}

static int read_and_compare(
	struct session *s, struct contract_state *state, struct session_failure *why)
{
	for (unsigned tries = 0; tries < READ_TRIES; tries++) {
		int same;

		if (session_read(s, true, 0, NULL, NULL, why))
			return -1;
		same = compare(s, state, why);
		if (same)
			return same < 0 ? -1 : 0;
	}
	return session_fail(why, SESSION_FAILED,
		"the ledger grows faster than %s gives it out: try another endpoint",
		session_endpoint(s));
}

static void chain_out(
	struct invocation *in, struct session *s, const struct contract_state *state)
{
	const struct reading *r = session_reading(s);
	json_t *tips = tips_json(reading_registry(r), (json_int_t)reading_count(r));

	if (given(in, OPTION_JSON)) {
		json_object_set_new(tips, "endpoint", json_string(session_endpoint(s)));
		json_object_set_new(
			tips, "block", json_integer((json_int_t)state->head.number));
		json_object_set_new(tips, "proved", json_boolean(state->proved));
		print_json(tips);
	} else {
		printf("intact: %llu operations verified (tips, rules), and the contract "
		       "ends in the same tips\n",
			(unsigned long long)reading_count(r));
		tips_print(tips);
		printf("endpoint      %s, at block %llu\nproof         %s\n",
			shown(session_endpoint(s)),
			(unsigned long long)state->head.number,
			state->proved ?
				"the tips are proved against the block's state root" :
				"not served by this endpoint");
	}
	json_decref(tips);
}

static int verify_chain(struct invocation *in, const struct ethereum_settings *settings)
{
	struct session_failure why = {0};
	struct contract_state state;
	struct session *s;
	int rc = -1;

	progress_begin("reading and verifying the ledger");
	s = session_open(settings, &why);
	if (s)
		rc = read_and_compare(s, &state, &why);
	progress_end();
	if (!rc)
		chain_out(in, s, &state);
	session_close(s);
	return rc ? session_failed(&why) : 0;
}

int run_ledger_verify(struct invocation *in)
{
	struct choice c;
	int code = choice_make(&c, in, 0);

	if (code)
		return code;
	code = c.config.ledger.type == CONFIG_LEDGER_LOCAL ?
		verify_local(in, c.config.ledger.path) :
		verify_chain(in, &c.config.ledger.ethereum);
	choice_free(&c);
	return code;
}
