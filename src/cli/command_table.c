/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

const struct option_spec option_specs[OPTION_COUNT] = {
	[OPTION_HELP] = {"help", NULL, "show this help"},
	[OPTION_JSON] = {"json", NULL, "print JSON instead of a table"},
	[OPTION_CONFIG] = {"config", "FILE",
		"the daemon's configuration (default /etc/sipchain/sipchain.conf)"},
	[OPTION_SOCKET] = {"socket", "PATH",
		"the daemon's control socket (default from the configuration)"},
	[OPTION_LEDGER] = {"ledger", "FILE",
		"the local ledger's file (default from the configuration)"},
	[OPTION_KEY] = {"key", "FILE", "the key file that signs: owner or guardian"},
	[OPTION_OWNER_KEY] = {"owner-key", "FILE",
		"the owner's key file; made when it is not there"},
	[OPTION_GUARDIAN] = {"guardian", "0xADDRESS",
		"who may suspend and pause (default: the owner)"},
	[OPTION_THRESHOLD] = {"threshold", "N",
		"quorum: weights that must agree (default 1)"},
	[OPTION_MAX_TTL] = {"max-ttl", "DURATION",
		"longest life of a report (default 7d)"},
	[OPTION_MIN_V4] = {"min-v4", "BITS", "shortest IPv4 prefix (default 16)"},
	[OPTION_MIN_V6] = {"min-v6", "BITS", "shortest IPv6 prefix (default 32)"},
	[OPTION_MIN_E164] = {"min-e164", "DIGITS", "shortest number prefix (default 5)"},
	[OPTION_ALLOW_UNROUTABLE] = {"allow-unroutable", NULL,
		"accept private and documentation addresses (test networks)"},
	[OPTION_NAME] = {"name", "TEXT", "the member's (init: and this node's) name"},
	[OPTION_SIGNER] = {"signer", "0xADDRESS", "a signer key of it; may be repeated"},
	[OPTION_WEIGHT] = {"weight", "N", "its voice in a quorum (default 1)"},
	[OPTION_CAP] = {"cap", "N", "most live reports it may hold (default 1000)"},
	[OPTION_CATEGORY] = {"category", "NAME",
		"scan, enumeration, password, fraud, malformed, stolen, campaign, other"},
	[OPTION_CLASS] = {"class", "NAME",
		"manual (default), or log: what a program such as fail2ban found in a log"},
	[OPTION_TTL] = {"ttl", "DURATION", "how long, such as 10m, 24h"},
	[OPTION_NOTE] = {"note", "TEXT", "a remark kept beside it, on this node only"},
	[OPTION_KIND] = {"kind", "NAME", "ip4, ip6, number, uri, domain or agent"},
	[OPTION_BLOCKED] = {"blocked", NULL, "only what this node blocks"},
	[OPTION_LIMIT] = {"limit", "N", "show at most so many"},
	[OPTION_MEMBER_KEY] = {"member-key", "FILE",
		"this node's key file; made when it is not there"},
	[OPTION_CONFIG_OUT] = {"config-out", "FILE", "where to write the configuration"},
	[OPTION_SECURITY_LOG] = {"security-log", "PATH",
		"Asterisk's security.json to follow; none: do not"},
	[OPTION_HEP] = {"hep", "LISTEN",
		"where to take HEP, such as udp:127.0.0.1:9060; none: do not"},
	[OPTION_YES] = {"yes", NULL, "ask nothing: take the defaults, do what is final"},
	[OPTION_ENDPOINT] = {"endpoint", "URL",
		"the chain's JSON-RPC endpoint, as a configuration writes it; one with a secret "
		"stands in a file: @FILE"},
	[OPTION_CONTRACT] = {"contract", "0xADDRESS",
		"the ledger's contract on the chain"},
	[OPTION_ZERO_FEE] = {"zero-fee", NULL,
		"the chain takes transactions without fees: offer none"},
	[OPTION_MAX_FEE] = {"max-fee", "GWEI",
		"offer no more than this a gas, such as 30 or 0.05"},
	[OPTION_TX] = {"tx", NULL, "show the transaction, its block and gas"},
	[OPTION_DRY_RUN] = {"dry-run", NULL,
		"ask whether the ledger would take it and what it would cost; write nothing"},
	[OPTION_DIRECT] = {"direct", NULL,
		"work on the ledger itself, without the daemon"},
	[OPTION_WAIT] = {"wait", NULL, "with --direct: wait for the block"},
	[OPTION_TIMEOUT] = {"timeout", "DURATION",
		"how long to wait for a block (default 2m)"},
	[OPTION_REPORTS] = {"reports", "N", "how many to write (default 1000)"},
	[OPTION_OUT] = {"out", "FILE", "the file to make; it must not be there yet"},
	[OPTION_PASSWORD_FILE] = {"password-file", "FILE",
		"the keystore's password, one line (default: asked on the terminal)"},
	[OPTION_FILTER] = {"filter", "NAME",
		"read lines by this filter of fail2ban's, such as asterisk or "
		"asterisk[mode=extra]"},
	[OPTION_FILTERS] = {"filters", "FOLDER",
		"look for filters there alone (default /etc/sipchain/filter.d, then "
		"/etc/fail2ban/filter.d)"},
	[OPTION_RAW] = {"raw", NULL,
		"count failures that name a host instead of an address"},
	[OPTION_PRINT_ALL_MATCHED] = {"print-all-matched", NULL,
		"print every matched line"},
	[OPTION_PRINT_ALL_MISSED] = {"print-all-missed", NULL,
		"print every missed line, however many"},
	[OPTION_PRINT_ALL_IGNORED] = {"print-all-ignored", NULL,
		"print every ignored line, however many"},
	[OPTION_SINCE_ID] = {"since", "ID",
		"first what came after this event; 0: all that is kept"},
	[OPTION_HISTORY] = {"history", "FILE",
		"what `sipchain ledger export` wrote, instead of the ledger itself"},
	[OPTION_FOLDER] = {"folder", "FOLDER",
		"where records are (default from the configuration)"},
	[OPTION_SINCE] = {"since", "WHEN",
		"how long ago, such as 2h, or a time in UTC, such as 2026-11-22 or "
		"2026-11-22T10:00:00Z"},
	[OPTION_SOURCE] = {"source", "ADDRESS|PREFIX", "only what came from there"},
	[OPTION_NUMBER] = {"number", "NUMBER",
		"only calls to it: what is dialled ends with it; +97259*: contains it"},
	[OPTION_PROVED] = {"proved", NULL, "only sources that are proved"},
	[OPTION_BY] = {"by", "WORD",
		"session (default: one Call-ID of one address), or source: one line an "
		"address"},
	[OPTION_PCAP] = {"pcap", "FILE",
		"write a capture there, which must not be there yet; -: standard output"},
	[OPTION_COUNTRY] = {"country", "CODE", "the site's country code, such as 44"},
	[OPTION_OUTSIDE] = {"outside", "PREFIXES",
		"what the site dials for an outside line, such as 9, or none"},
};

#define DAEMON     OPTION_CONFIG, OPTION_SOCKET
#define LEDGER     OPTION_CONFIG, OPTION_LEDGER, OPTION_ENDPOINT, OPTION_CONTRACT
#define FEES       OPTION_ZERO_FEE, OPTION_MAX_FEE
#define RECORDS    OPTION_CONFIG, OPTION_FOLDER, OPTION_SINCE, OPTION_SOURCE, OPTION_LIMIT
#define RECORDS_OF RECORDS, OPTION_NUMBER, OPTION_PROVED
#define SIGNED     LEDGER, OPTION_KEY, FEES, OPTION_TX, OPTION_DRY_RUN, OPTION_TIMEOUT
#define DIRECT     DAEMON, OPTION_DIRECT, OPTION_LEDGER, OPTION_ENDPOINT, OPTION_CONTRACT
#define WRITES                                                                           \
	DIRECT, OPTION_KEY, FEES, OPTION_WAIT, OPTION_TIMEOUT, OPTION_TX, OPTION_DRY_RUN

/* What the commands have in common that the daemon carries out when it runs. */
#define DIRECTLY                                                                         \
	"The daemon carries it out, in a batch with others. With --direct, or when a "   \
	"ledger or a key is named, it goes straight onto the ledger, signed with --key " \
	"or the configuration's [member] key; so it does when no daemon runs and this "  \
	"user can read that key."

const struct command commands[] = {
	{"init", NULL, run_init, "", 0, 0,
		"set up a new local ledger and this node: keys, membership, configuration",
		"sipchain init --yes --name edge1.example.net",
		.options = {OPTION_LEDGER, OPTION_OWNER_KEY, OPTION_GUARDIAN,
			OPTION_THRESHOLD, OPTION_MAX_TTL, OPTION_MIN_V4, OPTION_MIN_V6,
			OPTION_ALLOW_UNROUTABLE, OPTION_NAME, OPTION_MEMBER_KEY,
			OPTION_CONFIG_OUT, OPTION_SECURITY_LOG, OPTION_HEP, OPTION_YES,
			OPTION_ENDPOINT, OPTION_CONTRACT, FEES},
		.more = "Without options and with --yes it makes all of a node: the ledger, the owner's "
			"key, this node's key, which it admits as the first member, and the "
			"configuration. With --ledger or --owner-key and none of --name, --member-key, "
			"--config-out, --security-log and --hep it makes only the ledger and the owner's "
			"key. On a terminal it asks. With --endpoint and --contract the ledger is there "
			"already, on a chain: then it makes this node's key and a configuration that "
			"pins chain, genesis, code and deployment."},
	{"config", "test", run_config_test, "", 0, 0,
		"check the configuration and say every error with file and line",
		"sipchain config test --config /etc/sipchain/sipchain.conf",
		.options = {OPTION_CONFIG}},
	{"config", "show", run_config_show, "", 0, 0,
		"print the configuration in effect, defaults included",
		"sipchain config show", .options = {OPTION_CONFIG}},
	{"config", "sample", run_config_sample, "", 0, 0,
		"print a commented configuration with every key",
		"sipchain config sample > /etc/sipchain/sipchain.conf", .options = {0}},
	{"filter", "test", run_filter_test, "FILTER LOG", 2, 2,
		"what a filter of fail2ban's finds in a log, as fail2ban-regex says it",
		"sipchain filter test asterisk /var/log/asterisk/messages",
		.options = {OPTION_FILTERS, OPTION_RAW, OPTION_PRINT_ALL_MATCHED,
			OPTION_PRINT_ALL_MISSED, OPTION_PRINT_ALL_IGNORED},
		.more = "FILTER is a name, with options if you like (asterisk[logtype=short]), or a "
			"path ending in .conf. It exits with 0 when the log was read, whatever was "
			"found in it."},
	{"filter", "import", run_filter_import, "FILE", 1, 1,
		"print the [source] sections that fail2ban's enabled jails amount to",
		"sipchain filter import /etc/fail2ban/jail.local > /etc/sipchain/sipchain.conf.d/jails.conf",
		.options = {0},
		.more = "FILE is jail.local, or any file of jails; jail.conf beside it is read first, "
			"as fail2ban does. What sipchain has no use for (actions, journals) is said "
			"in comments."},
	{"status", NULL, run_status, "", 0, 0,
		"how this node is: roles, ledger, bans, sensors",
		"sipchain status --json", .options = {DAEMON}},
	{"key", "new", run_key_new, "FILE", 1, 1,
		"make a signing key and print its address",
		"sipchain key new /etc/sipchain/member.key", .options = {0}},
	{"key", "address", run_key_address, "FILE", 1, 1,
		"print the address of a key file",
		"sipchain key address /etc/sipchain/member.key", .options = {0}},
	{"key", "balance", run_key_balance, "[ADDRESS|FILE]", 0, 1,
		"what a key's account holds on the chain (default: [member] key)",
		"sipchain key balance 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
		.options = {OPTION_CONFIG, OPTION_ENDPOINT, OPTION_KEY}},
	{"key", "import", run_key_import, "KEYSTORE", 1, 1,
		"make a key file of a wallet's keystore (version 3)",
		"sipchain key import wallet.json --out /etc/sipchain/member.key",
		.options = {OPTION_OUT, OPTION_PASSWORD_FILE}},
	{"key", "export", run_key_export, "", 0, 0,
		"write a key as a keystore, protected by a password, for a backup or a wallet",
		"sipchain key export --key /etc/sipchain/member.key --out wallet.json",
		.options = {OPTION_KEY, OPTION_OUT, OPTION_PASSWORD_FILE}},
	{"contract", "deploy", run_contract_deploy, "", 0, 0,
		"create a new ledger on a chain; shows the cost before it is spent",
		"sipchain contract deploy --endpoint http://127.0.0.1:8545 --key owner.key --threshold 2",
		.options = {OPTION_CONFIG, OPTION_ENDPOINT, OPTION_KEY, OPTION_GUARDIAN,
			OPTION_THRESHOLD, OPTION_MAX_TTL, OPTION_MIN_V4, OPTION_MIN_V6,
			OPTION_MIN_E164, OPTION_ALLOW_UNROUTABLE, FEES, OPTION_TX,
			OPTION_DRY_RUN, OPTION_TIMEOUT, OPTION_YES, OPTION_CONFIG_OUT},
		.more = "The key's account becomes the owner, and the guardian unless --guardian "
			"says who. It prints the [ledger] section that every node's configuration "
			"needs, or writes it to --config-out; `sipchain init --endpoint --contract` "
			"makes a node's whole configuration."},
	{"contract", "info", run_contract_info, "", 0, 0,
		"what the contract is, who governs it, its rules and tips",
		"sipchain contract info --endpoint http://127.0.0.1:8545 --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3",
		.options = {OPTION_CONFIG, OPTION_ENDPOINT, OPTION_CONTRACT}},
	{"contract", "verify", run_contract_verify, "", 0, 0,
		"see that the code at the address is ours byte for byte, and its storage",
		"sipchain contract verify --config /etc/sipchain/sipchain.conf",
		.options = {OPTION_CONFIG, OPTION_ENDPOINT, OPTION_CONTRACT}},
	{"member", "add", run_member_add, "", 0, 0,
		"admit a member, or re-admit a removed one of that name",
		"sipchain member add --key owner.key --name bank-a --signer 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
		.options = {SIGNED, OPTION_NAME, OPTION_SIGNER, OPTION_WEIGHT,
			OPTION_CAP}},
	{"member", "remove", run_member_remove, "MEMBER", 1, 1,
		"remove a member: all its reports end with this one operation",
		"sipchain member remove 3 --key owner.key", .options = {SIGNED}},
	{"member", "suspend", run_member_suspend, "MEMBER", 1, 1,
		"silence a member until it is resumed (owner or guardian)",
		"sipchain member suspend bank-a --key guardian.key", .options = {SIGNED}},
	{"member", "resume", run_member_resume, "MEMBER", 1, 1,
		"end a suspension (owner)", "sipchain member resume 3 --key owner.key",
		.options = {SIGNED}},
	{"member", "set", run_member_set, "MEMBER", 1, 1,
		"change a member's weight or cap (owner)",
		"sipchain member set bank-a --weight 2 --cap 5000 --key owner.key",
		.options = {SIGNED, OPTION_WEIGHT, OPTION_CAP},
		.more = "What is not given stays as it is."},
	{"member", "signer-add", run_member_signer_add, "MEMBER 0xADDRESS", 2, 2,
		"give a member one more key to sign with (owner)",
		"sipchain member signer-add bank-a 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --key owner.key",
		.options = {SIGNED},
		.more = "To change a key: add the new one, start the member's node with it, "
			"take the old one away with `member signer-remove`. The live reports "
			"stay: they are the member's, whichever of its keys signed them."},
	{"member", "signer-remove", run_member_signer_remove, "MEMBER 0xADDRESS", 2, 2,
		"take a key from a member; its live reports stay (owner)",
		"sipchain member signer-remove bank-a 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --key owner.key",
		.options = {SIGNED},
		.more = "If the key was stolen, what it reported stands until its expiry: "
			"`member remove` ends all reports of the member at once."},
	{"member", "list", run_member_list, "", 0, 0,
		"the members, their keys, weights and live reports",
		"sipchain member list --json", .options = {LEDGER}},
	{"protect", "add", run_protect_add, "INDICATOR ...", 1, ARGUMENTS_MAX,
		"put carriers onto the consortium's protected table",
		"sipchain protect add 192.0.2.0/24 +4420* --key owner.key",
		.options = {SIGNED}},
	{"protect", "remove", run_protect_remove, "INDICATOR ...", 1, ARGUMENTS_MAX,
		"take entries off the protected table",
		"sipchain protect remove 192.0.2.0/24 --key owner.key",
		.options = {SIGNED}},
	{"protect", "list", run_protect_list, "", 0, 0, "the protected table",
		"sipchain protect list", .options = {LEDGER}},
	{"allow", "add", run_allow_add, "INDICATOR", 1, 1,
		"never ban this here, whatever anybody reports",
		"sipchain allow add 203.0.113.0/24 --note 'branch office'",
		.options = {DAEMON, OPTION_NOTE, OPTION_TTL}},
	{"allow", "remove", run_allow_remove, "INDICATOR", 1, 1,
		"take an entry off this node's allowlist",
		"sipchain allow remove 203.0.113.0/24", .options = {DAEMON}},
	{"allow", "list", run_allow_list, "", 0, 0,
		"this node's allowlist and where each entry comes from",
		"sipchain allow list", .options = {DAEMON}},
	{"report", NULL, run_report, "INDICATOR", 1, 1,
		"report an attacker to the consortium (proof class manual)",
		"sipchain report 198.51.100.7 --category password --ttl 1h",
		.options = {WRITES, OPTION_CATEGORY, OPTION_CLASS, OPTION_TTL,
			OPTION_NOTE},
		.more = DIRECTLY
		" With --class log, which the daemon alone takes, it must be an "
		"address; a report that is there with a better proof stays as it is, and a "
		"longer --ttl than the ledger allows is cut."},
	{"object", NULL, run_object, "INDICATOR", 1, 1,
		"speak for an indicator: it counts against the reports of others",
		"sipchain object 198.51.100.7 --ttl 24h --note 'our customer, cleaned up'",
		.options = {WRITES, OPTION_TTL, OPTION_NOTE}, .more = DIRECTLY},
	{"revoke", NULL, run_revoke, "INDICATOR", 1, 1,
		"end this member's own live report or objection",
		"sipchain revoke 198.51.100.7", .options = {WRITES, OPTION_CLASS},
		.more = DIRECTLY
		" With --class log only a report of that class is ended."},
	{"list", NULL, run_list, "", 0, 0,
		"what is on the ledger and what this node does about it",
		"sipchain list --kind ip4",
		.options = {DIRECT, OPTION_KEY, OPTION_KIND, OPTION_BLOCKED,
			OPTION_LIMIT}},
	{"check", NULL, run_check, "ANYTHING", 1, 1,
		"is it listed? why? by whom? until when?", "sipchain check 198.51.100.7",
		.options = {DIRECT, OPTION_KEY},
		.more = "ANYTHING is an address, a prefix, a number with or without +, a SIP URI with or "
			"without its scheme, a domain or a user agent; what may be several of them is "
			"looked up as each. Of a SIP URI the host is looked up too. Exit code 0: listed "
			"or banned, 1: not."},
	{"explain", NULL, run_explain, "FILE|LINE|-", 1, 1,
		"what a line or a packet becomes, step by step",
		"sipchain explain hep.pcap\n"
		"tail -n 1 /var/log/asterisk/security.json | sipchain explain -\n"
		"grep SIPCHAIN /var/log/kamailio.log | sipchain explain - --json\n"
		"sipchain explain --filter asterisk /var/log/asterisk/messages\n"
		"journalctl -u kamailio -n 20 -o export | sipchain explain -",
		.options = {OPTION_CONFIG, OPTION_FILTER, OPTION_FILTERS},
		.more = "FILE is a capture (pcap) of SIP or HEP, HEP packets, a SIP message, "
			"Asterisk's security.json or security.log, events of AMI as its stream has "
			"them, a log with the lines of the shipped includes for Kamailio and "
			"OpenSIPS, a log for a filter of fail2ban's, syslog messages (RFC 5424, "
			"3164) or what `journalctl -o export` prints; LINE is one of those; -: "
			"standard input. Lines of Asterisk's messages and FreeSWITCH's log go "
			"through the stock filter, if it is installed; --filter names the filter "
			"for any other, or for all lines. Nothing is banned, and the daemon is not "
			"asked: it is the configuration's rules, thresholds and allowlist, or the "
			"built-in ones where there is none. What the daemon has learnt and the ledger "
			"protects, `sipchain check` tells. It ends with 0 when all was read, with "
			"78 when a filter or the configuration is wrong."},
	{"number", NULL, run_number, "TEXT ...", 1, ARGUMENTS_MAX,
		"which telephone number a dialled string means, and how it was read",
		"sipchain number 900972597744894 9011972597744894 +972597744894 --country 44\n"
		"sipchain number 'tel:02079460101;phone-context=+44' --json",
		.options = {OPTION_CONFIG, OPTION_COUNTRY, OPTION_OUTSIDE},
		.more = "TEXT is what was dialled: digits with whatever stands before them, a tel: or a "
			"sip: URI. Only what has a single reading is published. Three and more are "
			"also taken as those of one source that tries prefixes: the number that "
			"they have in common is told after them. The site is the one that "
			"[numbers] of the configuration describes; with --country one of another "
			"country of which nothing else is known. It asks no daemon, calls nobody."},
	{"ban", NULL, run_ban, "ADDRESS|PREFIX|NUMBER", 1, 1,
		"ban it on this node only; a number in its PBXs (connectors)",
		"sipchain ban 198.51.100.0/24 --ttl 2h",
		.options = {DAEMON, OPTION_TTL, OPTION_NOTE}},
	{"unban", NULL, run_unban, "ADDRESS|PREFIX|NUMBER", 1, 1,
		"end this node's own ban of it", "sipchain unban 198.51.100.0/24",
		.options = {DAEMON}},
	{"banned", NULL, run_banned, "", 0, 0,
		"what stands in this node's firewall, and what it dropped",
		"sipchain banned --json", .options = {DAEMON}},
	{"connector", "status", run_connector_status, "[NAME]", 0, 1,
		"the PBXs that calls to blocked numbers are refused in",
		"sipchain connector status pbx --json", .options = {DAEMON}},
	{"connector", "resync", run_connector_resync, "[NAME]", 0, 1,
		"compare what stands in a PBX (default: in all) with what should",
		"sipchain connector resync pbx", .options = {DAEMON}},
	{"connector", "clear", run_connector_clear, "NAME", 1, 1,
		"take away all that stands in a PBX, before its section is removed",
		"sipchain connector clear pbx", .options = {DAEMON}},
	{"connector", "forget", run_connector_forget, "NAME", 1, 1,
		"what a removed section left in its PBX is no more, or does not matter",
		"sipchain connector forget pbx", .options = {DAEMON}},
	{"webhook", "status", run_webhook_status, "[NAME]", 0, 1,
		"who is sent the events, and how far each has come",
		"sipchain webhook status\n"
		"sipchain webhook status siem --json",
		.options = {DAEMON},
		.more = "BEHIND is how many events the journal has after POSITION. LOST counts what "
			"was removed from it before it could be delivered."},
	{"webhook", "test", run_webhook_test, "NAME", 1, 1,
		"send it an event of type test, and wait for the receiver's answer",
		"sipchain webhook test siem", .options = {DAEMON},
		.more = "The event takes the way of all others, behind those that wait. It ends with 0 "
			"when the receiver has taken it, else it says why not and ends with 1."},
	{"webhook", "retry", run_webhook_retry, "NAME", 1, 1,
		"try now, also after the receiver answered 410 (gone)",
		"sipchain webhook retry siem", .options = {DAEMON}},
	{"webhook", "secret", run_webhook_secret, "", 0, 0,
		"print a new secret, for secret_file and for the receiver",
		"sipchain webhook secret > /etc/sipchain/siem.secret", .options = {0}},
	{"watch", NULL, run_watch, "", 0, 0,
		"show events as they happen, until interrupted", "sipchain watch --json",
		.options = {DAEMON, OPTION_SINCE_ID},
		.more = "Each event has an id (--json shows it); whoever was away goes on with "
			"--since and the last id that he saw."},
	{"honeypot", "sessions", run_honeypot_sessions, "", 0, 0,
		"who came to the honeypot: one line a session, the newest last",
		"sipchain honeypot sessions --since 1d --proved\n"
		"sipchain honeypot sessions --number '+97259*' --json\n"
		"sipchain honeypot sessions --by source --limit 20",
		.options = {RECORDS_OF, OPTION_BY},
		.more = "A session is what came from one address under one Call-ID, and the answers. "
			"ACCOUNTS and NUMBERS show the first two of each and how many more there "
			"are. The last 1000 are shown, --limit asks for more or fewer. No daemon "
			"is needed: the records are read."},
	{"honeypot", "tail", run_honeypot_tail, "", 0, 0,
		"show messages as the honeypot records them, until interrupted",
		"sipchain honeypot tail\n"
		"sipchain honeypot tail --since 10m --json | jq .dialled",
		.options = {RECORDS_OF},
		.more = "--since begins with what is there already. A message is on the disk "
			"within a second. --limit ends it after so many messages. Here --number and "
			"--proved ask each message, elsewhere each session."},
	{"honeypot", "show", run_honeypot_show, "SESSION|ADDRESS", 1, 1,
		"the messages of a session, or of an address, whole",
		"sipchain honeypot show 5b1f0c9a77e03d42",
		.options = {OPTION_CONFIG, OPTION_FOLDER, OPTION_SINCE, OPTION_LIMIT}},
	{"honeypot", "export", run_honeypot_export, "", 0, 0,
		"print messages as JSON, one a line, or write them as a capture",
		"sipchain honeypot export --since 7d > honeypot.jsonl\n"
		"sipchain honeypot export --pcap honeypot.pcap --source 198.51.100.0/24\n"
		"sipchain honeypot export --pcap - --number 972591234567 | tshark -r -",
		.options = {RECORDS_OF, OPTION_OUT, OPTION_PCAP},
		.more = "With --number or --proved whole sessions are taken. A capture has IP and UDP "
			"or TCP headers made from what was recorded, for sngrep, Wireshark, tcpdump "
			"and `sipchain explain`; what came over TLS or WebSocket is in it as plain "
			"TCP. Passwords are in neither, unless the configuration had them "
			"recorded."},
	{"ledger", "show", run_ledger_show, "", 0, 0,
		"the ledger's id, who governs it, its rules and tips",
		"sipchain ledger show --json", .options = {LEDGER}},
	{"ledger", "verify", run_ledger_verify, "", 0, 0,
		"check every signature, tip and rule of the ledger from its genesis",
		"sipchain ledger verify --ledger /var/lib/sipchain/ledger.db",
		.options = {LEDGER}},
	{"ledger", "export", run_ledger_export, "", 0, 0,
		"print every operation, one JSON object a line",
		"sipchain ledger export > history.jsonl", .options = {LEDGER}},
	{"evidence", "list", run_evidence_list, "[INDICATOR]", 0, 1,
		"the records behind this node's reports",
		"sipchain evidence list 198.51.100.7",
		.options = {DAEMON, OPTION_DIRECT, OPTION_LIMIT},
		.more = "Each report of a detection has one: what was seen, by which sensor, what "
			"it proves. They are kept as [evidence] says. Without a running daemon its "
			"database is read."},
	{"evidence", "show", run_evidence_show, "INDICATOR|ID", 1, 1,
		"one record whole: of an indicator the latest that is on the ledger",
		"sipchain evidence show 198.51.100.7",
		.options = {DAEMON, OPTION_DIRECT}},
	{"evidence", "export", run_evidence_export, "INDICATOR|ID FILE", 2, 2,
		"write a record to a file that others can verify, for the owner of the address",
		"sipchain evidence export 198.51.100.7 198.51.100.7.json",
		.options = {DAEMON, OPTION_DIRECT, OPTION_LEDGER, OPTION_ENDPOINT,
			OPTION_CONTRACT},
		.more = "The file holds the record, its salt, its path to the batch's commitment "
			"and which batch of which ledger that is. Account names, extensions and "
			"the PBX's addresses are not in the record. The file must not be there yet."},
	{"evidence", "verify", run_evidence_verify, "FILE", 1, 1,
		"see that a record is what its author committed to, when, and unchanged",
		"sipchain evidence verify 198.51.100.7.json --endpoint http://127.0.0.1:8545",
		.options = {LEDGER, OPTION_HISTORY},
		.more = "Needs the file and a way to read the ledger: the local ledger's file, an "
			"endpoint of the chain (the contract is then the file's, if none is given), "
			"or a history that was exported. Ends with 0 when the record is what the "
			"member committed to, with 1 and the difference when not."},
	{"ledger", "pause", run_ledger_pause, "", 0, 0,
		"let nothing but revocations through (owner or guardian)",
		"sipchain ledger pause --key guardian.key", .options = {SIGNED}},
	{"ledger", "unpause", run_ledger_unpause, "", 0, 0, "end a pause (owner)",
		"sipchain ledger unpause --key owner.key", .options = {SIGNED}},
	{"ledger", "config", run_ledger_config, "", 0, 0,
		"change the ledger's rules: quorum, longest life, shortest prefixes (owner)",
		"sipchain ledger config --threshold 2 --max-ttl 3d --key owner.key",
		.options = {SIGNED, OPTION_THRESHOLD, OPTION_MAX_TTL, OPTION_MIN_V4,
			OPTION_MIN_V6, OPTION_MIN_E164},
		.more = "What is not given stays as it is. What is live stays too, even "
			"where a new report like it would be refused."},
	{"ledger", "guardian", run_ledger_guardian, "0xADDRESS", 1, 1,
		"name who may suspend members and pause; all zeros: nobody (owner)",
		"sipchain ledger guardian 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --key owner.key",
		.options = {SIGNED}},
	{"ledger", "owner-propose", run_ledger_owner_propose, "0xADDRESS", 1, 1,
		"offer the ledger to a new owner, who accepts it (owner)",
		"sipchain ledger owner-propose 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --key owner.key",
		.options = {SIGNED},
		.more = "Nothing changes until `ledger owner-accept`. Another proposal takes "
			"the place of the last; all zeros take it back."},
	{"ledger", "owner-accept", run_ledger_owner_accept, "", 0, 0,
		"become the owner, signed with the proposed owner's key",
		"sipchain ledger owner-accept --key new-owner.key", .options = {SIGNED}},
	{"ledger", "supersede", run_ledger_supersede, "ID", 1, 1,
		"end reporting here for ever: a successor takes over (owner)",
		"sipchain ledger supersede 9b0c6c1f3d5e7a82940b1d6f8e3c5a7094b2d8f61e0a3c5b7d9f1e2a4c6b8d0f --yes --key owner.key",
		.options = {SIGNED, OPTION_YES},
		.more = "ID is the successor's id, as `ledger show` prints it there. Only "
			"revocations go through after that, and what is live lives on until "
			"its expiry. It cannot be taken back, and needs --yes."},
	{"ledger", "bench", run_ledger_bench, "", 0, 0,
		"write reports onto a chain of one's own and read them back; print what it took",
		"sipchain ledger bench --endpoint http://127.0.0.1:8545 --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3 --key member.key --reports 1000",
		.options = {OPTION_CONFIG, OPTION_ENDPOINT, OPTION_CONTRACT, OPTION_KEY,
			FEES, OPTION_REPORTS, OPTION_TTL, OPTION_YES},
		.more = "It costs what so many reports cost, and they stand on the ledger until "
			"their expiry (--ttl, default 10m): hashed indicators that nobody has. An "
			"endpoint that is not on this machine needs --yes."},
	{"version", NULL, run_version, "", 0, 0, "print the version", "sipchain version",
		.options = {0}},
	{"manual", NULL, run_manual, "[PAGE]", 0, 1,
		"print the manual page (sipchain or sipchain.conf) in man(7) format",
		"sipchain manual | man -l -", .options = {0}},
	{"completion", NULL, run_completion, "", 0, 0, "print the bash completion",
		"sipchain completion > /etc/bash_completion.d/sipchain", .options = {0}},
};

const size_t commands_count = sizeof commands / sizeof commands[0];
