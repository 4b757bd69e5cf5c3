/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_CONNECTION_H
#define LEDGER_ETHEREUM_CONNECTION_H

#include <curl/curl.h>

#include "ledger/ethereum/endpoint.h"

/*
 * What every connection of libcurl to an endpoint has in common, be it for
 * JSON-RPC or for a WebSocket: which protocols, proxy and authorities, how long
 * connecting may take, and what to tell a person when it fails.
 */
#define CONNECT_TIMEOUT_MS 5000

/*
 * Set easy up for url (one of the endpoint's). Returns 0, or -1 with a text.
 */
int connection_options(
	CURL *easy, const struct endpoint *e, const char *url, struct error *err);

/*
 * Whether this code says that the peer is no (working) HTTP server, rather than
 * that it cannot be reached.
 */
bool connection_is_garbage(CURLcode code);

/*
 * One sentence for a person: what failed and the remedy where there is one.
 * detail: libcurl's own words (may be ""), which are redacted. Always begins
 * with the endpoint's name.
 */
void connection_failure(struct error *out, const struct endpoint *e, CURL *easy,
	CURLcode code, const char *detail);

/*
 * The endpoint's "Name: value" lines and its Authorization for now (unix
 * seconds), behind those of list, which is not empty and is taken over. NULL
 * when memory is short.
 */
struct curl_slist *connection_headers(
	struct curl_slist *list, const struct endpoint *e, uint64_t now);

/* Wipe and free a list that held credentials. NULL is nothing. */
void connection_headers_free(struct curl_slist *list);

#endif
