/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/campaign.h"

#include <stdlib.h>

#define WAYS 8
#define SETS 32

struct campaigns {
	struct hash_key key;
	struct campaign at[SETS * WAYS];
};

struct campaigns *campaigns_new(struct hash_key key)
{
	struct campaigns *c = calloc(1, sizeof *c);

	if (c)
		c->key = key;
	return c;
}

void campaigns_free(struct campaigns *c)
{
	free(c);
}

void campaigns_clear(struct campaigns *c)
{
	memset(c->at, 0, sizeof c->at);
}

/* The campaign with this key, made when new. */
static struct campaign *place(struct campaigns *c, uint64_t key)
{
	struct campaign *set = c->at + (key % SETS) * WAYS, *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].last < oldest->last)
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof *oldest);
	oldest->key = key;
	return oldest;
}

/* The member with this address, made in the place of the oldest when new. */
static struct campaign_member *member(struct campaign *c, const struct address *address)
{
	struct campaign_member *oldest = c->member;

	for (int i = 0; i < CAMPAIGN_MEMBERS; i++) {
		if (c->member[i].time && address_eq(&c->member[i].address, address))
			return &c->member[i];
		if (c->member[i].time < oldest->time)
			oldest = &c->member[i];
	}
	memset(oldest, 0, sizeof *oldest);
	oldest->address = *address;
	return oldest;
}

struct campaign *campaigns_note(struct campaigns *c, const struct rule *rule, unsigned at,
	const struct observation *o)
{
	const char *text = rule->per == RULE_PER_ACCOUNT ? o->account : o->dialled;
	usec window = (usec)rule->threshold.window * USEC_PER_SEC;
	struct campaign_member *m;
	struct campaign *found;
	uint64_t parts[2] = {at + 1, 0}, key;

	if (!*text)
		return NULL;
	parts[1] = hash_bytes(&c->key, text, strlen(text));
	key = hash_bytes(&c->key, parts, sizeof parts);
	found = place(c, key ? key : 1);
	if (found->last &&
		(o->time > found->last ? o->time - found->last : found->last - o->time) >=
			window) {
		memset(found, 0, sizeof *found);
		found->key = key ? key : 1;
	}
	found->rule = (uint8_t)at;
	found->last = o->time;
	found->kind = o->kind;
	found->attempts++;
	memcpy(found->account, o->account, sizeof found->account);
	memcpy(found->dialled, o->dialled, sizeof found->dialled);
	memcpy(found->agent, o->agent, sizeof found->agent);
	m = member(found, &o->source);
	m->time = o->time;
	m->proof = o->proof;
	m->transport = o->transport;
	m->sensor = o->sensor;
	return found;
}

struct campaign *campaigns_due(struct campaigns *c)
{
	for (unsigned i = 0; i < SETS * WAYS; i++)
		if (c->at[i].key && c->at[i].due)
			return &c->at[i];
	return NULL;
}

size_t campaigns_count(const struct campaigns *c)
{
	size_t n = 0;

	for (unsigned i = 0; i < SETS * WAYS; i++)
		n += c->at[i].key != 0;
	return n;
}

size_t campaigns_memory(const struct campaigns *c)
{
	return sizeof *c;
}
