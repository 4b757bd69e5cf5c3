/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_TRUNKS_H
#define SENSE_AMI_TRUNKS_H

#include "base/buffer.h"
#include "indicator/indicator.h"

/*
 * The trunks of chan_pjsip: addresses by which an endpoint is identified without
 * a password (pjsip.conf, type = identify, match). Whoever forges such an address
 * as the source of a UDP packet makes the PBX speak ill of the trunk, so that no
 * ban may touch it. Pure: PJSIPShowEndpoints names the endpoints,
 * PJSIPShowEndpoint says for each what it matches.
 */
#define AMI_TRUNKS_MAX    1024
#define AMI_ENDPOINTS_MAX 20000 /* asked about in one round */

/* Shorter prefixes are not taken over: match = 0.0.0.0/0 would end all bans. */
#define AMI_TRUNK_MIN_V4 16
#define AMI_TRUNK_MIN_V6 32

struct ami_trunk {
	struct indicator indicator; /* ip4 or ip6 */
	char endpoint[48];          /* clean text */
};

struct ami_trunks {
	struct buffer names; /* endpoints, each ended by NUL */
	size_t asked;        /* where the next one to ask about begins */
	size_t endpoints;
	struct ami_trunk *list;
	size_t count;
	size_t unused; /* matches that are too wide, too many, or not understood */
};

/* Zero-initialise. Begin a round: forget endpoints and trunks. */
void ami_trunks_begin(struct ami_trunks *t);

/* An endpoint of the list. Names that do not fit an action are left out. */
void ami_trunks_endpoint(struct ami_trunks *t, struct view name);

/* The next endpoint to ask about, or NULL when all have been. */
const char *ami_trunks_next(struct ami_trunks *t);

/*
 * An IdentifyDetail's Match: ADDRESS[/MASK|/LENGTH], separated by commas. What
 * is listed already is not added again.
 */
void ami_trunks_match(struct ami_trunks *t, struct view endpoint, struct view match);

void ami_trunks_free(struct ami_trunks *t);

#endif
