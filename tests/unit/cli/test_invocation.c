/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static struct invocation in;

/* Parse a command line given as one string, words apart by one space. */
static int parse(const char *line)
{
	static char copy[1024];
	char *argv[64];
	int argc = 0;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return invocation_parse(&in, argc, argv);
}

static void words_find_commands(void **state)
{
	(void)state;
	assert_int_equal(parse("sipchain status"), 0);
	assert_string_equal(in.command->name, "status");
	assert_int_equal(parse("sipchain member list --json"), 0);
	assert_string_equal(in.command->sub, "list");
	assert_true(given(&in, OPTION_JSON));
	assert_int_equal(parse("sipchain member"), -1);
	assert_non_null(strstr(in.error.text, "one more word"));
	assert_int_equal(parse("sipchain frobnicate"), -1);
	assert_non_null(strstr(in.error.text, "frobnicate"));
	assert_null(strstr(in.error.text, "did you mean"));
	assert_int_equal(parse("sipchain"), -1);
	assert_int_equal(parse("sipchain --help"), 1);
	assert_int_equal(parse("sipchain check --help"), 1);
	assert_string_equal(in.command->name, "check");
	assert_int_equal(parse("sipchain --version"), 0);
	assert_string_equal(in.command->name, "version");
}

static void the_nearest_name_is_suggested(void **state)
{
	static const struct {
		const char *line, *suggestion;
	} slips[] = {
		{"sipchain stauts", "`sipchain status`?"},
		{"sipchain baned", "`sipchain banned`?"},
		{"sipchain member lst", "`member list`?"},
		{"sipchain status --jsn", "--json?"},
		{"sipchain report 192.0.2.7 --categroy=scan", "--category?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
		assert_int_equal(parse(slips[i].line), -1);
		assert_non_null(strstr(in.error.text, slips[i].suggestion));
	}
	/* Another command's option is not suggested. */
	assert_int_equal(parse("sipchain status --ttk 1h"), -1);
	assert_null(strstr(in.error.text, "did you mean"));
	/* Far from every second word: all of them. */
	assert_int_equal(parse("sipchain member frobnicate"), -1);
	assert_non_null(strstr(in.error.text, "suspend, resume"));
	/* What is typed is shown escaped. */
	assert_int_equal(parse("sipchain \x1b[2J"), -1);
	assert_null(strchr(in.error.text, '\x1b'));
}

static void options_may_come_first(void **state)
{
	(void)state;
	assert_int_equal(parse("sipchain --json --config FILE status"), 0);
	assert_string_equal(in.command->name, "status");
	assert_true(given(&in, OPTION_JSON));
	assert_string_equal(option(&in, OPTION_CONFIG, ""), "FILE");
	assert_int_equal(parse("sipchain -c FILE member list --json"), 0);
	assert_string_equal(in.command->sub, "list");
	assert_int_equal(parse("sipchain --json"), -1);
	assert_non_null(strstr(in.error.text, "which command"));
	assert_int_equal(parse("sipchain --config"), -1);
	assert_int_equal(parse("sipchain --weight 3 status"), -1);
	assert_non_null(strstr(in.error.text, "no option --weight"));
}

static void help_knows_commands_and_groups(void **state)
{
	(void)state;
	assert_int_equal(parse("sipchain help"), 1);
	assert_null(in.command);
	assert_null(in.group);
	assert_int_equal(parse("sipchain help check"), 1);
	assert_string_equal(in.command->name, "check");
	assert_int_equal(parse("sipchain help member"), 1);
	assert_string_equal(in.group, "member");
	assert_int_equal(parse("sipchain help member add"), 1);
	assert_string_equal(in.command->sub, "add");
	assert_int_equal(parse("sipchain member --help"), 1);
	assert_string_equal(in.group, "member");
	assert_int_equal(parse("sipchain help stauts"), -1);
}

static void options_take_values(void **state)
{
	(void)state;
	assert_int_equal(parse("sipchain report 192.0.2.7 --ttl 1h --category=fraud"), 0);
	assert_string_equal(in.arguments[0], "192.0.2.7");
	assert_string_equal(option(&in, OPTION_TTL, ""), "1h");
	assert_string_equal(option(&in, OPTION_CATEGORY, ""), "fraud");
	assert_string_equal(option(&in, OPTION_NOTE, "none"), "none");
	assert_int_equal(parse("sipchain status -c FILE"), 0);
	assert_string_equal(option(&in, OPTION_CONFIG, ""), "FILE");
	assert_int_equal(parse("sipchain member add --signer A --signer B --name x"), 0);
	assert_int_equal(in.repeated_count, 2);
	assert_string_equal(in.repeated[1], "B");
}

static void slips_are_named(void **state)
{
	(void)state;
	assert_int_equal(parse("sipchain report"), -1);
	assert_non_null(strstr(in.error.text, "INDICATOR"));
	assert_non_null(strstr(in.error.text, "198.51.100.7")); /* the example */
	assert_int_equal(parse("sipchain report a b"), -1);
	assert_non_null(strstr(in.error.text, "too many"));
	assert_int_equal(parse("sipchain report a --weight 3"), -1);
	assert_non_null(strstr(in.error.text, "no option --weight"));
	assert_int_equal(parse("sipchain report a --ttl"), -1);
	assert_non_null(strstr(in.error.text, "needs a value"));
	assert_int_equal(parse("sipchain report a --ttl 1 --ttl 2"), -1);
	assert_non_null(strstr(in.error.text, "twice"));
	assert_int_equal(parse("sipchain status --json=1"), -1);
	assert_non_null(strstr(in.error.text, "no value"));
	assert_int_equal(parse("sipchain check -- --odd"), 0);
	assert_string_equal(in.arguments[0], "--odd");
}

/* One line of an example, without what the shell does. */
static void example_parses(const struct command *c, const char *example, size_t n)
{
	char line[1024], *words;
	int rc;

	snprintf(line, sizeof line, "%.*s", (int)n, example);
	words = strstr(line, "sipchain ");
	assert_non_null(words);
	words[strcspn(words, ">|'")] = 0;
	rc = parse(words);
	if (rc && !memchr(example, '\'', n))
		fail_msg("%.*s: %s", (int)n, example, in.error.text);
	if (!rc)
		assert_ptr_equal(in.command, c);
}

/* The table itself: every row is complete, and its examples parse. */
static void every_example_parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];
		const char *example = c->example;

		assert_non_null(c->run);
		assert_true(strlen(c->summary) > 5);
		while (*example) {
			size_t n = strcspn(example, "\n");

			example_parses(c, example, n);
			example += n + (example[n] == '\n');
		}
	}
	for (int id = OPTION_HELP; id < OPTION_COUNT; id++)
		assert_non_null(option_specs[id].help);
}

static char *capture(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	print(out);
	fclose(out);
	return text;
}

static void texts_name_every_command(void **state)
{
	char *usage = capture(usage_print), *manual = capture(manual_print);
	char *completion = capture(completion_print);

	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		assert_non_null(strstr(usage, commands[i].summary));
		assert_non_null(strstr(manual, commands[i].name));
		assert_non_null(strstr(completion, commands[i].name));
		if (commands[i].sub)
			assert_non_null(strstr(completion, commands[i].sub));
	}
	free(usage);
	free(manual);
	free(completion);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_find_commands),
		cmocka_unit_test(the_nearest_name_is_suggested),
		cmocka_unit_test(options_may_come_first),
		cmocka_unit_test(help_knows_commands_and_groups),
		cmocka_unit_test(options_take_values),
		cmocka_unit_test(slips_are_named),
		cmocka_unit_test(every_example_parses),
		cmocka_unit_test(texts_name_every_command),
	};

	return cmocka_run_group_tests_name("invocation", tests, NULL, NULL);
}
