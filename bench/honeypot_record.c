/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to record: messages a second of one core that a recorder puts onto
 * the disk, its time of the processor and of the clock apart, bytes a message, how
 * fast they are read back, and what copies to a HEP collector cost besides.
 *
 * The traffic is what svwar sends and what it is answered, from 1,024 addresses. The
 * honeypot has to take 50,000 messages a second with recording. Exits 1 when a message
 * is lost or fewer are recorded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"
#include "sense/hep_out.h"
#include "sense/honeypot/record_reader.h"
#include "sense/honeypot/recorder.h"
#include "sense/observation.h"
#include "sip/message.h"

#define TARGET   50000.0
#define SOURCES  1024u
#define MESSAGES 1000000u
#define HEP_SENT 200000u
#define FLUSH    1000u /* messages between two turns of the loop */

static const char *const bodies[2] = {
	"REGISTER sip:203.0.113.9 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-%1$u;rport\r\n"
	"Content-Length: 0\r\nFrom: \"%1$u\"<sip:%1$u@203.0.113.9>; tag=313031%1$08x\r\n"
	"Accept: application/sdp\r\nUser-Agent: friendly-scanner\r\n"
	"To: \"%1$u\"<sip:%1$u@203.0.113.9>\r\nContact: sip:%1$u@203.0.113.9\r\n"
	"CSeq: 1 REGISTER\r\nCall-ID: 3196275%1$u\r\nMax-Forwards: 70\r\n\r\n",
	"SIP/2.0 401 Unauthorized\r\n"
	"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-%1$u;rport=5060;"
	"received=198.51.100.7\r\n"
	"From: \"%1$u\"<sip:%1$u@203.0.113.9>; tag=313031%1$08x\r\n"
	"To: \"%1$u\"<sip:%1$u@203.0.113.9>;tag=as%1$08x\r\nCall-ID: 3196275%1$u\r\n"
	"CSeq: 1 REGISTER\r\nServer: Asterisk PBX 18.10.0\r\n"
	"WWW-Authenticate: Digest algorithm=MD5, realm=\"asterisk\", nonce=\"%1$08x\"\r\n"
	"Content-Length: 0\r\n\r\n",
};

static char texts[SOURCES * 2][1024];

static struct record message(unsigned i)
{
	unsigned source = i / 2 % SOURCES;
	bool out = i % 2;
	struct record r = {.time = UINT64_C(1700000000000000) + i * 20,
		.session = 1 + i / 2,
		.remote = {4, {198, 51, (uint8_t)(source >> 8), (uint8_t)source}},
		.local = {4, {203, 0, 113, 9}},
		.remote_port = 5060,
		.local_port = 5060,
		.transport = TRANSPORT_UDP,
		.out = out,
		.method = SIP_REGISTER,
		.status = out ? 401 : 0,
		.bytes = view_str(texts[source * 2 + out])};

	r.text[RECORD_ACCOUNT] = view_str("1001");
	r.text[RECORD_AGENT] = view_str(out ? "" : "friendly-scanner");
	r.text[RECORD_TOOL] = view_str(out ? "" : "svwar");
	return r;
}

struct took {
	double cpu, wall;
};

static struct took since(struct took start)
{
	return (struct took){
		cpu_seconds() - start.cpu, (double)clock_monotonic() / 1e6 - start.wall};
}

static void record_all(struct recorder *w)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct record r = message(i);

		recorder_put(w, &r);
		if (i % FLUSH == FLUSH - 1)
			recorder_flush(w, r.time);
	}
}

static unsigned read_all(const char *folder)
{
	struct record_reader *r = record_reader_open(folder, NULL);
	struct record record;
	unsigned n = 0;

	while (r && record_reader_next(r, &record, NULL) > 0)
		n += record.bytes.n != 0;
	record_reader_close(r);
	return n;
}

static void remove_all(const char *folder)
{
	char path[128], name[RECORD_NAME];

	for (uint64_t i = 1; i < 1000; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, record_name(name, i));
		if (unlink(path))
			break;
	}
	rmdir(folder);
}

/* Copies to a collector that does not read; 0: no socket. */
static double copies_a_second(void)
{
	struct hep_out_config c = {.address = {4, {127, 0, 0, 1}}, .id = 2001};
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t n = sizeof sa;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct hep_out *h = NULL;
	struct took t;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, n) ||
		getsockname(fd, (struct sockaddr *)&sa, &n))
		return 0;
	c.port = ntohs(sa.sin_port);
	h = hep_out_open(&c, NULL);
	t = since((struct took){0, 0});
	for (unsigned i = 0; h && i < HEP_SENT; i++) {
		struct record r = message(i);

		hep_out_send(h, &r);
	}
	t = since(t);
	hep_out_close(h);
	close(fd);
	return h ? HEP_SENT / t.cpu : 0;
}

int main(void)
{
	/* Not /tmp, which is memory on many machines. */
	char folder[] = "/var/tmp/sipchain-bench-XXXXXX";
	struct recorder_config c = {
		.folder = folder, .max = UINT64_C(4) << 30, .keep = 0, .user = (uid_t)-1};
	struct recorder_figures f;
	struct recorder *w;
	double copies, rate;
	struct took t;
	unsigned read;

	pin(0);
	for (unsigned i = 0; i < SOURCES * 2; i++)
		snprintf(texts[i], sizeof texts[i], bodies[i % 2], 1000 + i / 2);
	if (!mkdtemp(folder) || !(w = recorder_open(&c, NULL))) {
		fprintf(stderr, "bench: no folder in /var/tmp\n");
		return 2;
	}
	t = since((struct took){0, 0});
	record_all(w);
	t = since(t);
	recorder_figures(w, &f);
	recorder_close(w);
	rate = MESSAGES / t.cpu;
	printf("honeypot record  %9.0f messages/s of one core   %6.2f x 50k   %9.0f/s by the "
	       "clock   %.0f bytes each   lost %llu\n",
		rate, rate / TARGET, MESSAGES / t.wall, (double)f.bytes / MESSAGES,
		(unsigned long long)f.lost);
	printf("honeypot record at 50,000/s  %.1f %% of a core\n", 100 * TARGET / rate);
	t = since((struct took){0, 0});
	read = read_all(folder);
	t = since(t);
	printf("honeypot read    %9.0f messages/s   %u of %u\n", read / t.wall, read,
		MESSAGES);
	copies = copies_a_second();
	printf("honeypot hep out %9.0f messages/s of one core   %6.2f x 50k\n", copies,
		copies / TARGET);
	remove_all(folder);
	return f.lost || read != MESSAGES || rate < TARGET;
}
