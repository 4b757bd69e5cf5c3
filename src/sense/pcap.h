/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_PCAP_H
#define SENSE_PCAP_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "indicator/address.h"

/*
 * UDP datagrams of a classic pcap file (either byte order, times in micro- or
 * nanoseconds; Ethernet with or without one VLAN tag, raw IP, Linux cooked v1 and
 * v2), and on demand TCP segments, each by itself. Fragments and other protocols
 * are skipped and counted. Pure: the file is in memory, and nothing in it is
 * trusted.
 */
struct pcap {
	struct view bytes;
	size_t at;
	bool swapped, nanoseconds;
	uint32_t link;
	bool tcp;   /* set it after pcap_begin(): segments that carry something too */
	void *read; /* what pcap_close() frees */
	uint64_t skipped; /* packets that were no whole UDP datagram, nor that */
	/*
	 * Set at the end, when a record goes on behind the file's: where it
	 * begins, what it says that it has, what the file has of it.
	 */
	size_t cut_at, cut_says, cut_has;
};

struct pcap_datagram {
	usec time;
	struct address source, destination;
	uint16_t source_port, destination_port;
	bool tcp;
	struct view payload;
};

/* Whether a file begins like a pcap. */
bool pcap_is(struct view file);

/*
 * Begin with a file's bytes, which must outlast *p. Returns 0, or -1 with what is
 * wrong with it.
 */
int pcap_begin(struct pcap *p, struct view file, struct error *err);

/* The same with a file of up to 1 GiB, which is read whole. 0 or -1. */
int pcap_open(struct pcap *p, const char *path);
void pcap_close(struct pcap *p);

/*
 * The next datagram; false at the end, which is also where a record is cut off or
 * lies about its length: cut_at is not 0 then.
 */
bool pcap_next(struct pcap *p, struct pcap_datagram *d);

#endif
