/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_FILTER_OBSERVE_H
#define SENSE_FILTER_FILTER_OBSERVE_H

#include "sense/filter/filter.h"
#include "sense/observation.h"

/*
 * One line of a log through a filter, its failures to fn as observations: kind
 * OBSERVED_AUTH_FAILED (a filter does not say what failed), sensor
 * SENSOR_FILTER, <F-USER> as account, <F-PORT> as port, and no attempt key, so
 * that every line counts, as in fail2ban.
 *
 * Their proof is PROOF_NONE, always: what a text log says of an address, one
 * forged UDP packet can make it say of anybody. So they never publish anything,
 * and ban here only where the operator lets unproved observations ban.
 *
 * now is the present; entry_time, when not 0, is the time of a journal's entry
 * whose text line is. A failure whose id is no address is left out. Returns the
 * observations given out.
 */
unsigned filter_observe(struct filter *f, struct view line, usec entry_time, usec now,
	observation_fn *fn, void *context);

/* What a failure is as an observation. False: it has no address, or does not fail. */
bool filter_observation(struct observation *o, const struct filter_failure *failure);

#endif
