/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_source.h"

#include <stdio.h>

void sense_source_begin(struct source_status *out, const struct config_source *s,
	unsigned index, uint8_t state, const char *trouble)
{
	memset(out, 0, sizeof *out);
	memcpy(out->name, s->name, sizeof out->name);
	out->source = (uint8_t)index;
	out->type = s->type;
	out->state = state;
	snprintf(out->trouble, sizeof out->trouble, "%s", trouble);
}

void sense_source_tell(
	struct source_status *told, const struct source_status *now, struct link *node)
{
	if (memcmp(now, told, sizeof *now) != 0 &&
		!link_send(node, MSG_SOURCE, view_of(now, sizeof *now)))
		memcpy(told, now, sizeof *told); /* with what lies between members */
}
