/* SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ethereum/connection.h"
#include "ledger/ethereum/rpc_state.h"

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

const char *rpc_ca_bundle(void)
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

int rpc_global_init(struct error *err)
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

/* --- one call --- */

/* The limit for what is gathered: a reply, or the text of an HTTP error. */
static size_t gather(struct call *c, const char *bytes, size_t n)
{
	size_t limit = c->chunk ? RPC_ERROR_MAX : RPC_SMALL_MAX;

	if (c->body.n + n > limit) {
		c->too_large = true;
		return 0;
	}
	return buffer_put(&c->body, bytes, n) ? 0 : n;
}

/* CURLOPT_WRITEFUNCTION: n bytes, decompressed. Anything but n ends the call. */
static size_t on_body(char *bytes, size_t one, size_t n, void *context)
{
	struct call *c = context;
	long status = 0;

	if (c->cancelled || c->rpc->closing)
		return 0;
	n *= one;
	if (n == 0)
		return 0;
	c->received += n;
	if (!c->chunk)
		return gather(c, bytes, n);
	c->deadline = rpc_now() + c->timeout_ms;
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return gather(c, bytes, n);
	if (c->received > RPC_STREAM_MAX) {
		c->too_large = true;
		return 0;
	}
	if (!c->chunk(c->context, view_of(bytes, n)) && !c->cancelled) {
		c->stopped = true;
		return 0;
	}
	c->deadline = rpc_now() + c->timeout_ms; /* whatever chunk took */
	return c->cancelled ? 0 : n;
}

static CURLcode request_options(struct call *c)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->detail);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->request);
	curl_easy_setopt(
		easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(c->request));
	/* gzip alone: what else libcurl has only widens what a peer can send us. */
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	/* HTTP/2 where TLS offers it, one connection for all calls then. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	return curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
}

int rpc_curl_start(struct call *c, struct error *err)
{
	static const char *const fixed[] = {"Content-Type: application/json",
		"Accept: application/json",
		"Expect:", ("User-Agent: sipchain/" SIPCHAIN_VERSION)};
	const struct endpoint *e = c->rpc->endpoint;

	c->easy = curl_easy_init();
	if (!c->easy)
		goto fail;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		struct curl_slist *more = curl_slist_append(c->headers, fixed[i]);

		if (!more)
			goto fail;
		c->headers = more;
	}
	c->headers = connection_headers(c->headers, e, clock_wall() / USEC_PER_SEC);
	if (!c->headers || connection_options(c->easy, e, e->url, err) ||
		request_options(c) != CURLE_OK ||
		curl_multi_add_handle(c->rpc->curl.multi, c->easy) != CURLM_OK)
		goto fail;
	c->rpc->running++;
	return 0;
fail:
	connection_headers_free(c->headers);
	c->headers = NULL;
	if (c->easy)
		curl_easy_cleanup(c->easy);
	c->easy = NULL;
	return error_set(err, "%s: out of memory", e->name);
}

void rpc_curl_stop(struct call *c)
{
	if (!c->easy)
		return;
	curl_multi_remove_handle(c->rpc->curl.multi, c->easy);
	curl_easy_cleanup(c->easy);
	c->easy = NULL;
	connection_headers_free(c->headers);
	c->headers = NULL;
	c->rpc->running--;
}
