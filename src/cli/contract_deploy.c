/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain contract deploy: a new ledger on a chain. */
#include "cli/contract.h"
#include "cli/desk.h"
#include "cli/new_file.h"
#include "cli/rules.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ethereum/transaction.h"

struct deployment {
	struct invocation *in;
	struct choice choice;
	struct session *session;
	struct signer *owner;
	struct ledger_config rules;
	uint8_t guardian[ADDRESS20];
	struct session_cost cost;
	struct session_receipt receipt;
	struct session_failure why;
	const char *remark; /* on the chain's finality */
	unsigned block_ms;
	bool declined;
};

/* The price is shown before it is paid; a person says yes. */
static bool before(void *context, const struct session_cost *cost)
{
	struct deployment *d = context;
	char address[ADDRESS20_TEXT], answer[16] = "";

	progress_end();
	if (given(d->in, OPTION_DRY_RUN) || given(d->in, OPTION_JSON))
		return true;
	printf("owner           %s\nchain           %llu, %s\ncost            %s\n"
	       "the owner holds %s coins\n",
		address20_print(address, signer_address(d->owner)),
		(unsigned long long)session_settings(d->session)->chain_id,
		shown(session_endpoint(d->session)), cost->text, cost->purse);
	if (given(d->in, OPTION_YES))
		return true;
	fflush(stdout);
	fprintf(stderr, "Create the contract? [no]: ");
	if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	d->declined = true;
	return false;
}

/* Options, key, chain. Returns 0 or an exit code, having said why. */
static int prepare(struct deployment *d)
{
	struct invocation *in = d->in;
	bool guarded;
	int code;

	if (!given(in, OPTION_KEY))
		return failure(CONTROL_USAGE,
			"--key FILE is missing: the key of the ledger's owner");
	if (rules_make(&d->rules, in) || option_guardian(in, d->guardian, &guarded))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	if (!given(in, OPTION_YES) && !given(in, OPTION_DRY_RUN) &&
		(given(in, OPTION_JSON) || !isatty(STDIN_FILENO)))
		return failure(CONTROL_USAGE,
			"this spends money and there is nobody to ask: give --yes, or "
			"--dry-run to see the cost");
	if (given(in, OPTION_CONFIG_OUT) &&
		!access(option(in, OPTION_CONFIG_OUT, ""), F_OK))
		return failure(CONTROL_FAILED,
			"%s exists already; choose another --config-out, or move it away",
			shown(option(in, OPTION_CONFIG_OUT, "")));
	code = option_timeout(in, &d->block_ms);
	if (!code)
		code = choice_make(&d->choice, in, CHOICE_NO_CONTRACT);
	if (code)
		return code;
	memset(d->choice.config.ledger.ethereum.contract, 0, ADDRESS20);
	memset(d->choice.config.ledger.ethereum.code_hash, 0, HASH_SIZE);
	code = file_permitted(option(in, OPTION_KEY, ""), R_OK);
	if (code)
		return code;
	d->owner = signer_open(option(in, OPTION_KEY, ""), &in->error);
	if (!d->owner)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	if (!guarded)
		memcpy(d->guardian, signer_address(d->owner), ADDRESS20);
	d->session = session_open(&d->choice.config.ledger.ethereum, &d->why);
	return d->session ? 0 : session_failed(&d->why);
}

/* Returns 0 or -1 with d->why. */
static int create(struct deployment *d)
{
	struct buffer code = {0};
	int rc;

	if (abi_creation(&code, &d->rules, d->guardian)) {
		buffer_free(&code);
		return session_fail(&d->why, SESSION_FAILED, "out of memory");
	}
	progress_begin("creating the contract");
	rc = session_transact(d->session, view_of(code.p, code.n), true, d->owner,
		given(d->in, OPTION_DRY_RUN), d->block_ms, before, d, &d->cost,
		&d->receipt, &d->why);
	progress_end();
	buffer_free(&code);
	return rc;
}

/*
 * What was created, into the settings that pin it: the code is asked for and
 * compared, whatever the receipt says. 0 or -1 with d->why.
 */
static int pin(struct deployment *d, struct ethereum_settings *pins)
{
	struct session *checked;

	*pins = *session_settings(d->session);
	memcpy(pins->contract, d->receipt.contract, ADDRESS20);
	pins->deployed = d->receipt.block;
	d->remark = probe_chain(d->session, pins);
	pins->zero_fee = pins->zero_fee || given(d->in, OPTION_ZERO_FEE);
	checked = session_open(pins, &d->why);
	if (!checked)
		return -1;
	memcpy(pins->code_hash, session_settings(checked)->code_hash, HASH_SIZE);
	session_close(checked);
	return 0;
}

/* --config-out. Returns 0 or -1 with in->error. */
static int write_section(struct invocation *in, const struct ethereum_settings *pins)
{
	const char *path = option(in, OPTION_CONFIG_OUT, "");
	struct buffer text = {0};
	int rc = -1;

	if (ledger_section(&text, pins, true))
		error_set(&in->error, "out of memory");
	/* The endpoints may hold secrets. */
	else if (new_file_write(path, 0600, view_of(text.p, text.n)))
		error_set(&in->error, "%s: %s", shown(path), strerror(errno));
	else
		rc = 0;
	buffer_free(&text);
	return rc;
}

static void json_out(const struct deployment *d, const struct ethereum_settings *pins)
{
	char address[ADDRESS20_TEXT], owner[ADDRESS20_TEXT];
	char transaction[2 * HASH_SIZE + 3], code[2 * HASH_SIZE + 3];
	char genesis[2 * HASH_SIZE + 3];
	json_t *out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:s}", "contract",
		address20_print(address, pins->contract), "owner",
		address20_print(owner, signer_address(d->owner)), "transaction",
		fixed_print(transaction, d->receipt.transaction, HASH_SIZE), "block",
		(json_int_t)d->receipt.block, "gas_used", (json_int_t)d->receipt.gas_used,
		"code_hash", fixed_print(code, pins->code_hash, HASH_SIZE), "chain_id",
		(json_int_t)pins->chain_id, "genesis",
		fixed_print(genesis, pins->genesis, HASH_SIZE));

	print_json(out);
	json_decref(out);
}

static void text_out(const struct deployment *d, const struct ethereum_settings *pins)
{
	char address[ADDRESS20_TEXT], hash[2 * HASH_SIZE + 3];
	struct buffer section = {0};

	printf("contract        %s\nblock           %llu, %llu gas\n",
		address20_print(address, pins->contract),
		(unsigned long long)d->receipt.block,
		(unsigned long long)d->receipt.gas_used);
	printf("code            %s\n", fixed_print(hash, pins->code_hash, HASH_SIZE));
	if (given(d->in, OPTION_TX))
		printf("transaction     %s\n",
			fixed_print(hash, d->receipt.transaction, HASH_SIZE));
	if (given(d->in, OPTION_CONFIG_OUT)) {
		printf("configuration   %s\n",
			shown(option(d->in, OPTION_CONFIG_OUT, "")));
		return;
	}
	if (!ledger_section(&section, pins, false))
		printf("\n# For every node's configuration (%s):\n%.*s", d->remark,
			(int)section.n, (const char *)section.p);
	buffer_free(&section);
}

/* With everything ready. Returns an exit code, having said why. */
static int deploy(struct deployment *d)
{
	static struct ethereum_settings pins;
	char dry[128];
	int code = 0;

	if (create(d))
		return d->declined ? failure(CONTROL_FAILED, "nothing was created") :
				     session_failed(&d->why);
	if (given(d->in, OPTION_DRY_RUN)) {
		struct desk shown_as = {
			.session = d->session, .signer = d->owner, .cost = d->cost};

		snprintf(dry, sizeof dry, "the contract would be created");
		dry_run_print(&shown_as, d->in, dry);
		return 0;
	}
	if (pin(d, &pins))
		return failure(session_exit(&d->why),
			"transaction sent, but what is there is not what was sent: %s",
			d->why.error.text);
	if (given(d->in, OPTION_CONFIG_OUT) && write_section(d->in, &pins))
		code = failure(CONTROL_FAILED, "%s", d->in->error.text);
	/* The address is worth more than the file: it is always told. */
	if (given(d->in, OPTION_JSON))
		json_out(d, &pins);
	else
		text_out(d, &pins);
	explicit_bzero(&pins, sizeof pins);
	return code;
}

int run_contract_deploy(struct invocation *in)
{
	struct deployment d = {.in = in};
	int code = prepare(&d);

	if (!code)
		code = deploy(&d);
	session_close(d.session);
	signer_free(d.owner);
	choice_free(&d.choice);
	return code;
}
