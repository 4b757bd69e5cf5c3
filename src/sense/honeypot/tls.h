/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_TLS_H
#define SENSE_HONEYPOT_TLS_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * TLS 1.2 and 1.3 for the honeypot's listeners, by OpenSSL. No session is kept
 * or resumed, nothing is renegotiated, no certificate is asked for. Everything
 * that is read from files is read by honeypot_tls_new().
 */
struct honeypot_tls; /* what all connections share */
struct tls_connection;

/*
 * A certificate chain and its private key, PEM. NULL with a text that names the
 * file and the remedy.
 */
struct honeypot_tls *honeypot_tls_new(
	const char *certificate, const char *key, struct error *err);

/*
 * The same from FOLDER/honeypot.pem, which holds a certificate that signs itself
 * and its key (P-256, ten years) and is made when it is not there, for `name`,
 * readable by nobody but who makes it. NULL with a text.
 */
struct honeypot_tls *honeypot_tls_own(
	const char *folder, const char *name, struct error *err);
void honeypot_tls_free(struct honeypot_tls *t);

/*
 * A connection on a non-blocking socket, which stays the caller's and must be
 * closed after tls_free(). NULL when memory is short.
 */
struct tls_connection *tls_open(struct honeypot_tls *t, int fd);
void tls_free(struct tls_connection *c);

/* Most bytes that a client may send before the handshake is done. */
#define TLS_HELLO_MAX 20000

/*
 * As read(2) and write(2) on a non-blocking socket, the handshake included: n
 * bytes; 0 at the end; -1 with errno EAGAIN when there is nothing to do until
 * the socket is readable, or writable (tls_wants_write()), EPROTO for what is
 * not TLS as it should be.
 */
ssize_t tls_read(struct tls_connection *c, void *dst, size_t n);
ssize_t tls_write(struct tls_connection *c, const void *src, size_t n);

/* Whether the last call stopped because the socket takes nothing now. */
bool tls_wants_write(const struct tls_connection *c);

/* Whether the handshake is done. */
bool tls_is_open(const struct tls_connection *c);

/* Whether bytes are decrypted already, which the socket does not show. */
bool tls_has_more(const struct tls_connection *c);

/* Say goodbye, as far as the socket takes it at once. */
void tls_goodbye(struct tls_connection *c);

#endif
