/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_GRADE_H
#define DETECT_GRADE_H

#include "detect/state.h"

/* A rule that holds for a source. */
struct verdict {
	const struct rule *rule;
	unsigned at;
	struct weight w;
	uint8_t proof;
	uint8_t grade; /* enum grade */
	bool plausible;
	bool publish;
};

/* A rule's weight; rule NULL: of all those that weigh together. */
struct weight grade_measure(const struct detector *d, const struct source *s,
	const struct rule *rule, unsigned at, struct weigh_what what, usec now);

/*
 * How sure v is, by weighing only what is proved, or plausible; *ripen tells that
 * it will be plausible when scans have waited long enough. rule as above.
 */
void grade_verdict(struct verdict *v, const struct detector *d, const struct source *s,
	const struct rule *rule, bool running, usec now, bool *ripen);

/* The most that could be said of a source, whatever its attempts weigh. */
uint8_t grade_best(const struct source *s);

#endif
