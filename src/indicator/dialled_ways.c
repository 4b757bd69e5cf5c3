/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/dialled_ways.h"

#include <string.h>

/* What the whole world knows; others are of some countries alone. */
static const char *const strong_prefixes[] = {"00", "011", "810", "0011", "000"};

/* Of some countries, but large ones: the others are rivals only. */
static const char *const common_prefixes[] = {"001", "002", "010"};

#define STRONG (sizeof(strong_prefixes) / sizeof(strong_prefixes[0]))
#define COMMON (sizeof(common_prefixes) / sizeof(common_prefixes[0]))

static bool listed(const char *const *list, size_t n, struct view prefix)
{
	for (size_t i = 0; i < n; i++)
		if (view_eq(prefix, view_str(list[i])))
			return true;
	return false;
}

static bool known(const struct ways *w, const struct way *way)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].kind == way->kind &&
			strcmp(w->list[i].digits, way->digits) == 0)
			return true;
	return false;
}

/* The number head + area + tail, if there can be one, as one way. */
static void add_way(struct ways *w, struct way way, const char *head, const char *area,
	struct view tail)
{
	size_t h = strlen(head), a = strlen(area);
	struct view digits;

	if (tail.n == 0 || h + a + tail.n > E164_DIGITS)
		return;
	memset(way.digits, 0, sizeof(way.digits));
	memcpy(way.digits, head, h);
	memcpy(&way.digits[h], area, a);
	memcpy(&way.digits[h + a], tail.p, tail.n);
	digits = view_str(way.digits);
	if (way.kind == WAY_STRONG && e164_country(digits))
		w->country = true;
	if (dial_plan_owns(w->plan, digits))
		w->own = true;
	else if (!e164_possible(digits))
		return;
	way.grade = e164_types(digits) ? GRADE_VALID : GRADE_POSSIBLE;
	if (known(w, &way))
		return;
	if (w->n == WAYS)
		w->full = true;
	else
		w->list[w->n++] = way;
}

static unsigned prefix_kind(const struct dial_plan *plan, struct view prefix)
{
	struct view none = {NULL, 0};

	if (listed(strong_prefixes, STRONG, prefix))
		return WAY_STRONG;
	if (dial_plan_has_idd(plan, prefix))
		return WAY_STRONG;
	if (plan->country[0] &&
		e164_codes(view_str(plan->country), prefix) & E164_INTERNATIONAL)
		return WAY_STRONG;
	/* Shorter ones are in use on islands alone: 01, 09. */
	if (prefix.n >= 3 && prefix.p[0] == '0' &&
		e164_codes(none, prefix) & E164_INTERNATIONAL)
		return WAY_WEAK;
	return 0;
}

/* Behind outside digits: every international prefix. */
static void add_international(struct ways *w, size_t outside, bool site)
{
	struct view rest = view_from(w->all, outside);

	for (size_t n = 1; n < DIAL_PREFIX && n < rest.n; n++) {
		unsigned kind = prefix_kind(w->plan, view_head(rest, n));

		if (!kind)
			continue;
		w->prefix |= kind == WAY_STRONG;
		add_way(w,
			(struct way){.kind = (uint8_t)kind,
				.outside = (uint8_t)outside,
				.prefix = (uint8_t)n,
				.common = site &&
					listed(common_prefixes, COMMON,
						view_head(rest, n))},
			"", "", view_from(rest, n));
	}
}

/* Behind outside digits: numbers of the site's country, and whole ones. */
static void add_home(struct ways *w, size_t outside)
{
	const struct dial_plan *plan = w->plan;
	struct view rest = view_from(w->all, outside);
	struct way way = {.outside = (uint8_t)outside};
	size_t trunk = strlen(plan->trunk);

	way.kind = outside ? WAY_BEHIND : WAY_BARE;
	add_way(w, way, "", "", rest);
	if (!plan->country[0])
		return;
	/* In North America the 1 may be left out. */
	way.kind = trunk == 0 || strcmp(plan->trunk, "1") == 0 ? WAY_NATIONAL :
								 WAY_DIRECT;
	add_way(w, way, plan->country, "", rest);
	if (plan->area[0]) {
		way.kind = WAY_LOCAL;
		add_way(w, way, plan->country, plan->area, rest);
	}
	if (trunk && view_starts(rest, plan->trunk)) {
		way.kind = WAY_NATIONAL;
		way.prefix = (uint8_t)trunk;
		add_way(w, way, plan->country, "", view_from(rest, trunk));
	}
}

bool ways_national_anywhere(const struct ways *w)
{
	if (w->plan->country[0])
		return false;
	if (e164_national(w->all))
		return true;
	for (size_t i = 0; i < DIAL_PREFIXES; i++) {
		size_t n = dial_plan_outside_of(w->plan, i, w->all);

		if (n && e164_national(view_from(w->all, n)))
			return true;
	}
	return false;
}

void ways_collect(struct ways *w, const struct dial_plan *plan, struct view digits)
{
	w->plan = plan;
	w->all = digits;
	w->n = 0; /* list is written before it is read */
	w->full = w->own = w->prefix = w->country = false;
	add_international(w, 0, true);
	add_home(w, 0);
	for (size_t i = 0; i < DIAL_PREFIXES; i++) {
		size_t n = dial_plan_outside_of(w->plan, i, w->all);

		if (n) {
			add_international(w, n, true);
			add_home(w, n);
		}
	}
	/* What an attacker takes for an outside line may be any digit. */
	add_international(w, 1, false);
}

const struct way *ways_find(
	const struct ways *w, unsigned kinds, unsigned grade, const char *but)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].kind & kinds && w->list[i].grade >= grade &&
			strcmp(w->list[i].digits, but) != 0)
			return &w->list[i];
	return NULL;
}
