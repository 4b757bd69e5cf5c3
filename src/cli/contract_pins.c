/* SPDX-License-Identifier: Apache-2.0 */
/* What pins a ledger on a chain, found out and written down. */
#include "cli/contract.h"

#include "daemon/config_schema.h"
#include "ledger/ethereum/fee.h"

/*
 * The mixHash of every block of IBFT, IBFT 2.0 and QBFT, the Istanbul digest:
 * "ctical byzantine fault tolerance" in ASCII (EIP-650).
 */
#define ISTANBUL "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"

#define DEPTH_DEFAULT 12 /* where nothing is known of a chain's forks */

/* --- as a configuration's text --- */

static int print_key(struct buffer *out, const struct config *c,
	const struct config *usual, const struct config_key *k, bool secrets)
{
	unsigned flags = secrets ? CONFIG_PRINT_ENDPOINTS : 0;
	struct buffer value = {0}, same = {0};
	int rc = 0;

	for (size_t i = 0; i < config_value_count(c, k); i++) {
		value.n = same.n = 0;
		rc |= config_value_print(&value, c, k, i, flags);
		if (!(k->flags & CONFIG_REPEATED))
			rc |= config_value_print(&same, usual, k, i, flags);
		if (view_eq(view_of(value.p, value.n), view_of(same.p, same.n)) &&
			strcmp(k->name, "final"))
			continue;
		if (!strcmp(k->name, "max_fee"))
			buffer_printf(out,
				"# Gwei a gas that are offered at most; while the chain asks "
				"more, reports wait.\n");
		rc |= buffer_printf(out, "%s = %.*s\n", k->name, (int)value.n,
			value.n ? (const char *)value.p : "");
	}
	buffer_free(&same);
	buffer_free(&value);
	return rc ? -1 : 0;
}

int ledger_section(struct buffer *out, const struct ethereum_settings *s, bool secrets)
{
	static struct config c, usual;
	int rc = 0;

	config_defaults(&c);
	config_defaults(&usual);
	c.ledger.ethereum = *s;
	buffer_printf(out, "[ledger]\ntype = ethereum\n");
	for (size_t i = 0; i < config_keys_count; i++)
		if (config_keys[i].flags & CONFIG_CHAIN)
			rc |= print_key(out, &c, &usual, &config_keys[i], secrets);
	config_free(&c);
	return rc || out->failed ? -1 : 0;
}

/* --- what the chain is like --- */

enum { ASK_HEAD, ASK_FINALIZED, ASK_CLIENT, ASK_PRICE, ASK_COUNT };

static const char *probe_finality(const struct question *q, struct ethereum_settings *out)
{
	const char *mix = json_string_value(
		json_object_get(q[ASK_HEAD].answer, "mixHash"));
	const char *client = json_string_value(q[ASK_CLIENT].answer);
	struct header finalized;

	out->finality = FINALITY_DEPTH;
	out->depth = 0;
	if (mix && !strcmp(mix, ISTANBUL))
		return "an IBFT or QBFT chain: a block is final at once";
	if (client && (!strncmp(client, "anvil", 5) || !strncmp(client, "Hardhat", 7)))
		return "a development node: its blocks are taken as final at once";
	if (!header_parse(&finalized, q[ASK_FINALIZED].answer, NULL)) {
		out->finality = FINALITY_FINALIZED;
		return "final: the chain's own tag";
	}
	out->depth = DEPTH_DEFAULT;
	return "final: nothing is known of this chain's forks; ask who runs it";
}

const char *probe_chain(struct session *s, struct ethereum_settings *out)
{
	struct question q[ASK_COUNT] = {
		[ASK_HEAD] = {.method = "eth_getBlockByNumber",
			.params = json_pack("[s, b]", "latest", 0)},
		[ASK_FINALIZED] = {.method = "eth_getBlockByNumber",
			.params = json_pack("[s, b]", "finalized", 0)},
		[ASK_CLIENT] = {.method = "web3_clientVersion", .params = json_array()},
		[ASK_PRICE] = {.method = "eth_gasPrice", .params = json_array()},
	};
	struct header head;
	const char *remark;
	uint64_t price = 0;

	session_ask(s, q, ASK_COUNT);
	remark = probe_finality(q, out);
	if (!header_parse(&head, q[ASK_HEAD].answer, NULL) && !head.base_fee &&
		!quantity_parse(&price, q[ASK_PRICE].answer) && !price)
		out->zero_fee = true;
	questions_free(q, ASK_COUNT);
	if (!out->zero_fee && !out->max_fee && !session_price(s, &price))
		out->max_fee = fee_pin(price);
	return remark;
}

/* --- since when --- */

/* Whether there is code as of a block: 1, 0; -1 with *why. */
static int has_code(struct session *s, uint64_t block, struct session_failure *why)
{
	char address[2 * ADDRESS20 + 3], number[QUANTITY_TEXT];
	json_t *code;
	int rc;

	fixed_print(address, session_settings(s)->contract, ADDRESS20);
	code = session_call(s, "eth_getCode",
		json_pack("[s, s]", address, quantity_print(number, block)), why);
	if (!code)
		return -1;
	rc = json_string_length(code) > 2;
	json_decref(code);
	return rc;
}

static void take_first(void *context, const struct ledger_event *event)
{
	if (event->operation.type == OP_GENESIS)
		*(uint64_t *)context = event->block;
}

int find_deployment(struct session *s, uint64_t *block, struct session_failure *why)
{
	uint64_t low = 0, high = session_head(s)->number;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int code = has_code(s, middle, why);

		if (code < 0 && why->fault != SESSION_FAILED)
			return -1;
		if (code < 0) {
			*block = 0;
			return session_read(s, true, 0, take_first, block, why);
		}
		if (code)
			high = middle;
		else
			low = middle + 1;
	}
	*block = low;
	return 0;
}
