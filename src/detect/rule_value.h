/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_RULE_VALUE_H
#define DETECT_RULE_VALUE_H

#include "detect/rule.h"

/* At least as many keys as a rule may have. */
#define RULE_KEYS_MAX 32

/* The number of a key, or -1 when there is none of that name. */
int rule_key_find(struct view name);

/* Its name: "threshold". */
const char *rule_key_name(int key);

/*
 * A value as it stands in the file, trimmed, into *rule. Returns 0, or -1 with
 * what would be right; the rule may then be changed in part.
 */
int rule_value_parse(struct rule *rule, int key, struct view v, struct error *err);

#endif
