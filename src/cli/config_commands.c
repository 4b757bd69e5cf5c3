/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain config, version, manual, completion */
#include "cli/command.h"

#include "daemon/config.h"
#include "daemon/start.h"

/* Load and say every error. Returns 0 or an exit code. */
static int load(struct invocation *in, struct config *config)
{
	const char *path = option(in, OPTION_CONFIG, CONFIG_PATH);
	struct buffer errors = {0};
	int rc = config_load(config, path, &errors);

	if (rc)
		fwrite(errors.p, 1, errors.n, stderr);
	buffer_free(&errors);
	return rc ? CONTROL_CONFIG : 0;
}

int run_config_test(struct invocation *in)
{
	struct config config;
	int rc = load(in, &config);

	if (rc)
		return rc;
	config_free(&config);
	if (given(in, OPTION_JSON))
		printf("{\"ok\": true}\n");
	else
		printf("%s is right\n", shown(option(in, OPTION_CONFIG, CONFIG_PATH)));
	return 0;
}

/* Write a buffer out, as text or as one JSON string. Returns an exit code. */
static int print_buffer(struct invocation *in, const struct buffer *b)
{
	json_t *out;

	if (!given(in, OPTION_JSON))
		return fwrite(b->p, 1, b->n, stdout) == b->n ? 0 : CONTROL_FAILED;
	out = json_pack("{s:s%}", "configuration", (const char *)b->p, b->n);
	print_json(out);
	json_decref(out);
	return 0;
}

int run_config_show(struct invocation *in)
{
	struct buffer text = {0};
	struct config config;
	int rc = load(in, &config);

	if (rc)
		return rc;
	rc = config_print(&text, &config, 0) ? failure(CONTROL_FAILED, "out of memory") :
		print_buffer(in, &text);
	buffer_free(&text);
	config_free(&config);
	return rc;
}

int run_config_sample(struct invocation *in)
{
	struct buffer text = {0};
	int rc = config_sample(&text) ? failure(CONTROL_FAILED, "out of memory") :
		print_buffer(in, &text);

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

int run_manual(struct invocation *in)
{
	(void)in;
	manual_print(stdout);
	return 0;
}

int run_completion(struct invocation *in)
{
	(void)in;
	completion_print(stdout);
	return 0;
}
