/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_SERVER_H
#define TESTS_ETHEREUM_SERVER_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "base/buffer.h"

/*
 * A server on loopback in threads of its own, whose every byte the test says:
 * one call of serve a connection. TLS with a certificate when it has one.
 */
struct peer {
	int fd;
	SSL *ssl;
	struct server *server;
	struct buffer request; /* of peer_request(): head and body */
	size_t head;           /* its length, with the empty line */
};

typedef void serve_fn(struct peer *p, void *context);

struct server {
	serve_fn *serve;
	void *context;
	int fd;
	unsigned port;
	SSL_CTX *tls;
	atomic_uint connections; /* so far */
	atomic_uint open, most_open;
	unsigned long thread;
	char seen[8192]; /* the last request's head, for a look after the reply */
};

/*
 * context goes to serve as it is. certificate, key: files, or NULL for plain TCP.
 * Aborts when it cannot.
 */
struct server *server_start(
	serve_fn *serve, const void *context, const char *certificate, const char *key);

/* Ends connections and threads. */
void server_stop(struct server *s);

/* Bytes, or <= 0 at the end. */
long peer_read(struct peer *p, void *dst, size_t n);

/* Everything, or -1. */
int peer_write(struct peer *p, const void *src, size_t n);
int peer_printf(struct peer *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The next HTTP request, whole (its head is copied to server->seen). Returns 0,
 * or -1 at the end of the connection.
 */
int peer_request(struct peer *p);

/* The "id" of that request's body; 0 when there is none. */
unsigned long peer_id(const struct peer *p);

/* A reply with Content-Length. status: "200 OK"; extra: header lines or "". */
int peer_reply(struct peer *p, const char *status, const char *extra, const char *body);

/* {"jsonrpc":"2.0","id":ID,"result":RESULT} for the request at hand. */
int peer_result(struct peer *p, const char *result);

/* Wait (at most 10 s) until the other side closes. */
void peer_wait(struct peer *p);

#endif
