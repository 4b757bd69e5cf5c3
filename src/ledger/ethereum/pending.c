/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/keccak.h"
#include "ledger/ethereum/pending.h"

struct pending_set *pending_new(const struct ethereum_settings *settings,
	const uint8_t sender[ADDRESS20], int64_t highest)
{
	struct pending_set *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	set->settings = settings;
	memcpy(set->sender, sender, ADDRESS20);
	set->last = &set->first;
	set->highest = highest;
	return set;
}

static void free_batch(struct pending *b)
{
	for (unsigned i = 0; i < b->offer_count; i++)
		free((void *)(uintptr_t)b->offers[i].raw.p);
	free(b->offers);
	free((void *)(uintptr_t)b->submission.call.p);
	free(b);
}

void pending_free(struct pending_set *set)
{
	struct pending *b, *next;

	if (!set)
		return;
	for (b = set->first; b; b = next) {
		next = b->next;
		free_batch(b);
	}
	free(set);
}

/* --- troubles --- */

void pending_trouble(struct pending_set *set, enum trouble kind, const char *fmt, ...)
{
	va_list ap;

	if (set->troubles[kind].on)
		return;
	va_start(ap, fmt);
	vsnprintf(set->troubles[kind].error.text, sizeof set->troubles[kind].error.text,
		fmt, ap);
	va_end(ap);
	set->troubles[kind].on = true;
	set->troubles[kind].said = false;
}

void pending_notice(struct pending_set *set, enum trouble kind, const char *text)
{
	error_set(&set->troubles[kind].error, "%s", text);
	set->troubles[kind].on = set->troubles[kind].said = false;
}

void pending_healthy(struct pending_set *set, enum trouble kind, const char *text)
{
	if (!set->troubles[kind].on)
		return;
	set->troubles[kind].on = false;
	/* What was never said needs no end. */
	if (!set->troubles[kind].said) {
		set->troubles[kind].said = true;
		return;
	}
	pending_notice(set, kind, text);
}

/* --- batches --- */

static bool busy(const struct pending *b)
{
	return b->asking || b->sending || b->looking || b->ending;
}

/* Its submitter may ask for it again, or it is not settled yet. */
static bool alive(const struct pending *b)
{
	return b->state != PENDING_ENDED || (b->fate.fate == FATE_FINAL && !b->drop) ||
		!b->told;
}

static struct pending *find(const struct pending_set *set, const uint8_t hash[HASH_SIZE])
{
	for (struct pending *b = set->first; b; b = b->next)
		if (alive(b) && !memcmp(b->submission.hash, hash, HASH_SIZE))
			return b;
	return NULL;
}

/* A new one at the end of the list, from call data that was decoded. */
static struct pending *add(struct pending_set *set, const struct submission *s)
{
	struct pending *b = calloc(1, sizeof *b);
	uint8_t *call = b ? malloc(s->call.n + 1) : NULL; /* a filler's is empty */

	if (!call) {
		free(b);
		return NULL;
	}
	memcpy(call, s->call.p, s->call.n);
	b->submission = *s;
	b->submission.call.p = call;
	b->submission.words = call + (s->words - s->call.p);
	b->state = PENDING_QUEUED;
	*set->last = b;
	set->last = &b->next;
	return b;
}

/* What was settled before is superseded where this batch takes its cells. */
static void supersede(struct pending_set *set, const struct pending *fresh)
{
	for (struct pending *b = set->first; b; b = b->next)
		if (b->state == PENDING_ENDED && b->fate.fate == FATE_FINAL &&
			submission_overlaps(&b->submission, &fresh->submission))
			b->drop = true;
}

struct pending *pending_submit(struct pending_set *set, uint64_t ticket, struct view call,
	bool *fresh, struct error *err)
{
	struct submission s;
	struct pending *b;

	if (submission_decode(&s, call)) {
		error_set(err, "the batch is malformed");
		return NULL;
	}
	*fresh = false;
	b = find(set, s.hash);
	if (b) {
		b->ticket = ticket;
		b->fate.ticket = ticket;
		b->told = false;
		return b;
	}
	if (set->open >= PENDING_MAX) {
		error_set(err,
			"%u batches wait for the chain already: they go on as soon as it "
			"takes them",
			set->open);
		return NULL;
	}
	b = add(set, &s);
	if (!b) {
		error_set(err, "out of memory");
		return NULL;
	}
	*fresh = true;
	b->ticket = ticket;
	set->open++;
	supersede(set, b);
	return b;
}

void pending_forget(struct pending_set *set, struct pending *b)
{
	struct pending **at = &set->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (set->last == &b->next)
		set->last = at;
	if (b->state != PENDING_ENDED)
		set->open--;
	else if (b->fate.fate == FATE_FINAL)
		set->settled--;
	free_batch(b);
}

void pending_end(struct pending_set *set, struct pending *b, enum fate fate)
{
	b->state = PENDING_ENDED;
	b->fate.ticket = b->ticket;
	b->fate.fate = fate;
	b->send_now = b->raise_now = b->zero_now = b->sign_now = b->look_now = false;
	b->retry_at = 0;
	b->failures = 0;
	set->open--;
	if (fate == FATE_FINAL)
		set->settled++;
}

/* --- from the journal --- */

static bool is_filler(const struct transaction *t, const uint8_t sender[ADDRESS20])
{
	return !t->data.n && !memcmp(t->to, sender, ADDRESS20);
}

static int check_row(const struct pending_set *set, const struct sent *row,
	struct transaction *t, struct submission *s)
{
	uint8_t sender[ADDRESS20], hash[HASH_SIZE];

	keccak256(hash, row->raw.p, row->raw.n);
	if (transaction_parse(t, sender, row->raw))
		return -1;
	if (is_filler(t, sender))
		pending_filler_hash(s->hash, sender, t->nonce);
	else if (submission_decode(s, t->data) ||
		memcmp(t->to, set->settings->contract, ADDRESS20))
		return -1;
	if (memcmp(sender, set->sender, ADDRESS20) ||
		memcmp(hash, row->hash, HASH_SIZE) ||
		memcmp(s->hash, row->batch, HASH_SIZE) || t->nonce != row->nonce)
		return -1;
	if (t->creates || t->chain_id != set->settings->chain_id)
		return -1;
	return 0;
}

int pending_reserve(struct pending *b)
{
	struct offer *offers = realloc(b->offers, (b->offer_count + 1) * sizeof *offers);

	if (!offers)
		return -1;
	b->offers = offers;
	return 0;
}

/* raw is taken over; reserved before. */
static void put_offer(struct pending *b, const struct transaction *t,
	const uint8_t hash[HASH_SIZE], struct view raw)
{
	struct offer *o = &b->offers[b->offer_count++];

	*o = (struct offer){
		.nonce = t->nonce,
		.dynamic = t->dynamic,
		.max_fee = t->max_fee,
		.priority_fee = t->priority_fee,
		.gas_limit = t->gas_limit,
		.raw = raw,
	};
	memcpy(o->hash, hash, HASH_SIZE);
	b->nonce = t->nonce;
}

static void restore_state(struct pending_set *set, struct pending *b,
	const struct sent *row, const struct transaction *t)
{
	b->ticket = row->ticket;
	b->zero_tried = b->zero_tried || !t->max_fee;
	if ((int64_t)row->nonce > set->highest)
		set->highest = (int64_t)row->nonce;
	if (b->state == PENDING_ENDED)
		return;
	b->state = PENDING_SENT;
	b->send_now = b->look_now = true;
	if (!row->block)
		return;
	b->fate.block = row->block;
	/* Of several offers it is not written down which one it was. */
	if (b->offer_count == 1)
		memcpy(b->fate.transaction, row->hash, HASH_SIZE);
	b->settled = row->settled;
	pending_end(set, b, FATE_FINAL);
	set->quotes.paid = t->max_fee;
	b->told = row->told;
}

struct pending *pending_add_filler(struct pending_set *set, uint64_t nonce)
{
	struct submission nothing = {.call = {(const uint8_t *)"", 0}};
	struct pending *b;

	nothing.words = nothing.call.p;
	pending_filler_hash(nothing.hash, set->sender, nonce);
	b = add(set, &nothing);
	if (b)
		b->filler = true;
	return b;
}

int pending_restore(struct pending_set *set, const struct sent *row, struct error *err)
{
	struct transaction t;
	struct submission s;
	struct pending *b;
	uint8_t *raw;

	if (check_row(set, row, &t, &s))
		return error_set(err,
			"row %llu of the journal's sent transactions is damaged: move the "
			"journal away; what was sent is then told by the chain alone",
			(unsigned long long)row->id);
	b = find(set, s.hash);
	if (!b) {
		b = is_filler(&t, set->sender) ? pending_add_filler(set, t.nonce) :
						 add(set, &s);
		if (!b)
			return error_set(err, "out of memory");
		set->open++;
	} else if (b->nonce != row->nonce) {
		/* A later nonce: the one before was lost. */
		b->attempts++;
		b->zero_tried = false;
	}
	raw = malloc(row->raw.n);
	if (!raw || pending_reserve(b)) {
		free(raw);
		return error_set(err, "out of memory");
	}
	memcpy(raw, row->raw.p, row->raw.n);
	put_offer(b, &t, row->hash, view_of(raw, row->raw.n));
	restore_state(set, b, row, &t);
	return 0;
}

/* --- signing, reported --- */

void pending_signed(struct pending_set *set, struct pending *b,
	const struct transaction *t, const uint8_t hash[HASH_SIZE], struct view raw,
	uint64_t now)
{
	b->sign_now = b->raise_now = false;
	b->zero_tried = !t->max_fee || (b->zero_tried && t->nonce == b->nonce);
	b->zero_now = false;
	if ((int64_t)t->nonce > set->highest)
		set->highest = (int64_t)t->nonce;
	if (set->gap == t->nonce)
		set->gap_heads = 0;
	put_offer(b, t, hash, raw);
	b->state = PENDING_SENT;
	b->send_now = true;
	b->sendings = 0;
	b->beaten = false;
	b->missed = 0;
	b->retry_at = 0;
	b->offered_at = now;
	b->offered_heads = set->heads;
	b->looked_heads = set->heads;
	pending_healthy(set, TROUBLE_JOURNAL, "the journal takes what is signed again");
}

void pending_unsigned(struct pending_set *set, struct pending *b, const char *why,
	uint64_t now, uint32_t jitter)
{
	pending_trouble(set, TROUBLE_JOURNAL, "a transaction waits: %s", why);
	b->retry_at = now + pending_backoff(b->failures++, jitter);
}

void pending_ended(struct pending_set *set, struct pending *b, const char *failure,
	uint64_t now, uint32_t jitter)
{
	b->ending = false;
	if (failure) {
		pending_trouble(set, TROUBLE_JOURNAL, "%s", failure);
		b->retry_at = now + pending_backoff(b->failures++, jitter);
		return;
	}
	b->told = true;
	b->failures = 0;
	pending_healthy(set, TROUBLE_JOURNAL, "the journal can be written again");
}

/* --- which of the ended ones may go --- */

/* One that needs to be forgotten, or NULL. */
static struct pending *outdated(const struct pending_set *set)
{
	for (struct pending *b = set->first; b; b = b->next) {
		if (b->state != PENDING_ENDED || !b->told || busy(b))
			continue;
		if (b->fate.fate != FATE_FINAL || b->drop || set->settled > SETTLED_MAX ||
			(set->head_known &&
				set->head.timestamp > b->settled + SETTLED_KEPT))
			return b;
	}
	return NULL;
}

struct pending *pending_outdated(struct pending_set *set)
{
	struct pending *b;

	/* What was refused left no rows behind by now (ACTION_END). */
	while ((b = outdated(set)) && b->fate.fate != FATE_FINAL)
		pending_forget(set, b);
	return b;
}
