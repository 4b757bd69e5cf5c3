/* SPDX-License-Identifier: Apache-2.0 */
#include "honeypot_steps.h"

#include <stdio.h>
#include <stdlib.h>

struct honeypot *honeypot;
struct honeypot_config config;
usec now;
struct sent sent[OUT_MAX_KEPT];
unsigned n_sent;
size_t bytes_sent;
struct observation seen[512];
unsigned n_seen, n_recorded, bad_records;
struct honeypot_record last_record;
char last_bytes[65537], last_answer[8192];

static char texts[6][128];

static void on_send(void *context, const struct honeypot_path *path, struct view bytes)
{
	struct sent *s = &sent[n_sent % OUT_MAX_KEPT];

	(void)context;
	s->path = *path;
	s->n = bytes.n < sizeof s->text ? bytes.n : sizeof s->text - 1;
	memcpy(s->text, bytes.p, s->n);
	s->text[s->n] = 0;
	n_sent++;
	bytes_sent += bytes.n;
}

static void on_observe(void *context, const struct observation *o)
{
	(void)context;
	if (n_seen < sizeof seen / sizeof *seen)
		seen[n_seen++] = *o;
}

static const char *kept(unsigned i, const char *text)
{
	snprintf(texts[i], sizeof texts[i], "%s", text);
	return texts[i];
}

static void on_record(void *context, const struct honeypot_record *r)
{
	(void)context;
	bad_records += !r->account || !r->dialled || !r->agent || !r->tool ||
		!r->target || !r->why || !r->time || (r->bytes.n && !r->bytes.p);
	if (r->out) {
		size_t n = r->bytes.n < sizeof last_answer ? r->bytes.n :
							     sizeof last_answer - 1;

		memcpy(last_answer, r->bytes.p, n);
		last_answer[n] = 0;
		return;
	}
	n_recorded++;
	last_record = *r;
	last_record.account = kept(0, r->account);
	last_record.dialled = kept(1, r->dialled);
	last_record.agent = kept(2, r->agent);
	last_record.tool = kept(3, r->tool);
	last_record.target = kept(4, r->target);
	last_record.why = kept(5, r->why);
	memcpy(last_bytes, r->bytes.p, r->bytes.n < 65536 ? r->bytes.n : 65536);
	last_bytes[r->bytes.n < 65536 ? r->bytes.n : 65536] = 0;
}

void honeypot_steps_begin(void)
{
	const struct honeypot_hooks hooks = {
		.send = on_send, .observe = on_observe, .record = on_record};
	uint8_t key[32];
	struct error err = {""};

	for (unsigned i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(i * 7 + 1);
	honeypot_free(honeypot);
	n_sent = n_seen = n_recorded = bad_records = 0;
	bytes_sent = 0;
	honeypot = honeypot_new(&config, &hooks, key, now, &err);
	if (!honeypot) {
		fprintf(stderr, "honeypot_new: %s\n", err.text);
		abort();
	}
}

int honeypot_steps_setup(void **state)
{
	(void)state;
	now = UINT64_C(1795291398) * S;
	config = honeypot_config_default;
	honeypot_steps_begin();
	return 0;
}

int honeypot_steps_teardown(void **state)
{
	(void)state;
	honeypot_free(honeypot);
	honeypot = NULL;
	return 0;
}

static void receive(const struct honeypot_path *path, const char *text, size_t n)
{
	/* A copy of its own size: a byte read behind it is then an error. */
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, text, n);
	n_sent = 0;
	bytes_sent = 0;
	honeypot_receive(honeypot, path, view_of(copy, n), now);
	free(copy);
}

void feed_from(const char *address, uint16_t port, const char *text, size_t n)
{
	struct honeypot_path path = {
		.local = {4, {192, 0, 2, 10}},
		.remote_port = port,
		.local_port = 5060,
		.transport = TRANSPORT_UDP,
	};

	if (address_parse(&path.remote, view_str(address), NULL))
		abort();
	if (path.remote.family == 6)
		(void)address_parse(&path.local, view_str("2001:db8::10"), NULL);
	receive(&path, text, n);
}

void feed(const char *text)
{
	feed_from("198.51.100.7", 5070, text, strlen(text));
}

void feed_over(uint8_t transport, uint64_t connection, const char *text)
{
	const struct honeypot_path path = {
		.remote = {4, {198, 51, 100, 7}},
		.local = {4, {192, 0, 2, 10}},
		.remote_port = 40000,
		.local_port = 5060,
		.transport = transport,
		.connection = connection,
	};

	receive(&path, text, strlen(text));
}

void pass(usec wait)
{
	usec until = now + wait, next;

	n_sent = 0;
	bytes_sent = 0;
	while ((next = honeypot_next(honeypot)) && next <= until) {
		now = next > now ? next : now;
		honeypot_due(honeypot, now);
	}
	now = until;
	honeypot_due(honeypot, now);
}

const char *request(struct request r)
{
	static char text[4][4096];
	static unsigned turn;
	char *dst = text[turn++ % 4];
	const char *method = r.method ? r.method : "REGISTER";
	const char *user = r.user ? r.user : "100";
	const char *body = r.body ? r.body : "";

	snprintf(dst, sizeof text[0],
		"%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=%s;rport\r\n"
		"Max-Forwards: 70\r\n"
		"From: \"%s\" <sip:%s@192.0.2.10>;tag=f1\r\n"
		"To: <sip:%s@192.0.2.10>%s%s\r\n"
		"Call-ID: %s\r\n"
		"CSeq: %u %s\r\n"
		"Contact: <sip:%s@198.51.100.7:5070>\r\n"
		"User-Agent: Phone\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, r.uri ? r.uri : "sip:192.0.2.10",
		r.branch ? r.branch : "z9hG4bK-1", user, user, user,
		r.to_tag ? ";tag=" : "", r.to_tag ? r.to_tag : "",
		r.call_id ? r.call_id : "c1", r.cseq ? r.cseq : 1, method, user,
		r.extra ? r.extra : "", strlen(body), body);
	return dst;
}

char *between(char dst[256], const char *text, const char *before, const char *after)
{
	const char *at = strstr(text, before), *end;

	dst[0] = 0;
	if (!at)
		return dst;
	at += strlen(before);
	end = strstr(at, after);
	snprintf(dst, 256, "%.*s", end ? (int)(end - at) : (int)strlen(at), at);
	return dst;
}

unsigned status(unsigned i)
{
	unsigned v = 0;

	if (i < n_sent && i < OUT_MAX_KEPT)
		(void)sscanf(sent[i].text, "SIP/2.0 %u", &v);
	return v;
}
