/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_FIELD_H
#define SIP_FIELD_H

#include "base/bytes.h"

/*
 * Values of SIP header fields (RFC 3261 section 25), taken apart without
 * copying: every view points into the message. A folded value (7.3.1) is one
 * view with its line breaks inside; CR and LF count as white space here.
 * Functions return 0, or -1 when the text does not follow the grammar; what
 * they then wrote is undefined.
 */

/* sip:, sips: and tel: URIs; any other scheme has only scheme and host set. */
struct sip_uri {
	struct view scheme;
	struct view user; /* without password; a tel: number without parameters */
	struct view host; /* without brackets; empty for tel: */
	struct view port;
	struct view parameters; /* after the first ';' behind the host */
};

/* From, To, Contact: name-addr or addr-spec with parameters. */
struct sip_party {
	struct view display; /* without its quotes, escapes kept */
	struct view uri;     /* the whole addr-spec */
	struct sip_uri parts;
	struct view tag;
};

/* The topmost Via. */
struct sip_via {
	struct view transport; /* "UDP" */
	struct view host;      /* sent-by, without brackets */
	struct view port;
	struct view branch;
	struct view received;
	struct view rport; /* its value; empty when only asked for */
	bool wants_rport;
};

/*
 * One Digest challenge or credentials (RFC 7616). Quoted values come without
 * their quotes, escapes kept: a client sends back what it was sent, byte for
 * byte.
 */
struct sip_digest {
	bool proxy; /* from Proxy-Authenticate or Proxy-Authorization */
	bool stale;
	struct view username, realm, nonce, response, uri;
};

int sip_uri_parse(struct sip_uri *u, struct view text);
int sip_party_parse(struct sip_party *p, struct view text);
int sip_via_parse(struct sip_via *v, struct view text);

/*
 * Returns 1 when the scheme is another than Digest (nothing is written).
 * Parameter names are matched whole, so that `cnonce` is never `nonce`; a
 * repeated parameter is an error, since a PBX may believe either.
 */
int sip_digest_parse(struct sip_digest *d, struct view text);

/* "314159 INVITE". The number is at most 2^31 - 1 (8.1.1.5). */
int sip_cseq_parse(uint32_t *number, struct view *method, struct view text);

/*
 * Take the next "name [= value]" off *rest, up to the separator (';' or ',').
 * A quoted value is returned without its quotes. Returns 1, 0 at the end, -1
 * on bad grammar.
 */
int sip_param_next(
	struct view *rest, uint8_t separator, struct view *name, struct view *value);

/*
 * The first of a comma-separated list (Via, Contact); commas within quotes
 * and angle brackets do not count.
 */
struct view sip_list_first(struct view text);

/*
 * Whether c may stand in a token (25.1): alphanum and - . ! % * _ + ` ' ~
 * Inline over a bit map, as every byte of every message passes here.
 */
static inline bool sip_token_char(uint8_t c)
{
	static const uint32_t bits[4] = {0x00000000, 0x03ff6ca2, 0x87fffffe, 0x47ffffff};

	return c < 128 && (bits[c >> 5] >> (c & 31)) & 1;
}

/* view_find() by memchr(3), for the long views that headers are. */
static inline size_t sip_find(struct view v, uint8_t c)
{
	const uint8_t *hit = v.n ? memchr(v.p, c, v.n) : NULL;

	return hit ? (size_t)(hit - v.p) : v.n;
}

#endif
