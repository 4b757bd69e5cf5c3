/* SPDX-License-Identifier: Apache-2.0 */
/* The reply to a WebSocket's upgrade: judged alike whole and as it grows. */
#include <stdlib.h>

#include "ledger/ethereum/websocket_handshake.h"

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" /* RFC 6455 section 1.3 */

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct endpoint e;
	struct error err;
	int whole, part = 0;
	size_t n = 0;

	if (!e.url[0] && endpoint_parse(&e, view_str("http://h name=node"), NULL))
		abort();
	if (size > 2000)
		size = 2000; /* the loop is quadratic */
	whole = handshake_judge(view_of(input, size), ACCEPT, &e, &err);
	while (part == 0 && n++ < size)
		part = handshake_judge(view_of(input, n), ACCEPT, &e, &err);
	if (part != whole || (part > 0 && (size_t)part != n))
		abort();
	if (whole < 0 && strncmp(err.text, "node: ", 6) != 0)
		abort();
	return 0;
}
