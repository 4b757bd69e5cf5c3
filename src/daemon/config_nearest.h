/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_NEAREST_H
#define DAEMON_CONFIG_NEAREST_H

#include <stdbool.h>

struct config_key;

/* What *best of name_nearer() starts from: nothing is near. */
#define NEAREST_NONE 64

/*
 * Whether name may be a slip of candidate, and nearer than what *best says; it
 * is *best then. For loops over known names, of commands and options too.
 */
bool name_nearer(const char *name, const char *candidate, unsigned *best);

/* The known section that an unknown name is a slip of, or NULL. */
const char *config_nearest_section(const char *name);

/*
 * The known key of that section that an unknown name is a slip of; else a key
 * of just this name in another section; else NULL.
 */
const struct config_key *config_nearest_key(const char *section, const char *name);

#endif
