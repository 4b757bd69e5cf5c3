/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_LISTEN_H
#define API_HTTP_LISTEN_H

#include "base/error.h"
#include "indicator/address.h"

/*
 * A TCP socket, listening, not blocking; IPv6 ones take no IPv4. fd, or -1 with a
 * text. (Unix sockets: control_listen().)
 */
int http_listen(const struct address *address, uint16_t port, struct error *err);

#endif
