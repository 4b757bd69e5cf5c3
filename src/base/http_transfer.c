/* SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/http_client_state.h"

#define RETRY_MOST 3600

/*
 * GnuTLS asks this before it sets itself up while it is being loaded (its macro
 * GNUTLS_SKIP_GLOBAL_INIT makes the same). Debian's libcurl brings it for RTMP and
 * LDAP, which are never used here, and every command would pay for it with some
 * milliseconds and 0.7 MB. A libcurl whose TLS it is sets it up by itself. The
 * programs' link arguments make the symbol one that libraries see.
 */
int _gnutls_global_init_skip(void);
__attribute__((visibility("default"))) int _gnutls_global_init_skip(void)
{
	return 1;
}

/* --- before the process is sealed --- */

const char *http_ca_bundle(void)
{
	static char bundle[256];
	CURL *easy;
	char *file = NULL, *folder = NULL;

	if (bundle[0])
		return bundle;
	easy = curl_easy_init();
	if (!easy)
		return NULL;
	curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
	curl_easy_getinfo(easy, CURLINFO_CAPATH, &folder);
	if (file || folder)
		view_copy(bundle, sizeof bundle, view_str(file ? file : folder));
	curl_easy_cleanup(easy);
	return bundle[0] ? bundle : NULL;
}

int http_client_init(struct error *err)
{
	static bool done;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	const curl_version_info_data *v;
	CURLcode code;

	if (done)
		return 0;
	/* libcurl would write the keys of every connection into the file it names. */
	unsetenv("SSLKEYLOGFILE");
	code = curl_global_init(CURL_GLOBAL_DEFAULT);
	if (code != CURLE_OK)
		return error_set(err, "libcurl: %s", curl_easy_strerror(code));
	v = curl_version_info(CURLVERSION_NOW);
	if (!(v->features & CURL_VERSION_SSL) || !(v->features & CURL_VERSION_LIBZ) ||
		!(v->features & CURL_VERSION_ASYNCHDNS))
		return error_set(err,
			"libcurl %s is built without TLS, zlib or its own look-up of names",
			v->version);
	/* The name service reads its configuration and loads its modules. */
	if (!getaddrinfo("localhost", NULL, &hints, &found))
		freeaddrinfo(found);
	done = true;
	return 0;
}

/* --- one request --- */

static size_t gather(struct http_call *c, const char *bytes, size_t n)
{
	if (c->body.n + n > c->request.gather_max) {
		c->too_large = true;
		return 0;
	}
	return buffer_put(&c->body, bytes, n) ? 0 : n;
}

/* CURLOPT_WRITEFUNCTION: n bytes, decompressed. Anything but n ends the call. */
static size_t on_body(char *bytes, size_t one, size_t n, void *context)
{
	struct http_call *c = context;
	const struct http_request *r = &c->request;
	long status = 0;

	if (c->told || c->client->closing)
		return 0;
	n *= one;
	if (n == 0)
		return 0;
	c->received += n;
	if (!r->chunk)
		return gather(c, bytes, n);
	c->deadline = http_now() + r->timeout_ms;
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return gather(c, bytes, n);
	if (c->received > r->stream_max) {
		c->too_large = true;
		return 0;
	}
	if (!r->chunk(r->context, view_of(bytes, n)) && !c->told) {
		c->stopped = true;
		return 0;
	}
	c->deadline = http_now() + r->timeout_ms; /* whatever chunk took */
	return c->told ? 0 : n;
}

static CURLcode request_options(struct http_call *c)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->detail);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->request.body);
	return curl_easy_setopt(
		easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->request.n);
}

int http_transfer_start(struct http_call *c, struct error *err)
{
	static const char *const fixed[] = {"Content-Type: application/json",
		"Accept: application/json",
		"Expect:", ("User-Agent: sipchain/" SIPCHAIN_VERSION)};

	error_set(err, "out of memory");
	c->easy = curl_easy_init();
	if (!c->easy)
		goto fail;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		c->headers = http_header_add(c->headers, fixed[i]);
		if (!c->headers)
			goto fail;
	}
	if (c->request.prepare(c->request.context, c->easy, &c->headers, err) ||
		!c->headers || request_options(c) != CURLE_OK ||
		curl_multi_add_handle(c->client->curl.multi, c->easy) != CURLM_OK)
		goto fail;
	c->client->running++;
	return 0;
fail:
	http_headers_free(c->headers);
	c->headers = NULL;
	if (c->easy)
		curl_easy_cleanup(c->easy);
	c->easy = NULL;
	return -1;
}

void http_transfer_stop(struct http_call *c)
{
	if (!c->easy)
		return;
	curl_multi_remove_handle(c->client->curl.multi, c->easy);
	curl_easy_cleanup(c->easy);
	c->easy = NULL;
	http_headers_free(c->headers);
	c->headers = NULL;
	c->client->running--;
}

void http_transfer_head(const struct http_call *c, struct http_answer *out)
{
	curl_off_t retry_s = 0;
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_s);
	out->status = (unsigned)status;
	/* A peer's number, and who knows its clock: a date gone by is negative. */
	if (retry_s > RETRY_MOST)
		retry_s = RETRY_MOST;
	out->retry_s = retry_s > 0 ? (uint32_t)retry_s : 0;
}
