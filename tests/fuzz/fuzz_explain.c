/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is given to `sipchain explain`: it is refused with a text, or each of
 * its steps can be shown, to people and as JSON.
 */
#include <stdlib.h>

#include "cli/explain.h"
#include "daemon/config_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void show(const struct explain *x)
{
	char *json = json_dumps(x->steps, JSON_COMPACT), *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);

	if (!json || !out)
		abort();
	explain_print(x, out);
	fclose(out);
	for (size_t i = 0; i < n; i++)
		if (((uint8_t)printed[i] < ' ' && printed[i] != '\n') ||
			printed[i] == 0x7f)
			abort();
	free(printed);
	free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct explain x = {.steps = NULL};
	struct error err = {""};

	config_defaults(&x.config);
	if (explain_begin(&x))
		abort();
	if (explain_feed(&x, view_of(input, size), &err) && !err.text[0])
		abort();
	show(&x);
	explain_end(&x);
	config_free(&x.config);
	return 0;
}
