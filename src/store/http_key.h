/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_HTTP_KEY_H
#define STORE_HTTP_KEY_H

#include "store/store.h"

/*
 * Answers that were given under an Idempotency-Key: whoever asks again with the
 * same key, because he did not hear the answer, gets that answer and nothing is
 * done twice. A key is its owner's (a token's name); it is kept for a day, and an
 * owner's HTTP_KEYS_MOST newest, or a few more.
 */
#define HTTP_KEY_MAX     128
#define HTTP_KEYS_MOST   10000
#define HTTP_KEY_SECONDS 86400
#define HTTP_DIGEST      32

/*
 * The answer that owner was given under key: its status and text into *answer,
 * allocated (the caller frees). Returns 1; 0 when there is none; 2 when the key was
 * used for another request (digest differs); -1 with a text.
 */
int http_key_get(struct store *s, const char *owner, const char *key,
	const uint8_t digest[HTTP_DIGEST], uint64_t now, unsigned *status, char **answer,
	struct error *err);

/*
 * Keep an answer, in the transaction of what was done. Forgets what is too old.
 * Returns 0, or -1 with a text.
 */
int http_key_put(struct store *s, const char *owner, const char *key,
	const uint8_t digest[HTTP_DIGEST], uint64_t now, unsigned status,
	const char *answer, struct error *err);

#endif
