/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_ACCOUNTS_H
#define SENSE_AMI_ACCOUNTS_H

#include "base/hash.h"
#include "sense/observation.h"

/*
 * Who calls from where: Newchannel names the endpoint and what it dialled, but
 * no address; the SuccessfulAuth of the INVITE, which comes milliseconds before,
 * names endpoint and address. Pure, of fixed size: a place is taken over by
 * another account whose name falls there, and only those that know a password
 * get in.
 */
#define AMI_ACCOUNTS 1024

/* Most time between a success and the channel that it opened. */
#define AMI_CALL_WITHIN (3 * USEC_PER_SEC)

struct ami_accounts;

/* NULL when memory is short. */
struct ami_accounts *ami_accounts_new(struct hash_key key);
void ami_accounts_free(struct ami_accounts *a);

/*
 * An account authenticated with its password: keep where from. now: when the
 * event arrived, by the caller's clock; others are ignored.
 */
void ami_accounts_success(struct ami_accounts *a, const struct observation *o, usec now);

/*
 * The observation (OBSERVED_CALL) of a call by an endpoint, or false when it did
 * not authenticate just before: a trunk, or a gap.
 */
bool ami_accounts_call(struct ami_accounts *a, struct observation *o,
	struct view endpoint, struct view dialled, usec now);

#endif
