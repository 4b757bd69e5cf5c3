/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint's line: what parses prints to what parses to the same. */
#include <stdlib.h>

#include "ledger/ethereum/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct endpoint e, again;
	struct buffer out = {0};
	struct error err;
	char text[300], authorization[ENDPOINT_AUTHORIZATION_MAX], url[ENDPOINT_URL_MAX];

	if (endpoint_parse(&e, view_of(input, size), &err))
		return 0;
	if (endpoint_print(&out, &e, true) ||
		endpoint_parse(&again, view_of(out.p, out.n), &err) ||
		memcmp(&e, &again, sizeof e) != 0)
		abort();
	out.n = 0;
	if (endpoint_print(&out, &e, false) || endpoint_request_url(url, e.url) ||
		endpoint_authorization(authorization, sizeof authorization, &e, 1))
		abort();
	/* Its own secrets, and anything else, redacted and bounded. */
	endpoint_redact(text, sizeof text, &e, view_str(e.url));
	endpoint_redact(text, sizeof text, &e, view_of(input, size));
	if (strlen(text) >= sizeof text)
		abort();
	for (unsigned i = 0; i < e.header_count; i++)
		if (strpbrk(e.header[i], "\r\n"))
			abort();
	buffer_free(&out);
	return 0;
}
