/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/injection.h"

#include "base/hex.h"

#define TEXT_MAX   1024
#define PACKET_MAX 4096

/*
 * What log lines of PBXs consist of and SIP texts do not, in the letters in
 * which they are written: a reader of logs would not take others for them.
 */
#define PHRASE(text)                                                                     \
	{                                                                                \
		text, sizeof text - 1                                                    \
	}
static const struct {
	const char *text;
	size_t n;
} phrases[] = {
	/* Asterisk's notices, and what fail2ban's asterisk filter looks for */
	PHRASE("failed for '"),
	PHRASE("rejected because"),
	PHRASE("Failed to authenticate"),
	PHRASE("No matching endpoint"),
	PHRASE("Wrong password"),
	PHRASE("(callid:"),
	PHRASE("NOTICE["),
	PHRASE("WARNING["),
	PHRASE("ERROR["),
	PHRASE("SECURITY["),
	PHRASE("VERBOSE["),
	/* its security events, in the log and over AMI */
	PHRASE("SecurityEvent="),
	PHRASE("RemoteAddress"),
	PHRASE("LocalAddress="),
	PHRASE("ExpectedResponse="),
	PHRASE("Event: InvalidPassword"),
	PHRASE("Event: InvalidAccountID"),
	PHRASE("Event: ChallengeResponseFailed"),
	PHRASE("Event: SuccessfulAuth"),
	/* FreeSWITCH */
	PHRASE("SIP auth failure ("),
	PHRASE("SIP auth challenge ("),
	/* our own line of Kamailio's and OpenSIPS's script */
	PHRASE("SIPCHAIN ev="),
};

/* The text with its %-escapes undone into dst[TEXT_MAX]. */
static struct view unescape(uint8_t *dst, struct view text)
{
	size_t n = 0;

	text = view_head(text, TEXT_MAX);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' && i + 2 < text.n &&
			hex_decode(&dst[n], 1, view_of(text.p + i + 1, 2)) == 0) {
			i += 2;
			n++;
		} else {
			dst[n++] = text.p[i];
		}
	}
	return view_of(dst, n);
}

/* A control character that came escaped. */
static bool escaped_control(struct view text)
{
	uint8_t c;

	for (size_t i = 0; i + 2 < text.n; i++)
		if (text.p[i] == '%' &&
			hex_decode(&c, 1, view_of(text.p + i + 1, 2)) == 0 &&
			(c < 0x20 || c == 0x7f))
			return true;
	return false;
}

/* Every phrase but one has one of these letters, which names and numbers have not. */
static bool has_phrase_letter(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == ' ' || text.p[i] == '[' || text.p[i] == '(' ||
			text.p[i] == '=')
			return true;
	return memmem(text.p, text.n, "RemoteAddress", 13) != NULL;
}

static bool has_phrase(struct view text)
{
	if (text.n < 6 || !has_phrase_letter(text))
		return false;
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (text.n >= phrases[i].n &&
			memmem(text.p, text.n, phrases[i].text, phrases[i].n))
			return true;
	return false;
}

/* Whether text begins with four numbers up to 255 with dots between them. */
static bool begins_with_ip4(struct view text)
{
	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0, digits = 0;

		while (text.n && text.p[0] >= '0' && text.p[0] <= '9' && digits < 4) {
			value = value * 10 + (text.p[0] - '0');
			text = view_from(text, 1);
			digits++;
		}
		if (!digits || digits > 3 || value > 255)
			return false;
		if (part < 3 && (!text.n || text.p[0] != '.'))
			return false;
		if (part < 3)
			text = view_from(text, 1);
	}
	return !text.n || text.p[0] != '.';
}

/* NAME=ADDRESS, the address bare, quoted, or in Asterisk's IPV4/UDP/ADDRESS. */
static bool names_address(struct view text)
{
	for (;;) {
		size_t equal = view_find(text, '=');
		struct view value;

		if (equal == text.n)
			return false;
		text = value = view_from(text, equal + 1);
		if (value.n && (value.p[0] == '"' || value.p[0] == '\''))
			value = view_from(value, 1);
		if (view_starts(value, "IPV4/"))
			value = view_from(value, 9); /* and UDP/, TCP/, TLS/ */
		if (equal && begins_with_ip4(value))
			return true;
	}
}

bool injection_text(struct view text)
{
	uint8_t plain[TEXT_MAX];
	struct view undone;

	/* Nearly all texts: nothing to undo, and too short for anything else. */
	if (text.n < 3)
		return false;
	text = view_head(text, TEXT_MAX);
	undone = unescape(plain, text);
	return escaped_control(text) || has_phrase(undone) || names_address(undone);
}

const char *injection_field(const struct sip_message *m)
{
	const struct {
		const char *name;
		struct view text;
	} fields[] = {
		{"From", m->from.display},
		{"From", m->from.parts.user},
		{"To", m->to.display},
		{"To", m->to.parts.user},
		{"Request-URI", m->target.user},
		{"Call-ID", m->call_id},
		{"User-Agent", m->agent},
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (injection_text(fields[i].text))
			return fields[i].name;
	for (unsigned i = 0; i < m->n_credentials; i++) {
		const struct sip_digest *d = &m->credentials[i];

		if (injection_text(d->username) || injection_text(d->realm) ||
			injection_text(d->nonce) || injection_text(d->response))
			return "Authorization";
	}
	return NULL;
}

bool injection_packet(struct view packet)
{
	return has_phrase(view_head(packet, PACKET_MAX));
}
