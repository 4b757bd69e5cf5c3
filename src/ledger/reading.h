/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_READING_H
#define LEDGER_READING_H

#include "ledger/ledger.h"

/*
 * Reading a ledger to its end and folding it, blocking, on a loop of its own:
 * what one command of the command line does with either kind of ledger. The
 * ledger verifies what it delivers; the fold holds it to the rules once more.
 */
struct reading;

/* Open the ledger that is to be read, on that loop. NULL with a text. */
typedef struct ledger *reading_open_fn(void *context, uv_loop_t *loop,
	const struct ledger_callbacks *callbacks, struct error *err);

struct reading_order {
	reading_open_fn *open;
	void *context; /* open's */
	uint32_t now;  /* unix seconds, for the window; 0: from the very beginning */
	/*
	 * Give up when nothing came for so long; and when nothing came for so long
	 * after trouble was told (0: at once).
	 */
	uint32_t patience_ms;
	uint32_t trouble_ms;
	/* May be NULL: sees every operation, after it was folded. */
	void (*event)(void *context, const struct ledger_event *event);
	void *event_context;
};

/*
 * Read until the ledger has caught up. NULL with the text of the trouble that
 * it ended in (the first since the last event), or what the fold refused. A reorganisation while it reads begins anew, unless
 * order->event has already seen something: then it is an error that says so.
 */
struct reading *reading_run(const struct reading_order *order, struct error *err);
void reading_free(struct reading *r);

const struct registry *reading_registry(const struct reading *r);

/* Operations folded, of both chains; what a window left out is not among them. */
uint64_t reading_count(const struct reading *r);

/*
 * The published text of a hashed indicator, or NULL; kept for at most
 * READING_TEXTS of them. For people: no decision looks here.
 */
#define READING_TEXTS 8192
const char *reading_text(const struct reading *r, const struct indicator *i);

#endif
