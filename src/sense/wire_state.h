/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_WIRE_STATE_H
#define SENSE_WIRE_STATE_H

/* Shared by the parts of wire.h alone. */
#include "base/table.h"
#include "sense/wire.h"
#include "sense/wire_request.h"

struct wire {
	struct hash_key key;
	struct wire_config config;
	struct proofs *proofs;
	struct wire_table *requests;
	struct table *servers; /* of struct address */
	observation_fn *observe;
	void *context;
	struct wire_figures figures;
};

/* --- wire_tell.c --- */

/* Give o away as an observation of this kind and time. */
void wire_tell(struct wire *w, struct observation *o, uint8_t kind, usec now);

/* Close r with an observation. */
void wire_conclude(struct wire *w, struct wire_request *r, uint8_t kind, usec now);

/* Tell nothing but a sign (enum observation_sign), which belongs to r's attempt. */
void wire_tell_sign(struct wire *w, const struct wire_request *r, uint8_t sign, usec now);

/* Tell nothing but that r's source is real, if that was not told already. */
void wire_tell_proof(struct wire *w, struct wire_request *r, usec now);

/*
 * An INVITE of which there is nothing to say: what it dialled is told, once, as
 * a list of what a source dialled must not lack the calls that met a full trunk.
 */
void wire_tell_dialled(struct wire *w, struct wire_request *r, usec now);

#endif
