/* SPDX-License-Identifier: Apache-2.0 */
/* Many sources that try one account, or one number: what of them is a detection. */
#include "detect/state.h"

void campaign_feed(struct detector *d, const struct observation *o)
{
	uint32_t fit;

	if (!d->by_campaign || proof_rank(o->proof) < PROOF_RANK_PROVED)
		return;
	fit = rules_fit(&d->rules, o->dialled);
	for (unsigned i = 0; i < d->rules.n; i++) {
		const struct rule *r = &d->rules.at[i];
		struct campaign *c;

		if (!r->enabled || !r->threshold.threshold ||
			(r->per != RULE_PER_ACCOUNT && r->per != RULE_PER_DIALLED) ||
			!(r->kinds & UINT32_C(1) << o->kind) ||
			(r->methods && !(r->methods & UINT32_C(1) << o->method)) ||
			(r->sensors && !(r->sensors & UINT32_C(1) << o->sensor)) ||
			(o->signs & r->signs) != r->signs ||
			((r->digits || r->dialled[0][0]) && !(fit & UINT32_C(1) << i)))
			continue;
		c = campaigns_note(d->campaigns, r, i, o);
		if (c && !c->due) {
			c->due = true;
			d->campaigns_due++;
		}
	}
}

/* A member that counts: it failed in the window and never authenticated. */
static bool counts_in(const struct detector *d, const struct campaign_member *m,
	const struct rule *rule, usec now)
{
	const struct source *s;

	if (!m->time ||
		apart(m->time, now) >= (usec)rule->threshold.window * USEC_PER_SEC)
		return false;
	s = sources_find(d->sources, &m->address);
	return !s || !weigh_succeeded(s, now, UINT32_MAX);
}

static void campaign_emit(struct detector *d, const struct campaign *c,
	const struct campaign_member *m, uint32_t members, struct detection *out)
{
	const struct rule *rule = &d->rules.at[c->rule];

	memset(out, 0, sizeof *out);
	out->time = c->last;
	out->source = m->address;
	out->plen = m->address.family == 4 ? 32 : 128;
	out->proof = m->proof;
	out->kind = c->kind;
	out->sensor = m->sensor;
	out->transport = m->transport;
	out->attempts = c->attempts;
	out->window = rule->threshold.window;
	out->sources = members;
	out->accounts = out->numbers = 1;
	out->offence = 1;
	out->ban = d->config.ban;
	detection_rule(out, rule);
	memcpy(out->account, c->account, sizeof out->account);
	memcpy(out->dialled, c->dialled, sizeof out->dialled);
	memcpy(out->agent, c->agent, sizeof out->agent);
	detection_reason(out, rule);
	d->detections++;
}

/* The next of a due campaign's detections: all its members', or one for all. */
static bool campaign_next(struct detector *d, struct campaign *c, struct detection *out)
{
	const struct rule *rule = &d->rules.at[c->rule];
	struct campaign_member *newest = NULL;
	uint32_t members = 0;

	for (unsigned i = 0; i < CAMPAIGN_MEMBERS; i++) {
		struct campaign_member *m = &c->member[i];

		if (!counts_in(d, m, rule, c->last))
			continue;
		members++;
		if (!m->told && (!newest || m->time >= newest->time))
			newest = m;
	}
	if (members < rule->threshold.threshold || !newest || (c->told && !rule->ban))
		return false;
	newest->told = c->told = true;
	campaign_emit(d, c, newest, members, out);
	return true;
}

bool campaign_judge(struct detector *d, struct detection *out)
{
	struct campaign *c;

	while (d->campaigns_due && (c = campaigns_due(d->campaigns))) {
		if (campaign_next(d, c, out))
			return true;
		c->due = false;
		d->campaigns_due--;
	}
	d->campaigns_due = 0;
	return false;
}
