/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_NFT_NAMESPACE_H
#define TESTS_NET_NFT_NAMESPACE_H

#include "base/error.h"

/*
 * Move this process into a network namespace of its own, in which it has
 * CAP_NET_ADMIN: inside a new user namespace, which any user may make, or,
 * where those are switched off, with root's privilege. Nothing of the host's
 * network is seen or changed. The loopback interface is up. Returns 0, or -1
 * with a text that says why there can be none.
 */
int namespace_enter(struct error *err);

/*
 * Give the loopback interface an address ("198.51.100.0/24" makes all 256
 * local, IPv6 only the one). Aborts the test program when refused.
 */
void namespace_address(const char *prefix);

/* Set the loopback interface's MTU. Aborts likewise. */
void namespace_mtu(int mtu);

#endif
