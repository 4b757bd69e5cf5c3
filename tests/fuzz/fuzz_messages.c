/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles sense, ledger, enforce and deliver tell the node, when one of them
 * has been broken into: a list of messages
 *
 *   from u8 | type u8 | length u16 little-endian | bytes
 *
 * from 0: sense, 1: ledger, 2: enforce, 3: one second goes by, 8: deliver. With 4 added
 * the bytes are cut or filled with zeros to a length that the type may have.
 */
#include <stdlib.h>

#include "daemon/node_webhook_state.h"
#include "node_for_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define HEAD         4
#define MESSAGES_MAX 64

/* A length that is right for a type; 0: as it is given. */
static size_t right_length(uint8_t type, size_t n)
{
	switch (type) {
	case MSG_OBSERVATIONS:
		return (1 + n / sizeof(struct observation)) * sizeof(struct observation);
	case MSG_POSITION:
		return sizeof(struct log_position);
	case MSG_SENSE_FIGURES:
		return sizeof(struct sense_figures);
	case MSG_HONEYPOT:
		return sizeof(struct honeypot_status);
	case MSG_SOURCE:
		return sizeof(struct source_status);
	case MSG_TRUNKS:
		return sizeof(struct trunks_header) +
			n / sizeof(struct trunk_entry) * sizeof(struct trunk_entry);
	case MSG_LEDGER_SELF:
		return sizeof(struct ledger_self);
	case MSG_WINDOW:
		return sizeof(struct ledger_window);
	case MSG_UNDO:
	case MSG_CAUGHT_UP:
		return sizeof(uint32_t);
	case MSG_FATE:
		return sizeof(struct ledger_fate);
	case MSG_TROUBLE:
		return sizeof(struct ledger_trouble);
	case MSG_ENFORCE_READY:
		return sizeof(struct enforce_self);
	case MSG_COUNTERS:
		return (1 + n / sizeof(struct nft_counter)) * sizeof(struct nft_counter);
	case MSG_POSTED:
		return sizeof(struct batch_done);
	case MSG_WEBHOOKS:
		return (1 + n / sizeof(struct webhook_self)) *
			sizeof(struct webhook_self);
	default:
		return 0;
	}
}

static void tell(struct node *n, uint8_t from, uint8_t type, struct view v)
{
	size_t length = from & 4 ? right_length(type, v.n) : 0;
	uint8_t *bytes;

	if (!length)
		length = v.n;
	bytes = calloc(1, length + 1);
	if (!bytes)
		abort();
	if (v.n)
		memcpy(bytes, v.p, v.n < length ? v.n : length);
	switch (from & 8 ? 8 : from & 3) {
	case 8:
		node_webhooks_message(n, type, view_of(bytes, length));
		break;
	case 0:
		node_sense_message(n, type, view_of(bytes, length));
		break;
	case 1:
		node_ledger_message(n, type, view_of(bytes, length));
		break;
	case 2:
		node_enforce_message(n, type, view_of(bytes, length));
		break;
	default:
		node_sense_due(n);
		node_allow_flush(n);
		node_schedule(n);
		/* Webhooks' batches leave, by a timer of libuv's: at once. */
		n->webhooks->not_before = n->webhooks->due = 0;
		node_webhooks_wake(n);
		uv_run(&n->loop, UV_RUN_NOWAIT);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view rest = view_of(input, size);
	struct node *n = fuzz_node_begin();

	for (unsigned i = 0; i < MESSAGES_MAX && rest.n >= HEAD; i++) {
		size_t length = rest.p[2] | (size_t)rest.p[3] << 8;
		struct view bytes = view_head(view_from(rest, HEAD), length);

		tell(n, rest.p[0], rest.p[1], bytes);
		rest = view_from(rest, HEAD + bytes.n);
	}
	fuzz_node_check(n);
	fuzz_node_end(n);
	return 0;
}
