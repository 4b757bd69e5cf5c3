/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/connection.h"

#include <stdio.h>

int connection_options(
	CURL *easy, const struct endpoint *e, const char *url, struct error *err)
{
	char plain[ENDPOINT_URL_MAX];
	struct http_peer peer = {.url = plain, .proxy = e->proxy, .ca_file = e->ca_file};
	CURLcode code;

	if (endpoint_request_url(plain, url))
		return error_set(err, "%s: a URL that cannot be asked", e->name);
	code = http_peer_options(easy, &peer);
	explicit_bzero(plain, sizeof plain);
	if (code != CURLE_OK)
		return error_set(err, "%s: %s", e->name, curl_easy_strerror(code));
	return 0;
}

void connection_words(struct error *out, const struct endpoint *e, const char *detail)
{
	char words[160];

	endpoint_redact(words, sizeof words, e, view_str(detail));
	error_set(out, "%s: %s", e->name, words);
}

void connection_failure(struct error *out, const struct endpoint *e, CURL *easy,
	CURLcode code, const char *detail)
{
	char text[400];

	if (http_failure(text, sizeof text, easy, code, e->ca_file))
		error_set(out, "%s: %s", e->name, text);
	else
		connection_words(
			out, e, detail && *detail ? detail : curl_easy_strerror(code));
}

struct curl_slist *connection_headers(
	struct curl_slist *list, const struct endpoint *e, uint64_t now)
{
	char line[32 + ENDPOINT_AUTHORIZATION_MAX] = "Authorization: ";
	size_t start = strlen(line);

	for (unsigned i = 0; list && i < e->header_count; i++)
		list = http_header_add(list, e->header[i]);
	if (list && endpoint_authorization(line + start, sizeof line - start, e, now)) {
		http_headers_free(list);
		list = NULL;
	}
	if (list && line[start])
		list = http_header_add(list, line);
	explicit_bzero(line, sizeof line);
	return list;
}
