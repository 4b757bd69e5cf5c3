/* SPDX-License-Identifier: Apache-2.0 */
/* One line through a filter. */
#include "indicator/address.h"
#include "sense/filter/state.h"
#include "sense/filter/utf8.h"

#define NEAR (60 * (int64_t)USEC_PER_SEC)

/* What is known of the line at hand. */
struct at_line {
	struct filter *f;
	filter_failure_fn *fn;
	void *context;
	usec now, time;
	bool timed;                       /* time is set */
	const struct expression_set *can; /* expressions that can match */
	struct subject text;              /* what is searched: the line or its content */
	struct filter_fail prefix;        /* what prefregex found */
	struct filter_result result;
};

/* The line as valid UTF-8, without the carriage returns at its end. */
static struct subject subject_of(struct filter *f, struct view line)
{
	size_t ascii;

	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	ascii = ascii_head(line);
	if (ascii == line.n)
		return (struct subject){line.p, line.n, true};
	if (utf8_valid(view_from(line, ascii)))
		return (struct subject){line.p, line.n, false};
	f->repaired.n = 0;
	if (f->repaired.capacity < UTF8_REPAIRED(line.n)) {
		static const uint8_t zeros[256];

		while (!f->repaired.failed && f->repaired.n < UTF8_REPAIRED(line.n))
			buffer_put(&f->repaired, zeros, sizeof zeros);
	}
	if (f->repaired.failed) {
		buffer_free(&f->repaired);
		return (struct subject){line.p, ascii, true};
	}
	return (struct subject){f->repaired.p, utf8_repair(f->repaired.p, line), false};
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b <= NEAR && b - a <= NEAR;
}

/* Without a time that is near, the present counts: clocks and zones are wrong. */
static void correct_time(struct at_line *l)
{
	struct filter *f = l->f;

	if (f->settings.test ||
		(l->timed &&
			(f->settings.explain ||
				is_near((int64_t)l->time, (int64_t)l->now))))
		return;
	l->time = l->now;
	if (l->timed) {
		f->last = l->now;
		f->dated = true;
	}
}

/* The line's date, and where it stands; a line without one has the last one's. */
static void take_date(
	struct at_line *l, const struct subject *line, size_t *begin, size_t *end)
{
	struct filter *f = l->f;
	int64_t value = 0;
	bool valid = false, found;

	*begin = *end = 0;
	found = date_detect(f->dates, line, (int64_t)l->now, begin, end, &value, &valid);
	if (found && valid && value >= 0) {
		f->last = (usec)value;
		f->dated = true;
		l->time = f->last;
		l->timed = true;
	} else {
		bool none = found && *begin == *end; /* it says that there is none */

		if (f->dated && (int64_t)f->last > (int64_t)l->now - NEAR) {
			*begin = *end = 0;
			l->time = f->last;
			l->timed = true;
		} else if (none) {
			l->time = l->now;
			l->timed = true;
		}
	}
}

/* Search; what it found goes into fail, which keeps what it did not look for. */
static bool search(
	struct filter_expression *e, const struct subject *s, struct filter_fail *fail)
{
	uint64_t own = 0; /* what this one found */

	if (expression_search(e->expression, s, 0) <= 0)
		return false;
	for (unsigned g = 1; g <= e->groups; g++) {
		size_t begin, end;
		unsigned name = e->name[g];

		if (name == NAMES_MAX)
			continue;
		fail->set &= ~(UINT64_C(1) << name);
		if (!expression_group(e->expression, g, &begin, &end))
			continue;
		fail->set |= UINT64_C(1) << name;
		fail->value[name] = view_of(s->p + begin, end - begin);
		if (end > begin)
			own |= UINT64_C(1) << name;
	}
	for (unsigned i = 0; i < e->alternates_count; i++) {
		unsigned from = e->alternates[i].from, to = e->alternates[i].to;

		if (own >> from & 1 && !(own >> to & 1)) {
			fail->value[to] = fail->value[from];
			fail->set |= UINT64_C(1) << to;
			own |= UINT64_C(1) << to;
		}
	}
	return true;
}

static void start_fail(struct filter_fail *to, const struct filter_fail *from)
{
	to->set = from->set;
	for (unsigned i = 0; from->set >> i; i++)
		if (fail_has(from, i))
			to->value[i] = from->value[i];
	to->pending = false;
	to->matches = to->nofail_matches = to->users = 0;
}

/* Whether an ignoreregex finds itself in the text; after: a failregex matched. */
static bool is_ignored(struct at_line *l, const struct filter_expression *after)
{
	struct filter *f = l->f;
	struct subject s = l->text;
	struct buffer matched = {.max = 0};
	struct filter_fail unused;
	bool ignored = false;

	unused.set = 0;
	if (f->lines && after) {
		multiline_matched_text(f->lines, &matched);
		s.p = matched.p;
		s.n = matched.n;
	}
	for (unsigned i = 0; i < f->ignore_count; i++) {
		if (!search(&f->ignore[i], &s, &unused))
			continue;
		f->ignore[i].hits++;
		ignored = true;
		if (!f->settings.test)
			break;
	}
	buffer_free(&matched);
	if (ignored && f->lines && after)
		multiline_drop_matched(f->lines);
	l->result.ignored |= ignored;
	f->figures.ignored += ignored;
	return ignored;
}

/*
 * Who failed. Returns 1, 0 when it is nobody (a name that is not looked up), -1
 * when the expression does not say.
 */
static int identify(
	struct at_line *l, struct filter_fail *fail, struct filter_failure *out)
{
	struct address parsed;

	out->kind = FILTER_ADDRESS;
	if (fail_has(fail, NAME_IP4)) {
		out->id = fail->value[NAME_IP4];
	} else if (fail_has(fail, NAME_IP6)) {
		out->id = fail->value[NAME_IP6];
	} else if (fail_has(fail, NAME_DNS)) {
		out->id = fail->value[NAME_DNS];
		if (!address_parse(&parsed, out->id, NULL))
			return 1;
		out->kind = FILTER_HOST;
		l->f->figures.unnamed += !l->f->settings.raw_hosts;
		return l->f->settings.raw_hosts;
	} else if (fail_has(fail, NAME_FID)) {
		out->kind = FILTER_ID;
		out->id = fail->value[NAME_FID];
	} else {
		out->kind = FILTER_PENDING;
		return fail_has(fail, NAME_MLFID) ? 1 : -1;
	}
	return 1;
}

static void emit(struct at_line *l, unsigned i, const struct filter_fail *fail,
	struct filter_failure *failure)
{
	struct filter *f = l->f;

	failure->expression = i;
	failure->user = fail_has(fail, NAME_USER) ? fail->value[NAME_USER] :
						    view_of(NULL, 0);
	failure->port = fail_has(fail, NAME_FPORT) ? fail->value[NAME_FPORT] :
						     view_of(NULL, 0);
	failure->nofail = fail_is(fail, NAME_NOFAIL);
	failure->timed = l->timed || !f->settings.test;
	failure->time = l->time;
	failure->attempts = fail->matches;
	failure->values = fail;
	l->result.failures++;
	f->fail[i].hits++;
	f->figures.failures += !failure->nofail;
	f->figures.undated += !l->timed;
	l->fn(l->context, failure);
}

/* failregex i matched. Returns whether the line is done with. */
static bool matched(
	struct at_line *l, unsigned i, struct filter_fail *fail, unsigned lines)
{
	struct filter *f = l->f;
	struct filter_failure failure;
	bool test = f->settings.test;
	int who;

	memset(&failure, 0, sizeof failure);
	if (f->lines)
		multiline_drop_matched(f->lines);
	if (fail_has(fail, NAME_MLFID)) {
		fail = connection_merge(f, fail, lines, l->now);
		if (fail_is(fail, NAME_NOFAIL) && !test)
			return true;
	} else {
		fail->matches += lines;
	}
	who = identify(l, fail, &failure);
	if (who <= 0)
		return !test && !who;
	if (failure.kind == FILTER_PENDING) {
		fail->pending = true;
		if (!test)
			return true;
	}
	emit(l, i, fail, &failure);
	return !test;
}

/* What is searched, after lines were taken out of it. */
static void refresh(struct at_line *l)
{
	struct filter *f = l->f;

	f->text.n = 0;
	multiline_text(f->lines, &f->text);
	l->text.p = f->text.p;
	l->text.n = f->text.n;
}

static void try_failregexes(struct at_line *l)
{
	struct filter *f = l->f;
	struct filter_fail fail;

	for (unsigned i = 0; i < f->fail_count; i++) {
		unsigned lines = 1;

		if (l->can && !expression_set_has(l->can, i))
			continue;
		start_fail(&fail, &l->prefix);
		if (!search(&f->fail[i], &l->text, &fail))
			continue;
		l->result.matched = i + 1;
		if (f->lines)
			lines = multiline_match(
				f->lines, f->fail[i].expression, &l->text);
		if (f->ignore_count && is_ignored(l, &f->fail[i])) {
			if (!f->settings.test)
				return;
			if (f->lines)
				refresh(l);
			continue;
		}
		if (matched(l, i, &fail, lines))
			return;
		if (f->lines)
			refresh(l);
	}
}

/* Two parts of a line, and a line break. */
static void put_line(struct buffer *to, struct view a, struct view b)
{
	if (buffer_reserve(to, a.n + b.n + 1))
		return;
	if (a.n)
		memcpy(to->p + to->n, a.p, a.n);
	if (b.n)
		memcpy(to->p + to->n + a.n, b.p, b.n);
	to->n += a.n + b.n;
	to->p[to->n++] = '\n';
}

/* prefregex, and its content in the line's place. Returns whether to go on. */
static bool take_prefix(struct at_line *l)
{
	struct filter *f = l->f;
	struct view content;

	l->prefix.set = 0;
	l->result.prefix = true;
	if (!f->prefix)
		return true;
	l->result.prefix = search(f->prefix, &l->text, &l->prefix);
	if (!l->result.prefix)
		return false;
	f->prefix->hits++;
	if (!fail_is(&l->prefix, NAME_CONTENT))
		return true;
	content = l->prefix.value[NAME_CONTENT];
	l->prefix.set &= ~(UINT64_C(1) << NAME_CONTENT);
	f->content.n = 0;
	put_line(&f->content, content, view_of(NULL, 0));
	if (f->lines)
		multiline_set(f->lines, content);
	l->text.p = f->content.p;
	l->text.n = f->content.n;
	return !f->content.failed;
}

/* Make what is searched: the line without its date, or the last few lines. */
static int take_text(
	struct at_line *l, const struct subject *line, size_t begin, size_t end)
{
	struct filter *f = l->f;

	f->text.n = 0;
	l->text.ascii = line->ascii;
	if (f->lines) {
		if (multiline_add(f->lines, view_of(line->p, begin),
			    view_of(line->p + begin, end - begin),
			    view_of(line->p + end, line->n - end)))
			return -1;
		l->text.ascii = false;
		multiline_text(f->lines, &f->text);
	} else {
		put_line(&f->text, view_of(line->p, begin),
			view_of(line->p + end, line->n - end));
	}
	l->text.p = f->text.p;
	l->text.n = f->text.n;
	if (!f->text.failed)
		return 0;
	buffer_free(&f->text);
	return -1;
}

/* A line that some expression may match; its date stands from begin to end. */
static void look_at(
	struct at_line *l, const struct subject *line, size_t begin, size_t end)
{
	struct filter *f = l->f;

	correct_time(l);
	if (take_text(l, line, begin, end))
		return;
	/* As fail2ban: first where there are fewer of them than to look for. */
	if (!(f->ignore_count && f->ignore_count + 2 < f->fail_count &&
		    is_ignored(l, NULL)) &&
		take_prefix(l))
		try_failregexes(l);
	connections_sweep(f);
	if (f->lines)
		l->result.released = multiline_done(f->lines);
}

/* Returns whether any expression can match the line. */
static bool begin_line(struct at_line *l, struct filter *f, struct view line, usec now,
	struct expression_set *can)
{
	f->figures.lines++;
	if (f->scan && !scan_line(f->scan, line, can))
		return false;
	f->figures.looked_at++;
	l->f = f;
	l->now = now;
	l->can = f->scan ? can : NULL;
	return true;
}

size_t filter_skip(struct filter *f, struct view text, uint64_t *lines)
{
	size_t n = f->scan ? scan_skip(f->scan, text) : 0;

	*lines = view_count(view_head(text, n), '\n');
	f->figures.lines += *lines;
	return n;
}

struct filter_result filter_line(struct filter *f, struct view line, usec now,
	filter_failure_fn *fn, void *context)
{
	const struct filter_result nothing = {.failures = 0};
	struct expression_set can;
	struct subject s;
	struct at_line l;
	size_t begin, end;

	if (!begin_line(&l, f, line, now, &can))
		return nothing;
	l.fn = fn;
	l.context = context;
	l.result = nothing;
	l.timed = false;
	s = subject_of(f, line);
	take_date(&l, &s, &begin, &end);
	look_at(&l, &s, begin, end);
	return l.result;
}

struct filter_result filter_entry(struct filter *f, struct view text, usec time, usec now,
	filter_failure_fn *fn, void *context)
{
	const struct filter_result nothing = {.failures = 0};
	struct expression_set can;
	struct subject s;
	struct at_line l;

	if (!begin_line(&l, f, text, now, &can))
		return nothing;
	l.fn = fn;
	l.context = context;
	l.result = nothing;
	l.timed = true;
	l.time = f->last = time;
	f->dated = true;
	s = subject_of(f, text);
	look_at(&l, &s, 0, 0);
	return l.result;
}
