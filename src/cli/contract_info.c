/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain contract info, verify: what stands at the address. */
#include "cli/contract.h"
#include "cli/choice.h"
#include "cli/desk.h"

#include <string.h>

#include "base/hex.h"
#include "base/units.h"

static json_t *tip(const struct contract_state *c, enum chain chain)
{
	char hash[2 * HASH_SIZE + 1];

	return json_pack("{s:I, s:s, s:I}", "seq", (json_int_t)c->tips.tip[chain].seq,
		"hash", hex_encode(hash, c->tips.tip[chain].hash, HASH_SIZE), "block",
		(json_int_t)c->tips.last_block[chain]);
}

static json_t *state_json(const struct session *s, const struct contract_state *c)
{
	const struct ethereum_settings *settings = session_settings(s);
	char genesis[2 * HASH_SIZE + 3], code[2 * HASH_SIZE + 3];
	json_t *out = json_pack("{s:o, s:I, s:s, s:s, s:s, s:I, s:I}", "contract",
		address_json(settings->contract), "chain_id",
		(json_int_t)settings->chain_id, "genesis",
		fixed_print(genesis, settings->genesis, HASH_SIZE), "endpoint",
		session_endpoint(s), "code_hash",
		fixed_print(code, settings->code_hash, HASH_SIZE), "version",
		(json_int_t)c->version, "block", (json_int_t)c->head.number);
	json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:I, s:o, s:o, s:b}",
		"id", hash_json(c->id), "owner", address_json(c->owner), "proposed_owner",
		address_json(c->pending_owner), "guardian", address_json(c->guardian),
		"paused", c->paused, "successor", hash_json(c->superseded), "members",
		(json_int_t)c->members, "members_tip", tip(c, CHAIN_MEMBERS), "admin_tip",
		tip(c, CHAIN_ADMIN), "proved", c->proved);

	json_object_set_new(out, "rules",
		json_pack("{s:I, s:I, s:i, s:i, s:i, s:b}", "threshold",
			(json_int_t)c->config.threshold, "max_ttl",
			(json_int_t)c->config.max_ttl, "min_v4", c->config.limits.min_v4,
			"min_v6", c->config.limits.min_v6, "min_e164",
			c->config.limits.min_e164, "allow_unroutable",
			c->config.limits.allow_unroutable));
	json_object_update(out, more);
	json_decref(more);
	return out;
}

static void line(const char *label, const char *value, const char *otherwise)
{
	printf("%-16s%s\n", label, *value ? shown(value) : otherwise);
}

static void tip_line(const char *label, const json_t *t)
{
	printf("%-16s%s after %lld, in block %lld\n", label, text_of(t, "hash"),
		number_of(t, "seq"), number_of(t, "block"));
}

static void state_print(const json_t *o)
{
	const json_t *rules = json_object_get(o, "rules");
	char ttl[32];

	line("contract", text_of(o, "contract"), "-");
	printf("version         %lld\n", number_of(o, "version"));
	line("code", text_of(o, "code_hash"), "-");
	printf("chain           %lld, as %s says at block %lld\n",
		number_of(o, "chain_id"), shown(text_of(o, "endpoint")),
		number_of(o, "block"));
	line("genesis", text_of(o, "genesis"), "-");
	line("id", text_of(o, "id"), "-");
	line("owner", text_of(o, "owner"), "-");
	line("proposed owner", text_of(o, "proposed_owner"), "none");
	line("guardian", text_of(o, "guardian"), "none");
	printf("rules           threshold %lld, max-ttl %s, min-v4 %lld, min-v6 %lld, "
	       "min-e164 %lld, unroutable %s\n",
		number_of(rules, "threshold"),
		duration_print(ttl, (uint64_t)number_of(rules, "max_ttl")),
		number_of(rules, "min_v4"), number_of(rules, "min_v6"),
		number_of(rules, "min_e164"),
		is_true(rules, "allow_unroutable") ? "accepted" : "refused");
	line("paused", is_true(o, "paused") ? "yes" : "no", "-");
	line("successor", text_of(o, "successor"), "none");
	printf("members         %lld\n", number_of(o, "members"));
	tip_line("members' tip", json_object_get(o, "members_tip"));
	tip_line("admin tip", json_object_get(o, "admin_tip"));
	line("proof",
		is_true(o, "proved") ?
			"owner and tips are proved against the block's state root" :
			"not served by this endpoint",
		"-");
}

/* Open it and ask; the session is the caller's. Returns an exit code. */
static int ask_contract(struct invocation *in, struct choice *choice,
	struct session **session, struct contract_state *state)
{
	struct session_failure why = {0};
	int rc = -1, code = choice_make(choice, in, 0);

	if (code)
		return code;
	if (choice->config.ledger.type != CONFIG_LEDGER_ETHEREUM)
		return failure(CONTROL_USAGE,
			"this ledger is a file; give --endpoint URL and --contract 0xADDRESS, "
			"or a configuration of [ledger] type = ethereum");
	progress_begin("asking the contract");
	*session = session_open(&choice->config.ledger.ethereum, &why);
	if (*session)
		rc = contract_state_read(*session, state, &why);
	progress_end();
	return rc ? session_failed(&why) : 0;
}

int run_contract_info(struct invocation *in)
{
	struct contract_state state = {0};
	struct session *s = NULL;
	struct choice choice = {0};
	json_t *out;
	int code = ask_contract(in, &choice, &s, &state);

	if (!code) {
		out = state_json(s, &state);
		if (given(in, OPTION_JSON))
			print_json(out);
		else
			state_print(out);
		json_decref(out);
	}
	session_close(s);
	choice_free(&choice);
	return code;
}

int run_contract_verify(struct invocation *in)
{
	struct contract_state state = {0};
	struct session *s = NULL;
	struct choice choice = {0};
	uint8_t ours[HASH_SIZE];
	json_t *out;
	int code = ask_contract(in, &choice, &s, &state);

	if (code)
		goto done;
	abi_code_hash(ours);
	if (memcmp(ours, session_settings(s)->code_hash, HASH_SIZE)) {
		code = failure(CONTROL_WRONG_CODE,
			"the code is the one that the configuration pins, but not the one "
			"of this sipchain: it was built from other sources");
		goto done;
	}
	out = state_json(s, &state);
	json_object_set_new(out, "verified", json_true());
	json_object_set_new(out, "pinned", json_boolean(choice.configured));
	if (given(in, OPTION_JSON))
		print_json(out);
	else
		printf("the contract at %s is right:\n"
		       "code            byte for byte what this sipchain was built with\n"
		       "version         %llu\n"
		       "chain, genesis  %s\n"
		       "storage         owner and tips stand where they must%s\n",
			text_of(out, "contract"), (unsigned long long)state.version,
			choice.configured ? "what the configuration pins" :
					    "not pinned: no configuration was read",
			state.proved ? ", proved against the block's state root" :
				       " (this endpoint serves no proofs)");
	json_decref(out);
done:
	session_close(s);
	choice_free(&choice);
	return code;
}
