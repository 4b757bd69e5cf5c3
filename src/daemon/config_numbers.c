/* SPDX-License-Identifier: Apache-2.0 */
/* [numbers]: the site's dial plan, and what is done with numbers that attackers call. */
#include "daemon/config_numbers.h"

#include "base/escape.h"
#include "base/units.h"
#include "indicator/uri.h"

static int set_own(struct dial_plan *plan, struct view text, struct error *err)
{
	struct view word;

	while ((word = word_next(&text)).n)
		if (dial_plan_own(plan, word, err))
			return -1;
	return 0;
}

static int set_domains(struct numbers_config *out, struct view text, struct error *err)
{
	struct view word;
	char domain[256];

	while ((word = word_next(&text)).n) {
		if (out->n_domains == NUMBER_DOMAINS_MAX)
			return error_set(err,
				"names more than %d domains; leave out what is "
				"below another one",
				NUMBER_DOMAINS_MAX);
		if (domain_canonical(domain, word, err))
			return -1;
		view_copy(out->domains[out->n_domains++], sizeof out->domains[0],
			view_str(domain));
	}
	return 0;
}

/* The keys that make the plan, in the order in which they are to be set. */
static const struct {
	const char *name;
	size_t offset; /* of a text in struct config */
	int (*set)(struct dial_plan *plan, struct view text, struct error *err);
} parts[] = {
	{"country", offsetof(struct config, numbers.country), dial_plan_country},
	{"area", offsetof(struct config, numbers.area), dial_plan_area},
	{"trunk", offsetof(struct config, numbers.trunk), dial_plan_trunk},
	{"outside", offsetof(struct config, numbers.outside), dial_plan_outside},
	{"international", offsetof(struct config, numbers.international), dial_plan_idd},
	{"short", offsetof(struct config, numbers.shorts), dial_plan_shorts},
	{"extensions", offsetof(struct config, numbers.extensions), dial_plan_extensions},
	{"own", offsetof(struct config, numbers.own), set_own},
};

/* Fill out; what is wrong with a key is named, and the rest stays as it was. */
static int read_all(struct numbers_config *out, const struct config *c,
	const struct config_key **at, struct error *err)
{
	numbers_config_default(out);
	for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
		const char *text = config_at_const(c, parts[k].offset);

		/* Not given: what the country has. */
		if (!*text || !parts[k].set(&out->plan, view_str(text), err))
			continue;
		*at = config_key_find("numbers", parts[k].name);
		return -1;
	}
	if (set_domains(out, view_str(c->numbers.domains), err)) {
		*at = config_key_find("numbers", "domains");
		return -1;
	}
	out->plan.bare = c->numbers.bare;
	out->calls = c->numbers.calls;
	out->prefix = c->numbers.prefix;
	out->domestic = c->numbers.domestic;
	/* While it is called it stays: told again when half its time has gone. */
	out->again = c->numbers.ttl / 2;
	return 0;
}

void config_numbers(struct numbers_config *out, const struct config *c)
{
	const struct config_key *at;
	struct error err;

	(void)read_all(out, c, &at, &err);
}

void config_policy_home(struct config *c)
{
	struct numbers_config n;

	config_numbers(&n, c);
	home_take(&c->policy.home, &n);
}

void config_own_number(struct own_number_config *out, const struct config *c)
{
	*out = (struct own_number_config){
		.publish = c->numbers.publish,
		.ttl = c->numbers.ttl,
	};
}

int config_numbers_check(
	const struct config *c, const struct config_key **at, struct error *err)
{
	struct numbers_config n;

	if (c->numbers.area[0] && !c->numbers.country[0]) {
		*at = config_key_find("numbers", "area");
		return error_set(err, "is an area code of no country; set country, too");
	}
	return read_all(&n, c, at, err);
}
