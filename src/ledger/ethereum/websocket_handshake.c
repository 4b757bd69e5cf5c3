/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/websocket_handshake.h"

#include <openssl/evp.h>

#include "base/escape.h"
#include "base/url.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

void handshake_key(char key[HANDSHAKE_KEY], const uint8_t random[16])
{
	EVP_EncodeBlock((unsigned char *)key, random, 16);
}

int handshake_accept(char accept[HANDSHAKE_ACCEPT], const char *key)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[HANDSHAKE_KEY + sizeof GUID];
	unsigned n = 0;

	view_copy(text, HANDSHAKE_KEY, view_str(key));
	memcpy(text + strlen(text), GUID, sizeof GUID);
	if (!EVP_Digest(text, strlen(text), digest, &n, EVP_sha1(), NULL) || n != 20)
		return -1;
	EVP_EncodeBlock((unsigned char *)accept, digest, 20);
	return 0;
}

int handshake_request(struct buffer *out, const struct endpoint *e, const char *url,
	const char *key, uint64_t now)
{
	char authorization[ENDPOINT_AUTHORIZATION_MAX];
	struct url_parts parts;
	int rc;

	if (url_split(&parts, view_str(url)) ||
		endpoint_authorization(authorization, sizeof authorization, e, now))
		return -1;
	buffer_printf(out, "GET %s%.*s HTTP/1.1\r\nHost: %.*s\r\n",
		parts.rest.n > 0 && parts.rest.p[0] == '/' ? "" : "/", (int)parts.rest.n,
		(const char *)parts.rest.p, (int)parts.host.n,
		(const char *)parts.host.p);
	buffer_printf(out,
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
		"User-Agent: sipchain/" SIPCHAIN_VERSION "\r\n",
		key);
	if (e->origin[0])
		buffer_printf(out, "Origin: %s\r\n", e->origin);
	for (unsigned i = 0; i < e->header_count; i++)
		buffer_printf(out, "%s\r\n", e->header[i]);
	if (authorization[0])
		buffer_printf(out, "Authorization: %s\r\n", authorization);
	rc = buffer_put(out, "\r\n", 2);
	explicit_bzero(authorization, sizeof authorization);
	return rc;
}

/* --- the reply --- */

/* What the head has said so far. */
struct head {
	unsigned upgrade, connection, accept;
};

/* The next line without its CRLF; rest moves on. false: no whole line is left. */
static bool take_line(struct view *line, struct view *rest)
{
	size_t end = view_find_str(*rest, "\r\n");

	if (end == rest->n)
		return false;
	*line = view_head(*rest, end);
	*rest = view_from(*rest, end + 2);
	return true;
}

/* Whether a comma-separated list has the token, compared without case. */
static bool has_token(struct view list, const char *token)
{
	while (list.n > 0) {
		size_t comma = view_find(list, ',');

		if (view_eq_nocase(view_trim(view_head(list, comma)), token))
			return true;
		list = view_from(list, comma + 1);
	}
	return false;
}

/* RFC 9110 section 5.6.2 */
static bool is_token(struct view name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f ||
			strchr("\"(),/:;<=>?@[\\]{}", name.p[i]))
			return false;
	return name.n > 0;
}

static int judge_field(
	struct head *h, struct view line, const char *accept, struct error *err)
{
	size_t colon = view_find(line, ':');
	struct view name = view_head(line, colon);
	struct view value = view_trim(view_from(line, colon + 1));

	if (colon == line.n || !is_token(name))
		return error_set(err, "its answer has a malformed header");
	for (size_t i = 0; i < value.n; i++)
		if ((value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return error_set(err, "its answer has a malformed header");
	if (view_eq_nocase(name, "Upgrade")) {
		h->upgrade++;
		if (!view_eq_nocase(value, "websocket"))
			return error_set(err, "it upgrades to something else");
	} else if (view_eq_nocase(name, "Connection")) {
		h->connection += has_token(value, "Upgrade");
	} else if (view_eq_nocase(name, "Sec-WebSocket-Accept")) {
		h->accept++;
		if (!view_eq(value, view_str(accept)))
			return error_set(err,
				"its answer is to another request (Sec-WebSocket-Accept): "
				"is a cache in between?");
	} else if (view_eq_nocase(name, "Sec-WebSocket-Extensions")) {
		return error_set(err, "it wants an extension that was not offered");
	} else if (view_eq_nocase(name, "Sec-WebSocket-Protocol")) {
		return error_set(err, "it wants a subprotocol that was not offered");
	}
	return 0;
}

/* A status other than 101. Returns -1. */
static int judge_status(unsigned status, struct error *err)
{
	if (status == 401 || status == 403)
		return error_set(err,
			"not let in (HTTP %u): check the key in its URL, header=, basic=, "
			"bearer_file=, jwt_file= and origin=",
			status);
	if (status == 429)
		return error_set(err, "asks us to slow down (HTTP 429)");
	if (status >= 300 && status < 400)
		return error_set(err,
			"redirects (HTTP %u), which is not followed: give the final URL in "
			"ws=",
			status);
	if (status == 502 || status == 503 || status == 504)
		return error_set(
			err, "its gateway says that it is down (HTTP %u)", status);
	return error_set(err,
		"no WebSocket there (HTTP %u): give its URL in ws=, or ws=none", status);
}

/* "HTTP/1.1 101 Switching Protocols" */
static int judge_first_line(struct view line, struct error *err)
{
	uint64_t status;

	if (!view_starts(line, "HTTP/1.1 ") || line.n < 12 ||
		view_decimal(view_of(line.p + 9, 3), 999, &status) || status < 100 ||
		(line.n > 12 && line.p[12] != ' '))
		return error_set(err, "what answers there does not speak HTTP/1.1");
	if (status != 101)
		return judge_status((unsigned)status, err);
	return 0;
}

static int judge_end(const struct head *h, struct error *err)
{
	const char *lacking = h->upgrade != 1 ? "Upgrade" :
		h->connection < 1             ? "Connection: Upgrade" :
						"Sec-WebSocket-Accept";

	if (h->upgrade == 1 && h->connection > 0 && h->accept == 1)
		return 0;
	return error_set(err, "its answer lacks %s, or has it twice", lacking);
}

static int judge_head(struct view bytes, const char *accept, struct error *err)
{
	struct view head = view_head(bytes, HANDSHAKE_MAX), rest = head, line;
	struct head h = {0};

	/* Said before a line is whole: what speaks no HTTP may never end one. */
	if (!view_eq(view_head(head, 5), view_head(view_str("HTTP/"), head.n)))
		return error_set(err, "what answers there does not speak HTTP/1.1");
	if (take_line(&line, &rest)) {
		if (judge_first_line(line, err))
			return -1;
		while (take_line(&line, &rest)) {
			if (line.n == 0)
				return judge_end(&h, err) ? -1 : (int)(head.n - rest.n);
			if (judge_field(&h, line, accept, err))
				return -1;
		}
	}
	if (bytes.n >= HANDSHAKE_MAX)
		return error_set(err, "its answer has a head without end");
	return 0;
}

int handshake_judge(struct view bytes, const char *accept, const struct endpoint *e,
	struct error *err)
{
	int rc = judge_head(bytes, accept, err);

	return rc < 0 ? error_prefix(err, "%s", e->name) : rc;
}
