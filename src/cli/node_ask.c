/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask the daemon: tables of what it answers. */
#include "cli/command.h"

#include <string.h>

#include "base/clock.h"
#include "base/units.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static uint64_t time_of(const json_t *o, const char *key)
{
	return (uint64_t)number_of(o, key);
}

/* --- list --- */

static void list_one(const json_t *i)
{
	printf("%-26s %-5s %4lld/%-4lld %-11s %-7s %s\n", shown(text_of(i, "indicator")),
		json_is_true(json_object_get(i, "block")) ? "block" : "pass",
		number_of(i, "sum"), number_of(i, "required"), text_of(i, "category"),
		text_of(i, "proof"), json_is_true(json_object_get(i, "block")) ?
		shown_time(time_of(i, "until")) : text_of(i, "why"));
}

int run_list(struct invocation *in)
{
	json_t *args = json_object(), *result, *list, *i;
	size_t at;
	int code = 0;

	if (given(in, OPTION_KIND))
		json_object_set_new(args, "kind", json_string(option(in, OPTION_KIND, "")));
	result = ask(in, "list", args, &code);
	if (!result)
		return code;
	list = json_object_get(result, "indicators");
	if (given(in, OPTION_JSON)) {
		print_json(result);
	} else {
		printf("%-26s %-5s %-9s %-11s %-7s %s\n", "INDICATOR", "HERE", "SUM/NEED",
			"CATEGORY", "PROOF", "UNTIL, OR WHY NOT");
		json_array_foreach(list, at, i)
			list_one(i);
		printf("%zu listed\n", json_array_size(list));
	}
	json_decref(result);
	return 0;
}

/* --- check --- */

/* One listed indicator, and each member's word about it. */
static void check_listed(const json_t *d)
{
	const json_t *w;
	size_t at;

	printf("%s on the ledger: %s\n", shown(text_of(d, "indicator")),
		shown(text_of(d, "text")));
	json_array_foreach(json_object_get(d, "words"), at, w)
		printf("  member %lld (%s, weight %lld) %s: %s, proof %s, until %s, cell %lld\n",
			number_of(w, "member"), shown(text_of(w, "name")),
			number_of(w, "weight"),
			json_is_true(json_object_get(w, "objection")) ? "objects" : "reports",
			text_of(w, "category"), text_of(w, "proof"),
			shown_time(time_of(w, "expiry")), number_of(w, "cell"));
}

static void check_print(const json_t *r)
{
	const json_t *o, *d, *tip;
	size_t at;

	printf("%s: %s\n", shown(text_of(r, "indicator")), shown(text_of(r, "text")));
	json_array_foreach(json_object_get(r, "listed"), at, d)
		check_listed(d);
	json_array_foreach(json_object_get(r, "bans"), at, o)
		printf("ban of %s here: %s, %s, %s, until %s\n", shown(text_of(o, "indicator")),
			text_of(o, "origin"), text_of(o, "scope"), text_of(o, "state"),
			shown_time(time_of(o, "until")));
	o = json_object_get(r, "allowed");
	if (json_is_object(o))
		printf("on this node's allowlist: %s (%s) %s\n", shown(text_of(o, "indicator")),
			text_of(o, "origin"), shown(text_of(o, "note")));
	o = json_object_get(r, "protected");
	if (json_is_string(o))
		printf("protected by the consortium: %s\n", shown(json_string_value(o)));
	tip = json_object_get(r, "tip");
	printf("as of the ledger's operation %lld (members' tip %s), %lld (admin tip %s)\n",
		number_of(json_object_get(tip, "members"), "seq"),
		text_of(json_object_get(tip, "members"), "hash"),
		number_of(json_object_get(tip, "admin"), "seq"),
		text_of(json_object_get(tip, "admin"), "hash"));
}

int run_check(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "check", json_pack("{s:s}", "query", in->arguments[0]), &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON))
		print_json(result);
	else
		check_print(result);
	code = json_array_size(json_object_get(result, "listed")) ||
			json_array_size(json_object_get(result, "bans")) ?
		CONTROL_OK : CONTROL_FAILED;
	json_decref(result);
	return code;
}

/* --- banned --- */

int run_banned(struct invocation *in)
{
	json_t *result, *o;
	size_t at;
	int code = 0;

	result = ask(in, "banned", NULL, &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON)) {
		print_json(result);
		json_decref(result);
		return 0;
	}
	printf("%-26s %-9s %-13s %-9s %s\n", "BANNED", "SCOPE", "BY", "STATE", "UNTIL");
	json_array_foreach(json_object_get(result, "bans"), at, o)
		printf("%-26s %-9s %-13s %-9s %s\n", shown(text_of(o, "indicator")),
			text_of(o, "scope"), text_of(o, "origin"), text_of(o, "state"),
			shown_time(time_of(o, "until")));
	printf("%zu banned%s\n", json_array_size(json_object_get(result, "bans")),
		json_is_true(json_object_get(result, "observe")) ?
		" (observe mode: nothing is in the firewall)" : "");
	json_array_foreach(json_object_get(result, "counters"), at, o)
		printf("  %-12s %12lld packets %14lld bytes\n", text_of(o, "set"),
			number_of(o, "packets"), number_of(o, "bytes"));
	json_decref(result);
	return 0;
}

/* --- allow list --- */

int run_allow_list(struct invocation *in)
{
	json_t *result, *o;
	size_t at;
	int code = 0;

	result = ask(in, "allow-list", NULL, &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON)) {
		print_json(result);
		json_decref(result);
		return 0;
	}
	printf("%-30s %-11s %s\n", "ALLOWED", "FROM", "UNTIL, NOTE");
	json_array_foreach(json_object_get(result, "entries"), at, o)
		printf("%-30s %-11s %s %s\n", shown(text_of(o, "indicator")),
			text_of(o, "origin"), number_of(o, "expiry") ?
			shown_time(time_of(o, "expiry")) : "", shown(text_of(o, "note")));
	json_decref(result);
	return 0;
}

/* --- status --- */

static void status_roles(const json_t *roles)
{
	const json_t *o;
	size_t at;

	printf("\n%-8s %-9s %7s %6s %6s %9s %-14s %-8s %s\n", "ROLE", "STATE", "PID", "UID",
		"STARTS", "RSS KiB", "CAPABILITIES", "SECCOMP", "LANDLOCK");
	json_array_foreach(roles, at, o)
		printf("%-8s %-9s %7lld %6lld %6lld %9lld %-14s %-8s %s\n", text_of(o, "role"),
			text_of(o, "state"), number_of(o, "pid"), number_of(o, "uid"),
			number_of(o, "starts"), number_of(o, "rss_kib"),
			text_of(o, "capabilities"), text_of(o, "seccomp"),
			text_of(o, "landlock"));
}

static void status_ledger(const json_t *l)
{
	printf("ledger    %s: %s\n", shown(text_of(l, "where")), shown(text_of(l, "text")));
	printf("          %lld live reports, quorum %lld, members' operation %lld, admin %lld%s\n",
		number_of(l, "live"), number_of(l, "threshold"),
		number_of(json_object_get(l, "members"), "seq"),
		number_of(json_object_get(l, "admin"), "seq"),
		json_is_true(json_object_get(l, "paused")) ? ", PAUSED" : "");
}

static void status_print(const json_t *r)
{
	const json_t *m = json_object_get(r, "member"), *b = json_object_get(r, "bans");
	const json_t *s = json_object_get(r, "sense"), *o = json_object_get(r, "outbox");
	const json_t *e = json_object_get(r, "enforcer");
	char up[32];

	printf("node      %s, sipchaind %s, up %s%s\n", shown(text_of(r, "name")),
		text_of(r, "version"), duration_print(up, time_of(r, "uptime")),
		json_is_true(json_object_get(r, "observe")) ? ", OBSERVE mode" : "");
	if (json_is_object(m))
		printf("member    %lld %s (%s), %lld of %lld reports\n", number_of(m, "index"),
			shown(text_of(m, "name")), text_of(m, "status"), number_of(m, "live"),
			number_of(m, "cap"));
	else
		printf("member    none: %s\n", shown(text_of(r, "member_text")));
	status_ledger(json_object_get(r, "ledger"));
	printf("bans      %lld learnt, %lld own, %lld by operators, %lld orders waiting\n",
		number_of(b, "learnt"), number_of(b, "own"), number_of(b, "operator"),
		number_of(b, "queued"));
	printf("enforcer  %s\n", shown(text_of(e, "text")));
	printf("sensors   HEP %lld received, %lld bad, %lld dropped; logs %lld lines, %lld "
	       "skipped, %lld forged\n", number_of(s, "hep_received"), number_of(s, "hep_bad"),
		number_of(s, "hep_dropped"), number_of(s, "log_lines"),
		number_of(s, "log_skipped"), number_of(s, "log_injected"));
	printf("outbox    %lld waiting, %lld submitted, %lld final, %lld refused\n",
		number_of(o, "waiting"), number_of(o, "submitted"), number_of(o, "final"),
		number_of(o, "refused"));
	status_roles(json_object_get(r, "roles"));
}

int run_status(struct invocation *in)
{
	json_t *result;
	int code = 0;

	result = ask(in, "status", NULL, &code);
	if (!result)
		return code;
	if (given(in, OPTION_JSON))
		print_json(result);
	else
		status_print(result);
	json_decref(result);
	return 0;
}

/* --- watch --- */

static void watch_print(const json_t *event)
{
	char when[32];

	printf("%s %-10s %-26s %s\n", clock_rfc3339(when, time_of(event, "time")),
		shown(text_of(event, "type")), shown(text_of(event, "indicator")),
		shown(text_of(event, "text")));
}

int run_watch(struct invocation *in)
{
	struct control_connection *c;
	enum control_code why = CONTROL_OK;
	json_t *line;
	int code = 0;

	c = reach(in, &code);
	if (!c)
		return code;
	line = control_ask(c, "watch", NULL, &why, &in->error);
	if (!line) {
		control_disconnect(c);
		return failure((int)why, "%s", in->error.text);
	}
	json_decref(line);
	while ((line = control_next(c, -1, &in->error))) {
		const json_t *event = json_object_get(line, "event");

		if (given(in, OPTION_JSON)) {
			json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
			fputc('\n', stdout);
		} else {
			watch_print(event);
		}
		fflush(stdout);
		json_decref(line);
	}
	control_disconnect(c);
	return failure(CONTROL_UNREACHABLE, "%s", in->error.text);
}
