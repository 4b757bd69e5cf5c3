/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_SOURCE_H
#define DAEMON_SENSE_SOURCE_H

#include "daemon/config.h"
#include "daemon/link.h"
#include "daemon/messages.h"

/* What the role `sense` tells the node of a [source], of whatever type. */

/*
 * Begin out, all zeros but for which source it is, its state and its trouble
 * ("": none). index: its number in the configuration.
 */
void sense_source_begin(struct source_status *out, const struct config_source *s,
	unsigned index, uint8_t state, const char *trouble);

/* Tell the node when now is not what was told. What it does not take stays. */
void sense_source_tell(
	struct source_status *told, const struct source_status *now, struct link *node);

#endif
