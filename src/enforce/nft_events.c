/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "enforce/nft_state.h"

#define EVENT_SIZE  32768
#define EVENTS_MOST 4096 /* datagrams a call: a flood of them may not hold us */

/*
 * Take no news of our own transactions: loading 1M bans would send us 1M
 * notifications. Each carries the port of the socket that made the change, and
 * all those in one datagram come from one transaction.
 */
static int ignore_own(int fd, uint32_t portid)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int nft_events_open(struct nft *n, struct error *err)
{
	n->events = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!n->events)
		return error_set(
			err, "netlink socket for notifications: %s", strerror(errno));
	if (ignore_own(mnl_socket_get_fd(n->events), n->transport.portid) < 0) {
		error_set(err, "filter of the notifications: %s", strerror(errno));
		goto fail;
	}
	if (mnl_socket_bind(n->events, 0, MNL_SOCKET_AUTOPID) < 0) {
		error_set(err, "bind of the notifications' socket: %s", strerror(errno));
		goto fail;
	}
	return 0;
fail:
	nft_events_close(n);
	return -1;
}

int nft_events_listen(struct nft *n, bool listen, struct error *err)
{
	int group = NFNLGRP_NFTABLES;

	if (mnl_socket_setsockopt(n->events,
		    listen ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
		    sizeof(group)) < 0)
		return error_set(err, "subscription to the changes of the ruleset: %s",
			strerror(errno));
	return 0;
}

void nft_events_close(struct nft *n)
{
	if (n->events)
		mnl_socket_close(n->events);
	n->events = NULL;
}

int nft_event_fd(const struct nft *n)
{
	return mnl_socket_get_fd(n->events);
}

/* Whether a message of this type, about our table, by another, undoes ours. */
static bool undoes(uint16_t type)
{
	switch (type) {
	case NFT_MSG_NEWTABLE: /* made dormant, or made again without ours */
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN: /* another policy */
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWRULE: /* an accept above ours */
	case NFT_MSG_DELRULE:
	case NFT_MSG_DELSET:
	case NFT_MSG_DELSETELEM:
		return true;
	default:
		return false;
	}
}

/* Whether one notification says that something of ours is gone. */
static bool is_loss(const struct nft *n, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr; /* not const: libmnl's loop casts it so */

	if (nlh->nlmsg_pid == n->transport.portid)
		return false;
	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		!undoes(nlh->nlmsg_type & 0xff))
		return false;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg) ||
		nfg->nfgen_family != NFPROTO_INET)
		return false;
	/* The table's name is attribute 1 in every kind of message. */
	mnl_attr_for_each(attr, nlh, sizeof(*nfg)) if (mnl_attr_get_type(attr) ==
		NFTA_TABLE_NAME) return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ==
			0 &&
		strcmp(mnl_attr_get_str(attr), n->config.table) == 0;
	return false;
}

bool nft_lost(struct nft *n)
{
	_Alignas(struct nlmsghdr) uint8_t event[EVENT_SIZE];
	struct sockaddr_nl from = {0};
	bool lost = false;

	for (unsigned i = 0; i < EVENTS_MOST; i++) {
		const struct nlmsghdr *nlh = (const void *)event;
		socklen_t n_from = sizeof(from);
		ssize_t got = recvfrom(nft_event_fd(n), event, sizeof(event),
			MSG_DONTWAIT, (struct sockaddr *)&from, &n_from);
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == ENOBUFS) {
			/* Some were dropped; they may have been about us, and
			 * setting up what stands does no harm. */
			lost = true;
			continue;
		}
		if (got < 0)
			break;
		if (from.nl_pid != 0)
			continue; /* not the kernel's word */
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			lost |= is_loss(n, nlh);
	}
	return lost && n->ready;
}
