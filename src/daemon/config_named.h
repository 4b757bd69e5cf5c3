/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_NAMED_H
#define DAEMON_CONFIG_NAMED_H

#include "daemon/config_schema.h"

/*
 * Sections that have a name: [source "pbx"]. There are as many of a kind as the
 * operator writes, up to the kind's most; their keys stand in the one table of
 * keys under the kind's section, with offsets into the first of them.
 */
struct config_named {
	const char *section; /* "source" */
	const char *noun;    /* "a source", for messages */
	const char *example; /* a name to show: "pbx" */
	size_t offset;       /* in struct config, of the array */
	size_t size;         /* of one */
	size_t count;        /* offset of its size_t count */
	unsigned most;
	/*
	 * What the types are for, by their value, for the sample file; NULL: the kind
	 * has no types, and the section's help says it all.
	 */
	const char *const *type_help;
	/*
	 * What one lacks or cannot have, whatever its type's keys are. at names the
	 * key to blame. 0, or -1 with a text.
	 */
	int (*check)(const void *one, const struct config_key **at, struct error *err);
};

/* What each struct of such a section begins with. */
struct config_named_head {
	char name[33];
	uint8_t type; /* of a kind with types; 0: not given */
};

extern const struct config_named config_named[];
extern const size_t config_named_count;

/* How many there can be of all kinds together. */
#define CONFIG_NAMED_MAX 128

/*
 * The kind and the name in a heading's text (`source "pbx"`). Returns 1; 0 when
 * it is another section; -1 with a text when the name is missing or unfit.
 */
int config_named_heading(const struct config_named **kind, struct view *name,
	struct view heading, struct error *err);

/*
 * The number of the one of that name, made with its defaults when it is new; -1
 * with a text when there are too many.
 */
int config_named_index(struct config *c, const struct config_named *kind,
	struct view name, struct error *err);

/* The number i of a kind, and how many there are. */
const struct config_named_head *config_named_at(
	const struct config *c, const struct config_named *kind, size_t i);
static inline size_t config_named_of(
	const struct config *c, const struct config_named *kind)
{
	return *(const size_t *)config_at_const(c, kind->count);
}

/* The kind of this section; NULL: its sections have no name. */
const struct config_named *config_named_find(const char *section);

/* The key as it stands in the number i of its kind. */
struct config_key config_named_key(
	const struct config_named *kind, const struct config_key *k, size_t i);

/* Whether a key belongs to this kind. */
static inline bool config_key_of(
	const struct config_named *kind, const struct config_key *k)
{
	return strcmp(k->section, kind->section) == 0;
}

/* Whether it belongs to any kind. */
static inline bool config_key_is_named(const struct config_key *k)
{
	return config_named_find(k->section) != NULL;
}

/* Whether a key means something for one of its type. */
static inline bool config_named_has(
	const struct config_named_head *one, const struct config_key *k)
{
	return !k->of || k->of & 1U << one->type;
}

/* What the operator calls it: source "NAME", as its heading has it. Returns dst. */
#define CONFIG_NAMED_TITLE (sizeof((struct config_named_head *)0)->name + 20)
const char *config_named_title(char dst[CONFIG_NAMED_TITLE],
	const struct config_named *kind, const struct config_named_head *one);

/* "ami", ..., or NULL: the kind has no such type. */
const char *config_named_type(const struct config_named *kind, uint8_t type);

/* "is missing; write type = a or b". -1, always. */
int config_named_typeless(
	const struct config_named *kind, const struct config_key **at, struct error *err);

/*
 * What is wrong with giving k, a key that its type does not have (see
 * config_named_has()), and what to do. -1, always.
 */
int config_named_strange(const struct config_named *kind,
	const struct config_named_head *one, const struct config_key *k,
	struct error *err);

#endif
