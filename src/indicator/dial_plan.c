/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/dial_plan.h"

#include <stdio.h>

#include "base/escape.h"

#define EXTENSION_MOST 7 /* digits; the shortest telephone numbers have as many */

void dial_plan_init(struct dial_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	memcpy(plan->outside[0], "9", 2);
	plan->extension_min = 2;
	plan->extension_max = 5;
}

static bool all_digits(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return true;
}

static bool is_none(struct view text)
{
	return text.n == 0 || view_eq_nocase(text, "none");
}

/* Texts of at most DIAL_PREFIX - 1 characters: * and # may be among them. */
static bool dialable(struct view text, bool codes)
{
	if (text.n == 0 || text.n >= DIAL_PREFIX)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		bool code = text.p[i] == '*' || text.p[i] == '#';

		if (!(code && codes) && (text.p[i] < '0' || text.p[i] > '9'))
			return false;
	}
	return true;
}

static void put(char *dst, struct view text)
{
	memset(dst, 0, DIAL_PREFIX);
	memcpy(dst, text.p, text.n);
}

/* The next part of a list; false at its end. */
static bool next_part(struct view *rest, struct view *part)
{
	size_t n = 0;

	while (rest->n && strchr(", \t", rest->p[0]) && rest->p[0])
		*rest = view_from(*rest, 1);
	while (n < rest->n && !(rest->p[n] && strchr(", \t", rest->p[n])))
		n++;
	*part = view_head(*rest, n);
	*rest = view_from(*rest, n);
	return n > 0;
}

/* A list of at most max texts. what and example are for the error. */
static int set_list(char (*dst)[DIAL_PREFIX], size_t max, struct view text, bool codes,
	const char *what, struct error *err)
{
	char list[DIAL_SHORTS][DIAL_PREFIX] = {{0}};
	struct view rest = view_trim(text), part;
	size_t n = 0;

	if (is_none(rest))
		rest = view_of(NULL, 0);
	while (next_part(&rest, &part)) {
		if (!dialable(part, codes))
			return error_set(err, "\"%s\": %s is 1 to %d digits%s",
				escaped(part), what, DIAL_PREFIX - 1,
				codes ? ", * or #" : "");
		if (n == max)
			return error_set(err, "\"%s\": %s: at most %zu of them",
				escaped(text), what, max);
		put(list[n++], part);
	}
	memcpy(dst, list, max * DIAL_PREFIX);
	return 0;
}

int dial_plan_country(struct dial_plan *plan, struct view text, struct error *err)
{
	struct view code = view_trim(text);

	if (view_starts(code, "+"))
		code = view_from(code, 1);
	if (code.n == 0 || code.n > E164_COUNTRY_DIGITS || !all_digits(code) ||
		e164_country(code) != code.n)
		return error_set(err,
			"\"%s\": this is no country code; write the digits that "
			"follow the + of the site's numbers, such as 44 or 1",
			escaped(text));
	memset(plan->country, 0, sizeof(plan->country));
	memcpy(plan->country, code.p, code.n);
	put(plan->trunk, view_str(e164_trunk(code)));
	return 0;
}

int dial_plan_area(struct dial_plan *plan, struct view text, struct error *err)
{
	struct view area = view_trim(text);

	if (is_none(area)) {
		memset(plan->area, 0, sizeof(plan->area));
		return 0;
	}
	if (!dialable(area, false))
		return error_set(err,
			"\"%s\": an area code is 1 to %d digits, such as 20 or 020",
			escaped(text), DIAL_PREFIX - 1);
	if (plan->trunk[0] && view_starts(area, plan->trunk) &&
		area.n > strlen(plan->trunk))
		area = view_from(area, strlen(plan->trunk));
	put(plan->area, area);
	return 0;
}

int dial_plan_trunk(struct dial_plan *plan, struct view text, struct error *err)
{
	struct view trunk = view_trim(text);

	if (is_none(trunk))
		trunk = view_of("", 0);
	else if (!dialable(trunk, false))
		return error_set(err,
			"\"%s\": a trunk prefix is 1 to %d digits, such as 0, or none",
			escaped(text), DIAL_PREFIX - 1);
	put(plan->trunk, trunk);
	return 0;
}

int dial_plan_outside(struct dial_plan *plan, struct view text, struct error *err)
{
	return set_list(plan->outside, DIAL_PREFIXES, text, true,
		"a prefix for an outside line", err);
}

int dial_plan_idd(struct dial_plan *plan, struct view text, struct error *err)
{
	return set_list(
		plan->idd, DIAL_PREFIXES, text, false, "an international prefix", err);
}

int dial_plan_shorts(struct dial_plan *plan, struct view text, struct error *err)
{
	return set_list(plan->shorts, DIAL_SHORTS, text, true, "a short code", err);
}

int dial_plan_extensions(struct dial_plan *plan, struct view text, struct error *err)
{
	struct view all = view_trim(text);
	size_t dash = view_find(all, '-');
	uint64_t min, max;

	if (view_decimal(view_trim(view_head(all, dash)), EXTENSION_MOST, &min) < 0)
		goto wrong;
	max = min;
	if (dash < all.n &&
		view_decimal(view_trim(view_from(all, dash + 1)), EXTENSION_MOST, &max) <
			0)
		goto wrong;
	if (min < 1 || max < min)
		goto wrong;
	plan->extension_min = (uint8_t)min;
	plan->extension_max = (uint8_t)max;
	return 0;
wrong:
	return error_set(err,
		"\"%s\": write how many digits extensions have, 1 to %d: 3 or 2-5",
		escaped(text), EXTENSION_MOST);
}

/* "+" and E.164 digits without it; "*" at the end is left alone. */
static struct view after_plus(struct view text)
{
	return view_starts(text, "+") ? view_from(text, 1) : view_of(NULL, 0);
}

static bool whole(struct view digits)
{
	return digits.n > 0 && digits.n <= E164_DIGITS && all_digits(digits) &&
		e164_country(digits) > 0;
}

/* first and last of what begins with these digits: the shortest and the longest. */
static void range_of_prefix(struct dial_range *out, struct view digits)
{
	memcpy(out->first, digits.p, digits.n);
	memcpy(out->last, digits.p, digits.n);
	for (size_t i = digits.n; i < E164_DIGITS; i++)
		out->last[i] = '9';
}

/* "442079460000" and "0999" or "+442079460999". */
static bool range_of_two(struct dial_range *out, struct view first, struct view last)
{
	if (last.n && last.p[0] == '+')
		last = view_from(last, 1);
	if (!whole(first) || last.n == 0 || last.n > first.n || !all_digits(last))
		return false;
	memcpy(out->first, first.p, first.n);
	memcpy(out->last, first.p, first.n);
	memcpy(&out->last[first.n - last.n], last.p, last.n);
	return strcmp(out->first, out->last) <= 0;
}

int dial_plan_own(struct dial_plan *plan, struct view text, struct error *err)
{
	struct dial_range range = {0};
	struct view all = view_trim(text), digits = after_plus(all);
	size_t dash = view_find(digits, '-');

	if (plan->owns == DIAL_OWN)
		return error_set(err,
			"\"%s\": at most %d ranges of own numbers; wider ranges "
			"need fewer",
			escaped(text), DIAL_OWN);
	if (dash < digits.n) {
		if (!range_of_two(&range, view_trim(view_head(digits, dash)),
			    view_trim(view_from(digits, dash + 1))))
			goto wrong;
	} else if (digits.n && digits.p[digits.n - 1] == '*') {
		digits = view_head(digits, digits.n - 1);
		if (!whole(digits))
			goto wrong;
		range_of_prefix(&range, digits);
	} else {
		if (!whole(digits))
			goto wrong;
		memcpy(range.first, digits.p, digits.n);
		memcpy(range.last, digits.p, digits.n);
	}
	plan->own[plan->owns++] = range;
	return 0;
wrong:
	return error_set(err,
		"\"%s\": own numbers are +442079460101, +44207946* or "
		"+442079460000-0999, with a country code",
		escaped(text));
}

bool dial_plan_owns(const struct dial_plan *plan, struct view digits)
{
	char text[E164_DIGITS + 1];

	if (digits.n > E164_DIGITS)
		return false;
	view_copy(text, sizeof(text), digits);
	for (unsigned i = 0; i < plan->owns; i++) {
		const struct dial_range *r = &plan->own[i];
		size_t n = strlen(r->first);
		bool any_length = strlen(r->last) != n;

		if ((any_length ? digits.n >= n : digits.n == n) &&
			strcmp(text, r->first) >= 0 && strcmp(text, r->last) <= 0)
			return true;
	}
	return false;
}

bool dial_plan_owns_within(const struct dial_plan *plan, struct view digits)
{
	char text[E164_DIGITS + 1];

	if (!digits.n || digits.n > E164_DIGITS)
		return false;
	view_copy(text, sizeof(text), digits);
	for (unsigned i = 0; i < plan->owns; i++)
		if (strncmp(text, plan->own[i].first, digits.n) >= 0 &&
			strncmp(text, plan->own[i].last, digits.n) <= 0)
			return true;
	return false;
}

/* Whether what is known of the site's place says that it is not apart. */
static bool in_main_country(const struct dial_plan *plan)
{
	char area[E164_COUNTRY_DIGITS + DIAL_PREFIX + 1];
	bool known = plan->area[0] != '\0';

	snprintf(area, sizeof(area), "%s%s", plan->country, plan->area);
	if (known && e164_apart(view_str(area)))
		return false;
	for (unsigned i = 0; i < plan->owns; i++) {
		struct view first = view_str(plan->own[i].first);

		if (!view_starts(first, plan->country))
			continue;
		known = true;
		if (e164_apart(first))
			return false;
	}
	return known;
}

bool dial_plan_domestic(const struct dial_plan *plan, struct view digits)
{
	if (!plan->country[0] || !view_starts(digits, plan->country))
		return false;
	return !e164_apart(digits) || !in_main_country(plan);
}

bool dial_plan_domestic_within(const struct dial_plan *plan, struct view digits)
{
	struct view country = view_str(plan->country);

	if (digits.n < country.n)
		return digits.n && view_eq(view_head(country, digits.n), digits);
	return dial_plan_domestic(plan, digits);
}

bool dial_plan_has_short(const struct dial_plan *plan, struct view text)
{
	for (size_t i = 0; i < DIAL_SHORTS && plan->shorts[i][0]; i++)
		if (view_eq(text, view_str(plan->shorts[i])))
			return true;
	return false;
}

bool dial_plan_has_idd(const struct dial_plan *plan, struct view text)
{
	for (size_t i = 0; i < DIAL_PREFIXES && plan->idd[i][0]; i++)
		if (view_eq(text, view_str(plan->idd[i])))
			return true;
	return false;
}

size_t dial_plan_outside_of(const struct dial_plan *plan, size_t i, struct view text)
{
	const char *prefix = plan->outside[i];

	return prefix[0] && view_starts(text, prefix) ? strlen(prefix) : 0;
}

const char *dialled_reading_name(uint8_t reading)
{
	static const char *const names[READ_CLASSES] = {"nothing", "rule", "cluster",
		"ambiguous", "short", "own", "domestic", "extension", "feature",
		"invalid"};

	return reading < READ_CLASSES ? names[reading] : "?";
}

const char *dialled_why_text(uint8_t why)
{
	static const char *const texts[WHY_COUNT] = {
		[WHY_NONE] = "",
		[WHY_NO_DIGITS] = "there is nothing that can be dialled",
		[WHY_PLUS] = "a + stands in front of whole numbers alone",
		[WHY_PREFIX] = "an international prefix, and one number behind it",
		[WHY_BARE] = "the dial plan has whole numbers without a prefix",
		[WHY_TAIL] = "the tail that several strings have in common",
		[WHY_NO_PREFIX] = "a whole number, perhaps, but no prefix says so",
		[WHY_TWO] = "two different numbers fit",
		[WHY_NATIONAL] = "in some country it is a national number",
		[WHY_TRUNK] = "a national number of the site's country",
		[WHY_LOCAL] = "a local number of the site's area",
		[WHY_EMERGENCY] = "an emergency number",
		[WHY_CODE] = "a short code",
		[WHY_LENGTH] = "as short as an extension",
		[WHY_FEATURE] = "* or # begin a feature code",
		[WHY_LONG] = "more digits than a number has behind its prefixes",
		[WHY_NO_COUNTRY] = "no country code follows the prefix",
		[WHY_NO_FORM] = "the country has no numbers of this form",
		[WHY_NOT_READABLE] = "no international prefix and no number",
	};

	return why < WHY_COUNT ? texts[why] : "?";
}
