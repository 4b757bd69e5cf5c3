/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/packet.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct header {
	uint16_t type;
	uint16_t reserved;
	uint32_t length;
};

_Static_assert(sizeof(struct header) == PACKET_HEADER, "layout of the header");

/* Room for more descriptors than are right, so that extra ones are seen. */
#define PASSED_MAX 4

union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
};

int packet_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

int packet_send(int fd, uint16_t type, struct view payload, int pass)
{
	struct header header = {.type = type, .length = (uint32_t)payload.n};
	struct iovec iov[2] = {
		{.iov_base = &header, .iov_len = sizeof header},
		/* sendmsg() only reads, but its struct is shared with recvmsg(). */
		{.iov_base = (void *)(uintptr_t)payload.p, .iov_len = payload.n},
	};
	union ancillary ancillary;
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = payload.n ? 2 : 1};
	ssize_t n;

	if (payload.n > PACKET_PAYLOAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (pass >= 0) {
		struct cmsghdr *c;

		memset(&ancillary, 0, sizeof ancillary);
		msg.msg_control = ancillary.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof pass);
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* Take the descriptors out of a message. Returns how many into fds. */
static size_t passed(struct msghdr *msg, int fds[PASSED_MAX])
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n && count < PASSED_MAX; i++)
			memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int),
				sizeof(int));
	}
	return count;
}

int packet_receive(int fd, uint8_t *buffer, struct packet *out)
{
	struct iovec iov = {.iov_base = buffer, .iov_len = PACKET_MAX};
	union ancillary ancillary;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof ancillary};
	struct header header = {0};
	int fds[PASSED_MAX];
	size_t count;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	count = passed(&msg, fds);
	if (n == 0 && count == 0)
		return 0;
	if ((size_t)n >= sizeof header)
		memcpy(&header, buffer, sizeof header);
	if ((size_t)n < sizeof header || header.reserved ||
		header.length != (size_t)n - sizeof header || count > 1 ||
		(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
		errno = EBADMSG;
		return -1;
	}
	out->type = header.type;
	out->payload = view_of(buffer + sizeof header, header.length);
	out->fd = count ? fds[0] : -1;
	return 1;
}

int packet_wait(int fd, uint8_t *buffer, struct packet *out, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if (n == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	return packet_receive(fd, buffer, out);
}
