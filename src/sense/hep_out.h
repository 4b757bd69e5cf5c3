/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HEP_OUT_H
#define SENSE_HEP_OUT_H

#include "base/error.h"
#include "sense/honeypot/record.h"

/*
 * Sends a copy of each message as HEP3 (sip/hep.h) over UDP to a collector, such as
 * Homer's. It never waits: what the socket does not take at once is dropped and
 * counted, and a collector that is away costs nothing.
 */
struct hep_out_config {
	struct address address;
	uint16_t port;
	uint32_t id;          /* chunk 0x000c: this capture agent */
	const char *password; /* chunk 0x000e; NULL or "": none; copied */
};

struct hep_out;

/* Opens and connects the socket: before the role is sealed. NULL with a text. */
struct hep_out *hep_out_open(const struct hep_out_config *config, struct error *err);
void hep_out_close(struct hep_out *h);

/*
 * Send it. The correlation chunk is the message's Call-ID, or the session as 16 hex
 * digits where it has none.
 */
void hep_out_send(struct hep_out *h, const struct record *r);

struct hep_out_figures {
	uint64_t sent; /* and not refused */
	uint64_t
		dropped; /* the socket did not take it, such as when its buffer is full */
	uint64_t refused;  /* the other machine said that nobody listens there */
	uint64_t too_long; /* no datagram can hold it */
};
void hep_out_figures(const struct hep_out *h, struct hep_out_figures *out);

/*
 * The HEP3 message of a record, appended to dst. Returns 0, or -1 when it is too long
 * for a datagram. Pure.
 */
int hep_out_encode(
	struct buffer *dst, const struct record *r, uint32_t id, struct view password);

#endif
