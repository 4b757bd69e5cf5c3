/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "enforce/nft_state.h"

int nft_allow(
	struct nft *n, const struct indicator *list, size_t count, struct error *err)
{
	const char *table = n->config.table;
	struct nft_outcome out;
	struct nft_span *spans;
	size_t n_spans;

	if (!n->ready)
		return error_set(
			err, "the table %s is not set up: nft_setup() first", table);
	if (nft_spans_make(&spans, &n_spans, list, count) < 0)
		return error_set(err, "out of memory for %zu allowed prefixes", count);

	nft_transport_begin(&n->transport, &n->batch);
	for (uint8_t family = 4; family <= 6; family += 2) {
		nft_put_set_flush(&n->batch, table, nft_allow_name(family));
		nft_put_allow(&n->batch, table, family, spans, n_spans);
	}
	if (nft_transport_commit(&n->transport, &n->batch, &out) < 0) {
		free(spans);
		return nft_refused(n, &out, "replace the allow sets", err);
	}
	free(n->allow);
	n->allow = spans;
	n->allow_count = n_spans;
	n->allow_known = true;
	return 0;
}
