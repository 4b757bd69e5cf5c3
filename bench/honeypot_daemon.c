/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many SIP messages a second the honeypot takes on one core: sockets, core and
 * record together, as the role sense runs them, recording into a folder on disk.
 *
 *   bench_honeypot_daemon FOLDER      three rows
 *     socket    as fast as it takes them; the sender (another process) keeps no more
 *               in flight than the receive buffer holds
 *     paced     50,000 a second for some seconds without any such mercy
 *     burst     5,000 at once, none of them read before the last was sent
 *   bench_honeypot_daemon flood PORT N    N datagrams of noise to that port of this machine,
 *             50,000 a second
 *
 * The traffic is a scan from 1,024 addresses: OPTIONS, REGISTER for accounts that are
 * there and that are not, INVITE. Exits 1 when a paced message or one of the burst is
 * lost, unanswered or not recorded, or a core takes fewer than 50,000 a second.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "daemon/config_schema.h"
#include "daemon/sense_honeypot_state.h"

#define TARGET        50000.0
#define BURST_TARGET  5000u
#define SOURCES       1024u
#define KINDS         4u
#define MESSAGES      (SOURCES * KINDS)
#define ROUNDS        200000u
#define PACED_SECONDS 5u
#define BATCH         32u
#define IN_FLIGHT     1024u

struct shared {
	atomic_uint_fast64_t received; /* by the honeypot */
	atomic_uint_fast64_t answers;  /* by the sender */
	atomic_uint sent;              /* the sender is done */
};

static struct buffer messages[MESSAGES];
static uint64_t observations;

static void observe(void *context, const struct observation *o)
{
	(void)context;
	observations += o->kind != 0;
}

static const char *const requests[KINDS] = {
	"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n",
	"REGISTER sip:127.0.0.1 SIP/2.0\r\n",
	"REGISTER sip:127.0.0.1 SIP/2.0\r\n",
	"INVITE sip:900972590000%u@127.0.0.1 SIP/2.0\r\n",
};
static const char *const methods[KINDS] = {"OPTIONS", "REGISTER", "REGISTER", "INVITE"};

static void make_messages(void)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		unsigned kind = i % KINDS, source = i / KINDS;
		struct buffer *b = &messages[i];
		const char *user = kind == 1 ? "100" : "77";

		buffer_printf(b, requests[kind], source);
		buffer_printf(b,
			"Via: SIP/2.0/UDP 127.1.%u.%u:5060;branch=z9hG4bK-%u;rport\r\n"
			"Max-Forwards: 70\r\nFrom: <sip:%s@127.0.0.1>;tag=t%u\r\n"
			"To: <sip:%s@127.0.0.1>\r\nCall-ID: %u-23165@127.0.0.1\r\n"
			"CSeq: 1 %s\r\nContact: <sip:%s@127.1.%u.%u:5060;transport=UDP>\r\n"
			"User-Agent: Phone/1.0\r\nAccept: application/sdp\r\n"
			"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, MESSAGE\r\n"
			"Supported: path, gruu, outbound, replaces, timer\r\n"
			"Subject: %0180u\r\nContent-Length: 0\r\n\r\n",
			source >> 8, source & 255, i, user, i, user, i, methods[kind],
			user, source >> 8, source & 255, 0);
		if (b->failed) {
			fprintf(stderr, "bench: out of memory\n");
			exit(2);
		}
	}
}

/* --- the sender --- */

struct outgoing {
	struct sockaddr_in to;
	struct mmsghdr m[BATCH];
	struct iovec part[BATCH];
	_Alignas(struct cmsghdr)
		uint8_t control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
};

/* One socket speaks for all sources: the kernel takes the address from here. */
static void prepare(struct outgoing *o, unsigned i, unsigned n)
{
	struct in_pktinfo info;
	struct cmsghdr *h = (struct cmsghdr *)(void *)o->control[i];
	unsigned source = n % MESSAGES / KINDS;

	memset(&info, 0, sizeof info);
	info.ipi_spec_dst.s_addr = htonl(0x7f010000u | source);
	h->cmsg_level = IPPROTO_IP;
	h->cmsg_type = IP_PKTINFO;
	h->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(h), &info, sizeof info);
	o->part[i] = (struct iovec){messages[n % MESSAGES].p, messages[n % MESSAGES].n};
	o->m[i].msg_hdr.msg_name = &o->to;
	o->m[i].msg_hdr.msg_namelen = sizeof o->to;
	o->m[i].msg_hdr.msg_iov = &o->part[i];
	o->m[i].msg_hdr.msg_iovlen = 1;
	o->m[i].msg_hdr.msg_control = o->control[i];
	o->m[i].msg_hdr.msg_controllen = sizeof o->control[i];
}

/* Answers that are there, counted; their first line must be SIP's. */
static void drain(int fd, struct shared *s)
{
	static char bytes[64][2048];
	struct mmsghdr m[64];
	struct iovec part[64];
	int n;

	do {
		memset(m, 0, sizeof m);
		for (unsigned i = 0; i < 64; i++) {
			part[i] = (struct iovec){bytes[i], sizeof bytes[i]};
			m[i].msg_hdr.msg_iov = &part[i];
			m[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(fd, m, 64, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			if (memcmp(bytes[i], "SIP/2.0 ", 8) == 0)
				atomic_fetch_add(&s->answers, 1);
	} while (n == 64);
}

/* Until there is room: a sender that spins takes from the other core as well. */
static void rest(int fd, struct shared *s)
{
	drain(fd, s);
	usleep(50);
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* n messages; rate 0: as fast as they are taken, 1: all at once. Never returns. */
static void send_all(int fd, uint16_t port, unsigned n, unsigned rate, struct shared *s)
{
	static struct outgoing o;
	usec start = clock_monotonic();

	o.to = loopback(port);

	for (unsigned sent = 0; sent < n;) {
		unsigned k = n - sent < BATCH ? n - sent : BATCH;
		int done;

		if (rate > 1)
			while ((clock_monotonic() - start) * rate < sent * USEC_PER_SEC)
				rest(fd, s);
		else if (!rate)
			while (sent + k > atomic_load(&s->received) + IN_FLIGHT)
				rest(fd, s);
		for (unsigned i = 0; i < k; i++)
			prepare(&o, i, sent + i);
		done = sendmmsg(fd, o.m, k, 0);
		if (done > 0)
			sent += (unsigned)done;
	}
	atomic_store(&s->sent, 1);
	for (;;) {
		drain(fd, s);
		usleep(1000);
	}
}

/* Bound to no address: answers come to all of 127.1.0.0/22. */
static int sender_socket(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 32 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any))
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return fd;
}

/* --- the honeypot --- */

struct result {
	double seconds, cpu;
	unsigned sent;
	uint64_t answers; /* that the sender has */
	struct honeypot_figures core;
	struct honeypot_sockets_figures sockets;
	struct recorder_figures record;
};

static struct config *make_config(const char *folder, uint16_t port)
{
	struct config *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	config_defaults(c);
	snprintf(c->honeypot.record, sizeof c->honeypot.record, "%s", folder);
	c->node.user[0] = 0;
	c->honeypot.record_max = 1u << 30;
	c->honeypot.listen[0] = (struct config_listen){
		TRANSPORT_UDP, {4, {127, 0, 0, 1}}, port};
	c->honeypot.listen_count = 1;
	return c;
}

static void remove_folder(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	(void)rmdir(folder);
}

/* A port that is free now. */
static uint16_t free_port(void)
{
	struct sockaddr_in a = loopback(0);
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) ||
		getsockname(fd, (struct sockaddr *)&a, &n))
		exit(2);
	close(fd);
	return ntohs(a.sin_port);
}

static void take_figures(struct result *r, struct sense_honeypot *h)
{
	honeypot_figures(h->core, &r->core);
	honeypot_sockets_figures(h->sockets, &r->sockets);
	recorder_figures(h->recorder, &r->record);
}

/* Let it run until all have come or none comes. */
static void receive(struct result *r, struct sense_honeypot *h, struct shared *s)
{
	usec start = clock_monotonic(), heard = start;

	r->cpu = cpu_seconds();
	do {
		uint64_t before = r->core.received;

		uv_run(h->loop, UV_RUN_ONCE);
		take_figures(r, h);
		atomic_store(&s->received, r->core.received);
		if (r->core.received != before)
			heard = clock_monotonic();
	} while (r->core.received < r->sent &&
		clock_monotonic() - heard < 2 * USEC_PER_SEC);
	r->seconds = (double)(heard - start) / 1e6;
	honeypot_sockets_flush(h->sockets);
	recorder_flush(h->recorder, clock_wall());
	r->cpu = cpu_seconds() - r->cpu;
	take_figures(r, h);
}

static pid_t start_sender(uint16_t port, unsigned n, unsigned rate, struct shared *s)
{
	int fd = sender_socket();
	pid_t child = fd < 0 ? -1 : fork();

	if (child == 0) {
		pin(1);
		(void)prctl(PR_SET_NAME, "sender");
		send_all(fd, port, n, rate, s);
	}
	if (fd >= 0)
		close(fd);
	return child;
}

/* One row: n messages at that rate. 0 or -1. */
static int play(struct result *r, const char *folder, unsigned n, unsigned rate)
{
	struct control_hello hello = {.starts = 1};
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint16_t port = free_port();
	struct config *config = make_config(folder, port);
	struct sense_honeypot *h = NULL;
	uv_loop_t loop;
	pid_t child;

	remove_folder(folder);
	if (!config || s == MAP_FAILED || uv_loop_init(&loop) ||
		sense_honeypot_open(&h, &loop, config, &hello, observe, NULL) ||
		h->trouble[0] || !h->listener_count)
		return -1;
	r->sent = n;
	child = start_sender(port, n, rate, s);
	if (child < 0)
		return -1;
	while (rate == 1 && !atomic_load(&s->sent))
		usleep(100);
	receive(r, h, s);
	usleep(300000); /* answers on their way */
	r->answers = atomic_load(&s->answers);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	sense_honeypot_free(h);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	munmap(s, sizeof *s);
	config_free(config);
	free(config);
	remove_folder(folder);
	return 0;
}

/* Whether all came, were answered and recorded. An INVITE has two answers, at least. */
static bool whole(const struct result *r)
{
	return r->core.received == r->sent && r->answers >= r->sent &&
		r->answers == r->sockets.sent && !r->sockets.send_failed &&
		!r->record.lost && r->record.recorded >= (uint64_t)2 * r->sent;
}

static void print(const char *name, const struct result *r, double limit)
{
	double rate = (double)r->core.received / r->seconds;
	double per_core = (double)r->core.received / r->cpu;

	printf("honeypot %-8s %9.0f messages/s   %9.0f per core second   %5.2f x limit   "
	       "received %llu of %u, lost %llu, answers %llu (%llu arrived), recorded %llu "
	       "(%llu MB, %llu lost)%s\n",
		name, rate, per_core,
		(limit < 2 * BURST_TARGET ? (double)r->core.received : per_core) / limit,
		(unsigned long long)r->core.received, r->sent,
		(unsigned long long)(r->sent - r->core.received),
		(unsigned long long)r->sockets.sent, (unsigned long long)r->answers,
		(unsigned long long)r->record.recorded,
		(unsigned long long)(r->record.bytes >> 20),
		(unsigned long long)r->record.lost, whole(r) ? "" : "   NOT WHOLE");
}

/* Noise to a port, paced: random bytes, half of them SIP cut somewhere. */
static int flood(uint16_t port, unsigned long n)
{
	static struct outgoing o;
	static uint8_t bytes[BATCH][1400];
	int fd = sender_socket();
	uint32_t x = 2463534242u;
	usec start = clock_monotonic();

	if (fd < 0)
		return 2;
	o.to = loopback(port);
	for (unsigned long sent = 0; sent < n;) {
		unsigned k = n - sent < BATCH ? (unsigned)(n - sent) : BATCH;
		int done;

		while ((double)(clock_monotonic() - start) * TARGET <
			(double)sent * (double)USEC_PER_SEC)
			usleep(100);
		for (unsigned i = 0; i < k; i++) {
			prepare(&o, i, (unsigned)sent + i);
			for (unsigned j = 0; j < 8; j++) {
				x ^= x << 13;
				x ^= x >> 17;
				x ^= x << 5;
				memcpy(bytes[i] + x % 1390, &x, sizeof x);
			}
			if (x & 1)
				o.part[i] = (struct iovec){bytes[i], x % sizeof bytes[i]};
			else
				o.part[i].iov_len = x % o.part[i].iov_len;
		}
		done = sendmmsg(fd, o.m, k, 0);
		if (done > 0)
			sent += (unsigned)done;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct result fast = {0}, paced = {0}, burst = {0};
	bool good;

	make_messages();
	if (argc == 4 && strcmp(argv[1], "flood") == 0)
		return flood((uint16_t)atoi(argv[2]), strtoul(argv[3], NULL, 10));
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER | flood PORT N\n", argv[0]);
		return 2;
	}
	pin(0);
	if (play(&fast, argv[1], ROUNDS, 0) ||
		play(&paced, argv[1], (unsigned)TARGET * PACED_SECONDS,
			(unsigned)TARGET) ||
		play(&burst, argv[1], BURST_TARGET, 1)) {
		fprintf(stderr, "bench: sockets or %s failed: %s\n", argv[1],
			strerror(errno));
		return 2;
	}
	print("socket", &fast, TARGET);
	print("paced", &paced, TARGET);
	print("burst", &burst, BURST_TARGET);
	printf("honeypot paced    %5.0f %% of a core; %llu observations in all\n",
		100 * paced.cpu / paced.seconds, (unsigned long long)observations);
	good = whole(&paced) && whole(&burst) && fast.core.received == fast.sent &&
		(double)fast.core.received / fast.cpu >= TARGET;
	return good ? 0 : 1;
}
