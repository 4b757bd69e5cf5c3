/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_START_H
#define DAEMON_START_H

#include "daemon/roles.h"

#define CONFIG_PATH "/etc/sipchain/sipchain.conf"

/*
 * The daemon's whole main(): arguments, configuration, supervision; or, as
 * `--role NAME`, one role's process. roles is indexed by enum role
 * (ROLE_PARENT's place is NULL). Returns the exit code: 0; 1 failure at run
 * time; 2 usage; 78 configuration.
 */
int daemon_start(int argc, char **argv, role_fn *const roles[ROLE_COUNT]);

#endif
