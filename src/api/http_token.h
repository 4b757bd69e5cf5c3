/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_TOKEN_H
#define API_HTTP_TOKEN_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/keccak.h"

/*
 * The tokens that requests are authorised by. Of a secret only its hash is kept;
 * what a request presents is hashed and compared with every token's in a time
 * that does not depend on either. Pure.
 */
#define HTTP_TOKENS_MAX 16
#define HTTP_SECRET_MIN 16 /* bytes */
#define HTTP_SECRET_MAX 256

enum http_right {
	HTTP_READ = 1,
	HTTP_REPORT = 2,
};

struct http_token {
	char name[33];
	uint8_t digest[KECCAK_SIZE];
	unsigned rights; /* enum http_right */
	uint8_t proof;   /* the class of its reports: PROOF_MANUAL, PROOF_LOG */
	uint32_t rate;   /* reports a minute; 0: no limit */
	double left;     /* of that, in hand */
	usec counted;    /* when left was; monotonic; 0: never */
};

/* The hash of a secret. */
void http_secret_digest(uint8_t out[KECCAK_SIZE], struct view secret);

/*
 * The secret that a "Bearer SECRET" header presents; n == 0: it is none (RFC 6750
 * 2.1, the scheme's case does not matter).
 */
struct view http_bearer(struct view header);

/* The token whose secret this is, or NULL. Every one of them is compared. */
struct http_token *http_token_find(
	struct http_token *tokens, size_t count, struct view secret);

/*
 * Take `reports` out of the token's rate: a bucket that holds a minute's. Returns 0;
 * seconds to wait until there are as many; or -1 when there never will be.
 */
long http_token_spend(struct http_token *t, unsigned reports, usec now);

#endif
