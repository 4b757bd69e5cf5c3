/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_PROFILE_H
#define SENSE_HONEYPOT_PROFILE_H

#include "base/buffer.h"

/*
 * What a PBX's answers look like, as data: packaging/honeypot-profiles.conf is built
 * in and explains every key; a file of the operator's adds profiles, and replaces one
 * whose name it uses.
 */
#define PROFILES_MAX        16
#define PROFILE_NAME_MAX    32
#define PROFILE_TAG_MAX     80   /* STAMP_TEXT_MAX */
#define PROFILE_TEXT_MAX    6144 /* bytes of all texts of one profile */
#define PROFILE_LINES_MAX   1024
#define PROFILE_HEADERS_MAX 48
#define PROFILE_ANSWERS_MAX 16

/*
 * In the texts of a profile {name} of a known placeholder is PLACEHOLDER_MARK and the
 * number of the placeholder, one byte each (a file cannot hold such bytes).
 */
#define PLACEHOLDER_MARK '\x01'
enum placeholder {
	PLACEHOLDER_VIA = 2, /* alone, as the whole value */
	PLACEHOLDER_RECORD_ROUTE,
	PLACEHOLDER_FROM,
	PLACEHOLDER_TO,
	PLACEHOLDER_CALL_ID,
	PLACEHOLDER_CSEQ,
	PLACEHOLDER_CONTACT,
	PLACEHOLDER_AGENT,
	PLACEHOLDER_REALM,
	PLACEHOLDER_NONCE,
	PLACEHOLDER_STALE,
	PLACEHOLDER_OPAQUE,
	PLACEHOLDER_LENGTH,
	PLACEHOLDER_UNSUPPORTED,
	PLACEHOLDER_EXPIRES,
	PLACEHOLDER_DIALLED,
	PLACEHOLDER_LOCAL,
	PLACEHOLDER_LOCAL_IP,
	PLACEHOLDER_FAMILY,
	PLACEHOLDER_DATE,
	PLACEHOLDER_ID,
	PLACEHOLDER_PORT,
};

/* When a header stands in an answer; what is zero does not matter. */
struct profile_header {
	uint16_t line,
		value;    /* offsets into text: "NAME: ", and the VALUE CRLF behind it */
	uint16_t methods; /* bits by enum sip_method */
	uint16_t low, high; /* statuses */
	bool optional;      /* may be left out to save bytes, the last one first, */
	bool preferred;     /* after all those that are optional only */
	bool sdp;           /* only with a body */
	bool in_long, in_short;
};

/* What a request outside a dialog is answered. */
struct profile_answer {
	uint8_t method; /* enum sip_method; 0: all others */
	uint16_t status;
	uint16_t reason; /* offset into text */
};

struct honeypot_profile {
	char name[PROFILE_NAME_MAX];
	struct profile_header headers[PROFILE_HEADERS_MAX];
	unsigned n_headers;
	struct profile_answer answers[PROFILE_ANSWERS_MAX];
	unsigned n_answers;
	bool via_first;
	bool last_tag; /* of two From-tags of a BYE the last counts; else it is refused */
	uint16_t realm, agent, tag, nonce,
		short_nonce; /* offsets into text; 0: not given */
	char sdp[PROFILE_LINES_MAX], short_sdp[PROFILE_LINES_MAX]; /* lines with CRLF */
	char bye[PROFILE_LINES_MAX];
	char text[PROFILE_TEXT_MAX]; /* NUL-terminated strings; text[0] is 0 */
	size_t n_text;
};

struct honeypot_profiles {
	struct honeypot_profile at[PROFILES_MAX];
	unsigned n;
};

/*
 * The built-in ones: asterisk, freeswitch, cisco. Parsed on first use; aborts when
 * they are wrong.
 */
const struct honeypot_profiles *profiles_builtin(void);

/* The text of packaging/honeypot-profiles.conf. */
struct view profiles_builtin_text(void);

/*
 * Add to *profiles what text says; name stands for the file in errors. Every error is
 * appended to errors as one line "file:line: what, and what would be right\n".
 * Returns 0, or -1 with errors; *profiles is then undefined.
 */
int profiles_read(struct honeypot_profiles *profiles, const char *name, struct view text,
	struct buffer *errors);

/* The profile with this name, or NULL. */
const struct honeypot_profile *profiles_find(
	const struct honeypot_profiles *profiles, struct view name);

#endif
