/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_SPAN_H
#define ENFORCE_NFT_SPAN_H

#include "indicator/indicator.h"

/*
 * The enforcer's copy of the allowlist: disjoint, sorted address intervals,
 * neither overlapping nor adjacent (an interval set of the kernel takes only
 * such). Left-justified like an indicator: family 4 uses the first four bytes,
 * the others are 0 in lo and 0xff in hi.
 */
struct nft_span {
	uint8_t family; /* 4 or 6 */
	uint8_t lo[16], hi[16];
};

/*
 * Make spans of the ip4 and ip6 indicators among n (others are skipped).
 * *spans is allocated, the caller frees it; NULL when there are none. Returns
 * 0, or -1 when memory is short.
 */
int nft_spans_make(
	struct nft_span **spans, size_t *count, const struct indicator *list, size_t n);

/* Whether i shares an address with a span. */
bool nft_spans_overlap(const struct nft_span *spans, size_t n, const struct indicator *i);

#endif
