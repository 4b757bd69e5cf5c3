/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_API_OPEN_H
#define DAEMON_API_OPEN_H

#include "daemon/config.h"

/*
 * What the HTTP API needs and the sandbox of the role `node` keeps from it: the role
 * opens it before it is sealed, and the parent for it later, when it failed then or
 * may have become another.
 */
enum api_part {
	API_LISTENER = 1, /* the number-th [api] listen: bound, listening */
	API_TOKEN,        /* the secret_file of the number-th [token] */
	API_CERTIFICATE,  /* [api] tls_certificate; number 0 */
	API_KEY,          /* [api] tls_key; number 0 */
};

/*
 * A descriptor of it, the caller's; or -1 with a text that names the file or address
 * and the remedy. A number that the configuration does not have is such a failure.
 */
int api_open(
	const struct config *c, enum api_part part, unsigned number, struct error *err);

#endif
