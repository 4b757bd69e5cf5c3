/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/url.h"

/* --- the files --- */

/* The file's text, without white space around it, in dst[size]; < 0 with a text. */
static int read_secret(char *dst, size_t size, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct view text;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st))
		error_set(err, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		error_set(err, "%s: a token must be in a regular file", path);
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		error_set(err,
			"%s: the token belongs to user %u, not to root or this "
			"process's user %u: chown it",
			path, st.st_uid, geteuid());
	else if (st.st_mode & 027)
		/* The group may read: systemd gives credentials so, by an ACL. */
		error_set(err,
			"%s: others can read or change the token (mode %04o): run chmod "
			"600 on it; if it was ever exposed, have a new one made",
			path, st.st_mode & 07777U);
	else if ((n = read(fd, dst, size)) < 0)
		error_set(err, "%s: %s", path, strerror(errno));
	else if ((size_t)n == size)
		error_set(err, "%s: longer than any token", path);
	else {
		text = view_trim(view_of(dst, (size_t)n));
		memmove(dst, text.p, text.n);
		dst[text.n] = '\0';
		close(fd);
		return (int)text.n;
	}
	close(fd);
	return -1;
}

static int load_bearer(struct endpoint *e, struct error *err)
{
	int n = read_secret(e->bearer, sizeof e->bearer, e->bearer_file, err);

	if (n < 0)
		goto fail;
	/* A line break in it would be a header of its own. */
	for (int i = 0; i < n; i++)
		if (e->bearer[i] <= ' ' || e->bearer[i] >= 0x7f)
			n = 0;
	if (n > 0)
		return 0;
	error_set(err, "%s: it must hold one token, printable, without spaces",
		e->bearer_file);
fail:
	explicit_bzero(e->bearer, sizeof e->bearer);
	return -1;
}

int endpoint_load(struct endpoint *e, struct error *err)
{
	char text[128];
	int n, rc = 0;

	if (e->bearer_file[0] && load_bearer(e, err))
		return -1;
	if (!e->jwt_file[0])
		return 0;
	n = read_secret(text, sizeof text, e->jwt_file, err);
	if (n < 0)
		rc = -1;
	else if (hex_decode(e->jwt, sizeof e->jwt, view_of(text, (size_t)n)))
		rc = error_set(
			err, "%s: it must hold 32 bytes as 64 hex digits", e->jwt_file);
	else
		e->has_jwt = true;
	explicit_bzero(text, sizeof text);
	return rc;
}

/* --- what goes out --- */

bool endpoint_has_secrets(const struct endpoint *e)
{
	struct url_parts url;

	return e->header_count || e->basic[0] || e->bearer_file[0] || e->jwt_file[0] ||
		url_split(&url, view_str(e->url)) || url.user.p || url.rest.n > 1;
}

/* RFC 4648 section 4 into dst[4 * (n / 3 + 1) + 1]. Returns the length. */
static size_t base64(char *dst, const void *src, size_t n)
{
	return (size_t)EVP_EncodeBlock((unsigned char *)dst, src, (int)n);
}

/* Section 5: for URLs, without padding (RFC 7515 section 2). */
static size_t base64url(char *dst, const void *src, size_t n)
{
	size_t len = base64(dst, src, n);

	while (len > 0 && dst[len - 1] == '=')
		dst[--len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (dst[i] == '+')
			dst[i] = '-';
		else if (dst[i] == '/')
			dst[i] = '_';
	}
	return len;
}

#define JWT_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define JWT_MAX    200

/* A JWS in compact form (RFC 7515 section 3.1), HS256 (RFC 7518 section 3.2). */
static void make_jwt(char dst[JWT_MAX], const uint8_t key[32], uint64_t now)
{
	char claims[48];
	unsigned char mac[32];
	unsigned mac_n = sizeof mac;
	size_t at = base64url(dst, JWT_HEADER, strlen(JWT_HEADER));
	int n = snprintf(claims, sizeof claims, "{\"iat\":%" PRIu64 "}", now);

	dst[at++] = '.';
	at += base64url(dst + at, claims, (size_t)n);
	HMAC(EVP_sha256(), key, 32, (const unsigned char *)dst, at, mac, &mac_n);
	dst[at++] = '.';
	base64url(dst + at, mac, sizeof mac);
}

/* USER:PASSWORD of basic= or the URL into dst[ENDPOINT_URL_MAX]; its length. */
static size_t basic_of(uint8_t *dst, const struct endpoint *e)
{
	struct url_parts url;
	size_t n, colon;

	if (e->basic[0]) {
		memcpy(dst, e->basic, strlen(e->basic));
		return strlen(e->basic);
	}
	if (url_split(&url, view_str(e->url)) || !url.user.p)
		return 0;
	colon = view_find(url.user, ':');
	n = url_unescape(dst, view_head(url.user, colon));
	dst[n++] = ':';
	return n + url_unescape(dst + n, view_from(url.user, colon + 1));
}

int endpoint_authorization(char *dst, size_t size, const struct endpoint *e, uint64_t now)
{
	uint8_t basic[ENDPOINT_URL_MAX];
	char text[ENDPOINT_URL_MAX * 2] = "";
	const char *scheme = "", *token = "";
	size_t n;
	int rc;

	if (e->bearer[0]) {
		scheme = "Bearer ";
		token = e->bearer;
	} else if (e->has_jwt) {
		scheme = "Bearer ";
		make_jwt(text, e->jwt, now);
		token = text;
	} else if ((n = basic_of(basic, e)) > 0) {
		scheme = "Basic ";
		base64(text, basic, n);
		token = text;
	}
	rc = snprintf(dst, size, "%s%s", scheme, token);
	explicit_bzero(basic, sizeof basic);
	explicit_bzero(text, sizeof text);
	return rc < 0 || (size_t)rc >= size ? -1 : 0;
}

int endpoint_request_url(char dst[ENDPOINT_URL_MAX], const char *url)
{
	const char *scheme = NULL;
	struct url_parts parts;
	int n;

	if (url_split(&parts, view_str(url)))
		return -1;
	if (view_eq(parts.scheme, view_str("http")) ||
		view_eq(parts.scheme, view_str("ws")))
		scheme = "http";
	else if (view_eq(parts.scheme, view_str("https")) ||
		view_eq(parts.scheme, view_str("wss")))
		scheme = "https";
	if (!scheme)
		return -1;
	/* The host and what follows it end where the URL ends. */
	n = snprintf(
		dst, ENDPOINT_URL_MAX, "%s://%s", scheme, (const char *)parts.host.p);
	return n < 0 || n >= ENDPOINT_URL_MAX ? -1 : 0;
}
