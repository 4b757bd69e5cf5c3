/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_ASTERISK_ENTRY_H
#define ENFORCE_ASTERISK_ENTRY_H

#include "base/buffer.h"
#include "enforce/ban.h"

/*
 * A blocked number as it stands in AstDB:
 *
 *   /sipchain/num/97259    2000000000|P|+97259*
 *                 digits   end, ten digits | E exact, P prefix | indicator
 *
 * The same digits, exact and as a prefix, share one key: the prefix covers both.
 */
#define ASTERISK_FAMILY "sipchain"
#define ASTERISK_TREE   "num"
#define ASTERISK_KEY    24 /* "num/" and 15 digits, NUL included */
#define ASTERISK_VALUE  48 /* ten digits, kind, "+" and 15 digits, "*" */

/* Key and value of a number's ban. Returns 0, or -1: it is no number. */
int asterisk_entry(char key[ASTERISK_KEY], char value[ASTERISK_VALUE],
	const struct indicator *i, uint32_t until);

/*
 * What an entry that was found says; *found is a BAN_ADD. key: whole, as listed
 * ("/sipchain/num/97259"). Returns 0, or -1: its value is none of ours, or does
 * not belong to this key.
 */
int asterisk_entry_parse(struct ban_order *found, struct view key, struct view value);

/*
 * The key of an entry as DBDel wants it ("num/97259"), of any text below our
 * tree. Returns 0, or -1: it is not below, or nothing that fits an action.
 */
int asterisk_entry_key(struct view *out, struct view listed);

/* The same digits as the other kind: exact of a prefix, prefix of an exact one. */
int asterisk_entry_twin(struct indicator *out, const struct indicator *i);

/* Whether a prefix, not an exact number. */
static inline bool asterisk_entry_prefix(const struct indicator *i)
{
	return i->plen != 128;
}

/*
 * Append a line "Key: value" of an action. Returns 0, or -1, nothing appended,
 * when value holds what would end the line (CR, LF, NUL).
 */
int asterisk_line(struct buffer *out, const char *key, struct view value);

#endif
