/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCENARIO_DECIDE_PLAY_H
#define SCENARIO_DECIDE_PLAY_H

#include "decide/decide.h"

/* What the parts of the runner share; run_decide.c tells the language. */
#define LINE_MAX_BYTES 512
#define WORDS_MAX      24

struct run {
	const char *file;
	unsigned line;
	uint32_t now;
	struct registry *registry;
	struct allowlist *allow;
	struct policy policy;
	struct ledger_config config;
	uint64_t seq[2];
	bool founded;
	unsigned expectations, failures;
};

/* A statement's words; word[0] names it. */
struct statement {
	char text[LINE_MAX_BYTES];
	char *word[WORDS_MAX];
	unsigned n;
};

/* Say what is wrong with the scenario itself, and end with status 2. */
__attribute__((format(printf, 2, 3), noreturn)) void bad(
	const struct run *r, const char *fmt, ...);

/* Split at blanks; a quoted part of a word keeps its blanks, not its quotes. */
void statement_split(const struct run *r, struct statement *s, const char *line);

/* The rest of a statement, from word `from` on; its words stay those of s. */
struct statement statement_rest(const struct statement *s, unsigned from);

/* The value of key=..., or NULL; as a number, or `otherwise`. */
const char *value(const struct statement *s, const char *key);
uint32_t number_or(const struct run *r, const struct statement *s, const char *key,
	uint32_t otherwise);

/* A number that must be there; what names it in the complaint. */
uint32_t number(const struct run *r, const char *text, const char *what);

/* Word `at`, which must be an indicator. */
struct indicator indicator(const struct run *r, const struct statement *s, unsigned at);

/* Put the genesis operation, made of r->config, onto the ledger. */
void found(struct run *r);

/* A statement that the ledger accepts (expected NULL), or refuses so. */
void do_operation(struct run *r, const struct statement *s, const char *expected);

#endif
