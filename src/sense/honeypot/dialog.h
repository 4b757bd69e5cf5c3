/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_DIALOG_H
#define SENSE_HONEYPOT_DIALOG_H

#include "base/hash.h"
#include "sense/honeypot/honeypot.h"

/*
 * What is kept of proved sources, all of fixed size: who they are, how often they
 * guessed, and the calls that they make.
 */

/* --- sources --- */

#define PROVED_FOR     (3600 * USEC_PER_SEC)
#define PROVED_SOURCES 4096 /* in sets of eight, the oldest of a set gives way */

struct proved_source {
	struct address address;
	usec since;
};

struct proved {
	struct hash_key key;
	struct proved_source sources[PROVED_SOURCES];
};

void proved_put(struct proved *p, const struct address *a, usec now);
bool proved_has(const struct proved *p, const struct address *a, usec now);
size_t proved_count(const struct proved *p, usec now);

/* --- guesses --- */

#define GUESSES     2048 /* in sets of eight */
#define GUESSES_FOR (6 * 3600 * USEC_PER_SEC)

struct guess {
	uint64_t who; /* hash of address and account; 0: free */
	usec last;
	uint32_t count;
	uint32_t response; /* of the last one: its repetition is no other guess */
};

struct guesses {
	struct hash_key key;
	struct guess list[GUESSES];
};

/*
 * How many different guesses this source gave for this account, this one included. One
 * that repeats the last response does not count again.
 */
uint32_t guess_count(struct guesses *g, const struct address *a, struct view account,
	struct view response, usec now);

/* --- dialogs --- */

enum dialog_state {
	DIALOG_FREE = 0,
	DIALOG_RINGING,  /* 100, 180 sent; the 200 is due */
	DIALOG_ANSWERED, /* 200 sent, repeated until the ACK */
	DIALOG_REFUSED,  /* a final refusal sent, repeated until the ACK */
	DIALOG_TALKING,  /* acknowledged; our BYE is due */
	DIALOG_LEAVING,  /* BYE sent, repeated until it is answered */
};

#define DIALOG_MESSAGE_MAX 2048
#define DIALOG_TEXT_MAX    160
#define DIALOG_ROUTES_MAX  512

struct dialog {
	uint8_t state; /* enum dialog_state */
	bool once;     /* its source is not proved to have asked: no repetitions */
	bool quiet;    /* no BYE of ours: it would stop the tool */
	bool reliable; /* the caller demands reliable 1xx: it gets none but 100 */
	usec began, due, give_up;
	uint32_t interval;         /* microseconds to the next repetition */
	uint32_t cseq;             /* of the INVITE */
	uint64_t from_tag;         /* hash */
	uint64_t branch;           /* hash of the INVITE's */
	struct honeypot_path path; /* where to */
	char tag[PROFILE_TAG_MAX]; /* ours */
	char call_id[DIALOG_TEXT_MAX];
	char from[DIALOG_TEXT_MAX],
		to[DIALOG_TEXT_MAX];    /* as in the INVITE; to without tag */
	char target[DIALOG_TEXT_MAX];   /* URI for our own requests */
	char routes[DIALOG_ROUTES_MAX]; /* the Record-Route, as one list (12.1.1) */
	char dialled[64];
	uint16_t n_message, status;          /* of the message that is repeated */
	uint8_t message[DIALOG_MESSAGE_MAX]; /* what is repeated */
};

struct dialogs {
	struct hash_key key;
	uint32_t n;      /* places */
	uint32_t open;   /* taken */
	usec next;       /* earliest due, or earlier; 0: none */
	uint64_t *who;   /* of each place: hash of the address, 0: free */
	uint64_t *which; /* hash of address and Call-ID */
	usec *due;       /* of each place; UINT64_MAX: none */
	struct dialog *list;
};

int dialogs_begin(struct dialogs *d, uint32_t n, struct hash_key key);
void dialogs_end(struct dialogs *d);
size_t dialogs_memory(const struct dialogs *d);

uint64_t dialogs_hash(const struct dialogs *d, struct view text);

/* The dialog of this source under this Call-ID whose caller has this tag, or NULL. */
struct dialog *dialog_find(struct dialogs *d, const struct address *a,
	struct view call_id, struct view from_tag);

/*
 * A new place, zeroed but for what finds it; the oldest dialog gives way when all are
 * taken. NULL: this source holds a quarter of all already.
 */
struct dialog *dialog_add(struct dialogs *d, const struct address *a, struct view call_id,
	struct view from_tag, usec now);

void dialog_remove(struct dialogs *d, struct dialog *which);

/* When it wants to be looked at again; UINT64_MAX: never. */
void dialog_due(struct dialogs *d, struct dialog *which, usec at);

/* A dialog whose time has come, or NULL. Set its next time, or remove it. */
struct dialog *dialog_next_due(struct dialogs *d, usec now);

/* Remove all of a connection. */
void dialogs_closed(struct dialogs *d, uint64_t connection);

#endif
