/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams, many at a time: one recvmmsg(2) takes up to 64, and what is
 * answered to them leaves by one sendmmsg(2). A slot holds the longest datagram
 * that there is; untouched pages cost nothing, and touched ones are given back.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sense/honeypot/socket_state.h"

#define BATCH   64
#define BATCHES 16 /* in one turn of the loop: then others have theirs */
#define SLOT    65536u
#define PAGE    4096u
#define KEPT    (2 * PAGE) /* of each slot: what ordinary messages touch */
#define ARENA   (256u << 10)

#define CONTROL (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)))

struct incoming {
	struct sockaddr_storage from;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

struct outgoing {
	struct sockaddr_storage to;
	struct iovec part;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

struct datagrams {
	struct honeypot_sockets *sockets;
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec slots[BATCH];
	struct incoming from[BATCH];
	struct outgoing to[BATCH];
	uint8_t *memory;         /* mmap: the slots */
	bool stretched;          /* some slot holds more than KEPT */
	unsigned waiting;        /* in out[] */
	struct listener *sender; /* of all that wait */
	size_t used;             /* of arena */
	uint8_t arena[ARENA];
	/* The datagram that is being handed on, whose zone an answer needs. */
	struct {
		struct listener *listener;
		const struct honeypot_path *path;
		const struct sockaddr_storage *from;
		unsigned interface; /* IPv6 link-local only; else 0 */
	} now;
};

int datagrams_make(struct honeypot_sockets *s)
{
	struct datagrams *d;

	if (s->datagrams)
		return 0;
	d = calloc(1, sizeof *d);
	if (!d)
		return -1;
	d->memory = mmap(NULL, (size_t)BATCH * SLOT, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (d->memory == MAP_FAILED) {
		free(d);
		return -1;
	}
	/* A huge page would be 2 MiB at the first byte. */
	(void)madvise(d->memory, (size_t)BATCH * SLOT, MADV_NOHUGEPAGE);
	d->sockets = s;
	for (size_t i = 0; i < BATCH; i++) {
		d->slots[i] = (struct iovec){d->memory + i * SLOT, SLOT};
		d->in[i].msg_hdr = (struct msghdr){.msg_name = &d->from[i].from,
			.msg_iov = &d->slots[i],
			.msg_iovlen = 1,
			.msg_control = d->from[i].control};
	}
	s->datagrams = d;
	return 0;
}

void datagrams_free(struct datagrams *d)
{
	if (!d)
		return;
	munmap(d->memory, (size_t)BATCH * SLOT);
	free(d);
}

void datagrams_trim(struct datagrams *d)
{
	if (!d->stretched)
		return;
	d->stretched = false;
	for (size_t i = 0; i < BATCH; i++)
		(void)madvise(d->memory + i * SLOT + KEPT, SLOT - KEPT, MADV_DONTNEED);
}

/* --- in --- */

/* Where a datagram came to: the address, and what the kernel dropped before it. */
static void read_control(struct datagrams *d, struct listener *l, struct msghdr *m,
	struct honeypot_path *path)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		const uint8_t *p = CMSG_DATA(h);

		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, p, sizeof info);
			path->local.family = 4;
			memcpy(path->local.bytes, &info.ipi_addr, 4);
		} else if (h->cmsg_level == IPPROTO_IPV6 &&
			h->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, p, sizeof info);
			path->local.family = 6;
			memcpy(path->local.bytes, &info.ipi6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				d->now.interface = info.ipi6_ifindex;
		} else if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL) {
			uint32_t total;

			memcpy(&total, p, sizeof total);
			d->sockets->figures.kernel_dropped += total - l->dropped;
			l->dropped = total;
		}
	}
}

static void take_datagram(struct datagrams *d, struct listener *l, size_t i, usec now)
{
	struct honeypot_sockets *s = d->sockets;
	struct honeypot_path path;
	size_t n = d->in[i].msg_len;

	memset(&path, 0, sizeof path);
	path.transport = TRANSPORT_UDP;
	path.local_port = l->port;
	path.local = l->local;
	d->now.interface = 0;
	read_control(d, l, &d->in[i].msg_hdr, &path);
	if (address_from_sockaddr(&path.remote, &path.remote_port,
		    (const struct sockaddr *)&d->from[i].from))
		return;
	if (n > KEPT)
		d->stretched = true;
	s->figures.datagrams++;
	d->now.listener = l;
	d->now.path = &path;
	d->now.from = &d->from[i].from;
	s->hooks.receive(s->hooks.context, &path, view_of(d->slots[i].iov_base, n), now);
	d->now.listener = NULL;
	d->now.path = NULL;
}

/* Read one batch. Returns whether there may be more. */
static bool read_batch(struct datagrams *d, struct listener *l)
{
	usec now;
	int n;

	/* Name and control lengths are overwritten by every call. */
	for (size_t i = 0; i < BATCH; i++) {
		d->in[i].msg_hdr.msg_namelen = sizeof d->from[i].from;
		d->in[i].msg_hdr.msg_controllen = CONTROL;
	}
	n = recvmmsg(l->fd, d->in, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	now = clock_wall();
	for (int i = 0; i < n; i++)
		take_datagram(d, l, (size_t)i, now);
	datagrams_flush(d->sockets);
	return n == BATCH;
}

void datagrams_readable(struct listener *l)
{
	struct datagrams *d = l->sockets->datagrams;

	for (int i = 0; i < BATCHES && read_batch(d, l); i++)
		;
}

/* --- out --- */

/* The socket that has the local end of path, which may be bound to any address. */
static struct listener *find_listener(
	struct honeypot_sockets *s, const struct honeypot_path *path)
{
	static const struct address any[2] = {{.family = 4}, {.family = 6}};
	struct listener *found = NULL;

	for (struct listener *l = s->listeners; l; l = l->next) {
		if (l->transport != TRANSPORT_UDP || l->port != path->local_port ||
			l->local.family != path->local.family)
			continue;
		if (address_eq(&l->local, &path->local))
			return l;
		if (address_eq(&l->local, &any[path->local.family == 6]))
			found = l;
	}
	return found;
}

/* The answer leaves from the address that was asked. Returns the length used. */
static size_t write_control(
	uint8_t *control, const struct address *local, unsigned interface)
{
	struct cmsghdr *h = (struct cmsghdr *)(void *)control;

	memset(control, 0, CONTROL);
	if (local->family == 4) {
		struct in_pktinfo info;

		memset(&info, 0, sizeof info);
		memcpy(&info.ipi_spec_dst, local->bytes, 4);
		h->cmsg_level = IPPROTO_IP;
		h->cmsg_type = IP_PKTINFO;
		h->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(h), &info, sizeof info);
		return CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info;

		memset(&info, 0, sizeof info);
		memcpy(&info.ipi6_addr, local->bytes, 16);
		info.ipi6_ifindex = interface;
		h->cmsg_level = IPPROTO_IPV6;
		h->cmsg_type = IPV6_PKTINFO;
		h->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(h), &info, sizeof info);
		return CMSG_SPACE(sizeof info);
	}
}

/* Whether path goes back where the datagram at hand came from. */
static bool answers_now(const struct datagrams *d, const struct honeypot_path *path)
{
	const struct honeypot_path *now = d->now.path;

	return now && path->remote_port == now->remote_port &&
		path->local_port == now->local_port &&
		address_eq(&path->remote, &now->remote) &&
		address_eq(&path->local, &now->local);
}

void datagrams_send(
	struct honeypot_sockets *s, const struct honeypot_path *path, struct view bytes)
{
	struct datagrams *d = s->datagrams;
	bool back = d && answers_now(d, path);
	struct listener *l = back ? d->now.listener : find_listener(s, path);
	struct outgoing *o;
	struct msghdr *m;

	if (!d || !l || bytes.n > DATAGRAM_MAX || s->closing) {
		s->figures.send_failed++;
		return;
	}
	if (d->waiting == BATCH || (d->waiting && d->sender != l) ||
		d->used + bytes.n > ARENA)
		datagrams_flush(s);
	o = &d->to[d->waiting];
	m = &d->out[d->waiting].msg_hdr;
	if (bytes.n)
		memcpy(d->arena + d->used, bytes.p, bytes.n);
	o->part = (struct iovec){d->arena + d->used, bytes.n};
	*m = (struct msghdr){.msg_name = &o->to,
		.msg_iov = &o->part,
		.msg_iovlen = 1,
		.msg_control = o->control};
	m->msg_namelen = address_to_sockaddr(&o->to, &path->remote, path->remote_port);
	if (back && path->remote.family == 6)
		memcpy(&o->to, d->now.from, sizeof o->to); /* with its zone */
	m->msg_controllen = write_control(
		o->control, &path->local, back ? d->now.interface : 0);
	d->used += bytes.n;
	d->sender = l;
	d->waiting++;
}

void datagrams_flush(struct honeypot_sockets *s)
{
	struct datagrams *d = s->datagrams;
	unsigned sent = 0;

	while (sent < d->waiting) {
		int n = sendmmsg(d->sender->fd, d->out + sent, d->waiting - sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			s->figures.sent += (unsigned)n;
			sent += (unsigned)n;
		} else if (errno != EINTR) {
			/* A full buffer; or this one alone has no way: a forged source. */
			s->figures.send_failed++;
			sent++;
		}
	}
	d->waiting = 0;
	d->used = 0;
}
