/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/tls.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/escape.h"
#include "sense/honeypot/tls_own.h"

struct honeypot_tls {
	SSL_CTX *context;
};

struct tls_connection {
	SSL *ssl;
	int want; /* SSL_ERROR_WANT_READ or _WRITE: why it last stopped */
};

static struct honeypot_tls *tls_make(struct error *err)
{
	struct honeypot_tls *t = calloc(1, sizeof *t);

	if (t)
		t->context = SSL_CTX_new(TLS_server_method());
	if (!t || !t->context ||
		!SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION)) {
		honeypot_tls_free(t);
		error_set(err, "TLS cannot be set up: %s", tls_reason());
		return NULL;
	}
	SSL_CTX_set_options(t->context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Buffers only while bytes pass: 10,000 that say nothing must not cost 34 KiB each. */
	SSL_CTX_set_mode(t->context,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(t->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(t->context, 0);
	SSL_CTX_set_verify(t->context, SSL_VERIFY_NONE, NULL);
	return t;
}

const char *tls_reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	return text ? text : "out of memory";
}

/* Whether key and certificate are there and belong together. Returns 0 or -1. */
static int check_pair(struct honeypot_tls *t, const char *certificate, const char *key,
	struct error *err)
{
	const char *name = escaped(view_str(certificate));

	if (SSL_CTX_use_certificate_chain_file(t->context, certificate) != 1)
		return error_set(err,
			"certificate %s: %s; it must be a file of PEM with the certificate "
			"first, which the user that starts sipchaind may read",
			name, tls_reason());
	if (SSL_CTX_use_PrivateKey_file(t->context, key, SSL_FILETYPE_PEM) != 1)
		return error_set(err,
			"key %s: %s; it must be a file of PEM with the private key of "
			"certificate %s and no password",
			escaped(view_str(key)), tls_reason(), name);
	return 0;
}

struct honeypot_tls *honeypot_tls_new(
	const char *certificate, const char *key, struct error *err)
{
	struct honeypot_tls *t = tls_make(err);

	if (t && check_pair(t, certificate, key, err)) {
		honeypot_tls_free(t);
		return NULL;
	}
	return t;
}

struct honeypot_tls *honeypot_tls_own(
	const char *folder, const char *name, struct error *err)
{
	struct honeypot_tls *t = tls_make(err);
	struct tls_own own;

	if (!t)
		return NULL;
	if (tls_own_get(&own, folder, name, err)) {
		honeypot_tls_free(t);
		return NULL;
	}
	if (SSL_CTX_use_certificate(t->context, own.certificate) != 1 ||
		SSL_CTX_use_PrivateKey(t->context, own.key) != 1) {
		error_set(err,
			"%s/" TLS_OWN_FILE ": %s; remove the file, and it is made "
			"anew",
			escaped(view_str(folder)), tls_reason());
		honeypot_tls_free(t);
		t = NULL;
	}
	tls_own_free(&own);
	return t;
}

void honeypot_tls_free(struct honeypot_tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

struct tls_connection *tls_open(struct honeypot_tls *t, int fd)
{
	struct tls_connection *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->ssl = SSL_new(t->context);
	if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1) {
		ERR_clear_error();
		tls_free(c);
		return NULL;
	}
	SSL_set_accept_state(c->ssl);
	return c;
}

void tls_free(struct tls_connection *c)
{
	if (!c)
		return;
	SSL_free(c->ssl); /* the socket BIO does not close what it was given */
	free(c);
}

/* What a call that moved no byte means; see tls_read(). */
static ssize_t stopped(struct tls_connection *c, int rc)
{
	int error = SSL_get_error(c->ssl, rc);

	c->want = error;
	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		/* A handshake may not be one endless greeting. */
		if (!SSL_is_init_finished(c->ssl) &&
			BIO_number_read(SSL_get_rbio(c->ssl)) > TLS_HELLO_MAX)
			errno = EPROTO;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		errno = EPROTO;
		return -1;
	}
}

ssize_t tls_read(struct tls_connection *c, void *dst, size_t n)
{
	size_t got;
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(c->ssl, dst, n, &got);
	if (rc == 1) {
		c->want = SSL_ERROR_NONE;
		return (ssize_t)got;
	}
	return stopped(c, rc);
}

ssize_t tls_write(struct tls_connection *c, const void *src, size_t n)
{
	size_t sent;
	int rc;

	ERR_clear_error();
	rc = SSL_write_ex(c->ssl, src, n, &sent);
	if (rc == 1) {
		c->want = SSL_ERROR_NONE;
		return (ssize_t)sent;
	}
	return stopped(c, rc);
}

bool tls_wants_write(const struct tls_connection *c)
{
	return c->want == SSL_ERROR_WANT_WRITE;
}

bool tls_is_open(const struct tls_connection *c)
{
	return SSL_is_init_finished(c->ssl);
}

bool tls_has_more(const struct tls_connection *c)
{
	return SSL_pending(c->ssl) > 0;
}

void tls_goodbye(struct tls_connection *c)
{
	ERR_clear_error();
	if (SSL_is_init_finished(c->ssl))
		(void)SSL_shutdown(c->ssl);
	ERR_clear_error();
}
