/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/stamp.h"

#include <stdlib.h>

#include "base/units.h"

#define HOUR       (3600 * USEC_PER_SEC)
#define MINUTE     (60 * USEC_PER_SEC)
#define BITS_LEAST 64

static const char alnum[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void derive(struct hmac_sha256_ctx *key, const struct stamp_keys *k, uint64_t hour)
{
	struct hmac_sha256_ctx c = k->given;
	uint8_t word[8], derived[SHA256_DIGEST_SIZE];

	be64_store(word, hour);
	hmac_sha256_update(&c, sizeof word, word);
	hmac_sha256_digest(&c, sizeof derived, derived);
	hmac_sha256_set_key(key, sizeof derived, derived);
	explicit_bzero(derived, sizeof derived);
	explicit_bzero(&c, sizeof c);
}

static void take_hour(struct stamp_keys *k, uint64_t hour)
{
	derive(&k->now, k, hour);
	derive(&k->before, k, hour - 1);
	k->hour = hour;
}

void stamp_keys_begin(struct stamp_keys *k, const uint8_t key[32], usec now)
{
	hmac_sha256_set_key(&k->given, 32, key);
	take_hour(k, now / HOUR);
}

void stamp_keys_turn(struct stamp_keys *k, usec now)
{
	if (now / HOUR != k->hour)
		take_hour(k, now / HOUR);
}

/* One piece of a template. */
struct piece {
	enum {
		PIECE_END,
		PIECE_LITERAL,
		PIECE_TIME,
		PIECE_MAC,
		PIECE_ALNUM,
		PIECE_WRONG
	} kind;
	char letter;  /* of a literal */
	bool capital; /* hex digits */
	unsigned n;   /* digits; 0: decimal time */
};

static struct piece take_piece(const char **at)
{
	struct piece p = {.kind = PIECE_LITERAL, .letter = **at};
	const char *end;
	uint64_t count;
	char word[12];
	size_t n;

	if (!**at)
		return (struct piece){.kind = PIECE_END};
	if (**at != '{') {
		++*at;
		return p;
	}
	end = strchr(*at, '}');
	n = end ? (size_t)(end - *at - 1) : 0;
	if (!n || n >= sizeof word)
		return (struct piece){.kind = PIECE_WRONG};
	memcpy(word, *at + 1, n);
	word[n] = 0;
	*at = end + 1;
	if (!strcmp(word, "time"))
		return (struct piece){.kind = PIECE_TIME};
	if (!strcmp(word, "time8"))
		return (struct piece){.kind = PIECE_TIME, .n = 8};
	p.kind = !strncmp(word, "alnum", 5)                          ? PIECE_ALNUM :
		!strncmp(word, "mac", 3) || !strncmp(word, "MAC", 3) ? PIECE_MAC :
								       PIECE_WRONG;
	p.capital = word[0] == 'M';
	if (p.kind == PIECE_WRONG ||
		view_decimal(
			view_str(word + (p.kind == PIECE_ALNUM ? 5 : 3)), 64, &count) ||
		!count)
		return (struct piece){.kind = PIECE_WRONG};
	p.n = (unsigned)count;
	return p;
}

int stamp_template_check(const char *template, struct error *err)
{
	unsigned nibbles = 0, bytes = 0, n = 0;
	struct piece p;

	while ((p = take_piece(&template)).kind != PIECE_END) {
		if (p.kind == PIECE_WRONG)
			return error_set(err,
				"holds a placeholder that is none; there are {time}, "
				"{time8}, {macN}, {MACN} and {alnumN}");
		if (p.kind == PIECE_MAC)
			nibbles += p.n;
		if (p.kind == PIECE_ALNUM)
			bytes += p.n;
		n += p.kind == PIECE_LITERAL ? 1 : p.n ? p.n : 10;
	}
	if (n >= STAMP_TEXT_MAX || nibbles + 2 * bytes > 2 * SHA256_DIGEST_SIZE)
		return error_set(err, "is too long; 79 characters and 64 of {mac} fit");
	/* 62 letters are 5.95 bits each; counted as 5. */
	if (nibbles * 4 + bytes * 5 < BITS_LEAST)
		return error_set(
			err, "could be guessed; write at least {mac16} or {alnum13}");
	return 0;
}

static void digest(uint8_t mac[SHA256_DIGEST_SIZE], const struct hmac_sha256_ctx *key,
	enum stamp_purpose purpose, const struct address *a, struct view scope,
	uint64_t time)
{
	struct hmac_sha256_ctx c = *key;
	uint8_t head[1 + 8 + 1 + 16];

	head[0] = (uint8_t)purpose;
	be64_store(head + 1, time);
	head[9] = a->family;
	memcpy(head + 10, a->bytes, 16);
	hmac_sha256_update(&c, sizeof head, head);
	hmac_sha256_update(&c, scope.n, scope.p ? scope.p : head);
	hmac_sha256_digest(&c, SHA256_DIGEST_SIZE, mac);
}

/* As much of n characters as is left. */
static size_t put(char *dst, size_t left, const char *text, size_t n)
{
	n = n < left ? n : left;
	memcpy(dst, text, n);
	return n;
}

static size_t put_hex8(char *dst, size_t left, uint32_t v)
{
	char text[8];

	for (size_t i = sizeof text; i-- > 0; v >>= 4)
		text[i] = "0123456789abcdef"[v & 15];
	return put(dst, left, text, sizeof text);
}

static size_t put_decimal(char *dst, size_t left, uint64_t v)
{
	char text[DECIMAL_MAX];

	return put(dst, left, text, decimal_put(text, v));
}

static size_t render(char dst[STAMP_TEXT_MAX], const char *template,
	const uint8_t mac[SHA256_DIGEST_SIZE], uint64_t seconds)
{
	size_t n = 0, nibble = 0;
	struct piece p;

	while ((p = take_piece(&template)).kind != PIECE_END && n + 1 < STAMP_TEXT_MAX) {
		size_t left = STAMP_TEXT_MAX - n;

		if (p.kind == PIECE_LITERAL)
			dst[n++] = p.letter;
		else if (p.kind == PIECE_TIME)
			n += p.n ? put_hex8(dst + n, left, (uint32_t)seconds) :
				   put_decimal(dst + n, left, seconds);
		for (unsigned i = 0;
			p.kind == PIECE_MAC && i < p.n && n + 1 < STAMP_TEXT_MAX;
			i++, nibble++) {
			unsigned v = mac[nibble / 2 % SHA256_DIGEST_SIZE];

			v = nibble % 2 ? v & 15 : v >> 4;
			dst[n++] = (p.capital ? "0123456789ABCDEF" :
						"0123456789abcdef")[v];
		}
		for (unsigned i = 0;
			p.kind == PIECE_ALNUM && i < p.n && n + 1 < STAMP_TEXT_MAX;
			i++, nibble += 2)
			dst[n++] = alnum[mac[nibble / 2 % SHA256_DIGEST_SIZE] % 62];
	}
	if (n >= STAMP_TEXT_MAX)
		n = STAMP_TEXT_MAX - 1;
	dst[n] = 0;
	return n;
}

static bool has_time(const char *template)
{
	return strstr(template, "{time") != NULL;
}

/* What stands for the time in the HMAC. */
static uint64_t slot_of(const char *template, usec t)
{
	return has_time(template) ? t / USEC_PER_SEC : t / MINUTE;
}

size_t stamp_make(const struct stamp_keys *k, char dst[STAMP_TEXT_MAX],
	const char *template, enum stamp_purpose purpose, const struct address *a,
	struct view scope, usec now)
{
	uint8_t mac[SHA256_DIGEST_SIZE];

	digest(mac, &k->now, purpose, a, scope, slot_of(template, now));
	return render(dst, template, mac, now / USEC_PER_SEC);
}

void stamp_make_nonces(const struct stamp_keys *k, char *const dst[2],
	const char *const templates[2], const struct address *a, struct view scope,
	usec now)
{
	uint8_t mac[SHA256_DIGEST_SIZE];

	digest(mac, &k->now, STAMP_NONCE, a, scope, slot_of(templates[0], now));
	for (unsigned i = 0; i < 2; i++)
		render(dst[i], templates[i], mac, now / USEC_PER_SEC);
}

static bool same(struct view text, const char *made, size_t n)
{
	unsigned differs = 0;

	if (text.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differs |= (unsigned)(text.p[i] ^ (uint8_t)made[i]);
	return !differs;
}

/* Whether text was made at this time, under the key that was in use then. */
static bool made_at(const struct stamp_keys *k, struct view text, const char *template,
	enum stamp_purpose purpose, const struct address *a, struct view scope, usec t)
{
	uint8_t mac[SHA256_DIGEST_SIZE];
	char made[STAMP_TEXT_MAX];
	uint64_t hour = t / HOUR;

	if (hour != k->hour && hour + 1 != k->hour)
		return false;
	digest(mac, hour == k->hour ? &k->now : &k->before, purpose, a, scope,
		slot_of(template, t));
	return same(text, made, render(made, template, mac, t / USEC_PER_SEC));
}

/* The time that stands in a text of this template. Returns 0, or -1: none does. */
static int read_time(uint64_t *seconds, struct view text, const char *template)
{
	char digits[9] = "";
	struct piece p;
	size_t n;

	while ((p = take_piece(&template)).kind != PIECE_TIME) {
		n = p.kind == PIECE_LITERAL ? 1 : p.n;
		if (p.kind == PIECE_END || p.kind == PIECE_WRONG || n >= text.n)
			return -1;
		text = view_from(text, n);
	}
	if (p.n) {
		if (text.n < 8)
			return -1;
		memcpy(digits, text.p, 8);
		*seconds = strtoull(digits, NULL, 16);
		return 0;
	}
	for (n = 0; n < text.n && text.p[n] >= '0' && text.p[n] <= '9'; n++)
		;
	return view_decimal(view_head(text, n), UINT32_MAX, seconds);
}

enum stamp_verdict stamp_check(const struct stamp_keys *k, struct view text,
	const char *template, enum stamp_purpose purpose, const struct address *a,
	struct view scope, usec now, usec *issued)
{
	uint64_t seconds;
	usec t;

	if (!text.n || text.n >= STAMP_TEXT_MAX)
		return STAMP_FOREIGN;
	if (has_time(template)) {
		if (read_time(&seconds, text, template))
			return STAMP_FOREIGN;
		t = seconds * USEC_PER_SEC;
		if (!made_at(k, text, template, purpose, a, scope, t))
			return STAMP_FOREIGN;
		if (issued)
			*issued = t;
		return t + NONCE_LIFE < now || t > now + USEC_PER_SEC ? STAMP_EXPIRED :
									STAMP_OURS;
	}
	for (t = now; t + TAG_LIFE > now; t -= MINUTE) {
		if (made_at(k, text, template, purpose, a, scope, t)) {
			if (issued)
				*issued = t / MINUTE * MINUTE;
			return STAMP_OURS;
		}
		if (t < MINUTE)
			break;
	}
	return STAMP_FOREIGN;
}
