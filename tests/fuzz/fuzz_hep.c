/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of HEP messages through the decoder and all that stands behind it. */
#include <stdlib.h>

#include "sense/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void observe(void *context, const struct observation *o)
{
	(void)context;
	/* What leaves is bounded and ended, and names a source. */
	if (!memchr(o->account, 0, sizeof o->account) ||
		!memchr(o->dialled, 0, sizeof o->dialled) ||
		!memchr(o->agent, 0, sizeof o->agent))
		abort();
	if ((o->source.family != 4 && o->source.family != 6) || !o->kind || o->kind > 7 ||
		o->proof > PROOF_AUTH)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct wire_config config = wire_config_default;
	struct view rest = view_of(input, size);
	struct wire *w;
	struct hep_message m;
	usec now = USEC_PER_SEC;
	long total;

	config.requests = 64;
	config.proofs = (struct proof_config){.nonces = 64, .tags = 64, .owners = 64};
	w = wire_new(&config, (struct hash_key){1, 2}, observe, NULL);
	if (!w)
		return 0;
	(void)hep_decode(&m, rest);
	while ((total = hep_frame(rest)) > 0 && (size_t)total <= rest.n) {
		if (hep_decode(&m, view_head(rest, (size_t)total)) == HEP_VALID) {
			(void)hep_key_matches(&m, view_str("hepsecret"));
			wire_feed(w, &m, &m.source, now);
			wire_feed(w, &m, NULL, now);
		}
		rest = view_from(rest, (size_t)total);
		now += 700000;
		wire_expire(w, now);
	}
	wire_expire(w, now + 400 * USEC_PER_SEC);
	wire_free(w);
	return 0;
}
