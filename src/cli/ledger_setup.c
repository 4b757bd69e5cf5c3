/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain init, sipchain key */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/units.h"
#include "ledger/local.h"

/* The longest life of a report unless --max-ttl says otherwise. */
#define MAX_TTL_DEFAULT (7 * 86400)

static int print_address(struct invocation *in, const char *path, const struct signer *s)
{
	char address[43];
	json_t *out;

	address20_print(address, signer_address(s));
	if (!given(in, OPTION_JSON)) {
		printf("%s\n", address);
		return 0;
	}
	out = json_pack("{s:s, s:s}", "address", address, "file", path);
	print_json(out);
	json_decref(out);
	return 0;
}

int run_key_new(struct invocation *in)
{
	struct signer *s = signer_create(in->arguments[0], &in->error);

	if (!s)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	print_address(in, in->arguments[0], s);
	signer_free(s);
	return 0;
}

int run_key_address(struct invocation *in)
{
	struct signer *s = signer_open(in->arguments[0], &in->error);

	if (!s)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	print_address(in, in->arguments[0], s);
	signer_free(s);
	return 0;
}

/* A whole number from an option, within bounds. Returns 0 or -1 with a text. */
static int number(struct invocation *in, enum option_id id, uint64_t least, uint64_t most,
	uint64_t fallback, uint64_t *out)
{
	*out = fallback;
	if (!given(in, id))
		return 0;
	if (view_decimal(view_str(option(in, id, "")), most, out) || *out < least)
		return error_set(&in->error, "--%s %s: give a whole number from %llu to %llu",
			option_specs[id].name, shown(option(in, id, "")),
			(unsigned long long)least, (unsigned long long)most);
	return 0;
}

/* The ledger's rules from the options. Returns 0 or -1 with a text. */
static int rules(struct invocation *in, struct ledger_config *config,
	uint8_t guardian[ADDRESS20], const struct signer *owner)
{
	uint64_t value;

	config->limits = indicator_limits_default;
	config->limits.allow_unroutable = given(in, OPTION_ALLOW_UNROUTABLE);
	if (number(in, OPTION_MIN_V4, 0, 32, config->limits.min_v4, &value))
		return -1;
	config->limits.min_v4 = (uint8_t)value;
	if (number(in, OPTION_MIN_V6, 0, 128, config->limits.min_v6, &value))
		return -1;
	config->limits.min_v6 = (uint8_t)value;
	if (number(in, OPTION_THRESHOLD, 1, UINT32_MAX - 1, 1, &value))
		return -1;
	config->threshold = (uint32_t)value;
	value = MAX_TTL_DEFAULT;
	if (given(in, OPTION_MAX_TTL) &&
		duration_parse(&value, view_str(option(in, OPTION_MAX_TTL, "")), &in->error))
		return error_prefix(&in->error, "--max-ttl");
	if (!value || value > 366 * 86400)
		return error_set(&in->error, "--max-ttl: from 1s to 366d");
	config->max_ttl = (uint32_t)value;
	if (!given(in, OPTION_GUARDIAN)) {
		memcpy(guardian, signer_address(owner), ADDRESS20);
		return 0;
	}
	if (address20_parse(guardian, view_str(option(in, OPTION_GUARDIAN, "")), &in->error))
		return error_prefix(&in->error, "--guardian");
	return 0;
}

/* Ask one question on a terminal; an empty answer is the default. */
static void question(struct invocation *in, enum option_id id, const char *text,
	const char *fallback)
{
	static char answers[OPTION_COUNT][256];
	char *answer = answers[id];

	if (given(in, id) || given(in, OPTION_YES) || !isatty(STDIN_FILENO))
		return;
	fprintf(stderr, "%s [%s]: ", text, fallback);
	if (!fgets(answer, sizeof answers[0], stdin))
		return;
	answer[strcspn(answer, "\n")] = 0;
	if (answer[0])
		in->options[id] = answer;
}

/* The owner's key: the file if it is there, else a new one. */
static struct signer *owner_key(struct invocation *in, const char *path, bool *made)
{
	*made = access(path, F_OK) != 0;
	return *made ? signer_create(path, &in->error) : signer_open(path, &in->error);
}

int run_init(struct invocation *in)
{
	uint8_t guardian[ADDRESS20];
	struct ledger_config config;
	struct signer *owner = NULL;
	const char *path, *key;
	char address[43];
	bool made = false;
	int code = 0;
	json_t *out;

	if (!given(in, OPTION_YES) && !isatty(STDIN_FILENO))
		return failure(CONTROL_USAGE, "no terminal to ask on; give --yes to take the "
			"defaults of what is not given");
	question(in, OPTION_LEDGER, "Where shall the ledger's file be?",
		"/var/lib/sipchain/ledger.db");
	question(in, OPTION_OWNER_KEY, "The owner's key file (keep it off this machine later)",
		"owner.key");
	question(in, OPTION_THRESHOLD, "How much weight must agree before anything is blocked?",
		"1");
	question(in, OPTION_MAX_TTL, "The longest life of a report", "7d");
	path = option(in, OPTION_LEDGER, "/var/lib/sipchain/ledger.db");
	key = option(in, OPTION_OWNER_KEY, "owner.key");
	if (!access(path, F_OK))
		return failure(CONTROL_FAILED, "%s exists already; choose another --ledger, or "
			"remove it if nobody uses it", shown(path));
	owner = owner_key(in, key, &made);
	if (!owner)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	if (rules(in, &config, guardian, owner))
		code = failure(CONTROL_USAGE, "%s", in->error.text);
	else if (local_create(path, &config, guardian, owner,
			 (uint32_t)(clock_wall() / USEC_PER_SEC), &in->error))
		code = failure(CONTROL_FAILED, "%s", in->error.text);
	if (code) {
		if (made)
			unlink(key); /* nothing half done: no ledger, no new key */
		signer_free(owner);
		return code;
	}
	address20_print(address, signer_address(owner));
	signer_free(owner);
	if (given(in, OPTION_JSON)) {
		out = json_pack("{s:s, s:s, s:s, s:b, s:I, s:I}", "ledger", path, "owner",
			address, "owner_key", key, "owner_key_made", made, "threshold",
			(json_int_t)config.threshold, "max_ttl", (json_int_t)config.max_ttl);
		print_json(out);
		json_decref(out);
		return 0;
	}
	printf("ledger   %s\nowner    %s (%s %s)\n\nnext:\n"
	       "  sipchain key new member.key\n"
	       "  sipchain member add --ledger %s --key %s --name NAME --signer 0x...\n"
	       "  sipchain config sample > sipchain.conf   # set [ledger] path, [member] key\n",
		path, address, made ? "new key in" : "key of", key, path, key);
	return 0;
}
