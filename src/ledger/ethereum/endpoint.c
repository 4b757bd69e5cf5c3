/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/endpoint.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/url.h"

#define OPTIONS                                                                          \
	"ws=, header=, basic=, bearer_file=, jwt_file=, proxy=, ca_file=, origin=, name="

/* What is wrong with an option's value: a text without the value, or NULL. */
typedef const char *check_fn(const char *value);

static const char *check_endpoint_url(const char *value)
{
	static const char *const schemes[] = {"http://", "https://", NULL};

	return url_check(value, schemes);
}

static const char *check_ws(const char *value)
{
	static const char *const schemes[] = {"ws://", "wss://", NULL};

	struct url_parts url;

	if (!strcmp(value, "none"))
		return NULL;
	if (!url_split(&url, view_str(value)) && url.user.p)
		return "its user and password are those of the first URL, or of basic=";
	return url_check(value, schemes);
}

static const char *check_proxy(const char *value)
{
	static const char *const schemes[] = {
		"http://", "https://", "socks5://", "socks5h://", NULL};

	return url_check(value, schemes);
}

/* A header field (RFC 9110 section 5) that is not the transport's own. */
static const char *check_header(const char *value)
{
	static const char *const ours[] = {"Accept", "Accept-Encoding", "Connection",
		"Content-Length", "Content-Type", "Expect", "Host", "Origin",
		"Proxy-Authorization", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions",
		"Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version",
		"Transfer-Encoding", "Upgrade"};
	struct view v = view_str(value), name = view_head(v, view_find(v, ':'));

	if (name.n == v.n || name.n == 0)
		return "it is not \"Name: value\"";
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f ||
			strchr("\"(),/:;<=>?@[\\]{}", name.p[i]))
			return "a header's name has letters, digits and hyphens only";
	for (const char *p = value; *p; p++)
		if (*p < ' ' || *p >= 0x7f)
			return "a header is printable ASCII";
	if (view_trim(view_from(v, name.n + 1)).n == 0)
		return "the header has no value";
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (view_eq_nocase(name, ours[i]))
			return "this header is set by the client itself";
	return NULL;
}

static const char *check_basic(const char *value)
{
	return *value == ':' || !strchr(value, ':') ? "it is not USER:PASSWORD" : NULL;
}

static const char *check_file(const char *value)
{
	return *value ? NULL : "it is empty";
}

static const char *check_origin(const char *value)
{
	return check_endpoint_url(value);
}

static const char *check_name(const char *value)
{
	for (const char *p = value; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._-",
			    *p))
			return "a name has letters, digits, '.', '_' and '-' only";
	return *value ? NULL : "it is empty";
}

struct option {
	const char *key;
	size_t offset, size;
	check_fn *check;
};

#define OPTION(field)                                                                    \
	{                                                                                \
#field, offsetof(struct endpoint, field),                                \
			sizeof(((struct endpoint *)0)->field), check_##field             \
	}
#define FILE_OPTION(field)                                                               \
	{                                                                                \
#field, offsetof(struct endpoint, field),                                \
			sizeof(((struct endpoint *)0)->field), check_file                \
	}

static const struct option header_option = {
	"header", 0, sizeof(((struct endpoint *)0)->header[0]), check_header};

/* In the order in which they are printed; headers come after ws. */
static const struct option options[] = {
	OPTION(ws),
	OPTION(basic),
	FILE_OPTION(bearer_file),
	FILE_OPTION(jwt_file),
	OPTION(proxy),
	FILE_OPTION(ca_file),
	OPTION(origin),
	OPTION(name),
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/*
 * The value at the start of *rest, quoted or not, into dst[size]; *rest moves
 * behind it. Returns NULL or what is wrong.
 */
static const char *take_value(char *dst, size_t size, struct view *rest)
{
	bool quoted = rest->n > 0 && rest->p[0] == '"';
	size_t at = quoted, n = 0;

	for (;; at++) {
		if (at == rest->n || (!quoted && is_blank(rest->p[at])))
			break;
		if (rest->p[at] == '"') {
			if (!quoted)
				return "a double quote inside an unquoted value";
			break;
		}
		if (quoted && rest->p[at] == '\\' && at + 1 < rest->n)
			at++;
		if (n + 1 >= size)
			return "it is too long";
		dst[n++] = (char)rest->p[at];
	}
	dst[n] = '\0';
	if (quoted) {
		if (at == rest->n)
			return "its closing double quote is missing";
		at++;
		if (at < rest->n && !is_blank(rest->p[at]))
			return "something follows its closing double quote";
	}
	*rest = view_from(*rest, at);
	return text_is_clean(view_of(dst, n)) ? NULL : "it holds control characters";
}

/* "scheme://host:port" of e->url, cut to fit, unless name= was given. */
static int default_name(struct endpoint *e)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	CURLU *u;
	int rc = -1;

	if (e->name[0])
		return 0;
	u = curl_url();
	if (u && !curl_url_set(u, CURLUPART_URL, e->url, 0) &&
		!curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
		!curl_url_get(u, CURLUPART_HOST, &host, 0) &&
		!curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
		snprintf(e->name, sizeof e->name, "%s://%s:%s", scheme, host, port) > 0)
		rc = 0;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return rc;
}

/* What concerns more than one option. Returns NULL or what is wrong. */
static const char *check_together(const struct endpoint *e)
{
	unsigned credentials = (e->basic[0] != 0) + (e->bearer_file[0] != 0) +
		(e->jwt_file[0] != 0);
	struct url_parts url;

	if (!url_split(&url, view_str(e->url)) && url.user.p)
		credentials++;
	for (unsigned i = 0; i < e->header_count; i++) {
		struct view h = view_str(e->header[i]);

		credentials += view_eq_nocase(
			view_head(h, view_find(h, ':')), "Authorization");
	}
	if (credentials > 1)
		return "give one of a user in the URL, basic=, bearer_file=, jwt_file= "
		       "and an Authorization header, not several";
	return NULL;
}

/* One "key=value" at the start of *rest. word counts from 1. */
static int take_option(
	struct endpoint *e, struct view *rest, unsigned word, struct error *err)
{
	const struct option *o = NULL;
	size_t equals = view_find(*rest, '=');
	const char *wrong;
	char *dst = NULL;

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (view_eq(view_head(*rest, equals), view_str(options[i].key)))
			o = &options[i];
	if (o)
		dst = (char *)e + o->offset;
	else if (view_eq(view_head(*rest, equals), view_str("header"))) {
		o = &header_option;
		if (e->header_count == ENDPOINT_HEADERS)
			return error_set(
				err, "endpoint: more than %d header=", ENDPOINT_HEADERS);
		dst = e->header[e->header_count++];
	}
	if (!o || equals == rest->n)
		/* Not the word itself: it may be half of an unquoted secret. */
		return error_set(err,
			"endpoint: word %u is none of %s (a value with spaces stands in "
			"double quotes)",
			word, OPTIONS);
	if (*dst)
		return error_set(err, "endpoint: %s= is there twice", o->key);
	*rest = view_from(*rest, equals + 1);
	wrong = take_value(dst, o->size, rest);
	if (!wrong)
		wrong = o->check(dst);
	if (wrong)
		return error_set(err, "endpoint: %s=: %s", o->key, wrong);
	return 0;
}

static void skip_blanks(struct view *rest)
{
	while (rest->n > 0 && is_blank(rest->p[0]))
		*rest = view_from(*rest, 1);
}

int endpoint_parse(struct endpoint *out, struct view line, struct error *err)
{
	struct view rest = line;
	const char *wrong;

	memset(out, 0, sizeof *out);
	skip_blanks(&rest);
	if (rest.n == 0)
		return error_set(err, "endpoint: empty: give the node's URL");
	wrong = take_value(out->url, sizeof out->url, &rest);
	if (!wrong)
		wrong = check_endpoint_url(out->url);
	if (wrong)
		return error_set(err,
			"endpoint: the URL (first word, http:// or https://): %s", wrong);
	skip_blanks(&rest);
	for (unsigned word = 2; rest.n > 0; word++) {
		if (take_option(out, &rest, word, err))
			return -1;
		skip_blanks(&rest);
	}
	wrong = check_together(out);
	if (wrong)
		return error_set(err, "endpoint: %s", wrong);
	if (default_name(out))
		return error_set(err, "endpoint: out of memory");
	return 0;
}

/* A value, quoted where it must be. */
static int print_value(struct buffer *out, const char *value)
{
	bool plain = *value && !strpbrk(value, " \t\"\\");

	if (plain)
		return buffer_put(out, value, strlen(value));
	buffer_put_u8(out, '"');
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			buffer_put_u8(out, '\\');
		buffer_put_u8(out, (uint8_t)*p);
	}
	return buffer_put_u8(out, '"');
}

/* A URL with "***" for its user, and for its path and query when told. */
static int print_masked_url(struct buffer *out, const char *url)
{
	struct url_parts parts;

	if (url_split(&parts, view_str(url)))
		return buffer_printf(out, "%s", url); /* "none" */
	buffer_put(out, parts.scheme.p, parts.scheme.n);
	buffer_printf(out, "://%s", parts.user.p ? "***@" : "");
	buffer_put(out, parts.host.p, parts.host.n);
	if (parts.rest.n > 1)
		buffer_printf(out, "/***");
	return out->failed ? -1 : 0;
}

static int print_option(
	struct buffer *out, const struct option *o, const char *value, bool secrets)
{
	buffer_printf(out, " %s=", o->key);
	if (!secrets && (o->check == check_ws || o->check == check_proxy))
		return print_masked_url(out, value);
	if (!secrets && o->check == check_basic)
		return buffer_printf(out, "***");
	return print_value(out, value);
}

static int print_headers(struct buffer *out, const struct endpoint *e, bool secrets)
{
	for (unsigned i = 0; i < e->header_count; i++) {
		struct view h = view_str(e->header[i]);

		if (secrets)
			print_option(out, &header_option, e->header[i], true);
		else
			buffer_printf(out, " header=\"%.*s: ***\"",
				(int)view_find(h, ':'), e->header[i]);
	}
	return out->failed ? -1 : 0;
}

int endpoint_print(struct buffer *out, const struct endpoint *e, bool secrets)
{
	if (secrets)
		print_value(out, e->url);
	else
		print_masked_url(out, e->url);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const struct option *o = &options[i];
		const char *value = (const char *)e + o->offset;

		/* A name of our own making is not printed: it holds "://". */
		if (*value && !(o->check == check_name && strchr(value, ':')))
			print_option(out, o, value, secrets);
		if (i == 0)
			print_headers(out, e, secrets);
	}
	return out->failed ? -1 : 0;
}
