/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain.conf(5), made of the table that reads the configuration. */
#include <string.h>

#include "cli/command.h"
#include "daemon/config_schema.h"

/* What a key is when nothing is given, as one would write it. */
static void default_print(FILE *out, const struct config *c, const struct config_key *k)
{
	struct buffer text = {0};

	if (k->flags & CONFIG_REQUIRED)
		fputs(" (required)", out);
	else if (k->flags & CONFIG_REPEATED)
		fputs(" (may be repeated)", out);
	else if (!(k->flags & CONFIG_ALIAS) && !config_value_print(&text, c, k, 0, 0) &&
		text.n && !buffer_put_u8(&text, 0)) {
		fputs(" = \\fI", out);
		roff_print(out, (const char *)text.p);
		fputs("\\fR", out);
	}
	buffer_free(&text);
}

static void key_print(FILE *out, const struct config *c, const struct config_key *k)
{
	fputs(".TP\n\\fB", out);
	roff_print(out, k->name);
	fputs("\\fR", out);
	default_print(out, c, k);
	fputc('\n', out);
	if (k->help)
		roff_print(out, k->help);
	if (k->choices) {
		fprintf(out, "%sOne of:", k->help ? " " : "");
		for (const struct config_choice *choice = k->choices; choice->name;
			choice++)
			fprintf(out, " %s", choice->name);
		fputc('.', out);
	}
	fputc('\n', out);
}

static const char head[] =
	".TH SIPCHAIN.CONF 5 \"\" \"sipchain " SIPCHAIN_VERSION "\"\n"
	".SH NAME\nsipchain.conf \\- configuration of sipchaind\n"
	".SH SYNOPSIS\n.I /etc/sipchain/sipchain.conf\n.br\n"
	".I /etc/sipchain/sipchain.conf.d/*.conf\n"
	".SH DESCRIPTION\n"
	"Sections in brackets, and lines of the form \"key = value\" in them; a line that\n"
	"starts with # or ; is a comment. The files of the folder are read after the first one,\n"
	"in the order of their names: they override single values and add to repeated ones; an\n"
	"empty value empties such a list. Durations are written as 90, 10m, 1h30m, 7d, counts\n"
	"as 1000, 64k. A key that is not known, and a value that is not right, is an error that\n"
	"names the file and the line; \\fBsipchain config test\\fR looks for them.\n"
	".SH SECTIONS\nThe values shown are the defaults.\n";

void config_manual_print(FILE *out)
{
	const char *section = "";
	struct config c;

	config_defaults(&c);
	fputs(head, out);
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (k->flags & CONFIG_INTERNAL)
			continue;
		if (strcmp(section, k->section) != 0) {
			section = k->section;
			fprintf(out, ".SS [%s]\n", section);
			roff_print(out, config_section_find(section)->help);
			fputc('\n', out);
		}
		key_print(out, &c, k);
	}
	fputs(".SH SEE ALSO\n.BR sipchaind (8),\n.BR sipchain (1)\n", out);
	config_free(&c);
}
