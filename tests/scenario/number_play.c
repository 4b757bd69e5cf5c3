/* SPDX-License-Identifier: Apache-2.0 */
#include "number_play.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "decide/own_number.h"

#define PENDING_MAX 64
#define FATES_MAX   512

struct told {
	struct number_detection d;
	struct own_action action;
};

struct number_play {
	struct numbers_config config;
	struct numbers *numbers;
	struct own_config own;
	struct own_number_config policy;
	struct allowlist *allow;
	struct told pending[PENDING_MAX];
	unsigned n_pending, n_fates;
	char reason[240];
	char problem[300];
	struct {
		char dialled[64];
		uint8_t fate;
		struct indicator indicator;
	} fates[FATES_MAX];
};

static void judged(void *context, const struct number_judged *j)
{
	struct number_play *p = context;
	unsigned at = 0;

	while (at < p->n_fates && strcmp(p->fates[at].dialled, j->dialled) != 0)
		at++;
	if (at == FATES_MAX)
		return;
	if (at == p->n_fates)
		p->n_fates++;
	snprintf(p->fates[at].dialled, sizeof p->fates[at].dialled, "%s", j->dialled);
	p->fates[at].fate = j->fate;
	p->fates[at].indicator = j->indicator;
}

struct number_play *number_play_new(void)
{
	struct number_play *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	numbers_config_default(&p->config);
	p->own = own_config_default;
	p->own.publish[PROOF_NONCE] = true;
	p->own.publish[PROOF_RULE] = p->own.publish[PROOF_CLUSTER] = true;
	p->policy = (struct own_number_config){.publish = true, .ttl = 7 * 86400};
	p->allow = allowlist_new();
	p->numbers = numbers_new(&p->config, (struct hash_key){3, 4});
	if (!p->allow || !p->numbers)
		abort();
	numbers_watch(p->numbers, judged, p);
	return p;
}

void number_play_free(struct number_play *p)
{
	if (!p)
		return;
	numbers_free(p->numbers);
	allowlist_free(p->allow);
	free(p);
}

/* --- numbers ... */

static const char *set_rule(struct detect_rule *rule, char **words, unsigned n)
{
	if (n != 3)
		return "needs a threshold and seconds";
	*rule = (struct detect_rule){(uint32_t)atoi(words[1]), (uint32_t)atoi(words[2])};
	return NULL;
}

static const char *set_domains(struct number_play *p, char *list)
{
	char *rest = NULL;

	for (char *w = strtok_r(list, ",", &rest); w; w = strtok_r(NULL, ",", &rest))
		snprintf(p->config.domains[p->config.n_domains++],
			sizeof p->config.domains[0], "%s", w);
	return NULL;
}

static const char *with_indicator(
	struct number_play *p, const char *text, struct indicator *i)
{
	struct error err = {""};

	if (!indicator_parse(i, NULL, view_str(text), &err))
		return NULL;
	snprintf(p->problem, sizeof p->problem, "%s", err.text);
	return p->problem;
}

static const char *set_plan(struct number_play *p, const char *name, const char *value)
{
	static const struct {
		const char *name;
		int (*set)(struct dial_plan *plan, struct view text, struct error *err);
	} parts[] = {{"country", dial_plan_country}, {"area", dial_plan_area},
		{"trunk", dial_plan_trunk}, {"outside", dial_plan_outside},
		{"short", dial_plan_shorts}, {"own", dial_plan_own}};
	struct error err = {""};

	for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
		if (strcmp(parts[k].name, name) != 0)
			continue;
		if (!parts[k].set(&p->config.plan, view_str(value), &err))
			return NULL;
		snprintf(p->problem, sizeof p->problem, "%s", err.text);
		return p->problem;
	}
	return "there is no such setting of numbers";
}

static const char *set(struct number_play *p, char **words, unsigned n)
{
	const char *name = words[0];
	uint64_t value = 0;

	if (!strcmp(name, "calls"))
		return set_rule(&p->config.calls, words, n);
	if (!strcmp(name, "prefix"))
		return set_rule(&p->config.prefix, words, n);
	if (!strcmp(name, "bare"))
		p->config.plan.bare = !strcmp(words[1], "yes");
	else if (!strcmp(name, "domestic"))
		p->config.domestic = !strcmp(words[1], "yes");
	else if (!strcmp(name, "domains"))
		return set_domains(p, words[1]);
	else if (!strcmp(name, "again") &&
		!duration_parse(&value, view_str(words[1]), NULL))
		p->config.again = (uint32_t)value;
	else if (!strcmp(name, "bytes"))
		p->config.bytes_max = (size_t)atoi(words[1]);
	else if (!strcmp(name, "min-e164"))
		p->config.min_e164 = (uint8_t)atoi(words[1]);
	else
		return set_plan(p, name, words[1]);
	return NULL;
}

const char *number_play_set(struct number_play *p, char **words, unsigned n)
{
	struct allow_entry e = {.origin = ALLOW_CONFIGURED};
	struct indicator i;
	const char *wrong;

	if (n < 2)
		return "numbers needs a name and a value";
	if (!strcmp(words[0], "allow")) {
		wrong = with_indicator(p, words[1], &e.indicator);
		if (!wrong && allowlist_add(p->allow, &e))
			abort();
		return wrong;
	}
	if (!strcmp(words[0], "forgive")) {
		wrong = with_indicator(p, words[1], &i);
		if (!wrong)
			numbers_forgive(p->numbers, &i);
		return wrong;
	}
	wrong = set(p, words, n);
	if (!wrong)
		numbers_configure(p->numbers, &p->config);
	return wrong;
}

/* --- what happens */

void number_play_note(struct number_play *p, const struct observation *o)
{
	numbers_note(p->numbers, o);
}

void number_play_detected(struct number_play *p, const struct detection *d)
{
	struct own_action a;

	own_decide(&a, &p->own, NULL, p->allow, d, (uint32_t)(d->time / USEC_PER_SEC));
	if (own_number_attacker(&p->own, d, &a))
		numbers_convict(p->numbers, d);
}

void number_play_due(struct number_play *p, usec now)
{
	struct number_detection d;
	struct told *t;

	while (numbers_due(p->numbers, now, &d)) {
		if (p->n_pending == PENDING_MAX)
			abort();
		t = &p->pending[p->n_pending++];
		t->d = d;
		own_number_decide(&t->action, &p->own, &p->policy, NULL, p->allow, &d,
			(uint32_t)(now / USEC_PER_SEC));
		if (!t->action.would_ban)
			numbers_refuse(p->numbers, &d.indicator);
	}
}

/* --- expect ... */

static void print(const struct told *t)
{
	char text[INDICATOR_TEXT];

	fprintf(stderr,
		"number %s proof=%s source-proof=%s category=%s calls=%u sources=%u "
		"numbers=%u dialled=%s text=%s\n%s\n%s\n",
		indicator_print(text, &t->d.indicator), proof_name(t->d.proof),
		proof_name(t->d.source_proof), category_name(t->d.category), t->d.calls,
		t->d.sources, t->d.numbers, t->d.dialled, t->d.text, t->d.reason,
		t->action.reason);
}

unsigned number_play_pending(const struct number_play *p)
{
	for (unsigned k = 0; k < p->n_pending; k++)
		print(&p->pending[k]);
	return p->n_pending;
}

static const char *field_of(const struct told *t, const char *name, char number[16])
{
	const struct number_detection *d = &t->d;
	const struct {
		const char *name, *text;
		uint32_t number;
	} fields[] = {{"proof", proof_name(d->proof), 0},
		{"source-proof", proof_name(d->source_proof), 0},
		{"category", category_name(d->category), 0}, {"dialled", d->dialled, 0},
		{"text", d->text, 0}, {"refuse", t->action.ban ? "yes" : "no", 0},
		{"report", t->action.publish ? "yes" : "no", 0},
		{"calls", NULL, d->calls}, {"sources", NULL, d->sources},
		{"numbers", NULL, d->numbers}};

	for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
		if (strcmp(fields[k].name, name) != 0)
			continue;
		snprintf(number, 16, "%u", fields[k].number);
		return fields[k].text ? fields[k].text : number;
	}
	return NULL;
}

static const char *expect_number(struct number_play *p, char **words, unsigned n)
{
	struct told t;
	struct indicator i;
	char number[16];
	const char *wrong, *value;

	if (!p->n_pending)
		return "no number was told";
	wrong = with_indicator(p, words[0], &i);
	if (wrong)
		return wrong;
	t = p->pending[0];
	memmove(p->pending, p->pending + 1, --p->n_pending * sizeof t);
	memcpy(p->reason, t.d.reason, sizeof p->reason);
	if (indicator_compare(&i, &t.d.indicator) != 0)
		wrong = "another number was expected";
	for (unsigned k = 1; !wrong && k < n; k++) {
		char *is = strchr(words[k], '=');

		if (!is)
			return "an expectation is no key=value";
		*is++ = 0;
		value = field_of(&t, words[k], number);
		if (value && !strcmp(value, is))
			continue;
		snprintf(p->problem, sizeof p->problem, "%s=%s was expected", words[k],
			is);
		wrong = p->problem;
	}
	if (wrong)
		print(&t);
	return wrong;
}

static const char *expect_fate(struct number_play *p, char **words, unsigned n)
{
	const char *fate = "unjudged", *wrong;
	struct indicator i, got = {.kind = 0};
	char text[INDICATOR_TEXT];

	for (unsigned k = 0; k < p->n_fates; k++)
		if (!strcmp(p->fates[k].dialled, words[0])) {
			fate = number_fate_name(p->fates[k].fate);
			got = p->fates[k].indicator;
		}
	if (strcmp(fate, words[1]) != 0) {
		snprintf(p->problem, sizeof p->problem, "%s is %s", words[0], fate);
		return p->problem;
	}
	if (n < 3)
		return NULL;
	wrong = with_indicator(p, words[2], &i);
	if (wrong || !indicator_compare(&i, &got))
		return wrong;
	snprintf(p->problem, sizeof p->problem, "%s counts for %s", words[0],
		indicator_print(text, &got));
	return p->problem;
}

const char *number_play_expect(struct number_play *p, char **words, unsigned n)
{
	char text[sizeof p->reason] = "";

	if (!strcmp(words[0], "number") && n > 1)
		return expect_number(p, words + 1, n - 1);
	if (!strcmp(words[0], "fate") && n > 2)
		return expect_fate(p, words + 1, n - 1);
	if (strcmp(words[0], "number-reason") != 0)
		return "cannot be read; see number_play.h";
	for (unsigned k = 1; k < n; k++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
			k > 1 ? " " : "", words[k]);
	if (!strcmp(text, p->reason))
		return NULL;
	snprintf(p->problem, sizeof p->problem, "the reason is: %s", p->reason);
	return p->problem;
}
