/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_OWN_NUMBER_H
#define DECIDE_OWN_NUMBER_H

#include "decide/own.h"
#include "detect/numbers.h"

/* What this node does with numbers, URIs and domains that attackers call. Pure. */
struct own_number_config {
	bool publish; /* report them to the consortium */
	uint32_t ttl; /* seconds that a report and the refusal of calls live */
};

/*
 * Decide about one, as own_decide() does about an address: calls to it are refused
 * here at once, and it is reported when its reading is of a class that config
 * publishes. What the protected table or the allowlist overlaps (the number, one
 * inside a prefix, a prefix around it, a URI's domain) is neither; what config->member
 * objects to is not reported, since a report would take that back. registry may be
 * NULL. In *out `proof` is how sure the reading is: PROOF_RULE or PROOF_CLUSTER.
 */
void own_number_decide(struct own_action *out, const struct own_config *config,
	const struct own_number_config *numbers, const struct registry *registry,
	const struct allowlist *allow, const struct number_detection *d, uint32_t now);

/*
 * Whether what own_decide() said of a detection makes its source an attacker, whose
 * calls count (numbers_convict()): it is proved by what may be published, whether
 * this node publishes or not, and nothing speaks for it. What only bans here
 * (publish = no of a rule: a phone with an old password) makes none.
 */
bool own_number_attacker(const struct own_config *config, const struct detection *d,
	const struct own_action *a);

#endif
