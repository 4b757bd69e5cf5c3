/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_STATE_H
#define SENSE_FILTER_STATE_H

#include "base/buffer.h"
#include "sense/filter/date_detect.h"
#include "sense/filter/definition.h"
#include "sense/filter/filter.h"
#include "sense/filter/multiline.h"
#include "sense/filter/scan.h"

/* What filter*.c share. */

#define NAMES_MAX   64 /* groups' names of one filter */
#define USERS_MAX   16 /* of one connection; further ones are not told apart */
#define PENDING_MAX 100
#define PENDING_FOR (300 * USEC_PER_SEC)

/* The names that mean something to fail2ban. */
enum filter_name {
	NAME_IP4 = 0,
	NAME_IP6,
	NAME_DNS,
	NAME_CIDR,
	NAME_FID,
	NAME_USER,
	NAME_MLFID,
	NAME_NOFAIL,
	NAME_MLFGAINED,
	NAME_MLFFORGET,
	NAME_CONTENT,
	NAME_FPORT,
	NAME_COUNT,
};

/* The values of the groups of one match, and what was merged into them. */
struct filter_fail {
	uint64_t set; /* bit by name */
	struct view value[NAMES_MAX];
	bool pending;
	unsigned matches, nofail_matches; /* lines */
	unsigned users;
	struct view user[USERS_MAX];
};

static inline bool fail_has(const struct filter_fail *f, unsigned name)
{
	return f->set >> name & 1;
}

/* As Python's truth: there, and not empty. */
static inline bool fail_is(const struct filter_fail *f, unsigned name)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): it has one */
	return fail_has(f, name) && f->value[name].n;
}

/* A connection (<F-MLFID>) of which something is known. Its views are its own. */
struct connection {
	struct connection *next; /* oldest first */
	usec until;
	char *id;
	size_t id_n;
	struct filter_fail fail;
};

/* One expression and where its groups go. */
struct filter_expression {
	struct expression *expression;
	char *shown; /* as it stands in the filter, tags and all */
	uint64_t hits;
	unsigned groups;
	uint8_t *name; /* by group; NAMES_MAX: none */
	struct alternate {
		uint8_t from, to; /* alt_user_1 -> user */
	} * alternates;
	unsigned alternates_count;
};

struct filter {
	struct filter_settings settings;
	struct definition definition;
	struct filter_expression *prefix; /* NULL: none */
	struct filter_expression *fail, *ignore;
	unsigned fail_count, ignore_count;
	const char *names[NAMES_MAX];
	unsigned names_count;
	struct scan *scan; /* NULL: every line is looked at */
	struct date_detector *dates;
	struct multiline *lines; /* NULL with maxlines = 1 */
	struct filter_figures figures;
	/* the last date */
	bool dated;
	usec last;
	/* scratch, grown as needed and kept */
	struct buffer repaired, text, content;
	struct connection *pending, *dropped;
	unsigned pending_count;
};

/* connection.c */

/*
 * Merge one line's values with what is known of their connection (fail's
 * <F-MLFID>), as fail2ban's _mergeFailure(). lines is how many it matched.
 * Returns the values to go on with: fail itself, or the connection's.
 */
struct filter_fail *connection_merge(
	struct filter *f, struct filter_fail *fail, unsigned lines, usec now);

/* Free connections that a line ended; and all. */
void connections_sweep(struct filter *f);
void connections_free(struct filter *f);

#endif
