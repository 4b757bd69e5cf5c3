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
	w.now = add(head->base_fee, w.priority);
	w.offer = add(times(head->base_fee, 2), w.priority);
	return w;
}

int fee_choose(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s,
	struct error *err)
{
	struct want w = want(head, quotes, s, head->has_base_fee);
	char asks[FEE_TEXT], limit[FEE_TEXT];

	if (s->max_fee && w.now > s->max_fee)
		return error_set(err,
			"the chain asks %s a gas, the setting max_fee allows %s: raise it "
			"or wait",
			fee_print(asks, w.now), fee_print(limit, s->max_fee));
	t->dynamic = w.dynamic;
	t->max_fee = s->max_fee && w.offer > s->max_fee ? s->max_fee : w.offer;
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

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int fee_raise(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s)
{
	struct want w = want(head, quotes, s, t->dynamic);
	uint64_t fee, priority = 0;

	if (s->zero_fee || !t->max_fee)
		return 1;
	fee = most(raised(t->max_fee), w.offer);
	if (s->max_fee && fee > s->max_fee)
		fee = s->max_fee;
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
