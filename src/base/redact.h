/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/bytes.h"

/*
 * Text from a peer or a library that may repeat a secret: each secret that is known is
 * replaced by "***", then everything is escaped and cut to fit.
 */
struct redaction;

/* No secrets yet; NULL when memory is short. What is added is borrowed. */
struct redaction *redaction_new(void);
/* Wipes it. NULL is nothing. */
void redaction_free(struct redaction *r);

/* One secret. Under three bytes it keeps nothing secret, and is left out. */
void redaction_add(struct redaction *r, struct view secret);

/*
 * The parts of text between any of the delimiters, as they stand and with %XX decoded;
 * parts under six bytes are words such as "rpc" and are left out.
 */
void redaction_add_parts(struct redaction *r, struct view text, const char *delimiters);

/* "USER:PASSWORD", its halves, and what a Basic header makes of it. */
void redaction_add_credentials(struct redaction *r, struct view pair);

/*
 * A URL's user and password and, when asked, what follows its host: whole, in parts,
 * as it stands and decoded. What is no URL adds nothing.
 */
void redaction_add_url(struct redaction *r, const char *url, bool path);

/* Every word of letters, digits, '-', '_' and '.' that begins so; one such start. */
void redaction_add_start(struct redaction *r, const char *start);

/*
 * text without those secrets, in dst[size], size >= 8; r == NULL (no memory): "***"
 * alone. Returns dst.
 */
char *redaction_apply(
	char *dst, size_t size, const struct redaction *r, struct view text);

/* text without what redaction_add_url() adds of this URL, path too. Returns dst. */
char *url_redact(char *dst, size_t size, const char *url, struct view text);

#endif
