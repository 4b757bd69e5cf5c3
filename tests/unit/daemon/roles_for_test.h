/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ROLES_FOR_TEST_H
#define TESTS_ROLES_FOR_TEST_H

#include "daemon/roles.h"

/*
 * Roles that do nothing but speak with one another and tell on standard error
 * what happens to them, in lines that begin with "T role". They seal
 * themselves for real. [node] name says how to behave:
 *
 *   crash-ROLE    exits 1 at once
 *   config-ROLE   refuses its configuration at the start
 *   refuse-ROLE   refuses a reload
 *   again-ROLE    asks to be started anew after a reload, when a second old
 *   stubborn-ROLE does not stop
 *   rogue-ROLE    sends the parent what is not for it, on its first start
 *   broken-ROLE   sends the parent bytes that are no message, likewise
 *   closing-ROLE  closes its pair to the parent, likewise
 */
extern role_fn *const roles_for_test[ROLE_COUNT];

#endif
