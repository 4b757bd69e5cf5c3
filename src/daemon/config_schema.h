/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_SCHEMA_H
#define DAEMON_CONFIG_SCHEMA_H

#include "daemon/config.h"

/* The one table that describes the configuration; see config_keys.c. */
enum config_type {
	CONFIG_BOOL = 1,    /* bool: yes, no */
	CONFIG_COUNT,       /* uint32_t: 1000, 64k */
	CONFIG_DURATION,    /* uint32_t seconds: 90, 10m */
	CONFIG_TEXT,        /* char[]: min..max bytes of clean text */
	CONFIG_WORD,        /* char[]: letters, digits, '_', '-', '.' */
	CONFIG_PATH_NAME,   /* char[]: absolute path */
	CONFIG_SECRET,      /* char[]: a password */
	CONFIG_SECRET_FILE, /* path of a file whose first line is that password */
	CONFIG_CHOICE,      /* uint8_t: one of choices */
	CONFIG_PROOFS,      /* uint32_t: bits 1 << enum proof */
	CONFIG_RULE,        /* struct detect_rule: 3/10m, off */
	CONFIG_QUORUM,      /* uint32_t: N, never */
	CONFIG_PORTS,       /* of struct nft_config */
	CONFIG_LISTEN,      /* struct config_listen[]: udp:ADDRESS:PORT */
	CONFIG_RULES_FILE,  /* of struct config's rules: path, and its text */
	CONFIG_RULES_LINE,  /* a line of that text */
	CONFIG_PATHS,       /* char[][CONFIG_PATH_MAX] */
	CONFIG_ALLOW,       /* struct config_allow *: INDICATOR note */
	CONFIG_KEY_NAME,    /* char[]: absolute path, or credential:NAME */
	CONFIG_SERVER,      /* struct config_server: ADDRESS:PORT */
	CONFIG_SYSLOG,      /* struct config_listen: udp:ADDRESS:PORT, or empty */
	CONFIG_SENDERS,     /* struct syslog_config: addresses, or empty */
	/* config_honeypot.c: */
	CONFIG_SIP_LISTEN,  /* struct config_listen[]: udp, tcp, tls, ws, wss */
	CONFIG_ACCOUNTS,    /* of struct config_honeypot: names */
	CONFIG_HOST,        /* struct address, or empty */
	CONFIG_COLLECTOR,   /* struct config_server: udp:ADDRESS:PORT, or empty */
	CONFIG_WEBHOOK_URL, /* char[]: printed with its path for one role alone */
	CONFIG_API_LISTEN,  /* struct config_api_listen[]: unix:PATH, tcp:ADDRESS:PORT */
	/* config_chain.c: */
	CONFIG_ADDRESS,   /* uint8_t[20]: 0x... */
	CONFIG_HASH,      /* uint8_t[32]: 0x... */
	CONFIG_NUMBER,    /* uint64_t; 0: not given */
	CONFIG_FEE,       /* uint64_t wei: gwei with decimals */
	CONFIG_FINALITY,  /* of struct ethereum_settings: N, safe, finalized */
	CONFIG_POLL,      /* uint32_t milliseconds: 500ms, 2s */
	CONFIG_ENDPOINTS, /* of struct ethereum_settings: endpoint_parse()'s lines */
};

enum config_key_flags {
	CONFIG_REQUIRED = 1,  /* no default: the operator must say */
	CONFIG_REPEATED = 2,  /* each line adds one; an empty value empties the list */
	CONFIG_ALIAS = 4,     /* another way to say an earlier key: never printed */
	CONFIG_INTERNAL = 16, /* what roles are told: not shown, not in the sample */
	CONFIG_CHAIN = 8,     /* means something with [ledger] type = ethereum only */
};

struct config_choice {
	const char *name; /* NULL ends the list */
	uint8_t value;
};

struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	unsigned flags;
	/* The default as one would write it; NULL: it stands in the struct. */
	const char *fallback;
	uint64_t min, max; /* of a number or of a text's length */
	size_t offset;     /* in struct config */
	size_t size;       /* of that member */
	size_t count;      /* offset of a repeated key's size_t count */
	const struct config_choice *choices;
	const char *help; /* lines for the sample file */
	/* Of a named section: bits 1 << its type that have it; 0: all. */
	unsigned of;
	const char *example; /* of a named section: its value there; NULL: the default */
};

struct config_section {
	const char *name;
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_count;
extern const struct config_section config_sections[];
extern const size_t config_sections_count;
/* By enum config_source_type: lines for the sample file. */
extern const char *const config_source_help[];

#define CONFIG_KEYS_MAX 256

/* Where a ledger is when its path is not given. */
#define CONFIG_PATH_LOCAL    "/var/lib/sipchain/ledger.db"
#define CONFIG_PATH_ETHEREUM "/var/lib/sipchain/ethereum.db"

/* The key, or NULL. */
const struct config_key *config_key_find(const char *section, const char *name);
const struct config_section *config_section_find(const char *name);

/* Where the key's value stands in c. */
static inline void *config_at(struct config *c, size_t offset)
{
	return (char *)c + offset;
}

static inline const void *config_at_const(const struct config *c, size_t offset)
{
	return (const char *)c + offset;
}

/*
 * Set c to the defaults (required keys empty). Aborts when the table itself
 * is wrong: a test sees to that.
 */
void config_defaults(struct config *c);

/* Parse one value into c. Returns 0, or -1 with what would be right. */
int config_value_parse(struct config *c, const struct config_key *k, struct view value,
	struct error *err);

/*
 * What follows from other keys: the ledger's path by its type, and nothing
 * kept of what belongs to another type.
 */
void config_complete(struct config *c);

/* Rules between several keys. at names the key to blame. 0 or -1. */
int config_cross_check(
	const struct config *c, const struct config_key **at, struct error *err);

/*
 * Append one value's text: the i-th of a repeated key, which must exist. flags:
 * enum config_print_flags, for keys whose values hold secrets among other
 * things. Returns as buffer_put().
 */
int config_value_print(struct buffer *out, const struct config *c,
	const struct config_key *k, size_t i, unsigned flags);

/* How many values a key has: 1 unless it is repeated. */
size_t config_value_count(const struct config *c, const struct config_key *k);

#endif
