/* SPDX-License-Identifier: Apache-2.0 */
/* One recorded message, as JSON and for people. */
#include "cli/honeypot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"
#include "indicator/word.h"
#include "sense/observation.h"
#include "sip/message.h"

#define FIRST_LINE 100

static const char *const text_names[RECORD_TEXTS] = {
	[RECORD_ACCOUNT] = "account",
	[RECORD_DIALLED] = "dialled",
	[RECORD_AGENT] = "agent",
	[RECORD_TOOL] = "tool",
	[RECORD_TARGET] = "target",
	[RECORD_WHY] = "malformed",
};

const char *honeypot_id(char dst[HONEYPOT_ID], uint64_t id)
{
	snprintf(dst, HONEYPOT_ID, "%016" PRIx64, id);
	return dst;
}

/* --- JSON --- */

/*
 * Text as it came when it is UTF-8; else under NAME_hex, as hex digits, for then it
 * is no text.
 */
static void put_bytes(json_t *o, const char *name, struct view v)
{
	json_t *text = json_stringn((const char *)(v.n ? v.p : (const uint8_t *)""), v.n);
	char key[32], *hex;

	if (text) {
		json_object_set_new(o, name, text);
		return;
	}
	hex = malloc(2 * v.n + 1);
	if (!hex)
		return;
	snprintf(key, sizeof key, "%s_hex", name);
	json_object_set_new(o, key, json_string(hex_encode(hex, v.p, v.n)));
	free(hex);
}

static void put_address(json_t *o, const char *name, const struct address *a)
{
	char text[ADDRESS_TEXT];

	if (a->family)
		json_object_set_new(o, name, json_string(address_print(text, a)));
}

json_t *honeypot_message_json(const struct record *r)
{
	static const char *const verdicts[] = {"sip", "keepalive", "no sip", "malformed"};
	char id[HONEYPOT_ID];
	json_t *o = json_pack("{s:f, s:s, s:s, s:s, s:s, s:s}", "time",
		(double)r->time / (double)USEC_PER_SEC, "session",
		honeypot_id(id, record_session(r)), "direction", r->out ? "out" : "in",
		"transport", transport_name(r->transport), "proof", proof_name(r->proof),
		"verdict", verdicts[r->verdict & 3]);

	if (!o)
		return NULL;
	put_address(o, "remote", &r->remote);
	json_object_set_new(o, "remote_port", json_integer(r->remote_port));
	put_address(o, "local", &r->local);
	json_object_set_new(o, "local_port", json_integer(r->local_port));
	if (r->status)
		json_object_set_new(o, "status", json_integer(r->status));
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		if (r->text[i].n)
			put_bytes(o, text_names[i], r->text[i]);
	if (r->cut)
		json_object_set_new(o, "cut", json_true());
	put_bytes(o, "message", r->bytes);
	return o;
}

/* --- for people --- */

static const char *first_line(char dst[FIRST_LINE], const struct record *r)
{
	struct view line = view_trim(view_head(r->bytes, view_find(r->bytes, '\n')));

	return line.n ? escape_view(dst, FIRST_LINE, line) : "(empty line)";
}

void honeypot_message_line(FILE *out, const struct record *r)
{
	char when[32], source[ADDRESS_TEXT], line[FIRST_LINE], id[HONEYPOT_ID];
	char text[300];

	clock_rfc3339(when, r->time / USEC_PER_SEC);
	fprintf(out, "%s  %s %s %s%s%s:%u  %s", when, honeypot_id(id, record_session(r)),
		r->out ? "to  " : "from", r->remote.family == 6 ? "[" : "",
		r->remote.family ? address_print(source, &r->remote) : "?",
		r->remote.family == 6 ? "]" : "", r->remote_port,
		transport_name(r->transport));
	fprintf(out, "  %s", first_line(line, r));
	if (honeypot_proves(r->proof))
		fprintf(out, "  proof %s", proof_name(r->proof));
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		/* Our own agent is no news. */
		if (r->text[i].n && !(r->out && i == RECORD_AGENT))
			fprintf(out, "  %s \"%s\"", text_names[i],
				escape_view(text, sizeof text, r->text[i]));
	fputc('\n', out);
}

/* A line of a message, whole: in pieces, since each is escaped by itself. */
static void print_escaped(FILE *out, struct view line)
{
	char text[1024];

	while (line.n) {
		struct view piece = view_head(line, 200); /* four times that at most */

		fputs(escape_view(text, sizeof text, piece), out);
		line = view_from(line, piece.n);
	}
}

void honeypot_message_print(FILE *out, const struct record *r)
{
	struct view rest = r->bytes;

	honeypot_message_line(out, r);
	while (rest.n) {
		size_t end = view_find(rest, '\n');
		struct view line = view_head(rest, end);

		/* The CR of a CRLF is how lines end, not a byte to be shown. */
		if (end < rest.n && line.n && line.p[line.n - 1] == '\r')
			line.n--;
		fputs("    ", out);
		print_escaped(out, line);
		fputc('\n', out);
		rest = view_from(rest, end + 1);
	}
	if (r->cut)
		fputs("    (cut: it was longer)\n", out);
	fputc('\n', out);
}
