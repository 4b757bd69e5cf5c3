/* SPDX-License-Identifier: Apache-2.0 */
/* Saying things, and reaching the daemon and the ledger. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "daemon/config.h"
#include "daemon/start.h"

int failure(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("sipchain: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', stdout);
	return 0;
}

const char *shown(const char *text)
{
	static char copies[8][600];
	static unsigned turn;

	return text ? escape_view(copies[turn++ % 8], sizeof copies[0], view_str(text)) : "";
}

const char *shown_time(uint64_t sec)
{
	static char text[4][96];
	static unsigned turn;
	uint64_t now = clock_wall() / USEC_PER_SEC;
	char *dst = text[turn++ % 4], when[32], distance[32];

	clock_rfc3339(when, sec);
	duration_print(distance, sec > now ? sec - now : now - sec);
	if (sec > now)
		snprintf(dst, sizeof text[0], "%s (in %s)", when, distance);
	else
		snprintf(dst, sizeof text[0], "%s (%s ago)", when, distance);
	return dst;
}

/* Load the configuration that --config names. Returns 0 or an exit code. */
static int load(struct invocation *in, struct config *config)
{
	const char *path = option(in, OPTION_CONFIG, CONFIG_PATH);
	struct buffer errors = {0};
	int rc = 0;

	if (access(path, R_OK) && !given(in, OPTION_CONFIG))
		rc = failure(CONTROL_CONFIG, "no configuration at %s; give --config FILE%s", path,
			in->command->options[0] == OPTION_CONFIG ?
			", or the path itself (--ledger, --socket)" : "");
	else if (config_load(config, path, &errors)) {
		fwrite(errors.p, 1, errors.n, stderr);
		rc = failure(CONTROL_CONFIG, "%s is not usable", shown(path));
	}
	buffer_free(&errors);
	return rc;
}

const char *ledger_path(struct invocation *in, int *code)
{
	static char path[CONFIG_PATH_MAX];
	struct config config;

	if (given(in, OPTION_LEDGER))
		return option(in, OPTION_LEDGER, NULL);
	*code = load(in, &config);
	if (*code)
		return NULL;
	snprintf(path, sizeof path, "%s", config.ledger.path);
	config_free(&config);
	return path;
}

struct control_connection *reach(struct invocation *in, int *code)
{
	char path[CONFIG_PATH_MAX + 32];
	struct control_connection *c;
	enum control_code why;

	if (given(in, OPTION_SOCKET)) {
		snprintf(path, sizeof path, "%s", option(in, OPTION_SOCKET, ""));
	} else {
		struct config config;

		*code = load(in, &config);
		if (*code)
			return NULL;
		snprintf(path, sizeof path, "%s/control.sock", config.node.run);
		config_free(&config);
	}
	c = control_connect(path, &why, &in->error);
	if (!c)
		*code = failure((int)why, "%s", in->error.text);
	return c;
}

json_t *ask(struct invocation *in, const char *command, json_t *arguments, int *code)
{
	struct control_connection *c = reach(in, code);
	enum control_code why = CONTROL_OK;
	json_t *result;

	if (!c) {
		json_decref(arguments);
		return NULL;
	}
	result = control_ask(c, command, arguments, &why, &in->error);
	control_disconnect(c);
	*code = (int)why;
	if (!result)
		failure(*code, "%s", in->error.text);
	return result;
}
