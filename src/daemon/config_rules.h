/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_RULES_H
#define DAEMON_CONFIG_RULES_H

#include "daemon/config_schema.h"

/*
 * The detector's rules as [detect] rules names them: a file that is read with
 * the configuration. The roles are confined before they could open it, and get
 * its lines instead, as values of a key that nobody else is shown.
 */

/* [detect] rules: read the file; an empty path: none. 0 or -1. */
int config_rules_file(struct config *c, const struct config_key *k, struct view path,
	struct error *err);

/* [detect] rules_line: one more line of it. 0 or -1. */
int config_rules_line(struct config *c, struct view line, struct error *err);

/* The lines as values of rules_line, without empty ones and comments. */
int config_rules_print(struct buffer *out, const struct config *c);

/*
 * When all is read: the rules into c->detect.more, and the thresholds of what
 * weighs together where the configuration gives none (given(context, kind)).
 * Appends each error as a line. Returns how many there were.
 */
unsigned config_rules_apply(struct config *c, struct buffer *errors,
	bool (*given)(const void *context, uint8_t kind), const void *context);

void config_rules_free(struct config *c);

#endif
