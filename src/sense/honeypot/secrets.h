/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_SECRETS_H
#define SENSE_HONEYPOT_SECRETS_H

#include "base/bytes.h"

/*
 * Overwrite with '*' what is secret in a copy of n bytes that came from a stranger, SIP
 * or not:
 *   - of Digest credentials all but username, realm, nonce, uri, algorithm, qop, nc and
 *     opaque; any other credentials of Authorization and Proxy-Authorization whole
 *   - the password of a URI (sip:user:PASSWORD@host, http://user:PASSWORD@host), wherever
 *     it stands but in Via and Call-ID
 *   - the guess in svcrack's tag, which is in From, and in To of what is asked in return
 *   - of what is no SIP, but not looked for in what is: Cookie, Password and Secret
 *     headers whole; the value of password=, passwd=, pwd=, pass= and secret=
 * Rather too much than too little: what only looks like a password is overwritten too.
 */
void secrets_mask(uint8_t *p, size_t n);

/*
 * Whether a header's value may hold a URI's password, or a From svcrack's guess: quickly,
 * and true rather too often.
 */
bool secrets_may_be(struct view value);
bool secrets_tag_may_be(struct view from);

#endif
