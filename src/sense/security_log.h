/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_SECURITY_LOG_H
#define SENSE_SECURITY_LOG_H

#include "sense/observation.h"
#include "sense/parse_trace.h"

/*
 * Asterisk's security events (res_security_log), one line each, in the two
 * forms that logger.conf can give them a file of their own:
 *
 *   security.json => [json]security     recommended
 *   security.log  => security
 *
 * Only such dedicated files are to be read. In a file that holds other levels
 * too (messages, full) an attacker writes whole lines: pjproject dumps a
 * packet without From into it, line breaks included, and what he writes there
 * is byte for byte what Asterisk would write.
 *
 * An event is SecurityEvent="KIND",EventTV="...",...,AccountID="A",
 * SessionID="S",LocalAddress="L",RemoteAddress="R"[,MORE]. A and S are the
 * attacker's and may hold quotes and whole fields, so that only the two ends
 * can be trusted: the head up to AccountID is read from the left, the tail
 * from the right. ChallengeResponseFailed, InvalidPassword and RequestBadFormat
 * have the attacker's text in their tail too. pjproject lets no bare quote
 * into it (Asterisk 22.10: escaped, bracketed and %22 were tried), but that
 * is not relied upon: with a second RemoteAddress in such a line the last one
 * counts, and proves nothing, whatever its transport. It then says no more
 * than what one forged UDP packet can make Asterisk say of anybody.
 */
enum security_log_result {
	SECURITY_LOG_OBSERVATION = 0, /* *o is filled */
	SECURITY_LOG_NOTHING = 1,     /* well-formed, nothing to observe */
	SECURITY_LOG_UNREADABLE = 2,  /* truncated, glued, or not such a line */
	SECURITY_LOG_INJECTION = 3,   /* somebody tried to write fields of his own */
};

/* Longest line looked at; Asterisk cuts JSON lines at 8,192 bytes. */
#define SECURITY_LOG_LINE_MAX 65536

/*
 * Longest line of the text form. Asterisk cuts text at about 16 KiB without a
 * line break, so that a line cut in an attacker's Call-ID could end as he
 * likes; genuine ones take less than 500 bytes.
 */
#define SECURITY_LOG_TEXT_MAX 2048

/* Most seconds between the line's own time and its event's. */
#define SECURITY_LOG_SKEW 30

/*
 * Parse one line (without or with its line break; the form is seen from the
 * first byte). The kinds and what they prove are those of
 * security_event_observe(); any other is SECURITY_LOG_NOTHING. The time is the
 * event's (EventTV).
 */
enum security_log_result security_log_parse(struct observation *o, struct view line);

/* The same, and tell its fields and why it is no observation; trace may be NULL. */
enum security_log_result security_log_trace(
	struct observation *o, struct view line, struct parse_trace *trace);

/* Figures for `status`, by result. */
struct security_log_figures {
	uint64_t lines[4];
};

/* Parse, count, and give what was observed to fn. */
void security_log_feed(struct security_log_figures *figures, struct view line,
	observation_fn *fn, void *context);

#endif
