/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PCAP_H
#define TESTS_PCAP_H

#include "base/bytes.h"
#include "base/clock.h"
#include "indicator/address.h"

/*
 * UDP datagrams of a classic pcap file (either byte order, Ethernet, raw IP,
 * Linux cooked v1 and v2), for tests that replay captures. Fragments are
 * skipped.
 */
struct pcap {
	uint8_t *bytes;
	size_t n, at;
	bool swapped;
	uint32_t link;
};

struct pcap_datagram {
	usec time;
	struct address source, destination;
	uint16_t source_port, destination_port;
	struct view payload;
};

/* Read the whole file. Returns 0, or -1 when it is no pcap. */
int pcap_open(struct pcap *p, const char *path);

/* The next datagram; false at the end. */
bool pcap_next(struct pcap *p, struct pcap_datagram *d);

void pcap_close(struct pcap *p);

#endif
