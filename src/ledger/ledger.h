/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <uv.h>

#include "ledger/operation.h"
#include "ledger/registry.h"
#include "ledger/signer.h"

/*
 * The interface that every ledger implements: submit a batch and learn its
 * fate, stream events from a cursor, tell the tip. The local ledger answers
 * within the call or soon after; an Ethereum ledger takes blocks. Everything
 * above this line is the same for both.
 *
 * A ledger lives on one libuv loop and calls back only from it.
 */
struct ledger;

/* One accepted operation, in its chain's order. */
struct ledger_event {
	enum chain chain;
	uint64_t block; /* position in the ledger; local: row */
	uint8_t tip_before[HASH_SIZE];
	struct operation operation; /* views point into bytes */
	struct view bytes;          /* valid during the callback */
};

enum fate {
	FATE_FINAL = 1,     /* on the ledger for good */
	FATE_REFUSED = 2,   /* by a rule: `refusal` says which */
	FATE_FAILED = 3,    /* by circumstance: try again later; `error` says why */
	FATE_TOO_LARGE = 4, /* as a whole; in batches of `words` it may pass */
};

struct ledger_fate {
	uint64_t ticket;
	enum fate fate;
	struct refusal refusal;
	struct error error;
	uint64_t block; /* FATE_FINAL */
	/* FATE_FINAL on a chain: who brought it there; zero: not known any more. */
	uint8_t transaction[HASH_SIZE];
	unsigned words; /* FATE_TOO_LARGE: at least 1, fewer than it had */
};

struct ledger_callbacks {
	void *context;
	/*
	 * The members' chain starts at this tip, not at its genesis (a window):
	 * what is left out is older than `since` (for registry_window()). At most
	 * once, after every administrative event that stands before the window
	 * and before the first event of CHAIN_MEMBERS.
	 */
	void (*window)(void *context, const struct tip *before, uint32_t since);
	void (*event)(void *context, const struct ledger_event *event);
	/*
	 * A reorganisation: every event of a block >= `block` is undone, of both
	 * chains. Never called by the local ledger.
	 */
	void (*undo)(void *context, uint64_t block);
	/* All that was there has been delivered; again after each later batch. */
	void (*caught_up)(void *context);
	void (*fate)(void *context, const struct ledger_fate *fate);
	/* One line for the operator; healthy says whether it ended a trouble. */
	void (*trouble)(void *context, bool healthy, const char *text);
};

/* What the author gives; ticket is his own number for the fate callback. */
struct ledger_batch {
	uint64_t ticket;
	uint16_t member;
	uint8_t commitment[HASH_SIZE];
	uint16_t count;
	const uint8_t *words; /* count * WORD_SIZE with actions, copied */
	struct view texts;    /* copied */
};

struct ledger_methods {
	/* Begin delivering. now: unix seconds, for the window. */
	int (*start)(struct ledger *l, uint32_t now, struct error *err);
	/* Accepts or -1 when it cannot even queue; the fate comes by callback. */
	int (*submit)(struct ledger *l, const struct ledger_batch *b, struct error *err);
	/* What the ledger itself says of a chain's tip. */
	int (*tip)(
		struct ledger *l, enum chain chain, struct tip *out, struct error *err);
	/* Stop, close handles on the loop; the struct is freed when they closed. */
	void (*close)(struct ledger *l);
};

struct ledger {
	const struct ledger_methods *methods;
	struct ledger_callbacks callbacks;
};

#endif
