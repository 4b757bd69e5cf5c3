/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_DEFINITION_H
#define SENSE_FILTER_DEFINITION_H

#include "sense/filter/conf.h"

/*
 * A filter as its configuration files define it: filter.d/NAME.conf with what
 * it includes, its .local overlays, and everything put in that stands in %(..)s
 * and <..>, but for the tags that belong to the expressions (<HOST>, <F-...>).
 */

/* The text of one option; text NULL: not given. */
struct definition_text {
	const char *text;
	const char *file; /* where the option was last set; NULL: as a parameter */
	unsigned line;
};

struct definition {
	struct pool pool; /* everything below lives in it */
	const char *name; /* "asterisk" */
	struct definition_text prefregex, failregex, ignoreregex, datepattern,
		journalmatch;
	unsigned maxlines; /* 1 when not given */
};

/* Folders that hold filters when a caller names none. */
extern const char *const definition_folders[];

/*
 * Load a filter. spec is "asterisk", "asterisk[mode=extra, logtype=short]" or
 * the same with a path ending in .conf. folders, NULL-terminated, are searched
 * in their order for NAME.conf; a NAME.local of any of them is laid over it,
 * and what a file includes is looked for beside it first, then in them.
 * journal: lines come from a journal (the automatic logtype). Returns 0, or -1
 * with a text that names file and line and nothing to free.
 */
int definition_load(struct definition *d, const char *spec, const char *const *folders,
	bool journal, struct error *err);
void definition_free(struct definition *d);

/*
 * Split "name[a=1, b="2"][c='3']" into its name and options, which are put into
 * `into`. Returns 0, or -1 with a text. Used by definition_load() and for the
 * same notation in jail.local.
 */
int definition_options(struct pool *pool, struct conf_section *into, const char **name,
	const char *spec, struct error *err);

/*
 * Read path, the files it includes and its .local into c, in fail2ban's order.
 * more: folders in which includes are looked for, too (may be NULL). Returns how
 * many files were read, or -1 with a text.
 */
int definition_read(
	struct conf *c, const char *path, const char *const *more, struct error *err);

#endif
