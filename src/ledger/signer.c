/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/secret_page.h"
#include "ledger/public_key.h"

#define SECRET_SIZE 32
#define SECRET_TEXT (2 * SECRET_SIZE + 1) /* with its newline */

#define CREDENTIAL "credential:"

/* Lives in a page of its own; the context holds blinding values. */
struct signer {
	uint8_t secret[SECRET_SIZE];
	uint8_t address[ADDRESS20];
	secp256k1_context *context;
	_Alignas(16) uint8_t context_memory[1024];
};

_Static_assert(sizeof(struct signer) <= SECRET_PAGE_SIZE, "a signer fits its page");

void signer_free(struct signer *s)
{
	if (!s)
		return;
	if (s->context)
		secp256k1_context_preallocated_destroy(s->context);
	secret_page_free(s);
}

/*
 * Make the page's secret a working key. Returns 0, or -1 when it is out of
 * range or the kernel gives no randomness.
 */
static int prepare(struct signer *s)
{
	uint8_t seed[32];
	secp256k1_pubkey key;
	int ok;

	if (secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE) >
		sizeof s->context_memory)
		return -1;
	s->context = secp256k1_context_preallocated_create(
		s->context_memory, SECP256K1_CONTEXT_NONE);
	if (getrandom(seed, sizeof seed, 0) != sizeof seed)
		return -1;
	/* Against side channels: blinds the multiplications. */
	ok = secp256k1_context_randomize(s->context, seed);
	explicit_bzero(seed, sizeof seed);
	if (!ok || !secp256k1_ec_pubkey_create(s->context, &key, s->secret))
		return -1;
	public_key_address(s->address, &key);
	return 0;
}

struct signer *signer_from_secret(const uint8_t secret[32])
{
	struct signer *s = secret_page_new();

	if (!s)
		return NULL;
	memcpy(s->secret, secret, SECRET_SIZE);
	if (prepare(s)) {
		signer_free(s);
		return NULL;
	}
	return s;
}

/*
 * The file's owner and mode. systemd lets a unit's user read a credential by
 * an ACL, which shows as the group's read bit. Returns 0, or -1 with a text.
 */
static int check_file(int fd, const char *path, bool credential, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "%s: a key must be a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(err,
			"%s: the key belongs to user %u, not to root or "
			"this process's user %u: chown it",
			path, st.st_uid, geteuid());
	if (st.st_mode & (credential ? 037 : 077))
		return error_set(err,
			"%s: others can read the key (mode %04o): run "
			"chmod 600 on it; if it was ever exposed, make a new one",
			path, st.st_mode & 07777U);
	return 0;
}

/* Read up to n bytes. Returns how many, or -1 with errno. */
static ssize_t read_all(int fd, uint8_t *dst, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, dst + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* The file's bytes into the secret. Returns 0, or -1 with a text. */
static int read_secret(struct signer *s, int fd, const char *path, struct error *err)
{
	uint8_t text[SECRET_TEXT + 1];
	ssize_t n = read_all(fd, text, sizeof text);
	int rc = 0;

	if (n < 0)
		rc = error_set(err, "%s: %s", path, strerror(errno));
	else if (n == SECRET_SIZE)
		memcpy(s->secret, text, SECRET_SIZE);
	else if (n > SECRET_TEXT && text[0] == '{')
		rc = error_set(err,
			"%s: a keystore, not a key file: run `sipchain key import` on it",
			path);
	else if ((n != SECRET_TEXT - 1 && !(n == SECRET_TEXT && text[n - 1] == '\n')) ||
		hex_decode(s->secret, SECRET_SIZE, view_of(text, 2 * SECRET_SIZE)))
		rc = error_set(err,
			"%s: a key file is 64 hex digits and a newline, or 32 bytes, "
			"nothing else",
			path);
	explicit_bzero(text, sizeof text);
	return rc;
}

/*
 * Where a key stands: path itself, or, of "credential:NAME", the file that
 * systemd made for the unit. Returns 0, or -1 with a text.
 */
static int locate(char file[PATH_MAX], const char *path, struct error *err)
{
	const char *name = path + sizeof CREDENTIAL - 1, *folder;

	if (strncmp(path, CREDENTIAL, sizeof CREDENTIAL - 1) != 0) {
		if (strlen(path) >= PATH_MAX)
			return error_set(err, "a key file's path is too long");
		strcpy(file, path);
		return 0;
	}
	if (!*name || *name == '.' || strchr(name, '/'))
		return error_set(err,
			"%s: a credential's name is a file name, such as member.key",
			path);
	folder = getenv("CREDENTIALS_DIRECTORY");
	if (!folder || *folder != '/')
		return error_set(err,
			"%s: this process was given no credentials: start it by a systemd "
			"unit with LoadCredential=%s:FILE",
			path, name);
	if (snprintf(file, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return error_set(err, "%s: its path is too long", path);
	return 0;
}

/* The key in an open file. NULL with a text. */
static struct signer *signer_read(
	int fd, const char *path, bool credential, struct error *err)
{
	struct signer *s;

	if (check_file(fd, path, credential, err))
		return NULL;
	s = secret_page_new();
	if (!s) {
		error_set(err,
			"%s: no locked page for the key: %s (raise "
			"LimitMEMLOCK)",
			path, strerror(errno));
		return NULL;
	}
	if (read_secret(s, fd, path, err))
		goto fail;
	if (prepare(s)) {
		error_set(err, "%s: the number is not a secp256k1 key: make a new one",
			path);
		goto fail;
	}
	return s;
fail:
	signer_free(s);
	return NULL;
}

struct signer *signer_open(const char *path, struct error *err)
{
	bool credential = !strncmp(path, CREDENTIAL, sizeof CREDENTIAL - 1);
	char file[PATH_MAX];
	struct signer *s;
	int fd;

	if (locate(file, path, err))
		return NULL;
	/* Not blocking: a FIFO must not hang the start. */
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		error_set(err, "%s: %s", file, strerror(errno));
		return NULL;
	}
	s = signer_read(fd, file, credential, err);
	close(fd);
	return s;
}

static int write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t wrote = write(fd, text, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -1;
		text += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

/* A random secret into a new page: all but one in 2^128 are in range. */
static struct signer *signer_random(void)
{
	struct signer *s = secret_page_new();

	if (!s)
		return NULL;
	if (getrandom(s->secret, SECRET_SIZE, 0) != SECRET_SIZE || prepare(s)) {
		signer_free(s);
		return NULL;
	}
	return s;
}

/* Write the key and see it on the disk. Returns 0, or -1 with errno. */
static int write_secret(const struct signer *s, int fd)
{
	char text[SECRET_TEXT + 1];
	int rc;

	hex_encode(text, s->secret, SECRET_SIZE);
	memcpy(text + 2 * SECRET_SIZE, "\n", 2);
	rc = write_all(fd, text, SECRET_TEXT);
	explicit_bzero(text, sizeof text);
	return rc ? -1 : fsync(fd);
}

int signer_save(const struct signer *s, const char *path, struct error *err)
{
	int saved, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set(err, "%s: %s%s", path, strerror(errno),
			errno == EEXIST ?
				": a key is not overwritten; choose another name" :
				"");
	if (write_secret(s, fd)) {
		saved = errno;
		error_set(err, "%s: %s", path, strerror(errno));
		unlink(path);
		close(fd);
		errno = saved;
		return -1;
	}
	close(fd);
	return 0;
}

struct signer *signer_create(const char *path, struct error *err)
{
	struct signer *s = signer_random();

	if (!s) {
		error_set(err, "%s: cannot make a key: %s", path, strerror(errno));
		return NULL;
	}
	if (signer_save(s, path, err)) {
		signer_free(s);
		return NULL;
	}
	return s;
}

const uint8_t *signer_secret(const struct signer *s)
{
	return s->secret;
}

const uint8_t *signer_address(const struct signer *s)
{
	return s->address;
}

int signer_sign(const struct signer *s, uint8_t signature[SIGNATURE_SIZE],
	const uint8_t hash[HASH_SIZE])
{
	secp256k1_ecdsa_recoverable_signature sig;
	int id;

	/* The default nonce function is RFC 6979; s comes out low. */
	if (!secp256k1_ecdsa_sign_recoverable(
		    s->context, &sig, hash, s->secret, NULL, NULL))
		return -1;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(
		s->context, signature, &id, &sig);
	signature[64] = (uint8_t)id;
	return 0;
}
