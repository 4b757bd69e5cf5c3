/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_STAMP_H
#define SENSE_HONEYPOT_STAMP_H

#include <nettle/hmac.h>

#include "base/clock.h"
#include "indicator/address.h"

/*
 * Nonces and To-tags that nobody but their receiver can know, without keeping any:
 * HMAC-SHA256 over what they are for, whom they were given to, and when. How they
 * look is a profile's template:
 *
 *   {time}    the time in seconds, decimal; {time8}: as eight hex digits
 *   {macN}    the next N hex digits of the HMAC, at most 64 together; {MACN}: in
 *             capitals
 *   {alnumN}  N letters and digits of it, each from a byte
 *
 * A template without time is tried for the minutes that it may be from.
 *
 * Each hour has a key of its own, an HMAC of the hour under the one that was given, and
 * the last hour's is still known. So a process that is started anew with the same key
 * knows what was given before.
 */
#define STAMP_TEXT_MAX 80 /* with NUL */

#define NONCE_LIFE (600 * USEC_PER_SEC)
#define TAG_LIFE   (240 * USEC_PER_SEC) /* in whole minutes */

struct stamp_keys {
	struct hmac_sha256_ctx given;
	struct hmac_sha256_ctx now, before; /* of this hour and the last one */
	uint64_t hour;                      /* of `now` */
};

enum stamp_purpose {
	STAMP_NONCE = 1,
	STAMP_REFUSAL = 2, /* To-tag of a 3xx to 6xx */
	STAMP_ACCEPT = 3,  /* To-tag of a 1xx, 2xx */
};

/* key is 32 random bytes. */
void stamp_keys_begin(struct stamp_keys *k, const uint8_t key[32], usec now);

/* Take the keys of another hour, if it is one. To be called with each message's time. */
void stamp_keys_turn(struct stamp_keys *k, usec now);

/*
 * Whether a template is of use: known placeholders, at least 64 bits of the HMAC,
 * fits. Returns 0 or -1 with a text.
 */
int stamp_template_check(const char *template, struct error *err);

/*
 * Write the text for this address; scope is what it is bound to besides (a nonce's
 * realm, a tag's Call-ID). Returns its length.
 */
size_t stamp_make(const struct stamp_keys *k, char dst[STAMP_TEXT_MAX],
	const char *template, enum stamp_purpose purpose, const struct address *a,
	struct view scope, usec now);

/* One nonce in two forms, both with a time: at the price of one. */
void stamp_make_nonces(const struct stamp_keys *k, char *const dst[2],
	const char *const templates[2], const struct address *a, struct view scope,
	usec now);

enum stamp_verdict {
	STAMP_FOREIGN = 0, /* not ours, or not given to this address */
	STAMP_EXPIRED,     /* ours, and too old */
	STAMP_OURS,
};

/*
 * Whether text was made so for this address. *issued (may be NULL) is then when: the
 * second of a template with time, else the minute. Takes the same time wherever they differ.
 */
enum stamp_verdict stamp_check(const struct stamp_keys *k, struct view text,
	const char *template, enum stamp_purpose purpose, const struct address *a,
	struct view scope, usec now, usec *issued);

#endif
