/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain connector status, resync, clear, forget. */
#include "cli/columns.h"
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

static json_t *name_argument(const struct invocation *in)
{
	return in->count ? json_pack("{s:s}", "name", in->arguments[0]) : json_object();
}

/* "12 s ago", or a time. */
static const char *resynced(const json_t *c, char dst[64])
{
	long long at = number_of(c, "resynced");

	if (!at)
		return "never";
	snprintf(dst, 64, "%s, in %lld ms", shown_time((uint64_t)at),
		number_of(c, "resync_ms"));
	return dst;
}

/* A figure; of one that is not configured any more nobody knows it. */
static void put_number(struct columns *t, const json_t *c, const char *key)
{
	if (json_object_get(c, key))
		columns_put(t, "%lld", number_of(c, key));
	else
		columns_put(t, "-");
}

static void put_connector(struct columns *t, const json_t *c)
{
	char text[64];

	columns_put(t, "%s", shown(text_of(c, "name")));
	columns_put(t, "%s", text_of(c, "type"));
	columns_put(t, "%s", text_of(c, "state"));
	columns_put(t, "%s",
		number_of(c, "since") ? shown_time((uint64_t)number_of(c, "since")) :
					"-");
	put_number(t, c, "standing");
	put_number(t, c, "queued");
	put_number(t, c, "refused");
	put_number(t, c, "hits");
	columns_put(t, "%s", resynced(c, text));
}

static void status_table(const json_t *list)
{
	struct columns t;
	const json_t *c;
	size_t at;

	columns_begin(&t,
		"CONNECTOR|TYPE|STATE|SINCE|STANDING|QUEUED|REFUSED|HITS|COMPARED",
		1U << 4 | 1U << 5 | 1U << 6 | 1U << 7);
	json_array_foreach(list, at, c) put_connector(&t, c);
	columns_print(&t, stdout, 0);
	json_array_foreach(list, at, c)
	{
		if (text_of(c, "trouble")[0])
			printf("%s: %s\n", shown(text_of(c, "name")),
				shown_sentence(text_of(c, "trouble")));
		if (number_of(c, "not_carried"))
			printf("%s: %lld more cannot be looked up there (prefixes of "
			       "addresses); they stand in the firewall alone\n",
				shown(text_of(c, "name")), number_of(c, "not_carried"));
		if (json_is_true(json_object_get(c, "cleared")))
			printf("%s: emptied on demand; `sipchain connector resync %s` "
			       "fills it again\n",
				shown(text_of(c, "name")), shown(text_of(c, "name")));
		if (number_of(c, "discarded"))
			printf("%s: %lld messages discarded as forged or not understood\n",
				shown(text_of(c, "name")), number_of(c, "discarded"));
	}
}

int run_connector_status(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "connector-status", name_argument(in), &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON))
		print_json(result);
	else
		status_table(json_object_get(result, "connectors"));
	json_decref(result);
	return 0;
}

int run_connector_resync(struct invocation *in)
{
	const json_t *begun, *away, *name;
	json_t *result;
	int code = 0;
	size_t at;

	result = ask(in, "connector-resync", name_argument(in), &code);
	if (!result)
		return code;
	begun = json_object_get(result, "begun");
	away = json_object_get(result, "away");
	if (given(in, OPTION_JSON)) {
		print_json(result);
	} else {
		json_array_foreach(begun, at, name)
			printf("%s: all that stands there is compared\n",
				shown(json_string_value(name)));
		json_array_foreach(away, at, name)
			printf("%s: not connected; it is compared when it is "
			       "(sipchain connector status)\n",
				shown(json_string_value(name)));
	}
	code = json_array_size(begun) ? 0 : CONTROL_FAILED;
	json_decref(result);
	return code;
}

#define CLEAR_TRIES 300
#define CLEAR_EVERY 100000 /* microseconds */

/* Wait until nothing stands there any more. Returns 0, or an exit code. */
static int await_empty(struct invocation *in)
{
	int code = 0;

	for (unsigned i = 0; i < CLEAR_TRIES; i++) {
		json_t *result = ask(in, "connector-status", name_argument(in), &code);
		const json_t *c = json_array_get(
			json_object_get(result, "connectors"), 0);
		bool off = !strcmp(text_of(c, "state"), "off");

		json_decref(result);
		if (code || off)
			return code;
		usleep(CLEAR_EVERY);
	}
	fprintf(stderr,
		"sipchain: %s is not empty yet; see `sipchain connector status`\n",
		shown(in->arguments[0]));
	return CONTROL_FAILED;
}

int run_connector_clear(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "connector-clear", name_argument(in), &code);
	json_decref(result);
	if (!result)
		return code;
	code = await_empty(in);
	if (!code)
		printf("%s: nothing of this node's stands there any more, until `sipchain "
		       "connector resync %s` or the next start\n",
			shown(in->arguments[0]), shown(in->arguments[0]));
	return code;
}

int run_connector_forget(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "connector-forget", name_argument(in), &code);
	json_decref(result);
	if (!result)
		return code;
	printf("%s: what it left behind is forgotten here; nothing was changed in the PBX\n",
		shown(in->arguments[0]));
	return 0;
}
