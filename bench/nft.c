/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bans cost in the real kernel, in a network namespace of its own:
 *
 *   insert   one ban into a set that holds 0, 100k, 1M: at most 100 us (p99)
 *   load     1M bans in transactions of 1,000: at most 2.5 s
 *   memory   of this process with 1M bans in the kernel: at most 64 MB
 *
 * Ends with 1 when a figure misses its limit, 77 without namespaces.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "enforce/nft.h"
#include "namespace.h"

#define MILLION  1000000u
#define SAMPLES  10000u
#define CHUNK    10000u
#define US_LIMIT 100.0
#define S_LIMIT  2.5
#define MB_LIMIT 64.0
#define LIFETIME 86400u

static unsigned missed;

/* Ban number i of the load: an address that no sample uses. */
static struct ban_order ban(uint32_t base, uint32_t i, usec now)
{
	struct ban_order o = {
		.indicator = {.kind = INDICATOR_IP4, .plen = 32},
		.change = BAN_ADD,
		.scope = BAN_SIP,
		.until = (uint32_t)(now / USEC_PER_SEC) + LIFETIME + i % 1000,
	};

	/* Spread like real ones: an odd factor permutes 32-bit numbers. */
	be32_store(o.indicator.value, (base + i) * UINT32_C(2654435761));
	return o;
}

static _Noreturn void die(const struct error *err)
{
	fprintf(stderr, "bench nft: %s\n", err->text);
	exit(2);
}

static void row(const char *what, double value, const char *unit, double limit)
{
	printf("%-44s %10.2f %-3s %8.1f %6.2f %s\n", what, value, unit, limit,
		value / limit, value <= limit ? "ok" : "MISSED");
	if (value > limit)
		missed++;
}

/* Processor seconds that this process used so far, the kernel's share included. */
static double processor(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Orders first..first+count, in calls of CHUNK. Returns seconds. */
static double load(struct nft *n, uint32_t first, uint32_t count)
{
	struct ban_order *orders = calloc(CHUNK, sizeof(*orders));
	struct error err = {""};
	usec now = clock_wall(), began = clock_monotonic();
	size_t refused;

	for (uint32_t at = 0; orders && at < count; at += CHUNK) {
		uint32_t k = count - at < CHUNK ? count - at : CHUNK;

		for (uint32_t i = 0; i < k; i++)
			orders[i] = ban(first, at + i, now);
		if (nft_apply(n, orders, k, now, NULL, &refused, &err) < 0)
			die(&err);
		if (refused != 0) {
			error_set(&err, "%zu bans refused", refused);
			die(&err);
		}
	}
	free(orders);
	return (double)(clock_monotonic() - began) / 1e6;
}

/* SAMPLES times: one new ban, one call. Takes them out again. */
static void insert(struct nft *n, uint32_t present)
{
	double *us = calloc(SAMPLES, sizeof(*us));
	struct error err = {""};
	char what[64];
	size_t refused;

	if (!us)
		exit(2);
	for (int change = BAN_ADD; change <= BAN_DELETE; change++) {
		for (uint32_t i = 0; i < SAMPLES; i++) {
			usec now = clock_wall(), began;
			struct ban_order o = ban(3 * MILLION, i, now);

			o.change = (uint8_t)change;
			began = clock_monotonic();
			if (nft_apply(n, &o, 1, now, NULL, &refused, &err) < 0)
				die(&err);
			if (change == BAN_ADD)
				us[i] = (double)(clock_monotonic() - began);
		}
	}
	qsort(us, SAMPLES, sizeof(*us), compare);
	snprintf(what, sizeof(what), "insert one ban, %u present, p50", present);
	row(what, us[SAMPLES / 2], "us", US_LIMIT);
	snprintf(what, sizeof(what), "insert one ban, %u present, p99", present);
	row(what, us[SAMPLES * 99 / 100], "us", US_LIMIT);
	free(us);
}

int main(void)
{
	struct nft_config config = nft_config_default;
	struct error err = {""};
	struct rusage usage;
	struct nft *n;
	double seconds, busy;

	if (namespace_enter(&err) < 0) {
		fprintf(stderr, "bench nft: skipped: %s\n", err.text);
		return 77;
	}
	config.set_size = 2 * MILLION;
	n = nft_open(&config, &err);
	if (!n || nft_setup(n, &err) < 0)
		die(&err);
	printf("kernel: timeout update %d, DESTROY %d, owner+persist %d, "
	       "SO_SNDBUFFORCE %d\n",
		nft_features(n)->update_timeout, nft_features(n)->destroy,
		nft_features(n)->owner_persist, nft_features(n)->sndbuf_force);
	printf("%-44s %10s %-3s %8s %6s\n", "", "measured", "", "limit", "ratio");
	insert(n, 0);
	busy = -processor();
	seconds = load(n, 0, MILLION / 10);
	busy += processor();
	insert(n, MILLION / 10);
	busy -= processor();
	seconds += load(n, MILLION / 10, MILLION - MILLION / 10);
	busy += processor();
	insert(n, MILLION);
	row("load 1000000 bans", seconds, "s", S_LIMIT);
	/* On a machine that has other work, too, this tells the load's own share. */
	row("load 1000000 bans, processor time", busy, "s", S_LIMIT);
	row("order all 1000000 once more (new ends)", load(n, 0, MILLION), "s", S_LIMIT);
	getrusage(RUSAGE_SELF, &usage);
	row("resident memory, highest", (double)usage.ru_maxrss / 1024, "MB", MB_LIMIT);
	if (nft_teardown(n, &err) < 0)
		die(&err);
	nft_close(n);
	return missed == 0 ? 0 : 1;
}
