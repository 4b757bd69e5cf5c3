/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: what parses as an indicator is well-formed and prints back. */
#include <stdint.h>
#include <stdlib.h>

#include "base/escape.h"
#include "indicator/indicator.h"
#include "indicator/number.h"
#include "indicator/unroutable.h"
#include "indicator/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What every well-formed indicator must keep to. */
static void check_invariants(const struct indicator *i)
{
	struct indicator_limits open = {.allow_unroutable = true};
	const struct unroutable *hit = unroutable_find(i);
	struct report r = {.indicator = *i}, back;
	char text[INDICATOR_TEXT];
	struct indicator again;
	uint8_t word[WORD_SIZE];

	require(indicator_check_shape(i, NULL) == 0);
	require(indicator_check(i, &open, NULL) == 0);
	require(!hit || indicator_overlaps(&hit->range, i));
	require(indicator_contains(i, i) && indicator_compare(i, i) == 0);
	require(strlen(indicator_print(text, i)) < INDICATOR_TEXT);
	require(indicator_parse(&again, NULL, view_str(text), NULL) == 0);
	require(memcmp(&again, i, sizeof(again)) == 0);
	for (unsigned plen = 0; plen < i->plen; plen++) {
		struct indicator wide = indicator_widen(i, (uint8_t)plen);

		require(indicator_contains(&wide, i));
		require(!indicator_contains(i, &wide));
		require(indicator_compare(&wide, i) < 0);
	}
	word_encode(word, &r);
	word_decode(&back, word);
	require(memcmp(&back.indicator, i, sizeof(*i)) == 0);
}

/* The text as the wire form itself: nothing may break on a hostile word. */
static void check_wire(const uint8_t *input)
{
	char text[INDICATOR_TEXT], digits[NUMBER_DIGITS + 1];
	struct indicator i, again;
	struct error err;

	memcpy(&i, input, sizeof(i));
	indicator_print(text, &i);
	require(strlen(text) < INDICATOR_TEXT);
	unroutable_find(&i);
	number_digits(digits, &i);
	err.text[0] = '\0';
	if (indicator_check_shape(&i, &err) < 0) {
		require(err.text[0] != '\0');
		return;
	}
	require(indicator_parse(&again, NULL, view_str(text), NULL) == 0);
	/* Only a mapped address has a second form: ip4 is the canonical one. */
	require(memcmp(&again, &i, sizeof(i)) == 0 ||
		(i.kind == INDICATOR_IP6 && again.kind == INDICATOR_IP4));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	struct error err = {""};
	struct indicator i;

	if (size >= sizeof(i))
		check_wire(input);
	if (indicator_parse(&i, canonical, view_of(input, size), &err) < 0) {
		require(err.text[0] != '\0' && text_is_clean(view_str(err.text)));
		return 0;
	}
	require(strlen(canonical) <= INDICATOR_SOURCE_TEXT);
	require(text_is_clean(view_str(canonical)));
	if (canonical[0] != '\0') {
		struct indicator hashed = indicator_from_canonical(
			i.kind, view_str(canonical));

		require(i.kind >= INDICATOR_URI);
		require(memcmp(&hashed, &i, sizeof(i)) == 0);
	}
	check_invariants(&i);
	return 0;
}
