/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_HEP_H
#define SIP_HEP_H

#include "base/buffer.h"
#include "indicator/address.h"

/*
 * HEP version 3, the Homer Encapsulation Protocol (draft "HEP3 rev. 12"): how
 * Asterisk (res_hep), Kamailio (siptrace), OpenSIPS and FreeSWITCH copy every
 * signalling message, in both directions, to a collector.
 *
 *   "HEP3"  length:16  chunk...        all big-endian
 *   chunk = vendor:16 type:16 length:16 value      length counts its 6 bytes
 */
#define HEP_HEADER      6
#define HEP_MESSAGE_MAX 65535

#define HEP_TYPE_SIP     1
#define HEP_PROTOCOL_TCP 6 /* IPPROTO_TCP; TLS and WebSocket are TCP too */
#define HEP_PROTOCOL_UDP 17

struct hep_message {
	struct address source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol; /* IP protocol number */
	uint8_t type;     /* 1: SIP */
	uint32_t seconds; /* when the agent saw it */
	uint32_t microseconds;
	uint32_t capture_id;
	uint16_t vlan; /* 0: none */
	bool has_key;
	struct view key; /* authentication key */
	struct view correlation;
	struct view payload;
};

enum hep_verdict {
	HEP_VALID = 0,
	HEP_FOREIGN,    /* does not begin with HEP3 (HEP1 and 2 included) */
	HEP_BROKEN,     /* lengths or chunk sizes are wrong, or a field is missing */
	HEP_COMPRESSED, /* payload in chunk 0x0010: refused, it could be a bomb */
};

/*
 * Decode one whole HEP message. Views point into packet. Chunks of other
 * vendors and unknown types are skipped; a chunk that comes twice is an
 * error, as it could show the filter one address and the reader another.
 */
enum hep_verdict hep_decode(struct hep_message *m, struct view packet);

/*
 * For a stream: how many bytes the message at the front of `bytes` has in
 * all. 0 when too few bytes are there to say; -1 when it is no HEP3.
 */
long hep_frame(struct view bytes);

/*
 * Append the message in wire form. Returns 0, or -1 when an address is
 * missing, families differ, it would exceed 65535 bytes (dst is then as it
 * was) or the buffer failed.
 */
int hep_encode(struct buffer *dst, const struct hep_message *m);

/*
 * Whether the message carries this key. The time taken does not depend on
 * where the two differ. An empty password accepts every message.
 */
bool hep_key_matches(const struct hep_message *m, struct view password);

#endif
