/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_ROLE_H
#define DAEMON_ROLE_H

#include <stdbool.h>

/* The processes of DESIGN section 4. */
enum role {
	ROLE_PARENT = 0,
	ROLE_SENSE = 1,
	ROLE_NODE = 2,
	ROLE_LEDGER = 3,
	ROLE_ENFORCE = 4,
	ROLE_DELIVER = 5, /* runs only when there is a [webhook "name"] */
	ROLE_COUNT
};

/* "parent", "sense", "node", "ledger", "enforce", "deliver"; "?" for anything else. */
const char *role_name(enum role role);

/* The role of that name (not "parent"), or -1. */
int role_parse(const char *name);

/* Whether the two roles hold a link: node with each of the others. */
bool role_linked(enum role a, enum role b);

#endif
