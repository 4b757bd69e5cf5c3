/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sense/kamailio_log.h"

#define NOW (UINT64_C(1795335300) * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* What must hold of any line, whoever wrote it. */
static void check(struct view line)
{
	struct observation o;
	struct indicator i;

	memset(&o, 0xee, sizeof(o));
	if (kamailio_log_parse(&o, line, NOW) != KAMAILIO_LOG_OBSERVATION)
		return;
	if (o.source.family != 4 && o.source.family != 6)
		abort();
	if (o.kind < OBSERVED_AUTH_FAILED ||
		(o.kind > OBSERVED_AUTH_OK && o.kind != OBSERVED_BLOCKED))
		abort();
	if (o.kind == OBSERVED_BLOCKED &&
		(!o.request[0] || strspn(o.request, "0123456789") != strlen(o.request) ||
			indicator_parse(&i, NULL, view_str(o.returned), NULL)))
		abort();
	if (o.time > NOW + 60 * USEC_PER_SEC)
		abort();
	/* UDP proves nothing but what only an answered challenge shows. */
	if (o.proof != PROOF_NONE &&
		(o.proof != PROOF_TCP || o.transport == TRANSPORT_UDP) &&
		(o.proof != PROOF_AUTH || o.kind != OBSERVED_AUTH_OK) &&
		(o.proof != PROOF_NONCE ||
			(o.kind != OBSERVED_AUTH_FAILED &&
				o.kind != OBSERVED_UNKNOWN_ACCOUNT)))
		abort();
	if (!memchr(o.account, '\0', sizeof(o.account)) ||
		!memchr(o.dialled, '\0', sizeof(o.dialled)) ||
		!memchr(o.agent, '\0', sizeof(o.agent)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static const char prefix[] = "NOTICE: <script>: SIPCHAIN ";
	uint8_t *line;

	check(view_of(input, size));
	/* The same as fields, so that mutations reach what is behind the head. */
	line = malloc(sizeof(prefix) + size);
	if (!line)
		return 0;
	memcpy(line, prefix, sizeof(prefix) - 1);
	if (size)
		memcpy(line + sizeof(prefix) - 1, input, size);
	check(view_of(line, sizeof(prefix) - 1 + size));
	free(line);
	return 0;
}
