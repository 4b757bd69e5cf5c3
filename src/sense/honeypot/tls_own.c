/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/tls_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/escape.h"
#include "base/hash.h"

#define DAYS      3650
#define NEW_FILE  "." TLS_OWN_FILE ".new"
#define FILE_MODE 0600

void tls_own_free(struct tls_own *o)
{
	X509_free(o->certificate);
	EVP_PKEY_free(o->key);
	*o = (struct tls_own){NULL, NULL};
}

/* 16 random bytes, which also keep two honeypots apart. */
static int set_serial(X509 *x)
{
	struct hash_key random = hash_key_random();
	BIGNUM *number = BN_bin2bn((const uint8_t *)&random, sizeof random, NULL);
	int rc = -1;

	if (number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)))
		rc = 0;
	BN_free(number);
	return rc;
}

static int set_name(X509 *x, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(x);

	/* 64 bytes are all that a common name may have (RFC 5280, ub-common-name). */
	if (!X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		    (const unsigned char *)name, (int)strnlen(name, 64), -1, 0))
		return -1;
	return X509_set_issuer_name(x, subject) ? 0 : -1;
}

static int make(struct tls_own *o, const char *name)
{
	o->key = EVP_EC_gen("P-256");
	o->certificate = X509_new();
	if (!o->key || !o->certificate || !X509_set_version(o->certificate, 2) ||
		set_serial(o->certificate) || set_name(o->certificate, name) ||
		!X509_gmtime_adj(X509_getm_notBefore(o->certificate), -86400) ||
		!X509_gmtime_adj(
			X509_getm_notAfter(o->certificate), (long)DAYS * 86400) ||
		!X509_set_pubkey(o->certificate, o->key) ||
		!X509_sign(o->certificate, o->key, EVP_sha256())) {
		tls_own_free(o);
		return -1;
	}
	return 0;
}

/* Into a file of its own first: whoever reads meets all of it or nothing. */
static int save(const struct tls_own *o, int folder)
{
	int fd, rc = -1;
	FILE *f;

	(void)unlinkat(folder, NEW_FILE, 0);
	fd = openat(folder, NEW_FILE,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -1;
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		return -1;
	}
	if (PEM_write_X509(f, o->certificate) &&
		PEM_write_PrivateKey(f, o->key, NULL, NULL, 0, NULL, NULL) &&
		!fflush(f) && !fsync(fd))
		rc = 0;
	if (fclose(f))
		rc = -1;
	return rc ? -1 : renameat(folder, NEW_FILE, folder, TLS_OWN_FILE);
}

/* Returns 1 when it is there, 0 when it is not, -1 with errno. */
static int load(struct tls_own *o, int folder)
{
	int fd = openat(folder, TLS_OWN_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FILE *f;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -1;
	}
	o->certificate = PEM_read_X509(f, NULL, NULL, NULL);
	o->key = PEM_read_PrivateKey(f, NULL, NULL, (void *)(char[]){""});
	fclose(f);
	if (o->certificate && o->key)
		return 1;
	(void)tls_reason();
	tls_own_free(o);
	errno = EBADMSG;
	return -1;
}

int tls_own_get(
	struct tls_own *out, const char *folder, const char *name, struct error *err)
{
	const char *shown = escaped(view_str(folder));
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), got;

	*out = (struct tls_own){NULL, NULL};
	if (dir < 0)
		return error_set(err, "%s: %s", shown, strerror(errno));
	got = load(out, dir);
	if (got < 0) {
		error_set(err,
			"%s/" TLS_OWN_FILE ": %s; remove the file, and it is made anew",
			shown,
			errno == EBADMSG ? "no certificate and key of PEM" :
					   strerror(errno));
	} else if (!got && make(out, name)) {
		got = error_set(err, "no certificate can be made: %s", tls_reason());
	} else if (!got && save(out, dir)) {
		got = error_set(err,
			"%s/" TLS_OWN_FILE ": %s; the folder must be writable, or name a "
			"certificate and its key",
			shown, strerror(errno));
		tls_own_free(out);
	}
	close(dir);
	return got < 0 ? -1 : 0;
}
