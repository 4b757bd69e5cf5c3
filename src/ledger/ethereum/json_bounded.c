/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/json_bounded.h"

/*
 * Count what stands outside of strings. Needs no valid JSON: whatever jansson
 * makes of the text, it makes no more values than there are commas, colons and
 * opening brackets, and one.
 */
static int check_bounds(struct view text, struct error *err)
{
	size_t containers = 0, values = 1, depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '"':
			for (i++; i < text.n && text.p[i] != '"'; i++)
				if (text.p[i] == '\\')
					i++;
			break;
		case '[':
		case '{':
			containers++;
			values++;
			if (++depth > JSON_DEPTH_MAX)
				return error_set(err, "JSON nested deeper than %d",
					JSON_DEPTH_MAX);
			break;
		case ']':
		case '}':
			depth -= depth > 0;
			break;
		case ',':
		case ':':
			values++;
			break;
		default:
			break;
		}
	}
	if (containers > JSON_CONTAINERS_MAX || values > JSON_VALUES_MAX)
		return error_set(err, "JSON of more than %d values", JSON_VALUES_MAX);
	return 0;
}

static const char *reason(const json_error_t *e)
{
	switch ((int)json_error_code(e)) {
	case json_error_premature_end_of_input:
		return "it ends early";
	case json_error_end_of_input_expected:
		return "something follows it";
	case json_error_invalid_utf8:
		return "it is not UTF-8";
	case json_error_duplicate_key:
		return "a key is there twice";
	case json_error_numeric_overflow:
		return "a number is too large";
	default:
		return "it is malformed";
	}
}

json_t *json_parse_bounded(struct view text, struct error *err)
{
	json_error_t e;
	json_t *root;

	if (check_bounds(text, err))
		return NULL;
	root = json_loadb(text.n ? (const char *)text.p : "", text.n,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	/* Not jansson's own text: it quotes the input, which may repeat secrets. */
	if (!root)
		error_set(err, "not JSON: %s at byte %d", reason(&e), e.position);
	return root;
}

struct view json_text(const json_t *value)
{
	if (!json_is_string(value))
		return (struct view){NULL, 0};
	return view_of(json_string_value(value), json_string_length(value));
}
