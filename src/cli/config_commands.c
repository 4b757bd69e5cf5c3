/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain config, version, manual, completion */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config_honeypot.h"
#include "daemon/config.h"
#include "daemon/config_source.h"
#include "daemon/config_webhook.h"
#include "daemon/start.h"

/* The errors' lines as a JSON array. */
static json_t *lines_json(const struct buffer *errors)
{
	struct view rest = view_of(errors->p, errors->n);
	json_t *list = json_array();

	while (rest.n) {
		size_t n = view_find(rest, '\n');

		json_array_append_new(list, json_stringn((const char *)rest.p, n));
		rest = view_from(rest, n + 1);
	}
	return list;
}

/* Load, with filters these too, and say every error. Returns 0 or an exit code. */
static int load(struct invocation *in, struct config *config, bool filters)
{
	const char *path = option(in, OPTION_CONFIG, CONFIG_PATH);
	struct buffer errors = {0};
	json_t *out;
	int rc = file_permitted(path, R_OK);

	if (rc)
		return rc;
	rc = config_load(config, path, &errors);
	if (!rc && filters &&
		(config_sources_try(config, &errors) ||
			config_honeypot_try(config, &errors) ||
			config_webhooks_try(config, &errors))) {
		config_free(config);
		rc = -1;
	}
	if (rc && given(in, OPTION_JSON)) {
		out = json_pack("{s:b, s:s, s:o}", "ok", 0, "file", path, "errors",
			lines_json(&errors));
		print_json(out);
		json_decref(out);
	} else if (rc) {
		fwrite(errors.p, 1, errors.n, stderr);
	}
	buffer_free(&errors);
	return rc ? CONTROL_CONFIG : 0;
}

int run_config_test(struct invocation *in)
{
	struct config config;
	const char *path = option(in, OPTION_CONFIG, CONFIG_PATH);
	json_t *out;
	int rc = load(in, &config, true);

	if (rc)
		return rc;
	config_free(&config);
	if (!given(in, OPTION_JSON)) {
		printf("%s is right\n", shown(path));
		return 0;
	}
	out = json_pack("{s:b, s:s, s:[]}", "ok", 1, "file", path, "errors");
	print_json(out);
	json_decref(out);
	return 0;
}

/* Write text out, bare or as the one member of a JSON object. Exit code. */
static int print_text(struct invocation *in, const char *name, const void *p, size_t n)
{
	json_t *out;

	if (!given(in, OPTION_JSON))
		return fwrite(p, 1, n, stdout) == n && !fflush(stdout) ?
			0 :
			failure(CONTROL_FAILED, "the output could not be written");
	out = json_pack("{s:s%}", name, (const char *)p, n);
	print_json(out);
	json_decref(out);
	return 0;
}

int run_config_show(struct invocation *in)
{
	struct buffer text = {0};
	struct config config;
	int rc = load(in, &config, false);

	if (rc)
		return rc;
	rc = config_print(&text, &config, 0) ?
		failure(CONTROL_FAILED, "out of memory") :
		print_text(in, "configuration", text.p, text.n);
	buffer_free(&text);
	config_free(&config);
	return rc;
}

int run_config_sample(struct invocation *in)
{
	struct buffer text = {0};
	int rc = config_sample(&text) ? failure(CONTROL_FAILED, "out of memory") :
					print_text(in, "configuration", text.p, text.n);

	buffer_free(&text);
	return rc;
}

int run_version(struct invocation *in)
{
	if (given(in, OPTION_JSON))
		printf("{\"version\": \"%s\"}\n", SIPCHAIN_VERSION);
	else
		printf("sipchain %s\n", SIPCHAIN_VERSION);
	return 0;
}

/* A text that prints itself, as print_text(). */
static int print_made(struct invocation *in, const char *name, void (*print)(FILE *out))
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	int rc;

	if (!out)
		return failure(CONTROL_FAILED, "out of memory");
	print(out);
	fclose(out);
	rc = print_text(in, name, text, n);
	free(text);
	return rc;
}

int run_manual(struct invocation *in)
{
	if (!in->count || !strcmp(in->arguments[0], "sipchain"))
		return print_made(in, "manual", manual_print);
	if (!strcmp(in->arguments[0], "sipchain.conf"))
		return print_made(in, "manual", config_manual_print);
	return failure(CONTROL_USAGE,
		"there is no page %s; there are sipchain and "
		"sipchain.conf",
		shown(in->arguments[0]));
}

int run_completion(struct invocation *in)
{
	return print_made(in, "completion", completion_print);
}
