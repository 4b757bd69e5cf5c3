/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_SOURCE_H
#define DAEMON_CONFIG_SOURCE_H

#include "daemon/config_schema.h"
#include "sense/filter/filter.h"

/*
 * Sections that have a name: [source "pbx"]. There are as many as the operator
 * writes; their keys stand in the one table under the section "source", with
 * offsets into the first of them.
 */
#define CONFIG_SOURCE_SECTION "source"

/*
 * The name in a heading's text (`source "pbx"`). Returns 1; 0 when it is another
 * section; -1 with a text when the name is missing or unfit.
 */
int config_source_heading(struct view *name, struct view heading, struct error *err);

/*
 * The source of that name, made with its defaults when it is new; -1 with a text
 * when there are too many.
 */
int config_source_index(struct config *c, struct view name, struct error *err);

/* The key as it stands in the source number i. */
struct config_key config_source_key(const struct config_key *k, size_t i);

/* Whether a key belongs to such sections. */
static inline bool config_key_of_source(const struct config_key *k)
{
	return strcmp(k->section, CONFIG_SOURCE_SECTION) == 0;
}

/* Whether a key means something for a source of its type. */
static inline bool config_source_has(
	const struct config_source *s, const struct config_key *k)
{
	return !k->of || k->of & 1U << s->type;
}

/* "ami", ..., or NULL: there is no such enum config_source_type. */
const char *config_source_type_name(uint8_t type);

/* What the operator calls a source: source "NAME", as its heading has it. */
#define CONFIG_SOURCE_TITLE (sizeof((struct config_source *)0)->name + 10)
const char *config_source_title(
	char dst[CONFIG_SOURCE_TITLE], const struct config_source *s);

/*
 * What a source lacks or cannot have. at names the key to blame. 0, or -1 with a
 * text.
 */
int config_source_check(
	const struct config_source *s, const struct config_key **at, struct error *err);

/*
 * What is wrong with giving k, a key that its type does not have (see
 * config_source_has()), and what to do. -1, always.
 */
int config_source_strange(
	const struct config_source *s, const struct config_key *k, struct error *err);

/*
 * The filter of a source of type log, made for the place that its lines come
 * from. NULL with a text.
 */
struct filter *config_source_filter(const struct config_source *s, struct error *err);

/*
 * Load what sources of type log read, to see that it is right, and append each
 * error as a line "[source "x"] ...\n". Returns how many there are.
 */
unsigned config_sources_try(const struct config *c, struct buffer *errors);

/*
 * The secret, which is the first line of its file: a regular file of root or of
 * this process's user that nobody else can read. Returns its length (1 ..
 * size), or -1 with a text that names the file and the remedy. What was read
 * stands in dst alone.
 */
int config_source_secret(
	char *dst, size_t size, const struct config_source *s, struct error *err);

/* ADDRESS[:PORT] of a server. 0 or -1 with a text. */
int config_server_parse(struct config_server *out, struct view v, struct error *err);
int config_server_print(struct buffer *out, const struct config_server *s);

/* udp:ADDRESS[:PORT] or tcp:..., with the port that is usual. config_value.c */
int config_listen_parse(
	struct config_listen *out, struct view v, unsigned usual, struct error *err);

/* The same, or nothing. 0 or -1 with a text. */
int config_syslog_parse(struct config_listen *out, struct view v, struct error *err);

/* Addresses with blanks between them, or nothing. 0 or -1 with a text. */
int config_senders_parse(struct syslog_config *out, struct view v, struct error *err);
int config_senders_print(struct buffer *out, const struct syslog_config *s);

#endif
