/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For compare.py: each line of digits on standard input as
 * "TYPES POSSIBLE APART COUNTRY REGION", each line "COUNTRY/DIGITS" as "CODES".
 */
#include <stdio.h>

#include "indicator/e164.h"

int main(void)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		struct view text = view_trim(view_str(line));
		size_t slash = view_find(text, '/');

		if (slash < text.n)
			printf("%u\n",
				e164_codes(view_head(text, slash),
					view_from(text, slash + 1)));
		else
			printf("%u %d %d %u %s\n", e164_types(text), e164_possible(text),
				e164_apart(text), e164_country(text), e164_region(text));
	}
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
