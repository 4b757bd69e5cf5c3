/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OFFENCES_H
#define STORE_OFFENCES_H

#include "base/clock.h"
#include "indicator/address.h"
#include "store/store.h"

/*
 * How often each address offended, so that a restart does not turn a repeat
 * offender into a new one: given back to detector_remember() at start.
 */

/* Keep the figures of one address. Returns 0, or -1 with a text. */
int offences_put(struct store *s, const struct address *source, uint32_t count, usec last,
	struct error *err);

/* Forget one address (an operator forgave it). Not being there is success. */
int offences_delete(struct store *s, const struct address *source, struct error *err);

/* Forget addresses whose last offence was before `before`. 0 or -1. */
int offences_prune(struct store *s, usec before, struct error *err);

/*
 * Every address, the most recent first, at most max (the detector's table has
 * an end). fn must not change the store. Returns how many, or -1 with a text.
 */
typedef void offence_fn(
	void *context, const struct address *source, uint32_t count, usec last);
int64_t offences_each(
	struct store *s, uint64_t max, offence_fn *fn, void *context, struct error *err);

#endif
