/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/dialog.h"

#include <stdlib.h>

#define SET 8u

static usec age(usec then, usec now)
{
	return then > now ? 0 : now - then;
}

static uint64_t address_hash(const struct hash_key *key, const struct address *a)
{
	uint64_t h = hash_bytes(key, a, sizeof *a);

	return h ? h : 1;
}

void proved_put(struct proved *p, const struct address *a, usec now)
{
	struct proved_source *set =
		&p->sources[address_hash(&p->key, a) % (PROVED_SOURCES / SET) * SET];
	struct proved_source *place = set;

	for (unsigned i = 0; i < SET; i++) {
		if (address_eq(&set[i].address, a)) {
			place = &set[i];
			break;
		}
		if (!set[i].address.family || set[i].since < place->since)
			place = &set[i];
		if (!place->address.family)
			break;
	}
	*place = (struct proved_source){*a, now};
}

bool proved_has(const struct proved *p, const struct address *a, usec now)
{
	const struct proved_source *set =
		&p->sources[address_hash(&p->key, a) % (PROVED_SOURCES / SET) * SET];

	for (unsigned i = 0; i < SET; i++)
		if (address_eq(&set[i].address, a))
			return age(set[i].since, now) < PROVED_FOR;
	return false;
}

size_t proved_count(const struct proved *p, usec now)
{
	size_t n = 0;

	for (unsigned i = 0; i < PROVED_SOURCES; i++)
		n += p->sources[i].address.family &&
			age(p->sources[i].since, now) < PROVED_FOR;
	return n;
}

uint32_t guess_count(struct guesses *g, const struct address *a, struct view account,
	struct view response, usec now)
{
	uint64_t who = address_hash(&g->key, a) ^
		hash_bytes(&g->key, account.p, account.n);
	uint32_t what = (uint32_t)hash_bytes(&g->key, response.p, response.n);
	struct guess *set = &g->list[who % (GUESSES / SET) * SET], *place = set;

	who = who ? who : 1;
	for (unsigned i = 0; i < SET; i++) {
		if (set[i].who == who && age(set[i].last, now) < GUESSES_FOR) {
			set[i].last = now;
			set[i].count += set[i].response != what;
			set[i].response = what;
			return set[i].count;
		}
		if (set[i].last < place->last)
			place = &set[i];
	}
	*place = (struct guess){who, now, 1, what};
	return 1;
}

int dialogs_begin(struct dialogs *d, uint32_t n, struct hash_key key)
{
	d->key = key;
	d->n = n;
	d->who = calloc(n, sizeof *d->who);
	d->which = calloc(n, sizeof *d->which);
	d->due = malloc(n * sizeof *d->due);
	d->list = calloc(n, sizeof *d->list);
	if (!d->who || !d->which || !d->due || !d->list) {
		dialogs_end(d);
		return -1;
	}
	memset(d->due, 0xff, n * sizeof *d->due);
	return 0;
}

void dialogs_end(struct dialogs *d)
{
	free(d->who);
	free(d->which);
	free(d->due);
	free(d->list);
	*d = (struct dialogs){0};
}

size_t dialogs_memory(const struct dialogs *d)
{
	return d->n *
		(sizeof *d->who + sizeof *d->which + sizeof *d->due + sizeof *d->list);
}

uint64_t dialogs_hash(const struct dialogs *d, struct view text)
{
	uint64_t h = hash_bytes(&d->key, text.p, text.n);

	return h ? h : 1;
}

static uint64_t which_of(
	const struct dialogs *d, const struct address *a, struct view call_id)
{
	return address_hash(&d->key, a) * 3 ^ dialogs_hash(d, call_id);
}

struct dialog *dialog_find(struct dialogs *d, const struct address *a,
	struct view call_id, struct view from_tag)
{
	uint64_t which, tag;

	if (!d->open)
		return NULL;
	which = which_of(d, a, call_id);
	tag = dialogs_hash(d, from_tag);
	for (uint32_t i = 0; i < d->n; i++)
		if (d->which[i] == which && d->who[i] && d->list[i].from_tag == tag)
			return &d->list[i];
	return NULL;
}

struct dialog *dialog_add(struct dialogs *d, const struct address *a, struct view call_id,
	struct view from_tag, usec now)
{
	uint64_t who = address_hash(&d->key, a);
	uint32_t place = 0, of_source = 0;

	for (uint32_t i = 0; i < d->n; i++) {
		of_source += d->who[i] == who;
		if (!d->who[place])
			continue;
		if (!d->who[i] || d->list[i].began < d->list[place].began)
			place = i;
	}
	if (of_source >= (d->n + 3) / 4)
		return NULL;
	if (d->who[place])
		dialog_remove(d, &d->list[place]);
	d->open++;
	d->who[place] = who;
	d->which[place] = which_of(d, a, call_id);
	d->due[place] = UINT64_MAX;
	d->list[place] = (struct dialog){
		.began = now, .from_tag = dialogs_hash(d, from_tag)};
	return &d->list[place];
}

void dialog_remove(struct dialogs *d, struct dialog *which)
{
	size_t i = (size_t)(which - d->list);

	which->state = DIALOG_FREE;
	d->who[i] = d->which[i] = 0;
	d->due[i] = UINT64_MAX;
	d->open--;
}

void dialog_due(struct dialogs *d, struct dialog *which, usec at)
{
	d->due[which - d->list] = at;
	if (at != UINT64_MAX && (!d->next || at < d->next))
		d->next = at;
}

struct dialog *dialog_next_due(struct dialogs *d, usec now)
{
	usec earliest = UINT64_MAX;

	if (!d->next || d->next > now)
		return NULL;
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->due[i] <= now)
			return &d->list[i];
		if (d->due[i] < earliest)
			earliest = d->due[i];
	}
	d->next = earliest == UINT64_MAX ? 0 : earliest;
	return NULL;
}

void dialogs_closed(struct dialogs *d, uint64_t connection)
{
	for (uint32_t i = 0; connection && i < d->n; i++)
		if (d->who[i] && d->list[i].path.connection == connection)
			dialog_remove(d, &d->list[i]);
}
