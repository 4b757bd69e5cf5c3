/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/choice.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config_schema.h"
#include "daemon/start.h"
#include "base/url.h"

/* A provider's key in a path has about so many letters and digits at least. */
#define KEY_LIKE 20

/* --- what must not stand on a command line --- */

/* A run of letters and digits, with a digit in it, that no word is as long as. */
static bool has_key(struct view path)
{
	unsigned run = 0, digits = 0;

	for (size_t i = 0; i < path.n; i++) {
		if (!isalnum(path.p[i]) && path.p[i] != '-' && path.p[i] != '_') {
			run = digits = 0;
			continue;
		}
		digits += isdigit(path.p[i]) != 0;
		if (++run >= KEY_LIKE && digits)
			return true;
	}
	return false;
}

static bool url_public(const char *text)
{
	struct url_parts url;

	if (!text[0] || url_split(&url, view_str(text)))
		return true;
	return !url.user.p && view_find(url.rest, '?') == url.rest.n &&
		!has_key(url.rest);
}

int endpoint_public(const struct endpoint *e, struct error *err)
{
	if (!e->header_count && !e->basic[0] && url_public(e->url) &&
		(!strcmp(e->ws, "none") || url_public(e->ws)) && url_public(e->proxy))
		return 0;
	return error_set(err,
		"--endpoint: every user of this machine can read a command line, and this "
		"endpoint carries a secret (a password, a key or a header): write it into a "
		"file that only you can read and give --endpoint @FILE, or into [ledger] "
		"endpoint of the configuration");
}

bool choice_given(const struct invocation *in)
{
	return given(in, OPTION_LEDGER) || given(in, OPTION_ENDPOINT) ||
		given(in, OPTION_CONTRACT) || given(in, OPTION_KEY);
}

/* --- the configuration --- */

/* What may be given instead of a configuration. */
static const char *instead(const struct invocation *in)
{
	for (size_t i = 0; i < OPTIONS_MAX; i++)
		if (in->command->options[i] == OPTION_SOCKET)
			return "the daemon's socket itself with --socket";
	for (size_t i = 0; i < OPTIONS_MAX; i++)
		if (in->command->options[i] == OPTION_LEDGER)
			return "the ledger itself with --ledger FILE, or --endpoint URL "
			       "--contract 0xADDRESS";
	for (size_t i = 0; i < OPTIONS_MAX; i++)
		if (in->command->options[i] == OPTION_FOLDER)
			return "the folder itself with --folder";
	return "another one with --config";
}

int load_config(struct invocation *in, struct config *config)
{
	const char *path = option(in, OPTION_CONFIG, CONFIG_PATH);
	struct buffer errors = {0};
	int rc = file_permitted(path, R_OK);

	if (rc)
		return rc;
	if (access(path, R_OK) && !given(in, OPTION_CONFIG))
		rc = failure(CONTROL_CONFIG,
			"no configuration at %s; give --config FILE, or name %s", path,
			instead(in));
	else if (config_load_partial(config, path, &errors)) {
		fwrite(errors.p, 1, errors.n, stderr);
		rc = failure(CONTROL_CONFIG,
			"%s cannot be used as it is; correct it, or name %s", shown(path),
			instead(in));
	}
	buffer_free(&errors);
	return rc;
}

/* --- the choice --- */

/* A configuration's value from an option. 0 or -1 with in->error. */
static int set_from(
	struct config *c, struct invocation *in, enum option_id id, const char *key)
{
	const struct config_key *k = config_key_find("ledger", key);

	if (!given(in, id))
		return 0;
	if (config_value_parse(c, k, view_str(option(in, id, "")), &in->error))
		return error_prefix(&in->error, "--%s", option_specs[id].name);
	return 0;
}

/* The first line of a file that nobody else can read. Returns 0 or -1. */
static int endpoint_from(struct endpoint *e, const char *path, struct error *err)
{
	char text[4 * ENDPOINT_URL_MAX];
	struct view line;
	struct stat st;
	ssize_t n = -1;
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, "%s: %s", shown(path), strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !(st.st_mode & 077))
		n = read(fd, text, sizeof text);
	close(fd);
	if (n < 0)
		return error_set(err,
			"%s: must be a regular file that nobody else can read (chmod 600)",
			shown(path));
	line = view_of(text, (size_t)n);
	rc = endpoint_parse(e, view_trim(view_head(line, view_find(line, '\n'))), err);
	explicit_bzero(text, sizeof text);
	return rc ? error_prefix(err, "%s", shown(path)) : 0;
}

/* --endpoint instead of whatever the configuration has. 0 or -1. */
static int set_endpoint(struct ethereum_settings *s, struct invocation *in)
{
	const char *text = option(in, OPTION_ENDPOINT, "");

	if (!given(in, OPTION_ENDPOINT))
		return 0;
	explicit_bzero(s->endpoints, sizeof s->endpoints);
	s->endpoint_count = 1;
	if (text[0] == '@')
		return endpoint_from(&s->endpoints[0], text + 1, &in->error);
	if (endpoint_parse(&s->endpoints[0], view_str(text), &in->error))
		return error_prefix(&in->error, "on the command line");
	return endpoint_public(&s->endpoints[0], &in->error);
}

/* --contract: another one than the configuration's has its own pins. 0 or -1. */
static int set_contract(struct config *c, struct invocation *in)
{
	struct ethereum_settings *s = &c->ledger.ethereum;
	uint8_t before[ADDRESS20];

	memcpy(before, s->contract, ADDRESS20);
	if (set_from(c, in, OPTION_CONTRACT, "contract"))
		return -1;
	if (memcmp(before, s->contract, ADDRESS20)) {
		memset(s->code_hash, 0, HASH_SIZE);
		s->deployed = 0;
	}
	return 0;
}

/* The options of a chain over the configuration. Returns 0 or -1. */
static int set_chain(struct config *c, struct invocation *in, unsigned flags)
{
	struct ethereum_settings *s = &c->ledger.ethereum;

	c->ledger.type = CONFIG_LEDGER_ETHEREUM;
	if (set_endpoint(s, in) || set_contract(c, in) ||
		set_from(c, in, OPTION_MAX_FEE, "max_fee"))
		return -1;
	if (given(in, OPTION_ZERO_FEE))
		s->zero_fee = true;
	if (!s->endpoint_count)
		return error_set(&in->error,
			"--endpoint URL is missing, and the "
			"configuration has none");
	if (!(flags & CHOICE_NO_CONTRACT) && bytes_zero(s->contract, ADDRESS20))
		return error_set(&in->error,
			"--contract 0xADDRESS is missing, and the "
			"configuration has none");
	return 0;
}

/* Whether the configuration has to be read for this. */
static bool wants_config(const struct invocation *in, unsigned flags)
{
	if (given(in, OPTION_CONFIG))
		return true;
	if (given(in, OPTION_LEDGER))
		return false;
	return !given(in, OPTION_ENDPOINT) ||
		!(given(in, OPTION_CONTRACT) || flags & CHOICE_NO_CONTRACT);
}

int choice_make(struct choice *c, struct invocation *in, unsigned flags)
{
	bool chain = given(in, OPTION_ENDPOINT) || given(in, OPTION_CONTRACT);
	int code = 0;

	memset(c, 0, sizeof *c);
	if (given(in, OPTION_LEDGER) && chain)
		return failure(CONTROL_USAGE,
			"--ledger names a local ledger, --endpoint and --contract one on a "
			"chain: give one of them");
	c->configured = wants_config(in, flags);
	if (c->configured)
		code = load_config(in, &c->config);
	else
		config_defaults(&c->config);
	if (code)
		return code;
	if (given(in, OPTION_LEDGER)) {
		c->config.ledger.type = CONFIG_LEDGER_LOCAL;
		snprintf(c->config.ledger.path, sizeof c->config.ledger.path, "%s",
			option(in, OPTION_LEDGER, ""));
		return 0;
	}
	if (!chain && c->config.ledger.type == CONFIG_LEDGER_LOCAL &&
		!(flags & CHOICE_NO_CONTRACT))
		return 0;
	if (!set_chain(&c->config, in, flags))
		return 0;
	choice_free(c);
	return failure(CONTROL_USAGE, "%s", in->error.text);
}

void choice_free(struct choice *c)
{
	config_free(&c->config);
}
