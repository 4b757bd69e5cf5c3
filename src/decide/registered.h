/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_REGISTERED_H
#define DECIDE_REGISTERED_H

#include "decide/allowlist.h"
#include "detect/detect.h"

/*
 * A PBX's own phones on the allowlist: the addresses from which somebody
 * authenticated with a password (SuccessfulAuth, UsingPassword=1), for a time.
 * What anybody forges about such an address then moves nothing here. Pure.
 *
 * Only the PBX's word counts (AMI, its security log): a honeypot takes any
 * password. Only the address that the packet came from: what a client writes
 * about itself (Via, Contact) is never looked at. And never an address that
 * failed before it succeeded: that may be the one who has just guessed it. One
 * that is on the list succeeded first: it stays while no failure of its own is
 * proved, or whoever forges one every few minutes would get it off.
 */
#define REGISTERED_MAX         8192
#define REGISTERED_PER_ACCOUNT 8 /* one stolen password opens so many doors */

enum registered {
	REGISTERED_NOT = 0,
	REGISTERED_RENEWED = 1, /* its expiry moved */
	REGISTERED_NEW = 2,     /* and the list covers more than before */
};

/*
 * What an observation does to the allowlist. failed: whether this source failed
 * before, as detector_failed() says. life: seconds that an entry lives
 * from the observation's own time on (or from now, where that is later); 0: none is
 * made. One that has most of it before it stays as it is. *entry is what was added or renewed; *gone (origin 0: none) an entry
 * of the same account, the oldest, that made room for it.
 */
enum registered registered_take(struct allowlist *a, struct allow_entry *entry,
	struct allow_entry *gone, const struct observation *o, enum failed failed,
	uint32_t life, uint32_t now);

/*
 * Whether a detection stands though the address is on the list as a phone's: the
 * address itself is proved to have done what its rule lets no phone do
 * (registered-too, rules.conf). A thief who never failed is on it as well. But an
 * account that was let in after wrong passwords, and had been let in from there
 * before them, is its owner's, with a new password.
 */
bool registered_overruled(const struct allow_entry *e, const struct detection *d);

#endif
