/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_SOURCE_H
#define DAEMON_CONFIG_SOURCE_H

#include "daemon/config_named.h"
#include "sense/filter/filter.h"

#define CONFIG_SOURCE_SECTION "source"

/* "ami", ..., or NULL: there is no such enum config_source_type. */
const char *config_source_type_name(uint8_t type);

/* What the operator calls a source: source "NAME", as its heading has it. */
#define CONFIG_SOURCE_TITLE CONFIG_NAMED_TITLE
const char *config_source_title(
	char dst[CONFIG_SOURCE_TITLE], const struct config_source *s);

/*
 * What a source lacks or cannot have; see struct config_named. one: a struct
 * config_source. 0, or -1 with a text.
 */
int config_source_check(const void *one, const struct config_key **at, struct error *err);

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

/* As one writes it. Returns as buffer_put(). config_honeypot.c */
int config_listen_print(struct buffer *out, const struct config_listen *l);

/* The same, or nothing. 0 or -1 with a text. */
int config_syslog_parse(struct config_listen *out, struct view v, struct error *err);

/* Addresses with blanks between them, or nothing. 0 or -1 with a text. */
int config_senders_parse(struct syslog_config *out, struct view v, struct error *err);
int config_senders_print(struct buffer *out, const struct syslog_config *s);

#endif
