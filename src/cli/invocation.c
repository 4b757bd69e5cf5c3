/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "daemon/config_nearest.h"

bool given(const struct invocation *in, enum option_id id)
{
	return in->options[id] != NULL;
}

const char *option(const struct invocation *in, enum option_id id, const char *fallback)
{
	return in->options[id] ? in->options[id] : fallback;
}

static const char *quoted(const char *text)
{
	return escaped(view_str(text));
}

/* The nearest command's name, or with a group its nearest second word; NULL. */
static const char *nearest(const char *group, const char *word)
{
	unsigned best = NEAREST_NONE;
	const char *found = NULL;

	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];
		const char *candidate = group ? c->sub : c->name;

		if ((!group || !strcmp(c->name, group)) &&
			name_nearer(word, candidate, &best))
			found = candidate;
	}
	return found;
}

/* "add, remove, list": the second words of a group. dst[160]. */
static const char *second_words(char *dst, const char *group)
{
	size_t n = 0;

	dst[0] = 0;
	for (size_t i = 0; i < commands_count && n < 150; i++)
		if (!strcmp(commands[i].name, group))
			n += (size_t)snprintf(
				dst + n, 160 - n, "%s%s", n ? ", " : "", commands[i].sub);
	return dst;
}

/* Say why no command was found. */
static void not_found(struct invocation *in, bool group, int argc, char **argv)
{
	const char *near, *word = group && argc > 1 ? argv[1] : argv[0];
	char list[160];

	if (group && argc < 2) {
		error_set(&in->error, "`%s` needs one more word: %s", argv[0],
			second_words(list, argv[0]));
		return;
	}
	near = nearest(group ? argv[0] : NULL, word);
	if (group)
		error_set(&in->error, "there is no command `%s %s`; %s%s%s%s", argv[0],
			quoted(word), near ? "did you mean `" : "there are ",
			near ? argv[0] : second_words(list, argv[0]), near ? " " : "",
			near ? near : "");
	else
		error_set(&in->error, "there is no command `%s`; %s%s", quoted(word),
			near ? "did you mean `sipchain " : "see `sipchain --help`",
			near ? near : "");
	if (near)
		strncat(in->error.text, "`?",
			sizeof in->error.text - strlen(in->error.text) - 1);
}

/* The command named by the first one or two words; *words tells how many. */
static const struct command *find_command(
	struct invocation *in, int argc, char **argv, int *words)
{
	bool group = false;

	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, argv[0]))
			continue;
		if (!c->sub) {
			*words = 1;
			return c;
		}
		group = true;
		if (argc > 1 && !strcmp(c->sub, argv[1])) {
			*words = 2;
			return c;
		}
	}
	if (group && argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		in->group = argv[0];
	else
		not_found(in, group, argc, argv);
	return NULL;
}

/* Which option a word names, and where its "=value" starts; OPTION_NONE: none. */
static enum option_id find_option(
	const struct command *c, const char *word, const char **value)
{
	size_t n = strcspn(word + 2, "=");

	*value = word[2 + n] == '=' ? word + 2 + n + 1 : NULL;
	for (int id = OPTION_HELP; id < OPTION_COUNT; id++) {
		const char *name = option_specs[id].name;

		if (strlen(name) != n || strncmp(name, word + 2, n))
			continue;
		if (id == OPTION_HELP || id == OPTION_JSON)
			return (enum option_id)id;
		for (size_t i = 0; i < OPTIONS_MAX; i++)
			if (c->options[i] == id)
				return (enum option_id)id;
	}
	return OPTION_NONE;
}

/* Say that the command has no such option, and which it may have been. */
static int no_option(struct invocation *in, const char *word)
{
	const struct command *c = in->command;
	unsigned best = NEAREST_NONE;
	const char *near = NULL;
	char name[64];

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; i < OPTIONS_MAX + 2; i++) {
		int id = i < OPTIONS_MAX ? c->options[i] :
			i == OPTIONS_MAX ? OPTION_JSON :
					   OPTION_HELP;

		if (id && name_nearer(name, option_specs[id].name, &best))
			near = option_specs[id].name;
	}
	return error_set(&in->error, "`sipchain %s%s%s` has no option %s; %s%s%s",
		c->name, c->sub ? " " : "", c->sub ? c->sub : "", quoted(word),
		near ? "did you mean --" : "see --help", near ? near : "",
		near ? "?" : "");
}

/* Take one option at argv[*at]. Returns 0 or -1 with in->error. */
static int take_option(struct invocation *in, int argc, char **argv, int *at)
{
	const char *value, *word = argv[*at];
	enum option_id id;

	if (!strcmp(word, "-c")) /* as the daemon's own flag */
		word = "--config";
	if (!strcmp(word, "-h"))
		word = "--help";
	if (strncmp(word, "--", 2))
		return error_set(
			&in->error, "unknown option %s; see --help", quoted(word));
	id = find_option(in->command, word, &value);
	if (!id)
		return no_option(in, word);
	if (!option_specs[id].value) {
		if (value)
			return error_set(
				&in->error, "--%s takes no value", option_specs[id].name);
		value = "";
	} else if (!value) {
		if (++*at >= argc)
			return error_set(&in->error, "--%s needs a value: %s",
				option_specs[id].name, option_specs[id].value);
		value = argv[*at];
	}
	if (id == OPTION_SIGNER) {
		if (in->repeated_count == ARGUMENTS_MAX)
			return error_set(&in->error, "too many --signer");
		in->repeated[in->repeated_count++] = value;
	} else if (in->options[id] && option_specs[id].value) {
		return error_set(
			&in->error, "--%s is given twice", option_specs[id].name);
	}
	in->options[id] = value;
	return 0;
}

/*
 * Options before the command go behind it: `sipchain --json status`. Returns
 * how many words they are; -1 when nothing follows them.
 */
static int leading_options(char **argv, int argc)
{
	int n = 0;

	while (n < argc && argv[n][0] == '-' && argv[n][1] && strcmp(argv[n], "--")) {
		const char *name = !strcmp(argv[n], "-c") ? "config" : argv[n] + 2;

		for (int id = OPTION_HELP; id < OPTION_COUNT; id++)
			if (!strcmp(option_specs[id].name, name) &&
				option_specs[id].value)
				n++;
		n++;
	}
	return n < argc ? n : -1;
}

/* The words behind the command. Returns 0 or -1 with in->error. */
static int take_words(struct invocation *in, int argc, char **argv)
{
	bool options_end = false;

	for (int i = 0; i < argc; i++) {
		if (!options_end && !strcmp(argv[i], "--")) {
			options_end = true;
		} else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
			if (take_option(in, argc, argv, &i))
				return -1;
		} else if (in->count == in->command->max_arguments) {
			return error_set(
				&in->error, "one argument too many: %s", quoted(argv[i]));
		} else {
			in->arguments[in->count++] = argv[i];
		}
	}
	return 0;
}

/* `sipchain help [COMMAND]`. Returns 1, or -1 with in->error. */
static int help_about(struct invocation *in, int argc, char **argv)
{
	int words;

	if (argc < 1)
		return 1;
	for (size_t i = 0; argc == 1 && i < commands_count; i++)
		if (commands[i].sub && !strcmp(commands[i].name, argv[0]))
			in->group = argv[0];
	if (!in->group)
		in->command = find_command(in, argc, argv, &words);
	return in->command || in->group ? 1 : -1;
}

int invocation_parse(struct invocation *in, int argc, char **argv)
{
	static char version[] = "version";
	int words = 0, leading;

	memset(in, 0, sizeof *in);
	argv++;
	argc--;
	if (argc == 0)
		return error_set(&in->error, "which command? see `sipchain --help`");
	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))
		return 1;
	if (!strcmp(argv[0], "help"))
		return help_about(in, argc - 1, argv + 1);
	if (!strcmp(argv[0], "--version"))
		argv[0] = version;
	leading = leading_options(argv, argc);
	if (leading < 0)
		return error_set(&in->error, "which command? see `sipchain --help`");
	in->command = find_command(in, argc - leading, argv + leading, &words);
	if (!in->command)
		return in->group ? 1 : -1;
	if (take_words(in, leading, argv) ||
		take_words(in, argc - leading - words, argv + leading + words))
		return -1;
	if (given(in, OPTION_HELP))
		return 1;
	if (in->count < in->command->min_arguments)
		return error_set(&in->error, "missing %s; for example: %.*s",
			in->command->arguments, (int)strcspn(in->command->example, "\n"),
			in->command->example);
	return 0;
}
