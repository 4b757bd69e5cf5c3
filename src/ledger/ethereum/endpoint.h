/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_ENDPOINT_H
#define LEDGER_ETHEREUM_ENDPOINT_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * One JSON-RPC endpoint as the operator writes it, on one line:
 *
 *   URL [ws=URL|none] [header="Name: value"] [basic=USER:PASSWORD]
 *       [bearer_file=FILE] [jwt_file=FILE] [proxy=URL] [ca_file=FILE]
 *       [origin=URL] [name=WORD]
 *
 * URL is http:// or https://; it may hold a provider's key in its path, user
 * or query, which is a secret, as are header, basic and the files' contents.
 * jwt_file: 32 bytes in hex, from which a fresh HS256 token with `iat` is made
 * for each connection (the Engine API's way); bearer_file: the token itself.
 * proxy is http://, https://, socks5:// or socks5h://; without it none is used,
 * whatever the environment says. ca_file replaces the system's authorities. A
 * value with spaces stands in double quotes, in which \" and \\ are themselves.
 */
#define ENDPOINTS_MAX              8
#define ENDPOINT_URL_MAX           512
#define ENDPOINT_HEADERS           4
#define ENDPOINT_AUTHORIZATION_MAX 1040 /* "Bearer " and the longest token */

struct endpoint {
	char name[64]; /* for people: name=, else "scheme://host:port" */
	char url[ENDPOINT_URL_MAX];
	char ws[ENDPOINT_URL_MAX]; /* "": not given, ask the usual places; "none" */
	char header[ENDPOINT_HEADERS][256];
	unsigned header_count;
	char basic[128];
	char bearer_file[256];
	char jwt_file[256];
	char proxy[ENDPOINT_URL_MAX];
	char ca_file[256];
	char origin[256];
	/* Read by endpoint_load(), before the process is sealed. */
	char bearer[1024];
	uint8_t jwt[32];
	bool has_jwt;
};

/* Parse the line. Returns 0, or -1 with a text that names the part, no secret. */
int endpoint_parse(struct endpoint *out, struct view line, struct error *err);

/*
 * The line again, which endpoint_parse() reads to the same; unless secrets, with
 * "***" where one stands. Returns 0, or -1 when out fails.
 */
int endpoint_print(struct buffer *out, const struct endpoint *e, bool secrets);

/*
 * Read bearer_file and jwt_file (regular files of root or the caller that
 * others cannot read and the group cannot write). Returns 0, or -1 with a text.
 */
int endpoint_load(struct endpoint *e, struct error *err);

/*
 * Whether what is asked there carries a secret: a credential, a header, a path or
 * a query. Then it is asked for at no place but the one that is configured.
 */
bool endpoint_has_secrets(const struct endpoint *e);

/*
 * The value of an Authorization header for now (unix seconds), "Bearer ..." or
 * "Basic ..." (basic=, or the URL's user and password), into dst; "" when there
 * is none. Returns 0, or -1 when it does not fit; ENDPOINT_AUTHORIZATION_MAX is
 * always enough.
 */
int endpoint_authorization(
	char *dst, size_t size, const struct endpoint *e, uint64_t now);

/*
 * url (one of e's) as it may be asked for: without user and password, which go
 * out by endpoint_authorization(), ws and wss as http and https, into
 * dst[ENDPOINT_URL_MAX]. Returns 0, or -1 when it is no URL.
 */
int endpoint_request_url(char dst[ENDPOINT_URL_MAX], const char *url);

/*
 * Text from a provider or a library that may repeat a secret: each secret of
 * the endpoint (path, query, user, password, header values, tokens; whole or a
 * part that means something, but nothing under three bytes) is replaced by
 * "***", then everything is escaped and cut to fit. dst[size], size >= 8. e may
 * be NULL. Returns dst.
 */
char *endpoint_redact(char *dst, size_t size, const struct endpoint *e, struct view text);

#endif
