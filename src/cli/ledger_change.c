/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain ledger config, guardian, owner-propose, owner-accept, supersede */
#include <string.h>

#include "base/hex.h"
#include "base/units.h"
#include "cli/desk.h"
#include "cli/rules.h"

int run_ledger_config(struct invocation *in)
{
	struct operation op = {.type = OP_CONFIG};
	char done[160], ttl[32];
	struct desk d;
	int code, changes;

	/* Slips are told before a ledger is opened; against any configuration. */
	changes = rules_change(&op.config, in);
	if (changes < 0)
		return failure(CONTROL_USAGE, "%s", in->error.text);
	if (!changes)
		return failure(CONTROL_USAGE,
			"what is to be changed? for example: %s; `sipchain ledger show` "
			"shows what is in force",
			in->command->example);
	code = desk_open(&d, in, DESK_SIGNS);
	if (code)
		return code;
	op.config = *registry_config(desk_registry(&d));
	rules_change(&op.config, in);
	snprintf(done, sizeof done,
		"threshold %u, max-ttl %s, min-v4 %u, min-v6 %u, min-e164 %u",
		op.config.threshold, duration_print(ttl, op.config.max_ttl),
		op.config.limits.min_v4, op.config.limits.min_v6,
		op.config.limits.min_e164);
	code = desk_append(&d, in, &op, "the configuration", done);
	desk_close(&d);
	return code;
}

/* One operation about an address, the first argument. zero: what that means. */
static int about_address(struct invocation *in, uint8_t type, const char *subject,
	const char *more, const char *zero)
{
	static const uint8_t nobody[ADDRESS20];
	struct operation op = {.type = type};
	char address[ADDRESS20_TEXT], done[ADDRESS20_TEXT + 160];
	struct desk d;
	int code;

	if (address20_parse(op.address, view_str(in->arguments[0]), &in->error))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	code = desk_open(&d, in, DESK_SIGNS);
	if (code)
		return code;
	snprintf(done, sizeof done, "%s%s", address20_print(address, op.address), more);
	code = desk_append(&d, in, &op, subject,
		memcmp(op.address, nobody, ADDRESS20) ? done : zero);
	desk_close(&d);
	return code;
}

int run_ledger_guardian(struct invocation *in)
{
	return about_address(in, OP_GUARDIAN, "the guardian", "",
		"nobody: only the owner may suspend and pause");
}

int run_ledger_owner_propose(struct invocation *in)
{
	return about_address(in, OP_OWNER_PROPOSE, "the proposed owner",
		", the owner from `sipchain ledger owner-accept` with that key on",
		"nobody: the proposal is taken back");
}

int run_ledger_owner_accept(struct invocation *in)
{
	struct operation op = {.type = OP_OWNER_ACCEPT};
	char address[ADDRESS20_TEXT];
	struct desk d;
	int code = desk_open(&d, in, DESK_SIGNS);

	if (code)
		return code;
	code = desk_append(&d, in, &op, "the owner",
		address20_print(address, signer_address(d.signer)));
	desk_close(&d);
	return code;
}

int run_ledger_supersede(struct invocation *in)
{
	struct operation op = {.type = OP_SUPERSEDE};
	char next[2 * HASH_SIZE + 1], done[2 * HASH_SIZE + 160];
	struct desk d;
	int code;

	if (hex_decode(op.next, HASH_SIZE, view_str(in->arguments[0])))
		return failure(CONTROL_USAGE,
			"%s: give the successor's ledger id, 64 hex digits, as `sipchain "
			"ledger show` prints it there",
			shown(in->arguments[0]));
	if (!given(in, OPTION_YES))
		return failure(CONTROL_USAGE,
			"this ends reporting on the ledger for ever and cannot be taken "
			"back; add --yes if that is meant");
	code = desk_open(&d, in, DESK_SIGNS);
	if (code)
		return code;
	if (!memcmp(op.next, registry_id(desk_registry(&d)), HASH_SIZE)) {
		desk_close(&d);
		return failure(CONTROL_FAILED,
			"that is this ledger's own id; give the successor's");
	}
	snprintf(done, sizeof done,
		"superseded by %s: nothing but revocations goes through, and what is "
		"live lives on until its expiry",
		hex_encode(next, op.next, HASH_SIZE));
	code = desk_append(&d, in, &op, "the ledger", done);
	desk_close(&d);
	return code;
}
