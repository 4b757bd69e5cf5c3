/* SPDX-License-Identifier: Apache-2.0 */
/* The PBX's own phones and trunks come onto the allowlist, and go. */
#include "daemon/node.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "decide/registered.h"
#include "store/allow_learnt.h"

/*
 * A PBX that is down for days still has its trunks. Listed anew every few
 * minutes, they are written down again after an hour.
 */
#define TRUNK_LIFE    (7 * 86400U)
#define TRUNK_REWRITE 3600U

static void keep(struct node *n, const struct allow_entry *e)
{
	struct error err = {""};

	if (allow_learnt_put(n->store, e, &err))
		log_error("store: %s", err.text);
}

static void forget(struct node *n, const struct allow_entry *e)
{
	struct error err = {""};

	if (allow_learnt_delete(n->store, &e->indicator, e->origin, &err))
		log_error("store: %s", err.text);
}

/* --- phones --- */

void node_allow_success(struct node *n, const struct observation *o)
{
	uint32_t life = n->config->allow.registered;
	struct allow_entry entry, gone;
	char text[INDICATOR_TEXT];
	enum registered what;

	if (!life || o->kind != OBSERVED_AUTH_OK)
		return;
	what = registered_take(n->allow, &entry, &gone, o,
		detector_failed(n->detector, &o->source, o->time), life, node_now());
	if (gone.origin) {
		forget(n, &gone);
		n->allow_changed = true;
	}
	if (what == REGISTERED_NOT)
		return;
	keep(n, &entry);
	if (what == REGISTERED_RENEWED)
		return;
	n->allow_changed = true;
	log_info("%s is on the allowlist: %s authenticated from there",
		indicator_print(text, &entry.indicator), entry.note);
	node_event(
		n, "allow", &entry.indicator, "%s authenticated from there", entry.note);
}

void node_allow_end(struct node *n, const struct indicator *i, const char *why)
{
	const struct allow_entry *e = allowlist_find(n->allow, i, ALLOW_REGISTERED);
	struct allow_entry old;
	char text[INDICATOR_TEXT];

	if (!e)
		return;
	old = *e;
	allowlist_remove(n->allow, i, ALLOW_REGISTERED);
	forget(n, &old);
	/* What is on its list it does not ban. */
	node_send_allow(n);
	log_notice("%s is no longer on the allowlist (%s): %s", indicator_print(text, i),
		old.note, why);
	node_event(n, "allow", i, "no longer, %s: %s", old.note, why);
}

/* --- trunks --- */

/* "trunk carrier of pbx"; the end tells whose they are. */
static void trunk_note(char note[80], const struct trunk_entry *t, const char *source)
{
	char endpoint[sizeof t->endpoint];

	view_copy(endpoint, sizeof endpoint,
		view_of(t->endpoint, strnlen(t->endpoint, sizeof t->endpoint)));
	if (!text_is_clean(view_str(endpoint)))
		endpoint[0] = 0;
	/* The source's name whole, by which they are found again. */
	snprintf(note, 80, "trunk %.*s of %s", (int)(80 - 12 - strlen(source)), endpoint,
		source);
}

static bool is_of(const struct allow_entry *e, const char *source)
{
	char end[sizeof((struct source_status *)0)->name + 4];
	size_t n = strlen(e->note), m;

	snprintf(end, sizeof end, " of %s", source);
	m = strlen(end);
	return e->origin == ALLOW_TRUNK && n >= m && !strcmp(e->note + n - m, end);
}

/* Whether what a role that may be broken into calls a trunk can be one. */
static bool is_trunk(const struct indicator *i)
{
	return (i->kind == INDICATOR_IP4 && i->plen >= AMI_TRUNK_MIN_V4) ||
		(i->kind == INDICATOR_IP6 && i->plen >= AMI_TRUNK_MIN_V6);
}

static bool listed(
	const struct trunk_entry *list, size_t count, const struct indicator *i)
{
	for (size_t k = 0; k < count; k++)
		if (!indicator_compare(&list[k].indicator, i))
			return true;
	return false;
}

static const struct allow_entry *known_trunk(struct node *n, const struct indicator *i)
{
	size_t count;
	const struct allow_entry *e = allowlist_entries(n->allow, &count);

	for (size_t k = 0; k < count; k++)
		if (e[k].origin == ALLOW_TRUNK && !indicator_compare(&e[k].indicator, i))
			return &e[k];
	return NULL;
}

static void add_trunk(struct node *n, const struct trunk_entry *t, const char *source)
{
	struct allow_entry e = {.indicator = t->indicator,
		.origin = ALLOW_TRUNK,
		.expiry = node_now() + TRUNK_LIFE};
	const struct allow_entry *known = known_trunk(n, &t->indicator);
	char text[INDICATOR_TEXT];

	if (known && known->expiry > e.expiry - TRUNK_REWRITE)
		return;
	trunk_note(e.note, t, source);
	if (!known) {
		n->allow_changed = true;
		log_info("%s is on the allowlist: %s",
			indicator_print(text, &e.indicator), e.note);
		node_event(n, "allow", &e.indicator, "%s", e.note);
	}
	if (allowlist_add(n->allow, &e))
		log_error("out of memory for the allowlist");
	else
		keep(n, &e);
}

/* Trunks of this source that the PBX has no longer. */
static void drop_trunks(
	struct node *n, const struct trunk_entry *list, size_t count, const char *source)
{
	size_t all;
	const struct allow_entry *e = allowlist_entries(n->allow, &all);

	for (size_t k = all; k-- > 0;) {
		struct allow_entry old = e[k];
		char text[INDICATOR_TEXT];

		if (!is_of(&old, source) || listed(list, count, &old.indicator))
			continue;
		allowlist_remove(n->allow, &old.indicator, old.origin);
		forget(n, &old);
		n->allow_changed = true;
		log_info("%s is no longer on the allowlist: %s",
			indicator_print(text, &old.indicator), old.note);
	}
}

static const struct config_source *source_named(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->config->source_count; i++)
		if (!strncmp(n->config->sources[i].name, name,
			    sizeof n->config->sources[i].name))
			return &n->config->sources[i];
	return NULL;
}

void node_allow_trunks(struct node *n, struct view payload)
{
	static struct trunk_entry list[TRUNKS_MAX];
	struct trunks_header header;
	const struct config_source *source;
	size_t count;

	if (payload.n < sizeof header || !n->config->allow.trunks)
		return;
	memcpy(&header, payload.p, sizeof header);
	count = header.count;
	header.name[sizeof header.name - 1] = 0;
	source = source_named(n, header.name);
	if (!source || count > TRUNKS_MAX ||
		payload.n != sizeof header + count * sizeof list[0])
		return;
	memcpy(list, payload.p + sizeof header, count * sizeof list[0]);
	for (size_t i = 0; i < count; i++)
		if (is_trunk(&list[i].indicator) &&
			!indicator_check_shape(&list[i].indicator, NULL))
			add_trunk(n, &list[i], source->name);
	drop_trunks(n, list, count, source->name);
}

/* A trunk of a source that the configuration has no longer. */
static bool is_orphan(const struct node *n, const struct allow_entry *e)
{
	for (size_t i = 0; i < n->config->source_count; i++)
		if (is_of(e, n->config->sources[i].name))
			return false;
	return e->origin == ALLOW_TRUNK;
}

/* --- all of them --- */

void node_allow_flush(struct node *n)
{
	if (!n->allow_changed)
		return;
	n->allow_changed = false;
	node_send_allow(n);
	n->all_dirty = true;
	node_decide_dirty(n);
	node_bans_flush(n);
}

/* Whether [allow] and the sources still bring such an entry. */
static bool is_wanted(const struct node *n, const struct allow_entry *e)
{
	if (e->origin == ALLOW_REGISTERED)
		return n->config->allow.registered > 0;
	return e->origin == ALLOW_TRUNK && n->config->allow.trunks && !is_orphan(n, e);
}

static void add(void *context, const struct allow_entry *e)
{
	struct node *n = context;

	if (is_wanted(n, e) && e->expiry > node_now() && allowlist_add(n->allow, e))
		log_error("out of memory for the allowlist");
}

int node_allow_load(struct node *n, struct error *err)
{
	return allow_learnt_each(n->store, add, n, err) < 0 ? -1 : 0;
}

void node_allow_configured(struct node *n)
{
	size_t count;
	const struct allow_entry *e = allowlist_entries(n->allow, &count);

	for (size_t k = count; k-- > 0;) {
		struct allow_entry old = e[k];

		if ((old.origin != ALLOW_REGISTERED && old.origin != ALLOW_TRUNK) ||
			is_wanted(n, &old))
			continue;
		allowlist_remove(n->allow, &old.indicator, old.origin);
		forget(n, &old);
	}
}
