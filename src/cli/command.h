/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "api/control.h"
#include "base/error.h"

/*
 * One table of commands gives dispatch, usage, the manual page and the shell
 * completion. A command is one or two words; its options come from one table
 * too, so that --json means the same everywhere.
 */
#define OPTIONS_MAX   28
#define ARGUMENTS_MAX 64

enum option_id {
	OPTION_NONE = 0,
	OPTION_HELP,
	OPTION_JSON,
	OPTION_CONFIG,
	OPTION_SOCKET,
	OPTION_LEDGER,
	OPTION_KEY,
	OPTION_OWNER_KEY,
	OPTION_GUARDIAN,
	OPTION_THRESHOLD,
	OPTION_MAX_TTL,
	OPTION_MIN_V4,
	OPTION_MIN_V6,
	OPTION_MIN_E164,
	OPTION_ALLOW_UNROUTABLE,
	OPTION_NAME,
	OPTION_SIGNER,
	OPTION_WEIGHT,
	OPTION_CAP,
	OPTION_CATEGORY,
	OPTION_TTL,
	OPTION_NOTE,
	OPTION_KIND,
	OPTION_BLOCKED,
	OPTION_LIMIT,
	OPTION_MEMBER_KEY,
	OPTION_CONFIG_OUT,
	OPTION_SECURITY_LOG,
	OPTION_HEP,
	OPTION_YES,
	OPTION_ENDPOINT,
	OPTION_CONTRACT,
	OPTION_ZERO_FEE,
	OPTION_MAX_FEE,
	OPTION_TX,
	OPTION_DRY_RUN,
	OPTION_DIRECT,
	OPTION_WAIT,
	OPTION_TIMEOUT,
	OPTION_REPORTS,
	OPTION_OUT,
	OPTION_PASSWORD_FILE,
	OPTION_FILTER,
	OPTION_FILTERS,
	OPTION_RAW,
	OPTION_PRINT_ALL_MATCHED,
	OPTION_PRINT_ALL_MISSED,
	OPTION_PRINT_ALL_IGNORED,
	OPTION_HISTORY,
	OPTION_CLASS,
	OPTION_FOLDER,
	OPTION_SINCE,
	OPTION_SOURCE,
	OPTION_NUMBER,
	OPTION_PROVED,
	OPTION_BY,
	OPTION_PCAP,
	OPTION_COUNTRY,
	OPTION_OUTSIDE,
	OPTION_SINCE_ID,
	OPTION_COUNT
};

struct option_spec {
	const char *name;  /* without the dashes */
	const char *value; /* "FILE", or NULL for a switch */
	const char *help;
};

extern const struct option_spec option_specs[OPTION_COUNT];

struct invocation;

struct command {
	const char *name; /* "member" */
	const char *sub;  /* "add", or NULL */
	int (*run)(struct invocation *in);
	const char *arguments; /* "MEMBER", "INDICATOR ..." */
	unsigned min_arguments, max_arguments;
	const char *summary;          /* one line */
	const char *example;          /* command lines that work, one a line */
	uint8_t options[OPTIONS_MAX]; /* enum option_id; --help and --json always */
	const char *more;             /* what its help says beside the summary, or NULL */
};

extern const struct command commands[];
extern const size_t commands_count;

/* A command line, parsed against its command's options. */
struct invocation {
	const struct command *command;
	const char *arguments[ARGUMENTS_MAX];
	unsigned count;
	const char *options[OPTION_COUNT];   /* value, "" for a switch, NULL: absent */
	const char *repeated[ARGUMENTS_MAX]; /* --signer may be given again */
	unsigned repeated_count;
	const char *group; /* help was asked for on a group of commands, "member" */
	struct error error;
};

/* Whether an option was given; its value or a default. */
bool given(const struct invocation *in, enum option_id id);
const char *option(const struct invocation *in, enum option_id id, const char *fallback);

/*
 * Parse argv after the program's name; options may stand before the command
 * too. Returns 0; -1 with in->error for a usage error; 1 when help was asked
 * for: of in->command, of in->group, or, both NULL, of everything.
 */
int invocation_parse(struct invocation *in, int argc, char **argv);

/*
 * Say what is wrong on standard error ("sipchain: ..."); returns code. After
 * failures_as_json() also {"error": ..., "code": ...} on standard output.
 */
int failure(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void failures_as_json(void);

/* Print a JSON value to standard output, for --json. Returns 0. */
int print_json(const json_t *value);

/* Text from a ledger, a peer or a log, made fit for a terminal (static). */
const char *shown(const char *text);

/*
 * A whole sentence from the daemon, whose quotes stay: as it is when it is
 * clean text, else escaped (static).
 */
const char *shown_sentence(const char *text);

/* RFC 3339 and the distance from now: "2026-11-21T10:00:00Z (in 9m)" (static). */
const char *shown_time(uint64_t sec);

/* --- texts made of the table --- */

void usage_print(FILE *out);
void group_help_print(FILE *out, const char *group);
void command_help_print(FILE *out, const struct command *c);
void manual_print(FILE *out);
void config_manual_print(FILE *out);

/* Text with what man(7) would take for its own made harmless. */
void roff_print(FILE *out, const char *text);
void completion_print(FILE *out);

/* --- the commands, by file --- */

/* init.c */
int run_init(struct invocation *in);

/* init_chain.c: init with --endpoint */
int run_init_chain(struct invocation *in);

/* contract_deploy.c, contract_info.c, contract_verify.c */
int run_contract_deploy(struct invocation *in);
int run_contract_info(struct invocation *in);
int run_contract_verify(struct invocation *in);

/* key.c */
int run_key_new(struct invocation *in);
int run_key_address(struct invocation *in);
int run_key_import(struct invocation *in);
int run_key_export(struct invocation *in);

/* key_balance.c */
int run_key_balance(struct invocation *in);

/* ledger_admin.c: member, protect */
int run_member_add(struct invocation *in);
int run_member_remove(struct invocation *in);
int run_member_suspend(struct invocation *in);
int run_member_resume(struct invocation *in);
int run_member_list(struct invocation *in);
int run_protect_add(struct invocation *in);
int run_protect_remove(struct invocation *in);
int run_protect_list(struct invocation *in);
int run_ledger_pause(struct invocation *in);
int run_ledger_unpause(struct invocation *in);

/* member_change.c */
int run_member_set(struct invocation *in);
int run_member_signer_add(struct invocation *in);
int run_member_signer_remove(struct invocation *in);

/* ledger_change.c: who governs the ledger, its rules, its end */
int run_ledger_config(struct invocation *in);
int run_ledger_guardian(struct invocation *in);
int run_ledger_owner_propose(struct invocation *in);
int run_ledger_owner_accept(struct invocation *in);
int run_ledger_supersede(struct invocation *in);

/* ledger_show.c */
int run_ledger_show(struct invocation *in);

/* ledger_read.c */
int run_ledger_verify(struct invocation *in);
int run_ledger_export(struct invocation *in);

/* evidence.c, evidence_verify.c */
int run_evidence_list(struct invocation *in);
int run_evidence_show(struct invocation *in);
int run_evidence_export(struct invocation *in);
int run_evidence_verify(struct invocation *in);

/* ledger_bench.c */
int run_ledger_bench(struct invocation *in);

/* ask_status.c, ask_list.c, ask_check.c, ask_watch.c: they ask the daemon */
int run_status(struct invocation *in);
int run_list(struct invocation *in);
int run_check(struct invocation *in);
int run_explain(struct invocation *in);
int run_banned(struct invocation *in);
int run_connector_status(struct invocation *in);
int run_connector_resync(struct invocation *in);
int run_connector_clear(struct invocation *in);
int run_connector_forget(struct invocation *in);
int run_watch(struct invocation *in);
int run_webhook_status(struct invocation *in);
int run_webhook_test(struct invocation *in);
int run_webhook_retry(struct invocation *in);
int run_webhook_secret(struct invocation *in);
int run_allow_list(struct invocation *in);

/* number.c */
int run_number(struct invocation *in);

/* node_order.c: commands that change something in the daemon */
int run_report(struct invocation *in);
int run_object(struct invocation *in);
int run_revoke(struct invocation *in);
int run_ban(struct invocation *in);
int run_unban(struct invocation *in);
int run_allow_add(struct invocation *in);
int run_allow_remove(struct invocation *in);

/* config_commands.c */
int run_config_test(struct invocation *in);
int run_config_show(struct invocation *in);
int run_config_sample(struct invocation *in);
int run_version(struct invocation *in);
int run_manual(struct invocation *in);
int run_completion(struct invocation *in);

/* filter_test.c, filter_import.c */
int run_filter_test(struct invocation *in);
int run_filter_import(struct invocation *in);

/* honeypot_list.c, honeypot_follow.c, honeypot_export.c: what it recorded */
int run_honeypot_sessions(struct invocation *in);
int run_honeypot_show(struct invocation *in);
int run_honeypot_tail(struct invocation *in);
int run_honeypot_export(struct invocation *in);

/* direct_report.c: the same without the daemon, on the ledger itself */
int direct_report(struct invocation *in);
int direct_object(struct invocation *in);
int direct_revoke(struct invocation *in);

/*
 * direct_ask.c: what the daemon answers to `list` and `check`, from the ledger
 * itself, which is read once by direct_open(). NULL after having said why;
 * *code is the exit code then. Answers are new references; direct_check() has
 * NULL for what is no indicator.
 */
struct direct_answers;
struct direct_answers *direct_open(struct invocation *in, int *code);
json_t *direct_list(struct direct_answers *a, const char *kind);
json_t *direct_check(struct direct_answers *a, const char *text);
void direct_close(struct direct_answers *a);

/* --- reaching the daemon --- */

/*
 * Ask the daemon, whose socket comes from --socket, else from the
 * configuration. Takes over arguments. Returns the result (new reference), or
 * NULL after having said why; *code is the exit code then.
 */
json_t *ask(struct invocation *in, const char *command, json_t *arguments, int *code);

/*
 * Who answers a command that the daemon and the ledger itself can answer: the
 * ledger with --direct or when the command line names a ledger or a key; the
 * daemon when it runs; else the ledger again, which is said on standard error,
 * if this user can read the node's key.
 */
enum whom {
	WHOM_DAEMON,
	WHOM_LEDGER,
	WHOM_NOBODY, /* said why; *code is the exit code */
};
enum whom whom_to_ask(struct invocation *in, int *code);

/* What a member of an answer holds; "" and 0 when it is not there. */
const char *text_of(const json_t *o, const char *key);
long long number_of(const json_t *o, const char *key);
bool is_true(const json_t *o, const char *key);

/*
 * CONTROL_PERMISSION after having said so when this user may not use a file
 * (mode: R_OK, W_OK), which may still not be there; else 0.
 */
int file_permitted(const char *path, int mode);

/*
 * From here to progress_end() whatever takes over a second says so on a
 * terminal: "what ... 3 s", on one line of standard error that goes away.
 */
void progress_begin(const char *what);
void progress_end(void);

/* Connect for a watch. NULL after having said why. */
struct control_connection *reach(struct invocation *in, int *code);

#endif
