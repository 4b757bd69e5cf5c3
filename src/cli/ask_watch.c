/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain watch */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"

/* The colour of a kind of event on a terminal; "" for none. */
static const char *colour(const char *type)
{
	static const struct {
		const char *type, *code;
	} colours[] = {
		{"ban", "\033[31m"},
		{"block", "\033[31m"},
		{"trouble", "\033[33m"},
		{"unban", "\033[32m"},
		{"expired", "\033[32m"},
		{"unblock", "\033[32m"},
		{"pass", "\033[32m"},
	};

	for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
		if (!strcmp(colours[i].type, type))
			return colours[i].code;
	return "";
}

static void event_print(const json_t *event)
{
	const char *type = text_of(event, "type");
	const char *paint = isatty(STDOUT_FILENO) ? colour(type) : "";
	char when[32];

	printf("%s  %s%-9s%s  %-22s  %s\n",
		clock_rfc3339(when, (uint64_t)number_of(event, "time")), paint,
		shown(type), paint[0] ? "\033[m" : "", shown(text_of(event, "indicator")),
		shown_sentence(text_of(event, "text")));
}

int run_watch(struct invocation *in)
{
	struct control_connection *c;
	enum control_code why = CONTROL_OK;
	json_t *line;
	int code = 0;

	c = reach(in, &code);
	if (!c)
		return code;
	line = control_ask(c, "watch", NULL, &why, &in->error);
	if (!line) {
		control_disconnect(c);
		return failure((int)why, "%s", in->error.text);
	}
	json_decref(line);
	if (isatty(STDERR_FILENO))
		fputs("watching; Ctrl-C ends it\n", stderr);
	while ((line = control_next(c, -1, &in->error))) {
		const json_t *event = json_object_get(line, "event");

		if (given(in, OPTION_JSON)) {
			json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
			fputc('\n', stdout);
		} else {
			event_print(event);
		}
		json_decref(line);
		if (fflush(stdout))
			break; /* nobody reads any more */
	}
	control_disconnect(c);
	return line ? 0 : failure(CONTROL_UNREACHABLE, "%s", in->error.text);
}
