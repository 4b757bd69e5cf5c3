/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of `sipchain explain` as text. */
#include "cli/explain.h"

#include <string.h>

#include "base/units.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static bool is(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

static int number(const json_t *o, const char *name)
{
	return (int)json_integer_value(json_object_get(o, name));
}

static void print_read(FILE *out, const json_t *step)
{
	json_t *fields = json_object_get(step, "fields"), *value;
	const char *name;

	fprintf(out, "%s\n", text_of(step, "text"));
	json_object_foreach(fields, name, value)
	{
		if (json_is_string(value))
			fprintf(out, "    %-17s %s\n", name, json_string_value(value));
		else if (json_is_integer(value))
			fprintf(out, "    %-17s %lld\n", name,
				(long long)json_integer_value(value));
		else
			fprintf(out, "    %-17s %s\n", name,
				json_is_true(value) ? "yes" : "no");
	}
}

static void print_observation(FILE *out, const json_t *step)
{
	static const char *const texts[] = {"account", "dialled", "agent"};
	const json_t *sign;
	size_t i;

	fprintf(out, "  observation  %s by %s over %s, proof %s", text_of(step, "kind"),
		text_of(step, "source"), text_of(step, "transport"),
		text_of(step, "proof"));
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		if (*text_of(step, texts[i]))
			fprintf(out, ", %s \"%s\"", texts[i], text_of(step, texts[i]));
	json_array_foreach(json_object_get(step, "signs"), i, sign)
		fprintf(out, ", sign: %s", json_string_value(sign));
	fprintf(out, " (%s)\n", text_of(step, "sensor"));
}

static void print_attempt(FILE *out, const json_t *step)
{
	const json_t *rule;
	char window[32];
	size_t i;

	fprintf(out, "  attempt      %s%s; weighs %.3f of 1, before %.3f%s%s%s\n",
		text_of(step, "filed"),
		is(step, "counts") ? "" : ", which does not count",
		json_real_value(json_object_get(step, "weight")),
		json_real_value(json_object_get(step, "weight_before")),
		is(step, "forged") ? "; signs of forgery: not plausible" : "",
		is(step, "registered") ? "; authenticates here: not banned unproved" : "",
		is(step, "banned") ? "; a ban runs already" : "");
	json_array_foreach(json_object_get(step, "rules"), i, rule)
	{
		int have = number(rule, "have"), need = number(rule, "need");

		fprintf(out, "  rule         %s: %d of %d in %s", text_of(rule, "rule"),
			have, need,
			duration_print(window, (uint64_t)number(rule, "window")));
		if (have < need)
			fprintf(out, ", %d missing", need - have);
		fprintf(out, "%s%s\n", is(rule, "proved") ? ", proved" : "",
			is(rule, "plausible") && !is(rule, "proved") ? ", plausible" :
								       "");
	}
}

static void print_detection(FILE *out, const json_t *step)
{
	fprintf(out, "  detection    %s%s: %s (%s, rule %s, proof %s%s, offence %d)\n",
		text_of(step, "source"), number(step, "plen") == 64 ? "/64" : "",
		text_of(step, "reason"), text_of(step, "category"), text_of(step, "rule"),
		text_of(step, "proof"), is(step, "plausible") ? ", plausible" : "",
		number(step, "offence"));
}

void explain_print(const struct explain *x, FILE *out)
{
	const json_t *step;
	size_t i;

	json_array_foreach(x->steps, i, step)
	{
		const char *what = text_of(step, "step");

		if (!strcmp(what, "read"))
			print_read(out, step);
		else if (!strcmp(what, "observation"))
			print_observation(out, step);
		else if (!strcmp(what, "attempt"))
			print_attempt(out, step);
		else if (!strcmp(what, "allow"))
			fprintf(out, "  allowlist    %s: %s\n",
				text_of(step, "indicator"), text_of(step, "reason"));
		else if (!strcmp(what, "number"))
			explain_numbers_print(out, step);
		else if (!strcmp(what, "detection"))
			print_detection(out, step);
		else
			fprintf(out, "  decision     %s\n", text_of(step, "reason"));
	}
	fprintf(out, "%u observation%s, %u detection%s%s (%s)\n", x->observations,
		x->observations == 1 ? "" : "s", x->detections,
		x->detections == 1 ? "" : "s",
		x->detections ? "" : ": nothing is banned or reported",
		x->configured ? "by the configuration and its allowlist" :
				"by the built-in rules: there is no configuration");
}
