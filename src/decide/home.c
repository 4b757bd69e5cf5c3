/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/home.h"

#include <string.h>

#include "indicator/number.h"
#include "indicator/uri.h"

void home_take(struct home *home, const struct numbers_config *numbers)
{
	memset(home, 0, sizeof *home);
	home->plan = numbers->plan;
	home->domestic = numbers->domestic;
	home->n_domains = numbers->n_domains;
	memcpy(home->domains, numbers->domains, sizeof home->domains);
	for (unsigned k = 0; k < home->n_domains; k++)
		home->hashes[k] = indicator_from_canonical(
			INDICATOR_DOMAIN, view_str(home->domains[k]));
}

bool home_owns_number(const struct home *home, const struct indicator *i)
{
	char digits[NUMBER_DIGITS + 1];
	int n;

	/* Most sites name none, and a decision is made of each number. */
	if (!home->plan.owns || i->kind != INDICATOR_NUMBER)
		return false;
	n = number_digits(digits, i);
	if (n < 1)
		return false;
	return i->plen == 128 ?
		dial_plan_owns(&home->plan, view_of(digits, (size_t)n)) :
		dial_plan_owns_within(&home->plan, view_of(digits, (size_t)n));
}

bool home_withholds(const struct home *home, const struct indicator *i)
{
	char digits[NUMBER_DIGITS + 1];
	int n;

	if (home->domestic || !home->plan.country[0] || i->kind != INDICATOR_NUMBER)
		return false;
	n = number_digits(digits, i);
	if (n < 1)
		return false;
	return i->plen == 128 ?
		dial_plan_domestic(&home->plan, view_of(digits, (size_t)n)) :
		dial_plan_domestic_within(&home->plan, view_of(digits, (size_t)n));
}

bool home_owns_domain(const struct home *home, struct view domain)
{
	for (unsigned k = 0; k < home->n_domains; k++)
		if (domain_within(domain, view_str(home->domains[k])))
			return true;
	return false;
}

bool home_owns_hash(const struct home *home, const struct indicator *i)
{
	for (unsigned k = 0; i->kind == INDICATOR_DOMAIN && k < home->n_domains; k++)
		if (!indicator_compare(&home->hashes[k], i))
			return true;
	return false;
}
