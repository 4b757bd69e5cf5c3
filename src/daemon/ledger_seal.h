/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_LEDGER_SEAL_H
#define DAEMON_LEDGER_SEAL_H

#include "daemon/config.h"

/*
 * Seal the role `ledger` by its configuration: its file's folder stays within
 * reach; with type = ethereum also the endpoints' TCP ports, DNS, and what
 * resolving a name and checking a certificate read. Returns 0, or -1 with a
 * text, after which the process must exit.
 */
int ledger_seal(const struct config *config, struct error *err);

#endif
