/* SPDX-License-Identifier: Apache-2.0 */
/* What `sipchain init` is to make: options, questions, defaults. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/hex.h"
#include "cli/init.h"
#include "cli/rules.h"
#include "daemon/start.h"

/* Whether a person answers. */
static bool asking(const struct invocation *in)
{
	return !given(in, OPTION_YES) && isatty(STDIN_FILENO);
}

/*
 * Ask one question; an empty answer is the default. The answer stands for the
 * option then. check (may be NULL) says whether an answer will do.
 */
static void question(struct invocation *in, enum option_id id, const char *text,
	const char *fallback, int (*check)(struct invocation *in))
{
	static char answers[OPTION_COUNT][CONFIG_PATH_MAX];
	char *answer = answers[id];

	while (!given(in, id) && asking(in)) {
		fprintf(stderr, "%s [%s]: ", text, fallback);
		if (!fgets(answer, sizeof answers[0], stdin)) {
			fputc('\n', stderr);
			return;
		}
		answer[strcspn(answer, "\n")] = 0;
		if (!answer[0])
			return;
		in->options[id] = answer;
		if (!check || !check(in))
			return;
		fprintf(stderr, "  %s\n", in->error.text);
		in->options[id] = NULL;
	}
}

/* One rule alone: a question is not asked again for another option's slip. */
static int check_rule(struct invocation *in, enum option_id id)
{
	struct invocation alone = {0};
	struct ledger_config rules = {0};

	alone.options[id] = in->options[id];
	if (rules_change(&rules, &alone) >= 0)
		return 0;
	in->error = alone.error;
	return -1;
}

static int check_threshold(struct invocation *in)
{
	return check_rule(in, OPTION_THRESHOLD);
}

static int check_max_ttl(struct invocation *in)
{
	return check_rule(in, OPTION_MAX_TTL);
}

static int check_name(struct invocation *in)
{
	struct view name = view_str(option(in, OPTION_NAME, ""));

	if (!name.n || name.n > NAME_MAX_BYTES || !text_is_clean(name))
		return error_set(&in->error, "--name: 1 to %d bytes of printable text",
			NAME_MAX_BYTES);
	return 0;
}

/* The ledger's rules from the options. Returns 0 or -1 with a text. */
static int take_rules(struct setup *s, struct invocation *in)
{
	return rules_make(&s->rules, in) ||
			option_guardian(in, s->guardian, &s->guardian_given) ?
		-1 :
		0;
}

/* An absolute path: the daemon runs in another folder. Returns 0 or -1. */
static int take_path(char dst[CONFIG_PATH_MAX], struct invocation *in, enum option_id id,
	const char *fallback)
{
	const char *path = option(in, id, fallback);
	char here[PATH_MAX] = "";
	int n;

	if (path[0] != '/' && !getcwd(here, sizeof here))
		return error_set(&in->error, "this folder: %s", strerror(errno));
	n = snprintf(dst, CONFIG_PATH_MAX, "%s%s%s", here, here[0] ? "/" : "", path);
	if (!path[0] || n >= CONFIG_PATH_MAX)
		return error_set(&in->error, "--%s: a path of 1 to %d bytes",
			id ? option_specs[id].name : fallback, CONFIG_PATH_MAX - 1);
	return 0;
}

/* A value or, of "none", nothing. Returns 0 or -1. */
static int take_or_none(char *dst, size_t size, struct invocation *in, enum option_id id,
	const char *fallback)
{
	const char *text = option(in, id, fallback);

	if (!strcmp(text, "none"))
		text = "";
	if ((size_t)snprintf(dst, size, "%s", text) >= size)
		return error_set(&in->error, "--%s: at most %zu bytes",
			option_specs[id].name, size - 1);
	return 0;
}

/* Whether to make a node, not only a ledger; see the help of init. */
static bool wants_node(struct invocation *in)
{
	char answer[16] = "";

	if (given(in, OPTION_NAME) || given(in, OPTION_MEMBER_KEY) ||
		given(in, OPTION_CONFIG_OUT) || given(in, OPTION_SECURITY_LOG) ||
		given(in, OPTION_HEP))
		return true;
	if (given(in, OPTION_YES))
		return !given(in, OPTION_LEDGER) && !given(in, OPTION_OWNER_KEY);
	fprintf(stderr,
		"Set this machine up as a node too: its key, its membership, its "
		"configuration? [yes]: ");
	if (!fgets(answer, sizeof answer, stdin))
		return false;
	return answer[0] != 'n' && answer[0] != 'N';
}

int setup_choose_node(struct setup *s, struct invocation *in)
{
	const char *log = "none";
	char host[NAME_MAX_BYTES + 1] = "";

	if (gethostname(host, sizeof host - 1) || !host[0])
		snprintf(host, sizeof host, "node");
	if (!access("/var/log/asterisk", F_OK))
		log = "/var/log/asterisk/security.json";
	question(in, OPTION_NAME, "This node's name, which the other members see", host,
		check_name);
	question(in, OPTION_MEMBER_KEY, "This node's key file",
		s->root ? "/etc/sipchain/member.key" : "member.key", NULL);
	question(in, OPTION_HEP, "Where does the PBX send HEP? (none: nowhere)",
		"udp:127.0.0.1:9060", NULL);
	question(in, OPTION_SECURITY_LOG,
		"Asterisk's security.json (none: there is none)", log, NULL);
	question(in, OPTION_CONFIG_OUT, "Where shall the configuration be?",
		s->root ? CONFIG_PATH : "sipchain.conf", NULL);
	if (given(in, OPTION_NAME) && check_name(in))
		return -1;
	snprintf(s->name, sizeof s->name, "%s", option(in, OPTION_NAME, host));
	if (s->root) {
		snprintf(s->state, sizeof s->state, "/var/lib/sipchain");
		snprintf(s->run, sizeof s->run, "/run/sipchain");
	} else if (take_path(s->state, in, OPTION_NONE, "state") ||
		take_path(s->run, in, OPTION_NONE, "run")) {
		return -1;
	}
	return take_path(s->member_key, in, OPTION_MEMBER_KEY,
		       s->root ? "/etc/sipchain/member.key" : "member.key") ||
			take_path(s->config, in, OPTION_CONFIG_OUT,
				s->root ? CONFIG_PATH : "sipchain.conf") ||
			take_or_none(s->hep, sizeof s->hep, in, OPTION_HEP,
				"udp:127.0.0.1:9060") ||
			take_or_none(s->security_log, sizeof s->security_log, in,
				OPTION_SECURITY_LOG, log) ?
		-1 :
		0;
}

int setup_choose(struct setup *s, struct invocation *in)
{
	const char *ledger, *owner;

	memset(s, 0, sizeof *s);
	s->root = geteuid() == 0;
	s->node = wants_node(in);
	ledger = s->root || !s->node ? "/var/lib/sipchain/ledger.db" : "ledger.db";
	owner = s->root && s->node ? "/etc/sipchain/owner.key" : "owner.key";
	question(in, OPTION_LEDGER, "Where shall the ledger's file be?", ledger, NULL);
	question(in, OPTION_OWNER_KEY,
		"The owner's key file (keep it off this machine later)", owner, NULL);
	question(in, OPTION_THRESHOLD,
		"How much weight must agree before anything is blocked?", "1",
		check_threshold);
	question(in, OPTION_MAX_TTL, "The longest life of a report", "7d", check_max_ttl);
	if (take_rules(s, in) || take_path(s->ledger, in, OPTION_LEDGER, ledger) ||
		take_path(s->owner_key, in, OPTION_OWNER_KEY, owner) ||
		(s->node && setup_choose_node(s, in)))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	return 0;
}
