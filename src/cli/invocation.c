/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <string.h>

#include "base/escape.h"

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

/* The command named by the first one or two words; *words tells how many. */
static const struct command *find_command(struct invocation *in, int argc, char **argv,
	int *words)
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
	if (group)
		error_set(&in->error, "`%s` needs one more word; see `sipchain --help`",
			quoted(argv[0]));
	else
		error_set(&in->error, "there is no command `%s`; see `sipchain --help`",
			quoted(argv[0]));
	return NULL;
}

/* Which option a word names, and where its "=value" starts; OPTION_NONE: none. */
static enum option_id find_option(const struct command *c, const char *word,
	const char **value)
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
		return error_set(&in->error, "unknown option %s; see --help", quoted(word));
	id = find_option(in->command, word, &value);
	if (!id)
		return error_set(&in->error, "`sipchain %s%s%s` has no option %s; see --help",
			in->command->name, in->command->sub ? " " : "",
			in->command->sub ? in->command->sub : "", quoted(word));
	if (!option_specs[id].value) {
		if (value)
			return error_set(&in->error, "--%s takes no value", option_specs[id].name);
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
		return error_set(&in->error, "--%s is given twice", option_specs[id].name);
	}
	in->options[id] = value;
	return 0;
}

int invocation_parse(struct invocation *in, int argc, char **argv)
{
	static char version[] = "version";
	bool only_arguments = false;
	int words = 0;

	memset(in, 0, sizeof *in);
	argv++;
	argc--;
	if (argc == 0)
		return error_set(&in->error, "which command? see `sipchain --help`");
	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") || !strcmp(argv[0], "help"))
		return 1;
	if (!strcmp(argv[0], "--version"))
		argv[0] = version;
	in->command = find_command(in, argc, argv, &words);
	if (!in->command)
		return -1;
	for (int i = words; i < argc; i++) {
		if (!only_arguments && !strcmp(argv[i], "--")) {
			only_arguments = true;
		} else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
			if (take_option(in, argc, argv, &i))
				return -1;
		} else if (in->count == in->command->max_arguments) {
			return error_set(&in->error, "one argument too many: %s", quoted(argv[i]));
		} else {
			in->arguments[in->count++] = argv[i];
		}
	}
	if (given(in, OPTION_HELP))
		return 1;
	if (in->count < in->command->min_arguments)
		return error_set(&in->error, "missing %s; for example: %s",
			in->command->arguments, in->command->example);
	return 0;
}
