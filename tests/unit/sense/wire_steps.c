/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire_steps.h"

struct wire *wire;
struct observation seen[512];
unsigned n_seen;

static void observe(void *context, const struct observation *o)
{
	(void)context;
	assert_true(n_seen < sizeof seen / sizeof *seen);
	seen[n_seen++] = *o;
}

int wire_steps_setup(void **state)
{
	(void)state;
	n_seen = 0;
	wire = wire_new(&wire_config_default, (struct hash_key){1, 2}, observe, NULL);
	return wire ? 0 : -1;
}

void wire_steps_restart(const struct wire_config *config)
{
	wire_free(wire);
	wire = wire_new(config, (struct hash_key){1, 2}, observe, NULL);
	assert_non_null(wire);
}

int wire_steps_teardown(void **state)
{
	(void)state;
	wire_free(wire);
	return 0;
}

struct address wire_address(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, view_str(text), NULL), 0);
	return a;
}

#define OR(a, b) ((a) ? (a) : (b))

/* The header of Digest, if the step has one. */
static void write_digest(char *dst, size_t size, const struct step *s, unsigned cseq)
{
	const char *realm = OR(s->realm, "asterisk");

	dst[0] = '\0';
	if (s->nonce && s->status)
		snprintf(dst, size, "%s: Digest realm=\"%s\",nonce=\"%s\"%s\r\n",
			s->status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate",
			realm, s->nonce, s->stale ? ",stale=true" : "");
	else if (s->nonce)
		snprintf(dst, size,
			"Authorization: Digest username=\"%s\",realm=\"%s\",cnonce=\"cn\","
			"nonce=\"%s\",response=\"r-%s-%u\"\r\n",
			OR(s->user, "101"), realm, s->nonce, s->nonce, cseq);
}

void feed_text(const struct step *s, const char *text, size_t n, usec now)
{
	struct hep_message m = {.type = HEP_TYPE_SIP, .source_port = 5070};

	m.source = wire_address(OR(s->from, s->status ? PBX : "198.51.100.7"));
	m.destination = wire_address(OR(s->to, s->status ? "198.51.100.7" : PBX));
	m.protocol = OR(s->protocol, HEP_PROTOCOL_UDP);
	m.payload = view_of(text, n);
	wire_feed(wire, &m, NULL, now);
	wire_expire(wire, now);
}

void feed(usec now, struct step s)
{
	const char *method = OR(s.method, "REGISTER"), *user = OR(s.user, "101");
	unsigned cseq = OR(s.cseq, 1);
	char text[2048], start[128], branch[64], digest[512];
	int n;

	if (s.status)
		snprintf(start, sizeof start, "SIP/2.0 %u Reason", s.status);
	else
		snprintf(start, sizeof start, "%s %s SIP/2.0", method,
			OR(s.uri, "sip:" PBX));
	snprintf(branch, sizeof branch, "z9hG4bK-%u", cseq);
	write_digest(digest, sizeof digest, &s, cseq);
	n = snprintf(text, sizeof text,
		"%s\r\n"
		"Via: SIP/2.0/%s 10.0.0.1;branch=%s\r\n"
		"From: <sip:%s@x>;tag=ft\r\nTo: <sip:%s@x>%s%s\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\nUser-Agent: %s\r\n%s\r\n",
		start, OR(s.transport, "UDP"), OR(s.branch, branch), user, user,
		s.tag ? ";tag=" : "", OR(s.tag, ""), OR(s.call_id, "c1"), cseq, method,
		OR(s.agent, "Phone"), digest);
	assert_in_range(n, 1, (int)sizeof text - 1);
	feed_text(&s, text, (size_t)n, now);
}

unsigned count(uint8_t kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_seen; i++)
		n += seen[i].kind == kind;
	return n;
}

/* Exactly one observation so far since the last call, and this is it. */
const struct observation *only(uint8_t kind, uint8_t proof)
{
	assert_int_equal(n_seen, 1);
	assert_string_equal(
		observation_kind_name(seen[0].kind), observation_kind_name(kind));
	assert_string_equal(proof_name(seen[0].proof), proof_name(proof));
	n_seen = 0;
	return &seen[0];
}

uint64_t attempt(const char *call_id, const char *response)
{
	return observation_attempt(view_str(call_id), view_str(response));
}

unsigned distinct_attempts(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_seen; i++) {
		unsigned k = 0;

		while (k < i && seen[k].attempt != seen[i].attempt)
			k++;
		n += k == i;
	}
	return n;
}
