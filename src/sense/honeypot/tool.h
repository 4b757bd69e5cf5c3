/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_TOOL_H
#define SENSE_HONEYPOT_TOOL_H

#include "base/buffer.h"
#include "sip/message.h"

/*
 * Attack tools told by the shape of what they send, not by the name alone that they
 * give themselves, as data: packaging/honeypot-tools.conf is built in and explains
 * every key; a file of the operator's is read before it.
 */
#define TOOLS_MAX         64
#define TOOL_NAME_MAX     32
#define TOOL_PATTERNS_MAX 6 /* of one tool */
#define TOOL_PATTERN_MAX  96

struct tool_pattern {
	uint8_t field; /* enum tool_field, see tool.c */
	uint8_t n;     /* tokens */
	uint8_t kind[TOOL_PATTERN_MAX];
	uint8_t letter[TOOL_PATTERN_MAX]; /* lower case */
};

struct tool {
	char name[TOOL_NAME_MAX];
	bool attack; /* it is used for nothing else */
	bool quiet;  /* a request of ours would stop it */
	struct tool_pattern patterns[TOOL_PATTERNS_MAX];
	unsigned n_patterns; /* all must fit */
};

#define TOOL_FIELDS 15
#define TOOL_FIRSTS 33 /* kinds of first characters, see tool.c */

struct honeypot_tools {
	struct tool at[TOOLS_MAX];
	unsigned n;
	/*
	 * A bit for each tool: of what a field begins with, whom that leaves. Nearly
	 * every tool is ruled out by it before a pattern is tried.
	 */
	uint64_t open[TOOL_FIELDS][TOOL_FIRSTS];
};

/* The built-in ones. Parsed on first use; aborts when they are wrong. */
const struct honeypot_tools *tools_builtin(void);

/* The text of packaging/honeypot-tools.conf. */
struct view tools_builtin_text(void);

/*
 * Append to *tools what text says, as profiles_read() does; the operator's own first,
 * then tools_builtin_text(), as the first that fits is the one.
 */
int tools_read(struct honeypot_tools *tools, const char *name, struct view text,
	struct buffer *errors);

/* The first tool that a request fits, or NULL. packet is what m was parsed from. */
const struct tool *tool_of(const struct honeypot_tools *tools,
	const struct sip_message *m, struct view packet);

/*
 * Whom svmap meant: its From-tags are hex of "c000020a13c4\1RANDOM", the target's IPv4
 * address and port. Writes "192.0.2.10:5060" into dst and returns true, else "" and
 * false.
 */
#define TOOL_TARGET_MAX 24
bool tool_target(char dst[TOOL_TARGET_MAX], struct view from_tag);

#endif
