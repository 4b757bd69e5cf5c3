/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/pool_state.h"

/*
 * Is it our ledger, and what can it do? First what must be equal (chain id,
 * genesis, code), then abilities: engines differ, so each is tried, at the
 * endpoint's own newest block.
 */
#define PROBE_MS    8000
#define PROOF_TRIES 3

static void conclude_first(struct peer *peer);
static void conclude(struct peer *peer);

static void bad(struct peer *peer, bool wrong, const char *fmt, const char *what)
{
	if (peer->bad)
		return;
	peer->bad = true;
	peer->wrong = wrong;
	error_set(&peer->why, fmt, what);
}

static void answered(struct peer *peer, void (*next)(struct peer *peer))
{
	if (!--peer->waiting)
		next(peer);
}

/* No result: note why. Returns whether there is one. */
static bool has_result(struct peer *peer, const struct rpc_reply *reply)
{
	if (reply->outcome == RPC_RESULT)
		return true;
	bad(peer, reply->outcome == RPC_UNAUTHORISED, "%s", reply->error.text);
	return false;
}

static void on_chain_id(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	uint64_t is, due = peer->pool->settings->chain_id;

	peer->call[CALL_CHAIN_ID] = 0;
	if (has_result(peer, reply)) {
		if (quantity_parse(&is, reply->result)) {
			bad(peer, true, "%s: the answer is no chain id", "eth_chainId");
		} else if (due && is != due) {
			char text[96];

			snprintf(text, sizeof text,
				"it is of chain %llu, the ledger is on chain %llu",
				(unsigned long long)is, (unsigned long long)due);
			bad(peer, true, "%s: take the endpoint out, or correct its URL",
				text);
		}
	}
	answered(peer, conclude_first);
}

static void on_genesis(void *context, const struct rpc_reply *reply)
{
	const uint8_t *due = ((struct peer *)context)->pool->settings->genesis;
	struct peer *peer = context;
	struct header h;
	struct error err;

	peer->call[CALL_GENESIS] = 0;
	if (has_result(peer, reply)) {
		if (header_parse(&h, reply->result, &err))
			bad(peer, true, "block 0: %s", err.text);
		else if (!bytes_zero(due, HASH_SIZE) && memcmp(h.hash, due, HASH_SIZE))
			bad(peer, true,
				"%s: it is another chain with the same id (or the chain "
				"was begun anew)",
				"its genesis is not the pinned one");
	}
	answered(peer, conclude_first);
}

static void on_code(void *context, const struct rpc_reply *reply)
{
	const uint8_t *due = ((struct peer *)context)->pool->settings->code_hash;
	struct peer *peer = context;
	uint8_t hash[HASH_SIZE];
	struct error err;
	bool empty;

	peer->call[CALL_CODE] = 0;
	if (has_result(peer, reply)) {
		if (result_code(hash, &empty, reply->result, &err))
			bad(peer, true, "%s", err.text);
		else if (empty)
			bad(peer, false, "%s: it may still be catching up",
				"there is no contract at the ledger's address");
		else if (!bytes_zero(due, HASH_SIZE) && memcmp(hash, due, HASH_SIZE))
			bad(peer, true, "%s",
				"the contract at the ledger's address has another code "
				"than the pinned one");
	}
	answered(peer, conclude_first);
}

static void on_latest(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct error err;

	peer->call[CALL_LATEST] = 0;
	if (has_result(peer, reply) && header_parse(&peer->latest, reply->result, &err))
		bad(peer, true, "its newest block: %s", err.text);
	answered(peer, conclude_first);
}

/* --- abilities --- */

static bool ask_proof(struct peer *peer);

static void on_latest_again(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct header h;

	peer->call[CALL_LATEST] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL)) {
		peer->latest = h;
		peer->waiting += ask_proof(peer);
	}
	answered(peer, conclude);
}

static void on_proof(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	bool result = reply->outcome == RPC_RESULT &&
		!bytes_zero(peer->latest.state_root, HASH_SIZE);
	struct contract_tips tips;

	peer->call[CALL_PROOF] = 0;
	/* One that does not verify is no ability; what it says is compared then
	 * like every other's. */
	peer->can.proofs = result &&
		!result_proof(&tips, reply->result, peer->pool->settings,
			peer->latest.state_root, NULL);
	/* Another backend's state, or one that a block changed meanwhile. */
	if (result && !peer->can.proofs && ++peer->proof_tries < PROOF_TRIES)
		peer->waiting += peer_ask(peer, CALL_LATEST, "eth_getBlockByNumber",
			request_tag("latest"), PROBE_MS, on_latest_again);
	answered(peer, conclude);
}

/* At its newest block, as it was told. Returns whether it was asked. */
static bool ask_proof(struct peer *peer)
{
	const struct at_block at = {
		.number = peer->latest.number, .hash = peer->latest.hash};

	return peer_ask(peer, CALL_PROOF, "eth_getProof",
		request_proof(peer->pool->settings, &at), PROBE_MS, on_proof);
}

static void on_by_hash(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct contract_tips tips;

	peer->call[CALL_BY_HASH] = 0;
	peer->can.by_hash = reply->outcome == RPC_RESULT &&
		!result_tips(&tips, reply->result, NULL);
	answered(peer, conclude);
}

static void on_tag(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct header h;

	peer->call[CALL_TAG] = 0;
	peer->can.tag_final = reply->outcome == RPC_RESULT &&
		!header_parse(&h, reply->result, NULL);
	answered(peer, conclude);
}

static void conclude_first(struct peer *peer)
{
	const struct ethereum_settings *s = peer->pool->settings;
	const struct at_block at = {.by_hash = true,
		.number = peer->latest.number,
		.hash = peer->latest.hash};

	if (peer->bad) {
		peer_away(peer, peer->why.text);
		return;
	}
	peer->waiting = 1;
	peer->proof_tries = 0;
	peer->waiting += ask_proof(peer);
	peer->waiting += peer_ask(peer, CALL_BY_HASH, "eth_call", request_tips(s, &at),
		PROBE_MS, on_by_hash);
	if (s->finality != FINALITY_DEPTH)
		peer->waiting += peer_ask(peer, CALL_TAG, "eth_getBlockByNumber",
			request_tag(s->finality == FINALITY_SAFE ? "safe" : "finalized"),
			PROBE_MS, on_tag);
	answered(peer, conclude);
}

static void conclude(struct peer *peer)
{
	struct pool *p = peer->pool;

	peer->can.probed = true;
	peer->state = PEER_READY;
	peer->pause_ms = 0;
	peer->silent = 0;
	if (peer->named)
		pool_say(p, true, "endpoint %s answers again", peer_name(peer));
	peer->named = false;
	if (p->settings->finality != FINALITY_DEPTH && !peer->can.tag_final)
		pool_say(p, false,
			"endpoint %s does not know the finality tag `%s` ([ledger] "
			"finality): nothing that is read there becomes final",
			peer_name(peer),
			p->settings->finality == FINALITY_SAFE ? "safe" : "finalized");
	pool_choose_soon(p);
}

void peer_probe(struct peer *peer)
{
	const struct ethereum_settings *s = peer->pool->settings;

	peer->state = PEER_PROBING;
	peer->bad = peer->wrong = false;
	memset(&peer->can, 0, sizeof peer->can);
	memset(&peer->said, 0, sizeof peer->said);
	peer->waiting = 1;
	peer->waiting += peer_ask(
		peer, CALL_CHAIN_ID, "eth_chainId", json_array(), PROBE_MS, on_chain_id);
	peer->waiting += peer_ask(peer, CALL_GENESIS, "eth_getBlockByNumber",
		request_block(0), PROBE_MS, on_genesis);
	peer->waiting += peer_ask(
		peer, CALL_CODE, "eth_getCode", request_code(s), PROBE_MS, on_code);
	peer->waiting += peer_ask(peer, CALL_LATEST, "eth_getBlockByNumber",
		request_tag("latest"), PROBE_MS, on_latest);
	if (peer->waiting < 5)
		bad(peer, false, "%s", "out of memory");
	answered(peer, conclude_first);
}
