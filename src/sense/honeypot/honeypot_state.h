/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_HONEYPOT_STATE_H
#define SENSE_HONEYPOT_HONEYPOT_STATE_H

/* Shared by the parts of honeypot.h alone. */
#include "sense/honeypot/answer.h"
#include "sense/honeypot/dialog.h"
#include "sense/honeypot/honeypot.h"
#include "sense/honeypot/limit.h"
#include "sense/honeypot/stamp.h"

#define OUT_MAX 8192

struct honeypot {
	struct honeypot_config config; /* its pointers are to what follows */
	struct honeypot_profile profile;
	struct honeypot_hooks hooks;
	struct hash_key key;
	struct stamp_keys stamps;
	struct limit limit;
	struct proved proved;
	struct guesses guesses;
	struct dialogs dialogs;
	usec now; /* of the last message, for the figures */
	struct honeypot_figures figures;
	uint8_t out[OUT_MAX];
	uint8_t masked[SIP_MESSAGE_MAX]; /* copies, see secrets_mask() */
	uint8_t plain[SIP_MESSAGE_MAX];  /* and without_quoted_nul(), read_last_tag() */
};

/* One message that came in, on its way through. */
struct turn {
	struct honeypot *h;
	const struct honeypot_path *path;
	struct view bytes;
	usec now;
	enum sip_verdict verdict;
	const char *why;
	struct sip_message m;
	struct echo echo;
	const struct tool *tool; /* NULL: none is known */
	bool proved;             /* its source is, by this message or before */
	bool own_nonce;          /* its credentials bear a nonce of ours that is valid */
	bool old_nonce;          /* or one that was */
	bool two_tags;           /* its From has two, which differ */
	size_t budget;           /* bytes that may still be sent for it */
	uint64_t session;        /* of struct honeypot_record */
	struct observation o;    /* what will be told of it, but for the kind */
};

/* --- honeypot_tell.c --- */

/* Give the observation away as one of this kind. */
void turn_observe(struct turn *t, enum observation_kind kind);

/* Fill t->o, of a valid request. */
void turn_describe(struct turn *t);

void turn_record(struct turn *t);

/* What is known of a message of ours. */
struct outgoing {
	enum sip_method method;
	unsigned status; /* 0: a request */
	struct view call_id, bytes;
};

/*
 * Send it; within is whose message asked for it, NULL: a dialog's timer. Returns
 * whether it was sent.
 */
bool honeypot_send(struct honeypot *h, const struct honeypot_path *to,
	const struct outgoing *m, struct turn *within, usec now);

/* --- honeypot_request.c --- */

/* What an answer says beside its status. */
struct reply {
	const char *reason; /* NULL: the usual one */
	bool stale, sdp, challenge;
	struct view unsupported;
	enum sip_method method; /* SIP_OTHER: that of the request */
	struct view cseq;       /* n == 0: that of the request */
};

/*
 * Write the answer to t's request into h->out, with at most `most` bytes. Returns its
 * length, 0: it does not fit.
 */
size_t turn_write(
	struct turn *t, unsigned status, const struct reply *reply, size_t most);

/* Answer, as far as bytes and limits allow. Returns the length of what was sent. */
size_t turn_answer(struct turn *t, unsigned status, const struct reply *reply);

void turn_request(struct turn *t);
void turn_malformed(struct turn *t);

/* Whether the request demands this extension (Require). */
bool turn_requires(const struct turn *t, const char *option);

/* Whether somebody has this account. */
bool honeypot_bait(const struct honeypot *h, struct view account);

/* --- honeypot_call.c --- */

void turn_invite(struct turn *t);
void turn_ack(struct turn *t);
void turn_cancel(struct turn *t);
void turn_bye(struct turn *t);
void turn_response(struct turn *t);

/* The dialog that the request belongs to, by Call-ID and both tags, or NULL. */
struct dialog *turn_dialog(struct turn *t);

/* What a dialog's time brings. */
void dialog_act(struct honeypot *h, struct dialog *d, usec now);

#endif
