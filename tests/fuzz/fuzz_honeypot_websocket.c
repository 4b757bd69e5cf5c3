/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade of a WebSocket, its answer, and the frames behind it. */
#include <stdlib.h>

#include "sense/honeypot/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void frames(uint8_t *bytes, size_t n)
{
	struct websocket_frame f;
	long length;

	while ((length = websocket_frame_take(&f, bytes, n)) > 0) {
		if ((size_t)length > n || f.n > WEBSOCKET_MESSAGE_MAX ||
			f.payload < bytes || f.payload + f.n != bytes + length)
			abort();
		if ((f.opcode & 8) && (!f.last || f.n > 125))
			abort();
		bytes += length;
		n -= (size_t)length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct buffer answer = {.max = 1024};
	struct websocket_upgrade u;
	uint8_t *copy = malloc(size ? size : 1);
	long n = websocket_upgrade_parse(&u, view_of(input, size));

	if (!copy)
		return 0;
	if (n > (long)size || (n > 0) != (u.status == 101) || (n < 0 && u.status < 400))
		abort();
	if (n && websocket_upgrade_answer(&answer, &u))
		abort();
	buffer_free(&answer);
	if (size)
		memcpy(copy, input, size);
	if (n > 0)
		frames(copy + n, size - (size_t)n);
	else
		frames(copy, size);
	free(copy);
	return 0;
}
