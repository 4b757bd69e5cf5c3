/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of input that `sipchain explain` reads. */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "sense/injection.h"
#include "sense/pcap.h"

/* How long after the last packet a challenge counts as unanswered, and more. */
#define LATER (10 * USEC_PER_SEC)

static struct wire *wire_of(struct explain *x)
{
	if (!x->wire)
		x->wire = wire_new(&wire_config_default, (struct hash_key){1, 2},
			explain_observe, x);
	return x->wire;
}

static json_t *text_json(struct view text)
{
	return json_string(escaped(text));
}

static void put(json_t *o, const char *name, struct view text)
{
	if (text.n)
		json_object_set_new(o, name, text_json(text));
}

/* What the parser understood of a message. */
static json_t *message_json(const struct sip_message *m)
{
	json_t *o = json_object();
	const char *field;

	if (m->request)
		put(o, "request", m->method_name);
	else
		json_object_set_new(o, "status", json_integer(m->status));
	put(o, "uri", m->uri);
	put(o, "from", m->from.uri);
	put(o, "to", m->to.uri);
	put(o, "to_tag", m->to.tag);
	put(o, "call_id", m->call_id);
	put(o, "agent", m->agent);
	put(o, "branch", m->via.branch);
	for (unsigned i = 0; i < m->n_credentials; i++) {
		put(o, "account", m->credentials[i].username);
		put(o, "nonce", m->credentials[i].nonce);
	}
	for (unsigned i = 0; i < m->n_challenges; i++)
		put(o, "challenge_nonce", m->challenges[i].nonce);
	field = m->request ? injection_field(m) : NULL;
	if (field)
		json_object_set_new(o, "injection_in", json_string(field));
	if (!m->request && m->to.tag.n)
		json_object_set_new(
			o, "to_tag_is_secret", json_boolean(proof_tag_is_secret(m)));
	return o;
}

static void feed_message(struct explain *x, const struct hep_message *h, usec now)
{
	static const char *const verdicts[] = {
		"SIP", "keepalive", "another protocol", "malformed"};
	char from[ADDRESS_TEXT], to[ADDRESS_TEXT], text[400];
	struct sip_message m;
	const char *why = NULL;
	enum sip_verdict verdict = sip_parse(&m, h->payload, &why);
	struct view line = view_head(h->payload, view_find(h->payload, '\n'));

	snprintf(text, sizeof text, "%s:%u -> %s:%u %s, %s%s%s: %s",
		address_print(from, &h->source), h->source_port,
		address_print(to, &h->destination), h->destination_port,
		h->protocol == HEP_PROTOCOL_TCP ? "tcp" : "udp", verdicts[verdict],
		why && *why ? ", " : "", why ? why : "", escaped(view_trim(line)));
	explain_read(x, text, verdict == SIP_VALID ? message_json(&m) : NULL);
	wire_feed(wire_of(x), h, NULL, now);
	wire_expire(wire_of(x), now);
	if (now > x->last)
		x->last = now;
}

static int end_of_packets(struct explain *x)
{
	wire_expire(wire_of(x), x->last + LATER / 2);
	explain_later(x, LATER);
	return 0;
}

/* --- pcap: SIP on the wire, or HEP */

/* Whether a segment of TCP is one whole message: streams are not put together. */
static bool is_whole(const struct pcap_datagram *d)
{
	struct sip_message m;

	return sip_parse(&m, d->payload, NULL) == SIP_VALID &&
		(m.content_length < 0 || (size_t)m.content_length == m.body.n);
}

static int feed_pcap(struct explain *x, struct view input, struct error *err)
{
	struct pcap_datagram d = {0};
	char text[200];
	struct pcap p;

	if (pcap_begin(&p, input, err))
		return -1;
	if (!wire_of(x))
		return error_set(err, "out of memory");
	p.tcp = true;
	while (pcap_next(&p, &d)) {
		struct hep_message h;
		enum hep_verdict v = hep_decode(&h, d.payload);

		if (v == HEP_FOREIGN && d.tcp && !is_whole(&d)) {
			p.skipped++;
			continue;
		}
		if (v == HEP_FOREIGN)
			h = (struct hep_message){.source = d.source,
				.destination = d.destination,
				.source_port = d.source_port,
				.destination_port = d.destination_port,
				.protocol = d.tcp ? HEP_PROTOCOL_TCP : HEP_PROTOCOL_UDP,
				.type = HEP_TYPE_SIP,
				.payload = d.payload};
		if (v == HEP_BROKEN || v == HEP_COMPRESSED)
			explain_read(
				x, "a HEP packet that is broken or compressed", NULL);
		else
			feed_message(x, &h, d.time);
	}
	if (p.skipped)
		explain_read(x,
			"packets that are no whole UDP datagrams were left out, and of TCP "
			"what is not one whole message by itself: HEP sees those",
			json_pack("{s:I}", "packets", (json_int_t)p.skipped));
	if (p.cut_at) {
		snprintf(text, sizeof text,
			"the file is cut off: the packet at byte %zu says that it has %zu "
			"bytes, and %zu are there; capture it again",
			p.cut_at, p.cut_says, p.cut_has);
		explain_read(x, text, NULL);
	}
	return end_of_packets(x);
}

/* --- HEP packets, one after the other as on a stream */

static bool takes_hep(struct view input)
{
	return view_starts(input, "HEP3");
}

static int feed_hep(struct explain *x, struct view input, struct error *err)
{
	const uint8_t *begin = input.p;

	if (!wire_of(x))
		return error_set(err, "out of memory");
	while (input.n) {
		struct hep_message h;
		long n = hep_frame(input);

		if (n <= 0 || (size_t)n > input.n ||
			hep_decode(&h, view_head(input, (size_t)n)) != HEP_VALID)
			return error_set(err,
				"the HEP packet at byte %zu is broken, or cut off",
				(size_t)(input.p - begin));
		feed_message(x, &h, h.seconds * USEC_PER_SEC + h.microseconds);
		input = view_from(input, (size_t)n);
	}
	return end_of_packets(x);
}

/* --- a SIP message as text; its source is what its Via says */

/* By its first line, whatever lines of logs an attacker wrote into the rest. */
static bool takes_sip(struct view input)
{
	static const char version[] = " SIP/2.0";
	struct view line = view_trim(view_head(input, view_find(input, '\n')));
	struct sip_message m;

	return view_starts(line, "SIP/2.0 ") ||
		(line.n > sizeof version &&
			view_eq(view_from(line, line.n - (sizeof version - 1)),
				view_str(version))) ||
		sip_parse(&m, input, NULL) == SIP_VALID;
}

static bool takes_broken_sip(struct view input)
{
	struct sip_message m;

	return sip_parse(&m, input, NULL) == SIP_MALFORMED &&
		view_find_str(input, "SIP/2.0") < input.n;
}

/* Text from an editor: lines end in CRLF, and a header in an empty one. */
static int as_wire(struct buffer *out, struct view text)
{
	bool empty = false;

	while (text.n) {
		size_t n = view_find(text, '\n');
		struct view line = view_head(text, n);

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		empty |= !line.n;
		buffer_put(out, line.p, line.n);
		buffer_put(out, "\r\n", 2);
		text = view_from(text, n < text.n ? n + 1 : n);
	}
	if (!empty)
		buffer_put(out, "\r\n", 2);
	return out->failed ? -1 : 0;
}

static int feed_sip(struct explain *x, struct view input, struct error *err)
{
	struct hep_message h = {.protocol = HEP_PROTOCOL_UDP, .type = HEP_TYPE_SIP};
	struct buffer text = {.max = HEP_MESSAGE_MAX};
	struct sip_message m;
	struct view host;
	int rc = -1;

	if (as_wire(&text, input) || !wire_of(x)) {
		error_set(err, "is longer than a SIP message can be");
		goto done;
	}
	h.payload = view_of(text.p, text.n);
	sip_parse(&m, h.payload, NULL);
	host = m.via.received.n ? m.via.received : m.via.host;
	if (address_parse(&h.source, host, NULL))
		address_parse(&h.source, view_str("192.0.2.1"), NULL);
	address_parse(&h.destination,
		view_str(h.source.family == 6 ? "2001:db8::1" : "192.0.2.2"), NULL);
	h.source_port = h.destination_port = 5060;
	if (view_eq_nocase(m.via.transport, "TCP") ||
		view_eq_nocase(m.via.transport, "TLS"))
		h.protocol = HEP_PROTOCOL_TCP;
	explain_read(x,
		"one message by itself: its source is taken from its Via, and no answer "
		"to it is known",
		NULL);
	feed_message(x, &h, clock_wall());
	rc = end_of_packets(x);
	if (!x->observations)
		explain_read(x,
			"no observation: what a request amounts to is seen by its answer, "
			"which one message alone has not; feed a capture",
			NULL);
done:
	buffer_free(&text);
	return rc;
}

const struct explain_reader explain_readers[] = {
	{"a pcap file", pcap_is, feed_pcap},
	{"HEP packets", takes_hep, feed_hep},
	{"a SIP message", takes_sip, feed_sip},
	{"events of Asterisk's manager interface (AMI)", explain_takes_ami,
		explain_feed_ami},
	{"Asterisk's security events", explain_takes_security, explain_feed_security},
	{"entries of the journal", explain_takes_journal, explain_feed_journal},
	{"lines of a log", explain_takes_lines, explain_feed_lines},
	{"a SIP message", takes_broken_sip, feed_sip},
};

const size_t explain_readers_count = sizeof explain_readers / sizeof *explain_readers;
