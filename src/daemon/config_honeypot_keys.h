/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_HONEYPOT_KEYS_H
#define DAEMON_CONFIG_HONEYPOT_KEYS_H

/* The keys of [honeypot], for config_keys.c, whose AT and COUNT they use. */
/* clang-format off */
#define CONFIG_HONEYPOT_KEYS \
	{"honeypot", "listen", CONFIG_SIP_LISTEN, CONFIG_REPEATED, AT(honeypot.listen), \
		COUNT(honeypot.listen_count), \
		.help = "udp:ADDRESS:PORT, or with tcp:, tls:, ws: or wss: for udp:; may be repeated,\n" \
			"up to 16. 0.0.0.0 and [::] are all addresses of this machine that nobody\n" \
			"else uses. Example: listen = udp:192.0.2.5:5060"}, \
	{"honeypot", "profile", CONFIG_WORD, .fallback = "asterisk", .min = 1, .max = 31, \
		AT(honeypot.profile), \
		.help = "The PBX that it looks like: asterisk, freeswitch, cisco, or one of profiles."}, \
	{"honeypot", "profiles", CONFIG_PATH_NAME, .fallback = "", AT(honeypot.profiles), \
		.help = "A file with profiles of your own, written like honeypot-profiles.conf in the\n" \
			"documentation; empty: the built-in ones alone."}, \
	{"honeypot", "tools", CONFIG_PATH_NAME, .fallback = "", AT(honeypot.tools), \
		.help = "A file that tells attack tools apart, which is looked at before the built-in\n" \
			"one, honeypot-tools.conf in the documentation; empty: that one alone."}, \
	{"honeypot", "accounts", CONFIG_ACCOUNTS, \
		.fallback = "100 101 102 200 201 1000 1001 2000 admin", \
		AT(honeypot.account), \
		.help = "The accounts that are there, up to 64: all others are unknown. Names that\n" \
			"nobody of yours has."}, \
	{"honeypot", "accept_after", CONFIG_COUNT, .fallback = "8", .max = 1000000, \
		AT(honeypot.accept_after), \
		.help = "So many passwords of one source for one account are wrong, the next is right;\n" \
			"0: none ever is."}, \
	{"honeypot", "ring", CONFIG_DURATION, .fallback = "2s", .max = 180, \
		AT(honeypot.ring), .help = "How long a call rings before it is answered."}, \
	{"honeypot", "talk", CONFIG_DURATION, .fallback = "20s", .min = 1, .max = 3600, \
		AT(honeypot.talk), .help = "How long a call lasts before we hang up."}, \
	{"honeypot", "advertised", CONFIG_HOST, .fallback = "", AT(honeypot.advertised), \
		.help = "The address that answers name, when this machine is behind NAT; empty: the one\n" \
			"that was asked."}, \
	{"honeypot", "per_source", CONFIG_COUNT, .fallback = "200", .min = 1, .max = 1000000, \
		AT(honeypot.per_source), \
		.help = "Messages a second that one source is sent. Whatever these say, a source that\n" \
			"nothing proves is never sent more bytes than it sent."}, \
	{"honeypot", "total", CONFIG_COUNT, .fallback = "100000", .min = 1, .max = 100000000, \
		AT(honeypot.total), .help = "Messages a second that are sent in all."}, \
	{"honeypot", "calls", CONFIG_COUNT, .fallback = "512", .min = 1, .max = 65536, \
		AT(honeypot.calls), .help = "Calls kept at once, 2 KB each."}, \
	{"honeypot", "connections", CONFIG_COUNT, .fallback = "10000", .min = 1, .max = 100000, \
		AT(honeypot.connections), \
		.help = "Connections (TCP, TLS, WebSocket) at once: the one that was silent longest\n" \
			"gives way. Each takes a descriptor: see LimitNOFILE= of the service."}, \
	{"honeypot", "connections_tls", CONFIG_COUNT, .fallback = "1000", .min = 1, .max = 100000, \
		AT(honeypot.connections_tls), .help = "Of them with TLS, about 10 KB each."}, \
	{"honeypot", "connections_per_source", CONFIG_COUNT, .fallback = "256", .min = 1, \
		.max = 100000, AT(honeypot.connections_per_source), \
		.help = "Of them from one IPv4 address, or one IPv6 /64."}, \
	{"honeypot", "certificate", CONFIG_PATH_NAME, .fallback = "", AT(honeypot.certificate), \
		.help = "PEM, for tls: and wss:, the chain behind it; empty: one that signs itself is\n" \
			"made, honeypot.pem in [node] state. Read at start and on reload."}, \
	{"honeypot", "key", CONFIG_PATH_NAME, .fallback = "", AT(honeypot.key), \
		.help = "The certificate's private key, without a password."}, \
	{"honeypot", "secrets", CONFIG_BOOL, .fallback = "no", AT(honeypot.secrets), \
		.help = "Record credentials as they come instead of masked: guesses, and whatever a\n" \
			"person's phone that was set up wrongly sends."}, \
	{"honeypot", "record", CONFIG_PATH_NAME, .fallback = "", AT(honeypot.record), \
		.help = "The folder of what was recorded, read by sipchain honeypot; it belongs to\n" \
			"[node] user alone. Empty: honeypot in [node] state."}, \
	{"honeypot", "record_max", CONFIG_COUNT, .fallback = "1000M", .min = 1000000, \
		.max = 4000000000, AT(honeypot.record_max), \
		.help = "Bytes of it; past it the oldest go."}, \
	{"honeypot", "record_keep", CONFIG_DURATION, .fallback = "30d", .min = 60, \
		.max = SECONDS_MAX, AT(honeypot.record_keep), .help = "How long it is kept."}, \
	{"honeypot", "hep", CONFIG_COLLECTOR, .fallback = "", AT(honeypot.hep), \
		.help = "Where a copy of each message goes as HEP3, such as Homer: udp:ADDRESS:PORT;\n" \
			"empty: nowhere. Example: hep = udp:192.0.2.20:9060"}, \
	{"honeypot", "hep_id", CONFIG_COUNT, .fallback = "2001", .max = UINT32_MAX, \
		AT(honeypot.hep_id), .help = "This capture agent's number there."}, \
	{"honeypot", "hep_password", CONFIG_SECRET, .fallback = "", \
		AT(honeypot.hep_password), .help = "The authentication key that goes with it."}, \
	{"honeypot", "hep_password_file", CONFIG_SECRET_FILE, CONFIG_ALIAS, \
		AT(honeypot.hep_password), \
		.help = "A file whose first line is that key, read at start and on reload."},
/* clang-format on */

#endif
