/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain watch */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "cli/command.h"

/* The colour of a kind of event on a terminal; "" for none. */
static const char *colour(const char *type)
{
	static const struct {
		const char *type, *code;
	} colours[] = {
		{"ban", "\033[31m"},
		{"bans", "\033[31m"},
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

/* One event, as asked for. Returns 0, or -1 when nobody reads any more. */
static int show(const struct invocation *in, const json_t *event)
{
	if (given(in, OPTION_JSON)) {
		json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', stdout);
	} else {
		event_print(event);
	}
	return fflush(stdout) ? -1 : 0;
}

/*
 * Show what came after *since, a page at a time, and move *since. 0, 1 when nobody
 * reads any more, or -1 with code and text.
 */
static int catch_up(struct control_connection *c, struct invocation *in,
	json_int_t *since, enum control_code *why)
{
	bool first = true;

	for (;;) {
		json_t *page = control_ask(c, "events",
			json_pack("{s:I}", "since", *since), why, &in->error);
		const json_t *list = json_object_get(page, "events"), *event;
		json_int_t oldest = (json_int_t)number_of(page, "oldest");
		size_t i, n = json_array_size(list);
		int rc = 0;

		if (!page)
			return -1;
		if (first && *since && *since + 1 < oldest)
			fprintf(stderr, "events before %lld are not kept any more\n",
				(long long)oldest);
		first = false;
		json_array_foreach(list, i, event)
		{
			*since = (json_int_t)number_of(event, "id");
			if (!rc && show(in, event))
				rc = 1;
		}
		json_decref(page);
		if (rc || !n)
			return rc;
	}
}

/* Subscribe, from --since on if it is given. 0, 1 or -1 as catch_up(). */
static int subscribe(
	struct control_connection *c, struct invocation *in, enum control_code *why)
{
	json_t *arguments = NULL, *line;
	json_int_t since;
	uint64_t id;
	int rc;

	if (given(in, OPTION_SINCE_ID)) {
		if (view_decimal(
			    view_str(option(in, OPTION_SINCE_ID, "")), INT64_MAX, &id)) {
			*why = CONTROL_USAGE;
			return error_set(&in->error, "--since: an event's id, or 0");
		}
		since = (json_int_t)id;
		rc = catch_up(c, in, &since, why);
		if (rc)
			return rc;
		arguments = json_pack("{s:I}", "since", since);
	}
	line = control_ask(c, "watch", arguments, why, &in->error);
	json_decref(line);
	return line ? 0 : -1;
}

int run_watch(struct invocation *in)
{
	struct control_connection *c;
	enum control_code why = CONTROL_OK;
	json_t *line = NULL;
	int code = 0, rc;

	c = reach(in, &code);
	if (!c)
		return code;
	rc = subscribe(c, in, &why);
	if (rc) {
		control_disconnect(c);
		return rc > 0 ? 0 : failure((int)why, "%s", in->error.text);
	}
	if (isatty(STDERR_FILENO))
		fputs("watching; Ctrl-C ends it\n", stderr);
	while ((line = control_next(c, -1, &in->error))) {
		rc = show(in, json_object_get(line, "event"));
		json_decref(line);
		if (rc)
			break;
	}
	control_disconnect(c);
	return line ? 0 : failure(CONTROL_UNREACHABLE, "%s", in->error.text);
}
