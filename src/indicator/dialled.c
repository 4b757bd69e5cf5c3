/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/dial_plan.h"
#include "indicator/dialled_text.h"
#include "indicator/dialled_ways.h"

#include <string.h>

static void say(struct dialled_reading *out, enum dialled_reading_class reading,
	enum dialled_why why)
{
	out->reading = (uint8_t)reading;
	out->why = (uint8_t)why;
}

static void set_number(
	struct dialled_reading *out, const struct dial_plan *plan, const char *digits)
{
	struct view number = view_str(digits);

	memmove(out->digits, digits, number.n + 1);
	out->country = (uint8_t)e164_country(number);
	out->types = (uint16_t)e164_types(number);
	out->domestic = dial_plan_domestic(plan, number);
}

static void set_way(
	struct dialled_reading *out, const struct ways *w, const struct way *way)
{
	set_number(out, w->plan, way->digits);
	view_copy(out->outside, sizeof(out->outside), view_head(w->all, way->outside));
	view_copy(out->idd, sizeof(out->idd),
		view_head(view_from(w->all, way->outside), way->prefix));
}

static void say_two(struct dialled_reading *out, const struct ways *w,
	const struct way *way, const struct way *rival)
{
	set_way(out, w, way);
	memcpy(out->other, rival->digits, sizeof(out->other));
	say(out, READ_AMBIGUOUS, WHY_TWO);
}

/* Behind an international prefix; false: there is no such way. */
static bool decide_international(struct dialled_reading *out, const struct ways *w)
{
	const struct way *way = ways_find(w, WAY_STRONG, GRADE_POSSIBLE, ""), *rival;
	/* Of weak ones only what was given out counts, and against all others. */
	unsigned home = WAY_NATIONAL | WAY_LOCAL | WAY_BARE | WAY_BEHIND | WAY_DIRECT;
	unsigned least = GRADE_POSSIBLE;

	if (!way)
		way = ways_find(w, WAY_WEAK, GRADE_VALID, "");
	if (!way)
		return false;
	if (way->kind == WAY_STRONG)
		least = way->grade;
	else if (!way->common)
		return false;
	rival = ways_find(w, WAY_STRONG, GRADE_POSSIBLE, way->digits);
	if (!rival)
		rival = ways_find(w, WAY_WEAK, GRADE_VALID, way->digits);
	if (!rival)
		rival = ways_find(w, home, least, way->digits);
	if (rival) {
		say_two(out, w, way, rival);
		return true;
	}
	set_way(out, w, way);
	if (ways_national_anywhere(w))
		say(out, READ_AMBIGUOUS, WHY_NATIONAL);
	else
		say(out, READ_RULE, WHY_PREFIX);
	return true;
}

static bool decide_home(struct dialled_reading *out, const struct ways *w)
{
	const unsigned home = WAY_NATIONAL | WAY_LOCAL;
	const struct way *way = ways_find(w, home, GRADE_VALID, ""), *rival;

	if (!way)
		way = ways_find(w, home, GRADE_POSSIBLE, "");
	if (!way)
		return false;
	rival = ways_find(w, home | WAY_BARE, way->grade, way->digits);
	if (rival) {
		say_two(out, w, way, rival);
		return true;
	}
	set_way(out, w, way);
	say(out, READ_DOMESTIC, way->kind == WAY_LOCAL ? WHY_LOCAL : WHY_TRUNK);
	return true;
}

static void decide_bare(struct dialled_reading *out, const struct ways *w)
{
	const unsigned bare = WAY_BARE | WAY_BEHIND | WAY_DIRECT;
	const struct way *way = ways_find(w, WAY_BARE, GRADE_VALID, ""), *rival;

	if (way && w->plan->bare) {
		rival = ways_find(w, bare, GRADE_VALID, way->digits);
		if (rival) {
			say_two(out, w, way, rival);
			return;
		}
		set_way(out, w, way);
		say(out, READ_RULE, WHY_BARE);
		return;
	}
	/* Nor says a prefix much that only a few countries have. */
	way = ways_find(w, WAY_WEAK, GRADE_VALID, "");
	if (!way)
		way = ways_find(w, bare, GRADE_POSSIBLE, "");
	if (way) {
		set_way(out, w, way);
		rival = ways_find(w, bare, GRADE_POSSIBLE, way->digits);
		if (rival)
			say_two(out, w, way, rival);
		else
			say(out, READ_AMBIGUOUS, WHY_NO_PREFIX);
		return;
	}
	if (ways_national_anywhere(w))
		say(out, READ_AMBIGUOUS, WHY_NATIONAL);
	else if (w->prefix)
		say(out, READ_INVALID, w->country ? WHY_NO_FORM : WHY_NO_COUNTRY);
	else
		say(out, READ_INVALID, WHY_NOT_READABLE);
}

static bool is_code(
	struct dialled_reading *out, const struct dial_plan *plan, struct view text)
{
	struct view country = view_str(plan->country);
	unsigned codes = e164_codes(country, text);

	if (codes & E164_EMERGENCY) {
		say(out, READ_SHORT, WHY_EMERGENCY);
		return true;
	}
	/* Of an unknown country too much would be one. */
	if (dial_plan_has_short(plan, text) || (country.n && codes & E164_SHORT)) {
		say(out, READ_SHORT, WHY_CODE);
		return true;
	}
	return false;
}

/* Codes and extensions, as dialled or behind an outside line. */
static bool read_short(
	struct dialled_reading *out, const struct dial_plan *plan, struct view text)
{
	if (is_code(out, plan, text))
		return true;
	for (size_t i = 0; i < DIAL_PREFIXES; i++) {
		size_t n = dial_plan_outside_of(plan, i, text);

		if (n && is_code(out, plan, view_from(text, n))) {
			view_copy(out->outside, sizeof(out->outside), view_head(text, n));
			return true;
		}
	}
	if (text.n <= plan->extension_max) {
		say(out, READ_EXTENSION, WHY_LENGTH);
		return true;
	}
	return false;
}

static void read_digits(
	struct dialled_reading *out, const struct dial_plan *plan, struct view digits)
{
	struct ways w;

	ways_collect(&w, plan, digits);
	if (w.own) {
		for (size_t i = 0; i < w.n; i++)
			if (dial_plan_owns(plan, view_str(w.list[i].digits))) {
				set_way(out, &w, &w.list[i]);
				break;
			}
		say(out, READ_OWN, WHY_NONE);
		return;
	}
	if (w.full) {
		say(out, READ_AMBIGUOUS, WHY_TWO);
		return;
	}
	if (!decide_international(out, &w) && !decide_home(out, &w))
		decide_bare(out, &w);
}

/* digits that a + stood in front of. They are whole, or nothing. */
static void read_whole(
	struct dialled_reading *out, const struct dial_plan *plan, struct view digits)
{
	struct view anywhere = {NULL, 0};
	char text[E164_DIGITS + 1];

	out->idd[0] = '+';
	out->idd[1] = '\0';
	if (digits.n > E164_DIGITS) {
		say(out, READ_INVALID, WHY_LONG);
		return;
	}
	view_copy(text, sizeof(text), digits);
	if (dial_plan_owns(plan, digits)) {
		set_number(out, plan, text);
		say(out, READ_OWN, WHY_NONE);
	} else if (e164_possible(digits)) {
		set_number(out, plan, text);
		say(out, READ_RULE, WHY_PLUS);
	} else if (e164_codes(anywhere, digits) & E164_EMERGENCY) {
		say(out, READ_SHORT, WHY_EMERGENCY);
	} else {
		say(out, READ_INVALID,
			e164_country(digits) ? WHY_NO_FORM : WHY_NO_COUNTRY);
	}
}

/* +44 (0)20: without the zero, unless it belongs to the number as in +39 (0)6. */
static void read_with_zero(struct dialled_reading *out, const struct dial_plan *plan,
	const struct dialled_text *t, struct view digits)
{
	struct dialled_reading with = *out;
	char text[DIALLED_TEXT + 1];
	size_t at = t->zero - t->plus_at;

	memcpy(text, digits.p, at);
	memcpy(&text[at], &digits.p[at + 1], digits.n - at - 1);
	read_whole(&with, plan, digits);
	read_whole(out, plan, view_of(text, digits.n - 1));
	if (with.reading == READ_OWN) {
		*out = with;
	} else if (with.reading == READ_RULE) {
		if (out->reading == READ_RULE) {
			memcpy(out->other, with.digits, sizeof(out->other));
			say(out, READ_AMBIGUOUS, WHY_TWO);
		} else if (out->reading != READ_OWN) {
			*out = with;
		}
	}
}

static bool has_code(struct view text)
{
	return view_find(text, '*') < text.n || view_find(text, '#') < text.n;
}

#define BEFORE_PLUS 4 /* an outside line dialled by hand */

static void read_plus(struct dialled_reading *out, const struct dial_plan *plan,
	const struct dialled_text *t)
{
	struct view digits = view_from(view_of(t->text, t->n), t->plus_at);

	if (has_code(digits)) {
		say(out, READ_FEATURE, WHY_FEATURE);
		return;
	}
	if (t->plus_at > BEFORE_PLUS) {
		say(out, READ_INVALID, WHY_NOT_READABLE);
		return;
	}
	view_copy(out->outside, sizeof(out->outside), view_of(t->text, t->plus_at));
	/* +00972...: no country code begins with 0, so a prefix was meant. */
	if (digits.n && digits.p[0] == '0' && t->plus_at == 0)
		read_digits(out, plan, digits);
	else if (digits.n && t->zero < t->n && t->zero >= t->plus_at)
		read_with_zero(out, plan, t, digits);
	else
		read_whole(out, plan, digits);
}

/* Where * or # is: only a prefix for an outside line may have it. */
static struct view after_code(const struct dial_plan *plan, struct view all)
{
	for (size_t i = 0; i < DIAL_PREFIXES; i++) {
		size_t n = dial_plan_outside_of(plan, i, all);

		if (n && (strchr(plan->outside[i], '*') || strchr(plan->outside[i], '#')))
			return view_from(all, n);
	}
	return all;
}

static void read_local(
	struct dialled_reading *out, const struct dial_plan *plan, struct view all)
{
	struct view rest = has_code(all) ? after_code(plan, all) : all;

	if (dial_plan_has_short(plan, all)) {
		say(out, READ_SHORT, WHY_CODE);
		return;
	}
	if (has_code(rest)) {
		say(out, READ_FEATURE, WHY_FEATURE);
		return;
	}
	if (read_short(out, plan, rest))
		return;
	read_digits(out, plan, rest);
	if (rest.n < all.n)
		view_copy(out->outside, sizeof(out->outside),
			view_head(all, all.n - rest.n));
}

void dialled_read(
	struct dialled_reading *out, const struct dial_plan *plan, const char *dialled)
{
	const struct dial_plan *site = plan;
	struct dialled_text t;
	struct dial_plan there;

	memset(out, 0, sizeof(*out));
	dialled_text_read(&t, dialled);
	if (t.name || t.n == 0) {
		say(out, READ_NOTHING, WHY_NO_DIGITS);
		return;
	}
	if (t.cut) {
		say(out, READ_INVALID, WHY_LONG);
		return;
	}
	if (t.plus) {
		read_plus(out, plan, &t);
		return;
	}
	if (t.context) {
		/* RFC 3966 5.1.5: a number of another place, dialled as there. */
		there = *plan;
		memcpy(there.country, t.country, sizeof(there.country));
		memset(there.area, 0, sizeof(there.area));
		memset(there.outside, 0, sizeof(there.outside));
		memset(there.trunk, 0, sizeof(there.trunk));
		view_copy(there.trunk, sizeof(there.trunk),
			view_str(e164_trunk(view_str(t.country))));
		plan = &there;
	}
	read_local(out, plan, view_of(t.text, t.n));
	if (out->digits[0])
		set_number(out, site, out->digits);
}
