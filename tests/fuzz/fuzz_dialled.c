/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of dialled strings, the first one the site's country code: each is read by
 * itself, then all as those of one source. What may be published is whole and valid.
 */
#include <stdlib.h>

#include "indicator/dial_plan.h"

#define STRINGS 64

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct dial_plan *plan, const struct dialled_reading *r)
{
	struct view digits = view_str(r->digits);
	bool number = r->reading == READ_RULE || r->reading == READ_CLUSTER;

	require(r->reading < READ_CLASSES && r->why < WHY_COUNT);
	require(memchr(r->outside, 0, sizeof(r->outside)) != NULL);
	require(memchr(r->idd, 0, sizeof(r->idd)) != NULL);
	require(!number || (e164_possible(digits) && !dial_plan_owns(plan, digits)));
	require(r->reading != READ_OWN || dial_plan_owns(plan, digits));
	if (digits.n)
		require(r->country == e164_country(digits) &&
			r->types == e164_types(digits));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct dialled_reading found[8], r;
	const char *strings[STRINGS];
	struct dial_plan plan;
	char *text = malloc(n + 1), *line, *rest = text;
	size_t count = 0, numbers;

	require(text != NULL);
	memcpy(text, bytes, n);
	text[n] = '\0';
	dial_plan_init(&plan);
	line = strsep(&rest, "\n");
	if (dial_plan_country(&plan, view_str(line), NULL) == 0)
		(void)dial_plan_area(&plan, view_str("20"), NULL);
	else
		(void)dial_plan_outside(&plan, view_str(line), NULL);
	require(dial_plan_own(&plan, view_str("+4420794*"), NULL) == 0);
	while (count < STRINGS && (line = strsep(&rest, "\n")) != NULL) {
		dialled_read(&r, &plan, line);
		check(&plan, &r);
		strings[count++] = line;
	}
	numbers = dialled_cluster(found, 8, &plan, strings, count);
	require(numbers <= 8);
	for (size_t i = 0; i < numbers; i++) {
		size_t variants = 0;

		check(&plan, &found[i]);
		require(found[i].reading == READ_CLUSTER);
		for (size_t k = 0; k < count; k++)
			variants += dialled_ends_in(strings[k], &found[i]);
		require(found[i].variants >= DIALLED_CLUSTER_LEAST &&
			variants >= found[i].variants);
	}
	free(text);
	return 0;
}
