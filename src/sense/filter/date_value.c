/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/date_value.h"
#include "base/clock.h"

#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#define DAY         86400
#define NONE        (-1)
#define SECOND_USEC ((int64_t)USEC_PER_SEC)

/* Zones by their abbreviation: minutes east of UTC. */
static const struct {
	int minutes;
	const char *names;
} zones[] = {
	{-720, " Y "},
	{-660, " NUT SST X "},
	{-600, " CKT HAST HST TAHT TKT W "},
	{-570, " MART MIT "},
	{-540, " AKST GAMT GIT HADT HNY V "},
	{-480, " AKDT CIST HAY HNP PST PT U "},
	{-420, " HAP HNR MST PDT T "},
	{-360, " CST EAST GALT HAR HNC MDT S "},
	{-300, " CDT COT EASST ECT EST ET HAC HNE PET R "},
	{-270, " HLV VET "},
	{-240, " AST BOT CLT COST EDT FKT GYT HAE HNA PYT Q "},
	{-210, " HNT NST NT "},
	{-180, " ADT ART BRT CLST FKST GFT HAA P PMST PYST SRT UYT WGT "},
	{-150, " HAT NDT "},
	{-120, " BRST FNT O PMDT UYST WGST "},
	{-60, " AZOT CVT EGT N "},
	{0, " EGST GMT UTC WET WT Z "},
	{60, " A CET DFT WAT WEDT WEST "},
	{120, " B CAT CEDT CEST EET SAST WAST "},
	{180, " C EAT EEDT EEST IDT MSK "},
	{210, " IRST "},
	{240, " AMT AZT D GET GST KUYT MSD MUT RET SAMT SCT "},
	{270, " AFT IRDT "},
	{300, " AMST AQTT AZST E HMT MAWT MVT PKT TFT TJT TMT UZT YEKT "},
	{330, " SLT "},
	{345, " NPT "},
	{360, " ALMT BIOT BTT F IOT KGT NOVT OMST YEKST "},
	{390, " CCT MMT "},
	{420, " CXT DAVT G HOVT ICT KRAT NOVST OMSST THA WIB "},
	{480, " ACT AWST BDT BNT CAST H HKT IRKT KRAST MYT PHT SGT ULAT WITA WST "},
	{540, " AWDT I IRKST JST KST PWT TLT WDT WIT YAKT "},
	{570, " ACST "},
	{600, " AEST ChST K PGT VLAT YAKST YAPT "},
	{630, " ACDT LHST "},
	{660, " AEDT L LHDT MAGT NCT PONT SBT VLAST VUT "},
	{690, " NFT "},
	{720, " ANAST ANAT FJT GILT M MAGST MHT NZST PETST PETT TVT WFT "},
	{780, " FJST NZDT "},
};

/* What the fields say; NONE: nothing. */
struct civil {
	int year, month, day, hour, minute, second;
	int julian, week, week_start, weekday;
	bool zoned;
	int zone; /* minutes east */
};

/* Days since 1970 of a date (Howard Hinnant's days_from_civil). */
static int64_t days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* As Python's datetime() takes them. */
static bool is_valid(const struct civil *c)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 &&
		c->day >= 1 &&
		c->day <= days[c->month - 1] + (c->month == 2 && is_leap(c->year)) &&
		c->hour >= 0 && c->hour < 24 && c->minute >= 0 && c->minute < 60 &&
		c->second >= 0 && c->second < 60;
}

/* Seconds of a wall clock that shows this, as if it were UTC. */
static int64_t wall_of(const struct civil *c)
{
	return days_of(c->year, c->month, c->day) * DAY + c->hour * 3600 +
		c->minute * 60 + c->second;
}

static struct civil civil_of(int64_t wall)
{
	struct civil c;
	time_t t = (time_t)wall;
	struct tm tm;

	memset(&c, 0, sizeof c);
	memset(&tm, 0, sizeof tm);
	gmtime_r(&t, &tm);
	c.year = tm.tm_year + 1900;
	c.month = tm.tm_mon + 1;
	c.day = tm.tm_mday;
	c.hour = tm.tm_hour;
	c.minute = tm.tm_min;
	c.second = tm.tm_sec;
	return c;
}

static int number(struct view v)
{
	int n = 0;

	while (v.n && (v.p[0] == ' '))
		v = view_from(v, 1);
	if (!v.n || v.n > 6)
		return NONE;
	for (size_t i = 0; i < v.n; i++) {
		if (!isdigit(v.p[i]))
			return NONE;
		n = n * 10 + (v.p[i] - '0');
	}
	return n;
}

/* The place of a name in a list of such, by its first three letters. */
static int name_of(struct view v, const char *list)
{
	for (int i = 0; list[3 * i]; i++)
		if (v.n >= 3 && strncasecmp((const char *)v.p, list + 3 * i, 3) == 0)
			return i;
	return NONE;
}

/* Minutes of an abbreviation. Returns 0 or -1. */
static int zone_name(struct view name, int *minutes)
{
	char word[8];

	if (name.n + 3 > sizeof word)
		return -1;
	word[0] = ' ';
	memcpy(word + 1, name.p, name.n);
	memcpy(word + 1 + name.n, " ", 2);
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		if (strstr(zones[i].names, word)) {
			*minutes = zones[i].minutes;
			return 0;
		}
	return -1;
}

/* "Z", "UTC", "CET", "CET+0100", "-04:00", "+02". Returns 0 or -1. */
static int zone_of(struct view v, int *minutes)
{
	size_t letters = 0;
	struct view offset;
	int hour, minute = 0;

	*minutes = 0;
	while (letters < v.n && isalpha(v.p[letters]))
		letters++;
	for (size_t i = 0; i < letters; i++)
		if (!isupper(v.p[i]))
			return -1;
	if (letters && zone_name(view_head(v, letters), minutes))
		return -1;
	offset = view_from(v, letters);
	if (!offset.n)
		return letters ? 0 : -1;
	if (offset.n < 3 || (offset.p[0] != '+' && offset.p[0] != '-'))
		return -1;
	hour = number(view_of(offset.p + 1, 2));
	if (offset.n > 3)
		minute = number(view_from(offset, offset.p[3] == ':' ? 4 : 3));
	if (hour == NONE || minute == NONE || minute > 99)
		return -1;
	*minutes += (offset.p[0] == '-' ? -1 : 1) * (hour * 60 + minute);
	return 0;
}

static void take_hour(struct civil *c, const struct date_fields *f)
{
	int hour = number(f->field['I']);
	bool pm = view_eq_nocase(f->field['p'], "pm");

	if (f->field['H'].n) {
		c->hour = number(f->field['H']);
		return;
	}
	if (!f->field['I'].n)
		return;
	c->hour = hour == 12 && !pm ? 0 : pm && hour != 12 ? hour + 12 : hour;
}

static void take_week(struct civil *c, const struct date_fields *f)
{
	static const char days[] = "montuewedthufrisatsun";

	c->julian = f->field['j'].n ? number(f->field['j']) : NONE;
	c->week = c->weekday = NONE;
	if (f->field['U'].n || f->field['W'].n) {
		c->week_start = f->field['U'].n ? 6 : 0;
		c->week = number(f->field[f->field['U'].n ? 'U' : 'W']);
	}
	if (f->field['A'].n || f->field['a'].n)
		c->weekday = name_of(f->field[f->field['A'].n ? 'A' : 'a'], days);
	else if (f->field['w'].n)
		c->weekday = (number(f->field['w']) + 6) % 7;
}

/* Returns 0, or -1 for an unknown zone. */
static int take_fields(struct civil *c, const struct date_fields *f)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	memset(c, 0, sizeof *c);
	c->year = c->month = c->day = NONE;
	if (f->field['Y'].n)
		c->year = number(f->field['Y']);
	else if (f->field['y'].n)
		c->year = number(f->field['y']) + 2000;
	if (f->field['m'].n)
		c->month = number(f->field['m']);
	else if (f->field['b'].n || f->field['B'].n)
		c->month = name_of(f->field[f->field['b'].n ? 'b' : 'B'], months) + 1;
	if (f->field['d'].n)
		c->day = number(f->field['d']);
	take_hour(c, f);
	take_week(c, f);
	if (f->field['M'].n)
		c->minute = number(f->field['M']);
	if (f->field['S'].n)
		c->second = number(f->field['S']);
	if (f->field['z'].n || f->field['Z'].n) {
		c->zoned = true;
		return zone_of(f->field[f->field['z'].n ? 'z' : 'Z'], &c->zone);
	}
	return 0;
}

/* The day of the year from a week's number and day (Python's _strptime). */
static int julian_of(const struct civil *c)
{
	bool monday = c->week_start == 0;
	int first = (int)((days_of(c->year, 1, 1) % 7 + 10) % 7), day = c->weekday,
	    week_0;

	if (!monday) {
		first = (first + 1) % 7;
		day = (day + 1) % 7;
	}
	week_0 = (7 - first) % 7;
	return c->week == 0 ? 1 + day - first : 1 + week_0 + 7 * (c->week - 1) + day;
}

/* Fill month and day from the day of the year or of the week. */
static void from_year_day(struct civil *c)
{
	struct civil found;

	if (c->month != NONE && c->day != NONE)
		return;
	if (c->julian == NONE && c->week != NONE && c->weekday != NONE)
		c->julian = julian_of(c);
	if (c->julian == NONE)
		return;
	found = civil_of((days_of(c->year, 1, 1) + c->julian - 1) * DAY);
	c->year = found.year;
	c->month = found.month;
	c->day = found.day;
}

/*
 * The C library looks at /etc/localtime each time that it is asked, so what it
 * said is kept: clocks are changed at quarters of an hour only.
 */
#define QUARTER 900

struct known {
	bool known;
	int64_t quarter, offset;
};

static int64_t quarter_of(int64_t t)
{
	return t >= 0 ? t / QUARTER : (t - QUARTER + 1) / QUARTER;
}

/* The machine's wall clock at t, as if it were UTC. */
static int64_t local_wall(int64_t t)
{
	static struct known last;
	time_t sec = (time_t)t;
	struct tm tm;

	if (last.known && last.quarter == quarter_of(t))
		return t + last.offset;
	memset(&tm, 0, sizeof tm);
	localtime_r(&sec, &tm);
	last = (struct known){true, quarter_of(t), tm.tm_gmtoff};
	return t + tm.tm_gmtoff;
}

/* When the machine's wall clock shows this. */
static int64_t from_local(int64_t wall)
{
	static struct known last;
	struct civil c;
	struct tm tm;

	if (last.known && last.quarter == quarter_of(wall))
		return wall - last.offset;
	c = civil_of(wall);
	memset(&tm, 0, sizeof tm);
	tm.tm_year = c.year - 1900;
	tm.tm_mon = c.month - 1;
	tm.tm_mday = c.day;
	tm.tm_hour = c.hour;
	tm.tm_min = c.minute;
	tm.tm_sec = c.second;
	tm.tm_isdst = -1;
	last = (struct known){true, quarter_of(wall), wall - (int64_t)mktime(&tm)};
	return wall - last.offset;
}

int date_value(int64_t *value, bool *fixed, const struct date_fields *f, int64_t now)
{
	struct civil c, today = {.year = NONE};
	int64_t here = 0, wall;
	bool this_year, this_day;

	if (take_fields(&c, f))
		return -1;
	this_year = c.year == NONE;
	if (this_year || c.month == NONE || c.day == NONE) {
		here = local_wall(now / SECOND_USEC);
		today = civil_of(here);
	}
	if (this_year)
		c.year = today.year;
	from_year_day(&c);
	this_day = c.month == NONE && c.day == NONE;
	if (this_day) {
		c.month = today.month;
		c.day = today.day;
	}
	if (!is_valid(&c))
		return -1;
	wall = wall_of(&c) - (c.zoned ? c.zone * 60 : 0);
	if (this_day && wall > here)
		wall -= DAY;
	if (this_year && wall > here + DAY) {
		struct civil before = civil_of(wall);

		before.year = c.year - 1;
		before.month = c.month;
		before.day = c.day;
		if (!is_valid(&before))
			return -1;
		wall = wall_of(&before);
	}
	*fixed = !this_year && !this_day;
	*value = (c.zoned ? wall : from_local(wall)) * SECOND_USEC;
	return 0;
}

int date_value_epoch(int64_t *value, struct view text, bool long_form)
{
	int64_t whole = 0, part = 0, unit = SECOND_USEC;
	size_t i = 0, decimals = 0;

	for (; i < text.n && isdigit(text.p[i]); i++) {
		if (i > 16)
			return -1;
		whole = whole * 10 + (text.p[i] - '0');
	}
	if (!i || i > 17)
		return -1;
	if (long_form && text.n >= 13)
		unit = text.n >= 16 && view_find(text, '.') == text.n ? 1 : 1000;
	for (i++; i < text.n && decimals < 6; i++, decimals++) {
		if (!isdigit(text.p[i]))
			return -1;
		part = part * 10 + (text.p[i] - '0');
	}
	for (; decimals < 6; decimals++)
		part *= 10;
	if (whole > INT64_MAX / unit - unit)
		return -1;
	*value = whole * unit + part * unit / SECOND_USEC;
	return 0;
}

int date_value_tai64n(int64_t *value, struct view text)
{
	char hex[16];

	if (text.n < 17)
		return -1;
	memcpy(hex, text.p + 2, 15);
	hex[15] = 0;
	*value = (int64_t)strtoull(hex, NULL, 16);
	if (*value > INT64_MAX / SECOND_USEC)
		return -1;
	*value *= SECOND_USEC;
	return 0;
}
