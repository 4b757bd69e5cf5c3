/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_ANVIL_SCENE_H
#define TESTS_ETHEREUM_ANVIL_SCENE_H

#include "writer_stage.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/hex.h"
#include "ledger/ethereum/abi.h"

/* An anvil that mines when told, with the contract, an owner and a member on it. */
#define CAP 4000

static char anvil[4096];

struct scene {
	struct stage stage;
	pid_t pid;
	char url[64];
	struct signer *owner, *member;
	uint64_t owner_nonce;
	uint32_t expiry;
	struct stage_batch batch[24];
	uint64_t ticket;
};

/* --- anvil --- */

static inline const char *find_anvil(void)
{
	const char *named = getenv("SIPCHAIN_ANVIL"), *cache = getenv("SIPCHAIN_CACHE");

	if (named)
		snprintf(anvil, sizeof anvil, "%s", named);
	else if (cache)
		snprintf(anvil, sizeof anvil, "%s/chain/anvil", cache);
	else
		snprintf(anvil, sizeof anvil, "%s/../../.cache/chain/anvil", TESTS_DATA);
	return access(anvil, X_OK) ? NULL : anvil;
}

/* It picks a port and says so in its log. */
static inline void start_anvil(struct scene *s)
{
	static const char words[] = "Listening on ";
	char line[512], *at = NULL;
	int out[2];
	FILE *log;

	assert_int_equal(pipe(out), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (!s->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		close(out[0]);
		execl(anvil, anvil, "--port", "0", "--no-mining", "--gas-limit",
			"30000000", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	log = fdopen(out[0], "r");
	while (!at && fgets(line, sizeof line, log))
		at = strstr(line, words);
	if (!at)
		fail_msg("anvil does not start");
	at += strlen(words);
	at[strcspn(at, "\r\n")] = '\0';
	snprintf(s->url, sizeof s->url, "http://%.50s", at);
	/* The pipe stays open, unread: it says little after its start. */
}

/* --- asking it --- */

struct asking {
	json_t *result;
	bool done;
	struct error error;
};

static inline void on_reply(void *context, const struct rpc_reply *reply)
{
	struct asking *a = context;

	a->done = true;
	if (reply->outcome == RPC_RESULT)
		a->result = json_deep_copy(reply->result);
	else
		a->error = reply->error;
}

static inline json_t *ask(struct scene *s, const char *method, json_t *params)
{
	struct asking a = {.result = NULL};

	assert_non_null(params);
	assert_true(rpc_call(
		pool_rpc(s->stage.pool, 0), method, params, 10000, on_reply, &a));
	stage_until(&s->stage, a.done);
	if (!a.result)
		fail_msg("%s: %s", method, a.error.text);
	return a.result;
}

static inline void tell(struct scene *s, const char *method, json_t *params)
{
	json_decref(ask(s, method, params));
}

static inline void mine(struct scene *s)
{
	tell(s, "evm_mine", json_array());
}

static inline json_t *hex_json(struct view bytes)
{
	char *text = malloc(2 * bytes.n + 3);
	json_t *json;

	assert_non_null(text);
	memcpy(text, "0x", 2);
	hex_encode(text + 2, bytes.p, bytes.n);
	json = json_string(text);
	free(text);
	return json;
}

static inline void send_transaction(
	struct scene *s, const struct transaction *t, const struct signer *signer)
{
	uint8_t hash[HASH_SIZE];
	struct buffer raw = {0};

	assert_int_equal(transaction_sign(&raw, hash, t, signer), 0);
	tell(s, "eth_sendRawTransaction",
		json_pack("[o]", hex_json(view_of(raw.p, raw.n))));
	buffer_free(&raw);
}

/* The owner's next transaction; the tip says who comes first in a block. */
static inline void own(struct scene *s, struct view data, bool creates, uint64_t priority)
{
	struct transaction t = {
		.dynamic = true,
		.chain_id = 31337,
		.nonce = s->owner_nonce++,
		.max_fee = 100000000000,
		.priority_fee = priority,
		.gas_limit = 9000000,
		.creates = creates,
		.data = data,
	};

	memcpy(t.to, s->stage.settings.contract, ADDRESS20);
	send_transaction(s, &t, s->owner);
}

static inline void own_operation(
	struct scene *s, const struct operation *op, uint64_t priority)
{
	struct buffer call = {0};

	assert_int_equal(abi_operation_call(&call, op), 0);
	own(s, view_of(call.p, call.n), false, priority);
	buffer_free(&call);
}

static inline struct buffer view_call(struct scene *s, struct buffer *call)
{
	json_t *result = ask(s, "eth_call",
		json_pack("[{s:o, s:o}, s]", "to",
			hex_json(view_of(s->stage.settings.contract, ADDRESS20)), "data",
			hex_json(view_of(call->p, call->n)), "latest"));
	size_t n = json_string_length(result) / 2 - 1;
	struct buffer out = {.p = malloc(n), .n = n, .capacity = n};

	assert_int_equal(hex_decode(out.p, n, view_str(json_string_value(result))), 0);
	json_decref(result);
	buffer_free(call);
	return out;
}

/* How many batches the contract has taken. */
static inline uint64_t batches(struct scene *s)
{
	struct buffer call = {0}, result;
	struct contract_tips tips;
	struct error err;

	abi_call_tips(&call);
	result = view_call(s, &call);
	if (abi_tips_decode(&tips, view_of(result.p, result.n), &err))
		fail_msg("%s", err.text);
	buffer_free(&result);
	return tips.tip[CHAIN_MEMBERS].seq;
}

static inline void expect_words(
	struct scene *s, const struct stage_batch *b, unsigned cell)
{
	struct buffer call = {0}, result;
	struct view words;
	struct error err;

	abi_call_snapshot(&call, 1, cell, b->batch.count);
	result = view_call(s, &call);
	if (abi_words_decode(&words, view_of(result.p, result.n), &err))
		fail_msg("%s", err.text);
	assert_int_equal(words.n, (size_t)b->batch.count * WORD_SIZE);
	assert_memory_equal(words.p, b->words, words.n);
	buffer_free(&result);
}

/* --- the scene --- */

static inline struct signer *key_of(const char *hex)
{
	uint8_t secret[32];

	assert_int_equal(hex_decode(secret, 32, view_str(hex)), 0);
	return signer_from_secret(secret);
}

/* The first accounts of the public mnemonic "test test ... junk", which anvil
 * gives money to. */
static inline struct signer *owner_key(void)
{
	return key_of("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
}

static inline struct signer *member_key(void)
{
	return key_of("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
}

static inline void settings(struct stage *st, const char *url, const char *journal)
{
	struct ethereum_settings *e = &st->settings;
	struct signer *owner = owner_key();
	struct error err;
	char line[128];

	memset(e, 0, sizeof *e);
	snprintf(line, sizeof line, "%s ws=none", url);
	if (endpoint_parse(&e->endpoints[e->endpoint_count++], view_str(line), &err))
		fail_msg("%s", err.text);
	e->chain_id = 31337;
	contract_address(e->contract, signer_address(owner), 0);
	e->finality = FINALITY_DEPTH;
	e->depth = 2;
	snprintf(e->journal, sizeof e->journal, "%s", journal);
	signer_free(owner);
}

static inline void forget_journal(const struct scene *s)
{
	char name[300];

	unlink(s->stage.settings.journal);
	snprintf(name, sizeof name, "%s-wal", s->stage.settings.journal);
	unlink(name);
}

static inline void deploy(struct scene *s)
{
	static const struct ledger_config config = {
		.limits = {.min_v4 = 16, .min_v6 = 32, .min_e164 = 7},
		.max_ttl = 604800,
		.threshold = 1,
	};
	struct operation add = {.type = OP_MEMBER_ADD,
		.member = 1,
		.weight = 1,
		.cap = CAP,
		.name = view_str("A"),
		.signer_count = 1};
	struct buffer data = {0};

	memcpy(add.signers[0], signer_address(s->member), ADDRESS20);
	assert_int_equal(abi_creation(&data, &config, signer_address(s->owner)), 0);
	own(s, view_of(data.p, data.n), true, 1000000000);
	buffer_free(&data);
	mine(s);
	own_operation(s, &add, 1000000000);
	mine(s);
	assert_int_equal(batches(s), 0);
	/* Until then there was no contract to follow, which was said. */
	stage_until(&s->stage, pool_followed(s->stage.pool));
	s->stage.troubles[0] = '\0';
}

static inline int setup(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	char journal[64];

	start_anvil(s);
	snprintf(journal, sizeof journal, "anvil-%ld.journal", (long)getpid());
	settings(&s->stage, s->url, journal);
	forget_journal(s);
	s->owner = owner_key();
	s->member = member_key();
	stage_skew = 0;
	stage_open(&s->stage, s->member);
	deploy(s);
	s->expiry = (uint32_t)(clock_wall() / USEC_PER_SEC) + 86400;
	for (unsigned i = 0; i < 24; i++)
		stage_batch(&s->batch[i], i + 1, i * 100, 100, s->expiry);
	*state = s;
	return 0;
}

static inline int teardown(void **state)
{
	struct scene *s = *state;

	stage_close(&s->stage);
	signer_free(s->owner);
	signer_free(s->member);
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	forget_journal(s);
	free(s);
	return 0;
}

/* How many of a key's transactions wait in its pool. */
static inline uint64_t waiting(struct scene *s)
{
	json_t *status = ask(s, "txpool_status", json_array());
	uint64_t pending = 0, queued = 0;

	quantity_parse(&pending, json_object_get(status, "pending"));
	quantity_parse(&queued, json_object_get(status, "queued"));
	json_decref(status);
	return pending + queued;
}

/* The key's count of nonces. */
static inline uint64_t used(struct scene *s)
{
	json_t *count = ask(s, "eth_getTransactionCount",
		json_pack("[o, s]",
			hex_json(view_of(signer_address(s->member), ADDRESS20)),
			"latest"));
	uint64_t n;

	assert_int_equal(quantity_parse(&n, count), 0);
	json_decref(count);
	return n;
}

static inline const struct ledger_fate *settle(struct scene *s, uint64_t ticket)
{
	unsigned blocks = 0;

	while (!stage_fate_of(&s->stage, ticket)) {
		mine(s);
		stage_turns(&s->stage, 30);
		if (++blocks > 200)
			fail_msg("no fate of %llu\n%s", (unsigned long long)ticket,
				s->stage.troubles);
	}
	return stage_fate_of(&s->stage, ticket);
}

static inline void expect_final(struct scene *s, unsigned i)
{
	const struct ledger_fate *f = settle(s, s->batch[i].batch.ticket);

	if (f->fate != FATE_FINAL) {
		char text[REFUSAL_TEXT];

		fail_msg("batch %u: fate %d: %s / %s", i, f->fate, f->error.text,
			refusal_print(text, &f->refusal));
	}
	expect_words(s, &s->batch[i], i * 100);
}

#endif
