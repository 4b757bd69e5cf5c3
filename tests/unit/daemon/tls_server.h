/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TLS_SERVER_H
#define TESTS_TLS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * An HTTPS server in a process of its own on 127.0.0.1, with a fresh key and a
 * certificate for `name` signed by itself, which is written to `certificate`.
 * It answers each request with 200 and "hello" until it is killed; it belongs to
 * the caller's process group. Returns its port, or 0 when it cannot be had.
 */
uint16_t tls_server_start(const char *name, const char *certificate);

#endif
