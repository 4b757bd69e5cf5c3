/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_NEAREST_H
#define DAEMON_CONFIG_NEAREST_H

struct config_key;

/* The known section that an unknown name is a slip of, or NULL. */
const char *config_nearest_section(const char *name);

/*
 * The known key of that section that an unknown name is a slip of; else a key
 * of just this name in another section; else NULL.
 */
const struct config_key *config_nearest_key(const char *section, const char *name);

#endif
