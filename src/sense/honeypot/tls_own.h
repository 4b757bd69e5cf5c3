/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_TLS_OWN_H
#define SENSE_HONEYPOT_TLS_OWN_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/error.h"

/* A certificate that signs itself, for an operator who has none. */
#define TLS_OWN_FILE "honeypot.pem"

struct tls_own {
	X509 *certificate;
	EVP_PKEY *key;
};

/*
 * Read FOLDER/honeypot.pem, or make it for `name` when there is none: of mode
 * 0600, never through a link, whole or not at all. Returns 0 or -1 with a text;
 * free with tls_own_free().
 */
int tls_own_get(
	struct tls_own *out, const char *folder, const char *name, struct error *err);
void tls_own_free(struct tls_own *o);

/* What OpenSSL last complained about; clears it. */
const char *tls_reason(void);

#endif
