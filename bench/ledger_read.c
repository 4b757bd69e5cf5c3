/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_read CONFIG: a fresh node's reading of a ledger on a chain, from an
 * empty journal until everything is folded. Prints what it took as JSON: times
 * are CLOCK_MONOTONIC in ns, `heap` what malloc has given out since the start
 * and not got back, the open journal included.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core.h"
#include "base/clock.h"
#include "base/http_client.h"
#include "daemon/config.h"
#include "ledger/ethereum/ethereum.h"
#include "ledger/ethereum/reader.h"

struct reading_node {
	uv_loop_t loop;
	struct ledger *ledger;
	struct registry *registry;
	bool caught_up, failed;
	usec begun, logs, committed, done; /* clock_monotonic() */
	size_t events, heap_before, heap;
	double cpu_committed; /* seconds */
};

static struct reading_node node;

static size_t heap_used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Of processor time so far. */
static void fail(const char *text)
{
	fprintf(stderr, "ledger_read: %s\n", text);
	node.failed = true;
	uv_stop(&node.loop);
}

static void on_window(void *context, const struct tip *before, uint32_t since)
{
	(void)context;
	if (registry_window(node.registry, before, since))
		fail("the window does not fit");
}

static void on_event(void *context, const struct ledger_event *e)
{
	struct refusal why = {0};
	char text[REFUSAL_TEXT];

	(void)context;
	node.events++;
	if (registry_apply(node.registry, &e->operation, e->bytes, NULL, NULL, &why))
		fail(refusal_print(text, &why));
}

static void on_undo(void *context, uint64_t block)
{
	(void)context;
	(void)block;
	fail("the chain was reorganised");
}

static void on_caught_up(void *context)
{
	(void)context;
	node.done = clock_monotonic();
	node.heap = heap_used();
	node.caught_up = true;
	uv_stop(&node.loop);
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	(void)context;
	if (!healthy)
		fail(text);
}

static void on_step(const char *name)
{
	if (!strcmp(name, "logs"))
		node.logs = clock_monotonic();
	if (!strcmp(name, "committed") && !node.committed) {
		node.committed = clock_monotonic();
		node.cpu_committed = cpu_seconds();
	}
}

static uint32_t now(void)
{
	return (uint32_t)time(NULL);
}

/* From opening to caught_up(). 0 or -1. */
static int run(const struct ethereum_settings *settings)
{
	const struct ledger_callbacks callbacks = {
		.window = on_window,
		.event = on_event,
		.undo = on_undo,
		.caught_up = on_caught_up,
		.trouble = on_trouble,
	};
	struct error err = {""};

	reader_step = on_step;
	node.heap_before = heap_used();
	node.begun = clock_monotonic();
	node.registry = registry_new(hash_key_random());
	uv_loop_init(&node.loop);
	node.ledger = ethereum_ledger_new(
		&node.loop, settings, NULL, &callbacks, now, &err);
	if (!node.registry || !node.ledger ||
		node.ledger->methods->start(node.ledger, now(), &err)) {
		fprintf(stderr, "ledger_read: %s\n", err.text);
		return -1;
	}
	while (!node.caught_up && !node.failed && uv_run(&node.loop, UV_RUN_DEFAULT))
		;
	return node.caught_up && !node.failed ? 0 : -1;
}

static void print(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"reports\": %zu, \"events\": %zu, \"begun\": %llu, \"logs\": %llu, "
	       "\"committed\": %llu, \"done\": %llu, \"heap\": %zu, \"registry\": %zu, "
	       "\"peak\": %ld, \"cpu\": %.3f, "
	       "\"cpu_folding\": %.3f}\n",
		registry_live_count(node.registry), node.events,
		(unsigned long long)node.begun * 1000,
		(unsigned long long)node.logs * 1000,
		(unsigned long long)node.committed * 1000,
		(unsigned long long)node.done * 1000, node.heap - node.heap_before,
		registry_memory(node.registry), usage.ru_maxrss * 1024, cpu_seconds(),
		cpu_seconds() - node.cpu_committed);
}

int main(int argc, char **argv)
{
	static struct config config;
	struct buffer errors = {0};
	struct error err = {""};
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CONFIG\n", argv[0]);
		return 2;
	}
	if (config_load(&config, argv[1], &errors)) {
		fprintf(stderr, "%.*s", (int)errors.n, (const char *)errors.p);
		return 1;
	}
	if (http_client_init(&err)) {
		fprintf(stderr, "ledger_read: %s\n", err.text);
		return 1;
	}
	rc = run(&config.ledger.ethereum);
	if (!rc)
		print();
	if (node.ledger)
		node.ledger->methods->close(node.ledger);
	while (uv_run(&node.loop, UV_RUN_DEFAULT))
		;
	uv_loop_close(&node.loop);
	registry_free(node.registry);
	config_free(&config);
	buffer_free(&errors);
	return rc ? 1 : 0;
}
