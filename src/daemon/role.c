/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/role.h"

#include <string.h>

static const char *const names[ROLE_COUNT] = {
	[ROLE_PARENT] = "parent",
	[ROLE_SENSE] = "sense",
	[ROLE_NODE] = "node",
	[ROLE_LEDGER] = "ledger",
	[ROLE_ENFORCE] = "enforce",
	[ROLE_DELIVER] = "deliver",
};

const char *role_name(enum role role)
{
	if ((unsigned)role >= ROLE_COUNT)
		return "?";
	return names[role];
}

int role_parse(const char *name)
{
	for (int i = ROLE_SENSE; i < ROLE_COUNT; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

bool role_linked(enum role a, enum role b)
{
	if (a <= ROLE_PARENT || b <= ROLE_PARENT || a >= ROLE_COUNT || b >= ROLE_COUNT)
		return false;
	return (a == ROLE_NODE) != (b == ROLE_NODE);
}
