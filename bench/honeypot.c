/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many messages a second one core takes through the honeypot's core: parsed, told
 * by their tool, proved, recorded (into a hook that touches each byte) and answered.
 * Its socket and the disk are measured apart.
 *
 *   mixed     what attackers send: OPTIONS, REGISTER for unknown and bait accounts,
 *             guesses with nonces of ours, INVITEs and their ACKs, from 4,096 sources
 *   garbage   10^7 packets of other bytes: and the memory is what it was
 *
 * Exits 1 when either is below 50,000 a second, or memory grew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core.h"
#include "sense/honeypot/honeypot.h"

#define TARGET  50000.0
#define SOURCES 4096u
#define ROUNDS  1000000u
#define GARBAGE 10000000u

#define NOW (UINT64_C(1795291398) * USEC_PER_SEC)

static char nonces[SOURCES][64], tags[SOURCES][64];
static uint64_t sum, observed;
static unsigned source;

static void on_send(void *context, const struct honeypot_path *path, struct view bytes)
{
	const char *text = (const char *)bytes.p;
	size_t at = view_find_str(bytes, "nonce=\"");
	struct view to = view_from(bytes, view_find_str(bytes, "\nTo: "));

	(void)context;
	(void)path;
	if (at < bytes.n)
		view_copy(nonces[source], 64,
			view_head(view_from(bytes, at + 7),
				view_find(view_from(bytes, at + 7), '"')));
	at = view_find_str(to, ";tag=");
	if (at < view_find(to, '\r') && bytes.n > 9 && text[8] > '2')
		view_copy(tags[source], 64,
			view_head(view_from(to, at + 5),
				view_find(view_from(to, at + 5), '\r')));
}

static void on_observe(void *context, const struct observation *o)
{
	(void)context;
	observed += o->kind != 0;
}

static void on_record(void *context, const struct honeypot_record *r)
{
	(void)context;
	for (size_t i = 0; i < r->bytes.n; i += 64)
		sum += r->bytes.p[i];
}

static long resident_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* Written before the clock runs: who measures snprintf() does not measure this. */
static size_t write_message(char dst[1200], unsigned i)
{
	static const char *const methods[8] = {"OPTIONS", "REGISTER", "REGISTER",
		"REGISTER", "INVITE", "ACK", "INVITE", "REGISTER"};
	unsigned s = i % SOURCES, step = i / SOURCES % 8;
	const char *m = methods[step];
	char more[256] = "", user[24], tag[80] = "";

	snprintf(user, sizeof user,
		step == 1                      ? "%u" :
			step == 4 || step == 5 ? "9%03u" :
						 "100",
		step == 1 ? 20000 + i % 10000 : s % 1000);
	if (step == 3 || step == 7)
		snprintf(more, sizeof more,
			"Authorization: Digest username=\"100\",realm=\"asterisk\","
			"nonce=\"%s\",uri=\"sip:192.0.2.10\","
			"response=\"%032u\",algorithm=MD5\r\n",
			nonces[s], i);
	if (step == 5)
		snprintf(tag, sizeof tag, ";tag=%s", tags[s]);
	return (size_t)snprintf(dst, 1200,
		"%s sip:%s@192.0.2.10 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-%u;rport\r\n"
		"Max-Forwards: 70\r\nTo: \"%s\"<sip:%s@192.0.2.10>%s\r\n"
		"From: \"%s\"<sip:%s@192.0.2.10>;tag=31303001%08x\r\n"
		"User-Agent: friendly-scanner\r\nCall-ID: %u\r\nContact: sip:%s@192.0.2.10\r\n"
		"CSeq: 1 %s\r\nAccept: application/sdp\r\n%sContent-Length: 0\r\n\r\n",
		m, step == 6 ? "900972590000101" : user, i, user, user, tag, user, user,
		i, step == 5 ? i - SOURCES : i, user, m, more);
}

static double bench_mixed(struct honeypot *h)
{
	static char text[SOURCES][1200];
	static size_t n[SOURCES];
	struct honeypot_path path = {.remote = {4, {198, 18, 0, 0}},
		.local = {4, {192, 0, 2, 10}},
		.remote_port = 5060,
		.local_port = 5060,
		.transport = TRANSPORT_UDP};
	double took = 0;
	usec now = NOW;

	for (unsigned i = 0; i < ROUNDS; i += SOURCES) {
		double start;

		for (unsigned k = 0; k < SOURCES; k++)
			n[k] = write_message(text[k], i + k);
		start = cpu_seconds();
		for (unsigned k = 0; k < SOURCES; k++) {
			source = k;
			path.remote.bytes[2] = (uint8_t)(k >> 8);
			path.remote.bytes[3] = (uint8_t)k;
			honeypot_receive(h, &path, view_of(text[k], n[k]), now);
			now += 15;
			if (honeypot_next(h) && honeypot_next(h) <= now)
				honeypot_due(h, now);
		}
		took += cpu_seconds() - start;
	}
	return ROUNDS / took;
}

static double bench_garbage(struct honeypot *h)
{
	static uint8_t bytes[1 << 16];
	struct honeypot_path path = {
		.local = {4, {192, 0, 2, 10}}, .transport = TRANSPORT_UDP};
	uint64_t state = 1;
	double start;

	memcpy(bytes, "INVITE sip:", 11);
	for (size_t i = 11; i < sizeof bytes; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		bytes[i] = (uint8_t)(state >> 56);
	}
	start = cpu_seconds();
	for (unsigned i = 0; i < GARBAGE; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		path.remote.family = 4;
		be32_store(path.remote.bytes, (uint32_t)(state >> 32));
		honeypot_receive(h, &path,
			view_of(bytes + (i % 4 ? state >> 50 : 0),
				20 + (state >> 40) % 400),
			NOW + i);
	}
	return GARBAGE / (cpu_seconds() - start);
}

int main(void)
{
	const struct honeypot_hooks hooks = {NULL, on_send, on_observe, on_record};
	struct honeypot_config config = honeypot_config_default;
	static const uint8_t key[32] = {9};
	struct honeypot_figures before, after;
	struct honeypot *h;
	struct error err;
	double mixed, garbage;
	long was;

	config.per_source = config.total = 1000000;
	h = honeypot_new(&config, &hooks, key, NOW, &err);
	if (!h) {
		fprintf(stderr, "bench: %s\n", err.text);
		return 2;
	}
	mixed = bench_mixed(h);
	honeypot_figures(h, &before);
	printf("honeypot core     %9.0f messages/s   %5.2f x 50k   answered %llu, proofs %llu, "
	       "guesses let in %llu\n",
		mixed, mixed / TARGET, (unsigned long long)before.sent,
		(unsigned long long)before.proofs, (unsigned long long)before.accepted);
	was = resident_kib();
	garbage = bench_garbage(h);
	honeypot_figures(h, &after);
	printf("honeypot garbage  %9.0f messages/s   %5.2f x 50k   memory %zu KiB, resident grew "
	       "%ld KiB over 10^7\n",
		garbage, garbage / TARGET, after.memory >> 10, resident_kib() - was);
	honeypot_free(h);
	return mixed < TARGET || garbage < TARGET || after.memory != before.memory ||
		resident_kib() - was > 256 || !sum || !observed;
}
