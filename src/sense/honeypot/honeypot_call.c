/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: INVITE, ACK, CANCEL, BYE, and what time does to them. */
#include "sense/honeypot/honeypot_state.h"

#define T1      500000u /* microseconds (RFC 3261 17.1.1.1) */
#define T2      4000000u
#define GIVE_UP (64 * (usec)T1)

#define OUTSIDE_DIGITS 11 /* so many, and it is no extension of ours */

/*
 * Whether a dialled string leads out of the house: as an international number, behind
 * an access code, or by its length. svwar begins with a random number of up to ten
 * digits and goes on when that is not there.
 */
static bool leads_out(const char *dialled)
{
	size_t digits = 0;

	for (const char *c = dialled; *c; c++)
		digits += *c >= '0' && *c <= '9';
	return digits >= 5 &&
		(dialled[0] == '+' || dialled[0] == '0' || digits >= OUTSIDE_DIGITS);
}

struct dialog *turn_dialog(struct turn *t)
{
	struct dialog *d = dialog_find(
		&t->h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag);

	return d && t->m.to.tag.n && view_eq(t->m.to.tag, view_str(d->tag)) ? d : NULL;
}

static uint64_t branch_of(struct turn *t)
{
	return dialogs_hash(&t->h->dialogs, t->m.via.branch);
}

/* Keep what was written into h->out for repetition. */
static void keep_message(struct honeypot *h, struct dialog *d, unsigned status, size_t n)
{
	d->status = (uint16_t)status;
	d->n_message = 0;
	if (n <= sizeof d->message) {
		memcpy(d->message, h->out, n);
		d->n_message = (uint16_t)n;
	}
}

/* Send that once more. */
static void send_kept(struct honeypot *h, struct dialog *d, struct turn *within, usec now)
{
	const struct outgoing m = {
		.method = d->state == DIALOG_LEAVING ? SIP_BYE : SIP_INVITE,
		.status = d->state == DIALOG_LEAVING ? 0 : d->status,
		.call_id = view_str(d->call_id),
		.bytes = view_of(d->message, d->n_message),
	};

	honeypot_send(h, &d->path, &m, within, now);
}

/* The route set, in the order in which the caller's proxies stand (RFC 3261 12.1.1). */
static bool fill_routes(const struct turn *t, struct dialog *d)
{
	struct pen pen = {.p = (uint8_t *)d->routes, .max = sizeof d->routes - 1};

	for (unsigned i = 0; i < t->echo.n_record_routes; i++) {
		pen_str(&pen, i ? ", " : "");
		pen_unfolded(&pen, t->echo.record_route[i]);
	}
	return !pen.full && !t->echo.too_many;
}

/*
 * Fill a new dialog from a request of the caller's; false: its names are longer than
 * what is kept, so that nothing could be said to it later.
 */
static bool dialog_fill(struct turn *t, struct dialog *d)
{
	struct view target = t->m.contact.uri.n ? t->m.contact.uri : t->m.from.uri;
	struct pen to = {.p = (uint8_t *)d->to, .max = sizeof d->to - 1};
	struct pen who = {.p = (uint8_t *)d->from, .max = sizeof d->from - 1};
	size_t tag = view_find(t->echo.to, ';');

	answer_path(&d->path, t->path, &t->m.via);
	d->cseq = t->m.cseq;
	d->branch = branch_of(t);
	d->once = !t->proved;
	d->quiet = t->tool && t->tool->quiet;
	d->reliable = turn_requires(t, "100rel");
	/* The tag stands behind the bracket; a URI without brackets has no parameters. */
	if (view_find(t->echo.to, '>') < t->echo.to.n)
		tag = view_find(t->echo.to, '>') + 1;
	pen_unfolded(&to, view_trim(view_head(t->echo.to, tag)));
	pen_unfolded(&who, t->echo.from);
	view_copy(d->dialled, sizeof d->dialled, t->m.target.user);
	return !to.full && !who.full && fill_routes(t, d) &&
		view_copy(d->call_id, sizeof d->call_id, t->m.call_id) <
		sizeof d->call_id &&
		view_copy(d->target, sizeof d->target, target) < sizeof d->target;
}

/*
 * A refusal or an answer to a source that nothing proved, whose ACK shows which: the
 * ACK of a refusal proves more, and who never acknowledges those may acknowledge a
 * call that was taken. Which it is, the sender cannot choose.
 */
static void answer_unproved(struct turn *t)
{
	uint64_t h = hash_bytes(&t->h->key, t->m.call_id.p, t->m.call_id.n);

	if (h & 1 && turn_answer(t, 200, &(struct reply){.sdp = true}))
		return;
	turn_answer(t, 503, NULL);
}

static void set_refused(struct turn *t, struct dialog *d)
{
	d->state = DIALOG_REFUSED;
	d->interval = T1;
	d->give_up = t->now + GIVE_UP;
	/* A stream loses nothing. */
	dialog_due(&t->h->dialogs, d,
		t->path->transport == TRANSPORT_UDP ? t->now + T1 : d->give_up);
}

/* Refuse, and repeat that until the ACK when the source is proved. */
static void refuse_call(struct turn *t, unsigned status)
{
	struct honeypot *h = t->h;
	size_t n = turn_answer(t, status, NULL);
	struct dialog *d;

	if (!n || !t->proved || t->path->transport != TRANSPORT_UDP)
		return;
	d = dialog_add(
		&h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag, t->now);
	if (!d)
		return;
	if (!dialog_fill(t, d) || n > sizeof d->message) {
		dialog_remove(&h->dialogs, d);
		return;
	}
	keep_message(h, d, status, n);
	set_refused(t, d);
}

/* 100, 180, and after a while 200. */
static void take_call(struct turn *t)
{
	static const struct reply with_sdp = {.sdp = true};
	struct honeypot *h = t->h;
	struct dialog *d;
	size_t n;

	d = dialog_add(
		&h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag, t->now);
	if (!d) {
		turn_answer(t, 486, NULL);
		return;
	}
	if (!dialog_fill(t, d)) {
		dialog_remove(&h->dialogs, d);
		turn_answer(t, 200, &with_sdp);
		return;
	}
	turn_answer(t, 100, NULL);
	/* One that is not acknowledged must not be sent to who demands that (RFC 3262 3). */
	if (!d->reliable)
		turn_answer(t, 180, NULL);
	n = turn_write(t, 200, &with_sdp, sizeof d->message);
	keep_message(h, d, 200, n);
	if (!d->n_message) {
		dialog_remove(&h->dialogs, d);
		turn_answer(t, 200, &with_sdp);
		return;
	}
	stamp_make(&h->stamps, d->tag, h->profile.text + h->profile.tag, STAMP_ACCEPT,
		&t->path->remote, t->m.call_id, t->now);
	d->state = DIALOG_RINGING;
	dialog_due(&h->dialogs, d, t->now + h->config.ring);
}

/* An INVITE that came before. Returns whether it was one. */
static bool repeated(struct turn *t)
{
	struct honeypot *h = t->h;
	struct dialog *d = dialog_find(
		&h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag);

	if (!d)
		return false;
	if (d->cseq == t->m.cseq && d->branch == branch_of(t)) {
		if (d->state == DIALOG_RINGING)
			turn_answer(t, d->reliable ? 100 : 180, NULL);
		else if (d->state == DIALOG_ANSWERED || d->state == DIALOG_REFUSED)
			send_kept(h, d, t, t->now);
		return true;
	}
	/* Another one under the same names: the caller is done with the first. */
	dialog_remove(&h->dialogs, d);
	return false;
}

void turn_invite(struct turn *t)
{
	struct honeypot *h = t->h;
	bool out = leads_out(t->o.dialled);
	bool bait = honeypot_bait(h, t->m.target.user);

	if (t->m.to.tag.n) {
		struct dialog *d = turn_dialog(t);

		if (d || t->o.signs & SIGN_TOOK_PART)
			turn_answer(t, 200, &(struct reply){.sdp = true});
		else
			turn_answer(t, 481, NULL);
		turn_observe(t, OBSERVED_PROOF);
		return;
	}
	if (repeated(t))
		return;
	h->figures.calls++;
	turn_observe(t, out ? OBSERVED_CALL_REJECTED : OBSERVED_UNKNOWN_ACCOUNT);
	if (!out && !bait)
		refuse_call(t, 404);
	else if (!t->proved)
		answer_unproved(t);
	else
		take_call(t);
}

static void talk(struct turn *t, struct dialog *d)
{
	d->state = DIALOG_TALKING;
	dialog_due(&t->h->dialogs, d, t->now + t->h->config.talk);
}

void turn_ack(struct turn *t)
{
	struct honeypot *h = t->h;
	struct dialog *d = dialog_find(
		&h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag);
	bool accepted = t->o.signs & SIGN_TOOK_PART && t->o.proof != PROOF_NONCE;

	if (t->o.signs & SIGN_TOOK_PART || t->own_nonce)
		turn_observe(t, OBSERVED_PROOF);
	if (d && d->state == DIALOG_REFUSED && d->cseq == t->m.cseq) {
		dialog_remove(&h->dialogs, d);
	} else if (d && d->state == DIALOG_ANSWERED && turn_dialog(t)) {
		talk(t, d);
	} else if (!d && accepted) {
		/* Of a 200 that was sent while nothing was known of the source. */
		d = dialog_add(&h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag,
			t->now);
		if (!d)
			return;
		view_copy(d->tag, sizeof d->tag, t->m.to.tag);
		if (dialog_fill(t, d))
			talk(t, d);
		else
			dialog_remove(&h->dialogs, d);
	}
}

void turn_cancel(struct turn *t)
{
	struct honeypot *h = t->h;
	struct dialog *d = dialog_find(
		&h->dialogs, &t->path->remote, t->m.call_id, t->m.from.tag);
	char cseq[32];
	struct pen pen = {.p = (uint8_t *)cseq, .max = sizeof cseq};
	size_t n;

	if (!d || d->state != DIALOG_RINGING || d->cseq != t->m.cseq) {
		turn_answer(t, 481, NULL);
		return;
	}
	turn_answer(t, 200, NULL);
	/* All but its method is as in the INVITE (9.1): what answers that, too. */
	pen_printf(&pen, "%u INVITE", (unsigned)d->cseq);
	n = turn_write(t, 487,
		&(struct reply){.method = SIP_INVITE, .cseq = view_of(cseq, pen.n)},
		sizeof d->message);
	keep_message(h, d, 487, n);
	if (!d->n_message) {
		dialog_remove(&h->dialogs, d);
		return;
	}
	send_kept(h, d, t, t->now);
	set_refused(t, d);
}

void turn_bye(struct turn *t)
{
	struct dialog *d = turn_dialog(t);

	if (d || t->o.signs & SIGN_TOOK_PART) {
		turn_observe(t, OBSERVED_PROOF);
		/* Of two tags the last is no call's, unless there is one with it. */
		turn_answer(t, d || !t->two_tags ? 200 : 481, NULL);
	} else {
		turn_observe(t, OBSERVED_SCAN);
		turn_answer(t, 481, NULL);
	}
	if (d)
		dialog_remove(&t->h->dialogs, d);
}

void turn_response(struct turn *t)
{
	/* Of our own BYE: its From is the one called, its To the caller. */
	struct dialog *d = dialog_find(
		&t->h->dialogs, &t->path->remote, t->m.call_id, t->m.to.tag);

	if (d && d->state == DIALOG_LEAVING && t->m.status >= 200 &&
		view_eq(t->m.from.tag, view_str(d->tag)))
		dialog_remove(&t->h->dialogs, d);
}

static const char *via_transport(uint8_t transport)
{
	switch ((enum sip_transport)transport) {
	case TRANSPORT_TCP:
		return "TCP";
	case TRANSPORT_TLS:
		return "TLS";
	case TRANSPORT_WS:
		return "WS";
	case TRANSPORT_WSS:
		return "WSS";
	case TRANSPORT_UDP:
	default:
		return "UDP";
	}
}

static bool is_loose(const struct sip_party *route)
{
	struct view rest = route->parts.parameters, name, value;

	while (sip_param_next(&rest, ';', &name, &value) > 0)
		if (view_eq_nocase(name, "lr"))
			return true;
	return false;
}

/*
 * The Request-URI of our own request, and its Route header into *route (RFC 3261
 * 12.2.1.1). A first proxy that is a strict router gets its own URI, and ours last.
 */
static struct view route_request(const struct dialog *d, struct pen *route)
{
	struct view target = view_str(d->target), routes = view_str(d->routes);
	struct view first = sip_list_first(routes);
	struct sip_party proxy;

	if (!routes.n || sip_party_parse(&proxy, first))
		return target;
	pen_str(route, "Route: ");
	if (is_loose(&proxy)) {
		pen_put(route, routes);
		pen_str(route, "\r\n");
		return target;
	}
	routes = view_from(routes, first.n + 1);
	if (routes.n) {
		pen_put(route, view_trim(routes));
		pen_str(route, ", ");
	}
	pen_str(route, "<");
	pen_put(route, target);
	pen_str(route, ">\r\n");
	return proxy.uri;
}

/* Our BYE into d->message. It goes where the caller's messages come from. */
static void write_bye(struct honeypot *h, struct dialog *d)
{
	struct pen pen = {.p = d->message, .max = sizeof d->message};
	const struct address *shown = h->config.advertised.family ?
		&h->config.advertised :
		&d->path.local;
	uint64_t branch = dialogs_hash(&h->dialogs, view_str(d->tag));
	uint8_t text[DIALOG_ROUTES_MAX + DIALOG_TEXT_MAX + 16];
	struct pen route = {.p = text, .max = sizeof text};

	pen_str(&pen, "BYE ");
	pen_put(&pen, route_request(d, &route));
	pen_printf(
		&pen, " SIP/2.0\r\nVia: SIP/2.0/%s ", via_transport(d->path.transport));
	pen_address(&pen, shown, d->path.local_port);
	pen_printf(&pen, ";rport;branch=z9hG4bK%016llx\r\n", (unsigned long long)branch);
	pen_put(&pen, view_of(route.p, route.n));
	pen_str(&pen, "Max-Forwards: 70\r\nFrom: ");
	pen_str(&pen, d->to);
	pen_printf(&pen, ";tag=%s\r\nTo: ", d->tag);
	pen_str(&pen, d->from);
	pen_str(&pen, "\r\nCall-ID: ");
	pen_str(&pen, d->call_id);
	pen_str(&pen, "\r\nCSeq: 102 BYE\r\n");
	answer_lines(&pen, &h->profile, h->profile.bye);
	pen_str(&pen, "Content-Length: 0\r\n\r\n");
	d->n_message = pen.full ? 0 : (uint16_t)pen.n;
}

static void repeat(struct honeypot *h, struct dialog *d, usec now)
{
	if (now >= d->give_up || !d->n_message) {
		dialog_remove(&h->dialogs, d);
		return;
	}
	send_kept(h, d, NULL, now);
	if (d->once) {
		dialog_remove(&h->dialogs, d);
		return;
	}
	d->interval = d->interval * 2 < T2 ? d->interval * 2 : T2;
	dialog_due(&h->dialogs, d, now + d->interval);
}

static void begin_repeating(struct honeypot *h, struct dialog *d, uint8_t state, usec now)
{
	d->state = state;
	d->interval = T1 / 2;
	d->give_up = now + GIVE_UP;
	repeat(h, d, now);
}

void dialog_act(struct honeypot *h, struct dialog *d, usec now)
{
	bool stream = d->path.transport != TRANSPORT_UDP;

	switch ((enum dialog_state)d->state) {
	case DIALOG_RINGING:
		begin_repeating(h, d, DIALOG_ANSWERED, now);
		break;
	case DIALOG_TALKING:
		if (d->quiet) {
			dialog_remove(&h->dialogs, d);
			break;
		}
		write_bye(h, d);
		begin_repeating(h, d, DIALOG_LEAVING, now);
		if (stream && d->state == DIALOG_LEAVING)
			dialog_due(&h->dialogs, d, d->give_up);
		break;
	case DIALOG_ANSWERED:
	case DIALOG_REFUSED:
	case DIALOG_LEAVING:
		repeat(h, d, now);
		break;
	case DIALOG_FREE:
	default:
		dialog_due(&h->dialogs, d, UINT64_MAX);
	}
}
