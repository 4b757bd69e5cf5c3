/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_BAN_H
#define ENFORCE_BAN_H

#include "indicator/indicator.h"

/*
 * What a ban covers. Of a number, a URI or a domain it covers calls, both scopes the
 * same: there they only keep what was learnt apart from what is this node's own.
 */
enum ban_scope {
	BAN_SIP = 0, /* the SIP ports: bans learnt from the ledger */
	BAN_ALL = 1, /* every port: own detections and operators' bans */
};

enum ban_change {
	BAN_ADD = 1,    /* add, or set a new end */
	BAN_DELETE = 2, /* ends now; not being there is success */
};

/* One order to an enforcer. Only ip4 and ip6 go to nftables. */
struct ban_order {
	struct indicator indicator;
	uint8_t change; /* enum ban_change */
	uint8_t scope;  /* enum ban_scope */
	uint32_t until; /* unix seconds; BAN_ADD */
	/* For whoever tells people: enum ban_origin, enum category; BAN_ADD */
	uint8_t origin, category;
};

#endif
