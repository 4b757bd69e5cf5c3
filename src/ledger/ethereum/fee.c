/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ledger/ethereum/fee.h"

/* Saturating: a hostile quote must not wrap round to a cheap one. */
static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- what is believed --- */

uint64_t fee_limit(const struct fee_quotes *quotes, const struct ethereum_settings *s)
{
	uint64_t usual = most(times(quotes->paid, FEE_TIMES_PAID), FEE_LEAST);

	if (s->max_fee)
		return s->max_fee;
	return quotes->paid && usual < FEE_LIMIT ? usual : FEE_LIMIT;
}

/* UINT64_MAX: as the operator's max_fee bounds it. */
static uint64_t priority_limit(
	const struct header *head, const struct ethereum_settings *s)
{
	return s->max_fee ? UINT64_MAX : most(head->base_fee, FEE_PRIORITY);
}

bool fee_cuts_priority(const struct header *head, const struct fee_quotes *quotes,
	const struct ethereum_settings *s)
{
	return !s->zero_fee && head->has_base_fee &&
		quotes->priority_fee > priority_limit(head, s);
}

uint64_t fee_base_bound(uint64_t before, uint64_t blocks)
{
	uint64_t bound = most(before, FEE_LEAST);

	for (; blocks && bound < UINT64_MAX; blocks--)
		bound = add(bound, most(bound / 8, 1));
	return bound;
}

uint64_t fee_pin(uint64_t asked)
{
	uint64_t ten = times(asked, 10), part = ten % FEE_GWEI;

	if (asked > FEE_LIMIT)
		return 0;
	return most(part ? ten - part + FEE_GWEI : ten, FEE_GWEI);
}

/* --- what is offered --- */

/* What the next block asks, and what to offer so that some later ones may too. */
struct want {
	bool dynamic;
	uint64_t now, offer, priority;
};

static struct want want(const struct header *head, const struct fee_quotes *quotes,
	const struct ethereum_settings *s, bool dynamic)
{
	struct want w = {.dynamic = dynamic};

	if (s->zero_fee)
		return w;
	w.now = quotes->gas_price;
	w.offer = w.now;
	if (!dynamic)
		return w;
	w.priority = quotes->priority_fee;
	if (w.priority > priority_limit(head, s))
		w.priority = priority_limit(head, s);
	w.now = add(head->base_fee, w.priority);
	w.offer = add(times(head->base_fee, 2), w.priority);
	return w;
}

static int too_dear(uint64_t asks, uint64_t limit, const struct ethereum_settings *s,
	struct error *err)
{
	char now[FEE_TEXT], most_text[FEE_TEXT];

	fee_print(now, asks);
	fee_print(most_text, limit);
	if (s->max_fee)
		return error_set(err,
			"the chain asks %s a gas, the setting max_fee allows %s: raise it "
			"or wait",
			now, most_text);
	return error_set(err,
		"the chain asks %s a gas, and without the setting max_fee no more than %s "
		"is offered: is that its price, set max_fee (--max-fee, [ledger] max_fee), "
		"else wait or ask other endpoints",
		now, most_text);
}

int fee_choose(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s,
	struct error *err)
{
	struct want w = want(head, quotes, s, head->has_base_fee);
	uint64_t limit = fee_limit(quotes, s);

	if (w.now > limit)
		return too_dear(w.now, limit, s, err);
	t->dynamic = w.dynamic;
	t->max_fee = w.offer > limit ? limit : w.offer;
	t->priority_fee = w.priority;
	return 0;
}

/* An eighth more, and more in any case. */
static uint64_t raised(uint64_t fee)
{
	return add(add(fee, fee / 8), 1);
}

/* Whether nodes take `to` instead of `from`: 10 % more, rounded up. */
static bool replaces(uint64_t to, uint64_t from)
{
	return to > from && to - from >= from / 10 + (from % 10 != 0);
}

int fee_raise(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s)
{
	struct want w = want(head, quotes, s, t->dynamic);
	uint64_t fee, priority = 0, limit = fee_limit(quotes, s);

	if (s->zero_fee || !t->max_fee)
		return 1;
	fee = most(raised(t->max_fee), w.offer);
	if (fee > limit)
		fee = limit;
	if (!replaces(fee, t->max_fee))
		return 2;
	if (t->dynamic) {
		priority = most(raised(t->priority_fee), w.priority);
		if (priority > fee)
			priority = fee;
		if (!replaces(priority, t->priority_fee))
			return 2;
	}
	t->max_fee = fee;
	t->priority_fee = priority;
	return 0;
}

__extension__ typedef unsigned __int128 wide; /* gcc and clang have it */

/* digits of value with `decimals` of them behind the point. */
static char *decimal(char *dst, wide value, unsigned decimals)
{
	char digits[48];
	unsigned n = 0;
	size_t at = 0;

	while (value || n <= decimals) {
		digits[n++] = (char)('0' + (int)(value % 10));
		value /= 10;
	}
	while (n > decimals)
		dst[at++] = digits[--n];
	dst[at++] = '.';
	while (n)
		dst[at++] = digits[--n];
	while (dst[at - 1] == '0')
		at--;
	if (dst[at - 1] == '.')
		at--;
	dst[at] = '\0';
	return dst;
}

char *fee_print(char *dst, uint64_t wei)
{
	decimal(dst, wei, 9);
	snprintf(dst + strlen(dst), FEE_TEXT - strlen(dst), " gwei");
	return dst;
}

char *fee_coin_print(char *dst, uint64_t gas, uint64_t fee)
{
	/* Bounded so that it fits dst: no purse holds 2^100 wei. */
	wide cost = (wide)gas * fee, most_cost = (wide)1 << 100;

	return decimal(dst, cost > most_cost ? most_cost : cost, 18);
}

/* --- gas --- */

#define GAS_BATCH     200000
#define GAS_WORD      40000
#define GAS_TEXT_BYTE 64 /* call data at EIP-7623's floor 40, log 8, hashing, copying */

uint64_t gas_bound(unsigned words, size_t texts)
{
	return GAS_BATCH + (uint64_t)words * GAS_WORD + (uint64_t)texts * GAS_TEXT_BYTE;
}

unsigned gas_words(unsigned words, size_t texts, uint64_t block_limit)
{
	unsigned n = words;

	if (n > 1)
		n--;
	while (n > 1 && gas_bound(n, texts * n / words) > block_limit)
		n--;
	return n;
}

uint64_t gas_choose(
	uint64_t estimate, uint64_t bound, unsigned doublings, uint64_t block_limit)
{
	uint64_t gas, ceiling = bound;

	for (; doublings; doublings--)
		ceiling = times(ceiling, 2);
	/* Who was out of gas with its estimate needs more than that again. */
	gas = estimate && ceiling == bound ? add(estimate, estimate / 4) : ceiling;
	if (gas > ceiling)
		gas = ceiling;
	if (block_limit && gas > block_limit)
		gas = block_limit;
	return gas;
}
