/* SPDX-License-Identifier: Apache-2.0 */
/* Saying things, and reaching the daemon and the ledger. */
#include "cli/command.h"

#include <errno.h>
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

static bool json_failures;

void failures_as_json(void)
{
	json_failures = true;
}

int failure(int code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	json_t *out;

	progress_end();
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "sipchain: %s\n", shown_sentence(text));
	if (!json_failures || code < 0)
		return code;
	out = json_pack("{s:s, s:i}", "error", shown_sentence(text), "code", code);
	print_json(out);
	json_decref(out);
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

	return text ? escape_view(copies[turn++ % 8], sizeof copies[0], view_str(text)) :
		      "";
}

const char *shown_sentence(const char *text)
{
	static char copy[1200];

	if (!text || text_is_clean(view_str(text)))
		return text ? text : "";
	return escape_view(copy, sizeof copy, view_str(text));
}

const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

bool is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

int file_permitted(const char *path, int mode)
{
	if (!access(path, mode) || (errno != EACCES && errno != EPERM))
		return 0;
	return failure(CONTROL_PERMISSION,
		"%s: %s; be root, or a member of the group that may "
		"%s it",
		shown(path), strerror(errno), mode & W_OK ? "write" : "read");
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

	rc = file_permitted(path, R_OK);
	if (rc)
		return rc;
	if (access(path, R_OK) && !given(in, OPTION_CONFIG))
		rc = failure(CONTROL_CONFIG,
			"no configuration at %s; give --config FILE%s", path,
			in->command->options[0] == OPTION_CONFIG ?
				", or the path itself (--ledger, --socket)" :
				"");
	else if (config_load(config, path, &errors)) {
		fwrite(errors.p, 1, errors.n, stderr);
		rc = failure(CONTROL_CONFIG,
			"%s cannot be used as it is; correct it, or name the %s "
			"itself with --%s",
			shown(path),
			in->command->options[1] == OPTION_SOCKET ? "daemon's socket" :
								   "ledger",
			in->command->options[1] == OPTION_SOCKET ? "socket" : "ledger");
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
	progress_begin("waiting for sipchaind");
	result = control_ask(c, command, arguments, &why, &in->error);
	progress_end();
	control_disconnect(c);
	*code = (int)why;
	if (!result)
		failure(*code, "%s", in->error.text);
	return result;
}
