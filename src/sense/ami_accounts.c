/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_accounts.h"

#include <stdlib.h>

struct place {
	usec arrived; /* 0: empty */
	struct observation success;
};

struct ami_accounts {
	struct hash_key key;
	struct place places[AMI_ACCOUNTS];
};

struct ami_accounts *ami_accounts_new(struct hash_key key)
{
	struct ami_accounts *a = calloc(1, sizeof *a);

	if (a)
		a->key = key;
	return a;
}

void ami_accounts_free(struct ami_accounts *a)
{
	free(a);
}

static struct place *place_of(struct ami_accounts *a, const char *account)
{
	return &a->places[hash_bytes(&a->key, account, strlen(account)) % AMI_ACCOUNTS];
}

void ami_accounts_success(struct ami_accounts *a, const struct observation *o, usec now)
{
	struct place *p;

	if (o->kind != OBSERVED_AUTH_OK || o->proof != PROOF_AUTH || !o->account[0])
		return;
	p = place_of(a, o->account);
	p->arrived = now;
	p->success = *o;
}

bool ami_accounts_call(struct ami_accounts *a, struct observation *o,
	struct view endpoint, struct view dialled, usec now)
{
	char account[sizeof o->account];
	const struct place *p;

	/* The same cut that the success's account had. */
	view_copy(account, sizeof account, endpoint);
	p = place_of(a, account);
	if (!p->arrived || strcmp(p->success.account, account) != 0 || now < p->arrived ||
		now - p->arrived > AMI_CALL_WITHIN)
		return false;
	*o = p->success;
	o->kind = OBSERVED_CALL;
	view_copy(o->dialled, sizeof o->dialled, dialled);
	return true;
}
