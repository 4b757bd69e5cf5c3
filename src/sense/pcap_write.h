/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_PCAP_WRITE_H
#define SENSE_PCAP_WRITE_H

#include "base/buffer.h"
#include "base/clock.h"
#include "indicator/address.h"

/*
 * A classic pcap file (little-endian, microseconds, LINKTYPE_RAW) of messages whose
 * packets nobody kept: each gets IP and UDP or TCP headers with right lengths and
 * checksums. TCP has no handshake, but sequence numbers that go on from message to
 * message, so that readers put streams together.
 */
#define PCAP_FILE_HEADER 24

struct pcap_message {
	usec time;
	struct address source, destination; /* of one family */
	uint16_t source_port, destination_port;
	bool tcp;
	struct view payload;
};

struct pcap_writer;

/* NULL when memory is short. */
struct pcap_writer *pcap_writer_new(void);
void pcap_writer_free(struct pcap_writer *w);

/* The file's header. Returns 0, or -1 when dst failed. */
int pcap_write_header(struct buffer *dst);

/*
 * The packet, or of what is long over TCP the packets, of one message. Returns 0; -1,
 * with dst as it was, when the families differ, a datagram cannot be as long or dst
 * failed.
 */
int pcap_write(struct pcap_writer *w, struct buffer *dst, const struct pcap_message *m);

#endif
