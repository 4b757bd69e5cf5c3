/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain ledger bench: what reports cost on a chain of one's own. */
#include "cli/desk.h"
#include "cli/rules.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/url.h"

#define BATCH       100
#define REPORTS     1000
#define TTL         600
#define REPORTS_MAX (BATCH * 10000)

struct bench {
	struct desk desk;
	struct member member;
	uint32_t reports, ttl;
	uint32_t next_cell;
	struct session_receipt *receipts;
	unsigned batches;
	/* measured */
	double write_seconds, read_seconds;
	uint64_t gas, first_block, last_block, read;
};

static double seconds_since(usec start)
{
	return (double)(clock_monotonic() - start) / (double)USEC_PER_SEC;
}

/* The options. Returns 0 or an exit code. */
static int take_options(struct bench *b, struct invocation *in)
{
	uint64_t reports = REPORTS, ttl = TTL;

	if (option_number(in, OPTION_REPORTS, 1, REPORTS_MAX, &reports))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	if (given(in, OPTION_TTL) &&
		(duration_parse(&ttl, view_str(option(in, OPTION_TTL, "")), &in->error) ||
			ttl < 60 || ttl > 366 * 86400))
		return failure(CONTROL_USAGE, "--ttl %s: from 1m to 366d",
			shown(option(in, OPTION_TTL, "")));
	b->reports = (uint32_t)reports;
	b->ttl = (uint32_t)ttl;
	return 0;
}

/* Whether this chain may be filled. Returns 0 or an exit code. */
static int may_bench(struct bench *b, struct invocation *in)
{
	const struct registry *r = desk_registry(&b->desk);
	const struct member *m;

	m = registry_member_by_signer(r, signer_address(b->desk.signer));
	if (!m || m->status != MEMBER_ACTIVE)
		return failure(CONTROL_PERMISSION,
			"the key is no active member's; `sipchain member list` shows");
	b->member = *m;
	if (b->reports > m->cap - (m->live < m->cap ? m->live : m->cap))
		return failure(CONTROL_FAILED,
			"member %u has %u cells and %u live reports: give a lower --reports, "
			"or raise its cap with `sipchain member set`",
			m->index, m->cap, m->live);
	if (b->ttl > registry_config(r)->max_ttl)
		b->ttl = registry_config(r)->max_ttl;
	(void)in;
	return 0;
}

/* The next cell without a live word. */
static uint32_t take_cell(struct bench *b, uint32_t now)
{
	const struct registry *r = desk_registry(&b->desk);
	struct report ignored;

	while (!registry_cell(r, b->member.index, b->next_cell, now, &ignored))
		b->next_cell++;
	return b->next_cell++;
}

/* One batch, sent and not waited for. 0 or -1 with desk.why. */
static int send_batch(struct bench *b, struct invocation *in, uint16_t count)
{
	struct operation op = {
		.type = OP_BATCH, .member = b->member.index, .count = count};
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);
	uint32_t chain = (uint32_t)session_head(b->desk.session)->timestamp;
	uint8_t words[BATCH * WORD_SIZE];

	for (unsigned i = 0; i < count; i++) {
		/* A text's hash that no text has: nothing real is reported. */
		struct report r = {.indicator = {.kind = INDICATOR_URI, .plen = 128},
			.expiry = (now < chain ? now : chain) + b->ttl,
			.member = b->member.index,
			.generation = b->member.generation,
			.cell = take_cell(b, now),
			.category = CATEGORY_OTHER,
			.proof = PROOF_MANUAL};

		if (getrandom(r.indicator.value, sizeof r.indicator.value, 0) !=
			sizeof r.indicator.value)
			return session_fail(
				&b->desk.why, SESSION_FAILED, "no random numbers");
		word_encode(words + (size_t)i * WORD_SIZE, &r);
	}
	op.words = words;
	if (desk_submit(&b->desk, in, &op, 0))
		return -1;
	b->receipts[b->batches++] = b->desk.receipt;
	return 0;
}

/* Write them all and see them in blocks. 0 or -1 with desk.why. */
static int write_all(struct bench *b, struct invocation *in)
{
	usec start = clock_monotonic();

	for (uint32_t left = b->reports; left;) {
		uint16_t count = left < BATCH ? (uint16_t)left : BATCH;

		if (send_batch(b, in, count))
			return -1;
		left -= count;
	}
	for (unsigned i = 0; i < b->batches; i++) {
		struct session_receipt *r = &b->receipts[i];

		if (session_receipt(b->desk.session, DESK_BLOCK_MS, r, &b->desk.why))
			return -1;
		b->gas += r->gas_used;
		if (!b->first_block || r->block < b->first_block)
			b->first_block = r->block;
		if (r->block > b->last_block)
			b->last_block = r->block;
	}
	b->write_seconds = seconds_since(start);
	return 0;
}

static int read_all(struct bench *b)
{
	usec start = clock_monotonic();

	if (session_read(b->desk.session, true, 0, NULL, NULL, &b->desk.why))
		return -1;
	b->read_seconds = seconds_since(start);
	b->read = registry_live_count(desk_registry(&b->desk));
	return 0;
}

static void bench_out(const struct bench *b, struct invocation *in)
{
	uint64_t blocks = b->last_block - b->first_block + 1;
	json_t *out;

	if (!given(in, OPTION_JSON)) {
		printf("written         %u reports in %u batches: %.2f s, %.0f a second\n"
		       "blocks          %llu (%llu to %llu)\n"
		       "gas             %llu, %.0f a report\n"
		       "read back       %llu live reports from the beginning on: %.3f s, "
		       "%.0f a second\n",
			b->reports, b->batches, b->write_seconds,
			b->reports / b->write_seconds, (unsigned long long)blocks,
			(unsigned long long)b->first_block,
			(unsigned long long)b->last_block, (unsigned long long)b->gas,
			(double)b->gas / b->reports, (unsigned long long)b->read,
			b->read_seconds, (double)b->read / b->read_seconds);
		return;
	}
	out = json_pack("{s:I, s:I, s:f, s:I, s:I, s:f, s:I, s:f}", "reports",
		(json_int_t)b->reports, "batches", (json_int_t)b->batches,
		"write_seconds", b->write_seconds, "blocks", (json_int_t)blocks, "gas",
		(json_int_t)b->gas, "gas_per_report", (double)b->gas / b->reports, "read",
		(json_int_t)b->read, "read_seconds", b->read_seconds);
	print_json(out);
	json_decref(out);
}

/* With the desk open. Returns an exit code, having said why. */
static int bench(struct bench *b, struct invocation *in)
{
	int rc, code = may_bench(b, in);

	if (code)
		return code;
	b->receipts = calloc(b->reports / BATCH + 1, sizeof *b->receipts);
	if (!b->receipts)
		return failure(CONTROL_FAILED, "out of memory");
	progress_begin("writing");
	rc = write_all(b, in);
	if (!rc) {
		progress_begin("reading");
		rc = read_all(b);
	}
	progress_end();
	if (rc)
		return session_failed(&b->desk.why);
	bench_out(b, in);
	return 0;
}

int run_ledger_bench(struct invocation *in)
{
	static struct bench b;
	const struct ethereum_settings *s = &b.desk.choice.config.ledger.ethereum;
	int code;

	memset(&b, 0, sizeof b);
	code = take_options(&b, in);
	if (!code) /* the choice alone first: a strange chain is not even asked */
		code = choice_make(&b.desk.choice, in, 0);
	if (code)
		return code;
	if (b.desk.choice.config.ledger.type != CONFIG_LEDGER_ETHEREUM)
		code = failure(CONTROL_USAGE,
			"this ledger is a file: `sipchain ledger bench` is for a chain; "
			"give --endpoint and --contract");
	for (size_t i = 0; !code && i < s->endpoint_count; i++)
		if (!url_is_loopback(s->endpoints[i].url) && !given(in, OPTION_YES))
			code = failure(CONTROL_USAGE,
				"%s is not on this machine: %u reports would stand on a "
				"ledger that others read; add --yes if it is yours",
				shown(s->endpoints[i].name), b.reports);
	choice_free(&b.desk.choice);
	if (!code)
		code = desk_open(&b.desk, in, DESK_SIGNS | DESK_MEMBER);
	if (code)
		return code;
	code = bench(&b, in);
	free(b.receipts);
	desk_close(&b.desk);
	return code;
}
