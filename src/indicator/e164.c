/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/e164.h"

#include "indicator/e164_plan.h"

#define ROOT       1
#define TYPES_MASK ((1U << E164_TYPES) - 1)

/* The node that digit (no more than 9) leads to. */
static unsigned step(const struct e164_automaton *a, unsigned node, unsigned digit)
{
	const struct e164_node *n = &a->nodes[node];
	unsigned until = n->starts & ((2U << digit) - 1);

	if (!node)
		return 0;
	return a->edges[n->edges + (unsigned)__builtin_popcount(until) - 1];
}

static unsigned value(const struct e164_automaton *a, unsigned node)
{
	return a->values[a->nodes[node].starts >> 10];
}

/* From a node along all digits; 0 where it does not go on. */
static unsigned walk(const struct e164_automaton *a, unsigned node, struct view digits)
{
	for (size_t i = 0; i < digits.n && node; i++) {
		unsigned digit = digits.p[i] - (unsigned)'0';

		if (digit > 9)
			return 0;
		node = step(a, node, digit);
	}
	return node;
}

/* Whether digits are a valid number behind the node of a country code. */
static bool national(unsigned country, struct view digits)
{
	return value(&e164_numbers_plan, walk(&e164_numbers_plan, country, digits)) &
		TYPES_MASK;
}

unsigned e164_types(struct view digits)
{
	return value(&e164_numbers_plan, walk(&e164_numbers_plan, ROOT, digits)) &
		TYPES_MASK;
}

bool e164_possible(struct view digits)
{
	return value(&e164_numbers_plan, walk(&e164_numbers_plan, ROOT, digits)) &
		E164_VALUE_POSSIBLE;
}

bool e164_national(struct view digits)
{
	if (digits.n >= E164_DIGITS)
		return false;
	for (const struct e164_country_row *r = e164_countries; r->code[0]; r++) {
		unsigned country = walk(&e164_numbers_plan, ROOT, view_str(r->code));
		size_t trunk = strlen(r->trunk);

		if (national(country, digits) ||
			(trunk && view_starts(digits, r->trunk) &&
				national(country, view_from(digits, trunk))))
			return true;
	}
	return false;
}

bool e164_apart(struct view digits)
{
	return value(&e164_numbers_plan, walk(&e164_numbers_plan, ROOT, digits)) &
		E164_VALUE_APART;
}

unsigned e164_country(struct view digits)
{
	unsigned node = ROOT;

	for (unsigned n = 1; n <= E164_COUNTRY_DIGITS && n <= digits.n; n++) {
		node = walk(&e164_numbers_plan, node, view_of(&digits.p[n - 1], 1));
		if (value(&e164_numbers_plan, node) & E164_VALUE_COUNTRY)
			return n;
	}
	return 0;
}

static const struct e164_country_row *country_row(struct view digits)
{
	unsigned n = e164_country(digits);

	for (const struct e164_country_row *r = e164_countries; n && r->code[0]; r++)
		if (view_eq(view_head(digits, n), view_str(r->code)))
			return r;
	return NULL;
}

const char *e164_region(struct view digits)
{
	const struct e164_country_row *row = country_row(digits);

	return row ? row->region : "";
}

const char *e164_type_name(unsigned type)
{
	switch (type) {
	case E164_FIXED:
		return "fixed";
	case E164_MOBILE:
		return "mobile";
	case E164_TOLL_FREE:
		return "toll-free";
	case E164_PREMIUM:
		return "premium";
	case E164_SHARED:
		return "shared-cost";
	case E164_VOIP:
		return "voip";
	case E164_PERSONAL:
		return "personal";
	case E164_PAGER:
		return "pager";
	case E164_UAN:
		return "uan";
	case E164_VOICEMAIL:
		return "voicemail";
	default:
		return "?";
	}
}

unsigned e164_codes(struct view country, struct view digits)
{
	unsigned node = walk(
		&e164_codes_plan, ROOT, country.n ? country : view_of("0", 1));

	if (country.n && e164_country(country) != country.n)
		return 0;
	if (!digits.n)
		return 0;
	return value(&e164_codes_plan, walk(&e164_codes_plan, node, digits)) & 15U;
}

bool e164_short(struct view country, struct view digits)
{
	return e164_codes(country, digits) & E164_SHORT;
}

const char *e164_trunk(struct view country)
{
	const struct e164_country_row *row = country_row(country);

	return row && strlen(row->code) == country.n ? row->trunk : "";
}

const char *e164_country_at(size_t at)
{
	/* The last row has no code: no place behind it is ever asked for. */
	return e164_countries[at].code[0] ? e164_countries[at].code : NULL;
}
