/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many HEP messages a second one core takes.
 *
 *   decode    decoding, SIP parsing and correlation, from memory
 *   socket    the collector behind its UDP socket; the sender (another
 *             process) keeps no more in flight than the receive buffer holds
 *   paced     100,000 messages a second for some seconds without any such
 *             mercy: how many are lost, and how much of a core it takes
 *
 * The traffic is registrations: request, challenge, request with credentials,
 * answer, from 1,024 addresses. Exits 1 when a paced message is lost or a
 * core takes fewer than 100,000 a second.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "sense/hep.h"

#define TARGET        100000.0
#define SOURCES       1024u
#define MESSAGES      (SOURCES * 4)
#define ROUNDS        400000u /* messages of the first two parts */
#define PACED_SECONDS 5u
#define BURST         32u
#define IN_FLIGHT     1024u

struct shared {
	atomic_uint_fast64_t received;
};

static struct buffer messages[MESSAGES];
static uint64_t observations;

static void observe(void *context, const struct observation *o)
{
	(void)context;
	observations += o->kind != 0;
}

static const char *const bodies[4] = {
	"REGISTER sip:192.0.2.10 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK-%1$u-0;rport\r\n"
	"Max-Forwards: 70\r\nFrom: <sip:%1$u@192.0.2.10>;tag=t%1$u\r\n"
	"To: <sip:%1$u@192.0.2.10>\r\nCall-ID: %1$u-23165@198.51.100.7\r\n"
	"CSeq: 1 REGISTER\r\nContact: <sip:%1$u@198.51.100.7:5070;transport=UDP>\r\n"
	"User-Agent: Phone/1.0\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
	"SIP/2.0 401 Unauthorized\r\n"
	"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK-%1$u-0;rport=5070;received=198.51.100.7\r\n"
	"From: <sip:%1$u@192.0.2.10>;tag=t%1$u\r\nTo: <sip:%1$u@192.0.2.10>;tag=z9hG4bK-%1$u-0\r\n"
	"Call-ID: %1$u-23165@198.51.100.7\r\nCSeq: 1 REGISTER\r\n"
	"WWW-Authenticate: Digest realm=\"asterisk\",nonce=\"1795291461/7bf196f9c72de767%1$08x\","
	"opaque=\"04b474407df22bea\",algorithm=MD5,qop=\"auth\"\r\n"
	"Server: PBX\r\nContent-Length: 0\r\n\r\n",
	"REGISTER sip:192.0.2.10 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK-%1$u-1;rport\r\n"
	"Max-Forwards: 70\r\nFrom: <sip:%1$u@192.0.2.10>;tag=t%1$u\r\n"
	"To: <sip:%1$u@192.0.2.10>\r\nCall-ID: %1$u-23165@198.51.100.7\r\n"
	"CSeq: 2 REGISTER\r\nContact: <sip:%1$u@198.51.100.7:5070;transport=UDP>\r\n"
	"Authorization: Digest username=\"%1$u\",realm=\"asterisk\",cnonce=\"6b8b4567\",nc=00000001,"
	"qop=auth,uri=\"sip:192.0.2.10\",nonce=\"1795291461/7bf196f9c72de767%1$08x\","
	"response=\"d7ef708a0a6d9f0f70e49c906ba41395\",algorithm=MD5\r\n"
	"User-Agent: Phone/1.0\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
	"SIP/2.0 200 OK\r\n"
	"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK-%1$u-1;rport=5070;received=198.51.100.7\r\n"
	"From: <sip:%1$u@192.0.2.10>;tag=t%1$u\r\nTo: <sip:%1$u@192.0.2.10>;tag=z9hG4bK-%1$u-1\r\n"
	"Call-ID: %1$u-23165@198.51.100.7\r\nCSeq: 2 REGISTER\r\n"
	"Server: PBX\r\nContent-Length: 0\r\n\r\n",
};

static void make_messages(void)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		unsigned source = i / 4, step = i % 4;
		struct hep_message m = {.protocol = HEP_PROTOCOL_UDP,
			.type = HEP_TYPE_SIP,
			.source_port = 5060,
			.destination_port = 5060,
			.has_key = true,
			.key = view_str("hepsecret")};
		struct address phone = {
			4, {198, 51, (uint8_t)(source >> 8), (uint8_t)source}};
		struct address pbx = {4, {192, 0, 2, 10}};
		char text[2048];
		int n = snprintf(text, sizeof text, bodies[step], source);

		m.source = step % 2 ? pbx : phone;
		m.destination = step % 2 ? phone : pbx;
		m.payload = view_of(text, (size_t)n);
		if (hep_encode(&messages[i], &m)) {
			fprintf(stderr, "bench: out of memory\n");
			exit(2);
		}
	}
}

static double bench_decode(void)
{
	struct wire *w = wire_new(&wire_config_default, hash_key_random(), observe, NULL);
	double start = cpu_seconds(), took;
	struct hep_message m;

	for (unsigned i = 0; w && i < ROUNDS; i++) {
		const struct buffer *b = &messages[i % MESSAGES];

		if (hep_decode(&m, view_of(b->p, b->n)) == HEP_VALID)
			wire_feed(w, &m, NULL, USEC_PER_SEC + i * 10);
	}
	took = cpu_seconds() - start;
	wire_free(w);
	return ROUNDS / took;
}

/* Send n messages; rate 0: as fast as the receiver takes them. */
static void sender(int fd, unsigned n, unsigned rate, const struct shared *s)
{
	struct mmsghdr batch[BURST];
	struct iovec parts[BURST];
	usec start = clock_monotonic();

	memset(batch, 0, sizeof batch);
	for (unsigned sent = 0; sent < n;) {
		unsigned k = n - sent < BURST ? n - sent : BURST;
		int done;

		if (rate)
			while ((clock_monotonic() - start) * rate < sent * USEC_PER_SEC)
				;
		else
			while (sent + k > atomic_load(&s->received) + IN_FLIGHT)
				;
		for (unsigned i = 0; i < k; i++) {
			const struct buffer *b = &messages[(sent + i) % MESSAGES];

			parts[i] = (struct iovec){b->p, b->n};
			batch[i].msg_hdr.msg_iov = &parts[i];
			batch[i].msg_hdr.msg_iovlen = 1;
		}
		done = sendmmsg(fd, batch, k, 0);
		if (done > 0)
			sent += (unsigned)done;
	}
	_exit(0);
}

struct result {
	double seconds, cpu;
	struct hep_figures figures;
};

/* Fork a sender of n messages and receive until all came or none comes. */
static int bench_socket(struct result *r, unsigned n, unsigned rate)
{
	struct hep_config config = hep_config_default;
	struct address local = {4, {127, 0, 0, 1}};
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sockaddr_storage ss;
	socklen_t length = sizeof ss;
	struct hep_collector *c;
	struct error err;
	uv_loop_t loop;
	usec start, heard;
	int in, out;
	pid_t child;

	config.password = "hepsecret";
	in = hep_open_udp(&local, 0, &err);
	out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s == MAP_FAILED || in < 0 || out < 0 || uv_loop_init(&loop) ||
		getsockname(in, (struct sockaddr *)&ss, &length) ||
		connect(out, (struct sockaddr *)&ss, length))
		return -1;
	c = hep_collector_new(&loop, &config, hash_key_random(), observe, NULL);
	if (!c || hep_collector_udp(c, in, &err))
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (!child) {
		pin(1);
		sender(out, n, rate, s);
	}
	r->cpu = cpu_seconds();
	start = heard = clock_monotonic();
	do {
		uint64_t before = r->figures.received;

		uv_run(&loop, UV_RUN_ONCE);
		hep_figures(c, &r->figures);
		atomic_store(&s->received, r->figures.received);
		if (r->figures.received != before)
			heard = clock_monotonic();
	} while (r->figures.received + r->figures.kernel_dropped < n &&
		clock_monotonic() - heard < 2 * USEC_PER_SEC);
	r->seconds = (double)(heard - start) / 1e6;
	r->cpu = cpu_seconds() - r->cpu;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	hep_collector_close(c);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	munmap(s, sizeof *s);
	close(out);
	return 0;
}

int main(void)
{
	struct result fast = {0}, paced = {0};
	unsigned n = (unsigned)TARGET * PACED_SECONDS;
	uint64_t lost;
	double rate, per_core;

	make_messages();
	pin(0);
	rate = bench_decode();
	printf("hep decode   %9.0f messages/s   %5.2f x 100k\n", rate, rate / TARGET);
	if (bench_socket(&fast, ROUNDS, 0) || bench_socket(&paced, n, (unsigned)TARGET)) {
		fprintf(stderr, "bench: sockets failed\n");
		return 2;
	}
	rate = (double)fast.figures.received / fast.seconds;
	per_core = (double)fast.figures.received / fast.cpu;
	printf("hep socket   %9.0f messages/s   %5.2f x 100k   %9.0f per core second   lost %u\n",
		rate, rate / TARGET, per_core, ROUNDS - (unsigned)fast.figures.received);
	lost = n - paced.figures.received;
	printf("hep paced    %9.0f messages/s   %5.0f %% of a core   lost %llu of %u "
	       "(kernel counted %llu)\n",
		(double)paced.figures.received / paced.seconds,
		100 * paced.cpu / paced.seconds, (unsigned long long)lost, n,
		(unsigned long long)paced.figures.kernel_dropped);
	printf("hep observed %llu, memory %zu KiB\n", (unsigned long long)observations,
		paced.figures.wire.memory >> 10);
	return lost || fast.figures.received != ROUNDS || per_core < TARGET;
}
