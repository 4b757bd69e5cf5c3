/* SPDX-License-Identifier: Apache-2.0 */
/* A desk at a ledger on a chain. */
#include "cli/desk.h"

#include <string.h>

#include "base/clock.h"
#include "ledger/ethereum/abi.h"

int desk_open_chain(struct desk *d, unsigned flags)
{
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);

	if (flags & DESK_UNREAD)
		return 0;
	d->session = session_open(&d->choice.config.ledger.ethereum, &d->why);
	if (!d->session)
		return -1;
	return session_read(d->session, false, now, NULL, NULL, &d->why);
}

int desk_submit_chain(
	struct desk *d, struct invocation *in, struct operation *op, unsigned wait_ms)
{
	bool dry = given(in, OPTION_DRY_RUN);
	struct buffer call = {0};
	int rc;

	if (abi_operation_call(&call, op)) {
		buffer_free(&call);
		return session_fail(&d->why, SESSION_FAILED, "out of memory");
	}
	rc = session_transact(d->session, view_of(call.p, call.n), false, d->signer, dry,
		wait_ms, NULL, NULL, &d->cost, &d->receipt, &d->why);
	buffer_free(&call);
	if (rc || dry || !d->receipt.block)
		return rc;
	if (!d->receipt.operated || d->receipt.type != op->type)
		return session_fail(&d->why, SESSION_LIED,
			"%s: the transaction is in block %llu, but its receipt holds no such "
			"operation; see `sipchain ledger verify`",
			session_endpoint(d->session),
			(unsigned long long)d->receipt.block);
	op->seq = d->receipt.seq;
	op->time = d->receipt.time;
	memcpy(op->actor, signer_address(d->signer), ADDRESS20);
	return 0;
}
