/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

void config_own(struct own_config *out, const struct config *c)
{
	*out = own_config_default;
	for (unsigned p = 0; p < PROOF_COUNT; p++)
		out->publish[p] = c->report.publish >> p & 1;
	out->unproved = c->report.unproved;
	out->unproved_ban = c->report.unproved_ban;
	out->ttl = c->report.ttl;
	out->observe = c->node.observe;
}
