/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/number_target_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/units.h"
#include "indicator/number.h"

struct targets *targets_new(const struct numbers_config *config, struct hash_key key)
{
	struct targets *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->config = config;
	t->key = key;
	t->places = table_new(sizeof(struct place), INDICATOR_SIZE, 0, key);
	if (!t->places) {
		free(t);
		return NULL;
	}
	return t;
}

/* --- the lists */

static void unlist(struct targets *t, struct target *x)
{
	*(x->older ? &x->older->newer : &t->oldest) = x->newer;
	*(x->newer ? &x->newer->older : &t->newest) = x->older;
}

static void enlist(struct targets *t, struct target *x)
{
	x->newer = NULL;
	x->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = x;
	t->newest = x;
}

/* The place of the first number that is not before key. */
size_t targets_place(const struct targets *t, uint64_t key)
{
	size_t low = 0, high = t->n_sorted;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (t->sorted[middle]->key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sort_in(struct targets *t, struct target *x)
{
	size_t at = targets_place(t, x->key);

	memmove(t->sorted + at + 1, t->sorted + at,
		(t->n_sorted - at) * sizeof t->sorted[0]);
	t->sorted[at] = x;
	t->n_sorted++;
}

static void sort_out(struct targets *t, const struct target *x)
{
	size_t at = targets_place(t, x->key);

	memmove(t->sorted + at, t->sorted + at + 1,
		(--t->n_sorted - at) * sizeof t->sorted[0]);
}

static size_t size_of(const struct target *x)
{
	return sizeof *x + x->room * sizeof x->hits[0] +
		(x->text ? strlen(x->text) + 1 : 0);
}

static void no_longer_due(struct targets *t, const struct target *x)
{
	struct target **at = &t->due, *before = NULL;

	while (*at && *at != x) {
		before = *at;
		at = &before->next_due;
	}
	if (!*at)
		return;
	*at = x->next_due;
	if (t->due_last == x)
		t->due_last = before;
}

static void forget(struct targets *t, struct target *x)
{
	if (x->due)
		no_longer_due(t, x);
	if (x->indicator.kind == INDICATOR_NUMBER)
		sort_out(t, x);
	unlist(t, x);
	table_remove(t->places, &x->indicator);
	t->bytes -= size_of(x);
	t->n--;
	free(x->text);
	free(x);
}

void targets_clear(struct targets *t)
{
	while (t->oldest)
		forget(t, t->oldest);
	t->n_prefixes = 0;
}

void targets_free(struct targets *t)
{
	if (!t)
		return;
	targets_clear(t);
	table_free(t->places);
	free(t);
}

static struct target *find(const struct targets *t, const struct indicator *i)
{
	const struct place *p = table_get(t->places, i);

	return p ? p->target : NULL;
}

/* The first sixteen half-bytes: fifteen digits and an F at least. */
static uint64_t key_of(const struct indicator *i)
{
	uint64_t key = 0;

	for (unsigned k = 0; k < 8; k++)
		key = key << 8 | i->value[k];
	return key;
}

static struct target *find_or_make(
	struct targets *t, const struct indicator *i, const char *text)
{
	struct target *x = find(t, i);
	uint32_t room = i->kind == INDICATOR_DOMAIN ? HITS_DOMAIN : HITS_NUMBER;
	struct place *p;

	if (x)
		return x;
	if (t->n == TARGETS_MAX)
		forget(t, t->oldest);
	x = calloc(1, sizeof *x + room * sizeof x->hits[0]);
	p = x ? table_put(t->places, i, NULL) : NULL;
	if (!p) {
		free(x);
		return NULL;
	}
	p->target = x;
	x->indicator = *i;
	x->room = room;
	x->key = key_of(i);
	x->text = *text ? strdup(text) : NULL; /* without it only the hash is told */
	t->n++;
	t->bytes += size_of(x);
	enlist(t, x);
	if (i->kind == INDICATOR_NUMBER)
		sort_in(t, x);
	return x;
}

/* --- counting */

static bool is_fresh(usec time, usec now, const struct detect_rule *rule)
{
	return apart(time, now) <= (usec)rule->window * USEC_PER_SEC;
}

static void put_hit(struct target *x, const struct target_call *call)
{
	struct hit h = {.time = call->time,
		.id = call->id,
		.source = call->source,
		.proof = call->proof,
		.source_proof = call->source_proof,
		.category = call->category};
	uint32_t at = 0;

	while (at < x->n && x->hits[at].id != call->id)
		at++;
	/* In its place, or in that of the oldest: it is the newest now. */
	if (at == x->n && x->n == x->room)
		at = 0;
	if (at < x->n)
		memmove(x->hits + at, x->hits + at + 1,
			(--x->n - at) * sizeof x->hits[0]);
	x->hits[x->n++] = h;
}

/* How many fresh hits there are, and how many of them one reading gave. */
uint32_t targets_hits(const struct target *x, usec now, const struct detect_rule *rule,
	uint32_t *by_rule)
{
	uint32_t n = 0;

	*by_rule = 0;
	for (uint32_t k = 0; k < x->n; k++) {
		if (!is_fresh(x->hits[k].time, now, rule))
			continue;
		n++;
		*by_rule += x->hits[k].proof == PROOF_RULE;
	}
	return n;
}

/* Whoever has an IPv6 address has its /64. */
static bool same_network(const struct address *a, const struct address *b)
{
	return a->family == b->family &&
		!memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4);
}

static void add_source(struct number_detection *d, const struct address *source)
{
	for (unsigned k = 0; k < d->n_from; k++)
		if (address_eq(&d->from[k], source))
			return;
	if (d->n_from < NUMBER_SOURCES_MAX)
		d->from[d->n_from++] = *source;
}

/* Take the fresh calls of x into a detection, newest first. */
void targets_gather(struct number_detection *d, const struct target *x,
	const struct detect_rule *rule)
{
	for (uint32_t k = x->n; k-- > 0;) {
		const struct hit *h = &x->hits[k];

		if (!is_fresh(h->time, d->time, rule))
			continue;
		d->calls++;
		add_source(d, &h->source);
		if (proof_rank(h->source_proof) > proof_rank(d->source_proof))
			d->source_proof = h->source_proof;
		if (h->category == CATEGORY_STOLEN)
			d->category = CATEGORY_STOLEN;
	}
	d->sources = d->n_from;
	memcpy(d->dialled, x->dialled, sizeof d->dialled);
}

void targets_reason(struct number_detection *d)
{
	char window[32], dialled[64], what[64];

	escape_view(dialled, 41, view_str(d->dialled));
	duration_print(window, d->window);
	if (!d->numbers)
		snprintf(what, sizeof what, "called %u times", d->calls);
	else
		snprintf(what, sizeof what,
			d->indicator.kind == INDICATOR_NUMBER ?
				"%u numbers that begin so called" :
				"%u users of it called",
			d->numbers);
	snprintf(d->reason, sizeof d->reason,
		"%s by %u attacker%s within %s, last as %s%s", what, d->sources,
		d->sources == 1 ? "" : "s", window, dialled,
		d->proof == PROOF_RULE ? "" : "; what several strings have in common");
}

static void make_due(struct targets *t, struct target *x)
{
	if (x->due)
		return;
	x->due = true;
	x->next_due = NULL;
	*(t->due_last ? &t->due_last->next_due : &t->due) = x;
	t->due_last = x;
}

bool targets_silent(const struct targets *t, bool told, usec told_at, usec now)
{
	return told &&
		(now < told_at || now - told_at < (usec)t->config->again * USEC_PER_SEC);
}

bool targets_one_network(const struct number_detection *d)
{
	for (unsigned k = 1; k < d->n_from; k++)
		if (!same_network(&d->from[k], &d->from[0]))
			return false;
	return true;
}

/* A domain has no end of users: one source alone could list anybody's by five of them. */
static bool is_shared(const struct target *x, const struct detect_rule *rule)
{
	const struct hit *last = &x->hits[x->n - 1];

	for (uint32_t k = 0; k < x->n; k++)
		if (is_fresh(x->hits[k].time, x->last, rule) &&
			!same_network(&x->hits[k].source, &last->source))
			return true;
	return false;
}

/* Whether x crosses its threshold now, and was not told of lately. */
void targets_judge(struct targets *t, struct target *x, const struct detect_rule *rule)
{
	uint32_t by_rule;

	if (rule->threshold &&
		targets_hits(x, x->last, rule, &by_rule) >= rule->threshold &&
		!targets_silent(t, x->told, x->told_at, x->last) &&
		(x->indicator.kind != INDICATOR_DOMAIN || is_shared(x, rule)))
		make_due(t, x);
}

/* --- calls that come in */

/* The canonical URI's host: behind the '@', before a port or a parameter. */
static struct view host_of(const char *uri)
{
	const char *at = strchr(uri, '@');

	return at ? view_of(at + 1, strcspn(at + 1, ":;?")) : view_of(NULL, 0);
}

static void take_call(struct targets *t, struct target *x, const struct target_call *call)
{
	unlist(t, x);
	enlist(t, x);
	put_hit(x, call);
	x->last = call->time;
	view_copy(x->dialled, sizeof x->dialled, view_str(call->dialled));
}

/* The domain counts its users: a URI called twice is one. */
static void add_domain(struct targets *t, const char *uri, const struct target_call *call)
{
	struct view host = host_of(uri);
	struct target_call one = *call;
	struct indicator i;
	char text[254];
	struct target *x;

	if (!host.n || host.n >= sizeof text || !t->config->prefix.threshold)
		return;
	view_copy(text, sizeof text, host);
	i = indicator_from_canonical(INDICATOR_DOMAIN, host);
	x = find_or_make(t, &i, text);
	if (!x)
		return;
	one.id = hash_bytes(&t->key, uri, strlen(uri));
	take_call(t, x, &one);
	targets_judge(t, x, &t->config->prefix);
}

void targets_add(struct targets *t, const struct indicator *i, const char *text,
	const struct target_call *call)
{
	struct target *x = find_or_make(t, i, text);

	if (!x)
		return;
	take_call(t, x, call);
	if (i->kind == INDICATOR_URI) {
		targets_judge(t, x, &t->config->calls);
		add_domain(t, text, call);
		return;
	}
	targets_judge_prefix(t, x);
	if (!targets_covered(t, x))
		targets_judge(t, x, &t->config->calls);
}

void targets_remove(struct targets *t, const struct indicator *i, uint64_t id)
{
	struct target *x = find(t, i);

	for (uint32_t k = 0; x && k < x->n; k++) {
		if (x->hits[k].id != id)
			continue;
		memmove(x->hits + k, x->hits + k + 1, (--x->n - k) * sizeof x->hits[0]);
		if (!x->n)
			forget(t, x);
		return;
	}
}

/* --- what is told */

static void fill_target(struct targets *t, struct target *x, struct number_detection *d)
{
	bool domain = x->indicator.kind == INDICATOR_DOMAIN;
	const struct detect_rule *rule = domain ? &t->config->prefix : &t->config->calls;
	uint32_t by_rule, n = targets_hits(x, x->last, rule, &by_rule);

	*d = (struct number_detection){.time = x->last,
		.indicator = x->indicator,
		.category = CATEGORY_FRAUD,
		.proof = by_rule >= rule->threshold ? PROOF_RULE : PROOF_CLUSTER,
		.numbers = domain ? n : 0,
		.window = rule->window};
	if (x->text)
		view_copy(d->text, sizeof d->text, view_str(x->text));
	targets_gather(d, x, rule);
	targets_reason(d);
}

bool targets_due(struct targets *t, struct number_detection *out)
{
	struct target *x;

	if (targets_prefix_due(t, out))
		return true;
	x = t->due;
	if (!x)
		return false;
	t->due = x->next_due;
	if (!t->due)
		t->due_last = NULL;
	x->due = false;
	x->told = true;
	x->told_at = x->last;
	fill_target(t, x, out);
	return true;
}

void targets_untold(struct targets *t, const struct indicator *i)
{
	struct target *x = find(t, i);

	if (x)
		x->told = false;
	else
		targets_forget_prefix(t, i);
}

void targets_forgive(struct targets *t, const struct indicator *i)
{
	struct target *x = find(t, i);

	if (x)
		forget(t, x);
	if (!targets_forget_prefix(t, i))
		return;
	/* Its numbers, too, or the next call would bring it back. */
	for (size_t at = t->n_sorted; at-- > 0;)
		if (indicator_contains(i, &t->sorted[at]->indicator))
			forget(t, t->sorted[at]);
}

size_t targets_count(const struct targets *t)
{
	return t->n;
}

size_t targets_memory(const struct targets *t)
{
	return sizeof *t + t->bytes + table_memory(t->places);
}
