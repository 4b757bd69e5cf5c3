/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_COMPARE_H
#define DIFFERENTIAL_COMPARE_H

#include "history.h"

/* Both tips of the registry, of the local ledger's, of the contract. */
void compare_tips(const struct registry *r, const struct registry *local,
	const uint8_t contract[ADDRESS20], uint32_t time);

/*
 * All that can be asked: members, owners, configuration, protected table, every
 * cell, and the support of every indicator of the pool.
 */
void compare_state(const struct history *h, const struct registry *r,
	const struct registry *local, const uint8_t contract[ADDRESS20]);

#endif
