/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same random histories through the contract on a development chain, the
 * local ledger and the registry's fold: what each accepts, why it refuses, the
 * canonical bytes, the tips after every operation and the whole state now and
 * then must be equal.
 *
 *   differential URL FOLDER HISTORIES OPERATIONS SEED
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/keccak.h"
#include "chain.h"
#include "compare.h"
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/header.h"
#include "ledger/local.h"

struct run {
	struct history history;
	struct registry *registry;
	struct local *local;
	uint8_t contract[ADDRESS20];
	unsigned accepted[256], refused[REFUSED_COUNT], reverted;
};

static char *print(char dst[REFUSAL_TEXT + 32], bool ok, const struct refusal *why)
{
	char text[REFUSAL_TEXT];

	snprintf(
		dst, REFUSAL_TEXT + 32, "%s", ok ? "accepted" : refusal_print(text, why));
	return dst;
}

/* Two answers to one question. */
static void must_agree(const char *who, bool ok_a, const struct refusal *a, bool ok_b,
	const struct refusal *b, const struct operation *op)
{
	char first[REFUSAL_TEXT + 32], second[REFUSAL_TEXT + 32];

	if (ok_a == ok_b &&
		(ok_a ||
			(a->code == b->code && a->entry == b->entry &&
				!memcmp(&a->conflict, &b->conflict, sizeof a->conflict))))
		return;
	die("%s %llu: the registry says: %s; %s says: %s", operation_name(op->type),
		(unsigned long long)op->seq, print(first, ok_a, a), who,
		print(second, ok_b, b));
}

/* The receipt's one Operation; the ownership's own events are beside it. */
static const json_t *operation_log(const json_t *receipt)
{
	const json_t *found = NULL, *log;
	uint8_t topic[HASH_SIZE];
	size_t k;

	json_array_foreach(json_object_get(receipt, "logs"), k, log)
	{
		if (fixed_parse(topic, HASH_SIZE,
			    json_array_get(json_object_get(log, "topics"), 0)))
			die("a topic that is none");
		if (memcmp(topic, abi_operation_topic, HASH_SIZE))
			continue;
		if (found)
			die("two operations in one transaction");
		found = log;
	}
	if (!found)
		die("no operation was logged");
	return found;
}

/* The event that the contract logged is the operation's canonical bytes. */
static void fold_event(struct run *run, const struct operation *op, json_t *receipt)
{
	const json_t *log = operation_log(receipt), *topic;
	const char *text = json_string_value(json_object_get(log, "data"));
	uint8_t topics[4][HASH_SIZE], *bytes;
	struct contract_event event;
	struct buffer due = {0};
	struct operation read;
	struct refusal why;
	struct error err;
	size_t k, n;

	if (!text)
		die("a log without data");
	json_array_foreach(json_object_get(log, "topics"), k, topic) if (k >= 4 ||
		fixed_parse(topics[k], HASH_SIZE, topic)) die("a topic that is none");
	n = strlen(text) / 2 - 1;
	bytes = malloc(n);
	if (!bytes || fixed_parse(bytes, n, json_object_get(log, "data")))
		die("data that is no hex");
	if (abi_event_decode(&event, (const uint8_t(*)[HASH_SIZE])topics, (unsigned)k,
		    view_of(bytes, n), &err))
		die("event: %s", err.text);
	if (operation_encode(&due, op) ||
		!view_eq(event.operation, view_of(due.p, due.n)))
		die("%s: the event is not the operation", operation_name(op->type));
	if (memcmp(event.tip_before, registry_tip(run->registry, event.chain)->hash,
		    HASH_SIZE))
		die("the event does not begin at the tip");
	if (operation_decode(&read, event.operation, &err))
		die("the event's operation: %s", err.text);
	if (registry_apply(run->registry, &read, event.operation, NULL, NULL, &why))
		die("the fold refuses what the contract accepted: %s",
			refusal_name(why.code));
	buffer_free(&due);
	free(bytes);
}

static void step(struct run *run, bool whole)
{
	struct history *h = &run->history;
	struct refusal why = {0}, reverted = {0}, local = {0};
	struct buffer call = {0}, result = {0};
	struct operation op, copy;
	json_t *receipt = NULL;
	struct error err;
	unsigned actor;
	bool ok, sent;
	int rc;

	actor = history_next(h, run->registry, &op);
	ok = !registry_check(run->registry, &op, &why);
	if (abi_operation_call(&call, &op))
		die("%s has no call", operation_name(op.type));
	sent = chain_call(
		&result, run->contract, op.actor, view_of(call.p, call.n), op.time);
	if (!sent && abi_refusal_decode(&reverted, view_of(result.p, result.n)))
		die("%s: a revert that is no refusal", operation_name(op.type));
	must_agree("the contract", ok, &why, sent, &reverted, &op);
	copy = op;
	rc = local_append(run->local, &copy, h->actors[actor], op.time, &local, &err);
	if (rc == -2)
		die("local: %s", err.text);
	must_agree("the local ledger", ok, &why, !rc, &local, &op);
	if (ok || prng_below(&h->random, 8) == 0) {
		sent = chain_send(&receipt, run->contract, h->actors[actor],
			view_of(call.p, call.n), op.time, prng_below(&h->random, 2));
		must_agree("the transaction", ok, &why, sent, &why, &op);
		run->reverted += !sent;
	}
	if (ok)
		fold_event(run, &op, receipt);
	compare_tips(run->registry, local_registry(run->local), run->contract, h->time);
	if (whole)
		compare_state(
			h, run->registry, local_registry(run->local), run->contract);
	run->accepted[op.type] += ok;
	run->refused[why.code] += !ok;
	json_decref(receipt);
	buffer_free(&call);
	buffer_free(&result);
}

/* Deploy, and the same genesis for the other two. */
static void begin(struct run *run, const char *path)
{
	struct history *h = &run->history;
	struct operation op = {.type = OP_GENESIS, .time = h->time};
	struct buffer bytes = {0};
	struct refusal why = {0};
	struct error err;

	op.config = history_config(h, true);
	memcpy(op.actor, signer_address(h->actors[0]), ADDRESS20);
	memcpy(op.address, signer_address(h->actors[1]), ADDRESS20);
	chain_deploy(
		run->contract, op.salt, &op.config, op.address, h->actors[0], h->time);
	if (local_create_salted(
		    path, &op.config, op.address, op.salt, h->actors[0], h->time, &err))
		die("%s", err.text);
	run->local = local_open(path, true, h->time, &err);
	run->registry = registry_new((struct hash_key){1, 2});
	if (!run->local || !run->registry)
		die("%s", err.text);
	if (operation_encode(&bytes, &op) ||
		registry_apply(
			run->registry, &op, view_of(bytes.p, bytes.n), NULL, NULL, &why))
		die("genesis: %s", refusal_name(why.code));
	buffer_free(&bytes);
	compare_tips(run->registry, local_registry(run->local), run->contract, h->time);
}

static void one_history(
	struct run *run, const char *folder, unsigned operations, uint64_t seed)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-bell"};
	char path[512];

	history_begin(&run->history, seed, run->history.time + 1000);
	snprintf(
		path, sizeof path, "%s/ledger-%llu.db", folder, (unsigned long long)seed);
	begin(run, path);
	for (unsigned k = 1; k <= operations; k++)
		step(run, k % 16 == 0 || k == operations);
	local_close(run->local);
	registry_free(run->registry);
	for (unsigned k = 0; k < 4; k++) {
		snprintf(path, sizeof path, "%s/ledger-%llu.db%s", folder,
			(unsigned long long)seed, suffixes[k]);
		unlink(path);
	}
}

/* What the histories must have reached, or they prove little. */
static unsigned reached(const struct run *run, bool say)
{
	unsigned missing = 0;

	for (unsigned t = 1; t < 256; t++) {
		const char *name = operation_name((uint8_t)t);

		if (name[0] == '?' || t == OP_GENESIS)
			continue;
		missing += !run->accepted[t];
		if (say)
			printf("  accepted %-16s %u\n", name, run->accepted[t]);
	}
	for (unsigned c = 1; c < REFUSED_COUNT; c++)
		if (say && run->refused[c])
			printf("  refused  %-16s %u\n",
				refusal_name((enum refusal_code)c), run->refused[c]);
	return missing;
}

int main(int argc, char **argv)
{
	static struct run run;
	unsigned histories, operations, codes = 0, missing;
	uint64_t seed;

	if (argc != 6)
		die("usage: %s URL FOLDER HISTORIES OPERATIONS SEED", argv[0]);
	histories = (unsigned)atoi(argv[3]);
	operations = (unsigned)atoi(argv[4]);
	seed = strtoull(argv[5], NULL, 10);
	chain_open(argv[1]);
	for (unsigned a = 0; a < ACTORS; a++) {
		uint8_t secret[HASH_SIZE], text[16];

		/* Of the seed, so that a failure repeats. */
		be64_store(text, seed);
		be64_store(text + 8, a);
		keccak256(secret, text, sizeof text);
		run.history.actors[a] = signer_from_secret(secret);
	}
	run.history.time = 1800000000;
	for (unsigned k = 0; k < histories; k++) {
		one_history(&run, argv[2], operations, seed + k);
		if (isatty(STDOUT_FILENO))
			printf("\r%u of %u histories", k + 1, histories), fflush(stdout);
	}
	missing = reached(&run, true);
	for (unsigned c = 1; c < REFUSED_COUNT; c++)
		codes += run.refused[c] > 0;
	printf("differential: %u histories of %u operations equal in contract, local "
	       "ledger and fold; %u kinds of refusal, %u transactions reverted; seed "
	       "%llu\n",
		histories, operations, codes, run.reverted, (unsigned long long)seed);
	for (unsigned a = 0; a < ACTORS; a++)
		signer_free((struct signer *)(uintptr_t)run.history.actors[a]);
	chain_close();
	return missing && histories * operations >= 5000 ? 1 : 0;
}
