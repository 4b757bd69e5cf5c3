/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain number: what dialled strings mean, step by step. */
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "cli/choice.h"
#include "daemon/config.h"
#include "daemon/start.h"

/* [numbers] of the configuration, where there is one. Returns 0 or an exit code. */
static int configured_site(struct invocation *in, struct policy *policy)
{
	struct config config;
	int rc;

	*policy = policy_default;
	dial_plan_init(&policy->home.plan);
	if (!given(in, OPTION_CONFIG) && access(CONFIG_PATH, R_OK) != 0)
		return 0;
	rc = load_config(in, &config);
	if (rc)
		return rc;
	*policy = config.policy;
	config_free(&config);
	return 0;
}

/* The site's plan, and what the options change of it. Returns 0 or an exit code. */
static int read_site(struct invocation *in, struct policy *policy)
{
	struct dial_plan *plan = &policy->home.plan;
	struct error err;
	int rc = configured_site(in, policy);

	if (rc)
		return rc;
	/* Another country's site has neither this one's area nor its numbers. */
	if (given(in, OPTION_COUNTRY))
		dial_plan_init(plan);
	if (given(in, OPTION_COUNTRY) &&
		dial_plan_country(plan, view_str(option(in, OPTION_COUNTRY, "")), &err) <
			0)
		return failure(CONTROL_USAGE, "--country %s", err.text);
	if (given(in, OPTION_OUTSIDE) &&
		dial_plan_outside(plan, view_str(option(in, OPTION_OUTSIDE, "")), &err) <
			0)
		return failure(CONTROL_USAGE, "--outside %s", err.text);
	return 0;
}

/* "fixed, mobile" */
static void print_types(unsigned types)
{
	const char *comma = "";

	for (unsigned bit = 0; bit < E164_TYPES; bit++)
		if (types >> bit & 1) {
			printf("%s%s", comma, e164_type_name(1U << bit));
			comma = ", ";
		}
}

/*
 * Why others' reports of it do not count here; "": they do. text has DECISION_TEXT bytes.
 */
static const char *listed_text(
	char *text, const struct policy *policy, const struct dialled_reading *r)
{
	struct decision d = {.block = false};

	*text = '\0';
	if (indicator_from_digits(&d.indicator, view_str(r->digits)))
		return text;
	d.why = decide_home(policy, &d.indicator);
	return d.why ? decision_print(text, &d) : text;
}

/* Neither the site's own nor its country's, and of a class that is told of. */
static bool may_be_published(const struct policy *policy, const struct dialled_reading *r)
{
	char text[DECISION_TEXT];

	return (r->reading == READ_RULE || r->reading == READ_CLUSTER) &&
		!*listed_text(text, policy, r);
}

/* Under a string: what it is made of. */
static void print_number(const struct policy *policy, const struct dialled_reading *r)
{
	char text[DECISION_TEXT];

	if (r->outside[0])
		printf("  outside line  %s\n", r->outside);
	if (r->idd[0])
		printf("  prefix        %s\n", r->idd);
	if (!r->digits[0])
		return;
	printf("  number        +%s%s\n", r->digits, r->domestic ? ", domestic" : "");
	if (r->other[0])
		printf("  or            +%s\n", r->other);
	printf("  country       +%.*s %s\n", r->country, r->digits,
		e164_region(view_str(r->digits)));
	printf("  type          ");
	if (r->types)
		print_types(r->types);
	else
		printf("none: of its country's form, but never given out");
	printf("\n");
	if (*listed_text(text, policy, r))
		printf("  when listed   %s\n", text);
}

static void print_reading(
	const struct policy *policy, const char *dialled, const struct dialled_reading *r)
{
	const char *why = dialled_why_text(r->why);

	printf("%s\n", shown(dialled));
	print_number(policy, r);
	printf("  verdict       %s%s%s%s\n", dialled_reading_name(r->reading),
		why[0] ? ": " : "", why,
		may_be_published(policy, r) ? "" : "; it is not published");
}

static void print_cluster(const struct policy *policy, const struct dialled_reading *r)
{
	printf("+%s\n", r->digits);
	print_number(policy, r);
	printf("  verdict       cluster: %u of the strings end in it\n", r->variants);
}

static json_t *types_json(unsigned types)
{
	json_t *list = json_array();

	for (unsigned bit = 0; bit < E164_TYPES; bit++)
		if (types >> bit & 1)
			json_array_append_new(
				list, json_string(e164_type_name(1U << bit)));
	return list;
}

/* With what there is: a string without a number has no country. */
static json_t *reading_json(const struct policy *policy, const struct dialled_reading *r)
{
	char text[DECISION_TEXT];
	struct view digits = view_str(r->digits);
	json_t *o = json_pack("{s:s, s:s, s:b}", "reading",
		dialled_reading_name(r->reading), "why", dialled_why_text(r->why),
		"publish", may_be_published(policy, r));

	if (r->outside[0])
		json_object_set_new(o, "outside", json_string(r->outside));
	if (r->idd[0])
		json_object_set_new(o, "prefix", json_string(r->idd));
	if (!digits.n)
		return o;
	json_object_set_new(o, "number", json_sprintf("+%s", r->digits));
	if (r->other[0])
		json_object_set_new(o, "other", json_sprintf("+%s", r->other));
	json_object_set_new(o, "country", json_stringn(r->digits, r->country));
	json_object_set_new(o, "region", json_string(e164_region(digits)));
	json_object_set_new(o, "types", types_json(r->types));
	json_object_set_new(o, "domestic", json_boolean(r->domestic));
	if (*listed_text(text, policy, r))
		json_object_set_new(o, "listed", json_string(text));
	if (r->variants)
		json_object_set_new(o, "variants", json_integer(r->variants));
	return o;
}

#define CLUSTERS 32

int run_number(struct invocation *in)
{
	struct dialled_reading r, found[CLUSTERS];
	struct policy policy;
	const struct dial_plan *plan = &policy.home.plan;
	json_t *strings, *clusters, *out;
	size_t n;
	int rc = read_site(in, &policy);

	if (rc)
		return rc;
	n = dialled_cluster(found, CLUSTERS, plan, in->arguments, in->count);
	if (!given(in, OPTION_JSON)) {
		for (unsigned i = 0; i < in->count; i++) {
			dialled_read(&r, plan, in->arguments[i]);
			print_reading(&policy, in->arguments[i], &r);
		}
		for (size_t i = 0; i < n; i++)
			print_cluster(&policy, &found[i]);
		return 0;
	}
	strings = json_array();
	clusters = json_array();
	for (unsigned i = 0; i < in->count; i++) {
		json_t *o;

		dialled_read(&r, plan, in->arguments[i]);
		o = reading_json(&policy, &r);
		json_object_set_new(o, "dialled", json_string(shown(in->arguments[i])));
		json_array_append_new(strings, o);
	}
	for (size_t i = 0; i < n; i++)
		json_array_append_new(clusters, reading_json(&policy, &found[i]));
	out = json_pack("{s:s, s:s, s:o, s:o}", "source", e164_source, "site",
		plan->country, "strings", strings, "clusters", clusters);
	print_json(out);
	json_decref(out);
	return 0;
}
