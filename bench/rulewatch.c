/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rulewatch [TABLE SET COUNT]: says when the kernel has committed elements of
 * nftables sets in this network namespace, by its own notifications, one line
 * each on standard output:
 *
 *   NANOSECONDS TABLE SET KEY
 *
 * of CLOCK_MONOTONIC and the key in hex. With arguments it only counts the
 * elements of that set, prints NANOSECONDS at the COUNT-th, and ends. First
 * comes the line "ready"; "lost" when the kernel dropped notifications.
 */
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define RECEIVE_BUFFER (64 << 20)

struct watch {
	const char *table, *set; /* only count this one's, up to wanted; or NULL */
	uint64_t wanted, seen;
	uint64_t now; /* when the notifications at hand arrived */
};

static uint64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The attribute of this type among those nested in parent, or NULL. */
static const struct nlattr *nested(const struct nlattr *parent, uint16_t type)
{
	struct nlattr *a;

	mnl_attr_for_each_nested(a, parent)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static void print_element(const struct watch *w, const char *table, const char *set,
	const struct nlattr *element)
{
	const struct nlattr *key = nested(element, NFTA_SET_ELEM_KEY);
	const struct nlattr *value = key ? nested(key, NFTA_DATA_VALUE) : NULL;
	const uint8_t *bytes;

	if (!value)
		return;
	bytes = mnl_attr_get_payload(value);
	printf("%" PRIu64 " %s %s ", w->now, table, set);
	for (unsigned i = 0; i < mnl_attr_get_payload_len(value); i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

static int on_message(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a, *elements = NULL;
	const char *table = "", *set = "";
	struct watch *w = arg;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_TABLE)
			table = mnl_attr_get_str(a);
		else if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_SET)
			set = mnl_attr_get_str(a);
		else if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			elements = a;
	}
	if (!elements ||
		(w->table && (strcmp(w->table, table) != 0 || strcmp(w->set, set) != 0)))
		return MNL_CB_OK;
	mnl_attr_for_each_nested(a, elements)
	{
		if (!w->table)
			print_element(w, table, set, a);
		else if (++w->seen == w->wanted)
			return MNL_CB_STOP;
	}
	return MNL_CB_OK;
}

/* A socket that hears of every commit. NULL with errno. */
static struct mnl_socket *subscribe(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	int bytes = RECEIVE_BUFFER, group = NFNLGRP_NFTABLES;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return NULL;
	/* Refused in a user namespace: then as much as anybody may have. */
	if (setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		    sizeof(bytes)) < 0)
		(void)setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUF, &bytes,
			sizeof(bytes));
	if (mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return NULL;
	return nl;
}

int main(int argc, char **argv)
{
	static char buffer[1 << 20] __attribute__((aligned(8)));
	struct watch w = {NULL, NULL, 0, 0, 0};
	struct mnl_socket *nl = subscribe();

	if (argc == 4) {
		w.table = argv[1];
		w.set = argv[2];
		w.wanted = strtoull(argv[3], NULL, 10);
	}
	if (!nl || (argc != 1 && !w.wanted)) {
		fprintf(stderr,
			nl ? "usage: %s [TABLE SET COUNT]\n" : "%s: netlink: %s\n",
			argv[0], strerror(errno));
		return 2;
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	puts("ready");
	for (;;) {
		ssize_t n;

		fflush(stdout);
		n = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
		w.now = monotonic();
		if (n < 0 && errno == ENOBUFS)
			puts("lost");
		else if (n < 0 && errno != EINTR)
			return 1;
		else if (n >= 0 &&
			mnl_cb_run(buffer, (size_t)n, 0, 0, on_message, &w) ==
				MNL_CB_STOP)
			break;
	}
	printf("%" PRIu64 "\n", w.now);
	return 0;
}
