/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered to all but calls. */
#include "sense/honeypot/honeypot_state.h"
#include "sense/injection.h"

#define EXPIRES_USUAL 3600

bool honeypot_bait(const struct honeypot *h, struct view account)
{
	for (unsigned i = 0; account.n && i < h->config.n_baits; i++)
		if (h->config.baits[i][0] == (char)account.p[0] &&
			view_eq(account, view_str(h->config.baits[i])))
			return true;
	return false;
}

/* Seconds that a REGISTER asks for, as a PBX grants them. */
static int64_t expires_of(const struct turn *t)
{
	size_t at = view_find_str(t->echo.contact, "expires=");
	struct view digits = view_from(t->echo.contact, at + 8);
	uint64_t v = t->m.expires >= 0 ? (uint64_t)t->m.expires : EXPIRES_USUAL;
	size_t n = 0;

	while (at < t->echo.contact.n && n < digits.n && digits.p[n] >= '0' &&
		digits.p[n] <= '9')
		n++;
	if (n)
		(void)view_decimal(view_head(digits, n), UINT32_MAX, &v);
	return v > EXPIRES_USUAL ? EXPIRES_USUAL : (int64_t)v;
}

size_t turn_write(struct turn *t, unsigned status, const struct reply *reply, size_t most)
{
	struct honeypot *h = t->h;
	const struct honeypot_profile *p = &h->profile;
	const struct address *remote = &t->path->remote;
	char tag[STAMP_TEXT_MAX] = "", nonce[STAMP_TEXT_MAX] = "",
	     brief[STAMP_TEXT_MAX] = "";
	struct view realm = view_str(p->text + p->realm);
	struct echo echo = t->echo;
	struct answer a = {
		.profile = p,
		.path = t->path,
		.echo = &echo,
		.via = t->m.via.host.n ? &t->m.via : NULL,
		.method = reply->method ? reply->method : t->m.method,
		.status = status,
		.reason = reply->reason ? reply->reason : answer_reason(status),
		.tag = tag,
		.nonce = nonce,
		.short_nonce = brief,
		.stale = reply->stale,
		.sdp = reply->sdp,
		.dialled = t->m.target.user,
		.unsupported = reply->unsupported,
		.shown = h->config.advertised.family ? h->config.advertised :
						       t->path->local,
		.expires = expires_of(t),
		.now = t->now,
	};

	a.keep_tag = a.method == SIP_INVITE;
	a.id = hash_bytes(&h->key, echo.call_id.p, echo.call_id.n);
	a.opaque = a.id * 31;
	if (reply->cseq.n)
		echo.cseq = reply->cseq;
	if (!t->m.to.tag.n && status > 100 && t->echo.to.n)
		stamp_make(&h->stamps, tag, p->text + p->tag,
			status < 300 ? STAMP_ACCEPT : STAMP_REFUSAL, remote, echo.call_id,
			t->now);
	if (reply->challenge)
		stamp_make_nonces(&h->stamps, (char *[]){nonce, brief},
			(const char *[]){p->text + p->nonce, p->text + p->short_nonce},
			remote, realm, t->now);
	return answer_write(&a, h->out, OUT_MAX, most);
}

size_t turn_answer(struct turn *t, unsigned status, const struct reply *reply)
{
	static const struct reply plain = {0};
	struct honeypot *h = t->h;
	struct honeypot_path to;
	struct outgoing m;
	size_t n;

	/* Whom there is no way back to, and what a PBX could not repeat. */
	if (!t->echo.n_vias || t->echo.too_many || !t->budget)
		return 0;
	n = turn_write(t, status, reply ? reply : &plain, t->budget);
	if (!n) {
		h->figures.too_long++;
		return 0;
	}
	answer_path(&to, t->path, t->m.via.host.n ? &t->m.via : NULL);
	m = (struct outgoing){t->m.method, status, t->echo.call_id, view_of(h->out, n)};
	return honeypot_send(h, &to, &m, t, t->now) ? n : 0;
}

void turn_malformed(struct turn *t)
{
	bool version = t->why && !strcmp(t->why, "SIP version other than 2.0"), injected;
	struct view names = view_head(t->bytes, 256);

	if (!t->m.request)
		return;
	if (t->m.call_id.n)
		names = t->m.call_id;
	injected = injection_packet(t->bytes);
	t->o.method = (uint8_t)t->m.method;
	t->o.attempt = observation_attempt(
		names, injected ? view_str("injection") : (struct view){0});
	t->o.call_id = observation_call_id(t->m.call_id);
	turn_observe(t, injected ? OBSERVED_INJECTION : OBSERVED_MALFORMED);
	if (t->m.method != SIP_ACK)
		turn_answer(t, version ? 505 : 400, NULL);
}

/* 401 with a nonce for this source. */
static void challenge(struct turn *t)
{
	turn_answer(t, 401,
		&(struct reply){
			.challenge = true, .stale = t->old_nonce && !t->own_nonce});
}

static void on_register(struct turn *t)
{
	const struct sip_digest *c = t->m.n_credentials ? &t->m.credentials[0] : NULL;
	struct honeypot *h = t->h;
	uint32_t guesses;

	if (!honeypot_bait(h, t->m.to.parts.user)) {
		turn_observe(t, OBSERVED_UNKNOWN_ACCOUNT);
		turn_answer(t, 404, NULL);
		return;
	}
	if (!c) {
		turn_observe(t, OBSERVED_SCAN);
		challenge(t);
		return;
	}
	/* Also a guess that is let in: nobody knows the password, for there is none. */
	turn_observe(t, OBSERVED_AUTH_FAILED);
	if (!t->own_nonce) {
		challenge(t);
		return;
	}
	guesses = guess_count(
		&h->guesses, &t->path->remote, t->m.to.parts.user, c->response, t->now);
	if (!h->config.refuse || guesses <= h->config.refuse) {
		challenge(t);
		return;
	}
	h->figures.accepted += guesses == h->config.refuse + 1;
	turn_answer(t, 200, NULL);
}

/* What the profile says of a method, in or outside a call. */
static void on_other(struct turn *t)
{
	const struct honeypot_profile *p = &t->h->profile;
	const struct profile_answer *found = NULL;

	turn_observe(t, OBSERVED_SCAN);
	/* No 1xx of ours is reliable, so that nothing waits for a PRACK (RFC 3262 3). */
	if (turn_dialog(t) && t->m.method != SIP_PRACK) {
		turn_answer(t, 200, NULL);
		return;
	}
	for (unsigned i = 0; i < p->n_answers && (!found || !found->method); i++)
		if (p->answers[i].method == t->m.method || !p->answers[i].method)
			found = &p->answers[i];
	if (found)
		turn_answer(t, found->status,
			&(struct reply){.reason = p->text + found->reason});
	else
		turn_answer(t, 501, NULL);
}

bool turn_requires(const struct turn *t, const char *option)
{
	struct view list = t->echo.require;

	while (list.n) {
		size_t n = view_find(list, ',');

		if (view_eq_nocase(view_trim(view_head(list, n)), option))
			return true;
		list = view_from(list, n + 1);
	}
	return false;
}

/* The option tags of Require that no PBX of ours knows (RFC 3261 8.2.2.3). */
static void unknown_options(struct pen *pen, struct view list)
{
	static const char *const known[] = {"100rel", "timer", "replaces", "path"};

	while (list.n) {
		struct view tag = view_trim(view_head(list, view_find(list, ',')));
		bool found = !tag.n;

		for (size_t i = 0; !found && i < sizeof known / sizeof *known; i++)
			found = view_eq_nocase(tag, known[i]);
		if (!found && pen->n)
			pen_str(pen, ", ");
		if (!found)
			pen_unfolded(pen, tag);
		list = view_from(list, view_find(list, ',') + 1);
	}
}

/*
 * Headers in a Request-URI (RFC 3261 19.1.1: not allowed there), or in a Contact
 * without brackets (20.10), where nobody can tell whose the '?' is.
 */
static bool misplaced_headers(const struct turn *t)
{
	struct view host = view_from(t->m.uri, view_rfind(t->m.uri, '@'));
	struct view contact = t->echo.contact;

	if (view_find(t->m.uri, '@') == t->m.uri.n)
		host = t->m.uri;
	return (t->m.target.host.n && view_find(host, '?') < host.n) ||
		(view_find(contact, '<') == contact.n &&
			view_find(contact, '?') < contact.n);
}

static bool media_is(struct view type, const char *name)
{
	return view_eq_nocase(view_trim(view_head(type, view_find(type, ';'))), name);
}

/* RFC 3261 8.2.1 to 8.2.3. Returns whether it was refused. */
static bool refused(struct turn *t)
{
	const struct sip_message *m = &t->m;
	const struct echo *e = &t->echo;
	char unknown[160];
	struct pen pen = {.p = (uint8_t *)unknown, .max = sizeof unknown};

	unknown_options(&pen, e->require);
	if (e->max_forwards_wrong || misplaced_headers(t))
		turn_answer(t, 400, NULL);
	else if (!view_eq_nocase(m->target.scheme, "sip") &&
		!view_eq_nocase(m->target.scheme, "sips") &&
		!view_eq_nocase(m->target.scheme, "tel"))
		turn_answer(t, 416, NULL);
	else if (pen.n || pen.full)
		turn_answer(
			t, 420, &(struct reply){.unsupported = view_of(unknown, pen.n)});
	else if (m->method == SIP_INVITE && m->body.n && e->content_type.n &&
		!media_is(e->content_type, "application/sdp") &&
		!view_eq_nocase(view_head(e->content_type, 10), "multipart/"))
		turn_answer(t, 415, NULL);
	else if (m->method == SIP_INVITE && e->has_accept &&
		view_find_str(e->accept, "application/sdp") == e->accept.n &&
		view_find_str(e->accept, "*/*") == e->accept.n &&
		view_find_str(e->accept, "application/*") == e->accept.n)
		turn_answer(t, 406, NULL);
	else
		return false;
	turn_observe(t, OBSERVED_MALFORMED);
	return true;
}

void turn_request(struct turn *t)
{
	if (injection_field(&t->m)) {
		uint64_t attempt = t->o.attempt;

		/* Not the request's own attempt: what it asks is counted beside it. */
		t->o.attempt = observation_attempt(t->m.call_id, view_str("injection"));
		turn_observe(t, OBSERVED_INJECTION);
		t->o.attempt = attempt;
	}
	if (t->m.method == SIP_ACK) {
		turn_ack(t);
		return;
	}
	if (t->m.method == SIP_CANCEL) {
		turn_cancel(t);
		return;
	}
	if (refused(t))
		return;
	switch (t->m.method) {
	case SIP_INVITE:
		turn_invite(t);
		break;
	case SIP_BYE:
		turn_bye(t);
		break;
	case SIP_REGISTER:
		on_register(t);
		break;
	case SIP_OPTIONS:
		turn_observe(t, OBSERVED_SCAN);
		turn_answer(t, 200, NULL);
		break;
	case SIP_ACK:
	case SIP_CANCEL:
	case SIP_OTHER:
	case SIP_PRACK:
	case SIP_SUBSCRIBE:
	case SIP_NOTIFY:
	case SIP_PUBLISH:
	case SIP_INFO:
	case SIP_REFER:
	case SIP_MESSAGE:
	case SIP_UPDATE:
	default:
		on_other(t);
	}
}
