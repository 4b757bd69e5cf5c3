/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain key balance: what a key's account holds on the chain. */
#include "cli/choice.h"
#include "cli/exit.h"
#include "ledger/ethereum/fee.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ADDRESS, a key file, --key, or [member] key. Returns an exit code. */
static int find_address(
	struct invocation *in, const struct choice *c, uint8_t address[ADDRESS20])
{
	const char *path = option(in, OPTION_KEY, c->config.member.key);
	struct signer *s;
	int code;

	if (in->count && !strncmp(in->arguments[0], "0x", 2))
		return address20_parse(address, view_str(in->arguments[0]), &in->error) ?
			failure(CONTROL_USAGE, "%s", in->error.text) :
			0;
	if (in->count)
		path = in->arguments[0];
	if (!path[0])
		return failure(CONTROL_USAGE,
			"whose balance? give an address or a key file: the configuration has "
			"no [member] key");
	code = file_permitted(path, R_OK);
	if (code)
		return code;
	s = signer_open(path, &in->error);
	if (!s)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	memcpy(address, signer_address(s), ADDRESS20);
	signer_free(s);
	return 0;
}

/* How many reports of so much gas the purse pays for; UINT32_MAX or more: that. */
static uint32_t lasts(const uint8_t wei[32], uint64_t price, uint64_t gas)
{
	__extension__ typedef unsigned __int128 wide;
	wide purse = (wide)be64_load(wei + 16) << 64 | be64_load(wei + 24);
	wide reports = purse / ((wide)price * gas);

	return !bytes_zero(wei, 16) || reports > UINT32_MAX ? UINT32_MAX :
							      (uint32_t)reports;
}

static void json_out(const char *address, const char *coins, const uint8_t wei[32],
	const struct session *s, const uint64_t *price)
{
	char fee[24];
	json_t *out = json_pack("{s:s, s:s, s:I, s:s}", "address", address, "balance",
		coins, "chain_id", (json_int_t)session_settings(s)->chain_id, "endpoint",
		session_endpoint(s));

	if (price) {
		snprintf(fee, sizeof fee, "%" PRIu64, *price);
		json_object_set_new(out, "gas_price", json_string(fee));
	}
	if (price && *price) {
		json_object_set_new(out, "reports_new",
			json_integer(lasts(wei, *price, GAS_REPORT_NEW)));
		json_object_set_new(out, "reports_reused",
			json_integer(lasts(wei, *price, GAS_REPORT_REUSED)));
	}
	print_json(out);
	json_decref(out);
}

static void text_out(const char *address, const char *coins, const uint8_t wei[32],
	const uint64_t *price)
{
	char fee[FEE_TEXT];

	printf("%s holds %s coins\n", address, coins);
	if (price && *price)
		printf("at %s a gas, as now, that pays for %" PRIu32
		       " reports in new cells or %" PRIu32
		       " in used ones (in batches of 100)\n",
			fee_print(fee, *price), lasts(wei, *price, GAS_REPORT_NEW),
			lasts(wei, *price, GAS_REPORT_REUSED));
	else if (price)
		printf("the chain asks nothing for gas\n");
}

static int ask_balance(
	struct invocation *in, const struct choice *c, const uint8_t address[ADDRESS20])
{
	struct ethereum_settings settings = c->config.ledger.ethereum;
	char text[ADDRESS20_TEXT], coins[COINS_TEXT];
	struct session_failure why = {0};
	struct session *s;
	uint8_t wei[32];
	uint64_t asked;
	const uint64_t *price;
	int rc = -1;

	/* The chain is asked, not the ledger: a purse may come before it. */
	memset(settings.contract, 0, ADDRESS20);
	s = session_open(&settings, &why);
	if (s)
		rc = session_balance(s, address, wei, &why);
	if (rc) {
		session_close(s);
		return session_failed(&why);
	}
	address20_print(text, address);
	coins_print(coins, wei);
	price = session_price(s, &asked) ? NULL : &asked;
	if (given(in, OPTION_JSON))
		json_out(text, coins, wei, s, price);
	else
		text_out(text, coins, wei, price);
	session_close(s);
	return 0;
}

int run_key_balance(struct invocation *in)
{
	uint8_t address[ADDRESS20];
	struct choice c;
	int code = choice_make(&c, in, CHOICE_NO_CONTRACT);

	if (code)
		return code;
	code = find_address(in, &c, address);
	if (!code)
		code = ask_balance(in, &c, address);
	choice_free(&c);
	return code;
}
