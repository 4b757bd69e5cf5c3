/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON-RPC reply's body under the HTTP status that its first byte picks. */
#include <stdlib.h>

#include "ledger/ethereum/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static const long statuses[] = {200, 200, 200, 401, 404, 429, 500, 503};
	static struct endpoint e;
	struct buffer scratch = {0};
	struct rpc_reply r;
	json_t *root;

	if (!e.url[0] &&
		endpoint_parse(&e, view_str("https://h/SECRETKEY name=node"), NULL))
		abort();
	if (size == 0)
		return 0;
	rpc_reply_judge(&r, &root, &scratch, &e, statuses[input[0] % 8],
		view_of(input + 1, size - 1), 1);
	if (r.outcome < RPC_RESULT || r.outcome > RPC_UNAUTHORISED ||
		(r.outcome == RPC_RESULT) != (r.result != NULL) ||
		(r.outcome != RPC_RESULT && strncmp(r.error.text, "node: ", 6) != 0) ||
		r.retry_ms > 3600000 || r.data.n > size ||
		strstr(r.error.text, "SECRETKEY"))
		abort();
	json_decref(root);
	buffer_free(&scratch);
	return 0;
}
