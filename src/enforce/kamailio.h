/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_KAMAILIO_H
#define ENFORCE_KAMAILIO_H

#include "enforce/pbx.h"

/*
 * pbx_kamailio: bans as entries of Kamailio's htables, by JSON-RPC over its Unix
 * datagram socket (modules jsonrpcs and htable; measured with 5.6.3). One call is
 * one datagram, its answer another; the only calls are
 *
 *   htable.setxs  table key value seconds    set value and expiry at once
 *   htable.delete table key
 *   htable.get    table key                  of our own mark alone
 *
 * What stands where (the names of the tables are the configuration's):
 *
 *   number    "97259000123" exact, "97259*" a prefix
 *   address   "198.51.100.7", "2001:db8::7" (RFC 5952, as $si has it);
 *             "198.51.100.0/24", "198.51.0.0/16"
 *   uri, domain
 *             32 hexadecimal digits: the first 128 bits of keccak256 of the
 *             canonical text, for a script that can compute them
 *
 * The value is a generation of nine digits and pbx_id(): "218764321+97259*". In each
 * table stands our mark, key "sipchain", value "FFFFFFFFFTTTTTTTTT": an entry counts
 * when its generation is F or later, and none counts without the mark. So what a table
 * holds that we know nothing of (a table cannot be listed: of more than some
 * 500 entries, 73 kB, htable.dump sends no answer) ends all at once, and nothing that shall stand is missing
 * for a moment:
 *
 *   1. read the mark; take a generation G later than T; set the mark to F, G
 *   2. write all that shall stand, with G; what stood counts as before
 *   3. when the last of it was answered: set the mark to G, G
 *
 * A process that ends in between leaves F as it was. With no mark there is F = G. G is
 * also no less than the seconds since 2020, for a mark that has ended: no generation
 * without a mark is later than that.
 *
 * Facts it rests on:
 *
 * - Kamailio answers without waiting: an answer for which our socket's queue has
 *   no room is lost. A queue holds net.unix.max_dgram_qlen + 1 datagrams, 11 by
 *   default; so many calls are never under way.
 * - setxs with a value longer than the one that stands there sets no expiry: the
 *   entry stays for ever. So the value of a key always has one length.
 * - A table without autoexpire never looks at the expiry of its entries: what
 *   has been set there would stay until Kamailio ends. The mark shows it, and
 *   such a table is refused.
 * - Tables are lost when Kamailio restarts, and when somebody flushes them. One of
 *   the marks is asked for each second, and when it is gone, or another's, all is
 *   ordered again.
 */
#define KAMAILIO_WINDOW 11 /* calls under way; one is kept for the mark */

#define KAMAILIO_MARK      "sipchain"
#define KAMAILIO_DIGITS    9
#define KAMAILIO_LAST      UINT32_C(999999999)  /* generation, in 2051 */
#define KAMAILIO_EPOCH     UINT64_C(1577836800) /* 2020 */
#define KAMAILIO_VALUE_MAX (KAMAILIO_DIGITS + INDICATOR_TEXT)
#define KAMAILIO_MARK_MAX  (2 * KAMAILIO_DIGITS + 1)

/* What a mark says. Returns 0, or -1: it is none of ours. Hostile text. */
struct kamailio_mark {
	uint32_t floor, top;
};
int kamailio_mark_parse(struct kamailio_mark *out, const char *text);
const char *kamailio_mark_print(char dst[KAMAILIO_MARK_MAX], struct kamailio_mark mark);

/* A generation later than top, at this time (unix seconds); 0: there is none. */
uint32_t kamailio_mark_next(uint32_t top, uint64_t wall);

/* An answer has at most so many bytes; longer ones are discarded. */
#define KAMAILIO_ANSWER_MAX 4096

/* Kamailio's own name of a table: letters, digits, '_'; 1 to 32 of them. */
bool kamailio_table_name(const char *name);

/* What the parsed answer to one call says. */
enum kamailio_result {
	KAMAILIO_DONE = 1,  /* carried out; of a get: *value and *expire are filled */
	KAMAILIO_NO_KEY,    /* there is no such key */
	KAMAILIO_NO_TABLE,  /* there is no such table, or it takes nothing */
	KAMAILIO_NO_METHOD, /* the module is not loaded */
	KAMAILIO_FAILED,    /* anything else: text says what */
	KAMAILIO_NONSENSE,  /* no answer of JSON-RPC */
};

struct kamailio_answer {
	char id[20];     /* as it was sent; "" when it is no such text */
	char value[64];  /* of a get; "" when it did not say */
	char expire[32]; /* of a get: "2026-11-22 13:12:20", "NEVER"; "" as above */
	char text[120];  /* the error's own, escaped */
};

/* Hostile bytes: whoever may write to our socket wrote them. */
enum kamailio_result kamailio_answer(struct kamailio_answer *out, struct view bytes);

/*
 * The key of an indicator, dst of 64 bytes. NULL: it has none there (a prefix of
 * addresses of a length that the include does not look up, an agent).
 */
const char *kamailio_key(char dst[64], const struct indicator *i);

#endif
