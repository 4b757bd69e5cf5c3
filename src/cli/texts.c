/* SPDX-License-Identifier: Apache-2.0 */
/* Usage, manual page and completion, all made of the command table. */
#include "cli/exit.h"

#include <string.h>

/* "member add" into dst[40]. Returns dst. */
static const char *full_name(char dst[40], const struct command *c)
{
	snprintf(dst, 40, "%s%s%s", c->name, c->sub ? " " : "", c->sub ? c->sub : "");
	return dst;
}

void usage_print(FILE *out)
{
	char name[40];

	fputs("usage: sipchain COMMAND [OPTION ...] [ARGUMENT ...]\n\n"
	      "Detect SIP attackers, share them with a consortium, block them here.\n\n",
		out);
	for (size_t i = 0; i < commands_count; i++)
		fprintf(out, "  %-20s %s\n", full_name(name, &commands[i]),
			commands[i].summary);
	fputs("\n`sipchain COMMAND --help` shows a command's options and an example.\n"
	      "Exit codes:\n",
		out);
	for (size_t i = 0; i < exit_codes_count; i++)
		fprintf(out, "  %2d  %s\n", exit_codes[i].code, exit_codes[i].meaning);
}

void group_help_print(FILE *out, const char *group)
{
	char name[40];

	fprintf(out, "usage: sipchain %s COMMAND [OPTION ...] [ARGUMENT ...]\n\n", group);
	for (size_t i = 0; i < commands_count; i++)
		if (!strcmp(commands[i].name, group))
			fprintf(out, "  %-20s %s\n", full_name(name, &commands[i]),
				commands[i].summary);
	fprintf(out,
		"\n`sipchain %s COMMAND --help` shows a command's options and an example.\n",
		group);
}

/* Words broken into lines of at most 78 columns. */
static void paragraph(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > 78) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%s%.*s", column ? " " : "", (int)n, text);
		column += n + (column ? 1 : 0);
		text += n + (text[n] == ' ');
	}
	fputc('\n', out);
}

static void option_print(FILE *out, enum option_id id)
{
	const struct option_spec *o = &option_specs[id];
	char left[48];

	snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
		o->value ? o->value : "");
	fprintf(out, "  %-24s %s\n", left, o->help);
}

void command_help_print(FILE *out, const struct command *c)
{
	char name[40];

	fprintf(out, "usage: sipchain %s [OPTION ...]%s%s\n\n%s\n\n", full_name(name, c),
		c->arguments[0] ? " " : "", c->arguments, c->summary);
	if (c->more) {
		paragraph(out, c->more);
		fputc('\n', out);
	}
	for (size_t i = 0; i < OPTIONS_MAX && c->options[i]; i++)
		option_print(out, c->options[i]);
	option_print(out, OPTION_JSON);
	option_print(out, OPTION_HELP);
	fputs("\nexample:\n  ", out);
	for (const char *p = c->example; *p; p++)
		fputs(*p == '\n' ? "\n  " : (char[]){*p, 0}, out);
	fputc('\n', out);
}

void roff_print(FILE *out, const char *text)
{
	for (bool begins = true; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
		begins = *text == '\n';
	}
}

void manual_print(FILE *out)
{
	char name[40];

	fputs(".TH SIPCHAIN 1 \"\" \"sipchain " SIPCHAIN_VERSION "\"\n"
	      ".SH NAME\nsipchain \\- share and block SIP attackers\n"
	      ".SH SYNOPSIS\n.B sipchain\n.I COMMAND\n[OPTION ...] [ARGUMENT ...]\n"
	      ".SH COMMANDS\n",
		out);
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];

		fprintf(out, ".TP\n.B %s", full_name(name, c));
		if (c->arguments[0])
			fprintf(out, " \\fI%s\\fR", c->arguments);
		fputs("\n", out);
		roff_print(out, c->summary);
		fputs(".\n", out);
		if (c->more) {
			fputc('\n', out);
			roff_print(out, c->more);
			fputc('\n', out);
		}
		for (size_t k = 0; k < OPTIONS_MAX && c->options[k]; k++) {
			fputs(k ? ", " : "Options: ", out);
			fputs("\\-\\-", out);
			roff_print(out, option_specs[c->options[k]].name);
		}
		if (c->options[0])
			fputs(".\n", out);
		fputs("Example:\n.br\n.RS\n.nf\n", out);
		roff_print(out, c->example);
		fputs("\n.fi\n.RE\n", out);
	}
	fputs(".SH OPTIONS\n", out);
	for (int id = OPTION_HELP; id < OPTION_COUNT; id++) {
		fputs(".TP\n.B \\-\\-", out);
		roff_print(out, option_specs[id].name);
		if (option_specs[id].value)
			fprintf(out, " \\fI%s\\fR", option_specs[id].value);
		fputs("\n", out);
		roff_print(out, option_specs[id].help);
		fputs("\n", out);
	}
	fputs(".SH EXIT STATUS\n", out);
	for (size_t i = 0; i < exit_codes_count; i++)
		fprintf(out, ".TP\n.B %d\n%s\n", exit_codes[i].code,
			exit_codes[i].meaning);
	fputs(".SH SEE ALSO\n.BR sipchaind (8),\n.BR sipchain.conf (5),\n"
	      ".BR nft (8)\n",
		out);
}

/* The sub-commands of a name, or its options, as one shell word list. */
static void completion_case(FILE *out, const char *name)
{
	fprintf(out, "  %s) words=\"", name);
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, name))
			continue;
		if (c->sub)
			fprintf(out, "%s ", c->sub);
		for (size_t k = 0; k < OPTIONS_MAX && c->options[k]; k++)
			fprintf(out, "--%s ", option_specs[c->options[k]].name);
	}
	fputs("--json --help\" ;;\n", out);
}

void completion_print(FILE *out)
{
	fputs("# bash completion for sipchain\n_sipchain() {\n"
	      " local words=\"\" cur=\"${COMP_WORDS[COMP_CWORD]}\"\n"
	      " if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"",
		out);
	for (size_t i = 0; i < commands_count; i++)
		if (!i || strcmp(commands[i].name, commands[i - 1].name))
			fprintf(out, "%s ", commands[i].name);
	fputs("\"\n else case \"${COMP_WORDS[1]}\" in\n", out);
	for (size_t i = 0; i < commands_count; i++)
		if (!i || strcmp(commands[i].name, commands[i - 1].name))
			completion_case(out, commands[i].name);
	fputs(" esac; fi\n mapfile -t COMPREPLY < <(compgen -W \"$words\" -f -- \"$cur\")\n"
	      "}\ncomplete -F _sipchain sipchain\n",
		out);
}
