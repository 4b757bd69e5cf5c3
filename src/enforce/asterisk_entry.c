/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/asterisk_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "enforce/pbx.h"
#include "indicator/number.h"

#define END_DIGITS 10 /* of every time between 2001 and 2106 */
#define TREE_PATH  "/" ASTERISK_FAMILY "/" ASTERISK_TREE "/"
/* AstDB's own limit is 256; no number of ours has more than 15 digits. */
#define STRAY_MAX 128

int asterisk_entry(char key[ASTERISK_KEY], char value[ASTERISK_VALUE],
	const struct indicator *i, uint32_t until)
{
	char digits[NUMBER_DIGITS + 1], id[INDICATOR_TEXT];

	if (i->kind != INDICATOR_NUMBER || number_digits(digits, i) < 1)
		return -1;
	snprintf(key, ASTERISK_KEY, ASTERISK_TREE "/%s", digits);
	snprintf(value, ASTERISK_VALUE, "%0*" PRIu32 "|%c|%.20s", END_DIGITS, until,
		asterisk_entry_prefix(i) ? 'P' : 'E', pbx_id(id, i));
	return 0;
}

int asterisk_entry_parse(struct ban_order *found, struct view key, struct view value)
{
	char own_key[ASTERISK_KEY], own_value[ASTERISK_VALUE];
	uint64_t until;

	memset(found, 0, sizeof *found);
	found->change = BAN_ADD;
	if (value.n <= END_DIGITS + 3 ||
		view_decimal(view_head(value, END_DIGITS), UINT32_MAX, &until) ||
		pbx_id_parse(&found->indicator, view_from(value, END_DIGITS + 3)) ||
		asterisk_entry_key(&key, key))
		return -1;
	found->until = (uint32_t)until;
	/* Every other way to write the same is not ours. */
	if (asterisk_entry(own_key, own_value, &found->indicator, found->until) ||
		!view_eq(key, view_str(own_key)) || !view_eq(value, view_str(own_value)))
		return -1;
	return 0;
}

int asterisk_entry_key(struct view *out, struct view listed)
{
	if (!view_starts(listed, TREE_PATH) || !text_is_clean(listed) ||
		listed.n == sizeof TREE_PATH - 1 || listed.n > STRAY_MAX)
		return -1;
	*out = view_from(listed, sizeof "/" ASTERISK_FAMILY "/" - 1);
	return 0;
}

int asterisk_entry_twin(struct indicator *out, const struct indicator *i)
{
	char digits[NUMBER_DIGITS + 1];
	int n = i->kind == INDICATOR_NUMBER ? number_digits(digits, i) : -1;
	struct view v;

	if (n < 1)
		return -1;
	v = view_of(digits, (size_t)n);
	return asterisk_entry_prefix(i) ? indicator_from_digits(out, v) :
					  number_from_prefix(out, v);
}

int asterisk_line(struct buffer *out, const char *key, struct view value)
{
	if (view_find(value, '\r') < value.n || view_find(value, '\n') < value.n ||
		view_find(value, 0) < value.n)
		return -1;
	return buffer_printf(out, "%s: ", key) || buffer_put(out, value.p, value.n) ||
			buffer_put(out, "\r\n", 2) ?
		-1 :
		0;
}
