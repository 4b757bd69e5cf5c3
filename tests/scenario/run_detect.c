/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a scenario of the detector: observations at times of the scenario's
 * own clock, and what is expected of them. One statement a line, # begins a
 * comment; the clock starts at 2026-01-01T00:00:00Z:
 *
 *   config ban 600 | ban-max 1d | forget 7d | success-factor 5 | sources-max 64
 *   config auth-failed 3 600        threshold and window (seconds) of a kind
 *   rule NAME KEY = VALUE           change a rule, or begin one (rules.conf)
 *   clock +10m                      let time pass (us, ms, s, m, h, d)
 *   at 0.5s STATEMENT               at this time since the start
 *   observe SOURCE KIND [attempt=N] [account=A] [dialled=D] [agent=G]
 *           [proof=P] [transport=T] [sensor=S] [method=M] [signs=S,S]
 *           signs: took-part forged tool; without method it is REGISTER
 *   repeat 5 every 10s observe ...  attempt=+ counts up over the scenario,
 *                                   SOURCE+ counts addresses up
 *   remember SOURCE OFFENCES ago 1d
 *   expect detection SOURCE [category= proof= kind= ban= offence= attempts=
 *           window= account= dialled= agent= sensor= transport= rule=
 *           plausible=yes|no publish=yes|no sources= accounts= numbers=]
 *   expect reason TEXT              of the detection that was expected last
 *   expect nothing                  no detection that was not expected yet
 *   expect figure NAME N            observations duplicates detections evicted
 *                                   sources networks campaigns
 *
 * Statements about the numbers that attackers call: number_play.h.
 *
 * Detections are expected in the order in which they came; one that nobody
 * expected before the next clock statement or the end is a failure.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect.h"
#include "number_play.h"
#include "sip/message.h"

#define WORDS_MAX   32
#define PENDING_MAX 256

struct scenario {
	const char *path;
	unsigned line;
	struct detect_config config;
	struct rules rules;
	char reason[sizeof(((struct detection *)0)->reason)];
	struct detector *detector;
	usec start, now;
	uint64_t attempt; /* last number that attempt=+ gave */
	struct detection pending[PENDING_MAX];
	unsigned n_pending;
	struct number_play *numbers; /* NULL: the scenario is not about them */
};

__attribute__((format(printf, 2, 3), noreturn)) static void fail(
	const struct scenario *s, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", s->path, s->line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void print_detection(FILE *to, const struct detection *d)
{
	char source[ADDRESS_TEXT];

	fprintf(to,
		"detection %s category=%s proof=%s kind=%s ban=%u offence=%u "
		"attempts=%u window=%u account=%s dialled=%s agent=%s sensor=%s "
		"transport=%s rule=%s plausible=%s publish=%s sources=%u accounts=%u "
		"numbers=%u plen=%u\n%s\n",
		address_print(source, &d->source), category_name(d->category),
		proof_name(d->proof), observation_kind_name(d->kind), d->ban, d->offence,
		d->attempts, d->window, d->account, d->dialled, d->agent,
		sensor_name(d->sensor), transport_name(d->transport), d->rule,
		d->plausible ? "yes" : "no", d->publish ? "yes" : "no", d->sources,
		d->accounts, d->numbers, d->plen, d->reason);
}

static usec parse_time(const struct scenario *s, const char *text)
{
	static const struct {
		const char *unit;
		double usec;
	} units[] = {{"", 1e6}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6},
		{"h", 3600e6}, {"d", 86400e6}};
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].unit))
			return (usec)(value * units[i].usec + 0.5);
	fail(s, "\"%s\" is no time; write 90, 90s, 10m, 1h, 7d, 5ms", text);
}

static uint32_t parse_count(const struct scenario *s, const char *text)
{
	uint64_t value;

	if (view_decimal(view_str(text), UINT32_MAX, &value))
		fail(s, "\"%s\" is no number", text);
	return (uint32_t)value;
}

/* The number whose name is text, asking names from 0 to 31. */
static uint8_t parse_name(const struct scenario *s, const char *text,
	const char *(*name)(uint8_t), const char *what)
{
	for (uint8_t i = 0; i < 32; i++)
		if (!strcmp(name(i), text))
			return i;
	fail(s, "unknown %s \"%s\"", what, text);
}

/* An address; a final + (counts up) is cut off and told. */
static struct address parse_source(const struct scenario *s, char *text, bool *up)
{
	size_t n = strlen(text);
	struct address a;
	struct error err;

	*up = n && text[n - 1] == '+';
	if (*up)
		text[n - 1] = '\0';
	if (address_parse(&a, view_str(text), &err))
		fail(s, "%s", err.text);
	return a;
}

static void address_up(struct address *a)
{
	for (int i = a->family == 4 ? 3 : 15; i >= 0 && !++a->bytes[i]; i--)
		;
}

static void pend(struct scenario *s, const struct detection *d)
{
	if (s->numbers)
		number_play_detected(s->numbers, d);
	if (s->n_pending == PENDING_MAX)
		fail(s, "more than %d detections that nobody expects", PENDING_MAX);
	s->pending[s->n_pending++] = *d;
}

static void nothing_pending(struct scenario *s)
{
	if (!s->n_pending && !(s->numbers && number_play_pending(s->numbers)))
		return;
	for (unsigned i = 0; i < s->n_pending; i++)
		print_detection(stderr, &s->pending[i]);
	fail(s, "not expected before this line");
}

static struct detector *detector(struct scenario *s)
{
	if (!s->detector)
		s->detector = detector_new(&s->config, (struct hash_key){1, 2});
	if (!s->detector)
		fail(s, "out of memory");
	return s->detector;
}

static void set_clock(struct scenario *s, usec to)
{
	struct detection d;

	s->now = to;
	while (detector_due(detector(s), s->now, &d))
		pend(s, &d);
	if (s->numbers)
		number_play_due(s->numbers, s->now);
}

static uint8_t parse_signs(const struct scenario *s, char *text)
{
	char *rest = NULL;
	uint8_t signs = 0;

	for (char *w = strtok_r(text, ",", &rest); w; w = strtok_r(NULL, ",", &rest)) {
		uint8_t bit = 0;

		while (SIGNS_ALL >> bit & 1 && strcmp(w, sign_name(bit)))
			bit++;
		if (!(SIGNS_ALL >> bit & 1))
			fail(s, "unknown sign \"%s\"", w);
		signs |= (uint8_t)(1 << bit);
	}
	return signs;
}

/* key=value of an observation. */
static void set_field(struct scenario *s, struct observation *o, bool *up, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		fail(s, "\"%s\" is no key=value", word);
	*value++ = '\0';
	if (!strcmp(word, "attempt")) {
		*up = !strcmp(value, "+");
		o->attempt = *up ? 0 : parse_count(s, value);
	} else if (!strcmp(word, "account")) {
		view_copy(o->account, sizeof(o->account), view_str(value));
	} else if (!strcmp(word, "dialled")) {
		view_copy(o->dialled, sizeof(o->dialled), view_str(value));
	} else if (!strcmp(word, "agent")) {
		view_copy(o->agent, sizeof(o->agent), view_str(value));
	} else if (!strcmp(word, "proof")) {
		o->proof = parse_name(s, value, proof_name, "proof");
	} else if (!strcmp(word, "transport")) {
		o->transport = parse_name(s, value, transport_name, "transport");
	} else if (!strcmp(word, "method")) {
		o->method = (uint8_t)sip_method_of(view_str(value));
	} else if (!strcmp(word, "signs")) {
		o->signs = parse_signs(s, value);
	} else if (!strcmp(word, "sensor")) {
		o->sensor = parse_name(s, value, sensor_name, "sensor");
	} else {
		fail(s, "an observation has no \"%s\"", word);
	}
}

static void observe(
	struct scenario *s, char **words, unsigned n, uint32_t times, usec every)
{
	struct observation o = {
		.transport = TRANSPORT_UDP, .sensor = SENSOR_HEP, .method = SIP_REGISTER};
	bool addresses = false, attempts = false;
	struct detection d;

	if (n < 2)
		fail(s, "observe needs a source and a kind");
	o.source = parse_source(s, words[0], &addresses);
	o.kind = parse_name(s, words[1], observation_kind_name, "kind");
	for (unsigned i = 2; i < n; i++)
		set_field(s, &o, &attempts, words[i]);
	for (uint32_t i = 0; i < times; i++) {
		if (i)
			set_clock(s, s->now + every);
		if (attempts)
			/* Far from the numbers that a scenario writes itself. */
			o.attempt = UINT64_C(1) << 40 | ++s->attempt;
		o.time = s->now;
		if (s->numbers)
			number_play_note(s->numbers, &o);
		if (detector_feed(detector(s), &o, &d))
			pend(s, &d);
		if (s->numbers)
			number_play_due(s->numbers, s->now);
		if (addresses)
			address_up(&o.source);
	}
}

/* rule NAME KEY = VALUE, as a file of the operator's would say it. */
static void change_rule(struct scenario *s, char **words, unsigned n)
{
	struct buffer text = {.max = 4096}, errors = {.max = 4096};

	buffer_printf(&text, "[%s]\n", words[0]);
	for (unsigned i = 1; i < n; i++)
		buffer_printf(&text, "%s ", words[i]);
	if (rules_read(&s->rules, "rule", view_of(text.p, text.n), &errors))
		fail(s, "%.*s", (int)errors.n, (const char *)errors.p);
	buffer_free(&text);
	buffer_free(&errors);
	if (s->detector)
		detector_configure(s->detector, &s->config);
}

static void configure(struct scenario *s, char **words, unsigned n)
{
	struct detect_config *c = &s->config;
	const char *name = words[0];

	if (n == 3) {
		uint8_t kind = parse_name(s, name, observation_kind_name, "kind");

		c->rules[kind].threshold = parse_count(s, words[1]);
		c->rules[kind].window = parse_count(s, words[2]);
	} else if (n != 2) {
		fail(s, "config needs a name and a value, or a kind and two numbers");
	} else if (!strcmp(name, "ban")) {
		c->ban = (uint32_t)(parse_time(s, words[1]) / USEC_PER_SEC);
	} else if (!strcmp(name, "ban-max")) {
		c->ban_max = (uint32_t)(parse_time(s, words[1]) / USEC_PER_SEC);
	} else if (!strcmp(name, "forget")) {
		c->forget = (uint32_t)(parse_time(s, words[1]) / USEC_PER_SEC);
	} else if (!strcmp(name, "success-factor")) {
		c->success_factor = parse_count(s, words[1]);
	} else if (!strcmp(name, "sources-max")) {
		c->sources_max = parse_count(s, words[1]);
	} else {
		fail(s, "config has no \"%s\"", name);
	}
	if (s->detector)
		detector_configure(s->detector, c);
}

/* A field of a detection, printed as a scenario writes it. */
static const char *field_of(
	struct scenario *s, const struct detection *d, const char *name, char number[16])
{
	const struct {
		const char *name;
		const char *text;
		uint32_t number;
	} fields[] = {
		{"category", category_name(d->category), 0},
		{"proof", proof_name(d->proof), 0},
		{"kind", observation_kind_name(d->kind), 0},
		{"sensor", sensor_name(d->sensor), 0},
		{"transport", transport_name(d->transport), 0},
		{"account", d->account, 0},
		{"dialled", d->dialled, 0},
		{"agent", d->agent, 0},
		{"rule", d->rule, 0},
		{"plausible", d->plausible ? "yes" : "no", 0},
		{"publish", d->publish ? "yes" : "no", 0},
		{"sources", NULL, d->sources},
		{"accounts", NULL, d->accounts},
		{"numbers", NULL, d->numbers},
		{"plen", NULL, d->plen},
		{"unproved-ban", NULL, d->unproved_ban},
		{"ban", NULL, d->ban},
		{"offence", NULL, d->offence},
		{"attempts", NULL, d->attempts},
		{"window", NULL, d->window},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].name, name))
			continue;
		snprintf(number, 16, "%u", fields[i].number);
		return fields[i].text ? fields[i].text : number;
	}
	fail(s, "a detection has no \"%s\"", name);
}

static void expect_detection(struct scenario *s, char **words, unsigned n)
{
	struct detection d;
	struct address source;
	char number[16];
	bool up;

	if (!n)
		fail(s, "expect detection needs a source");
	source = parse_source(s, words[0], &up);
	if (!s->n_pending)
		fail(s, "nothing was detected");
	d = s->pending[0];
	memmove(s->pending, s->pending + 1, --s->n_pending * sizeof(d));
	memcpy(s->reason, d.reason, sizeof s->reason);
	if (!address_eq(&source, &d.source)) {
		print_detection(stderr, &d);
		fail(s, "another source was expected");
	}
	for (unsigned i = 1; i < n; i++) {
		char *value = strchr(words[i], '=');

		if (!value)
			fail(s, "\"%s\" is no key=value", words[i]);
		*value++ = '\0';
		if (!strcmp(field_of(s, &d, words[i], number), value))
			continue;
		print_detection(stderr, &d);
		fail(s, "%s=%s was expected", words[i], value);
	}
}

static void expect_reason(struct scenario *s, char **words, unsigned n)
{
	char text[sizeof s->reason] = "";

	for (unsigned i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
			i ? " " : "", words[i]);
	if (strcmp(text, s->reason))
		fail(s, "the reason is: %s", s->reason);
}

static void expect_figure(struct scenario *s, const char *name, const char *text)
{
	struct detect_figures f;
	uint64_t value;

	detector_figures(detector(s), &f);
	value = !strcmp(name, "observations") ? f.observations :
		!strcmp(name, "duplicates")   ? f.duplicates :
		!strcmp(name, "detections")   ? f.detections :
		!strcmp(name, "evicted")      ? f.evicted :
		!strcmp(name, "sources")      ? f.sources :
		!strcmp(name, "networks")     ? f.networks :
		!strcmp(name, "campaigns")    ? f.campaigns :
						UINT64_MAX;
	if (value == UINT64_MAX)
		fail(s, "there is no figure \"%s\"", name);
	if (value != parse_count(s, text))
		fail(s, "%s is %llu", name, (unsigned long long)value);
}

/* A statement about numbers, which the others know nothing of. Whether it is one. */
static bool number_statement(struct scenario *s, char **words, unsigned n)
{
	bool expects = !strcmp(words[0], "expect") && n > 1 &&
		(!strncmp(words[1], "number", 6) || !strcmp(words[1], "fate"));
	const char *wrong;

	if (!expects && strcmp(words[0], "numbers") != 0)
		return false;
	if (!s->numbers)
		s->numbers = number_play_new();
	wrong = expects ? number_play_expect(s->numbers, words + 1, n - 1) :
			  number_play_set(s->numbers, words + 1, n - 1);
	if (wrong)
		fail(s, "%s", wrong);
	return true;
}

static void statement(struct scenario *s, char **words, unsigned n)
{
	bool up;

	if (number_statement(s, words, n))
		return;
	if (!strcmp(words[0], "config") && n > 1) {
		configure(s, words + 1, n - 1);
	} else if (!strcmp(words[0], "rule") && n > 3) {
		change_rule(s, words + 1, n - 1);
	} else if (!strcmp(words[0], "clock") && n == 2 && words[1][0] == '+') {
		nothing_pending(s);
		set_clock(s, s->now + parse_time(s, words[1] + 1));
	} else if (!strcmp(words[0], "at") && n > 2) {
		nothing_pending(s);
		set_clock(s, s->start + parse_time(s, words[1]));
		statement(s, words + 2, n - 2);
	} else if (!strcmp(words[0], "observe")) {
		observe(s, words + 1, n - 1, 1, 0);
	} else if (!strcmp(words[0], "repeat") && n > 5 && !strcmp(words[2], "every") &&
		!strcmp(words[4], "observe")) {
		observe(s, words + 5, n - 5, parse_count(s, words[1]),
			parse_time(s, words[3]));
	} else if (!strcmp(words[0], "remember") && n == 5 && !strcmp(words[3], "ago")) {
		struct address a = parse_source(s, words[1], &up);

		detector_remember(detector(s), &a, parse_count(s, words[2]),
			s->now - parse_time(s, words[4]));
	} else if (!strcmp(words[0], "expect") && n > 1 &&
		!strcmp(words[1], "detection")) {
		expect_detection(s, words + 2, n - 2);
	} else if (!strcmp(words[0], "expect") && n == 2 &&
		!strcmp(words[1], "nothing")) {
		nothing_pending(s);
	} else if (!strcmp(words[0], "expect") && n > 2 && !strcmp(words[1], "reason")) {
		expect_reason(s, words + 2, n - 2);
	} else if (!strcmp(words[0], "expect") && n == 4 && !strcmp(words[1], "figure")) {
		expect_figure(s, words[2], words[3]);
	} else {
		fail(s, "cannot be read; see the head of run_detect.c");
	}
}

int main(int argc, char **argv)
{
	/* 2026-01-01T00:00:00Z */
	const usec start = 1767225600 * USEC_PER_SEC;
	struct scenario s = {
		.config = detect_config_default, .start = start, .now = start};
	char line[512];
	FILE *f;

	if (argc != 2 || !(f = fopen(argv[1], "r"))) {
		fprintf(stderr, "usage: %s FILE.scenario\n", argv[0]);
		return 2;
	}
	s.path = argv[1];
	s.rules = *rules_builtin();
	s.config.more = &s.rules;
	while (fgets(line, sizeof(line), f)) {
		char *words[WORDS_MAX], *rest = NULL;
		unsigned n = 0;

		s.line++;
		if (!strchr(line, '\n'))
			fail(&s, "line too long, or without an end");
		line[strcspn(line, "#\n")] = '\0';
		for (char *w = strtok_r(line, " \t", &rest); w;
			w = strtok_r(NULL, " \t", &rest)) {
			if (n == WORDS_MAX)
				fail(&s, "more than %d words", WORDS_MAX);
			words[n++] = w;
		}
		if (n)
			statement(&s, words, n);
	}
	s.line++;
	nothing_pending(&s);
	if (!s.detector)
		fail(&s, "nothing was observed");
	detector_free(s.detector);
	number_play_free(s.numbers);
	fclose(f);
	return 0;
}
