/* SPDX-License-Identifier: Apache-2.0 */
#include "namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	abort();
}

/* One ioctl on the loopback interface. */
static int on_loopback(unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return -1;
	memcpy(ifr->ifr_name, "lo", 3);
	result = ioctl(fd, request, ifr);
	close(fd);
	return result;
}

int namespace_enter(struct error *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_UP};
	unsigned uid = geteuid(), gid = getegid();
	char map[32];
	int user;

	user = getenv("NAMESPACE_AS_ROOT") ? -1 : unshare(CLONE_NEWUSER | CLONE_NEWNET);
	if (user == 0) {
		(void)write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		if (write_file("/proc/self/uid_map", map) < 0)
			return error_set(err, "uid_map: %s", strerror(errno));
		snprintf(map, sizeof(map), "0 %u 1", gid);
		if (write_file("/proc/self/gid_map", map) < 0)
			return error_set(err, "gid_map: %s", strerror(errno));
	} else if (unshare(CLONE_NEWNET) < 0) {
		return error_set(err,
			"no network namespace: %s; allow user namespaces "
			"(kernel.unprivileged_userns_clone, user.max_user_namespaces) "
			"or run as root",
			strerror(errno));
	}
	if (on_loopback(SIOCSIFFLAGS, &ifr) < 0)
		return error_set(err, "loopback up: %s", strerror(errno));
	return 0;
}

void namespace_mtu(int mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	if (on_loopback(SIOCSIFMTU, &ifr) < 0)
		give_up("mtu of lo");
}

void namespace_address(const char *prefix)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[512];
	} buf;
	uint8_t address[16];
	char text[64];
	const char *slash = strchr(prefix, '/');
	int family = strchr(prefix, ':') ? AF_INET6 : AF_INET;
	size_t length = family == AF_INET6 ? 16 : 4;
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&buf);
	struct ifaddrmsg *ifa;
	ssize_t n;

	snprintf(text, sizeof(text), "%.*s", (int)(slash - prefix), prefix);
	if (inet_pton(family, text, address) != 1 || !nl ||
		mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		give_up(prefix);
	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
	nlh->nlmsg_seq = 1;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = (uint8_t)family;
	ifa->ifa_prefixlen = (uint8_t)strtoul(slash + 1, NULL, 10);
	ifa->ifa_flags =
		IFA_F_NODAD; /* an address that is being checked cannot be used */
	ifa->ifa_index = 1;  /* lo is the first of every namespace */
	mnl_attr_put(nlh, IFA_LOCAL, length, address);
	mnl_attr_put(nlh, IFA_ADDRESS, length, address);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		give_up(prefix);
	n = mnl_socket_recvfrom(nl, &buf, sizeof(buf));
	if (n < 0 ||
		mnl_cb_run(&buf, (size_t)n, 1, mnl_socket_get_portid(nl), NULL, NULL) < 0)
		give_up(prefix);
	mnl_socket_close(nl);
}
