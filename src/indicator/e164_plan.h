/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_E164_PLAN_H
#define INDICATOR_E164_PLAN_H

/* The tables that scripts/number-plan.py writes, for e164.c alone. */
#include <stdint.h>

#include "indicator/e164.h"

/*
 * A deterministic automaton over digits. Node 1 is the root, node 0 leads nowhere.
 *
 *    15       10 9                     0
 *   +-----------+----------------------+   +-----------+
 *   |   value   | bit d: at digit d a  |   |  edges:   |  the index of the first
 *   |  (index)  | new target begins    |   |           |  target
 *   +-----------+----------------------+   +-----------+
 *
 * Neighbouring digits mostly lead to one target: it stands once a run, and nodes of
 * equal runs share theirs. Bit 0 is always set in a living node.
 */
struct e164_node {
	uint16_t starts, edges;
};

struct e164_automaton {
	const struct e164_node *nodes;
	const uint16_t *edges, *values;
};

/* In values[], beside the bits of enum e164_type or e164_code. */
#define E164_VALUE_POSSIBLE (1U << 10)
#define E164_VALUE_COUNTRY  (1U << 11) /* a country code ends here */
#define E164_VALUE_APART    (1U << 12) /* of another country with the same code */

/* E.164 digits; country code and what is dialled there ("0": anywhere). */
extern const struct e164_automaton e164_numbers_plan, e164_codes_plan;

struct e164_country_row {
	char code[E164_COUNTRY_DIGITS + 1], region[4], trunk[4];
};

/* In order of the codes' text; the last has "" as its code. */
extern const struct e164_country_row e164_countries[];

#endif
