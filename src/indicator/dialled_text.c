/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/dialled_text.h"

#include "base/hex.h"

#define SEPARATORS "-.() \t" /* RFC 3966 visual separators, and what people type */

/* The character at *at and its escape undone; *at is then behind it. */
static int next_char(const char *s, size_t *at)
{
	int high, low;

	if (s[*at] == '%') {
		high = hex_digit((uint8_t)s[*at + 1]);
		low = high < 0 ? -1 : hex_digit((uint8_t)s[*at + 2]);
		if (low >= 0) {
			*at += 3;
			return high * 16 + low;
		}
	}
	return (unsigned char)s[(*at)++];
}

/* Behind "tel:" and the like; *sip: a password may follow the user. */
static const char *behind_scheme(const char *s, bool *sip)
{
	static const char *const schemes[] = {"tel:", "sip:", "sips:"};

	s += strspn(s, " \t\r\n");
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);

		if (strncasecmp(s, schemes[i], n) == 0) {
			*sip = i > 0;
			return s + n;
		}
	}
	return s;
}

/* "(0)", as in +44 (0)20: a zero for callers within the country. */
static bool trunk_zero(const char *s)
{
	return strncmp(s, "(0)", 3) == 0;
}

/* One character that is no separator; false: it cannot be dialled there. */
static bool take(struct dialled_text *out, int c)
{
	bool dialled = (c >= '0' && c <= '9') || c == '*' || c == '#';

	if (c == '+' && !out->plus) {
		out->plus = true;
		out->plus_at = out->n;
		return true;
	}
	if (!dialled)
		return false;
	if (out->n == DIALLED_TEXT)
		out->cut = true;
	else
		out->text[out->n++] = (char)c;
	return true;
}

/* phone-context=+44...: the country's code; of a domain, that there is one. */
static void read_context(struct dialled_text *out, const char *s)
{
	char digits[E164_DIGITS + 1];
	size_t n = 0, at = 0, country;

	out->context = true;
	if (next_char(s, &at) != '+')
		return;
	while (s[at] && s[at] != ';' && s[at] != '@' && n < E164_DIGITS) {
		int c = next_char(s, &at);

		if (c >= '0' && c <= '9')
			digits[n++] = (char)c;
	}
	country = e164_country(view_of(digits, n));
	memcpy(out->country, digits, country);
	out->country[country] = '\0';
}

static void read_parameters(struct dialled_text *out, const char *s)
{
	static const char name[] = "phone-context=";

	for (; *s == ';'; s += strcspn(s, ";@?>")) {
		s++;
		if (strncasecmp(s, name, strlen(name)) == 0) {
			read_context(out, s + strlen(name));
			return;
		}
	}
}

void dialled_text_read(struct dialled_text *out, const char *dialled)
{
	bool sip = false;
	const char *s = behind_scheme(dialled, &sip);
	size_t at = 0;

	memset(out, 0, sizeof(*out));
	out->zero = DIALLED_TEXT + 1;
	while (s[at] && !strchr(";@?", s[at]) && !(sip && s[at] == ':')) {
		if (out->plus && trunk_zero(&s[at]) && out->zero > DIALLED_TEXT)
			out->zero = out->n;
		int c = next_char(s, &at);

		if (c && strchr(SEPARATORS, c))
			continue;
		if (!take(out, c)) {
			out->name = true;
			return;
		}
	}
	read_parameters(out, &s[at]);
	/* A # at the end only says that this was all. */
	if (!out->cut && out->n > 1 && out->text[out->n - 1] == '#' &&
		out->text[0] != '*' && out->text[0] != '#')
		out->n--;
	out->text[out->n] = '\0';
}
