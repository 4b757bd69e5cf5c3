/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_SESSION_H
#define SENSE_AMI_SESSION_H

#include "sense/ami.h"
#include "sense/ami_accounts.h"
#include "sense/ami_message.h"

/*
 * What is said over one AMI connection after another, without the connection:
 * bytes in, bytes out, the time as an argument. ami.c moves them.
 */

/* Which answer is waited for. */
enum ami_ask {
	AMI_ASK_NONE = 0,
	AMI_ASK_CHALLENGE,
	AMI_ASK_LOGIN,
	AMI_ASK_FILTER,
	AMI_ASK_ENDPOINTS, /* the list of them */
	AMI_ASK_ENDPOINT,  /* what one of them matches */
};

#define AMI_ACTION_ID 48

struct ami_session {
	/* set by ami_session_init(), for good */
	char user[64];
	struct view secret;
	struct hash_key seed;
	struct ami_callbacks callbacks;
	struct ami_accounts *accounts;

	/* of the present connection */
	struct ami_reader reader;
	struct buffer out; /* to be sent */
	enum ami_ask ask;
	char id[AMI_ACTION_ID]; /* of the action that ask is about */
	usec asked;             /* when; monotonic */
	bool greeted;
	bool denied;  /* write = system is missing */
	bool failed;  /* the connection is of no use: figures.trouble says why */
	bool refused; /* the login was */
	usec round;   /* when the last round of trunks began; 0: none yet */

	uint64_t drawn; /* numbers drawn from the seed so far */
	struct ami_trunks trunks;
	struct ami_figures figures; /* state and away are ami.c's */
};

/* Returns 0, or -1 when memory is short. */
int ami_session_init(struct ami_session *s, const struct ami_config *config,
	const struct ami_callbacks *callbacks, struct hash_key seed);
void ami_session_free(struct ami_session *s);

/* A number that nobody can guess. */
uint64_t ami_session_draw(struct ami_session *s);

/* A new connection begins. */
void ami_session_begin(struct ami_session *s);

/*
 * Bytes arrived; now: monotonic. What is to be sent is appended to out. When
 * s->failed is set afterwards, the connection is to be closed.
 */
void ami_session_feed(struct ami_session *s, struct view bytes, usec now);

/* Ask whether it lives. */
void ami_session_ping(struct ami_session *s);

/* Begin a round of asking for trunks, unless one is under way. */
void ami_session_round(struct ami_session *s, usec now);

#endif
