/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/message.h"

enum header {
	HEADER_OTHER = 0,
	HEADER_VIA,
	HEADER_FROM,
	HEADER_TO,
	HEADER_CALL_ID,
	HEADER_CSEQ,
	HEADER_CONTACT,
	HEADER_USER_AGENT,
	HEADER_SERVER,
	HEADER_CONTENT_LENGTH,
	HEADER_EXPIRES,
	HEADER_AUTHORIZATION,
	HEADER_PROXY_AUTHORIZATION,
	HEADER_WWW_AUTHENTICATE,
	HEADER_PROXY_AUTHENTICATE,
};

/* Compact forms are of RFC 3261 20. */
static const struct {
	const char *name;
	uint8_t length;
	char compact;
	uint8_t header;
} header_names[] = {
	{"Via", 3, 'v', HEADER_VIA},
	{"From", 4, 'f', HEADER_FROM},
	{"To", 2, 't', HEADER_TO},
	{"Call-ID", 7, 'i', HEADER_CALL_ID},
	{"CSeq", 4, 0, HEADER_CSEQ},
	{"Contact", 7, 'm', HEADER_CONTACT},
	{"User-Agent", 10, 0, HEADER_USER_AGENT},
	{"Server", 6, 0, HEADER_SERVER},
	{"Content-Length", 14, 'l', HEADER_CONTENT_LENGTH},
	{"Expires", 7, 0, HEADER_EXPIRES},
	{"Authorization", 13, 0, HEADER_AUTHORIZATION},
	{"Proxy-Authorization", 19, 0, HEADER_PROXY_AUTHORIZATION},
	{"WWW-Authenticate", 16, 0, HEADER_WWW_AUTHENTICATE},
	{"Proxy-Authenticate", 18, 0, HEADER_PROXY_AUTHENTICATE},
};

static const struct {
	const char *name;
	enum sip_method method;
} method_names[] = {
	{"INVITE", SIP_INVITE},
	{"ACK", SIP_ACK},
	{"BYE", SIP_BYE},
	{"CANCEL", SIP_CANCEL},
	{"REGISTER", SIP_REGISTER},
	{"OPTIONS", SIP_OPTIONS},
	{"PRACK", SIP_PRACK},
	{"SUBSCRIBE", SIP_SUBSCRIBE},
	{"NOTIFY", SIP_NOTIFY},
	{"PUBLISH", SIP_PUBLISH},
	{"INFO", SIP_INFO},
	{"REFER", SIP_REFER},
	{"MESSAGE", SIP_MESSAGE},
	{"UPDATE", SIP_UPDATE},
};

/* What the parser remembers while it walks the headers. */
struct parse {
	struct sip_message *m;
	unsigned seen; /* bit per enum header */
	const char *why;
};

/* Every failure passes here: the reason is a literal, never packet text. */
static int bad(struct parse *p, const char *why)
{
	p->why = why;
	return -1;
}

enum sip_method sip_method_of(struct view name)
{
	for (size_t i = 0; name.n && i < sizeof method_names / sizeof *method_names; i++)
		if (name.p[0] == (uint8_t)method_names[i].name[0] &&
			view_eq(name, view_str(method_names[i].name)))
			return method_names[i].method;
	return SIP_OTHER;
}

static enum header header_of(struct view name)
{
	uint8_t first = name.p[0] | 0x20;

	for (size_t i = 0; i < sizeof header_names / sizeof *header_names; i++) {
		if (name.n == 1 && first == (uint8_t)header_names[i].compact)
			return header_names[i].header;
		if (name.n == header_names[i].length &&
			first == (uint8_t)(header_names[i].name[0] | 0x20) &&
			view_eq_nocase(name, header_names[i].name))
			return header_names[i].header;
	}
	return HEADER_OTHER;
}

/* Take one line off *rest, without its CRLF or LF. False at the end of bytes. */
static bool take_line(struct view *rest, struct view *line)
{
	size_t n = sip_find(*rest, '\n');

	if (n == rest->n)
		return false;
	*line = view_head(*rest, n && rest->p[n - 1] == '\r' ? n - 1 : n);
	*rest = view_from(*rest, n + 1);
	return true;
}

/*
 * Take one header with its continuation lines. *line then spans them all,
 * line breaks inside. 1 for a header, 0 for the empty line, -1 at the end.
 */
static int take_header(struct view *rest, struct view *line)
{
	struct view more;

	if (!take_line(rest, line))
		return -1;
	if (!line->n)
		return 0;
	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		if (!take_line(rest, &more))
			return -1;
		line->n = (size_t)(more.p + more.n - line->p);
	}
	return 1;
}

/*
 * Neither NUL nor a CR without its LF may stand in a header: PBXs disagree
 * about where such a value ends, which is what forged log lines live on.
 */
static bool line_is_clean(struct view line)
{
	if (sip_find(line, 0) < line.n)
		return false;
	for (size_t cr; (cr = sip_find(line, '\r')) < line.n;
		line = view_from(line, cr + 1))
		if (cr + 1 == line.n || line.p[cr + 1] != '\n')
			return false;
	return true;
}

static int parse_status_line(struct parse *p, struct view line)
{
	struct view rest = view_from(line, 8); /* behind "SIP/2.0 " */
	uint64_t code;

	if (view_decimal(view_head(rest, 3), 699, &code) || code < 100)
		return bad(p, "status code out of range");
	rest = view_from(rest, 3);
	/* The space before an empty reason is often left out. */
	if (rest.n && rest.p[0] != ' ')
		return bad(p, "status code out of range");
	p->m->status = (unsigned)code;
	p->m->reason = view_trim(rest);
	return 0;
}

static int parse_request_line(struct parse *p, struct view line)
{
	size_t first = view_find(line, ' '), last = view_rfind(line, ' ');
	struct sip_message *m = p->m;

	m->request = true;
	m->method_name = view_head(line, first);
	m->method = sip_method_of(m->method_name);
	if (first == last || !first)
		return bad(p, "request line without method or URI");
	for (size_t i = 0; i < first; i++)
		if (!sip_token_char(line.p[i]))
			return bad(p, "method is no token");
	m->uri = (struct view){line.p + first + 1, last - first - 1};
	if (sip_uri_parse(&m->target, m->uri))
		return bad(p, "Request-URI");
	return 0;
}

/*
 * The start line decides whether this is SIP at all: "SIP/2.0 ..." or
 * "... SIP/x.y". Returns 0, 1 when it is foreign, -1 when malformed.
 */
static int parse_start_line(struct parse *p, struct view line)
{
	struct view version = view_from(line, view_rfind(line, ' ') + 1);

	if (!line_is_clean(line))
		return view_find_str(line, "SIP/2.0") < line.n ?
			bad(p, "NUL or bare CR in the start line") :
			1;
	if (line.n >= 8 && view_eq_nocase(view_head(line, 8), "SIP/2.0 "))
		return parse_status_line(p, line);
	if (view_eq_nocase(version, "SIP/2.0"))
		return parse_request_line(p, line);
	if (version.n > 4 && view_eq_nocase(view_head(version, 4), "SIP/")) {
		p->m->request = true;
		return bad(p, "SIP version other than 2.0");
	}
	if (view_find_str(line, " SIP/2.0") < line.n) {
		p->m->request = true;
		return bad(p, "bytes behind the SIP version");
	}
	return 1;
}

static int add_digest(struct parse *p, struct view value, bool proxy,
	struct sip_digest *list, unsigned *n)
{
	struct sip_digest d = {.proxy = proxy};

	switch (sip_digest_parse(&d, value)) {
	case 0:
		if (*n == SIP_DIGESTS_MAX)
			return bad(p, "too many Digest headers");
		list[(*n)++] = d;
		return 0;
	case 1:
		return 0; /* Basic, Bearer, ...: nothing that we can match */
	default:
		return bad(p, "Digest parameters");
	}
}

/* A header that may stand once: true when it is the second. */
static bool repeated(struct parse *p, enum header h)
{
	bool again = p->seen & (1u << h);

	p->seen |= 1u << h;
	return again;
}

static int parse_length(struct parse *p, struct view value)
{
	uint64_t n;

	if (repeated(p, HEADER_CONTENT_LENGTH))
		return bad(p, "more than one Content-Length");
	if (view_decimal(value, INT32_MAX, &n))
		return bad(p, "Content-Length is no number");
	p->m->content_length = (int64_t)n;
	return 0;
}

/* The four headers that name the transaction. */
static int parse_identity(struct parse *p, enum header h, struct view value)
{
	struct sip_message *m = p->m;

	switch ((int)h) {
	case HEADER_FROM:
		if (repeated(p, h))
			return bad(p, "more than one From");
		return sip_party_parse(&m->from, value) ? bad(p, "From") : 0;
	case HEADER_TO:
		if (repeated(p, h))
			return bad(p, "more than one To");
		return sip_party_parse(&m->to, value) ? bad(p, "To") : 0;
	case HEADER_CALL_ID:
		if (repeated(p, h))
			return bad(p, "more than one Call-ID");
		m->call_id = value;
		return value.n ? 0 : bad(p, "empty Call-ID");
	default:
		if (repeated(p, h))
			return bad(p, "more than one CSeq");
		return sip_cseq_parse(&m->cseq, &m->cseq_method, value) ? bad(p, "CSeq") :
									  0;
	}
}

static int parse_header(struct parse *p, enum header h, struct view value)
{
	struct sip_message *m = p->m;
	uint64_t number;

	switch (h) {
	case HEADER_VIA:
		if (repeated(p, h))
			return 0; /* only the topmost counts */
		return sip_via_parse(&m->via, value) ? bad(p, "Via") : 0;
	case HEADER_FROM:
	case HEADER_TO:
	case HEADER_CALL_ID:
	case HEADER_CSEQ:
		return parse_identity(p, h, value);
	case HEADER_CONTACT:
		/* The first is enough, and "*" is none. */
		if (!repeated(p, h) &&
			sip_party_parse(&m->contact, sip_list_first(value)))
			m->contact = (struct sip_party){0};
		return 0;
	case HEADER_USER_AGENT:
		m->agent = value;
		return 0;
	case HEADER_SERVER:
		if (!m->agent.n)
			m->agent = value;
		return 0;
	case HEADER_CONTENT_LENGTH:
		return parse_length(p, value);
	case HEADER_EXPIRES:
		if (!view_decimal(value, UINT32_MAX, &number))
			m->expires = (int64_t)number;
		return 0;
	case HEADER_AUTHORIZATION:
	case HEADER_PROXY_AUTHORIZATION:
		return add_digest(p, value, h == HEADER_PROXY_AUTHORIZATION,
			m->credentials, &m->n_credentials);
	case HEADER_WWW_AUTHENTICATE:
	case HEADER_PROXY_AUTHENTICATE:
		return add_digest(p, value, h == HEADER_PROXY_AUTHENTICATE, m->challenges,
			&m->n_challenges);
	case HEADER_OTHER:
	default:
		return 0;
	}
}

/* "name *( SP / HTAB ) : value" (7.3.1, HCOLON). */
static int split_header(struct parse *p, struct view line)
{
	size_t colon = sip_find(line, ':');
	size_t n = 0;

	if (!line_is_clean(line))
		return bad(p, "NUL or bare CR in a header");
	while (n < colon && sip_token_char(line.p[n]))
		n++;
	if (!n || colon == line.n)
		return bad(p, "line without a header name");
	for (size_t i = n; i < colon; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t')
			return bad(p, "header name is no token");
	return parse_header(
		p, header_of(view_head(line, n)), view_trim(view_from(line, colon + 1)));
}

/* What RFC 3261 8.1.1 demands of every message. */
static int check_whole(struct parse *p, struct view rest)
{
	const unsigned need = 1u << HEADER_VIA | 1u << HEADER_FROM | 1u << HEADER_TO |
		1u << HEADER_CALL_ID | 1u << HEADER_CSEQ;
	struct sip_message *m = p->m;

	if ((p->seen & need) != need)
		return bad(p, "Via, From, To, Call-ID or CSeq is missing");
	if (m->request && !view_eq(m->cseq_method, m->method_name))
		return bad(p, "CSeq names another method");
	if (!m->request)
		m->method = sip_method_of(m->cseq_method);
	m->body = rest;
	if (m->content_length >= 0) {
		if ((uint64_t)m->content_length > rest.n)
			return bad(p, "Content-Length is more than there is");
		m->body = view_head(rest, (size_t)m->content_length);
	}
	return 0;
}

static int parse_headers(struct parse *p, struct view rest)
{
	unsigned count = 0;
	struct view line;
	int got;

	while ((got = take_header(&rest, &line)) > 0) {
		if (++count > SIP_HEADERS_MAX)
			return bad(p, "too many headers");
		if (split_header(p, line))
			return -1;
	}
	if (got < 0)
		return bad(p, "no empty line behind the headers");
	return check_whole(p, rest);
}

static bool is_keepalive(struct view packet)
{
	for (size_t i = 0; i < packet.n; i++)
		if (packet.p[i] != '\r' && packet.p[i] != '\n' && packet.p[i])
			return false;
	return true;
}

enum sip_verdict sip_parse(struct sip_message *m, struct view packet, const char **why)
{
	struct parse p = {.m = m, .why = ""};
	struct view line, rest = packet;
	int got;

	memset(m, 0, sizeof *m);
	m->content_length = m->expires = -1;
	if (why)
		*why = "";
	if (is_keepalive(view_head(packet, 16)) && is_keepalive(packet))
		return SIP_KEEPALIVE;
	/* Empty lines before the start line are ignored (7.5). */
	while (rest.n && (rest.p[0] == '\r' || rest.p[0] == '\n'))
		rest = view_from(rest, 1);
	if (!take_line(&rest, &line)) {
		line = rest;
		rest = (struct view){0};
	}
	got = parse_start_line(&p, line);
	if (got > 0)
		return SIP_FOREIGN;
	if (!got && packet.n > SIP_MESSAGE_MAX)
		got = bad(&p, "longer than 64 KiB");
	if (!got)
		got = parse_headers(&p, rest);
	if (!got)
		return SIP_VALID;
	if (why)
		*why = p.why;
	return SIP_MALFORMED;
}
