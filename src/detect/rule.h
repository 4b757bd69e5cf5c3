/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_RULE_H
#define DETECT_RULE_H

#include "base/buffer.h"
#include "sense/observation.h"

/*
 * What is detected, as data: packaging/rules.conf is built in, and a file of
 * the operator's changes single values of its rules or adds rules. That file
 * explains every key.
 */
#define RULES_MAX        32
#define RULE_NAME_MAX    32
#define RULE_REASON_MAX  200
#define RULE_DIALLED_MAX 24 /* prefixes of one rule */
#define RULE_PREFIX_MAX  12
#define RULE_PHONES_MAX  500 /* bytes */

/* The most that any threshold can ask for, multiplied or not. */
#define THRESHOLD_MAX 64

/* Seconds of a ban: as [detect] ban says, doubled by offence. */
#define RULE_BAN_USUAL UINT32_MAX

struct detect_rule {
	uint32_t threshold; /* attempts; more than 64 count as 64; 0: off */
	uint32_t window;    /* seconds */
};

/* What the attempts of one group have in common. */
enum rule_per {
	RULE_PER_SOURCE = 0,
	RULE_PER_NETWORK, /* the /64 of an IPv6 source */
	RULE_PER_ACCOUNT,
	RULE_PER_DIALLED,
};

/* What is counted in a group. */
enum rule_distinct {
	RULE_ATTEMPTS = 0,
	RULE_SOURCES,
	RULE_ACCOUNTS,
	RULE_DIALLED,
};

/* Whether a source that nothing proves may be banned. */
enum rule_unproved {
	RULE_UNPROVED_NEVER = 0,
	RULE_UNPROVED_TOOK_PART, /* when its attempts show that it gets our answers */
	RULE_UNPROVED_UNFORGED,  /* when the wire saw them, and no sign of forgery */
	RULE_UNPROVED_ALWAYS,    /* when the wire saw them */
};

struct rule {
	char name[RULE_NAME_MAX];
	bool enabled;
	bool together; /* one kind; its attempts weigh together with other such rules' */
	bool registered_too; /* what is proved counts of a registered phone as well */
	bool publish;
	bool while_banned; /* told although a ban runs already */
	uint8_t per;       /* enum rule_per */
	uint8_t distinct;  /* enum rule_distinct */
	uint8_t unproved;  /* enum rule_unproved */
	uint8_t category;  /* enum category */
	uint32_t signs;    /* only requests with all these, enum observation_sign */
	uint32_t kinds;    /* bits by enum observation_kind */
	uint32_t sensors;  /* bits by enum observation_sensor; 0: all */
	uint32_t methods;  /* bits by enum sip_method; 0: all */
	struct detect_rule threshold;
	uint32_t sources;      /* at least so many addresses in the group */
	uint32_t failures;     /* of the account before it succeeded; 0: no matter */
	uint32_t ban;          /* seconds, 0: none, RULE_BAN_USUAL */
	uint32_t unproved_ban; /* seconds at most */
	uint32_t digits;       /* the dialled string has at least so many */
	char dialled[RULE_DIALLED_MAX][RULE_PREFIX_MAX]; /* prefixes; "" ends them */
	uint32_t private_methods;     /* bits by enum sip_method, see rules.conf */
	char phones[RULE_PHONES_MAX]; /* beginnings of User-Agents, one space between */
	char reason[RULE_REASON_MAX];
};

struct rules {
	struct rule at[RULES_MAX];
	unsigned n;
};

/* The built-in rules. Parsed on first use; aborts when they are wrong. */
const struct rules *rules_builtin(void);

/* The text of packaging/rules.conf. */
struct view rules_builtin_text(void);

/*
 * Change or add to *rules what text says; name stands for the file in errors.
 * Every error is appended to errors as one line "file:line: what, and what
 * would be right\n". Returns 0, or -1 with errors; *rules is then undefined.
 */
int rules_read(
	struct rules *rules, const char *name, struct view text, struct buffer *errors);

/* The rule with this name, or NULL. */
struct rule *rules_find(struct rules *rules, struct view name);

/* The enabled rule by which attempts of a kind weigh together, or NULL. */
const struct rule *rules_together(const struct rules *rules, uint8_t kind);

/* Bit by rule: those that a dialled string fits, if they ask for one at all. */
uint32_t rules_fit(const struct rules *rules, const char *dialled);

/* Whether a rule takes this User-Agent for a phone's. */
bool rules_phone(const struct rules *rules, const char *agent);

/* What may stand in a reason. */
struct reason_facts {
	const char *source, *account, *dialled, *agent; /* hostile: escaped here */
	const char *proof;
	uint32_t attempts, window, sources, accounts, numbers;
};

/*
 * A rule's reason with its placeholders filled in, such as "{attempts} wrong
 * passwords for {accounts} accounts in {window}", into dst. Texts of senders
 * are escaped and cut to 40 bytes. Returns dst.
 */
char *rule_reason(char *dst, size_t size, const struct rule *rule,
	const struct reason_facts *facts);

#endif
