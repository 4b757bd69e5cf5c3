/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what Kamailio answers, and the keys of its tables. Pure. */
#include <jansson.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/hex.h"
#include "enforce/kamailio.h"
#include "indicator/number.h"

bool kamailio_table_name(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > 32)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
			!(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

/* --- the mark --- */

static int generation(uint32_t *out, const char *digits)
{
	*out = 0;
	for (unsigned i = 0; i < KAMAILIO_DIGITS; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		*out = *out * 10 + (uint32_t)(digits[i] - '0');
	}
	return 0;
}

int kamailio_mark_parse(struct kamailio_mark *out, const char *text)
{
	if (strlen(text) == KAMAILIO_MARK_MAX - 1 && !generation(&out->floor, text) &&
		!generation(&out->top, text + KAMAILIO_DIGITS) && out->floor <= out->top)
		return 0;
	memset(out, 0, sizeof *out);
	return -1;
}

const char *kamailio_mark_print(char dst[KAMAILIO_MARK_MAX], struct kamailio_mark mark)
{
	snprintf(dst, KAMAILIO_MARK_MAX, "%09u%09u", mark.floor % (KAMAILIO_LAST + 1),
		mark.top % (KAMAILIO_LAST + 1));
	return dst;
}

uint32_t kamailio_mark_next(uint32_t top, uint64_t wall)
{
	uint64_t today = wall > KAMAILIO_EPOCH ? wall - KAMAILIO_EPOCH : 1;

	if (today <= top)
		today = (uint64_t)top + 1;
	return today <= KAMAILIO_LAST ? (uint32_t)today : 0;
}

/* --- answers --- */

/* A text of an object, cut to fit; "" when there is none. */
static void take_text(char *dst, size_t size, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	dst[0] = '\0';
	if (json_is_string(v))
		view_copy(
			dst, size, view_of(json_string_value(v), json_string_length(v)));
}

/*
 * The texts are those of htable 5.x and of the core; the codes say less (500 is
 * nearly everything).
 */
static enum kamailio_result error_of(struct kamailio_answer *out, const json_t *error)
{
	static const struct {
		const char *text;
		enum kamailio_result result;
	} known[] = {
		{"Key not found", KAMAILIO_NO_KEY},
		{"Key name doesn't exist", KAMAILIO_NO_KEY},
		{"No such htable", KAMAILIO_NO_TABLE},
		{"Failed to set the item", KAMAILIO_NO_TABLE},
		{"Method Not Found", KAMAILIO_NO_METHOD},
	};
	char text[sizeof out->text];

	take_text(text, sizeof text, error, "message");
	escape_view(out->text, sizeof out->text, view_str(text));
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (view_starts(view_str(text), known[i].text))
			return known[i].result;
	return KAMAILIO_FAILED;
}

enum kamailio_result kamailio_answer(struct kamailio_answer *out, struct view bytes)
{
	enum kamailio_result result = KAMAILIO_NONSENSE;
	const json_t *body, *item;
	json_t *root;

	memset(out, 0, sizeof *out);
	if (!bytes.n || bytes.n > KAMAILIO_ANSWER_MAX)
		return KAMAILIO_NONSENSE;
	root = json_loadb((const char *)bytes.p, bytes.n, JSON_REJECT_DUPLICATES, NULL);
	take_text(out->id, sizeof out->id, root, "id");
	body = json_object_get(root, "error");
	if (json_is_object(body)) {
		result = error_of(out, body);
	} else if ((body = json_object_get(root, "result"))) {
		result = KAMAILIO_DONE;
		item = json_object_get(body, "item");
		item = item ? item : body;
		take_text(out->value, sizeof out->value, item, "value");
		take_text(out->expire, sizeof out->expire, item, "expire");
	}
	json_decref(root);
	return result;
}

/* Of an address or one of the prefixes that the include looks up. */
static const char *address_key(char dst[64], const struct indicator *i)
{
	char text[ADDRESS_TEXT];
	struct address a;
	unsigned plen;

	if (indicator_to_address(&a, &plen, i))
		return NULL;
	address_print(text, &a);
	if (plen == (a.family == 4 ? 32 : 128))
		snprintf(dst, 64, "%s", text);
	else if (a.family == 4 && (plen == 24 || plen == 16))
		snprintf(dst, 64, "%s/%u", text, plen);
	else
		return NULL;
	return dst;
}

const char *kamailio_key(char dst[64], const struct indicator *i)
{
	char digits[NUMBER_DIGITS + 1];

	switch (i->kind) {
	case INDICATOR_NUMBER:
		if (number_digits(digits, i) < 0)
			return NULL;
		snprintf(dst, 64, "%s%s", digits, i->plen == 128 ? "" : "*");
		return dst;
	case INDICATOR_URI:
	case INDICATOR_DOMAIN:
		return hex_encode(dst, i->value, sizeof i->value);
	case INDICATOR_IP4:
	case INDICATOR_IP6:
		return address_key(dst, i);
	default:
		return NULL;
	}
}
