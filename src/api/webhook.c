/* SPDX-License-Identifier: Apache-2.0 */
/* What may be configured, how a batch is named and signed, what an answer means. */
#include "api/webhook.h"

#include <inttypes.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/redact.h"
#include "base/url.h"

#define PREFIX "whsec_"

/* --- the URL --- */

int webhook_url_check(
	struct webhook_url *out, const char *url, bool insecure, struct error *err)
{
	static const char *const schemes[] = {"https://", "http://", NULL};
	struct webhook_url where = {.tls = !strncmp(url, "https://", 8)};
	struct url_parts parts;
	const char *wrong;

	if (strlen(url) >= WEBHOOK_URL_MAX)
		return error_set(err, "it is longer than %d bytes", WEBHOOK_URL_MAX - 1);
	if (!where.tls && strncmp(url, "http://", 7))
		return error_set(
			err, "it must begin with https:// (or http:// on this machine)");
	wrong = url_check(url, schemes);
	if (wrong)
		return error_set(err, "%s", wrong);
	/* libcurl would take the first part of the path for the host. */
	if (url_split(&parts, view_str(url)) || parts.host.n == 0)
		return error_set(err, "it has no host");
	if (parts.user.p)
		return error_set(err,
			"it has a user or a password in it: take it out; the receiver "
			"knows the node by the signature (secret_file)");
	if (url_host(where.host, sizeof where.host, &where.port, url))
		return error_set(err, "its host or its port is none");
	where.loopback = url_is_loopback(url);
	if (!where.tls && !where.loopback && !insecure)
		return error_set(err,
			"http:// to %s goes readable over the network: write https://, or "
			"insecure = yes where the way there is protected otherwise",
			escaped(view_str(where.host)));
	if (out)
		*out = where;
	return 0;
}

/* --- secrets --- */

int webhook_secret_read(struct webhook_secret *out, struct view text, struct error *err)
{
	uint8_t bytes[BASE64_DECODE_LENGTH(WEBHOOK_SECRET_TEXT)];
	struct base64_decode_ctx ctx;
	size_t n = sizeof bytes;
	struct view coded = view_from(text, strlen(PREFIX));
	int rc = -1;

	memset(out, 0, sizeof *out);
	if (!view_starts(text, PREFIX)) {
		error_set(err, "a secret begins with " PREFIX ", then base64");
		return -1;
	}
	base64_decode_init(&ctx);
	/* It passes over blanks, which a secret has none of. */
	for (size_t i = 0; i < coded.n; i++)
		if (coded.p[i] <= ' ')
			coded.n = 0;
	if (coded.n == 0 || coded.n >= WEBHOOK_SECRET_TEXT ||
		!base64_decode_update(&ctx, &n, bytes, coded.n, (const char *)coded.p) ||
		!base64_decode_final(&ctx))
		error_set(err, "behind " PREFIX " stands no base64 of %d to %d bytes",
			WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
	else if (n < WEBHOOK_SECRET_MIN || n > WEBHOOK_SECRET_MAX)
		error_set(err,
			"a secret has %d to %d bytes, not %zu: make one with: "
			"echo " PREFIX "$(head -c 32 /dev/urandom | base64)",
			WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX, n);
	else
		rc = 0;
	if (!rc) {
		memcpy(out->bytes, bytes, n);
		out->n = (uint8_t)n;
	}
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(&ctx, sizeof ctx);
	return rc;
}

/* --- types of events --- */

const char *const webhook_event_types[] = {"allow", "ban", "bans", "detection", "expired",
	"hit", "ledger", "objection", "pass", "published", "reload", "report",
	"revocation", "trouble", "unban", NULL};

int webhook_types_add(webhook_types *types, struct view word, struct error *err)
{
	char all[200];
	size_t n = 0;

	for (unsigned i = 0; webhook_event_types[i]; i++) {
		if (view_eq(word, view_str(webhook_event_types[i]))) {
			*types |= 1U << i;
			return 0;
		}
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "",
			webhook_event_types[i]);
	}
	return error_set(err, "there are no events of type \"%s\"; there are %s",
		escaped(word), all);
}

bool webhook_wants(webhook_types types, const char *type)
{
	if (types == 0)
		return true;
	for (unsigned i = 0; webhook_event_types[i]; i++)
		if (!strcmp(webhook_event_types[i], type))
			return types >> i & 1;
	return false;
}

/* --- the name and the signature --- */

char *webhook_id(char dst[WEBHOOK_ID_MAX], struct view random, const char *webhook,
	uint64_t first, uint64_t last)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char hex[2 * 16 + 1];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, random.n, random.p);
	/* With its NUL: no two pairs of them run together alike. */
	sha256_update(&ctx, strlen(webhook) + 1, (const uint8_t *)webhook);
	sha256_digest(&ctx, sizeof digest, digest);
	snprintf(dst, WEBHOOK_ID_MAX, "evt_%s_%" PRIu64 "_%" PRIu64,
		hex_encode(hex, digest, 16), first, last);
	return dst;
}

/* "v1,BASE64" and a NUL at dst; returns its length. */
static size_t sign_one(char *dst, const struct webhook_secret *secret, const char *id,
	uint64_t timestamp, struct view body)
{
	uint8_t mac[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx ctx;
	char text[24];
	int n = snprintf(text, sizeof text, ".%" PRIu64 ".", timestamp);
	size_t coded = BASE64_ENCODE_RAW_LENGTH(sizeof mac);

	hmac_sha256_set_key(&ctx, secret->n, secret->bytes);
	hmac_sha256_update(&ctx, strlen(id), (const uint8_t *)id);
	hmac_sha256_update(&ctx, (size_t)n, (const uint8_t *)text);
	hmac_sha256_update(&ctx, body.n, body.p);
	hmac_sha256_digest(&ctx, sizeof mac, mac);
	explicit_bzero(&ctx, sizeof ctx);
	memcpy(dst, "v1,", 3);
	base64_encode_raw(dst + 3, sizeof mac, mac);
	dst[3 + coded] = '\0';
	return 3 + coded;
}

char *webhook_sign(char dst[WEBHOOK_SIGNATURE_MAX],
	const struct webhook_secret *const secret[WEBHOOK_SECRETS_MAX], const char *id,
	uint64_t timestamp, struct view body)
{
	size_t n = 0;

	dst[0] = '\0';
	for (unsigned i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
		if (!secret[i] || secret[i]->n == 0)
			continue;
		if (n > 0)
			dst[n++] = ' ';
		n += sign_one(dst + n, secret[i], id, timestamp, body);
	}
	return dst;
}

/* --- what came of it --- */

#define QUOTE_MAX 200 /* characters of an answer that are shown */

/* The first line of an answer's text, in quotes, or "". */
static const char *quote(char dst[QUOTE_MAX + 8], const char *url, struct view text)
{
	size_t end = 0, n;

	text = view_trim(text);
	while (end < text.n && text.p[end] != '\r' && text.p[end] != '\n')
		end++;
	text = view_trim(view_head(text, end));
	dst[0] = '\0';
	if (text.n == 0)
		return dst;
	memcpy(dst, ": \"", 3);
	url_redact(dst + 3, QUOTE_MAX + 1, url, text);
	n = strlen(dst);
	memcpy(dst + n, "\"", 2);
	return dst;
}

/* What a status says to whoever runs the receiver. */
static const char *hint(unsigned status)
{
	switch (status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return " (a redirect, which is not followed: write the new place into url)";
	case 401:
	case 403:
		return " (it refuses the signature or the sender: is secret_file the same "
		       "there?)";
	case 404:
	case 405:
		return " (nothing takes a POST at this path of url)";
	case 410:
		return " (it wants no more)";
	case 413:
		return " (the batch is too large for it: let it take 256 KiB)";
	default:
		return "";
	}
}

void webhook_judge(struct webhook_outcome *out, const char *url, unsigned status,
	int64_t retry_after, struct view text)
{
	char quoted[QUOTE_MAX + 8];

	out->status = status;
	out->retry_s = 0;
	out->reason.text[0] = '\0';
	if (status >= 200 && status <= 299) {
		out->verdict = WEBHOOK_DELIVERED;
		return;
	}
	out->verdict = status == 410 ? WEBHOOK_GONE : WEBHOOK_LATER;
	if ((status == 429 || status == 503) && retry_after > 0)
		out->retry_s = retry_after < WEBHOOK_RETRY_MAX ? (uint32_t)retry_after :
								 WEBHOOK_RETRY_MAX;
	error_set(&out->reason, "HTTP %u%s%s", status, hint(status),
		quote(quoted, url, text));
}

void webhook_failure(
	struct webhook_outcome *out, const char *url, const char *text, bool foreign)
{
	char clean[QUOTE_MAX + 1];

	out->verdict = WEBHOOK_LATER;
	out->retry_s = 0;
	if (foreign)
		url_redact(clean, sizeof clean, url, view_str(text));
	error_set(&out->reason, "%s", foreign ? clean : text);
}

usec webhook_wait(unsigned failures, uint32_t random, uint32_t retry_s)
{
	usec most = WEBHOOK_BACKOFF_MOST, asked = retry_s * USEC_PER_SEC;
	usec wait = WEBHOOK_BACKOFF_MIN;

	for (unsigned i = 1; i < failures && wait < most; i++)
		wait *= 2;
	if (wait > most)
		wait = most;
	wait = wait / 2 + ((wait / 2 * random) >> 32);
	return wait > asked ? wait : asked;
}
