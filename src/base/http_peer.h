/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HTTP_PEER_H
#define BASE_HTTP_PEER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What every connection of libcurl has in common, whatever is said on it: which
 * protocols, proxy and authorities, how long connecting may take, and what to tell a
 * person when it fails.
 */
#define CONNECT_TIMEOUT_MS 5000

/* Whom to talk to; borrowed strings. */
struct http_peer {
	const char *url;     /* http:// or https://, without user and password */
	const char *proxy;   /* "": none, whatever the environment says */
	const char *ca_file; /* "": the system's authorities */
};

/*
 * Set easy up for peer: redirects are not followed; TLS 1.2 or later, with the
 * certificate and its name checked (a proxy's too).
 */
CURLcode http_peer_options(CURL *easy, const struct http_peer *peer);

/*
 * Whether this code says that the peer is no (working) HTTP server, rather than
 * that it cannot be reached.
 */
bool http_is_garbage(CURLcode code);

/*
 * Why a transfer failed, for a person, with the remedy where there is one, into
 * dst[size]. Returns whether it knew: if not, dst is "", and libcurl's own words,
 * which may repeat a secret of the URL, have to serve.
 */
bool http_failure(char *dst, size_t size, CURL *easy, CURLcode code, const char *ca_file);

/* list with one more line; NULL, and list is freed, when memory is short. */
struct curl_slist *http_header_add(struct curl_slist *list, const char *line);

/* Wipe and free a list that held credentials. NULL is nothing. */
void http_headers_free(struct curl_slist *list);

#endif
