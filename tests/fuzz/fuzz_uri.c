/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: a canonical URI, domain or agent is bounded, clean and its own
 * canonical form. */
#include <stdint.h>
#include <stdlib.h>

#include "base/escape.h"
#include "decide/uri_parts.h"
#include "indicator/address.h"
#include "indicator/number.h"
#include "indicator/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(int (*canonical)(char *dst, struct view text, struct error *err),
	struct view text)
{
	char once[256], twice[256];
	struct error err = {""};

	if (canonical(once, text, &err) < 0) {
		require(err.text[0] != '\0' && text_is_clean(view_str(err.text)));
		return;
	}
	require(once[0] != '\0' && strlen(once) <= 255);
	require(text_is_clean(view_str(once)));
	require(canonical(twice, view_str(once), NULL) == 0);
	require(strcmp(once, twice) == 0);
}

/* What a call to it is a call to. text: anything that somebody published. */
static void check_parts(const char *text)
{
	struct indicator uri = indicator_from_canonical(INDICATOR_URI, view_str(text));
	const struct indicator *number, *domain;
	struct uri_parts parts;

	uri_parts(&parts, &uri, text);
	number = &parts.part[URI_NUMBER];
	domain = &parts.part[URI_DOMAIN];
	require(!memcmp(&parts.part[URI_ITSELF], &uri, sizeof uri));
	require(!number->kind ||
		(number->plen == 128 && number_check(number, NULL) == 0));
	require(!domain->kind == !parts.host.n);
	require(!parts.host.n ||
		((const char *)parts.host.p >= text &&
			(const char *)parts.host.p + parts.host.n <=
				text + strlen(text)));
}

/* Of a canonical URI the host is a canonical domain, or an address. */
static void check_host(struct view text)
{
	char uri[256], domain[256];
	struct uri_parts parts;
	struct indicator i;

	if (uri_canonical(uri, text, NULL))
		return;
	i = indicator_from_canonical(INDICATOR_URI, view_str(uri));
	check_parts(uri);
	uri_parts(&parts, &i, uri);
	require(!parts.host.n ||
		(domain_canonical(domain, parts.host, NULL) == 0 &&
			view_eq(parts.host, view_str(domain))));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view text = view_of(input, size);
	char printed[ADDRESS_TEXT], published[INDICATOR_SOURCE_TEXT + 1];
	struct address a, again;
	uint16_t port;

	check(uri_canonical, text);
	check(domain_canonical, text);
	check(agent_canonical, text);
	check_host(text);
	view_copy(published, sizeof published, text);
	check_parts(published);
	if (address_port_parse(&a, &port, text, 5060, NULL) == 0) {
		address_print(printed, &a);
		require(address_parse(&again, view_str(printed), NULL) == 0);
		require(address_eq(&a, &again));
	}
	return 0;
}
