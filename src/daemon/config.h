/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "base/buffer.h"
#include "base/log.h"
#include "decide/own_number.h"
#include "detect/detect.h"
#include "enforce/nft.h"
#include "ledger/ethereum/settings.h"
#include "sense/syslog_server.h"

/*
 * The configuration: INI files described by one table (config_schema.c), from
 * which reading, checking, printing and the sample file all come.
 */
#define CONFIG_PATH_MAX       256
#define CONFIG_LISTEN_MAX     16
#define CONFIG_LOGS_MAX       16
#define CONFIG_ALLOW_MAX      65536
#define CONFIG_SOURCES_MAX    16
#define CONFIG_CONNECTORS_MAX 8
#define CONFIG_PRINTED_MAX    (16U << 20) /* bytes of a configuration's text */

struct config_listen {
	uint8_t transport; /* TRANSPORT_UDP or TRANSPORT_TCP; a honeypot's: any */
	struct address address;
	uint16_t port;
};

struct config_server {
	struct address address;
	uint16_t port;
};

enum config_source_type {
	CONFIG_SOURCE_AMI = 1,
	CONFIG_SOURCE_LOG = 2,
	CONFIG_SOURCE_KAMAILIO = 3,
};

/* One [source "name"]; what its type does not have is zero, or the default. */
struct config_source {
	char name[33];
	uint8_t type; /* enum config_source_type */
	/* of ami */
	struct config_server address;
	char user[33];
	char secret_file[CONFIG_PATH_MAX];
	/* of log */
	char filter[CONFIG_PATH_MAX]; /* as definition_load() takes it */
	/* of log and kamailio: where lines come from, one of path, journal, syslog */
	char path[CONFIG_PATH_MAX];
	char journal[64]; /* a unit or an identifier */
	char journal_path[CONFIG_PATH_MAX];
	struct config_listen syslog; /* transport 0: none */
	struct syslog_config from;   /* who may send */
};

enum config_connector_type {
	CONFIG_CONNECTOR_ASTERISK = 1,
	CONFIG_CONNECTOR_KAMAILIO = 2,
	CONFIG_CONNECTOR_HOOK = 3,
};

/* One [connector "name"]; what its type does not have is zero, or the default. */
struct config_connector {
	char name[33];
	uint8_t type; /* enum config_connector_type */
	/* of asterisk */
	struct config_server address;
	char user[33];
	char secret_file[CONFIG_PATH_MAX];
	/* of kamailio */
	char socket[CONFIG_PATH_MAX];
	char reply[CONFIG_PATH_MAX];                            /* "": below [node] run */
	char numbers[33], uris[33], domains[33], addresses[33]; /* its htables */
	/* of hook */
	char program[CONFIG_PATH_MAX];
	char arguments[1024]; /* words, by blanks */
	char run_as[33];
};

#define CONFIG_ACCOUNTS_MAX 64
#define CONFIG_ACCOUNT_MAX  32 /* bytes of a name, with NUL */

/* The honeypot. What is empty or 0 where that is no value: none. */
struct config_honeypot {
	struct config_listen listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	char profile[33];
	char profiles[CONFIG_PATH_MAX], tools[CONFIG_PATH_MAX]; /* the operator's files */
	char account[CONFIG_ACCOUNTS_MAX][CONFIG_ACCOUNT_MAX];
	uint32_t account_count;
	uint32_t accept_after;
	uint32_t ring, talk; /* seconds */
	struct address advertised;
	uint32_t per_source, total; /* messages a second */
	uint32_t calls;             /* kept at once */
	uint32_t connections, connections_tls, connections_per_source;
	char certificate[CONFIG_PATH_MAX], key[CONFIG_PATH_MAX];
	bool secrets;
	char record[CONFIG_PATH_MAX]; /* folder; "": STATE/honeypot */
	uint32_t record_max;          /* bytes */
	uint32_t record_keep;         /* seconds */
	struct config_server hep;     /* where copies go; family 0: nowhere */
	uint32_t hep_id;
	char hep_password[128];
};

#define CONFIG_API_LISTEN_MAX 8
#define CONFIG_TOKENS_MAX     16

struct config_api_listen {
	char path[108]; /* of a Unix socket; "": TCP */
	struct address address;
	uint16_t port;
};

/* One [token "name"]. */
struct config_token {
	char name[33];
	uint8_t type;   /* unused: it has none */
	uint8_t rights; /* enum http_right, bits */
	uint8_t class;  /* enum proof: of the reports it sends */
	uint32_t rate;  /* reports a minute; 0: no limit */
	char secret_file[CONFIG_PATH_MAX];
};

#define CONFIG_WEBHOOKS_MAX    16
#define CONFIG_WEBHOOK_URL_MAX 512

/* One [webhook "name"]. */
struct config_webhook {
	char name[33];
	uint8_t type; /* unused: it has none */
	bool enabled, insecure;
	uint32_t timeout; /* seconds */
	char url[CONFIG_WEBHOOK_URL_MAX];
	char secret_file[CONFIG_PATH_MAX], secret_file_next[CONFIG_PATH_MAX];
	char events[256]; /* types, by blanks; "": all */
	char ca_file[CONFIG_PATH_MAX];
};

struct config_allow {
	struct indicator indicator;
	char note[80];
};

enum config_ledger {
	CONFIG_LEDGER_LOCAL = 1,
	CONFIG_LEDGER_ETHEREUM = 2,
};

enum config_enforce {
	CONFIG_ENFORCE_NONE = 1,
	CONFIG_ENFORCE_NFTABLES = 2,
};

struct config {
	struct {
		char name[NAME_MAX_BYTES + 1];
		char user[33];
		char state[CONFIG_PATH_MAX]; /* folder of the databases */
		char run[CONFIG_PATH_MAX];   /* folder of control.sock */
		char control_group[33]; /* may use the control socket; "": root only */
		bool observe;
		uint8_t log_level; /* enum log_level */
	} node;
	struct {
		/* A path, or credential:NAME (signer.h); "": this node only reads. */
		char key[CONFIG_PATH_MAX];
	} member;
	struct {
		uint8_t type;               /* enum config_ledger */
		char path[CONFIG_PATH_MAX]; /* local: the ledger; ethereum: the journal */
		struct ethereum_settings ethereum; /* zeros with type = local */
	} ledger;
	struct {
		struct config_listen listen[CONFIG_LISTEN_MAX];
		size_t listen_count;
		char password[128]; /* HEP's auth key chunk; "": none asked for */
	} hep;
	struct config_honeypot honeypot;
	struct {
		char path[CONFIG_LOGS_MAX][CONFIG_PATH_MAX];
		size_t path_count;
	} security_log;
	struct config_source sources[CONFIG_SOURCES_MAX];
	size_t source_count;
	struct config_connector connectors[CONFIG_CONNECTORS_MAX];
	size_t connector_count;
	struct detect_config detect; /* more: what rules.read is */
	struct {
		char path[CONFIG_PATH_MAX]; /* "": the built-in rules alone */
		struct buffer text;         /* the file's */
		struct rules *read;         /* malloc; NULL: the built-in ones */
	} rules;
	struct {
		uint32_t publish; /* bit 1 << enum proof: detections to report */
		uint32_t
			ttl; /* seconds: a report lives as long as its ban, at least this */
		uint8_t unproved;      /* enum own_unproved: which of them ban here */
		uint32_t unproved_ban; /* seconds */
	} report;
	struct {
		/* Texts that config_numbers.c reads; "": not given. */
		char country[16], area[16], trunk[16], outside[80], international[80];
		char shorts[256], extensions[16], own[1024], domains[1024];
		bool bare;
		bool domestic; /* those of the own country are told, and blocked, too */
		bool publish;
		struct detect_rule calls, prefix;
		uint32_t ttl; /* seconds */
	} numbers;
	struct {
		uint32_t keep; /* seconds that a record is kept at least */
		uint32_t max;  /* bytes of all records together */
	} evidence;
	struct policy policy;
	struct {
		struct config_allow *entry; /* malloc */
		size_t entry_count;
		bool automatic; /* own addresses, gateways, resolvers too */
		/* Seconds that a phone stays on it after it authenticated; 0: off. */
		uint32_t registered;
		bool trunks; /* the PBX's, too */
	} allow;
	struct {
		uint8_t type; /* enum config_enforce */
		struct nft_config nft;
	} enforce;
	struct {
		struct config_api_listen listen[CONFIG_API_LISTEN_MAX];
		size_t listen_count;
		bool anonymous; /* this machine's programs may ask without a token */
		bool behind_proxy;
		uint32_t connections;
		char tls_certificate[CONFIG_PATH_MAX], tls_key[CONFIG_PATH_MAX];
	} api;
	struct config_token tokens[CONFIG_TOKENS_MAX];
	size_t token_count;
	struct config_webhook webhooks[CONFIG_WEBHOOKS_MAX];
	size_t webhook_count;
};

/*
 * Read path and then path.d/NAME.conf in name order; later files override
 * single values and add to repeated ones. Every error is appended to errors as
 * one line "file:line: what, and what would be right\n". Returns 0, or -1 with
 * *out holding nothing.
 */
int config_load(struct config *out, const char *path, struct buffer *errors);

/*
 * The same for who runs no node: required keys may be absent, as in the ledger's
 * section alone that `contract deploy --config-out` writes.
 */
int config_load_partial(struct config *out, const char *path, struct buffer *errors);

/* The same from one text; name stands for the file in errors. */
int config_parse(
	struct config *out, const char *name, struct view text, struct buffer *errors);

/*
 * What the configuration says about this node's own detections, for
 * own_decide(); may_report is the caller's to fill. Pure.
 */
void config_own(struct own_config *out, const struct config *c);

/* Release what config holds and zero it. */
void config_free(struct config *c);

/* Secrets are left out, or shown as "***", but for those that are named. */
enum config_print_flags {
	CONFIG_PRINT_PASSWORDS = 1, /* what senders of HEP must give */
	CONFIG_PRINT_ENDPOINTS = 2, /* the endpoints' lines whole */
	CONFIG_PRINT_HOSTS = 4,     /* .. else scheme and host alone, which read back */
	CONFIG_PRINT_FILES = 8,     /* what is in files of rules instead of their names */
	CONFIG_PRINT_WEBHOOKS = 16, /* the webhooks' URLs whole */
	CONFIG_PRINT_SECRETS = CONFIG_PRINT_PASSWORDS | CONFIG_PRINT_ENDPOINTS |
		CONFIG_PRINT_WEBHOOKS,
};

/*
 * The effective configuration as text that config_parse() reads back to the
 * same configuration. Returns 0, or -1 when out fails.
 */
int config_print(struct buffer *out, const struct config *c, unsigned flags);

/*
 * What is allowed but not wise, one line each ("[section] key: ...\n").
 * Returns 0, or -1 when out fails.
 */
int config_warnings(struct buffer *out, const struct config *c);

/* Every section and key with its help and default, as comments. 0 or -1. */
int config_sample(struct buffer *out);

#endif
