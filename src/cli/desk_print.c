/* SPDX-License-Identifier: Apache-2.0 */
/* What a transaction was, where it is, and what it costs. */
#include "cli/desk.h"

#include <string.h>

#include "api/answer.h"
#include "base/hex.h"

void transaction_print(const struct desk *d, const struct invocation *in)
{
	const struct session_receipt *r = &d->receipt;
	char hash[2 * HASH_SIZE + 3];
	struct buffer link = {0};

	if (!given(in, OPTION_TX))
		return;
	if (!d->session) {
		printf("transaction     none: this ledger is a file\n");
		return;
	}
	printf("transaction     %s\n", fixed_print(hash, r->transaction, HASH_SIZE));
	if (r->block)
		printf("block           %llu\ngas             %llu\n",
			(unsigned long long)r->block, (unsigned long long)r->gas_used);
	else
		printf("block           not waited for\n");
	explorer_link(&link, session_settings(d->session)->explorer, r->transaction);
	if (link.n)
		printf("link            %s\n", shown((const char *)link.p));
	buffer_free(&link);
}

void transaction_json(const struct desk *d, json_t *out)
{
	const struct session_receipt *r = &d->receipt;

	if (!d->session)
		return;
	answer_transaction(
		out, r->transaction, r->block, session_settings(d->session)->explorer);
	if (r->block)
		json_object_set_new(
			out, "gas_used", json_integer((json_int_t)r->gas_used));
}

void dry_run_print(const struct desk *d, struct invocation *in, const char *what)
{
	char address[ADDRESS20_TEXT];
	json_t *out;

	address20_print(address, signer_address(d->signer));
	if (!given(in, OPTION_JSON)) {
		printf("%s; nothing was written\n", what);
		if (d->session)
			printf("cost            %s\n%-16s%s coins\n", d->cost.text,
				"the key holds", d->cost.purse);
		return;
	}
	out = json_pack("{s:b, s:b, s:s, s:s}", "dry_run", 1, "accepted", 1, "signer",
		address, "text", what);
	if (d->session) {
		json_object_set_new(out, "gas", json_integer((json_int_t)d->cost.gas));
		json_object_set_new(out, "fee", json_integer((json_int_t)d->cost.fee));
		json_object_set_new(out, "cost", json_string(d->cost.text));
		json_object_set_new(out, "balance", json_string(d->cost.purse));
	}
	print_json(out);
	json_decref(out);
}
