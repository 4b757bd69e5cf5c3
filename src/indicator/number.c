/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/number.h"

#include "base/escape.h"

#define NIBBLES 32
#define PAD     0xf

static unsigned nibble_at(const struct indicator *i, unsigned at)
{
	uint8_t byte = i->value[at / 2];

	return at % 2 ? byte & 15U : byte >> 4;
}

/* n checked digits into a zeroed value. */
static void put_digits(struct indicator *out, const uint8_t *digits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned digit = (unsigned)(digits[i] - '0');

		out->value[i / 2] |= (uint8_t)(i % 2 ? digit : digit << 4);
	}
}

/* 1..15 of '0'..'9', the first not '0'. */
static bool digits_ok(struct view digits)
{
	if (digits.n < 1 || digits.n > NUMBER_DIGITS || digits.p[0] == '0')
		return false;
	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
	return true;
}

int number_from_prefix(struct indicator *out, struct view digits)
{
	if (!digits_ok(digits))
		return -1;
	*out = (struct indicator){
		.kind = INDICATOR_NUMBER, .plen = (uint8_t)(4 * digits.n)};
	put_digits(out, digits.p, digits.n);
	return 0;
}

int indicator_from_digits(struct indicator *out, struct view digits)
{
	if (!digits_ok(digits))
		return -1;
	*out = (struct indicator){.kind = INDICATOR_NUMBER, .plen = 128};
	put_digits(out, digits.p, digits.n);
	for (size_t i = digits.n; i < NIBBLES; i++)
		out->value[i / 2] |= i % 2 ? PAD : PAD << 4;
	return 0;
}

/*
 * Digits of text, separators dropped, into digits[]. Returns their count, or
 * -1 with a text that quotes all.
 */
static int collect(uint8_t digits[NUMBER_DIGITS], struct view text, struct view all,
	struct error *err)
{
	int n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		if (c < '0' || c > '9')
			return error_set(err,
				"\"%s\": a number is + and digits, "
				"with * at the end for a prefix; \"%s\" is "
				"neither",
				escaped(all), escaped(view_of(&text.p[i], 1)));
		if (n == NUMBER_DIGITS)
			return error_set(err,
				"\"%s\": E.164 numbers have at "
				"most 15 digits",
				escaped(all));
		digits[n++] = c;
	}
	return n;
}

int number_parse(struct indicator *out, struct view text, struct error *err)
{
	uint8_t digits[NUMBER_DIGITS];
	struct view rest = text;
	bool prefix = false;
	int n;

	if (!view_starts(text, "+"))
		return error_set(err,
			"\"%s\": write the number with + and the "
			"country code, such as +442079460000",
			escaped(text));
	rest = view_from(rest, 1);
	if (rest.n > 0 && rest.p[rest.n - 1] == '*') {
		prefix = true;
		rest = view_head(rest, rest.n - 1);
	}
	/* +44 (0)20 ...: the 0 is dialled only inside the country. */
	if (view_find_str(rest, "(0)") < rest.n)
		return error_set(err,
			"\"%s\": leave \"(0)\" out, it is not "
			"dialled after a country code",
			escaped(text));
	n = collect(digits, rest, text, err);
	if (n < 0)
		return -1;
	if (n == 0)
		return error_set(err,
			"\"%s\": there are no digits; write "
			"+ and 1 to 15 of them",
			escaped(text));
	if (digits[0] == '0')
		return error_set(err,
			"\"%s\": no country code begins with 0; "
			"leave out the international prefix (00) and write "
			"+ and the country code",
			escaped(text));
	return prefix ? number_from_prefix(out, view_of(digits, (size_t)n)) :
			indicator_from_digits(out, view_of(digits, (size_t)n));
}

int number_digits(char *dst, const struct indicator *i)
{
	unsigned n = 0, end = i->plen / 4U;

	if (number_check(i, NULL) < 0)
		return -1;
	while (n < end && nibble_at(i, n) != PAD) {
		dst[n] = (char)('0' + nibble_at(i, n));
		n++;
	}
	dst[n] = '\0';
	return (int)n;
}

int number_check(const struct indicator *i, struct error *err)
{
	bool exact = i->plen == 128;
	unsigned n = 0, end = exact ? NUMBER_DIGITS : i->plen / 4U;

	if (i->kind != INDICATOR_NUMBER)
		return error_set(err, "kind %u is not a number", i->kind);
	if (!exact && (i->plen % 4 || i->plen < 4 || i->plen > 4 * NUMBER_DIGITS))
		return error_set(err,
			"number with prefix length %u: it must be "
			"4 bits a digit, 4..60, or 128 for an exact number",
			i->plen);
	while (n < end && nibble_at(i, n) <= 9)
		n++;
	if (n == 0 || nibble_at(i, 0) == 0)
		return error_set(err,
			"number without a country code: the first "
			"digit must be 1..9");
	if (!exact && n < end)
		return error_set(err, "number prefix: digit %u is not decimal", n + 1);
	for (unsigned at = n; at < NIBBLES; at++)
		if (nibble_at(i, at) != (exact ? PAD : 0))
			return error_set(err,
				exact ? "exact number: after %u digits all must be F" :
					"number prefix: after its %u digits all must be "
					"0",
				n);
	return 0;
}
