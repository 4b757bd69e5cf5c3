/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_node.h"

#include <stdio.h>
#include <unistd.h>

#include "base/hex.h"
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/header.h"

static const uint8_t contract[ADDRESS20] = {0xc0, 1, 2, 3};

/* cmocka's assertions jump: not from a server's thread. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

void node_lock(struct ledger_node *n)
{
	pthread_mutex_lock(&n->lock);
}

void node_unlock(struct ledger_node *n)
{
	pthread_mutex_unlock(&n->lock);
}

/* --- the chain --- */

uint32_t node_time(const struct ledger_node *n, uint64_t block)
{
	return T_START + (uint32_t)block * n->spacing;
}

void node_hash(uint8_t hash[HASH_SIZE], const struct ledger_node *n, uint64_t block)
{
	memset(hash, 0xb0, HASH_SIZE);
	be64_store(hash, block);
	/* A block's hash depends on all before it. */
	for (uint64_t k = 0; k <= block; k++)
		hash[8 + k % 24] = (uint8_t)(hash[8 + k % 24] * 31 + n->fork[k]);
}

void node_mine(struct ledger_node *n, unsigned blocks)
{
	node_lock(n);
	n->head += blocks;
	assert_true(n->head < NODE_BLOCKS);
	node_unlock(n);
}

void node_batches(struct ledger_node *n, unsigned count)
{
	node_lock(n);
	n->head++;
	for (unsigned k = 0; k < count; k++)
		history_batch(&n->history, n->head, 2 * k, node_time(n, n->head));
	node_unlock(n);
}

void node_admin(struct ledger_node *n, enum operation_type type)
{
	node_lock(n);
	n->head++;
	history_admin(&n->history, type, n->head, 1, node_time(n, n->head));
	node_unlock(n);
}

/* The tips after all operations of blocks <= block. */
static void tips_at(struct history *h, uint64_t block, int without)
{
	memset(h->tip, 0, sizeof h->tip);
	memset(h->last_block, 0, sizeof h->last_block);
	for (unsigned k = 0; k < h->n && h->list[k].block <= block; k++) {
		const struct history_entry *e = &h->list[k];
		struct tip *tip = &h->tip[e->chain];

		if ((int)k == without)
			continue;
		tip_advance(tip->hash, tip->hash, view_of(e->bytes.p, e->bytes.n));
		tip->seq++;
		h->last_block[e->chain] = e->block;
	}
}

void node_fork(struct ledger_node *n, uint64_t from)
{
	node_lock(n);
	n->fork[from]++;
	while (n->history.n && n->history.list[n->history.n - 1].block >= from)
		buffer_free(&n->history.list[--n->history.n].bytes);
	tips_at(&n->history, UINT64_MAX, -1);
	node_unlock(n);
}

void node_copy(struct ledger_node *n, const struct ledger_node *from)
{
	node_lock(n);
	history_end(&n->history);
	history_begin(&n->history);
	for (unsigned k = 0; k < from->history.n; k++) {
		struct history_entry *e = &n->history.list[n->history.n++];

		*e = from->history.list[k];
		memset(&e->bytes, 0, sizeof e->bytes);
		buffer_put(&e->bytes, from->history.list[k].bytes.p,
			from->history.list[k].bytes.n);
	}
	memcpy(n->history.tip, from->history.tip, sizeof n->history.tip);
	memcpy(n->history.last_block, from->history.last_block,
		sizeof n->history.last_block);
	n->head = from->head;
	n->spacing = from->spacing;
	memcpy(n->fork, from->fork, sizeof n->fork);
	node_unlock(n);
}

/* --- answers --- */

static json_t *hex_of(const uint8_t *p, size_t n)
{
	char *text = malloc(2 * n + 3);
	json_t *out;

	must(text != NULL);
	memcpy(text, "0x", 2);
	hex_encode(text + 2, p, n);
	out = json_string(text);
	free(text);
	return out;
}

static json_t *number_of(uint64_t value)
{
	char text[19];

	return json_string(quantity_print(text, value));
}

static json_t *error_of(int code, const char *message)
{
	return json_pack("{s:{s:i,s:s}}", "error", "code", code, "message", message);
}

static json_t *result_of(json_t *result)
{
	return json_pack("{s:o}", "result", result);
}

static uint64_t block_number(const struct ledger_node *n, const json_t *value)
{
	uint64_t number;

	return quantity_parse(&number, value) ? n->head : number;
}

static json_t *block_of(struct ledger_node *n, const json_t *params)
{
	const char *name = json_string_value(json_array_get(params, 0));
	uint64_t number = block_number(n, json_array_get(params, 0));
	uint8_t hash[HASH_SIZE], parent[HASH_SIZE] = {0}, root[HASH_SIZE];

	bool lies = n->claims && !strcmp(name ? name : "", "latest");

	n->blocks_asked++;
	if (name && !strcmp(name, "finalized")) {
		if (!n->final)
			return error_of(-39001, "unknown block");
		number = n->final;
	}
	if (number > n->head && number != n->final)
		return result_of(json_null());
	node_hash(hash, n, number);
	if (number)
		node_hash(parent, n, number - 1);
	if (n->final_strange && name && !strcmp(name, "finalized"))
		hash[20] ^= 1;
	memcpy(root, hash, HASH_SIZE);
	root[31] ^= 0xff;
	return result_of(json_pack("{s:o,s:o,s:o,s:o,s:o,s:s,s:s}", "number",
		number_of(lies ? n->claims : number), "hash", hex_of(hash, HASH_SIZE),
		"parentHash", hex_of(parent, HASH_SIZE), "stateRoot",
		hex_of(root, HASH_SIZE), "timestamp", number_of(node_time(n, number)),
		"gasLimit", "0x1c9c380", "gasUsed", "0x0"));
}

static json_t *tips_of(struct ledger_node *n, const json_t *params)
{
	const json_t *which = json_array_get(params, 1);
	struct history view = n->history;
	uint8_t words[6 * 32] = {0}, hash[HASH_SIZE], asked[HASH_SIZE];
	uint64_t number;

	n->tips_asked++;
	if (n->no_tips)
		return error_of(-32005, "limit exceeded");
	if (json_is_object(which)) {
		if (n->no_by_hash)
			return error_of(
				-32602, "invalid argument 1: hex string expected");
		must(!fixed_parse(asked, HASH_SIZE, json_object_get(which, "blockHash")));
		number = be64_load(asked);
		if (number < NODE_BLOCKS)
			node_hash(hash, n, number);
		if (number > n->head || memcmp(hash, asked, HASH_SIZE))
			return error_of(-32000, "hash is not currently canonical");
	} else {
		number = block_number(n, which);
	}
	if (number > n->head)
		return error_of(-32000, "header not found");
	tips_at(&view, number, n->consistent ? n->omit : -1);
	for (int c = 0; c < 2; c++) {
		memcpy(words + 96 * c, view.tip[c].hash, HASH_SIZE);
		be64_store(words + 96 * c + 56, view.tip[c].seq + n->seq_ahead);
		be64_store(words + 96 * c + 88, view.last_block[c]);
	}
	words[0] ^= n->wrong_tips;
	return result_of(hex_of(words, sizeof words));
}

/* An operation's event as a log. change: of one bit in its words. */
static json_t *log_of(struct ledger_node *n, const struct history_entry *e, bool change)
{
	uint8_t hash[HASH_SIZE], chain[32] = {0}, seq[32] = {0}, word[32] = {0};
	struct buffer data = {0};
	json_t *out;

	buffer_put(&data, e->tip_before, HASH_SIZE);
	be64_store(word + 24, e->block_before);
	buffer_put(&data, word, 32);
	be64_store(word + 24, 96);
	buffer_put(&data, word, 32);
	be64_store(word + 24, e->bytes.n);
	buffer_put(&data, word, 32);
	buffer_put(&data, e->bytes.p, e->bytes.n);
	if (change)
		data.p[data.n - 10] ^= 1;
	memset(word, 0, sizeof word);
	buffer_put(&data, word, (32 - e->bytes.n % 32) % 32);
	node_hash(hash, n, e->block);
	chain[31] = (uint8_t)e->chain;
	be64_store(seq + 24, be64_load(e->bytes.p + 1));
	out = json_pack("{s:o,s:[o,o,o],s:o,s:o,s:o,s:o,s:s,s:o,s:b}", "address",
		hex_of(contract, ADDRESS20), "topics", hex_of(abi_operation_topic, 32),
		hex_of(chain, 32), hex_of(seq, 32), "data", hex_of(data.p, data.n),
		"blockNumber", number_of(e->block), "blockHash", hex_of(hash, HASH_SIZE),
		"transactionHash", hex_of(hash, HASH_SIZE), "transactionIndex", "0x0",
		"logIndex", number_of(e->index), "removed", 0);
	buffer_free(&data);
	return out;
}

/* Whether an indexed topic that is asked for, if it is, is this number. */
static bool topic_fits(const json_t *topics, size_t at, uint64_t value)
{
	const json_t *topic = json_array_get(topics, at);
	uint8_t word[32];

	if (!topic || json_is_null(topic))
		return true;
	must(!fixed_parse(word, 32, topic));
	return be64_load(word + 24) == value;
}

static json_t *invented(struct ledger_node *n)
{
	struct history more = n->history;
	json_t *log;

	/* On a copy of the counts: the list has room behind its end. */
	history_batch(&more, n->head, 500, node_time(n, n->head));
	log = log_of(n, &more.list[more.n - 1], false);
	buffer_free(&more.list[more.n - 1].bytes);
	return log;
}

/* A chain of them that goes on where the contract's ends. */
static void flood(struct ledger_node *n, json_t *logs)
{
	struct history_entry one;
	struct history more = n->history;

	more.list = &one;
	for (unsigned k = 0; k < n->flood; k++) {
		more.n = 0;
		history_batch(
			&more, n->flood_block, 2000 + k, node_time(n, n->flood_block));
		json_array_append_new(logs, log_of(n, &one, false));
		buffer_free(&one.bytes);
	}
}

static json_t *select_logs(struct ledger_node *n, const json_t *filter)
{
	const json_t *topics = json_object_get(filter, "topics");
	uint64_t from = block_number(n, json_object_get(filter, "fromBlock"));
	uint64_t to = block_number(n, json_object_get(filter, "toBlock"));
	json_t *logs = json_array();

	for (unsigned k = 0; k < n->history.n; k++) {
		const struct history_entry *e = &n->history.list[k];

		if (e->block < from || e->block > to || (int)k == n->omit ||
			!topic_fits(topics, 1, (uint64_t)e->chain) ||
			!topic_fits(topics, 2, be64_load(e->bytes.p + 1)))
			continue;
		for (int times = (int)k == n->repeat ? 3 : 1; times > 0; times--) {
			json_t *log = log_of(n, e, (int)k == n->alter);

			if (n->reversed)
				json_array_insert_new(logs, 0, log);
			else
				json_array_append_new(logs, log);
		}
	}
	if (n->flood && from <= n->flood_block && to >= n->flood_block &&
		topic_fits(topics, 1, CHAIN_MEMBERS))
		flood(n, logs);
	if (n->invent && to >= n->head && topic_fits(topics, 1, CHAIN_MEMBERS) &&
		topic_fits(topics, 2, n->history.tip[CHAIN_MEMBERS].seq))
		json_array_append_new(logs, invented(n));
	return logs;
}

static json_t *logs_of(struct ledger_node *n, const json_t *params)
{
	const json_t *filter = json_array_get(params, 0);
	uint64_t from = block_number(n, json_object_get(filter, "fromBlock"));
	uint64_t to = block_number(n, json_object_get(filter, "toBlock"));
	char text[200];
	json_t *logs;

	n->logs_asked++;
	if (from < n->pruned)
		return error_of(4444, "pruned history unavailable");
	snprintf(text, sizeof text, "exceed maximum block range: %llu",
		(unsigned long long)n->range_limit);
	if (n->range_limit && to - from + 1 > n->range_limit)
		return error_of(-32000, text);
	if (to - from + 1 > n->widest)
		n->widest = (unsigned)(to - from + 1);
	if (n->fork_on_logs) {
		n->fork_on_logs = false;
		n->fork[n->head]++;
	}
	logs = select_logs(n, filter);
	if (!n->result_limit || json_array_size(logs) <= n->result_limit)
		return result_of(logs);
	json_decref(logs);
	snprintf(text, sizeof text,
		"query returned more than %llu results. Try with this block range [0x%llx, "
		"0x%llx].",
		(unsigned long long)n->result_limit, (unsigned long long)from,
		(unsigned long long)(from + (to - from) / 3));
	return error_of(-32005, text);
}

static json_t *answer(struct ledger_node *n, const char *method, const json_t *params)
{
	static const uint8_t code[] = {0x60, 1};

	if (!strcmp(method, "eth_chainId"))
		return result_of(number_of(1337));
	if (!strcmp(method, "eth_getCode"))
		return result_of(hex_of(code, sizeof code));
	if (!strcmp(method, "eth_getBlockByNumber"))
		return block_of(n, params);
	if (!strcmp(method, "eth_call"))
		return tips_of(n, params);
	if (!strcmp(method, "eth_getLogs"))
		return logs_of(n, params);
	return error_of(-32601, "the method does not exist/is not available");
}

/* Returns false when the connection is to be closed. */
static bool serve_one(struct peer *p, struct ledger_node *n)
{
	json_t *request = json_loadb(
		(const char *)p->request.p + p->head, p->request.n - p->head, 0, NULL);
	const char *method = json_string_value(json_object_get(request, "method"));
	unsigned delay;
	json_t *reply;
	bool cut, limited;
	char *text;
	int rc;

	must(method != NULL);
	node_lock(n);
	delay = n->delay_ms;
	node_unlock(n);
	usleep(delay * 1000);
	node_lock(n);
	if (n->down) {
		node_unlock(n);
		json_decref(request);
		return false;
	}
	limited = n->limited > 0;
	n->limited -= limited;
	reply = limited ? error_of(429, "Too Many Requests") :
			  answer(n, method, json_object_get(request, "params"));
	cut = n->cut && !strcmp(method, "eth_getLogs");
	n->cut -= cut;
	node_unlock(n);
	json_object_set_new(reply, "jsonrpc", json_string("2.0"));
	json_object_set(reply, "id", json_object_get(request, "id"));
	text = json_dumps(reply, 0);
	if (cut)
		text[strlen(text) / 2] = 0;
	rc = peer_reply(p, "200 OK", "Content-Type: application/json\r\n", text);
	free(text);
	json_decref(reply);
	json_decref(request);
	return !rc;
}

static void serve(struct peer *p, void *context)
{
	while (!peer_request(p) && serve_one(p, context))
		;
}

/* --- life --- */

struct ledger_node *node_start(void)
{
	struct ledger_node *n = calloc(1, sizeof *n);

	assert_non_null(n);
	pthread_mutex_init(&n->lock, NULL);
	history_begin(&n->history);
	n->spacing = 10;
	n->omit = n->alter = n->repeat = -1;
	n->head = NODE_DEPLOYED - 1;
	node_admin(n, OP_GENESIS);
	node_admin(n, OP_MEMBER_ADD);
	node_mine(n, 4);
	n->server = server_start(serve, n, NULL, NULL);
	return n;
}

void node_stop(struct ledger_node *n)
{
	server_stop(n->server);
	history_end(&n->history);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

char *node_line(char *dst, const struct ledger_node *n, const char *name)
{
	snprintf(dst, 100, "http://127.0.0.1:%u ws=none name=%s", n->server->port, name);
	return dst;
}
