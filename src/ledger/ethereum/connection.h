/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_CONNECTION_H
#define LEDGER_ETHEREUM_CONNECTION_H

#include "base/http_peer.h"
#include "ledger/ethereum/endpoint.h"

/*
 * What every connection of libcurl to an endpoint has in common, be it for
 * JSON-RPC or for a WebSocket: base/http_peer.h with the endpoint's settings.
 */

/*
 * Set easy up for url (one of the endpoint's). Returns 0, or -1 with a text.
 */
int connection_options(
	CURL *easy, const struct endpoint *e, const char *url, struct error *err);

/*
 * One sentence for a person: what failed and the remedy where there is one.
 * detail: libcurl's own words (may be ""), which are redacted. Always begins
 * with the endpoint's name.
 */
void connection_failure(struct error *out, const struct endpoint *e, CURL *easy,
	CURLcode code, const char *detail);

/* The same of libcurl's own words alone. */
void connection_words(struct error *out, const struct endpoint *e, const char *detail);

/*
 * The endpoint's "Name: value" lines and its Authorization for now (unix
 * seconds), behind those of list, which is not empty and is taken over. NULL
 * when memory is short. Free it with http_headers_free().
 */
struct curl_slist *connection_headers(
	struct curl_slist *list, const struct endpoint *e, uint64_t now);

#endif
