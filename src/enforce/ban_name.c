/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/ban_table.h"

const char *ban_origin_name(uint8_t origin)
{
	switch (origin) {
	case BAN_LEARNT:
		return "ledger";
	case BAN_OWN:
		return "own-detection";
	case BAN_OPERATOR:
		return "operator";
	default:
		return "?";
	}
}

const char *ban_scope_name(uint8_t scope)
{
	return scope == BAN_ALL ? "all-ports" : "sip-ports";
}

const char *ban_state_name(uint8_t state)
{
	switch (state) {
	case BAN_QUEUED:
		return "queued";
	case BAN_ORDERED:
		return "ordered";
	case BAN_STANDING:
		return "standing";
	case BAN_REFUSED:
		return "refused";
	case BAN_KEPT:
		return "kept";
	default:
		return "?";
	}
}
