/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_peer.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* The first failure of a chain of options is kept. */
#define SET(option, value)                                                               \
	do {                                                                             \
		if (code == CURLE_OK)                                                    \
			code = curl_easy_setopt(easy, option, value);                    \
	} while (0)

/* Who is believed: TLS 1.2 or later, the certificate and its name checked. */
static CURLcode trust_options(CURL *easy, const struct http_peer *peer)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!peer->ca_file[0])
		return code;
	/* Instead of the system's authorities, not beside them. */
	SET(CURLOPT_CAINFO, peer->ca_file);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_PROXY_CAINFO, peer->ca_file);
	SET(CURLOPT_PROXY_CAPATH, NULL);
	return code;
}

CURLcode http_peer_options(CURL *easy, const struct http_peer *peer)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, peer->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* "" and not NULL: with NULL libcurl reads http_proxy and no_proxy. */
	SET(CURLOPT_PROXY, peer->proxy);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* Credentials go in a header of ours; libcurl sends it to no proxy. */
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	/*
	 * A call that is given up while its host's name is being looked up:
	 * without this libcurl waits here for getaddrinfo(), which takes half a
	 * minute when the name servers are gone; with it the thread ends alone.
	 */
	SET(CURLOPT_QUICK_EXIT, 1L);
	return code == CURLE_OK ? trust_options(easy, peer) : code;
}

#undef SET

bool http_is_garbage(CURLcode code)
{
	return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY ||
		code == CURLE_BAD_CONTENT_ENCODING || code == CURLE_OUT_OF_MEMORY;
}

/* Which certificate trouble it is. dst[size]. */
static void certificate_text(char *dst, size_t size, CURL *easy)
{
	const char *ca = "if it is your own authority's, name that in ca_file=";
	long result = 0, proxy = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	curl_easy_getinfo(easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &proxy);
	if (result == X509_V_OK)
		result = proxy;
	switch (result) {
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED: /* libcurl compares the name before the rest */
		snprintf(dst, size,
			"its certificate is for another host's name: write the name that the "
			"certificate has into the URL");
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(dst, size,
			"its certificate has expired: have it renewed there (or set this "
			"host's clock right); a renewed private one goes into ca_file=");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(dst, size,
			"its certificate is not valid yet: set this host's clock right");
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		snprintf(dst, size,
			"its certificate is signed by an authority that is unknown here: %s",
			ca);
		break;
	default:
		snprintf(dst, size, "its certificate is refused (%s): %s",
			X509_verify_cert_error_string(result), ca);
	}
}

/* The proxy answered CONNECT with this status. */
static void proxy_text(char *dst, size_t size, long status)
{
	if (status == 407)
		snprintf(dst, size,
			"the proxy wants credentials (HTTP 407): write them into "
			"proxy=http://USER:PASSWORD@...");
	else
		snprintf(dst, size,
			"the proxy refuses to connect there (HTTP %ld): it must allow "
			"CONNECT to this host and port",
			status);
}

/* What a code means, for those whose remedy we know. false: libcurl's words. */
static bool known_text(char *dst, size_t size, CURLcode code)
{
	const char *text = NULL;

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		text = "the host's name has no address: check the URL and this host's "
		       "name servers";
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		text = "the proxy's name has no address: check proxy= and this host's "
		       "name servers";
		break;
	case CURLE_GOT_NOTHING:
		text = "it closed the connection without an answer";
		break;
	case CURLE_PARTIAL_FILE:
		text = "its answer was cut off";
		break;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		text = "the connection broke off";
		break;
	case CURLE_SSL_CONNECT_ERROR:
		text = "no TLS connection comes about: is it https:// (wss://) there?";
		break;
	case CURLE_BAD_CONTENT_ENCODING:
		text = "its answer does not decompress";
		break;
	case CURLE_OUT_OF_MEMORY:
		/* libcurl's name for a header line of more than 100 kB, too. */
		text = "its answer has a head without end (or memory is short)";
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		text = "what answers there does not speak HTTP: check the URL's port";
		break;
	default:
		return false;
	}
	snprintf(dst, size, "%s", text);
	return true;
}

bool http_failure(char *dst, size_t size, CURL *easy, CURLcode code, const char *ca_file)
{
	long proxy_status = 0;

	dst[0] = '\0';
	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status >= 300)
		proxy_text(dst, size, proxy_status);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		certificate_text(dst, size, easy);
	else if (code == CURLE_SSL_CACERT_BADFILE)
		snprintf(dst, size, "the authorities' file %s cannot be read: check %s",
			ca_file[0] ? ca_file : "of the system",
			ca_file[0] ? "ca_file=" : "that ca-certificates is installed");
	else
		return known_text(dst, size, code);
	return true;
}

struct curl_slist *http_header_add(struct curl_slist *list, const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);

	if (!more)
		http_headers_free(list);
	return more;
}

void http_headers_free(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}
