/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain status */
#include "cli/columns.h"
#include "cli/command.h"

#include "base/units.h"

static void status_roles(const json_t *roles)
{
	const json_t *o;
	struct columns c;
	size_t at;

	columns_begin(&c,
		"ROLE|STATE|PID|UID|STARTS|LAST EXIT|RSS KiB|CAPABILITIES|SECCOMP|LANDLOCK",
		1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6);
	json_array_foreach(roles, at, o)
	{
		columns_put(&c, "%s", text_of(o, "role"));
		columns_put(&c, "%s", text_of(o, "state"));
		columns_put(&c, "%lld", number_of(o, "pid"));
		columns_put(&c, "%lld", number_of(o, "uid"));
		columns_put(&c, "%lld", number_of(o, "starts"));
		columns_put(&c, number_of(o, "starts") > 1 ? "%lld" : "-",
			number_of(o, "last_exit"));
		columns_put(&c, "%lld", number_of(o, "rss_kib"));
		columns_put(&c, "%s", text_of(o, "capabilities"));
		columns_put(&c, "%s", text_of(o, "seccomp"));
		columns_put(&c, "%s", text_of(o, "landlock"));
	}
	fputc('\n', stdout);
	columns_print(&c, stdout, 0);
}

/* Who says so: the last part of the line about what is final. */
static const char *confirmed(const json_t *c, char dst[80])
{
	long long n = number_of(c, "final_witnesses");

	if (n == 0)
		return "nobody else confirms it";
	snprintf(dst, 80, "%lld other endpoint%s it", n,
		n == 1 ? " confirms" : "s confirm");
	return dst;
}

static void status_final(const json_t *c)
{
	char who[80], behind[40] = "";

	if (!json_is_object(c))
		return;
	if (!json_is_integer(json_object_get(c, "final"))) {
		printf("          no block is final yet\n");
		return;
	}
	if (json_is_integer(json_object_get(c, "lag_seconds"))) {
		char text[32];

		snprintf(behind, sizeof behind, " and %s",
			duration_print(text, (uint64_t)number_of(c, "lag_seconds")));
	}
	printf("          final up to block %lld, %lld blocks%s behind the head %lld; %s\n",
		number_of(c, "final"), number_of(c, "lag_blocks"), behind,
		number_of(c, "head"), confirmed(c, who));
}

static void status_ledger(const json_t *l)
{
	printf("ledger    %s: %s\n", shown(text_of(l, "where")),
		shown_sentence(text_of(l, "text")));
	printf("          %lld live, quorum %lld, operations: %lld of members, "
	       "%lld administrative%s\n",
		number_of(l, "live"), number_of(l, "threshold"),
		number_of(json_object_get(l, "members"), "seq"),
		number_of(json_object_get(l, "admin"), "seq"),
		is_true(l, "paused") ? ", PAUSED" : "");
	status_final(json_object_get(l, "chain"));
}

static void status_outbox(const json_t *o)
{
	char age[32];

	printf("outbox    %lld waiting, %lld submitted, %lld final, %lld refused",
		number_of(o, "waiting"), number_of(o, "submitted"), number_of(o, "final"),
		number_of(o, "refused"));
	if (json_is_integer(json_object_get(o, "oldest")))
		printf("; the oldest that is not final is %s old",
			duration_print(age, (uint64_t)number_of(o, "oldest")));
	printf("\n");
}

static void status_ami(const json_t *s)
{
	char away[32] = "", gaps[64] = "";

	if (number_of(s, "gaps"))
		snprintf(gaps, sizeof gaps, ", %lld gaps", number_of(s, "gaps"));
	if (number_of(s, "away"))
		duration_print(away, (uint64_t)number_of(s, "away"));
	printf("%s; %lld observations, %lld calls, %lld trunks, %lld forged%s%s%s\n",
		is_true(s, "booted") ? ", Asterisk is up" : "",
		number_of(s, "observations"), number_of(s, "calls"),
		number_of(s, "trunks"), number_of(s, "injected"), gaps,
		away[0] ? ", away for " : "", away);
}

/* A log that a filter of fail2ban's reads. */
static void status_log(const json_t *s)
{
	printf("; %lld observations, %lld lines, %lld failures, %lld unnamed; %lld lines "
	       "with too many steps, %lld expressions off for it\n",
		number_of(s, "observations"), number_of(s, "lines"),
		number_of(s, "failures"), number_of(s, "unnamed"),
		number_of(s, "exhausted"), number_of(s, "off"));
}

/* What the include for Kamailio or OpenSIPS wrote. */
static void status_kamailio(const json_t *s)
{
	printf("; %lld observations, %lld lines, %lld cut, %lld forged\n",
		number_of(s, "observations"), number_of(s, "lines"), number_of(s, "cut"),
		number_of(s, "injected"));
}

/* What did not come by syslog or from the journal, if anything. */
static void status_way(const json_t *s)
{
	if (number_of(s, "bad") || number_of(s, "refused") || number_of(s, "dropped"))
		printf("          syslog: %lld refused, %lld bad, %lld dropped\n",
			number_of(s, "refused"), number_of(s, "bad"),
			number_of(s, "dropped"));
	if (number_of(s, "unreadable"))
		printf("          the journal could not be read %lld times\n",
			number_of(s, "unreadable"));
}

/* A line for each [source], and what it lacks. */
static void status_sources(const json_t *list)
{
	const json_t *s;
	size_t at;

	json_array_foreach(list, at, s)
	{
		printf("source    %s (%s) %s", shown(text_of(s, "name")),
			text_of(s, "type"), text_of(s, "state"));
		if (strcmp(text_of(s, "state"), "unused") == 0)
			printf("\n");
		else if (strcmp(text_of(s, "type"), "log") == 0)
			status_log(s);
		else if (strcmp(text_of(s, "type"), "kamailio") == 0)
			status_kamailio(s);
		else
			status_ami(s);
		status_way(s);
		if (text_of(s, "trouble")[0])
			printf("          %s\n", shown_sentence(text_of(s, "trouble")));
	}
}

/* A line for each [connector], and what it lacks. */
static void status_connectors(const json_t *list)
{
	const json_t *c;
	size_t at;

	json_array_foreach(list, at, c)
	{
		if (!strcmp(text_of(c, "state"), "removed"))
			printf("connector %s (%s) removed\n", shown(text_of(c, "name")),
				text_of(c, "type"));
		else
			printf("connector %s (%s) %s, %lld standing, %lld queued, %lld refused, "
			       "%lld hits\n",
				shown(text_of(c, "name")), text_of(c, "type"),
				text_of(c, "state"), number_of(c, "standing"),
				number_of(c, "queued"), number_of(c, "refused"),
				number_of(c, "hits"));
		if (text_of(c, "trouble")[0])
			printf("          %s\n", shown_sentence(text_of(c, "trouble")));
	}
}

/* A line for each [webhook], and what is wrong with it. */
static void status_webhooks(const json_t *list)
{
	const json_t *w;
	size_t at;

	json_array_foreach(list, at, w)
	{
		printf("webhook   %s %s, %lld events delivered, %lld behind",
			shown(text_of(w, "name")), text_of(w, "state"),
			number_of(w, "events"), number_of(w, "behind"));
		if (number_of(w, "lost"))
			printf(", %lld LOST", number_of(w, "lost"));
		if (number_of(w, "next"))
			printf(", tried again %s",
				shown_time((uint64_t)number_of(w, "next")));
		printf("\n");
		if (text_of(w, "trouble")[0])
			printf("          %s\n", shown_sentence(text_of(w, "trouble")));
	}
}

/* What listens, one line; what the service manager gave is marked. */
static void status_listeners(const json_t *list)
{
	const json_t *l;
	size_t at;

	if (!json_array_size(list))
		printf(" nothing");
	json_array_foreach(list, at, l)
	{
		printf("%s %s%s", at ? "," : "", shown(text_of(l, "listen")),
			is_true(l, "inherited") ? " (socket unit)" : "");
	}
	printf("\n");
}

static void status_honeypot(const json_t *h)
{
	if (!json_is_object(h))
		return;
	printf("honeypot  %s on", shown(text_of(h, "profile")));
	status_listeners(json_object_get(h, "listeners"));
	printf("          %lld received, %lld malformed, %lld dropped; %lld sent, %lld over a "
	       "limit, %lld longer than the question\n",
		number_of(h, "received"), number_of(h, "malformed"),
		number_of(h, "dropped"), number_of(h, "sent"), number_of(h, "limited"),
		number_of(h, "too_long"));
	printf("          %lld proofs, %lld sources proved this hour, %lld calls, %lld guesses "
	       "let in\n",
		number_of(h, "proofs"), number_of(h, "proved"), number_of(h, "calls"),
		number_of(h, "accepted"));
	if (number_of(h, "connections_accepted"))
		printf("          %lld connections, %lld with TLS; of %lld, %lld refused or made "
		       "room, %lld too slow, %lld spoke no SIP\n",
			number_of(h, "connections"), number_of(h, "connections_tls"),
			number_of(h, "connections_accepted"), number_of(h, "refused"),
			number_of(h, "timed_out"), number_of(h, "broken"));
	printf("          %lld recorded, %lld lost, %lld bytes%s\n",
		number_of(h, "recorded"), number_of(h, "record_lost"),
		number_of(h, "record_bytes"),
		is_true(h, "recording_fails") ? "; RECORDING FAILS: see the log" : "");
	if (number_of(h, "hep_sent") || number_of(h, "hep_dropped"))
		printf("          %lld copies sent by HEP, %lld dropped\n",
			number_of(h, "hep_sent"), number_of(h, "hep_dropped"));
	if (text_of(h, "trouble")[0])
		printf("          %s\n", shown_sentence(text_of(h, "trouble")));
}

/* What attackers call; what is withheld, with its reasons. */
static void status_numbers(const json_t *n)
{
	const json_t *count;
	const char *reason;
	bool first = true;

	if (!json_is_object(n))
		return;
	printf("numbers   %lld told; of attackers' calls %lld count",
		number_of(n, "told"), number_of(n, "counted"));
	json_object_foreach(json_object_get(n, "withheld"), reason, count)
	{
		if (!json_integer_value(count))
			continue;
		printf("%s%lld %s", first ? ", withheld: " : ", ",
			(long long)json_integer_value(count), reason);
		first = false;
	}
	if (number_of(n, "flooded"))
		printf("; %lld not told: too many of one source",
			number_of(n, "flooded"));
	printf("\n");
}

/* What the HTTP API cannot have; nothing when there is nothing of that. */
static void status_http(const json_t *api)
{
	json_t *text;
	size_t i;

	json_array_foreach(json_object_get(api, "trouble"), i, text)
		printf("http      %s\n", shown_sentence(json_string_value(text)));
}

static void status_print(const json_t *r)
{
	const json_t *m = json_object_get(r, "member"), *b = json_object_get(r, "bans");
	const json_t *s = json_object_get(r, "sense");
	const json_t *e = json_object_get(r, "enforcer");
	char up[32];

	printf("node      %s, sipchaind %s, up %s%s\n", shown(text_of(r, "name")),
		text_of(r, "version"),
		duration_print(up, (uint64_t)number_of(r, "uptime")),
		is_true(r, "observe") ? ", OBSERVE mode" : "");
	if (json_is_object(m))
		printf("member    %lld %s (%s), %lld of %lld reports\n",
			number_of(m, "index"), shown(text_of(m, "name")),
			text_of(m, "status"), number_of(m, "live"), number_of(m, "cap"));
	else
		printf("member    none: %s\n", shown_sentence(text_of(r, "member_text")));
	status_ledger(json_object_get(r, "ledger"));
	printf("bans      %lld learnt, %lld own, %lld by operators; %lld refused by the enforcer, "
	       "%lld orders waiting\n",
		number_of(b, "learnt"), number_of(b, "own"), number_of(b, "operator"),
		number_of(b, "refused"), number_of(b, "queued"));
	printf("enforcer  %s\n", shown_sentence(text_of(e, "text")));
	printf("sensors   HEP %lld received, %lld bad, %lld dropped; logs %lld lines, %lld "
	       "skipped, %lld forged\n",
		number_of(s, "hep_received"), number_of(s, "hep_bad"),
		number_of(s, "hep_dropped"), number_of(s, "log_lines"),
		number_of(s, "log_skipped"), number_of(s, "log_injected"));
	status_numbers(json_object_get(r, "numbers"));
	status_sources(json_object_get(r, "sources"));
	status_connectors(json_object_get(r, "connectors"));
	status_webhooks(json_object_get(r, "webhooks"));
	status_honeypot(json_object_get(r, "honeypot"));
	status_http(json_object_get(r, "api"));
	status_outbox(json_object_get(r, "outbox"));
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
