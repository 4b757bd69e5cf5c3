/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_LOGIN_H
#define SENSE_AMI_LOGIN_H

#include "base/buffer.h"

/*
 * The login to Asterisk's manager interface, which sensor and connector share: by
 * challenge, so that the secret never travels. Pure.
 */

/* What the greeting, one line, begins with. */
#define AMI_GREETING "Asterisk Call Manager/"

#define AMI_CHALLENGE_MAX 64 /* bytes; Asterisk's has ten */

/* Append the action Challenge; its answer has the field "Challenge". */
void ami_login_challenge(struct buffer *out, const char *id);

/*
 * Append the action Login: MD5 of challenge (1 .. AMI_CHALLENGE_MAX bytes) and
 * secret. user: letters, digits, '_', '-', '.'; events: the classes asked for.
 */
void ami_login_put(struct buffer *out, const char *id, const char *user,
	struct view secret, struct view challenge, const char *events);

#endif
