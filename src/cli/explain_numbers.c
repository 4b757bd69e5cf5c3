/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of numbers: how a string is read, what becomes of it, what is told. */
#include "cli/explain.h"

#include <stdio.h>

#include "base/escape.h"
#include "daemon/config_numbers.h"

static void add(struct explain *x, json_t *step)
{
	json_object_set_new(step, "step", json_string("number"));
	json_array_append_new(x->steps, step);
}

static void put_digits(json_t *step, const char *name, const char *digits)
{
	if (*digits)
		json_object_set_new(step, name, json_sprintf("+%s", digits));
}

/* Why others' reports of it do not count here, if they do not. */
static void put_home(const struct explain *x, json_t *step, const char *digits)
{
	char sentence[DECISION_TEXT];
	struct decision d = {.block = false};

	if (!*digits || indicator_from_digits(&d.indicator, view_str(digits)))
		return;
	d.why = decide_home(&x->config.policy, &d.indicator);
	if (d.why)
		json_object_set_new(
			step, "listed", json_string(decision_print(sentence, &d)));
}

/* How one string is read by itself. */
static void tell_reading(struct explain *x, const struct observation *o)
{
	struct dialled_reading r;
	json_t *step;

	dialled_read(&r, &x->plan, o->dialled);
	step = json_pack("{s:s, s:s, s:s}", "dialled", escaped(view_str(o->dialled)),
		"reading", dialled_reading_name(r.reading), "reason",
		dialled_why_text(r.why));
	put_digits(step, "number", r.digits);
	put_digits(step, "other", r.other);
	put_home(x, step, r.digits);
	if (*r.outside)
		json_object_set_new(step, "outside", json_string(r.outside));
	if (*r.idd)
		json_object_set_new(step, "prefix", json_string(r.idd));
	add(x, step);
}

/* What becomes of an attacker's call; number_judged_fn. */
static void tell_fate(void *context, const struct number_judged *j)
{
	struct explain *x = context;
	char text[INDICATOR_TEXT];
	json_t *step = json_pack("{s:s, s:s, s:s, s:b}", "dialled",
		escaped(view_str(j->dialled)), "fate", number_fate_name(j->fate),
		"reason", number_fate_text(j->fate), "counts", fate_counts(j->fate));

	if (j->indicator.kind)
		json_object_set_new(step, "indicator",
			json_string(indicator_print(text, &j->indicator)));
	add(x, step);
}

static void tell_number(struct explain *x, const struct number_detection *d)
{
	char text[INDICATOR_TEXT];
	struct own_action a;

	own_number_decide(&a, &x->own, &x->own_number, NULL, x->allow, d,
		(uint32_t)(d->time / USEC_PER_SEC));
	if (!a.would_ban)
		numbers_refuse(x->numbers, &d->indicator);
	add(x,
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:s}", "indicator",
			*d->text ? escaped(view_str(d->text)) :
				   indicator_print(text, &d->indicator),
			"told", d->reason, "proof", proof_name(d->proof), "category",
			category_name(d->category), "calls", (int)d->calls, "refuse",
			a.would_ban, "report", a.would_publish, "decision", a.reason));
}

int explain_numbers_begin(struct explain *x)
{
	struct numbers_config c;

	config_numbers(&c, &x->config);
	config_own_number(&x->own_number, &x->config);
	x->plan = c.plan;
	x->numbers = numbers_new(&c, (struct hash_key){5, 6});
	if (x->numbers)
		numbers_watch(x->numbers, tell_fate, x);
	return x->numbers ? 0 : -1;
}

void explain_numbers_note(struct explain *x, const struct observation *o)
{
	numbers_note(x->numbers, o);
	if (o->dialled[0] && o->kind != OBSERVED_PROOF)
		tell_reading(x, o);
}

void explain_numbers_convict(
	struct explain *x, const struct detection *d, const struct own_action *a)
{
	if (own_number_attacker(&x->own, d, a))
		numbers_convict(x->numbers, d);
}

void explain_numbers_due(struct explain *x, usec now)
{
	struct number_detection d;

	while (numbers_due(x->numbers, now, &d))
		tell_number(x, &d);
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static void print_reading(FILE *out, const json_t *step)
{
	fprintf(out, "%s is read as %s", text_of(step, "dialled"),
		text_of(step, "reading"));
	if (*text_of(step, "number"))
		fprintf(out, " %s", text_of(step, "number"));
	if (*text_of(step, "other"))
		fprintf(out, " or %s", text_of(step, "other"));
	if (*text_of(step, "outside"))
		fprintf(out, ", outside line %s", text_of(step, "outside"));
	if (*text_of(step, "prefix"))
		fprintf(out, ", prefix %s", text_of(step, "prefix"));
	if (*text_of(step, "reason"))
		fprintf(out, ": %s", text_of(step, "reason"));
	if (*text_of(step, "listed"))
		fprintf(out, "; when others report it: %s", text_of(step, "listed"));
}

void explain_numbers_print(FILE *out, const json_t *step)
{
	fprintf(out, "  number       ");
	if (*text_of(step, "reading"))
		print_reading(out, step);
	else if (*text_of(step, "told"))
		fprintf(out, "%s: %s: %s", text_of(step, "indicator"),
			text_of(step, "told"), text_of(step, "decision"));
	else if (json_is_true(json_object_get(step, "counts")))
		fprintf(out, "%s counts for %s (%s)", text_of(step, "dialled"),
			text_of(step, "indicator"), text_of(step, "fate"));
	else
		fprintf(out, "%s is withheld (%s): %s", text_of(step, "dialled"),
			text_of(step, "fate"), text_of(step, "reason"));
	fputc('\n', out);
}
