/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_server.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int rc = e && X509_add_ext(cert, e, -1) ? 0 : -1;

	X509_EXTENSION_free(e);
	return rc;
}

/* A certificate for name by its own key, valid from yesterday to tomorrow. */
static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	char alternative[128];

	if (!cert)
		return NULL;
	snprintf(alternative, sizeof alternative, "DNS:%s", name);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
		(const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	if (add_extension(cert, NID_subject_alt_name, alternative) ||
		add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") ||
		!X509_sign(cert, key, EVP_sha256())) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static int write_certificate(const char *path, X509 *cert)
{
	FILE *f = fopen(path, "w");
	int rc = f && PEM_write_X509(f, cert) ? 0 : -1;

	if (f && fclose(f))
		rc = -1;
	return rc;
}

/* For ever: one connection after the other, one request each. */
static void serve(SSL_CTX *context, int listening)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
				     "Connection: close\r\n\r\nhello";
	char request[4096];

	for (;;) {
		int fd = accept(listening, NULL, NULL);
		SSL *ssl = SSL_new(context);

		if (fd < 0 || !ssl)
			_exit(1);
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0)
			SSL_write(ssl, answer, sizeof answer - 1);
		SSL_shutdown(ssl);
		SSL_free(ssl);
		close(fd);
	}
}

uint16_t tls_server_start(const char *name, const char *certificate)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof at;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_certificate(key, name) : NULL;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid = -1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (context && cert && !write_certificate(certificate, cert) &&
		SSL_CTX_use_certificate(context, cert) == 1 &&
		SSL_CTX_use_PrivateKey(context, key) == 1 && fd >= 0 &&
		!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 8) &&
		!getsockname(fd, (struct sockaddr *)&at, &n))
		pid = fork();
	if (pid == 0)
		serve(context, fd);
	if (fd >= 0)
		close(fd);
	X509_free(cert);
	EVP_PKEY_free(key);
	SSL_CTX_free(context);
	return pid > 0 ? ntohs(at.sin_port) : 0;
}
