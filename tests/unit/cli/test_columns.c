/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"

static char *printed(struct columns *c, unsigned indent)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(columns_print(c, out, indent), 0);
	fclose(out);
	return text;
}

static void columns_are_as_wide_as_their_cells(void **state)
{
	struct columns c;
	char *text;

	(void)state;
	columns_begin(&c, "NAME|N|LAST", 1u << 1);
	columns_put(&c, "%s", "a");
	columns_put(&c, "%d", 7);
	columns_put(&c, "%s", "x y");
	columns_put(&c, "%s", "domain#4ee7abf9396a35b172bc838647a88e41");
	columns_put(&c, "%d", 12345);
	columns_put(&c, "%s", "");
	text = printed(&c, 2);
	assert_string_equal(text,
		"  NAME                                         N  LAST\n"
		"  a                                            7  x y\n"
		"  domain#4ee7abf9396a35b172bc838647a88e41  12345\n");
	free(text);
}

static void an_empty_cell_keeps_its_place(void **state)
{
	struct columns c;
	char *text;

	(void)state;
	columns_begin(&c, "A|B|C", 0);
	columns_put(&c, "%s", "");
	columns_put(&c, "%s", "");
	columns_put(&c, "%s", "last");
	columns_put(&c, "%s", "wide");
	columns_put(&c, "%s", "");
	columns_put(&c, "%s", "z");
	text = printed(&c, 0);
	assert_string_equal(text, "A     B  C\n         last\nwide     z\n");
	free(text);
}

static void a_broken_row_is_not_shown(void **state)
{
	struct columns c;
	char *text;

	(void)state;
	columns_begin(&c, "A|B", 0);
	columns_put(&c, "%s", "lonely");
	text = printed(&c, 0);
	assert_string_equal(text, "A       B\n");
	free(text);
}

static void many_rows_come_out_whole(void **state)
{
	struct columns c;
	size_t lines = 0;
	char *text;

	(void)state;
	columns_begin(&c, "ROW|SQUARE", 3);
	for (unsigned long i = 0; i < 20000; i++) {
		columns_put(&c, "%lu", i);
		columns_put(&c, "%lu", i * i);
	}
	text = printed(&c, 0);
	for (char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 20001);
	assert_non_null(strstr(text, "\n19999  399960001\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_cells),
		cmocka_unit_test(an_empty_cell_keeps_its_place),
		cmocka_unit_test(a_broken_row_is_not_shown),
		cmocka_unit_test(many_rows_come_out_whole),
	};

	return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
