/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/event_time.h"

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

/* Days since 1970-01-01 of a date of the Gregorian calendar, month 1..12. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, of_era, of_year;

	/* Years that begin in March end in the leap day. */
	if (month <= 2)
		year--;
	era = year / 400;
	of_era = year - era * 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Take n digits off the front. Returns their value or -1. */
static int64_t take_digits(struct view *text, size_t n)
{
	uint64_t value;

	if (text->n < n || view_decimal(view_head(*text, n), 999999, &value))
		return -1;
	*text = view_from(*text, n);
	return (int64_t)value;
}

/* Take one given byte off the front. */
static bool take_byte(struct view *text, char c)
{
	if (!text->n || text->p[0] != (uint8_t)c)
		return false;
	*text = view_from(*text, 1);
	return true;
}

/* "20:03:17" and an optional fraction into *t. Returns 0 or -1. */
static int take_clock(struct event_time *t, struct view *text)
{
	int64_t hour, minute, second, unit = SECOND / 10;

	hour = take_digits(text, 2);
	if (hour < 0 || hour > 23 || !take_byte(text, ':'))
		return -1;
	minute = take_digits(text, 2);
	if (minute < 0 || minute > 59 || !take_byte(text, ':'))
		return -1;
	second = take_digits(text, 2);
	if (second < 0 || second > 60)
		return -1;
	t->wall += ((hour * 60 + minute) * 60 + second) * SECOND;
	if (!take_byte(text, '.'))
		return 0;
	if (!text->n)
		return -1;
	while (text->n && text->p[0] >= '0' && text->p[0] <= '9') {
		t->wall += (text->p[0] - '0') * unit;
		unit /= 10;
		*text = view_from(*text, 1);
	}
	return 0;
}

/* "+0000", "-0330", "Z" or nothing. Returns 0 or -1. */
static int take_offset(struct event_time *t, struct view *text)
{
	int64_t hours, minutes, sign = 1;

	if (!text->n || take_byte(text, 'Z'))
		return 0;
	if (take_byte(text, '-'))
		sign = -1;
	else if (!take_byte(text, '+'))
		return -1;
	hours = take_digits(text, 2);
	minutes = take_digits(text, 2);
	if (hours < 0 || minutes < 0 || hours > 15 || minutes > 59)
		return -1;
	t->offset = sign * (hours * 60 + minutes) * 60 * SECOND;
	return 0;
}

/* "2026-11-21" and one of 'T', ' '. Returns 0 or -1. */
static int take_date(struct event_time *t, struct view *text)
{
	int64_t year, month, day;

	year = take_digits(text, 4);
	if (year < 1970 || !take_byte(text, '-'))
		return -1;
	month = take_digits(text, 2);
	if (month < 1 || month > 12 || !take_byte(text, '-'))
		return -1;
	day = take_digits(text, 2);
	if (day < 1 || day > 31)
		return -1;
	t->wall = days_of(year, month, day) * DAY;
	t->year = true;
	return take_byte(text, 'T') || take_byte(text, ' ') ? 0 : -1;
}

/* "Nov 21 " or "Nov  1 " (strftime's %b %e, C locale). Returns 0 or -1. */
static int take_month_day(struct event_time *t, struct view *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t month = 0, day;

	if (text->n < 4)
		return -1;
	while (month < 12 && memcmp(text->p, months + 3 * month, 3))
		month++;
	*text = view_from(*text, 3);
	if (month == 12 || !take_byte(text, ' '))
		return -1;
	day = take_byte(text, ' ') ? take_digits(text, 1) : take_digits(text, 2);
	if (day < 1 || day > 31 || !take_byte(text, ' '))
		return -1;
	t->wall = days_of(1970, month + 1, day) * DAY;
	return 0;
}

int event_time_parse(struct event_time *t, struct view text)
{
	memset(t, 0, sizeof(*t));
	if (text.n && text.p[0] >= '0' && text.p[0] <= '9') {
		if (take_date(t, &text) || take_clock(t, &text) || take_offset(t, &text))
			return -1;
	} else if (take_month_day(t, &text) || take_clock(t, &text)) {
		return -1;
	}
	return text.n ? -1 : 0;
}

/* The same instant in 1970, as a time without a year would be parsed. */
static int64_t without_year(int64_t wall)
{
	int64_t day = wall / DAY, year = 1970 + day / 366;

	while (days_of(year + 1, 1, 1) <= day)
		year++;
	day -= days_of(year, 1, 1);
	/* 1970 had no 29 February: it counts as 1 March, on both sides. */
	if (day > 59 && days_of(year + 1, 1, 1) - days_of(year, 1, 1) == 366)
		day--;
	return day * DAY + wall % DAY;
}

bool event_time_near(
	const struct event_time *a, const struct event_time *b, int64_t within)
{
	int64_t x = a->wall, y = b->wall, diff;

	if (!a->year || !b->year) {
		x = a->year ? without_year(x) : x;
		y = b->year ? without_year(y) : y;
	}
	diff = x > y ? x - y : y - x;
	/* New Year's Eve: the year that is not written turned between the two. */
	if ((!a->year || !b->year) && diff >= 365 * DAY - within)
		diff = diff > 365 * DAY ? diff - 365 * DAY : 365 * DAY - diff;
	return diff <= within;
}

usec event_time_usec(const struct event_time *t)
{
	return t->wall > t->offset ? (usec)(t->wall - t->offset) : 0;
}
