/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY 86400L

static void must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e && X509_add_ext(x, e, -1), "extension");
	X509_EXTENSION_free(e);
}

/* issuer NULL: itself. names NULL: an authority. */
static X509 *make(EVP_PKEY *key, const char *subject, X509 *issuer, EVP_PKEY *issuer_key,
	const char *names, long from, long to)
{
	static long serial = 1;
	X509 *x = X509_new();
	X509_NAME *name;

	must(x && X509_set_version(x, 2), "X509_new");
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, key);
	name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
	extend(x, issuer ? issuer : x, NID_basic_constraints,
		names ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (names)
		extend(x, issuer, NID_subject_alt_name, names);
	must(X509_sign(x, issuer ? issuer_key : key, EVP_sha256()) > 0, "X509_sign");
	return x;
}

static void save(char path[96], const char *folder, const char *file, X509 *x)
{
	FILE *f;

	snprintf(path, 96, "%s/%s", folder, file);
	f = fopen(path, "w");
	must(f && PEM_write_X509(f, x) && !fclose(f), path);
}

static void leaf(char path[96], const struct certificates *c, const char *file,
	EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *names, long from, long to)
{
	X509 *x = make(key, file, ca, ca_key, names, from, to);

	save(path, c->folder, file, x);
	X509_free(x);
}

void certificates_make(struct certificates *c)
{
	static const char here[] = "IP:127.0.0.1,DNS:localhost";
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	EVP_PKEY *other_key = EVP_EC_gen("P-256");
	X509 *ca, *other;
	FILE *f;

	snprintf(c->folder, sizeof c->folder, "/tmp/certificates.XXXXXX");
	must(mkdtemp(c->folder) && ca_key && key && other_key, "keys");
	snprintf(c->key, sizeof c->key, "%s/key.pem", c->folder);
	f = fopen(c->key, "w");
	must(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && !fclose(f),
		c->key);
	ca = make(ca_key, "test authority", NULL, NULL, NULL, -DAY, 30 * DAY);
	other = make(other_key, "strange authority", NULL, NULL, NULL, -DAY, 30 * DAY);
	save(c->ca, c->folder, "ca.pem", ca);
	leaf(c->good, c, "good.pem", key, ca, ca_key, here, -DAY, DAY);
	leaf(c->name, c, "name.pem", key, ca, ca_key, "DNS:another.example", -DAY, DAY);
	leaf(c->expired, c, "expired.pem", key, ca, ca_key, here, -2 * DAY, -DAY);
	leaf(c->future, c, "future.pem", key, ca, ca_key, here, DAY, 2 * DAY);
	leaf(c->stranger, c, "stranger.pem", key, other, other_key, here, -DAY, DAY);
	X509_free(ca);
	X509_free(other);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
}

void certificates_remove(struct certificates *c)
{
	const char *const files[] = {
		c->key, c->ca, c->good, c->name, c->expired, c->future, c->stranger};

	for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
		unlink(files[i]);
	rmdir(c->folder);
}
