/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sense/security_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* What must hold of any line, whoever wrote it. */
static void check(struct view line)
{
	struct observation o;

	memset(&o, 0xee, sizeof(o));
	if (security_log_parse(&o, line) != SECURITY_LOG_OBSERVATION)
		return;
	if (o.source.family != 4 && o.source.family != 6)
		abort();
	if (o.kind < OBSERVED_AUTH_FAILED || o.kind > OBSERVED_AUTH_OK)
		abort();
	/* UDP proves nothing but a password. */
	if (o.proof != PROOF_NONE &&
		(o.proof != PROOF_TCP || o.transport == TRANSPORT_UDP) &&
		(o.proof != PROOF_AUTH || o.kind != OBSERVED_AUTH_OK))
		abort();
	if (!memchr(o.account, '\0', sizeof(o.account)) || *o.dialled || *o.agent)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static const char prefix[] = "[2026-11-21 20:03:18.240] SECURITY[1] "
				     "res_security_log.c: ";
	uint8_t *line;

	check(view_of(input, size));
	/* The same as an event's text, so that mutations reach what is behind. */
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
