/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_HONEYPOT_H
#define DAEMON_CONFIG_HONEYPOT_H

#include "daemon/config_schema.h"
#include "sense/honeypot/honeypot.h"

/* The types that only [honeypot] has: as config_value_parse() and _print(). */
int config_honeypot_parse(struct config *c, const struct config_key *k, struct view value,
	struct error *err);
int config_honeypot_print(
	struct buffer *out, const struct config *c, const struct config_key *k);

/*
 * What contradicts itself: two sockets for one port, here or in [hep], half a
 * certificate. As config_cross_check().
 */
int config_honeypot_check(
	const struct config *c, const struct config_key **at, struct error *err);

/*
 * The profile and the tools that the configuration names, from its files or built
 * in; free(3) both. Returns 0; or the number of lines "[honeypot] key: ...\n" or
 * "file:line: ...\n" that were appended to errors, nothing to be freed.
 */
struct config_honeypot_files {
	struct honeypot_profile *profile;
	struct honeypot_tools *tools; /* NULL: the built-in ones */
};
unsigned config_honeypot_files(struct config_honeypot_files *out,
	const struct config_honeypot *c, struct buffer *errors);

/* Load them, to see that they are right. Returns how many errors there are. */
unsigned config_honeypot_try(const struct config *c, struct buffer *errors);

#endif
