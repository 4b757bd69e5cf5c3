/* SPDX-License-Identifier: Apache-2.0 */
/* Every key of the configuration; config_schema.c has what is done with them. */
#include "daemon/config_api.h"
#include "daemon/config_chain.h"
#include "daemon/config_connector.h"
#include "daemon/config_honeypot_keys.h"
#include "daemon/config_source.h"

static const struct config_choice levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
	{NULL, 0},
};

static const struct config_choice ledgers[] = {
	{"local", CONFIG_LEDGER_LOCAL},
	{"ethereum", CONFIG_LEDGER_ETHEREUM},
	{NULL, 0},
};

static const struct config_choice enforcers[] = {
	{"none", CONFIG_ENFORCE_NONE},
	{"nftables", CONFIG_ENFORCE_NFTABLES},
	{NULL, 0},
};

static const struct config_choice source_types[] = {
	{"ami", CONFIG_SOURCE_AMI},
	{"log", CONFIG_SOURCE_LOG},
	{"kamailio", CONFIG_SOURCE_KAMAILIO},
	{NULL, 0},
};

const char *const config_source_help[] = {
	[CONFIG_SOURCE_AMI] =
		"Asterisk's manager interface, which tells of security events, of the numbers\n"
		"that accounts dial, and of the trunks and phones that are to be allowed.",
	[CONFIG_SOURCE_LOG] =
		"A text log, read by a filter of fail2ban's, unchanged. What a log says is proved\n"
		"by nothing: it is never reported, and bans here only with unproved = ban in\n"
		"[report].",
	[CONFIG_SOURCE_KAMAILIO] =
		"What the include for Kamailio or OpenSIPS writes (sipchain.cfg).",
};

static const struct config_choice connector_types[] = {
	{"asterisk", CONFIG_CONNECTOR_ASTERISK},
	{"kamailio", CONFIG_CONNECTOR_KAMAILIO},
	{"hook", CONFIG_CONNECTOR_HOOK},
	{NULL, 0},
};

static const struct config_choice rights[] = {
	{"read", HTTP_READ},
	{"report", HTTP_READ | HTTP_REPORT},
	{NULL, 0},
};

static const struct config_choice classes[] = {
	{"manual", PROOF_MANUAL},
	{"log", PROOF_LOG},
	{NULL, 0},
};

static const struct config_choice unproved[] = {
	{"ignore", OWN_UNPROVED_IGNORE},
	{"plausible", OWN_UNPROVED_PLAUSIBLE},
	{"ban", OWN_UNPROVED_BAN},
	{NULL, 0},
};

#define AT(member)                                                                       \
	.offset = offsetof(struct config, member),                                       \
	.size = sizeof(((struct config *)0)->member)
#define COUNT(member) .count = offsetof(struct config, member)
#define SECONDS_MAX   (366 * UINT64_C(86400))
#define SOURCE_AMI    (1U << CONFIG_SOURCE_AMI)
#define SOURCE_LOG    (1U << CONFIG_SOURCE_LOG)
/* The types whose lines come from a file, the journal or remote syslog. */
#define SOURCE_TEXT  (SOURCE_LOG | 1U << CONFIG_SOURCE_KAMAILIO)
#define TO_ASTERISK  (1U << CONFIG_CONNECTOR_ASTERISK)
#define TO_KAMAILIO  (1U << CONFIG_CONNECTOR_KAMAILIO)
#define TO_HOOK      (1U << CONFIG_CONNECTOR_HOOK)
#define CHAIN_ID_MAX UINT64_C(9007199254740991) /* what JSON numbers hold exactly */

/* clang-format off */
#define RULE(key, index, text) {"detect", key, CONFIG_RULE, .max = 1000000, \
	AT(detect.rules[index]), .help = text}
#define CHAIN(key, key_type, ...) {"ledger", key, key_type, .flags = CONFIG_CHAIN, \
	__VA_ARGS__}
#define BY_PROOF(proof, index) {"policy", "quorum." proof, CONFIG_QUORUM, \
	.max = 1000000, AT(policy.by_proof[index])}
#define BY_KIND(kind, index) {"policy", "quorum." kind, CONFIG_QUORUM, \
	.max = 1000000, AT(policy.by_kind[index])}
/* clang-format on */

const struct config_key config_keys[] = {
	{"node", "name", CONFIG_TEXT, CONFIG_REQUIRED, .min = 1, AT(node.name),
		.help = "What people call this node, such as edge1.example.net. Required."},
	{"node", "user", CONFIG_WORD, .fallback = "sipchain", AT(node.user),
		.help = "The user that the roles become when started as root; empty: none."},
	{"node", "state", CONFIG_PATH_NAME, .fallback = "/var/lib/sipchain", .min = 1,
		AT(node.state), .help = "The folder of this node's own database."},
	{"node", "run", CONFIG_PATH_NAME, .fallback = "/run/sipchain", .min = 1,
		.max = 90, AT(node.run),
		.help = "The folder of control.sock, which sipchain(1) speaks to."},
	{"node", "control_group", CONFIG_WORD, .fallback = "", AT(node.control_group),
		.help = "A group whose members may use the control socket; empty: root only."},
	{"node", "observe", CONFIG_BOOL, .fallback = "no", AT(node.observe),
		.help = "Decide everything and touch nothing."},
	{"node", "log_level", CONFIG_CHOICE, .fallback = "info", AT(node.log_level),
		.choices = levels},

	{"member", "key", CONFIG_KEY_NAME, .fallback = "", AT(member.key),
		.help = "The signing key's file, or credential:NAME (LoadCredential= of the\n"
			"service); empty: this node only reads."},

	{"ledger", "type", CONFIG_CHOICE, .fallback = "local", AT(ledger.type),
		.choices = ledgers},
	{"ledger", "path", CONFIG_PATH_NAME, .fallback = "", AT(ledger.path),
		.help = "type = local: the ledger's file, which several nodes of one machine share;\n"
			"empty: " CONFIG_PATH_LOCAL ". type = ethereum: this node's own\n"
			"file of what it has verified and sent; empty:\n" CONFIG_PATH_ETHEREUM
			"."},
	{"ledger", "endpoint", CONFIG_ENDPOINTS, CONFIG_CHAIN | CONFIG_REPEATED,
		AT(ledger.ethereum.endpoints), COUNT(ledger.ethereum.endpoint_count),
		.help = "type = ethereum: where the chain is asked; may be repeated, up to 8: one is\n"
			"followed, the others witness. One line: URL [ws=URL|none]\n"
			"[header=\"Name: value\"] [basic=USER:PASSWORD] [bearer_file=FILE]\n"
			"[jwt_file=FILE] [proxy=URL] [ca_file=FILE] [origin=URL] [name=WORD]\n"
			"Example: endpoint = https://rpc.example.net/v3/KEY ws=wss://rpc.example.net/ws/KEY"},
	CHAIN("contract", CONFIG_ADDRESS, AT(ledger.ethereum.contract),
		.help = "type = ethereum: the ledger's contract. This and the next four are written by\n"
			"sipchain init: whoever answers otherwise is not this ledger."),
	CHAIN("chain_id", CONFIG_NUMBER, .max = CHAIN_ID_MAX,
		AT(ledger.ethereum.chain_id), .help = "The chain's id."),
	CHAIN("genesis", CONFIG_HASH, AT(ledger.ethereum.genesis),
		.help = "The hash of block 0."),
	CHAIN("code_hash", CONFIG_HASH, AT(ledger.ethereum.code_hash),
		.help = "Keccak-256 of the contract's code."),
	CHAIN("deployed", CONFIG_NUMBER, .max = INT64_MAX, AT(ledger.ethereum.deployed),
		.help = "The block in which the contract was made: nothing is read before it."),
	CHAIN("final", CONFIG_FINALITY, .fallback = "12", AT(ledger.ethereum.finality),
		.help = "When a block is final: with so many blocks on top of it (0: at once, on QBFT\n"
			"and IBFT), or safe or finalized, where the chain has these tags."),
	CHAIN("max_fee", CONFIG_FEE, .fallback = "0",
		.max = UINT64_C(1000000000000000000), AT(ledger.ethereum.max_fee),
		.help = "Gwei a gas that are offered at most, such as 30 or 0.05; while the chain asks\n"
			"more, reports wait. sipchain init writes ten times what it finds. 0: 100, ten\n"
			"times what was last paid if that is less, and a priority fee of 3 or the base\n"
			"fee."),
	CHAIN("zero_fee", CONFIG_BOOL, .fallback = "no", AT(ledger.ethereum.zero_fee),
		.help = "The chain takes transactions without fees: offer none."),
	CHAIN("poll", CONFIG_POLL, .fallback = "2s", .min = 100, .max = 600000,
		AT(ledger.ethereum.poll_ms),
		.help = "How often the head is asked for where no WebSocket tells it, such as 500ms."),
	CHAIN("explorer", CONFIG_TEXT, .fallback = "", AT(ledger.ethereum.explorer),
		.help = "A link to a transaction for people, with {tx} for its hash, such as\n"
			"https://explorer.example.net/tx/{tx}; empty: none."),

	{"hep", "listen", CONFIG_LISTEN, CONFIG_REPEATED, AT(hep.listen),
		COUNT(hep.listen_count),
		.help = "udp:ADDRESS:PORT or tcp:ADDRESS:PORT; may be repeated. The usual port\n"
			"is 9060. Example: listen = udp:127.0.0.1:9060"},
	{"hep", "password", CONFIG_SECRET, .fallback = "", AT(hep.password),
		.help = "The authentication key that senders must give; empty: none."},
	{"hep", "password_file", CONFIG_SECRET_FILE, CONFIG_ALIAS, AT(hep.password),
		.help = "A file whose first line is that key, read at start and on reload."},

	CONFIG_HONEYPOT_KEYS

	{"security_log", "path", CONFIG_PATHS, CONFIG_REPEATED, AT(security_log.path),
		COUNT(security_log.path_count),
		.help = "A log to follow; may be repeated.\n"
			"Example: path = /var/log/asterisk/security.json"},

	{"source", "type", CONFIG_CHOICE, CONFIG_REQUIRED, AT(sources[0].type),
		.choices = source_types},
	{"source", "address", CONFIG_SERVER, .fallback = "127.0.0.1:5038",
		AT(sources[0].address), .of = SOURCE_AMI,
		.help = "Where the manager listens: an address of this machine, since nothing is\n"
			"encrypted there."},
	{"source", "user", CONFIG_WORD, .fallback = "sipchain", AT(sources[0].user),
		.of = SOURCE_AMI,
		.help = "The section of manager.conf: read = security,call and write = system."},
	{"source", "secret_file", CONFIG_PATH_NAME, .fallback = "",
		AT(sources[0].secret_file), .of = SOURCE_AMI,
		.example = "/etc/sipchain/ami.secret",
		.help = "A file whose first line is that section's secret (chmod 600), read at start\n"
			"and on reload, when it is not logged in."},
	{"source", "filter", CONFIG_TEXT, .fallback = "", AT(sources[0].filter),
		.of = SOURCE_LOG, .example = "asterisk",
		.help = "A filter's name, looked for in /etc/sipchain/filter.d and then in\n"
			"/etc/fail2ban/filter.d, or its file; with options as in a jail:\n"
			"asterisk[logtype=short]. Read at start and on reload."},
	{"source", "path", CONFIG_PATH_NAME, .fallback = "", AT(sources[0].path),
		.of = SOURCE_TEXT, .example = "/var/log/pbx.log",
		.help = "A log to follow, or"},
	{"source", "journal", CONFIG_TEXT, .fallback = "", AT(sources[0].journal),
		.of = SOURCE_TEXT,
		.help = "a unit of the journal, or an identifier, which any local program may claim, or\n"
			"Example: journal = kamailio.service"},
	{"source", "syslog", CONFIG_SYSLOG, .fallback = "", AT(sources[0].syslog),
		.of = SOURCE_TEXT,
		.help = "where other machines send their syslog to: udp:ADDRESS:PORT or tcp:ADDRESS:PORT.\n"
			"Example: syslog = tcp:192.0.2.5:5514"},
	{"source", "from", CONFIG_SENDERS, .fallback = "", AT(sources[0].from),
		.of = SOURCE_TEXT,
		.help = "The addresses that may send syslog, and this machine; empty: this machine only.\n"
			"Anybody can forge the sender of UDP: what comes so from another machine proves\n"
			"nothing. Use TCP. Example: from = 192.0.2.10 192.0.2.11"},
	{"source", "journal_path", CONFIG_PATH_NAME, .fallback = "",
		AT(sources[0].journal_path), .of = SOURCE_TEXT,
		.help = "The journal's folder, where it is not systemd-journald's own of this machine."},

	{"connector", "type", CONFIG_CHOICE, CONFIG_REQUIRED, AT(connectors[0].type),
		.choices = connector_types},
	{"connector", "address", CONFIG_SERVER, .fallback = "127.0.0.1:5038",
		AT(connectors[0].address), .of = TO_ASTERISK,
		.help = "Where the manager listens: an address of this machine, since nothing is\n"
			"encrypted there."},
	{"connector", "user", CONFIG_WORD, .fallback = "sipchain", AT(connectors[0].user),
		.of = TO_ASTERISK,
		.help = "The section of manager.conf: read = user,system and write = system."},
	{"connector", "secret_file", CONFIG_PATH_NAME, .fallback = "",
		AT(connectors[0].secret_file), .of = TO_ASTERISK,
		.example = "/etc/sipchain/ami.secret",
		.help = "A file whose first line is that section's secret (chmod 600), read at start\n"
			"and on reload, when it is not logged in."},
	{"connector", "socket", CONFIG_PATH_NAME, .fallback = "", .max = 107,
		AT(connectors[0].socket), .of = TO_KAMAILIO,
		.example = "/run/kamailio/kamailio_rpc.sock",
		.help = "The dgram_socket of Kamailio's module jsonrpcs."},
	{"connector", "reply", CONFIG_PATH_NAME, .fallback = "", .max = 107,
		AT(connectors[0].reply), .of = TO_KAMAILIO,
		.help = "Where its answers come to, a socket that is made; empty: NAME.reply below\n"
			"[node] run."},
	{"connector", "numbers", CONFIG_WORD, .fallback = "sipchain_number",
		AT(connectors[0].numbers), .of = TO_KAMAILIO,
		.help = "The htable of numbers; empty: they are not carried there."},
	{"connector", "uris", CONFIG_WORD, .fallback = "", AT(connectors[0].uris),
		.of = TO_KAMAILIO, .help = "The htable of SIP URIs; empty: the same."},
	{"connector", "domains", CONFIG_WORD, .fallback = "", AT(connectors[0].domains),
		.of = TO_KAMAILIO, .help = "The htable of domains; empty: the same."},
	{"connector", "addresses", CONFIG_WORD, .fallback = "",
		AT(connectors[0].addresses), .of = TO_KAMAILIO,
		.help = "The htable of addresses and prefixes; empty: the same."},
	{"connector", "program", CONFIG_PATH_NAME, .fallback = "",
		AT(connectors[0].program), .of = TO_HOOK,
		.example = "/usr/local/sbin/sipchain-hook",
		.help = "The program that is started and told of each change."},
	{"connector", "arguments", CONFIG_TEXT, .fallback = "", .max = 1000,
		AT(connectors[0].arguments), .of = TO_HOOK,
		.help = "Its arguments, blanks between them; no shell looks at them."},
	{"connector", "run_as", CONFIG_WORD, .fallback = "nobody", .min = 1,
		AT(connectors[0].run_as), .of = TO_HOOK,
		.help = "The user that it runs as, with his groups; never root."},

	RULE("auth_failed", OBSERVED_AUTH_FAILED, "Wrong passwords."),
	RULE("unknown_account", OBSERVED_UNKNOWN_ACCOUNT, "Accounts that are not there."),
	RULE("scan", OBSERVED_SCAN, "Requests that only look for SIP servers."),
	RULE("call_rejected", OBSERVED_CALL_REJECTED, "Calls refused."),
	RULE("malformed", OBSERVED_MALFORMED, "Messages that are no SIP."),
	{"detect", "ban", CONFIG_DURATION, .min = 1, .max = SECONDS_MAX, AT(detect.ban),
		.help = "The first ban of a source; each further one is twice as long,"},
	{"detect", "ban_max", CONFIG_DURATION, .min = 1, .max = SECONDS_MAX,
		AT(detect.ban_max), .help = "up to this."},
	{"detect", "forget", CONFIG_DURATION, .min = 1, .max = SECONDS_MAX,
		AT(detect.forget),
		.help = "A source's offences are forgotten after this."},
	{"detect", "sources_max", CONFIG_COUNT, .min = 16, .max = 16777216,
		AT(detect.sources_max), .help = "How many sources are watched at once."},
	{"detect", "success_factor", CONFIG_COUNT, .min = 1, .max = 1000,
		AT(detect.success_factor),
		.help = "A source that also authenticates may fail so many times more often."},
	{"detect", "rules", CONFIG_RULES_FILE, .fallback = "", AT(rules.path),
		.help = "A file that changes or adds rules of detection, read at start and on\n"
			"reload: rules.conf in the documentation has them all and tells how; empty:\n"
			"those alone. What stands here of thresholds counts before it."},
	{"detect", "rules_line", CONFIG_RULES_LINE, CONFIG_REPEATED | CONFIG_INTERNAL,
		AT(rules.text)},

	{"report", "publish", CONFIG_PROOFS, .fallback = "nonce tcp auth rule cluster",
		AT(report.publish),
		.help = "The proof classes whose detections are reported (nonce, ack, tcp, auth,\n"
			"log, manual, rule, cluster); empty: report nothing. ack rests on the tag of\n"
			"an answer, which some PBXs make of what the request said. rule and cluster\n"
			"are of numbers ([numbers])."},
	{"report", "ttl", CONFIG_DURATION, .fallback = "1h", .min = 60,
		.max = SECONDS_MAX, AT(report.ttl),
		.help = "A report lives as long as the ban that caused it, and at least this."},
	{"report", "unproved", CONFIG_CHOICE, .fallback = "plausible",
		AT(report.unproved), .choices = unproved,
		.help = "A source that no proof shows to be real is never reported: anybody can\n"
			"forge it. plausible: ban it here, for a short time, when the wire (HEP) shows\n"
			"signs that it is real, as its rule asks (see [detect] rules); ban: always."},
	{"report", "unproved_ban", CONFIG_DURATION, .fallback = "10m", .min = 1,
		.max = SECONDS_MAX, AT(report.unproved_ban)},

	{"numbers", "country", CONFIG_TEXT, .fallback = "", AT(numbers.country),
		.help = "The country code of this site, such as 44; empty: not known."},
	{"numbers", "area", CONFIG_TEXT, .fallback = "", AT(numbers.area),
		.help = "Its area code, without the trunk prefix: 20."},
	{"numbers", "trunk", CONFIG_TEXT, .fallback = "", AT(numbers.trunk),
		.help = "What is dialled before national numbers; empty: what the country has; none."},
	{"numbers", "outside", CONFIG_TEXT, .fallback = "9", AT(numbers.outside),
		.help = "What is dialled for an outside line: 9, or 0, *9; or none."},
	{"numbers", "international", CONFIG_TEXT, .fallback = "",
		AT(numbers.international),
		.help = "What is dialled before numbers of other countries, beside what the country\n"
			"has: 00700, 001."},
	{"numbers", "short", CONFIG_TEXT, .fallback = "", AT(numbers.shorts),
		.help = "Short codes of this site and its carriers, beside the country's: 4444, 1571."},
	{"numbers", "extensions", CONFIG_TEXT, .fallback = "2-5", AT(numbers.extensions),
		.help = "How many digits the site's extensions have."},
	{"numbers", "bare", CONFIG_BOOL, .fallback = "no", AT(numbers.bare),
		.help = "Here one dials whole numbers without any prefix: 442079460101."},
	{"numbers", "own", CONFIG_TEXT, .fallback = "", AT(numbers.own),
		.help = "The site's own numbers, which are never told: +442079460101, +44207946*,\n"
			"+442079460000-0999."},
	{"numbers", "domains", CONFIG_TEXT, .fallback = "", AT(numbers.domains),
		.help = "The site's own domains, also the honeypot's, and all that is below them.\n"
			"Empty: no SIP URI and no domain is told."},
	{"numbers", "domestic", CONFIG_BOOL, .fallback = "no", AT(numbers.domestic),
		.help = "yes: numbers of the site's own country are told, and blocked when others\n"
			"tell them. no: neither, but for an operator's own ban."},
	{"numbers", "publish", CONFIG_BOOL, .fallback = "yes", AT(numbers.publish),
		.help = "Report them to the other members, if [report] publish has the class: rule\n"
			"(one reading) or cluster (what several strings have in common). no: calls to\n"
			"them are refused here alone."},
	{"numbers", "calls", CONFIG_RULE, .fallback = "2/1d", .max = NUMBER_CALLS_MAX,
		AT(numbers.calls),
		.help = "How often attackers must call one: CALLS/WINDOW."},
	{"numbers", "prefix", CONFIG_RULE, .fallback = "5/1d", .max = NUMBER_PREFIX_MAX,
		AT(numbers.prefix),
		.help = "So many different numbers that begin alike make a prefix, so many users a\n"
			"domain; off: never."},
	{"numbers", "ttl", CONFIG_DURATION, .fallback = "1w", .min = 3600,
		.max = SECONDS_MAX, AT(numbers.ttl),
		.help = "How long a report lives, and calls are refused."},

	{"evidence", "keep", CONFIG_DURATION, .fallback = "90d", .min = 86400,
		.max = SECONDS_MAX, AT(evidence.keep),
		.help = "How long a record is kept; as long as its report lives in any case."},
	{"evidence", "max", CONFIG_COUNT, .fallback = "256M", .min = 1000000,
		.max = 4000000000, AT(evidence.max),
		.help = "Bytes of all records together; past it the oldest go, but none whose report\n"
			"lives."},

	BY_PROOF("none", PROOF_NONE),
	BY_PROOF("nonce", PROOF_NONCE),
	BY_PROOF("ack", PROOF_ACK),
	BY_PROOF("tcp", PROOF_TCP),
	BY_PROOF("auth", PROOF_AUTH),
	BY_PROOF("log", PROOF_LOG),
	BY_PROOF("manual", PROOF_MANUAL),
	BY_PROOF("rule", PROOF_RULE),
	BY_PROOF("cluster", PROOF_CLUSTER),
	BY_KIND("ip4", INDICATOR_IP4),
	BY_KIND("ip6", INDICATOR_IP6),
	BY_KIND("number", INDICATOR_NUMBER),
	BY_KIND("uri", INDICATOR_URI),
	BY_KIND("domain", INDICATOR_DOMAIN),
	BY_KIND("agent", INDICATOR_AGENT),

	{"allow", "entry", CONFIG_ALLOW, CONFIG_REPEATED, .max = CONFIG_ALLOW_MAX,
		AT(allow.entry), COUNT(allow.entry_count),
		.help = "An address, prefix, number, SIP URI or domain, and a note; may be repeated.\n"
			"Examples: entry = 192.0.2.0/24 our carrier\n"
			"          entry = +44* calls within the country"},
	{"allow", "auto", CONFIG_BOOL, .fallback = "yes", AT(allow.automatic),
		.help = "Also this machine's own addresses, gateways and resolvers."},
	{"allow", "registered", CONFIG_DURATION, .fallback = "2h", .max = SECONDS_MAX,
		AT(allow.registered),
		.help = "Also the addresses from which the PBX's own phones authenticate with their\n"
			"passwords, for so long after they did; 0: no."},
	{"allow", "trunks", CONFIG_BOOL, .fallback = "yes", AT(allow.trunks),
		.help = "Also the addresses by which the PBX knows its trunks (a source of type ami)."},

	{"enforce", "type", CONFIG_CHOICE, .fallback = "nftables", AT(enforce.type),
		.choices = enforcers},
	{"enforce", "table", CONFIG_WORD, .min = 1, AT(enforce.nft.table),
		.help = "The nftables table of family inet; it belongs to sipchaind alone."},
	{"enforce", "sip_ports", CONFIG_PORTS, AT(enforce.nft.ports),
		.help = "The ports that bans learnt from other members cover."},
	{"enforce", "set_size", CONFIG_COUNT, .min = 16, .max = 16777216,
		AT(enforce.nft.set_size), .help = "The most elements of each set."},

	{"api", "listen", CONFIG_API_LISTEN, CONFIG_REPEATED, AT(api.listen),
		COUNT(api.listen_count),
		.help = "unix:PATH or tcp:ADDRESS:PORT; may be repeated. An address that others can\n"
			"reach needs a token, and TLS or behind_proxy = yes.\n"
			"Example: listen = unix:/run/sipchain/api.sock\n"
			"Example: listen = tcp:127.0.0.1:8731"},
	{"api", "anonymous", CONFIG_BOOL, .fallback = "yes", AT(api.anonymous),
		.help = "Programs of this machine may ask without a token; to report, they need one, or\n"
			"the Unix socket and the rights to use sipchain report."},
	{"api", "behind_proxy", CONFIG_BOOL, .fallback = "no", AT(api.behind_proxy),
		.help = "A proxy passes requests on: each needs a token, also from this machine and\n"
			"through a Unix socket."},
	{"api", "tls_certificate", CONFIG_PATH_NAME, .fallback = "",
		AT(api.tls_certificate),
		.help = "PEM files, read at start and reload; TLS is spoken on addresses that others can reach."},
	{"api", "tls_key", CONFIG_PATH_NAME, .fallback = "", AT(api.tls_key)},
	{"api", "connections", CONFIG_COUNT, .fallback = "256", .min = 16, .max = 4096,
		AT(api.connections), .help = "The most at once."},

	{"token", "secret_file", CONFIG_PATH_NAME, .fallback = "",
		AT(tokens[0].secret_file), .example = "/etc/sipchain/honeypot.token",
		.help = "A file whose first line is the secret (16 characters or more, chmod 600), read\n"
			"at start and reload: Authorization: Bearer SECRET"},
	{"token", "rights", CONFIG_CHOICE, .fallback = "read", AT(tokens[0].rights),
		.choices = rights, .example = "report",
		.help = "read: to ask; report: to report, too."},
	{"token", "class", CONFIG_CHOICE, .fallback = "manual", AT(tokens[0].class),
		.choices = classes,
		.help = "The proof class of its reports: manual, or log for what reads logs."},
	{"token", "rate", CONFIG_COUNT, .fallback = "600", .max = 1000000,
		AT(tokens[0].rate), .help = "Reports a minute; 0: no limit."},

	{"webhook", "url", CONFIG_WEBHOOK_URL, .fallback = "",
		.max = CONFIG_WEBHOOK_URL_MAX - 1, AT(webhooks[0].url),
		.example = "https://siem.example.net/sipchain",
		.help = "Where to; http:// on this machine only."},
	{"webhook", "secret_file", CONFIG_PATH_NAME, .fallback = "",
		AT(webhooks[0].secret_file), .example = "/etc/sipchain/siem.secret",
		.help = "A file whose first line is the secret (sipchain webhook secret, chmod 600) that\n"
			"the receiver checks the signature by."},
	{"webhook", "secret_file_next", CONFIG_PATH_NAME, .fallback = "",
		AT(webhooks[0].secret_file_next),
		.help = "Another, while it is changed: with both, each request has two signatures."},
	{"webhook", "events", CONFIG_TEXT, .fallback = "",
		.max = sizeof((struct config_webhook *)0)->events - 1,
		AT(webhooks[0].events), .example = "detection ban unban bans trouble",
		.help = "Types, with blanks between them; empty: all."},
	{"webhook", "ca_file", CONFIG_PATH_NAME, .fallback = "", AT(webhooks[0].ca_file),
		.help = "The authority that its certificate is checked by (PEM); empty: the system's."},
	{"webhook", "timeout", CONFIG_DURATION, .fallback = "10s", .min = 1, .max = 60,
		AT(webhooks[0].timeout), .help = "How long one request may take."},
	{"webhook", "insecure", CONFIG_BOOL, .fallback = "no", AT(webhooks[0].insecure),
		.help = "yes: http:// to other machines, too; everybody between can read the events."},
	{"webhook", "enabled", CONFIG_BOOL, .fallback = "yes", AT(webhooks[0].enabled),
		.help = "no: nothing is sent; what happens waits for it, as long as it is kept."},
};

const size_t config_keys_count = sizeof config_keys / sizeof config_keys[0];

_Static_assert(sizeof config_keys / sizeof config_keys[0] <= CONFIG_KEYS_MAX,
	"raise CONFIG_KEYS_MAX");
