/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>

#include "base/url.h"

const char *url_check(const char *url, const char *const *schemes)
{
	CURLU *u = NULL;
	const char *wrong = "it is not a URL such as https://host:8545/path";
	char *host = NULL, *fragment = NULL;
	bool known = false;

	for (; *schemes && !known; schemes++)
		known = !strncmp(url, *schemes, strlen(*schemes));
	if (!known)
		return "its scheme is none that is understood here";
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"\\<>^`{|}", *p))
			return "a URL's special characters are written as %XX";
	u = curl_url();
	if (!u)
		return "out of memory";
	if (!curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
		!curl_url_get(u, CURLUPART_HOST, &host, 0) && host[0])
		wrong = NULL;
	if (!wrong && !curl_url_get(u, CURLUPART_FRAGMENT, &fragment, 0))
		wrong = "a fragment (#...) has no meaning here";
	curl_free(host);
	curl_free(fragment);
	curl_url_cleanup(u);
	return wrong;
}

int url_host(char *dst, size_t size, uint16_t *port, const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL, *digits = NULL;
	uint64_t number;
	int rc = -1;

	if (u && !curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
		!curl_url_get(u, CURLUPART_HOST, &host, 0) && strlen(host) < size &&
		!curl_url_get(u, CURLUPART_PORT, &digits, CURLU_DEFAULT_PORT) &&
		!view_decimal(view_str(digits), UINT16_MAX, &number) && number > 0) {
		view_copy(dst, size, view_str(host));
		*port = (uint16_t)number;
		rc = 0;
	}
	curl_free(host);
	curl_free(digits);
	curl_url_cleanup(u);
	return rc;
}

/* Of a host as url_host() gives it. */
static bool is_loopback(const char *host)
{
	struct view six = view_str(host);
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];

	/* libcurl takes this name to 127.0.0.1 and ::1 without asking anybody. */
	if (view_eq_nocase(six, "localhost"))
		return true;
	if (inet_pton(AF_INET, host, bytes) == 1)
		return bytes[0] == 127;
	if (!view_starts(six, "[") || six.n < 2 || six.n - 2 >= sizeof text)
		return false;
	view_copy(text, sizeof text, view_of(six.p + 1, six.n - 2));
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	if (!memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12))
		return bytes[12] == 127;
	return !memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}

bool url_is_loopback(const char *url)
{
	char host[256]; /* of a name at most 253 (RFC 1035) */
	uint16_t port;

	return !url_host(host, sizeof host, &port, url) && is_loopback(host);
}
