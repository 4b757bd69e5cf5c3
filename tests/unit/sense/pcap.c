/* SPDX-License-Identifier: Apache-2.0 */
#include "pcap.h"

#include <stdio.h>
#include <stdlib.h>

#define MAGIC         0xa1b2c3d4u
#define LINK_ETHERNET 1
#define LINK_RAW      101
#define LINK_COOKED   113
#define LINK_COOKED2  276

static uint32_t get32(const struct pcap *p, size_t at)
{
	uint32_t v;

	memcpy(&v, p->bytes + at, sizeof v);
	return p->swapped ? __builtin_bswap32(v) : v;
}

int pcap_open(struct pcap *p, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	*p = (struct pcap){0};
	if (!f)
		return -1;
	if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 24)
		goto fail;
	rewind(f);
	p->n = (size_t)size;
	p->bytes = malloc(p->n);
	if (!p->bytes || fread(p->bytes, 1, p->n, f) != p->n)
		goto fail;
	p->swapped = get32(p, 0) != MAGIC;
	if (get32(p, 0) != MAGIC)
		goto fail;
	p->link = get32(p, 20);
	p->at = 24;
	fclose(f);
	return 0;
fail:
	free(p->bytes);
	fclose(f);
	return -1;
}

/* Length of the header below IP. */
static size_t link_header(const struct pcap *p)
{
	switch (p->link) {
	case LINK_ETHERNET:
		return 14;
	case LINK_COOKED:
		return 16;
	case LINK_COOKED2:
		return 20;
	default:
		return 0;
	}
}

static struct address address_at(struct view ip, size_t at, uint8_t family)
{
	struct address a = {.family = family};

	memcpy(a.bytes, ip.p + at, family == 4 ? 4 : 16);
	return a;
}

/* Take UDP out of an IP packet. */
static bool take_udp(struct pcap_datagram *d, struct view ip)
{
	size_t header, length;
	uint8_t version = ip.n ? ip.p[0] >> 4 : 0;

	if (version == 4 && ip.n >= 20) {
		header = (ip.p[0] & 15u) * 4;
		if (ip.p[9] != 17 || (be16_load(ip.p + 6) & 0x3fff))
			return false;
		d->source = address_at(ip, 12, 4);
		d->destination = address_at(ip, 16, 4);
	} else if (version == 6 && ip.n >= 40) {
		header = 40;
		if (ip.p[6] != 17)
			return false;
		d->source = address_at(ip, 8, 6);
		d->destination = address_at(ip, 24, 6);
	} else {
		return false;
	}
	if (ip.n < header + 8)
		return false;
	ip = view_from(ip, header);
	length = be16_load(ip.p + 4);
	if (length < 8 || length > ip.n)
		return false;
	d->source_port = be16_load(ip.p);
	d->destination_port = be16_load(ip.p + 2);
	d->payload = view_head(view_from(ip, 8), length - 8);
	return true;
}

bool pcap_next(struct pcap *p, struct pcap_datagram *d)
{
	while (p->at + 16 <= p->n) {
		size_t length = get32(p, p->at + 8);
		struct view packet;

		d->time = get32(p, p->at) * USEC_PER_SEC + get32(p, p->at + 4);
		p->at += 16;
		if (length > p->n - p->at)
			return false;
		packet = view_of(p->bytes + p->at, length);
		p->at += length;
		if (take_udp(d, view_from(packet, link_header(p))))
			return true;
	}
	return false;
}

void pcap_close(struct pcap *p)
{
	free(p->bytes);
	*p = (struct pcap){0};
}
