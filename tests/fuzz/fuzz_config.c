/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as the configuration. What is refused is refused by lines that name
 * file and line; what is taken is printed, and the print is taken as the same.
 */
#include <stdlib.h>

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define PRINTED (CONFIG_PRINT_SECRETS | CONFIG_PRINT_FILES)

/* Errors are whole lines: "fuzz:3: ...", or of a file that the text names. */
static void check_errors(struct view errors)
{
	if (!errors.n)
		abort();
	while (errors.n) {
		struct view line = view_head(errors, view_find(errors, '\n'));
		size_t colon = view_find(line, ':');
		struct view number = view_from(line, colon + 1);
		uint64_t n;

		if (line.n == errors.n || colon >= line.n ||
			view_decimal(view_head(number, view_find(number, ':')),
				UINT32_MAX, &n))
			abort();
		for (size_t i = 0; i < line.n; i++)
			if (line.p[i] < ' ' || line.p[i] == 0x7f)
				abort();
		errors = view_from(errors, line.n + 1);
	}
}

static void print(struct buffer *out, const struct config *c)
{
	struct buffer warnings = {.max = 1 << 20};

	if (config_print(out, c, PRINTED) || config_warnings(&warnings, c))
		abort();
	buffer_free(&warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct buffer errors = {.max = 16U << 20}, once = {.max = CONFIG_PRINTED_MAX},
		      twice = once;
	struct config c;

	if (config_parse(&c, "fuzz", view_of(input, size), &errors)) {
		check_errors(view_of(errors.p, errors.n));
		goto done;
	}
	if (errors.n)
		abort();
	print(&once, &c);
	config_free(&c);
	if (config_parse(&c, "printed", view_of(once.p, once.n), &errors))
		abort();
	print(&twice, &c);
	config_free(&c);
	if (!view_eq(view_of(once.p, once.n), view_of(twice.p, twice.n)))
		abort();
done:
	buffer_free(&errors);
	buffer_free(&once);
	buffer_free(&twice);
	return 0;
}
