/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: a canonical URI, domain or agent is bounded, clean and its own
 * canonical form. */
#include <stdint.h>
#include <stdlib.h>

#include "base/escape.h"
#include "indicator/address.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view text = view_of(input, size);
	char printed[ADDRESS_TEXT];
	struct address a, again;
	uint16_t port;

	check(uri_canonical, text);
	check(domain_canonical, text);
	check(agent_canonical, text);
	if (address_port_parse(&a, &port, text, 5060, NULL) == 0) {
		address_print(printed, &a);
		require(address_parse(&again, view_str(printed), NULL) == 0);
		require(address_eq(&a, &again));
	}
	return 0;
}
