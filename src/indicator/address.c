/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/escape.h"

/* Make a from the 16 bytes of an IPv6 address, folding IPv4-mapped ones. */
static void from_v6(struct address *a, const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	*a = (struct address){.family = 6};
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		a->family = 4;
		memcpy(a->bytes, bytes + 12, 4);
	} else {
		memcpy(a->bytes, bytes, 16);
	}
}

/* Four decimal parts. Returns 0, or -1 with a text. */
static int parse_v4(struct address *a, struct view text, struct error *err)
{
	struct view rest = text;

	*a = (struct address){.family = 4};
	for (unsigned i = 0; i < 4; i++) {
		size_t dot = view_find(rest, '.');
		struct view part = view_head(rest, dot);
		uint64_t v;

		if ((i < 3) != (dot < rest.n) || view_decimal(part, 255, &v) < 0)
			return error_set(err,
				"\"%s\" is no IP address: write "
				"four numbers 0..255 with dots, such as "
				"192.0.2.7, or IPv6, such as 2001:db8::7",
				escaped(text));
		/* inet_aton() and browsers read 010 as octal: 8, not 10. */
		if (part.n > 1 && part.p[0] == '0')
			return error_set(err,
				"\"%s\": a leading zero is "
				"ambiguous (octal for some); write %u instead "
				"of %s",
				escaped(text), (unsigned)v, escaped(part));
		a->bytes[i] = (uint8_t)v;
		rest = view_from(rest, dot + 1);
	}
	return 0;
}

/* What nearly all are, at once; anything that is odd is left to parse_v4(). */
static bool is_plain_v4(struct address *a, struct view text)
{
	const uint8_t *p = text.p, *end = p + text.n;

	if (text.n < 7 || text.n > 15)
		return false;
	*a = (struct address){.family = 4};
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *first;
		unsigned v = 0;

		if (i && (p == end || *p++ != '.'))
			return false;
		for (first = p; p < end && p < first + 3 && *p >= '0' && *p <= '9'; p++)
			v = v * 10 + (*p - '0');
		if (p == first || v > 255 || (*first == '0' && p > first + 1))
			return false;
		a->bytes[i] = (uint8_t)v;
	}
	return p == end;
}

int address_parse(struct address *a, struct view text, struct error *err)
{
	struct view inner = text;
	char copy[ADDRESS_TEXT];
	uint8_t bytes[16];

	if (is_plain_v4(a, text))
		return 0;
	if (view_find(text, ':') == text.n)
		return parse_v4(a, text, err);
	if (view_find(text, '%') < text.n)
		return error_set(err,
			"\"%s\": a zone has no meaning on another "
			"host; write the address without %%zone",
			escaped(text));
	if (text.p[0] == '[') {
		if (text.p[text.n - 1] != ']')
			return error_set(
				err, "\"%s\": the closing ] is missing", escaped(text));
		inner = view_from(view_head(text, text.n - 1), 1);
	}
	if (view_copy(copy, sizeof(copy), inner) >= sizeof(copy) ||
		inet_pton(AF_INET6, copy, bytes) != 1)
		return error_set(err,
			"\"%s\" is no IPv6 address: write groups "
			"of hex digits with colons, such as 2001:db8::7",
			escaped(text));
	from_v6(a, bytes);
	return 0;
}

/* The longest run of two or more zero groups; *count 0 when there is none. */
static unsigned longest_zero_run(const uint8_t bytes[16], unsigned *count)
{
	unsigned best = 0, run = 0;

	*count = 0;
	for (unsigned i = 0; i < 8; i++) {
		run = be16_load(bytes + 2 * i) == 0 ? run + 1 : 0;
		/* > and not >=: of equal runs the first (RFC 5952 4.2.3) */
		if (run >= 2 && run > *count) {
			*count = run;
			best = i + 1 - run;
		}
	}
	return best;
}

/*
 * Not inet_ntop(): C libraries differ in when they print a dotted quad at
 * the end, and this text is compared and stored.
 */
static void print_v6(char *dst, const uint8_t bytes[16])
{
	unsigned count, start = longest_zero_run(bytes, &count);
	char *p = dst;

	for (unsigned i = 0; i < 8; i++) {
		if (count > 0 && i == start) {
			*p++ = ':';
			*p++ = ':';
			i += count - 1;
			continue;
		}
		if (p > dst && p[-1] != ':')
			*p++ = ':';
		p += snprintf(p, 5, "%x", (unsigned)be16_load(bytes + 2 * i));
	}
	*p = '\0';
}

/* Not by snprintf(3): the honeypot writes an address into each of its answers. */
static void print_v4(char *dst, const uint8_t b[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*dst++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*dst++ = (char)('0' + b[i] / 10 % 10);
		*dst++ = (char)('0' + b[i] % 10);
		*dst++ = i < 3 ? '.' : '\0';
	}
}

char *address_print(char *dst, const struct address *a)
{
	const uint8_t *b = a->bytes;

	if (a->family == 4)
		print_v4(dst, b);
	else if (a->family == 6)
		print_v6(dst, b);
	else
		memcpy(dst, "-", 2);
	return dst;
}

int address_from_sockaddr(struct address *a, uint16_t *port, const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	/* Copied, because a sockaddr's alignment is not that of its kinds. */
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		*a = (struct address){.family = 4};
		memcpy(a->bytes, &v4.sin_addr, 4);
		*port = ntohs(v4.sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		from_v6(a, v6.sin6_addr.s6_addr);
		*port = ntohs(v6.sin6_port);
		return 0;
	}
	return -1;
}

socklen_t address_to_sockaddr(
	struct sockaddr_storage *ss, const struct address *a, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memset(ss, 0, sizeof(*ss));
	if (a->family == 4) {
		memcpy(&v4.sin_addr, a->bytes, 4);
		memcpy(ss, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, a->bytes, 16);
	memcpy(ss, &v6, sizeof(v6));
	return sizeof(v6);
}

bool address_eq(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int address_port_parse(struct address *a, uint16_t *port, struct view text,
	uint16_t fallback, struct error *err)
{
	size_t colon = view_rfind(text, ':');
	bool bracketed = text.n > 0 && text.p[0] == '[';
	struct view host = text;
	uint64_t v = fallback;

	/*
	 * The last colon starts a port when it follows a bracket, or when it
	 * is the only one: a bare IPv6 address has at least two.
	 */
	if (colon < text.n &&
		(bracketed ? colon > 0 && text.p[colon - 1] == ']' :
			     view_find(text, ':') == colon)) {
		host = view_head(text, colon);
		if (view_decimal(view_from(text, colon + 1), 65535, &v) < 0)
			return error_set(
				err, "\"%s\": the port must be 0..65535", escaped(text));
	}
	if (address_parse(a, host, err) < 0)
		return -1;
	*port = (uint16_t)v;
	return 0;
}

bool address_is_loopback(const struct address *a)
{
	static const struct address six = {6, {[15] = 1}};

	return (a->family == 4 && a->bytes[0] == 127) || address_eq(a, &six);
}
