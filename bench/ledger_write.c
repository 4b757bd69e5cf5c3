/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_write CONFIG MEMBER GENERATION ADDRESS CELL COUNT SECONDS report|replace:
 * that member reports COUNT addresses from ADDRESS (a number) on, in the cells
 * from CELL on, for so long, in batches of 100, with the daemon's own writer: as
 * many at once as it takes. The key is the configuration's.
 *
 * Prints a line each: "queued NS BATCHES" when the writer takes no more (or has
 * all), "final NS TICKET BLOCK", with CLOCK_MONOTONIC's nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/http_client.h"
#include "daemon/config.h"
#include "ledger/ethereum/ethereum.h"

#define BATCH 100

struct author {
	uv_loop_t loop;
	uv_timer_t again;
	struct ledger *ledger;
	struct report word; /* but for address and cell */
	uint32_t address, cell, count;
	uint32_t batches, submitted, settled;
	bool told, failed;
};

static struct author author;

static void submit_again(uv_timer_t *timer);

static void fail(const char *text)
{
	fprintf(stderr, "ledger_write: %s\n", text);
	author.failed = true;
	uv_stop(&author.loop);
}

static uint32_t now(void)
{
	return (uint32_t)time(NULL);
}

static unsigned long long ns(void)
{
	return (unsigned long long)clock_monotonic() * 1000;
}

static void on_event(void *context, const struct ledger_event *e)
{
	(void)context;
	(void)e;
}

static void on_nothing(void *context)
{
	(void)context;
}

static void on_undo(void *context, uint64_t block)
{
	(void)context;
	(void)block;
}

/* An endpoint that is away is what is measured; it is said, and waited for. */
static void on_trouble(void *context, bool healthy, const char *text)
{
	(void)context;
	fprintf(stderr, "ledger_write: %s%s\n", healthy ? "over: " : "", text);
}

static void on_fate(void *context, const struct ledger_fate *fate)
{
	char text[REFUSAL_TEXT];

	(void)context;
	if (fate->fate == FATE_REFUSED)
		fail(refusal_print(text, &fate->refusal));
	else if (fate->fate == FATE_FAILED)
		fail(fate->error.text);
	if (author.failed)
		return;
	printf("final %llu %llu %llu\n", ns(), (unsigned long long)fate->ticket,
		(unsigned long long)fate->block);
	author.settled++;
	if (author.settled == author.batches)
		uv_stop(&author.loop);
	else /* not from inside the writer's own callback */
		uv_timer_start(&author.again, submit_again, 0, 0);
}

/* The n-th batch. 0, or -1 when the writer's queue is full. */
static int submit(uint32_t n)
{
	uint8_t words[BATCH * WORD_SIZE];
	struct ledger_batch b = {.ticket = n + 1, .member = author.word.member};
	uint32_t first = n * BATCH, left = author.count - first;
	struct report r = author.word;
	struct error err;

	b.count = (uint16_t)(left < BATCH ? left : BATCH);
	b.words = words;
	for (uint32_t i = 0; i < b.count; i++) {
		be32_store(r.indicator.value, author.address + first + i);
		r.cell = author.cell + first + i;
		word_encode(words + (size_t)i * WORD_SIZE, &r);
	}
	return author.ledger->methods->submit(author.ledger, &b, &err);
}

static void submit_some(void)
{
	while (author.submitted < author.batches && !submit(author.submitted))
		author.submitted++;
	if (!author.told)
		printf("queued %llu %u\n", ns(), author.submitted);
	author.told = true;
	fflush(stdout);
}

static void submit_again(uv_timer_t *timer)
{
	(void)timer;
	submit_some();
}

/* Until every batch is final. 0 or -1. */
static int run(const struct config *config)
{
	const struct ledger_callbacks callbacks = {
		.event = on_event,
		.undo = on_undo,
		.caught_up = on_nothing,
		.fate = on_fate,
		.trouble = on_trouble,
	};
	struct error err = {""};
	struct signer *signer = signer_open(config->member.key, &err);

	uv_loop_init(&author.loop);
	uv_timer_init(&author.loop, &author.again);
	author.ledger = signer ?
		ethereum_ledger_new(&author.loop, &config->ledger.ethereum, signer,
			&callbacks, now, &err) :
		NULL;
	if (!author.ledger || author.ledger->methods->start(author.ledger, now(), &err)) {
		fprintf(stderr, "ledger_write: %s\n", err.text);
		return -1;
	}
	submit_some();
	while (author.settled < author.batches && !author.failed &&
		uv_run(&author.loop, UV_RUN_DEFAULT))
		;
	author.ledger->methods->close(author.ledger);
	uv_close((uv_handle_t *)&author.again, NULL);
	while (uv_run(&author.loop, UV_RUN_DEFAULT))
		;
	uv_loop_close(&author.loop);
	signer_free(signer);
	return author.failed ? -1 : 0;
}

static void take_arguments(char **argv)
{
	author.word = (struct report){
		.indicator = {.kind = INDICATOR_IP4, .plen = 32},
		.member = (uint16_t)atoi(argv[2]),
		.generation = (uint16_t)atoi(argv[3]),
		.expiry = now() + (uint32_t)atoi(argv[7]),
		.category = CATEGORY_PASSWORD,
		.proof = PROOF_NONCE,
		.action = strcmp(argv[8], "replace") ? ACTION_REPORT : ACTION_REPLACE,
	};
	author.address = (uint32_t)strtoul(argv[4], NULL, 10);
	author.cell = (uint32_t)strtoul(argv[5], NULL, 10);
	author.count = (uint32_t)strtoul(argv[6], NULL, 10);
	author.batches = (author.count + BATCH - 1) / BATCH;
}

int main(int argc, char **argv)
{
	static struct config config;
	struct buffer errors = {0};
	struct error err = {""};
	int rc;

	if (argc != 9) {
		fprintf(stderr,
			"usage: %s CONFIG MEMBER GENERATION ADDRESS CELL COUNT SECONDS "
			"report|replace\n",
			argv[0]);
		return 2;
	}
	if (config_load(&config, argv[1], &errors)) {
		fprintf(stderr, "%.*s", (int)errors.n, (const char *)errors.p);
		return 1;
	}
	if (http_client_init(&err)) {
		fprintf(stderr, "ledger_write: %s\n", err.text);
		return 1;
	}
	take_arguments(argv);
	rc = run(&config);
	config_free(&config);
	buffer_free(&errors);
	return rc ? 1 : 0;
}
