/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that change something in the daemon. */
#include "cli/command.h"

#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "indicator/indicator.h"
#include "indicator/word.h"

/* {"indicator": ..., "ttl": ..., "note": ...} of what was given; NULL: said why. */
static json_t *arguments(struct invocation *in)
{
	struct indicator i;
	uint64_t ttl;
	json_t *args;

	/* Checked here too, so that a slip is a usage error, not the daemon's. */
	if (indicator_parse(&i, NULL, view_str(in->arguments[0]), &in->error)) {
		failure(CONTROL_USAGE, "%s", in->error.text);
		return NULL;
	}
	if (!text_is_clean(view_str(option(in, OPTION_NOTE, "")))) {
		failure(CONTROL_USAGE,
			"--note: give UTF-8 text without control characters");
		return NULL;
	}
	args = json_pack("{s:s}", "indicator", in->arguments[0]);
	if (given(in, OPTION_TTL)) {
		if (duration_parse(
			    &ttl, view_str(option(in, OPTION_TTL, "")), &in->error) ||
			!ttl || ttl > 366 * 86400) {
			failure(CONTROL_USAGE, "--ttl %s: from 1s to 366d",
				shown(option(in, OPTION_TTL, "")));
			json_decref(args);
			return NULL;
		}
		json_object_set_new(args, "ttl", json_integer((json_int_t)ttl));
	}
	if (given(in, OPTION_NOTE))
		json_object_set_new(
			args, "note", json_string(option(in, OPTION_NOTE, "")));
	if (given(in, OPTION_CATEGORY))
		json_object_set_new(
			args, "category", json_string(option(in, OPTION_CATEGORY, "")));
	if (given(in, OPTION_CLASS))
		json_object_set_new(
			args, "class", json_string(option(in, OPTION_CLASS, "")));
	return args;
}

/* With --tx: which transaction it was, as far as the daemon knows yet. */
static void print_transaction(const struct invocation *in, const json_t *result)
{
	const json_t *block = json_object_get(result, "block");

	if (!given(in, OPTION_TX))
		return;
	if (!block) {
		printf("transaction     none: this ledger is a file\n");
		return;
	}
	if (!json_is_string(json_object_get(result, "transaction"))) {
		printf("transaction     %s\n",
			json_is_integer(block) ? "not known any more" :
				!strcmp(text_of(result, "state"), "final") ?
						 "none was needed" :
						 "not known yet");
	} else {
		printf("transaction     %s\n", shown(text_of(result, "transaction")));
	}
	if (json_is_integer(block))
		printf("block           %lld\n", number_of(result, "block"));
	if (json_is_string(json_object_get(result, "link")))
		printf("link            %s\n", shown(text_of(result, "link")));
}

/* Ask, and print the daemon's sentence. Returns an exit code. */
static int order(struct invocation *in, const char *command)
{
	json_t *result, *args = arguments(in);
	int code = 0;

	if (!args)
		return CONTROL_USAGE;
	result = ask(in, command, args, &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON)) {
		if (!json_object_get(result, "indicator"))
			json_object_set_new(
				result, "indicator", json_string(in->arguments[0]));
		print_json(result);
	} else if (json_object_get(result, "state")) { /* its fate on the ledger */
		printf("%s: %s\n", shown(in->arguments[0]),
			shown_sentence(text_of(result, "text")));
		print_transaction(in, result);
	} else {
		printf("%s\n", shown_sentence(text_of(result, "text")));
	}
	json_decref(result);
	return 0;
}

/* By the daemon or on the ledger itself. Returns an exit code. */
static int order_or(
	struct invocation *in, const char *command, int (*direct)(struct invocation *in))
{
	int code;

	switch (whom_to_ask(in, &code)) {
	case WHOM_LEDGER:
		if (given(in, OPTION_CLASS))
			return failure(CONTROL_USAGE,
				"--class is for the daemon; leave out --direct");
		return direct(in);
	case WHOM_DAEMON:
		break;
	case WHOM_NOBODY:
	default:
		return code;
	}
	if (given(in, OPTION_DRY_RUN))
		return failure(CONTROL_USAGE,
			"the daemon gathers reports into batches and tries none out; give "
			"--dry-run with --direct");
	return order(in, command);
}

int run_report(struct invocation *in)
{
	if (given(in, OPTION_CATEGORY) &&
		category_parse(view_str(option(in, OPTION_CATEGORY, ""))) < 0)
		return failure(CONTROL_USAGE, "--category %s: one of %s",
			shown(option(in, OPTION_CATEGORY, "")),
			option_specs[OPTION_CATEGORY].help);
	return order_or(in, "report", direct_report);
}

int run_object(struct invocation *in)
{
	return order_or(in, "object", direct_object);
}

int run_revoke(struct invocation *in)
{
	return order_or(in, "revoke", direct_revoke);
}

int run_ban(struct invocation *in)
{
	return order(in, "ban");
}

int run_unban(struct invocation *in)
{
	return order(in, "unban");
}

int run_allow_add(struct invocation *in)
{
	return order(in, "allow-add");
}

int run_allow_remove(struct invocation *in)
{
	return order(in, "allow-remove");
}
