/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_API_OPEN_H
#define DAEMON_API_OPEN_H

#include "base/keccak.h"
#include "daemon/config.h"

/*
 * What the HTTP API needs and the sandbox of the role `node` keeps from it: the role
 * takes it before it is sealed, and the parent for it later, when it failed then or
 * may have become another. Of secrets the parent tells no more than their hashes.
 */
enum api_part {
	API_LISTENER = 1, /* the number-th [api] listen */
	API_TOKEN,        /* the secret_file of the number-th [token] */
	API_CERTIFICATE,  /* [api] tls_certificate; number 0 */
};

/*
 * The listener of this number, bound and listening: a descriptor, the caller's; or -1
 * with a text that names it. A number that the configuration does not have is such a
 * failure, here and below.
 */
int api_listen(const struct config *c, unsigned number, struct error *err);

/*
 * The hash of a token's secret (http_secret_digest()), or of the certificate's file:
 * 0, or -1 with a text that names the file and the remedy.
 */
int api_digest(uint8_t digest[KECCAK_SIZE], const struct config *c, enum api_part part,
	unsigned number, struct error *err);

#endif
