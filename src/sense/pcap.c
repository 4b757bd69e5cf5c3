/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/pcap.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX      (1L << 30)
#define MAGIC         0xa1b2c3d4u
#define MAGIC_NANO    0xa1b23c4du
#define RECORD_HEAD   16
#define ETHERTYPE_TAG 0x8100
#define PROTOCOL_TCP  6
#define PROTOCOL_UDP  17
#define LINK_ETHERNET 1
#define LINK_RAW      101
#define LINK_COOKED   113
#define LINK_COOKED2  276

static uint32_t get32(const struct pcap *p, size_t at)
{
	uint32_t v;

	memcpy(&v, p->bytes.p + at, sizeof v);
	return p->swapped ? __builtin_bswap32(v) : v;
}

bool pcap_is(struct view file)
{
	uint32_t v;

	if (file.n < 24)
		return false;
	v = be32_load(file.p);
	return v == MAGIC || v == MAGIC_NANO || __builtin_bswap32(v) == MAGIC ||
		__builtin_bswap32(v) == MAGIC_NANO;
}

int pcap_begin(struct pcap *p, struct view file, struct error *err)
{
	uint32_t magic;

	*p = (struct pcap){.bytes = file};
	if (!pcap_is(file))
		return error_set(err,
			"is no pcap file (pcapng is another format: editcap -F pcap)");
	memcpy(&magic, file.p, sizeof magic);
	p->swapped = magic != MAGIC && magic != MAGIC_NANO;
	p->nanoseconds = get32(p, 0) == MAGIC_NANO;
	p->link = get32(p, 20) & 0xffff;
	p->at = 24;
	switch (p->link) {
	case LINK_ETHERNET:
	case LINK_RAW:
	case LINK_COOKED:
	case LINK_COOKED2:
		return 0;
	default:
		return error_set(err,
			"is a capture of link type %u; those of Ethernet, raw IP and "
			"tcpdump -i any are read",
			p->link);
	}
}

int pcap_open(struct pcap *p, const char *path)
{
	FILE *f = fopen(path, "rb");
	void *bytes = NULL;
	long size = -1;

	*p = (struct pcap){0};
	if (!f)
		return -1;
	if (!fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (size >= 24 && size <= FILE_MAX && (bytes = malloc((size_t)size))) {
		rewind(f);
		if (fread(bytes, 1, (size_t)size, f) != (size_t)size)
			size = -1;
	}
	fclose(f);
	if (size < 24 || pcap_begin(p, view_of(bytes, bytes ? (size_t)size : 0), NULL)) {
		free(bytes);
		return -1;
	}
	p->read = bytes;
	return 0;
}

void pcap_close(struct pcap *p)
{
	free(p->read);
	*p = (struct pcap){0};
}

/* The IP packet in a frame. */
static struct view take_ip(const struct pcap *p, struct view frame)
{
	switch (p->link) {
	case LINK_ETHERNET:
		if (frame.n > 14 && be16_load(frame.p + 12) == ETHERTYPE_TAG)
			return view_from(frame, 18);
		return view_from(frame, 14);
	case LINK_COOKED:
		return view_from(frame, 16);
	case LINK_COOKED2:
		return view_from(frame, 20);
	default:
		return frame;
	}
}

static struct address address_at(struct view ip, size_t at, uint8_t family)
{
	struct address a = {.family = family};

	memcpy(a.bytes, ip.p + at, family == 4 ? 4 : 16);
	return a;
}

static bool take_udp(struct pcap_datagram *d, struct view ip)
{
	size_t length;

	if (ip.n < 8)
		return false;
	length = be16_load(ip.p + 4);
	if (length < 8 || length > ip.n)
		return false;
	d->payload = view_head(view_from(ip, 8), length - 8);
	return true;
}

static bool take_tcp(struct pcap_datagram *d, struct view ip)
{
	size_t header;

	if (ip.n < 20)
		return false;
	header = (ip.p[12] >> 4) * 4u;
	if (header < 20 || header >= ip.n)
		return false;
	d->payload = view_from(ip, header);
	return true;
}

/*
 * An IP packet's own bytes, without what Ethernet fills short frames up with; empty
 * when it is none, a fragment, or not whole.
 */
static struct view take_addresses(
	struct pcap_datagram *d, struct view ip, uint8_t *protocol, size_t *header)
{
	uint8_t version = ip.n ? ip.p[0] >> 4 : 0;
	size_t length;

	if (version == 4 && ip.n >= 20) {
		*header = (ip.p[0] & 15u) * 4;
		*protocol = ip.p[9];
		length = be16_load(ip.p + 2);
		if (be16_load(ip.p + 6) & 0x3fff)
			return (struct view){NULL, 0};
		d->source = address_at(ip, 12, 4);
		d->destination = address_at(ip, 16, 4);
	} else if (version == 6 && ip.n >= 40) {
		*header = 40;
		*protocol = ip.p[6];
		length = 40u + be16_load(ip.p + 4);
		d->source = address_at(ip, 8, 6);
		d->destination = address_at(ip, 24, 6);
	} else {
		return (struct view){NULL, 0};
	}
	/* Of UDP its own length counts; 0: the network card cuts it up. */
	return *protocol == PROTOCOL_TCP && length ? view_head(ip, length) : ip;
}

/* Take UDP, or TCP where it is asked for, out of an IP packet. */
static bool take_packet(const struct pcap *p, struct pcap_datagram *d, struct view ip)
{
	uint8_t protocol = 0;
	size_t header = 0;

	ip = take_addresses(d, ip, &protocol, &header);
	if (header < 20)
		return false;
	ip = view_from(ip, header);
	if (ip.n < 8)
		return false;
	d->tcp = protocol == PROTOCOL_TCP;
	if (protocol != PROTOCOL_UDP && !(d->tcp && p->tcp))
		return false;
	d->source_port = be16_load(ip.p);
	d->destination_port = be16_load(ip.p + 2);
	return d->tcp ? take_tcp(d, ip) : take_udp(d, ip);
}

/* The record at p->at goes on behind the file's end: there is nothing behind it. */
static void cut(struct pcap *p, size_t says)
{
	p->cut_at = p->at;
	p->cut_says = says;
	p->cut_has = p->bytes.n - p->at;
	p->at = p->bytes.n;
}

bool pcap_next(struct pcap *p, struct pcap_datagram *d)
{
	while (p->bytes.n - p->at >= RECORD_HEAD) {
		size_t length = get32(p, p->at + 8);
		uint32_t part = get32(p, p->at + 4);
		struct view packet;

		d->time = get32(p, p->at) * USEC_PER_SEC +
			(p->nanoseconds ? part / 1000 : part);
		if (length > p->bytes.n - p->at - RECORD_HEAD) {
			cut(p, RECORD_HEAD + length);
			return false;
		}
		p->at += RECORD_HEAD;
		packet = view_of(p->bytes.p + p->at, length);
		p->at += length;
		if (take_packet(p, d, take_ip(p, packet)))
			return true;
		p->skipped++;
	}
	if (p->at < p->bytes.n)
		cut(p, RECORD_HEAD);
	return false;
}
