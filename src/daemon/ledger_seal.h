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

/*
 * Whether a file that names are resolved by was replaced since (a new lease, a
 * new network): Landlock knows files and not their names, so this process can
 * read the new one only after it was started anew.
 */
bool ledger_seal_stale(void);

#endif
