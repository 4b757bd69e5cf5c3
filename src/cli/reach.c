/* SPDX-License-Identifier: Apache-2.0 */
/* Saying things, and reaching the daemon. */
#include "cli/choice.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"

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

/* The control socket's path into dst. Returns 0 or an exit code. */
static int socket_path(
	struct invocation *in, char *dst, size_t size, struct config *config)
{
	int code;

	if (given(in, OPTION_SOCKET)) {
		snprintf(dst, size, "%s", option(in, OPTION_SOCKET, ""));
		return 0;
	}
	code = load_config(in, config);
	if (!code)
		snprintf(dst, size, "%s/control.sock", config->node.run);
	return code;
}

struct control_connection *reach(struct invocation *in, int *code)
{
	static struct config config;
	char path[CONFIG_PATH_MAX + 32];
	struct control_connection *c;
	enum control_code why;

	*code = socket_path(in, path, sizeof path, &config);
	config_free(&config);
	if (*code)
		return NULL;
	c = control_connect(path, &why, &in->error);
	if (!c)
		*code = failure((int)why, "%s", in->error.text);
	return c;
}

enum whom whom_to_ask(struct invocation *in, int *code)
{
	static struct config config;
	char path[CONFIG_PATH_MAX + 32];
	struct control_connection *c;
	enum control_code why = CONTROL_OK;
	bool readable;

	*code = 0;
	if (given(in, OPTION_DIRECT) || choice_given(in)) {
		if (!given(in, OPTION_SOCKET))
			return WHOM_LEDGER;
		*code = failure(CONTROL_USAGE,
			"--socket means the daemon, --direct, --key and the ledger's options "
			"mean the ledger itself: give one or the other");
		return WHOM_NOBODY;
	}
	*code = socket_path(in, path, sizeof path, &config);
	if (*code)
		return WHOM_NOBODY;
	readable = config.member.key[0] && !access(config.member.key, R_OK);
	config_free(&config);
	c = control_connect(path, &why, &in->error);
	if (c) {
		control_disconnect(c);
		return WHOM_DAEMON;
	}
	if (why == CONTROL_UNREACHABLE && readable) {
		fprintf(stderr,
			"sipchain: no daemon answers at %s: working on the ledger "
			"itself (--direct)\n",
			shown(path));
		return WHOM_LEDGER;
	}
	*code = failure((int)why, "%s", in->error.text);
	return WHOM_NOBODY;
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
