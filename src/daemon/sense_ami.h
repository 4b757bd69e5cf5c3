/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_AMI_H
#define DAEMON_SENSE_AMI_H

#include "daemon/parent.h"
#include "sense/observation.h"

/*
 * The AMI sources of the role `sense`: their secrets, their connections (which
 * the parent makes), what the node is told of them.
 */
struct sense_ami;

/*
 * Before the sandbox closes: read the secret of each [source] of type ami. One
 * that cannot be read is logged, told to the node and does without; the others
 * go on. config must outlive it. NULL when memory is short.
 */
struct sense_ami *sense_ami_new(
	const struct config *config, observation_fn *observation, void *context);

/* Begin. Returns 0, or -1 when memory is short. */
int sense_ami_start(struct sense_ami *s, uv_loop_t *loop, struct parent *parent);

/* The parent's answer; fd (-1: none) is taken over. */
void sense_ami_connected(struct sense_ami *s, unsigned source, int error, int fd);

/*
 * Tell the node what it does not know yet: the state of each source, and the
 * trunks of each round. again: the link is new, it knows nothing.
 */
void sense_ami_tell(struct sense_ami *s, struct link *node, bool again);

/*
 * Whether a source is not logged in: a new secret in its file may help, which
 * only a new process can read.
 */
bool sense_ami_waits(const struct sense_ami *s);

/* The memory goes when the loop has run. NULL is fine. */
void sense_ami_free(struct sense_ami *s);

#endif
