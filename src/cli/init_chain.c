/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain init --endpoint URL --contract 0x...: a node for that ledger. */
#include "cli/choice.h"
#include "cli/contract.h"
#include "cli/init.h"
#include "ledger/ethereum/fee.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Ask the chain for what pins the ledger. Returns an exit code. */
static int find_pins(struct setup *s, struct invocation *in)
{
	struct session_failure why = {0};
	struct session *session;
	struct choice choice;
	uint64_t deployed = 0;
	int rc = -1, code = choice_make(&choice, in, 0);

	if (code)
		return code;
	progress_begin("asking the chain");
	session = session_open(&choice.config.ledger.ethereum, &why);
	if (session)
		rc = find_deployment(session, &deployed, &why);
	if (!rc) {
		s->pins = *session_settings(session);
		s->pins.deployed = deployed;
		s->remark = probe_chain(session, &s->pins);
	}
	progress_end();
	session_close(session);
	choice_free(&choice);
	return rc ? session_failed(&why) : 0;
}

static void json_out(const struct setup *s)
{
	char contract[ADDRESS20_TEXT], genesis[2 * HASH_SIZE + 3];
	char code[2 * HASH_SIZE + 3];
	json_t *out = json_pack(
		"{s:s, s:I, s:s, s:s, s:I, s:s, s:{s:s, s:s, s:s, s:b, s:s}}", "contract",
		address20_print(contract, s->pins.contract), "chain_id",
		(json_int_t)s->pins.chain_id, "genesis",
		fixed_print(genesis, s->pins.genesis, HASH_SIZE), "code_hash",
		fixed_print(code, s->pins.code_hash, HASH_SIZE), "deployed",
		(json_int_t)s->pins.deployed, "remark", s->remark, "node", "name",
		s->name, "key", s->member_key, "address", s->member_address, "key_made",
		s->member_made, "configuration", s->config);

	print_json(out);
	json_decref(out);
}

static void fees_out(const struct ethereum_settings *s)
{
	char fee[FEE_TEXT], cost[FEE_TEXT];

	if (s->zero_fee)
		printf("fees            none: this chain takes transactions without\n");
	else if (s->max_fee)
		printf("fees            at most %s a gas ([ledger] max_fee): a batch of 100 "
		       "new reports costs up to %s\n",
			fee_print(fee, s->max_fee),
			fee_coin_print(cost, 100 * GAS_REPORT_NEW, s->max_fee));
	else
		printf("fees            the chain asks more than %s a gas, or does not say: "
		       "set [ledger] max_fee, or no more than that is offered\n",
			fee_print(fee, FEE_LIMIT));
}

static void text_out(const struct setup *s)
{
	char contract[ADDRESS20_TEXT], hash[2 * HASH_SIZE + 3];

	printf("ledger          %s on chain %llu, since block %llu\n",
		address20_print(contract, s->pins.contract),
		(unsigned long long)s->pins.chain_id,
		(unsigned long long)s->pins.deployed);
	printf("genesis         %s\n", fixed_print(hash, s->pins.genesis, HASH_SIZE));
	printf("code            %s\n", fixed_print(hash, s->pins.code_hash, HASH_SIZE));
	printf("finality        %s\n", s->remark);
	fees_out(&s->pins);
	printf("this node       %s (%s %s)\nconfiguration   %s\n", s->member_address,
		s->member_made ? "new key in" : "key of", s->member_key, s->config);
	printf("\nnext, by the ledger's owner:\n  sipchain member add --key owner.key "
	       "--name '%s' --signer %s\nthen here:\n",
		shown(s->name), s->member_address);
	if (s->user_missing)
		printf("  systemd-sysusers || adduser --system --group sipchain\n");
	if (s->root)
		printf("  systemctl enable --now sipchaind\n  sipchain status\n");
	else
		printf("  sipchaind -c %s\n  sipchain status --config %s\n", s->config,
			s->config);
	if (!s->pins.zero_fee)
		printf("The key pays for its transactions: `sipchain key balance` shows what "
		       "it holds.\n");
}

int run_init_chain(struct invocation *in)
{
	static struct setup s;
	int code = CONTROL_USAGE;

	if (given(in, OPTION_LEDGER) || given(in, OPTION_OWNER_KEY))
		return failure(CONTROL_USAGE,
			"--ledger and --owner-key make a local ledger; with --endpoint the "
			"ledger is there already (`sipchain contract deploy` makes one)");
	if (!given(in, OPTION_ENDPOINT) || !given(in, OPTION_CONTRACT))
		return failure(CONTROL_USAGE,
			"--endpoint URL and --contract 0xADDRESS belong together");
	s.root = geteuid() == 0;
	s.node = s.chain = true;
	/* The chain first: a wrong address should not cost a person ten answers. */
	code = find_pins(&s, in);
	if (code)
		return code;
	if (setup_choose_node(&s, in))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	code = setup_make_chain(&s, in);
	if (code)
		return code;
	if (given(in, OPTION_JSON))
		json_out(&s);
	else
		text_out(&s);
	explicit_bzero(&s, sizeof s);
	return 0;
}
