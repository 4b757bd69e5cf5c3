/* SPDX-License-Identifier: Apache-2.0 */
/* The file of profiles. */
#include "sense/honeypot/profile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/units.h"
#include "sense/honeypot/profiles_builtin.h"
#include "sense/honeypot/sections.h"
#include "sense/honeypot/stamp.h"
#include "sip/message.h"

struct reading {
	struct honeypot_profiles *profiles;
	struct honeypot_profile *p;
};

static const char *const placeholders[] = {
	[PLACEHOLDER_VIA] = "{via}",
	[PLACEHOLDER_RECORD_ROUTE] = "{record-route}",
	[PLACEHOLDER_FROM] = "{from}",
	[PLACEHOLDER_TO] = "{to}",
	[PLACEHOLDER_CALL_ID] = "{call-id}",
	[PLACEHOLDER_CSEQ] = "{cseq}",
	[PLACEHOLDER_CONTACT] = "{contact}",
	[PLACEHOLDER_AGENT] = "{agent}",
	[PLACEHOLDER_REALM] = "{realm}",
	[PLACEHOLDER_NONCE] = "{nonce}",
	[PLACEHOLDER_STALE] = "{stale}",
	[PLACEHOLDER_OPAQUE] = "{opaque}",
	[PLACEHOLDER_LENGTH] = "{length}",
	[PLACEHOLDER_UNSUPPORTED] = "{unsupported}",
	[PLACEHOLDER_EXPIRES] = "{expires}",
	[PLACEHOLDER_DIALLED] = "{dialled}",
	[PLACEHOLDER_LOCAL] = "{local}",
	[PLACEHOLDER_LOCAL_IP] = "{local-ip}",
	[PLACEHOLDER_FAMILY] = "{family}",
	[PLACEHOLDER_DATE] = "{date}",
	[PLACEHOLDER_ID] = "{id}",
	[PLACEHOLDER_PORT] = "{port}",
};

/* Write the codes for the names of placeholders; the text only gets shorter. */
static void encode(char *text)
{
	char *to = text;

	while (*text) {
		uint8_t code = 0;

		for (uint8_t i = PLACEHOLDER_VIA; *text == '{' && i <= PLACEHOLDER_PORT;
			i++)
			if (!strncmp(text, placeholders[i], strlen(placeholders[i])))
				code = i;
		if (!code) {
			*to++ = *text++;
			continue;
		}
		*to++ = PLACEHOLDER_MARK;
		*to++ = (char)code;
		text += strlen(placeholders[code]);
	}
	*to = 0;
}

struct view profiles_builtin_text(void)
{
	return view_of(profiles_conf, sizeof profiles_conf);
}

const struct honeypot_profiles *profiles_builtin(void)
{
	static struct honeypot_profiles builtin;
	struct buffer errors = {.max = 65536};

	if (builtin.n)
		return &builtin;
	if (profiles_read(&builtin, "honeypot-profiles.conf", profiles_builtin_text(),
		    &errors)) {
		fprintf(stderr, "%.*s", (int)errors.n, (const char *)errors.p);
		abort();
	}
	buffer_free(&errors);
	return &builtin;
}

const struct honeypot_profile *profiles_find(
	const struct honeypot_profiles *profiles, struct view name)
{
	for (unsigned i = 0; i < profiles->n; i++)
		if (view_eq(name, view_str(profiles->at[i].name)))
			return &profiles->at[i];
	return NULL;
}

static int begin(void *context, struct view name, struct error *err)
{
	struct reading *r = context;
	const struct honeypot_profile *known = profiles_find(r->profiles, name);

	r->p = NULL;
	for (unsigned i = 0; known && i < r->profiles->n; i++)
		if (&r->profiles->at[i] == known)
			r->p = &r->profiles->at[i];
	if (!r->p && r->profiles->n == PROFILES_MAX)
		return error_set(err, "there are %d profiles already", PROFILES_MAX);
	if (!r->p)
		r->p = &r->profiles->at[r->profiles->n++];
	memset(r->p, 0, sizeof *r->p);
	view_copy(r->p->name, sizeof r->p->name, name);
	r->p->n_text = 1; /* offset 0: not given */
	return 0;
}

/* Keep a text; *offset says where. */
static int keep(
	struct honeypot_profile *p, uint16_t *offset, struct view text, struct error *err)
{
	if (text.n + 1 > sizeof p->text - p->n_text)
		return error_set(err, "the profile has more than %zu bytes of text",
			sizeof p->text);
	*offset = (uint16_t)p->n_text;
	if (text.n)
		memcpy(p->text + p->n_text, text.p, text.n);
	p->text[p->n_text + text.n] = 0;
	p->n_text += text.n + 1;
	return 0;
}

/* The same, for the next text to follow it directly. */
static int keep_more(struct honeypot_profile *p, struct view text, struct error *err)
{
	uint16_t at;

	if (keep(p, &at, text, err))
		return -1;
	p->n_text--;
	return 0;
}

/* Keep a text with its placeholders encoded. */
static int keep_template(
	struct honeypot_profile *p, uint16_t *offset, struct view text, struct error *err)
{
	if (keep(p, offset, text, err))
		return -1;
	encode(p->text + *offset);
	p->n_text = *offset + strlen(p->text + *offset) + 1;
	return 0;
}

static int append_line(char lines[PROFILE_LINES_MAX], struct view line, struct error *err)
{
	size_t n = strlen(lines);

	if (n + line.n + 3 > PROFILE_LINES_MAX)
		return error_set(err, "these lines have more than %d bytes together",
			PROFILE_LINES_MAX - 1);
	memcpy(lines + n, line.p, line.n);
	memcpy(lines + n + line.n, "\r\n", 3);
	encode(lines + n);
	return 0;
}

/* "INVITE,OPTIONS" or OTHER. Returns the bits, 0 when a word is none. */
static uint16_t methods_of(struct view list)
{
	unsigned bits = 0;

	while (list.n) {
		struct view word = view_head(list, view_find(list, ','));
		enum sip_method m = sip_method_of(word);

		list = view_from(list, word.n + 1);
		if (m == SIP_OTHER && !view_eq(word, view_str("OTHER")))
			return 0;
		bits |= 1u << m;
	}
	return (uint16_t)bits;
}

static int status_of(struct view text, uint16_t *status)
{
	uint64_t v;

	if (text.n != 3 || view_decimal(text, 699, &v) || v < 100)
		return -1;
	*status = (uint16_t)v;
	return 0;
}

static int condition(struct profile_header *h, struct view word)
{
	size_t dash = view_find(word, '-');

	if (view_eq(word, view_str("optional"))) {
		h->optional = true;
	} else if (view_eq(word, view_str("preferred"))) {
		h->preferred = true;
	} else if (view_eq(word, view_str("sdp"))) {
		h->sdp = true;
	} else if (view_eq(word, view_str("long"))) {
		h->in_short = false;
	} else if (view_eq(word, view_str("short"))) {
		h->in_long = false;
	} else if (word.p[0] >= '1' && word.p[0] <= '6') {
		if (status_of(view_head(word, dash), &h->low))
			return -1;
		h->high = h->low;
		return dash < word.n ? status_of(view_from(word, dash + 1), &h->high) : 0;
	} else {
		h->methods = methods_of(word);
		return h->methods ? 0 : -1;
	}
	return 0;
}

static int read_header(struct honeypot_profile *p, struct view text, struct error *err)
{
	struct profile_header h = {.methods = UINT16_MAX,
		.low = 100,
		.high = 699,
		.in_long = true,
		.in_short = true};
	struct view rest = text, word;

	if (p->n_headers == PROFILE_HEADERS_MAX)
		return error_set(
			err, "there are %d headers already", PROFILE_HEADERS_MAX);
	for (;;) {
		rest = view_trim(rest);
		word = view_head(rest, view_find(rest, ' '));
		if (!word.n)
			return error_set(
				err, "no header's name; write [CONDITIONS] NAME: VALUE");
		if (word.p[word.n - 1] == ':')
			break;
		if (condition(&h, word))
			return error_set(err,
				"\"%s\" is no condition; see the head of "
				"honeypot-profiles.conf",
				escaped(view_head(word, 40)));
		rest = view_from(rest, word.n);
	}
	/* What blanks stand behind the colon is a PBX's own way. */
	rest = view_from(rest, word.n);
	h.line = (uint16_t)p->n_text;
	if (keep_more(p, word, err) || keep_more(p, view_str(" "), err))
		goto fail;
	h.value = (uint16_t)p->n_text;
	if (keep_more(p, view_from(rest, 1), err) || keep_more(p, view_str("\r\n"), err))
		goto fail;
	encode(p->text + h.value);
	p->n_text = h.value + strlen(p->text + h.value) + 1;
	p->headers[p->n_headers++] = h;
	return 0;
fail:
	p->n_text = h.line;
	return -1;
}

static int read_answer(struct honeypot_profile *p, struct view text, struct error *err)
{
	struct profile_answer a = {0};
	struct view method = view_head(text, view_find(text, ' ')), status;

	text = view_trim(view_from(text, method.n));
	status = view_head(text, view_find(text, ' '));
	text = view_trim(view_from(text, status.n));
	a.method = (uint8_t)sip_method_of(method);
	if ((a.method == SIP_OTHER && !view_eq(method, view_str("OTHER"))) ||
		status_of(status, &a.status) || a.status < 200 || !text.n)
		return error_set(err,
			"is no METHOD STATUS REASON, such as MESSAGE 405 "
			"Method Not Allowed");
	if (p->n_answers == PROFILE_ANSWERS_MAX)
		return error_set(
			err, "there are %d answers already", PROFILE_ANSWERS_MAX);
	if (keep(p, &a.reason, text, err))
		return -1;
	p->answers[p->n_answers++] = a;
	return 0;
}

static int value(void *context, struct view key, struct view v, struct error *err)
{
	struct honeypot_profile *p = ((struct reading *)context)->p;
	struct {
		const char *key;
		uint16_t *at;
		enum { TEXT_PLAIN, TEXT_TEMPLATE, TEXT_STAMP } kind;
	} texts[] = {
		{"realm", &p->realm, TEXT_TEMPLATE},
		{"agent", &p->agent, TEXT_PLAIN},
		{"tag", &p->tag, TEXT_STAMP},
		{"nonce", &p->nonce, TEXT_STAMP},
		{"short-nonce", &p->short_nonce, TEXT_STAMP},
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (!view_eq(key, view_str(texts[i].key)))
			continue;
		if (texts[i].kind == TEXT_TEMPLATE)
			return keep_template(p, texts[i].at, v, err);
		if (keep(p, texts[i].at, v, err))
			return -1;
		return texts[i].kind == TEXT_STAMP ?
			stamp_template_check(p->text + *texts[i].at, err) :
			0;
	}
	if (view_eq(key, view_str("header")))
		return read_header(p, v, err);
	if (view_eq(key, view_str("answer")))
		return read_answer(p, v, err);
	if (view_eq(key, view_str("sdp")))
		return append_line(p->sdp, v, err);
	if (view_eq(key, view_str("short-sdp")))
		return append_line(p->short_sdp, v, err);
	if (view_eq(key, view_str("bye")))
		return append_line(p->bye, v, err);
	if (view_eq(key, view_str("via")) &&
		(view_eq(v, view_str("first")) || view_eq(v, view_str("in-place")))) {
		p->via_first = view_eq(v, view_str("first"));
		return 0;
	}
	if (view_eq(key, view_str("tags"))) {
		p->last_tag = view_eq(v, view_str("last"));
		return p->last_tag || view_eq(v, view_str("one")) ?
			0 :
			error_set(err, "tags is one or last");
	}
	if (view_eq(key, view_str("via")))
		return error_set(err, "via is first or in-place");
	return error_set(err,
		"a profile has no key \"%s\"; see the head of "
		"honeypot-profiles.conf",
		escaped(view_head(key, 40)));
}

static bool has_header(const struct honeypot_profile *p, const char *name)
{
	for (unsigned i = 0; i < p->n_headers; i++) {
		const struct profile_header *h = &p->headers[i];

		size_t n = strlen(name);

		if (!strncmp(p->text + h->line, name, n) &&
			!strncmp(p->text + h->line + n, ": ", 2) && !h->optional &&
			!h->preferred && h->methods == UINT16_MAX && h->low == 100 &&
			h->high == 699 && h->in_long && h->in_short && !h->sdp)
			return true;
	}
	return false;
}

/* What no answer may lack (RFC 3261 8.2.6.2). */
static int end(void *context, struct error *err)
{
	static const char *const need[] = {"Via", "From", "To", "Call-ID", "CSeq"};
	struct honeypot_profile *p = ((struct reading *)context)->p;

	for (size_t i = 0; i < sizeof need / sizeof *need; i++)
		if (!has_header(p, need[i]))
			return error_set(err, "[%s] has no unconditional header %s",
				p->name, need[i]);
	if (!p->realm || !p->agent || !p->tag || !p->nonce || !p->sdp[0])
		return error_set(
			err, "[%s] lacks realm, agent, tag, nonce or sdp", p->name);
	if (!p->short_sdp[0])
		memcpy(p->short_sdp, p->sdp, sizeof p->sdp);
	if (!p->short_nonce)
		p->short_nonce = p->nonce;
	if (!strstr(p->text + p->nonce, "{time") ||
		!strstr(p->text + p->short_nonce, "{time"))
		return error_set(
			err, "[%s] nonce: write {time} or {time8} into it", p->name);
	if (strstr(p->text + p->tag, "{time"))
		return error_set(err, "[%s] tag: no time can stand in it", p->name);
	for (unsigned i = 0; i < p->n_answers; i++)
		if (p->answers[i].method == SIP_OTHER)
			return 0;
	return error_set(err, "[%s] has no answer = OTHER ...", p->name);
}

int profiles_read(struct honeypot_profiles *profiles, const char *name, struct view text,
	struct buffer *errors)
{
	struct reading r = {.profiles = profiles};
	struct sections_hooks hooks = {&r, begin, value, end};

	return sections_read(name, text, &hooks, errors);
}
