/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/keccak.h"
#include "ledger/ethereum/header.h"

/* --- blocks --- */

void chain_hash(const struct fake_chain *c, uint8_t hash[HASH_SIZE], uint64_t number)
{
	memset(hash, 0xb0 + c->fork[number], HASH_SIZE);
	be64_store(hash, number);
}

static uint64_t next_nonce(const struct fake_chain *c)
{
	return c->nonces[c->head];
}

/* The dearest of the pool with this nonce. */
static struct chain_transaction *candidate(struct fake_chain *c, uint64_t nonce)
{
	struct chain_transaction *best = NULL;

	for (unsigned i = 0; i < c->sent_count; i++) {
		struct chain_transaction *t = &c->sent[i];

		if (!t->block && !t->dropped && t->nonce == nonce &&
			(!best || t->max_fee > best->max_fee))
			best = t;
	}
	return best;
}

static void new_block(struct fake_chain *c, uint8_t fork)
{
	if (c->head + 1 >= CHAIN_BLOCKS)
		abort();
	c->head++;
	c->fork[c->head] = fork;
	c->nonces[c->head] = c->nonces[c->head - 1];
}

void chain_mine(struct fake_chain *c)
{
	struct chain_transaction *t;

	chain_lock(c);
	new_block(c, c->fork[c->head]);
	while ((t = candidate(c, c->nonces[c->head]))) {
		t->block = c->head;
		t->reverts = c->reverts;
		c->nonces[c->head]++;
	}
	chain_unlock(c);
}

void chain_steal(struct fake_chain *c)
{
	chain_lock(c);
	new_block(c, c->fork[c->head]);
	c->nonces[c->head]++;
	chain_unlock(c);
}

void chain_reorganise(struct fake_chain *c, unsigned n, bool keep)
{
	uint64_t back;

	chain_lock(c);
	back = c->head - n;
	for (unsigned i = 0; i < c->sent_count; i++)
		if (c->sent[i].block > back) {
			c->sent[i].block = 0;
			c->sent[i].dropped = !keep;
		}
	c->head = back;
	for (unsigned i = 0; i < n; i++)
		new_block(c, (uint8_t)(c->fork[back] + 1));
	chain_unlock(c);
}

unsigned chain_holds(struct fake_chain *c, const uint8_t batch[HASH_SIZE])
{
	unsigned n = 0;

	chain_lock(c);
	for (unsigned i = 0; i < c->sent_count; i++)
		n += c->sent[i].block && !c->sent[i].reverts &&
			!memcmp(c->sent[i].batch, batch, HASH_SIZE);
	chain_unlock(c);
	return n;
}

/* --- JSON-RPC; all of it under the lock --- */

static json_t *hex(const uint8_t *bytes, size_t n)
{
	char text[2 * HASH_SIZE + 3];

	return json_string(fixed_print(text, bytes, n));
}

static json_t *quantity(uint64_t value)
{
	char text[19];

	return json_string(quantity_print(text, value));
}

static json_t *refuse(int code, const char *message, const char *data)
{
	json_t *e = json_pack("{s:i, s:s}", "code", code, "message", message);

	if (data)
		json_object_set_new(e, "data", json_string(data));
	return json_pack("{s:o}", "error", e);
}

static json_t *block_json(const struct fake_chain *c, uint64_t number)
{
	uint8_t hash[HASH_SIZE], parent[HASH_SIZE] = {0}, root[HASH_SIZE] = {7};
	json_t *block;

	chain_hash(c, hash, number);
	if (number)
		chain_hash(c, parent, number - 1);
	block = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "number",
		quantity(number), "timestamp", quantity(1700000000 + number), "hash",
		hex(hash, HASH_SIZE), "parentHash", hex(parent, HASH_SIZE), "stateRoot",
		hex(root, HASH_SIZE), "gasLimit", quantity(30000000), "gasUsed",
		quantity(0));
	if (!c->legacy)
		json_object_set_new(block, "baseFeePerGas", quantity(c->base_fee));
	return block;
}

static uint64_t block_named(const struct fake_chain *c, const json_t *name)
{
	uint64_t number;

	return quantity_parse(&number, name) ? c->head : number;
}

static json_t *get_block(struct fake_chain *c, const json_t *params)
{
	uint64_t number = block_named(c, json_array_get(params, 0));

	return number > c->head ? json_null() : block_json(c, number);
}

static json_t *call(struct fake_chain *c, const json_t *params)
{
	const json_t *data = json_object_get(json_array_get(params, 0), "data");
	const char *at = json_string_value(json_array_get(params, 1));
	char tips[2 + 6 * 64 + 1];
	size_t n = json_string_length(data);

	/* A view: tips() of an empty contract. */
	if (!data || n < 100) {
		memset(tips, '0', sizeof tips - 1);
		tips[1] = 'x';
		tips[sizeof tips - 1] = '\0';
		return json_string(tips);
	}
	c->preflights++;
	if (at && !strcmp(at, "pending")) {
		c->at_pending++;
		if (c->no_pending)
			return refuse(-32000, "pending block is not available", NULL);
	}
	if (c->preflight_error[0])
		return refuse(3, "execution reverted", c->preflight_error);
	return json_string("0x");
}

static struct chain_transaction *by_hash(
	struct fake_chain *c, const uint8_t hash[HASH_SIZE])
{
	for (unsigned i = 0; i < c->sent_count; i++)
		if (!memcmp(c->sent[i].hash, hash, HASH_SIZE))
			return &c->sent[i];
	return NULL;
}

static json_t *take(struct fake_chain *c, struct view raw, const uint8_t hash[HASH_SIZE])
{
	struct chain_transaction *t = by_hash(c, hash);
	struct transaction parsed;
	uint8_t sender[ADDRESS20];

	if (t)
		t->seen++;
	if (t && t->block)
		return refuse(-32000, "nonce too low", NULL);
	if (t && !t->dropped)
		return refuse(-32000, "already known", NULL);
	if (transaction_parse(&parsed, sender, raw))
		return refuse(-32000, "rlp: malformed", NULL);
	if (parsed.nonce < next_nonce(c))
		return refuse(-32000, "nonce too low: next nonce 9, tx nonce 8", NULL);
	if (!t) {
		if (c->sent_count >= CHAIN_SENT)
			abort();
		t = &c->sent[c->sent_count++];
		memset(t, 0, sizeof *t);
		memcpy(t->hash, hash, HASH_SIZE);
		memcpy(t->sender, sender, ADDRESS20);
		keccak256(t->batch, parsed.data.p, parsed.data.n);
		t->nonce = parsed.nonce;
		t->max_fee = parsed.max_fee;
		t->dynamic = parsed.dynamic;
		t->gas = parsed.gas_limit;
		t->seen = 1;
	}
	t->dropped = c->answers_and_loses;
	return hex(hash, HASH_SIZE);
}

static json_t *send_raw(struct fake_chain *c, const json_t *params)
{
	const json_t *text = json_array_get(params, 0);
	size_t n = json_string_length(text) / 2 - 1;
	uint8_t hash[HASH_SIZE], *raw = malloc(n);
	json_t *result;

	if (!raw || hex_decode(raw, n, view_str(json_string_value(text))))
		abort();
	keccak256(hash, raw, n);
	c->sendings++;
	if (c->send_error && c->send_errors) {
		c->send_errors--;
		result = refuse(-32000, c->send_error, NULL);
	} else {
		result = take(c, view_of(raw, n), hash);
	}
	free(raw);
	return result;
}

static json_t *receipt(struct fake_chain *c, const json_t *params)
{
	uint8_t hash[HASH_SIZE], block[HASH_SIZE];
	const struct chain_transaction *t;
	uint64_t number = c->forges;

	if (fixed_parse(hash, HASH_SIZE, json_array_get(params, 0)))
		return refuse(-32602, "no hash", NULL);
	t = by_hash(c, hash);
	if (t && t->block)
		number = t->block;
	if (!t || !number || c->forgets_receipts)
		return json_null();
	chain_hash(c, block, number);
	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "transactionHash",
		hex(hash, HASH_SIZE), "blockNumber", quantity(number), "blockHash",
		hex(block, HASH_SIZE), "gasUsed", quantity(50000), "status",
		t->reverts || c->says_reverted ? "0x0" : "0x1");
}

static json_t *answer(struct fake_chain *c, const char *method, const json_t *params)
{
	if (!strcmp(method, "eth_chainId"))
		return quantity(31337);
	if (!strcmp(method, "eth_getBlockByNumber"))
		return get_block(c, params);
	if (!strcmp(method, "eth_getCode"))
		return json_string("0x6001");
	if (!strcmp(method, "eth_call"))
		return call(c, params);
	if (!strcmp(method, "eth_estimateGas"))
		return c->no_estimate ? refuse(-32601, "no such method", NULL) :
					quantity(80000);
	if (!strcmp(method, "eth_gasPrice"))
		return quantity(2000000000 + c->base_fee);
	if (!strcmp(method, "eth_maxPriorityFeePerGas"))
		return quantity(1000000000);
	if (!strcmp(method, "eth_getTransactionCount"))
		return quantity(
			c->ahead + c->nonces[block_named(c, json_array_get(params, 1))]);
	if (!strcmp(method, "eth_sendRawTransaction"))
		return send_raw(c, params);
	if (!strcmp(method, "eth_getTransactionReceipt"))
		return receipt(c, params);
	return refuse(-32601, "the method does not exist", NULL);
}

static char *reply_to(struct fake_chain *c, const json_t *request)
{
	json_t *result,
		*reply = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "id",
			json_object_get(request, "id"));
	char *text;

	result = answer(c, json_string_value(json_object_get(request, "method")),
		json_object_get(request, "params"));
	if (json_object_get(result, "code") || json_object_get(result, "error")) {
		json_object_update(reply, result);
		json_decref(result);
	} else {
		json_object_set_new(reply, "result", result);
	}
	text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	return text;
}

static void serve(struct peer *p, void *context)
{
	struct fake_chain *c = context;

	while (!peer_request(p)) {
		json_t *request = json_loadb((const char *)p->request.p + p->head,
			p->request.n - p->head, 0, NULL);
		bool limited, down;
		char *text = NULL;

		if (!request)
			return;
		chain_lock(c);
		down = c->down;
		limited = c->limited > 0;
		c->limited -= limited;
		if (!limited && !down)
			text = reply_to(c, request);
		chain_unlock(c);
		json_decref(request);
		if (down)
			return;
		peer_reply(p, limited ? "429 Too Many Requests" : "200 OK",
			"Content-Type: application/json\r\n", limited ? "slow" : text);
		free(text);
	}
}

/* --- for the test --- */

void chain_lock(struct fake_chain *c)
{
	pthread_mutex_lock(&c->lock);
}

void chain_unlock(struct fake_chain *c)
{
	pthread_mutex_unlock(&c->lock);
}

unsigned chain_read(struct fake_chain *c, const unsigned *counter)
{
	unsigned n;

	chain_lock(c);
	n = *counter;
	chain_unlock(c);
	return n;
}

struct fake_chain *chain_start(void)
{
	struct fake_chain *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	pthread_mutex_init(&c->lock, NULL);
	c->legacy = true;
	c->head = 3;
	c->server = server_start(serve, c, NULL, NULL);
	return c;
}

void chain_stop(struct fake_chain *c)
{
	server_stop(c->server);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

char *chain_url(char *dst, const struct fake_chain *c)
{
	snprintf(dst, 64, "http://127.0.0.1:%u", c->server->port);
	return dst;
}
