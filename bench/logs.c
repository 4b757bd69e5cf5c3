/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a node's reply to eth_getLogs is read: the scanner, which holds one
 * log at a time, beside jansson, which makes a tree of the same bytes (and has
 * then decoded no hex yet).
 *
 *   small    batches of one report, some 0.9 kB of JSON each
 *   full     batches of 100 reports, 7 kB of JSON each
 *
 * Both are fed 16 kB at a time, as libcurl gives them. Exits 1 when the scanner
 * reads less than 300 MB/s of either.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ledger/ethereum/logs.h"

#define TARGET 300.0
#define BYTES  (64u << 20)
#define CHUNK  16384u
#define ROUNDS 5

struct sum {
	uint64_t logs, bytes;
};

static bool take(void *context, const struct log *l)
{
	struct sum *s = context;

	s->logs++;
	s->bytes += l->data.n;
	return true;
}

/* count logs with words report words each, as geth prints them. */
static void make_reply(struct buffer *out, unsigned words)
{
	static const char digits[] = "0123456789abcdef";
	/* offset, length, head, body, rounded up to ABI words */
	unsigned data = 192 + (128 + words * 32 + 31) / 32 * 32, count = 0;
	uint64_t state = 88172645463325252u;

	buffer_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[");
	while (out->n < BYTES) {
		buffer_printf(out,
			"%s{\"address\":\"0x5fbdb2315678afecb367f032d93f642f64180aa3\","
			"\"topics\":[\"0xdcc8f48390d6b779c98af29161596770af8614be7a37efd1458e9"
			"01c66d9e0ce\",\"0x%064x\"],\"data\":\"0x",
			count ? "," : "", count);
		for (unsigned i = 0; i < 2 * data; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			buffer_put_u8(out, (uint8_t)digits[state % 16]);
		}
		buffer_printf(out,
			"\",\"blockNumber\":\"0x%x\",\"transactionHash\":\"0x%064x\","
			"\"transactionIndex\":\"0x0\",\"blockHash\":\"0x%064x\","
			"\"logIndex\":\"0x%x\",\"removed\":false}",
			count / 4 + 1, count * 7, count / 4, count % 4);
		count++;
	}
	buffer_printf(out, "]}");
	if (out->failed)
		abort();
}

/* Microseconds of this process on a core: what else runs here does not count. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double scan(struct view text, struct sum *sum)
{
	double start = cpu_us();
	struct log_scanner *s = log_scanner_new(7, take, sum);
	struct view rest = text, message, data;
	int64_t code;

	for (; rest.n > 0; rest = view_from(rest, CHUNK))
		if (!s || log_scanner_feed(s, view_head(rest, CHUNK), NULL))
			abort();
	if (log_scanner_end(s, &code, &message, &data, NULL))
		abort();
	log_scanner_free(s);
	return (double)text.n / (cpu_us() - start);
}

struct feed {
	struct view rest;
};

static size_t feed_jansson(void *dst, size_t n, void *context)
{
	struct feed *f = context;
	struct view piece = view_head(f->rest, n < CHUNK ? n : CHUNK);

	memcpy(dst, piece.p, piece.n);
	f->rest = view_from(f->rest, piece.n);
	return piece.n;
}

static double parse(struct view text, size_t *logs)
{
	double start = cpu_us();
	struct feed f = {text};
	json_t *root = json_load_callback(feed_jansson, &f, 0, NULL);

	*logs = json_array_size(json_object_get(root, "result"));
	json_decref(root);
	return (double)text.n / (cpu_us() - start);
}

/*
 * The most memory that reading took, above what the text itself takes: in a child
 * made before there is any text here, whose peak it would inherit.
 */
static long child_kb(unsigned words, bool tree)
{
	struct rusage before, after;
	struct buffer text = {0};
	struct sum sum = {0, 0};
	size_t logs;
	long kb = -1;
	int fds[2];

	if (pipe(fds))
		return -1;
	if (!fork()) {
		make_reply(&text, words);
		getrusage(RUSAGE_SELF, &before);
		if (tree)
			parse(view_of(text.p, text.n), &logs);
		else
			scan(view_of(text.p, text.n), &sum);
		getrusage(RUSAGE_SELF, &after);
		kb = after.ru_maxrss - before.ru_maxrss;
		_exit(write(fds[1], &kb, sizeof kb) != sizeof kb);
	}
	if (read(fds[0], &kb, sizeof kb) != sizeof kb)
		kb = -1;
	wait(NULL);
	close(fds[0]);
	close(fds[1]);
	return kb;
}

static bool compare(const char *name, unsigned words)
{
	long scan_kb = child_kb(words, false), tree_kb = child_kb(words, true);
	struct buffer text = {0};
	double best = 0, tree = 0;
	struct sum sum;
	size_t logs = 0;
	struct view v;

	make_reply(&text, words);
	v = view_of(text.p, text.n);
	for (unsigned i = 0; i < ROUNDS; i++) {
		double now;

		sum = (struct sum){0, 0};
		now = scan(v, &sum);
		best = now > best ? now : best;
		now = parse(v, &logs);
		tree = now > tree ? now : tree;
	}
	if (logs != sum.logs)
		abort();
	printf("%-6s %zu MB, %zu logs: scanner %.0f MB/s of one core, %ld kB; jansson "
	       "%.0f MB/s, %ld kB\n",
		name, text.n >> 20, logs, best, scan_kb, tree, tree_kb);
	fflush(stdout); /* before the next children, who would print it again */
	buffer_free(&text);
	return best >= TARGET;
}

int main(void)
{
	bool small = compare("small", 1), full = compare("full", 100);

	if (!small || !full)
		printf("missed: the scanner is to read %.0f MB/s\n", TARGET);
	return small && full ? 0 : 1;
}
