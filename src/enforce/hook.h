/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_HOOK_H
#define ENFORCE_HOOK_H

#include "enforce/pbx.h"

/*
 * pbx_hook: bans for a program of the operator's, which does with them what it
 * likes: one JSON object a line on its standard input,
 *
 *   {"op":"resync-begin","version":1,"connector":"NAME"}
 *   {"op":"add","id":7,"indicator":"+97259*","kind":"number","digits":"97259",
 *    "prefix":true,"until":1795638440,"category":"fraud","origin":"ledger"}
 *   {"op":"resync-end"}
 *   {"op":"delete","id":8,"indicator":"+97259*",...}
 *
 * (each is one line; digits and prefix are there for numbers alone). What stands
 * when the program starts is unknown: between resync-begin and resync-end comes
 * all that should, and what did not come is to be forgotten; deletions, too, of what
 * ended meanwhile. resync-end comes at once behind the last of them. The same indicator may
 * be added again with another end. At its end a delete comes.
 *
 * What it writes to its standard output, one JSON object a line, is optional:
 *
 *   {"hit":{"number":"97259000123","dialled":"0097259000123","account":"101",
 *    "source":"198.51.100.7:5060","indicator":"+97259*"}}     a call it refused
 *   {"failed":7,"why":"no space left"}     it could not do this; people read it
 *   {"done":7}                             it did
 *
 * An order is carried out when the program's end of the stream has taken it; one
 * that takes nothing for HOOK_STALL is given up and started anew.
 */
#define HOOK_STALL     (30 * USEC_PER_SEC)
#define HOOK_LINE_MAX  4096 /* of what it writes; longer lines are discarded */
#define HOOK_LINES_MAX 1000 /* a second that are looked at; more are discarded */
#define HOOK_HITS_MAX  100  /* of them */
/* Orders, and bytes, that wait to be taken. */
#define HOOK_WINDOW  256
#define HOOK_OUT_MAX (64U << 10)

#endif
