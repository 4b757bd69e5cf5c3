/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/kamailio_log.h"
#include "base/escape.h"
#include "base/hex.h"
#include "sense/event_time.h"
#include "sip/message.h"

#define MARK "SIPCHAIN "

/*
 * A line's clock may be ahead of ours by so much; microseconds. Less than what
 * attempts are told apart by (32 s), as HEP may have seen the same one. Behind it
 * may be by any: lines wait in queues.
 */
#define AHEAD (30 * USEC_PER_SEC)

enum key {
	KEY_EV,
	KEY_T,
	KEY_SRC,
	KEY_PROTO,
	KEY_METHOD,
	KEY_RC,
	KEY_VERIFIED,
	KEY_AUTHUSER,
	KEY_FROM,
	KEY_TO,
	KEY_RUSER,
	KEY_CALLID,
	KEY_RESP,
	KEY_UA,
	KEY_NUM,
	KEY_ID,
	KEY_COUNT,
};

static const char *const key_names[KEY_COUNT] = {"ev", "t", "src", "proto", "method",
	"rc", "verified", "authuser", "from", "to", "ruser", "callid", "resp", "ua",
	"num", "id"};

#define HAS(key) (1U << (key))

/* What an event must have; a line that lacks some of it was cut. */
#define REQUEST (HAS(KEY_EV) | HAS(KEY_SRC) | HAS(KEY_PROTO))

static const struct event {
	const char *name;
	uint8_t kind;
	unsigned required;
} events[] = {
	{"auth_fail", OBSERVED_AUTH_FAILED,
		REQUEST | HAS(KEY_METHOD) | HAS(KEY_RC) | HAS(KEY_VERIFIED) |
			HAS(KEY_AUTHUSER) | HAS(KEY_CALLID)},
	{"challenge", OBSERVED_SCAN, REQUEST | HAS(KEY_METHOD) | HAS(KEY_CALLID)},
	{"bad_ua", OBSERVED_SCAN, REQUEST | HAS(KEY_METHOD)},
	{"pike", OBSERVED_SCAN, REQUEST | HAS(KEY_METHOD)},
	{"rejected", OBSERVED_CALL_REJECTED,
		REQUEST | HAS(KEY_METHOD) | HAS(KEY_RUSER) | HAS(KEY_CALLID)},
	{"malformed", OBSERVED_MALFORMED, REQUEST},
	{"auth_ok", OBSERVED_AUTH_OK, REQUEST | HAS(KEY_METHOD) | HAS(KEY_AUTHUSER)},
	{"blocked_num", OBSERVED_BLOCKED,
		REQUEST | HAS(KEY_METHOD) | HAS(KEY_AUTHUSER) | HAS(KEY_RUSER) |
			HAS(KEY_NUM) | HAS(KEY_ID)},
};

struct fields {
	struct view value[KEY_COUNT];
	unsigned given; /* HAS() bits */
	struct parse_trace *trace;
};

static bool is(struct view a, const char *s)
{
	return view_eq(a, view_str(s));
}

/* --- the head --- */

/* Take a token and the blank behind it. */
static bool take_token(struct view *rest, struct view *token)
{
	size_t end = view_find(*rest, ' ');

	*token = view_head(*rest, end);
	if (!end || end == rest->n)
		return false;
	*rest = view_from(*rest, end + 1);
	return true;
}

/*
 * "Nov 21 20:27:20 HOST TAG[PID]: ", or with a time as in RFC 3339. Left alone
 * when there is no such head.
 */
static void skip_syslog_head(struct view *rest)
{
	struct view r = *rest, time = view_head(r, 15), token;
	struct event_time t;

	if (r.n > 16 && r.p[15] == ' ' && !event_time_parse(&t, time))
		r = view_from(r, 16);
	else if (!take_token(&r, &token) || token.n < 19 || token.p[4] != '-' ||
		token.p[10] != 'T')
		return;
	if (!take_token(&r, &token)) /* the host */
		return;
	if (!take_token(&r, &token) || token.p[token.n - 1] != ':')
		return;
	*rest = r;
}

/* "NOTICE: <script>: ", with a log_prefix in braces before <script> or not. */
static bool skip_server_head(struct view *rest)
{
	static const char script[] = "<script>: ";
	struct view r = *rest;
	size_t end;

	if (view_starts(r, MARK))
		return true; /* OpenSIPS writes nothing before it */
	if (view_starts(r, "NOTICE: "))
		r = view_from(r, strlen("NOTICE: "));
	else if (view_starts(r, "INFO: "))
		r = view_from(r, strlen("INFO: "));
	else
		return false;
	if (view_starts(r, "{")) {
		/* There is a Call-ID in it: only the sole <script> ends it. */
		end = view_find_str(r, "} <script>: ");
		if (end == r.n)
			return false;
		r = view_from(r, end + 2);
	}
	if (!view_starts(r, script))
		return false;
	*rest = view_from(r, sizeof script - 1);
	return true;
}

/* --- the fields --- */

/* What escape_user() of Kamailio leaves as it is: RFC 3261's user part, less '/'. */
static bool is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		(c && strchr("-_.!~*'()&=+$,;?", c));
}

/* Whether a value is text as the include writes it. */
static bool is_text(struct view v)
{
	size_t i = 0;

	if (v.n && v.p[0] == ':') {
		for (i = 1; i < v.n && hex_digit(v.p[i]) >= 0;)
			i++;
		return i == v.n && v.n % 2;
	}
	while (i < v.n) {
		if (is_plain(v.p[i]))
			i++;
		else if (v.p[i] == '%' && v.n - i > 2 && hex_digit(v.p[i + 1]) >= 0 &&
			hex_digit(v.p[i + 2]) >= 0)
			i += 3;
		else
			return false;
	}
	return true;
}

/* A text's bytes into dst of size bytes; returns them, cut when there are more. */
static struct view decode(uint8_t *dst, size_t size, struct view v)
{
	bool hex = v.n && v.p[0] == ':';
	size_t n = 0, i = hex;

	while (i < v.n && n < size) {
		if (!hex && v.p[i] != '%') {
			dst[n++] = v.p[i++];
			continue;
		}
		i += !hex;
		(void)hex_decode(&dst[n++], 1, view_of(v.p + i, 2));
		i += 2;
	}
	return view_of(dst, n);
}

/* The include's own values: an address, a number, a word. */
static bool is_own(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_plain(v.p[i]) && !(v.p[i] && strchr(":[]/", v.p[i])))
			return false;
	return true;
}

static bool not_escaped(struct fields *f, struct view name, struct view value)
{
	return parse_why(f->trace,
		"the value of %s holds what the include never writes bare: %s",
		escaped(name), escaped(value));
}

static bool take_field(struct fields *f, struct view field)
{
	size_t at = view_find(field, '=');
	struct view name = view_head(field, at), value;

	if (!at || at == field.n)
		return parse_why(f->trace, "\"%s\" is no KEY=VALUE", escaped(field));
	value = view_from(field, at + 1);
	if (f->trace)
		parse_field(f->trace, escaped(name), value);
	for (unsigned k = 0; k < KEY_COUNT; k++) {
		if (!is(name, key_names[k]))
			continue;
		if (f->given & HAS(k))
			return parse_why(
				f->trace, "the key %s stands there twice", key_names[k]);
		if (!(k == KEY_SRC ? is_own(value) : is_text(value)))
			return not_escaped(f, name, value);
		f->given |= HAS(k);
		f->value[k] = value;
		return true;
	}
	/* Of an event or an include that is not known here. */
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 'a' || name.p[i] > 'z')
			return parse_why(f->trace, "\"%s\" is no key of the include's",
				escaped(name));
	return is_own(value) || is_text(value) || not_escaped(f, name, value);
}

static bool take_fields(struct fields *f, struct parse_trace *trace, struct view rest)
{
	memset(f, 0, sizeof *f);
	f->trace = trace;
	while (rest.n) {
		size_t end = view_find(rest, ' ');

		if (!take_field(f, view_head(rest, end)))
			return false;
		rest = view_from(rest, end < rest.n ? end + 1 : end);
	}
	return true;
}

/* --- the observation --- */

/* "198.51.100.10:5071", "2001:db8::1:5071" (so Kamailio writes it), "[..]:5071". */
static int parse_source(struct observation *o, struct view v)
{
	size_t colon = view_rfind(v, ':');
	uint64_t port;

	if (colon == v.n || view_decimal(view_from(v, colon + 1), 65535, &port) ||
		address_parse(&o->source, view_head(v, colon), NULL))
		return -1;
	o->port = (uint16_t)port;
	return 0;
}

static int parse_transport(struct observation *o, struct view v)
{
	static const struct {
		const char *name;
		uint8_t transport;
	} list[] = {
		{"udp", TRANSPORT_UDP},
		{"tcp", TRANSPORT_TCP},
		{"tls", TRANSPORT_TLS},
		{"ws", TRANSPORT_WS},
		{"wss", TRANSPORT_WSS},
	};

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		if (view_eq_nocase(v, list[i].name)) {
			o->transport = list[i].transport;
			return 0;
		}
	return -1;
}

/* "1795638440.123456" */
static usec parse_time(struct view v, usec now)
{
	size_t dot = view_find(v, '.');
	uint64_t seconds, part = 0;

	if (view_decimal(view_head(v, dot), UINT32_MAX, &seconds))
		return now;
	if (dot < v.n &&
		(v.n - dot != 7 || view_decimal(view_from(v, dot + 1), 999999, &part)))
		return now;
	seconds = seconds * USEC_PER_SEC + part;
	return seconds > now + AHEAD ? now : seconds;
}

/* What a refused answer to a challenge shows. Returns 0, or -1: contradictory. */
static int weigh(struct observation *o, const struct fields *f)
{
	bool wrong = is(f->value[KEY_RC], "-2"), unknown = is(f->value[KEY_RC], "-3");

	if (is(f->value[KEY_VERIFIED], "1")) {
		if (!wrong && !unknown) {
			parse_why(f->trace, "verified=1 goes with rc -2 and -3 alone");
			return -1;
		}
		o->proof = PROOF_NONCE;
	} else if (!is(f->value[KEY_VERIFIED], "0")) {
		parse_why(f->trace, "verified is neither 0 nor 1");
		return -1;
	}
	o->kind = wrong ? OBSERVED_AUTH_FAILED :
		unknown ? OBSERVED_UNKNOWN_ACCOUNT :
			  OBSERVED_SCAN;
	return 0;
}

static void fill_texts(struct observation *o, const struct fields *f)
{
	uint8_t call_id[KAMAILIO_LOG_LINE_MAX], text[KAMAILIO_LOG_LINE_MAX];
	enum sip_method method = sip_method_of(f->value[KEY_METHOD]);
	bool invite = method == SIP_INVITE;
	enum key who = KEY_AUTHUSER;
	struct view id;

	o->method = (uint8_t)method;
	/* As from HEP: the credentials' name, else whom the request is for. */
	if (!f->value[KEY_AUTHUSER].n)
		who = invite || !(f->given & HAS(KEY_TO)) ? KEY_FROM : KEY_TO;
	view_copy(
		o->account, sizeof o->account, decode(text, sizeof text, f->value[who]));
	view_copy(o->agent, sizeof o->agent, decode(text, sizeof text, f->value[KEY_UA]));
	if (invite)
		observation_dialled(o->dialled, sizeof o->dialled,
			decode(text, sizeof text, f->value[KEY_RUSER]));
	id = decode(call_id, sizeof call_id, f->value[KEY_CALLID]);
	/* Without a Call-ID every line is an attempt. */
	if (id.n)
		o->attempt = observation_attempt(
			id, decode(text, sizeof text, f->value[KEY_RESP]));
}

static bool has_all(const struct fields *f, unsigned required)
{
	for (unsigned k = 0; k < KEY_COUNT; k++)
		if (required & ~f->given & HAS(k))
			return parse_why(
				f->trace, "cut off: there is no %s=", key_names[k]);
	return true;
}

/* The number and the indicator of a blocked call. Returns 0 or -1. */
static int fill_blocked(struct observation *o, const struct fields *f)
{
	struct indicator dialled, blocking;

	if (indicator_from_digits(&dialled, f->value[KEY_NUM]) ||
		indicator_parse(&blocking, NULL, f->value[KEY_ID], NULL) ||
		!indicator_contains(&blocking, &dialled)) {
		parse_why(f->trace, "id is no indicator that blocks num");
		return -1;
	}
	view_copy(o->returned, sizeof o->returned, f->value[KEY_ID]);
	view_copy(o->request, sizeof o->request, f->value[KEY_NUM]);
	return 0;
}

static enum kamailio_log_result observe(
	struct observation *o, const struct fields *f, usec now)
{
	const struct event *e = NULL;

	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (is(f->value[KEY_EV], events[i].name))
			e = &events[i];
	if (!e) {
		parse_why(f->trace,
			f->given & HAS(KEY_EV) ? "ev is none that is known" :
						 "there is no ev");
		return f->given & HAS(KEY_EV) ? KAMAILIO_LOG_NOTHING :
						KAMAILIO_LOG_UNREADABLE;
	}
	if (!has_all(f, e->required))
		return KAMAILIO_LOG_UNREADABLE;
	memset(o, 0, sizeof *o);
	if (parse_source(o, f->value[KEY_SRC]) ||
		parse_transport(o, f->value[KEY_PROTO])) {
		parse_why(f->trace, "src is no ADDRESS:PORT, or proto no transport");
		return KAMAILIO_LOG_UNREADABLE;
	}
	o->time = parse_time(f->value[KEY_T], now);
	o->sensor = SENSOR_KAMAILIO;
	o->kind = e->kind;
	o->proof = o->transport == TRANSPORT_UDP ? PROOF_NONE : PROOF_TCP;
	if (e->kind == OBSERVED_AUTH_FAILED && weigh(o, f))
		return KAMAILIO_LOG_INJECTION;
	if (e->kind == OBSERVED_AUTH_OK)
		o->proof = PROOF_AUTH;
	fill_texts(o, f);
	if (e->kind == OBSERVED_BLOCKED && fill_blocked(o, f))
		return KAMAILIO_LOG_UNREADABLE;
	return KAMAILIO_LOG_OBSERVATION;
}

/* Whether all before the mark is the server's own; *rest is then what is behind. */
static bool take_head(
	struct view *rest, struct view line, size_t mark, struct parse_trace *trace)
{
	*rest = line;
	if (line.n > KAMAILIO_LOG_LINE_MAX)
		return parse_why(trace, "longer than %u bytes", KAMAILIO_LOG_LINE_MAX);
	skip_syslog_head(rest);
	if (!skip_server_head(rest) || rest->p != line.p + mark)
		return parse_why(trace,
			"what stands before the first SIPCHAIN is not the server's own head");
	*rest = view_from(*rest, strlen(MARK));
	return true;
}

enum kamailio_log_result kamailio_log_parse(
	struct observation *o, struct view line, usec now)
{
	return kamailio_log_trace(o, line, now, NULL);
}

enum kamailio_log_result kamailio_log_trace(
	struct observation *o, struct view line, usec now, struct parse_trace *trace)
{
	struct view rest;
	struct fields f;
	size_t mark;

	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	mark = view_find_str(line, MARK);
	if (mark == line.n) {
		parse_why(trace,
			"it is no line of the include's: there is no SIPCHAIN in it");
		return KAMAILIO_LOG_NOTHING;
	}
	if (!take_head(&rest, line, mark, trace) || !take_fields(&f, trace, rest))
		return KAMAILIO_LOG_INJECTION;
	return observe(o, &f, now);
}
