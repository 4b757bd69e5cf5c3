/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain webhook status, test, retry, secret. */
#include "cli/columns.h"
#include "cli/command.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <nettle/base64.h>

/* As long as the signature's hash: more is of no use. */
#define SECRET_BYTES 32

static json_t *name_argument(const struct invocation *in)
{
	return in->count ? json_pack("{s:s}", "name", in->arguments[0]) : json_object();
}

static const char *when(const json_t *w, const char *key)
{
	return number_of(w, key) ? shown_time((uint64_t)number_of(w, key)) : "-";
}

static void put_webhook(struct columns *t, const json_t *w)
{
	columns_put(t, "%s", shown(text_of(w, "name")));
	columns_put(t, "%s", text_of(w, "state"));
	columns_put(t, "%lld", number_of(w, "position"));
	columns_put(t, "%lld", number_of(w, "behind"));
	columns_put(t, "%lld", number_of(w, "events"));
	columns_put(t, "%lld", number_of(w, "lost"));
	columns_put(t, "%lld", number_of(w, "failures"));
	if (number_of(w, "status"))
		columns_put(t, "%lld", number_of(w, "status"));
	else
		columns_put(t, "%s", number_of(w, "tried") ? "none" : "-");
	columns_put(t, "%s", when(w, "delivered"));
	columns_put(t, "%s", when(w, "next"));
}

static void status_table(const json_t *list)
{
	struct columns t;
	const json_t *w;
	size_t at;

	columns_begin(&t,
		"WEBHOOK|STATE|POSITION|BEHIND|DELIVERED|LOST|FAILURES|ANSWER|LAST|NEXT "
		"TRY",
		1U << 2 | 1U << 3 | 1U << 4 | 1U << 5 | 1U << 6);
	json_array_foreach(list, at, w) put_webhook(&t, w);
	columns_print(&t, stdout, 0);
	json_array_foreach(list, at, w)
	{
		if (text_of(w, "trouble")[0])
			printf("%s: %s\n", shown(text_of(w, "name")),
				shown_sentence(text_of(w, "trouble")));
	}
}

int run_webhook_status(struct invocation *in)
{
	const json_t *list;
	json_t *result;
	int code = 0;

	result = ask(in, "webhook-status", name_argument(in), &code);
	if (!result)
		return code;
	list = json_object_get(result, "webhooks");
	if (given(in, OPTION_JSON))
		print_json(result);
	else if (json_array_size(list))
		status_table(list);
	else
		printf("there is no [webhook \"name\"] in the configuration\n");
	json_decref(result);
	return 0;
}

/* A command whose answer is a sentence about one webhook. */
static int order(struct invocation *in, const char *command)
{
	json_t *result;
	int code = 0;

	result = ask(in, command, name_argument(in), &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON))
		print_json(result);
	else
		printf("%s: %s\n", shown(text_of(result, "webhook")),
			shown_sentence(text_of(result, "text")));
	json_decref(result);
	return 0;
}

int run_webhook_test(struct invocation *in)
{
	int code;

	progress_begin("waiting for the receiver's answer");
	code = order(in, "webhook-test");
	progress_end();
	return code;
}

int run_webhook_retry(struct invocation *in)
{
	return order(in, "webhook-retry");
}

int run_webhook_secret(struct invocation *in)
{
	char text[BASE64_ENCODE_RAW_LENGTH(SECRET_BYTES) + 1];
	uint8_t secret[SECRET_BYTES];

	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		return failure(CONTROL_FAILED, "no random bytes: %s", strerror(errno));
	base64_encode_raw(text, sizeof secret, secret);
	text[sizeof text - 1] = 0;
	if (given(in, OPTION_JSON))
		printf("{\"secret\": \"whsec_%s\"}\n", text);
	else
		printf("whsec_%s\n", text);
	explicit_bzero(secret, sizeof secret);
	explicit_bzero(text, sizeof text);
	return fflush(stdout) ?
		failure(CONTROL_FAILED, "the output could not be written") :
		0;
}
