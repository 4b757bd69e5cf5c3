/* SPDX-License-Identifier: Apache-2.0 */
/* Observations become detections; detections become bans and reports. */
#include "daemon/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/config_source.h"
#include "daemon/node_hit.h"
#include "store/offences.h"
#include "store/positions.h"

/* How long observations wait for the ledger to be read. */
#define LEDGER_WITHIN (5 * USEC_PER_SEC)

/* Text from another role: it must end, whoever wrote it. */
static void terminate(struct observation *o)
{
	o->account[sizeof o->account - 1] = 0;
	o->dialled[sizeof o->dialled - 1] = 0;
	o->agent[sizeof o->agent - 1] = 0;
	o->returned[sizeof o->returned - 1] = 0;
	o->request[sizeof o->request - 1] = 0;
}

static void on_detection(struct node *n, const struct detection *d)
{
	struct own_action a;
	struct error err = {""};
	char text[INDICATOR_TEXT];

	n->own.may_report = node_may_report(n);
	own_decide(
		&a, &n->own, n->caught_up ? n->registry : NULL, n->allow, d, node_now());
	log_notice("%s: %s (%s, rule %s, proof %s, offence %u): %s",
		indicator_print(text, &a.indicator), d->reason,
		category_name(d->category), d->rule, proof_name(d->proof), d->offence,
		a.reason);
	node_event(n, "detection", &a.indicator, "%s; %s", d->reason, a.reason);
	node_numbers_convict(n, d, &a);
	/*
	 * Ban, evidence, report and offence are one transaction, written before
	 * the ban is ordered: a node killed before has decided nothing (the attack
	 * goes on and is detected again), one killed after forgets nothing. The
	 * disk is waited for when the report leaves, not while the attacker goes on.
	 */
	node_bans_begin(n, STORE_WITH_NEXT);
	if (a.unregister)
		node_allow_end(n, &a.indicator, d->reason);
	/* In observe mode it is kept as what would stand, and nothing is ordered. */
	if (a.would_ban) {
		node_ban(n, &a.indicator, BAN_ALL, BAN_OWN, d->category, a.until);
		node_ban_reason(n, &a.indicator, BAN_ALL, d->reason);
	}
	if (a.publish)
		node_publish_own(n, &a, "", node_evidence(n, &a, d));
	/* Anybody can make a spoofed source offend: that is not held against it. */
	if (d->proof != PROOF_NONE && d->proof != PROOF_LOG && d->plen != 64 && d->ban &&
		offences_put(n->store, &d->source, d->offence, d->time, &err))
		log_error("store: %s", err.text);
	node_bans_flush(n);
	node_schedule(n);
}

static void on_observations(struct node *n, struct view payload)
{
	struct observation o;
	struct detection d;
	bool detected = false, detected_now;

	if (!payload.n || payload.n % sizeof o || payload.n / sizeof o > OBSERVATIONS_MAX)
		return;
	for (size_t at = 0; at < payload.n; at += sizeof o) {
		memcpy(&o, payload.p + at, sizeof o);
		terminate(&o);
		if (o.kind == OBSERVED_BLOCKED) {
			node_hit_observed(n, &o);
			continue;
		}
		trail_note(n->trail, &o);
		node_numbers_note(n, &o);
		detected_now = detector_feed(n->detector, &o, &d);
		node_allow_success(n, &o);
		if (!detected_now)
			continue;
		on_detection(n, &d);
		detected = true;
	}
	detected |= node_numbers_due(n);
	if (detected)
		node_outbox_submit(n);
}

void node_sense_due(struct node *n)
{
	struct detection d;
	bool detected = false;

	while (detector_due(n->detector, clock_wall(), &d)) {
		on_detection(n, &d);
		detected = true;
	}
	detected |= node_numbers_due(n);
	if (detected)
		node_outbox_submit(n);
}

static void on_position(struct node *n, struct view payload)
{
	struct log_position from;
	struct position to;
	struct error err = {""};

	if (payload.n != sizeof from)
		return;
	memcpy(&from, payload.p, sizeof from);
	memset(&to, 0, sizeof to);
	view_copy(to.path, sizeof to.path,
		view_of(from.path, strnlen(from.path, sizeof from.path)));
	to.dev = from.dev;
	to.inode = from.inode;
	to.offset = from.offset;
	memcpy(to.fingerprint, from.fingerprint, sizeof to.fingerprint);
	if (positions_put(n->store, &to, &err))
		log_error("store: %s", err.text);
}

/* The state of one source, for `status`. */
static void on_source(struct node *n, struct view payload)
{
	struct source_status s;

	if (payload.n != sizeof s)
		return;
	memcpy(&s, payload.p, sizeof s);
	if (s.source >= CONFIG_SOURCES_MAX || !config_source_type_name(s.type))
		return;
	s.name[sizeof s.name - 1] = 0;
	s.trouble[sizeof s.trouble - 1] = 0;
	if (!text_is_clean(view_str(s.name)) || !text_is_clean(view_str(s.trouble)))
		return; /* ours says nothing of the kind */
	n->sources[s.source] = s;
}

void node_sense_message(struct node *n, uint16_t type, struct view payload)
{
	if (type == MSG_OBSERVATIONS)
		on_observations(n, payload);
	else if (type == MSG_POSITION)
		on_position(n, payload);
	else if (type == MSG_SOURCE)
		on_source(n, payload);
	else if (type == MSG_HONEYPOT)
		node_honeypot_message(n, payload);
	else if (type == MSG_TRUNKS)
		node_allow_trunks(n, payload);
	else if (type == MSG_SENSE_FIGURES && payload.n == sizeof n->sense_figures)
		memcpy(&n->sense_figures, payload.p, sizeof n->sense_figures);
}

struct position_list {
	struct log_position list[POSITIONS_MAX];
	size_t count;
};

static void add_position(void *context, const struct position *p)
{
	struct position_list *l = context;
	struct log_position *to;

	if (l->count == POSITIONS_MAX)
		return;
	to = &l->list[l->count++];
	memset(to, 0, sizeof *to);
	view_copy(to->path, sizeof to->path, view_str(p->path));
	to->dev = p->dev;
	to->inode = p->inode;
	to->offset = p->offset;
	memcpy(to->fingerprint, p->fingerprint, sizeof to->fingerprint);
}

void node_sense_start(struct node *n)
{
	struct position_list l = {.count = 0};
	struct error err = {""};

	if (!n->sense || n->sense_told)
		return;
	/*
	 * What is protected, and whether this node may report, is known when the
	 * ledger has been read; if it cannot be, this site is defended all the same.
	 */
	if (!n->caught_up && clock_monotonic() - n->started < LEDGER_WITHIN)
		return;
	n->sense_told = true;
	if (positions_each(n->store, add_position, &l, &err) < 0)
		log_error("store: %s", err.text);
	if (link_send(n->sense, MSG_SENSE_START,
		    view_of(l.list, l.count * sizeof l.list[0])))
		log_error("the sense role takes no message: %s", strerror(errno));
}

void node_forgive(struct node *n, const struct indicator *i)
{
	struct address source;
	struct error err = {""};
	unsigned plen;

	if (node_is_call(i))
		node_numbers_forgive(n, i);
	if (indicator_to_address(&source, &plen, i) ||
		(plen != (source.family == 4 ? 32 : 128) &&
			(source.family != 6 || plen != 64)))
		return;
	detector_forgive(n->detector, &source);
	if (offences_delete(n->store, &source, &err))
		log_error("store: %s", err.text);
}

static void remember(
	void *context, const struct address *source, uint32_t count, usec last)
{
	struct node *n = context;

	detector_remember(n->detector, source, count, last);
}

int node_sense_load(struct node *n, struct error *err)
{
	usec forget = (usec)n->config->detect.forget * USEC_PER_SEC, now = clock_wall();

	if (offences_prune(n->store, now > forget ? now - forget : 0, err))
		return -1;
	return offences_each(n->store, n->config->detect.sources_max / 2, remember, n,
		       err) < 0 ?
		-1 :
		0;
}
