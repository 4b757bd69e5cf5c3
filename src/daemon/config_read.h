/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_READ_H
#define DAEMON_CONFIG_READ_H

#include "daemon/config_named.h"

/* Reading a configuration, as config.c and config_read.c share it. */
#define FILES_MAX 256

/* Where a key, or a section's heading, was given. */
struct given {
	const char *file; /* NULL: not given */
	unsigned line;
};

/* A section with a name, and what was given in it. */
struct named {
	const struct config_named *kind;
	size_t index; /* of its kind */
	bool wrong;   /* holds a line that was told already */
	struct given heading;
	struct given given[CONFIG_KEYS_MAX];
};

struct reading {
	struct config *config;
	struct buffer *errors;
	unsigned error_count;
	const char *file; /* being read */
	unsigned line;    /* of it, from 1 */
	struct view rest; /* of its text */
	bool skip;        /* inside an unknown section, which was told already */
	bool in_section;
	bool partial; /* required keys may be absent */
	struct given given[CONFIG_KEYS_MAX];
	struct given headings[CONFIG_KEYS_MAX];
	struct named *named; /* CONFIG_NAMED_MAX of them, those that came */
	size_t named_count;
	struct named *in;       /* inside this one; NULL: inside none */
	char *names[FILES_MAX]; /* what the given point to */
	size_t names_count;
};

/*
 * Begin: the defaults stand in r->config, which with r->errors and r->partial is
 * set already. false: no memory, which is told.
 */
bool config_begin(struct reading *r, const char *name);

/* Read the text of one file, whose name is copied. */
void config_feed(struct reading *r, const char *name, struct view text);

/* Append one "file:line: text" to the errors. */
void config_complain(struct reading *r, const char *file, unsigned line, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

/*
 * Required keys and rules between keys; then the end of the reading. 0, or -1 when
 * anything was told; the configuration is freed then.
 */
int config_finish(struct reading *r);

#endif
