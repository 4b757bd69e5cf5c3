/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_KAMAILIO_LOG_H
#define SENSE_KAMAILIO_LOG_H

#include "sense/observation.h"
#include "sense/parse_trace.h"

/*
 * The lines that the shipped includes for Kamailio and OpenSIPS write
 * (packaging/kamailio/sipchain.cfg, packaging/opensips/sipchain.cfg), such as
 *
 *   Nov 21 20:27:20 vm kamailio[23149]: NOTICE: <script>: SIPCHAIN ev=auth_fail
 *   t=1795638440.123456 src=198.51.100.100:5071 proto=udp method=REGISTER rc=-2
 *   verified=1 authuser=101 from=101 ruser= callid=1-23165%40198.51.100.100
 *   resp=0123456789abcdef0123456789abcdef ua=MyDialer%2f1.0
 *
 * (one line), with syslog's head or without it, as the journal has it.
 *
 * All that stands before SIPCHAIN is the server's own: with the log_prefix of
 * some configurations (`NOTICE: {1 1 REGISTER CALL-ID} <script>: `) there is
 * text of the attacker's in it, and the server's own errors dump whole packets.
 * So a line counts only when its head is exactly the server's, SIPCHAIN stands
 * in it once, and what follows is nothing but KEY=VALUE, each key once, each
 * value of the few characters that the include leaves as they are: a value is
 * text with %HH for the rest, or ':' and hexadecimal digits where the text had
 * bytes that the server's own escaping drops.
 */
enum kamailio_log_result {
	KAMAILIO_LOG_OBSERVATION = 0, /* *o is filled */
	KAMAILIO_LOG_NOTHING = 1,     /* not the include's, or nothing to observe */
	KAMAILIO_LOG_UNREADABLE = 2,  /* begins as the include's, and was cut */
	KAMAILIO_LOG_INJECTION = 3,   /* somebody tried to write such a line */
};

/* Longest line looked at: the include's own have at most 1,600 bytes. */
#define KAMAILIO_LOG_LINE_MAX 4096

/*
 * Parse one line (without or with its line break). now is the time of lines
 * that bear none, or one that is not yet. By ev:
 *
 *   auth_fail   rc -2: OBSERVED_AUTH_FAILED; rc -3: OBSERVED_UNKNOWN_ACCOUNT;
 *               any other rc is a nonce that is old, another's or made up, and
 *               no more than an unanswered challenge: OBSERVED_SCAN
 *   challenge   OBSERVED_SCAN; what follows answers it
 *   bad_ua, pike
 *               OBSERVED_SCAN
 *   rejected    OBSERVED_CALL_REJECTED
 *   malformed   OBSERVED_MALFORMED
 *   auth_ok     OBSERVED_AUTH_OK with PROOF_AUTH
 *   blocked_num OBSERVED_BLOCKED; its id and num must belong together
 *   another     KAMAILIO_LOG_NOTHING
 *
 * verified=1 with rc -2 or -3 is PROOF_NONCE: the include binds nonces to the
 * address that they were sent to (auth_checks_* = 8), and the server looks at
 * the password only after that held. Else a stream transport is PROOF_TCP, and
 * UDP proves nothing.
 *
 * The attempt is that of a HEP packet of the same request (Call-ID and digest
 * response), where the line has both.
 */
enum kamailio_log_result kamailio_log_parse(
	struct observation *o, struct view line, usec now);

/* The same, and tell its fields and why it is no observation; trace may be NULL. */
enum kamailio_log_result kamailio_log_trace(
	struct observation *o, struct view line, usec now, struct parse_trace *trace);

/* Figures for `status`, by result. */
struct kamailio_log_figures {
	uint64_t lines[4];
};

#endif
