/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "enforce/nft_listing.h"

int nft_counters(struct nft *n, struct nft_counter *out, size_t max, struct error *err)
{
	struct nft_listing *l = calloc(1, sizeof(*l));
	int count = 0;

	if (!l)
		return error_set(err, "out of memory");
	if (nft_listing_counters(n, l, err) < 0) {
		count = -1;
		goto out;
	}
	for (unsigned i = 0; i < NFT_LISTED_SETS && (size_t)count < max; i++) {
		if (!l->counted[i])
			continue;
		nft_listed_name(out[count].set, i);
		out[count].packets = l->counts[i].packets;
		out[count].bytes = l->counts[i].bytes;
		count++;
	}
out:
	free(l);
	return count;
}
