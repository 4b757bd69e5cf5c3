/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/registered.h"

#include <stdio.h>

#include "base/escape.h"

#define RENEW_PART 16 /* of its life must have gone by before it is renewed */

/* Whether the observation says that a phone of this PBX is there. */
static bool is_phone(const struct observation *o)
{
	return o->kind == OBSERVED_AUTH_OK && o->proof == PROOF_AUTH &&
		(o->sensor == SENSOR_AMI || o->sensor == SENSOR_SECURITY_LOG) &&
		o->account[0] && o->source.family;
}

static const struct allow_entry *find(
	const struct allow_entry *e, size_t n, const struct indicator *i)
{
	for (size_t k = 0; k < n; k++)
		if (e[k].origin == ALLOW_REGISTERED &&
			!indicator_compare(&e[k].indicator, i))
			return &e[k];
	return NULL;
}

static void write_note(char note[80], const char *account)
{
	snprintf(note, 80, "account %s", escaped(view_str(account)));
}

/*
 * Room for one more: the account's oldest entry goes when it has all that it may
 * have. Returns 0, or -1 when the list is full of others.
 */
static int make_room(struct allowlist *a, const char *note, struct allow_entry *gone)
{
	const struct allow_entry *e, *oldest = NULL;
	size_t n, all = 0, same = 0;

	e = allowlist_entries(a, &n);
	for (size_t k = 0; k < n; k++) {
		if (e[k].origin != ALLOW_REGISTERED)
			continue;
		all++;
		if (strcmp(e[k].note, note) != 0)
			continue;
		same++;
		if (!oldest || e[k].expiry < oldest->expiry)
			oldest = &e[k];
	}
	if (same >= REGISTERED_PER_ACCOUNT) {
		*gone = *oldest;
		allowlist_remove(a, &gone->indicator, ALLOW_REGISTERED);
		return 0;
	}
	return all < REGISTERED_MAX ? 0 : -1;
}

enum registered registered_take(struct allowlist *a, struct allow_entry *entry,
	struct allow_entry *gone, const struct observation *o, enum failed failed,
	uint32_t life, uint32_t now)
{
	const struct allow_entry *known, *around, *list;
	uint64_t seen = o->time / USEC_PER_SEC;
	bool live;
	size_t n;

	memset(entry, 0, sizeof *entry);
	memset(gone, 0, sizeof *gone);
	if (seen > now)
		seen = now;
	/* A log is also read after hours: what ended meanwhile stays away. */
	if (failed == FAILED_PROVED || !is_phone(o) || seen + life <= now)
		return REGISTERED_NOT;
	entry->indicator = indicator_from_address(
		&o->source, o->source.family == 4 ? 32 : 128);
	entry->origin = ALLOW_REGISTERED;
	entry->expiry = (uint32_t)(seen + life);
	write_note(entry->note, o->account);
	around = allowlist_overlap(a, &entry->indicator, now);
	if (around && around->origin != ALLOW_REGISTERED && !around->expiry)
		return REGISTERED_NOT; /* it is on the list for good */
	list = allowlist_entries(a, &n);
	known = find(list, n, &entry->indicator);
	live = known && known->expiry > now;
	if (failed && !live)
		return REGISTERED_NOT;
	if (known && known->expiry > entry->expiry)
		entry->expiry = known->expiry; /* the life was configured shorter */
	/* A call a second is not written down a second. */
	if (live && entry->expiry - known->expiry < life / RENEW_PART)
		return REGISTERED_NOT;
	if (!known && make_room(a, entry->note, gone))
		return REGISTERED_NOT;
	if (allowlist_add(a, entry))
		return REGISTERED_NOT;
	return live ? REGISTERED_RENEWED : REGISTERED_NEW;
}

bool registered_overruled(const struct allow_entry *e, const struct detection *d)
{
	char owner[sizeof e->note];

	if (e->origin != ALLOW_REGISTERED || !d->registered_too ||
		!(d->proof == PROOF_NONCE || d->proof == PROOF_TCP ||
			d->proof == PROOF_AUTH))
		return false;
	write_note(owner, d->account);
	return d->category != CATEGORY_STOLEN || strcmp(e->note, owner) != 0;
}
