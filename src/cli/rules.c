/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rules.h"

#include "base/units.h"
#include "ledger/signer.h"

#define MAX_TTL_MOST    (366 * 86400)
#define MAX_TTL_DEFAULT (7 * 86400)

int option_number(struct invocation *in, enum option_id id, uint64_t least, uint64_t most,
	uint64_t *out)
{
	uint64_t value;

	if (!given(in, id))
		return 0;
	if (view_decimal(view_str(option(in, id, "")), most, &value) || value < least)
		return error_set(&in->error,
			"--%s %s: give a whole number from %llu to %llu",
			option_specs[id].name, shown(option(in, id, "")),
			(unsigned long long)least, (unsigned long long)most);
	*out = value;
	return 0;
}

static int take_max_ttl(struct invocation *in, uint64_t *out)
{
	uint64_t value;

	if (!given(in, OPTION_MAX_TTL))
		return 0;
	if (duration_parse(&value, view_str(option(in, OPTION_MAX_TTL, "")), &in->error))
		return error_prefix(&in->error, "--max-ttl");
	if (!value || value > MAX_TTL_MOST)
		return error_set(&in->error, "--max-ttl: from 1s to 366d");
	*out = value;
	return 0;
}

int rules_change(struct ledger_config *rules, struct invocation *in)
{
	uint64_t v4 = rules->limits.min_v4, v6 = rules->limits.min_v6;
	uint64_t e164 = rules->limits.min_e164, threshold = rules->threshold;
	uint64_t max_ttl = rules->max_ttl;

	if (option_number(in, OPTION_THRESHOLD, 1, UINT32_MAX, &threshold) ||
		take_max_ttl(in, &max_ttl) ||
		option_number(in, OPTION_MIN_V4, 8, 32, &v4) ||
		option_number(in, OPTION_MIN_V6, 16, 128, &v6) ||
		option_number(in, OPTION_MIN_E164, 1, 15, &e164))
		return -1;
	rules->limits.min_v4 = (uint8_t)v4;
	rules->limits.min_v6 = (uint8_t)v6;
	rules->limits.min_e164 = (uint8_t)e164;
	rules->threshold = (uint32_t)threshold;
	rules->max_ttl = (uint32_t)max_ttl;
	return given(in, OPTION_THRESHOLD) + given(in, OPTION_MAX_TTL) +
		given(in, OPTION_MIN_V4) + given(in, OPTION_MIN_V6) +
		given(in, OPTION_MIN_E164);
}

int rules_make(struct ledger_config *rules, struct invocation *in)
{
	*rules = (struct ledger_config){.limits = indicator_limits_default,
		.threshold = 1,
		.max_ttl = MAX_TTL_DEFAULT};
	rules->limits.allow_unroutable = given(in, OPTION_ALLOW_UNROUTABLE);
	return rules_change(rules, in) < 0 ? -1 : 0;
}

int option_guardian(struct invocation *in, uint8_t guardian[ADDRESS20], bool *given_too)
{
	memset(guardian, 0, ADDRESS20);
	*given_too = given(in, OPTION_GUARDIAN);
	if (*given_too &&
		address20_parse(
			guardian, view_str(option(in, OPTION_GUARDIAN, "")), &in->error))
		return error_prefix(&in->error, "--guardian");
	return 0;
}
