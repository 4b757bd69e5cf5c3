/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_transport.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel makes dump datagrams of at most 32 KiB. */
#define ANSWER_SIZE    32768
#define RECEIVE_BUFFER (1 << 20)
#define ANSWER_TIMEOUT 10 /* seconds; the kernel answers at once or never */

/* Set a buffer past the sysctl limit if we may, else as far as it allows. */
static bool grow(int fd, int force, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof(bytes)) == 0)
		return true;
	(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
	return false;
}

int nft_transport_open(struct nft_transport *t, struct error *err)
{
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT};
	int on = 1, fd;

	*t = (struct nft_transport){.seq = 1};
	t->answer = malloc(ANSWER_SIZE);
	if (!t->answer)
		return error_set(err, "out of memory");
	t->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!t->socket) {
		error_set(err,
			"netlink socket for netfilter: %s; the kernel needs "
			"CONFIG_NETFILTER_NETLINK (modprobe nfnetlink)",
			strerror(errno));
		goto fail;
	}
	if (mnl_socket_bind(t->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		error_set(err, "bind of the netlink socket: %s", strerror(errno));
		goto fail;
	}
	t->portid = mnl_socket_get_portid(t->socket);
	fd = mnl_socket_get_fd(t->socket);
	/* A refused batch of 60 KiB must not come back in full. Both fail only
	 * on kernels far older than nf_tables sets: harmless. */
	(void)mnl_socket_setsockopt(t->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(t->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0) {
		error_set(err, "SO_RCVTIMEO: %s", strerror(errno));
		goto fail;
	}
	t->sndbuf_force = grow(fd, SO_SNDBUFFORCE, SO_SNDBUF, 1 << 20);
	(void)grow(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	return 0;
fail:
	nft_transport_close(t);
	return -1;
}

void nft_transport_close(struct nft_transport *t)
{
	if (t->socket)
		mnl_socket_close(t->socket);
	free(t->answer);
	*t = (struct nft_transport){0};
}

void nft_transport_begin(struct nft_transport *t, struct nft_batch *b)
{
	nft_batch_begin(b, t->seq);
}

void nft_transport_ask(
	struct nft_transport *t, struct nft_batch *b, uint16_t type, uint16_t flags)
{
	nft_batch_request(b, type, flags, t->seq);
}

/* Send the bytes, growing the send buffer when they do not fit. */
static int send_all(
	struct nft_transport *t, const struct nft_batch *b, struct nft_outcome *out)
{
	int fd = mnl_socket_get_fd(t->socket);
	bool grown = false;

	while (mnl_socket_sendto(t->socket, b->p, b->n) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EMSGSIZE && !grown) {
			grown = true;
			(void)grow(fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)b->n + 4096);
			continue;
		}
		out->error = errno;
		return -1;
	}
	return 0;
}

/*
 * The next datagram from the kernel. Returns its length, or -1 with errno;
 * after an overrun what is still queued is read without waiting.
 */
static ssize_t receive(struct nft_transport *t, bool wait)
{
	struct sockaddr_nl from = {0};
	socklen_t n = sizeof(from);
	ssize_t got;

	for (;;) {
		got = recvfrom(mnl_socket_get_fd(t->socket), t->answer, ANSWER_SIZE,
			MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT), (struct sockaddr *)&from,
			&n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got > ANSWER_SIZE) {
			errno = ENOBUFS;
			return -1;
		}
		/* Only the kernel has port 0: other programs may write to us. */
		if (got >= 0 && from.nl_pid != 0)
			continue;
		return got;
	}
}

/* The kernel's words beside an error (NETLINK_EXT_ACK), if it has any. */
static void extended_text(const struct nlmsghdr *nlh, struct nft_outcome *out)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t at = sizeof(*e);
	struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		at += MNL_ALIGN(e->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
	if (at > mnl_nlmsg_get_payload_len(nlh))
		return;
	mnl_attr_for_each(attr, nlh,
		(unsigned)at) if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		snprintf(out->text, sizeof(out->text), "%s", mnl_attr_get_str(attr));
}

/* Note an error or an acknowledgement. Returns whether it is the last answer. */
static bool note_error(
	const struct nlmsghdr *nlh, const struct nft_batch *b, struct nft_outcome *out)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	uint32_t at = nlh->nlmsg_seq - b->seq; /* 0: BATCH_BEGIN or the question */

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*e))
		return false;
	if (e->error != 0) {
		if (at > 0 && at <= 32)
			out->refused |= UINT32_C(1) << (at - 1);
		if (out->error == 0) {
			out->error = -e->error;
			out->message = at == 0 ? NFT_WHOLE_BATCH : at - 1;
			extended_text(nlh, out);
		}
	}
	/* The batch as a whole, or the message that asked for an answer. */
	return at == 0 || at == b->count;
}

/* Walk one datagram. Returns whether the answer is complete. */
static bool walk(const struct nft_transport *t, ssize_t got, const struct nft_batch *b,
	nft_answer_cb *cb, void *arg, struct nft_outcome *out)
{
	const struct nlmsghdr *nlh = (const void *)t->answer;
	int left = (int)got;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq - b->seq > b->count)
			continue; /* a stale answer */
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR && out->error == 0)
			out->error = EINTR;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return true;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			if (note_error(nlh, b, out))
				return true;
		} else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && cb) {
			cb(nlh, arg);
		}
	}
	return false;
}

/* Send, then read until the answer is complete. */
static int converse(struct nft_transport *t, const struct nft_batch *b, nft_answer_cb *cb,
	void *arg, struct nft_outcome *out)
{
	bool overrun = false;
	ssize_t got;

	*out = (struct nft_outcome){.message = NFT_WHOLE_BATCH};
	t->seq = b->seq + b->count + 2;
	if (send_all(t, b, out) < 0)
		return -1;
	for (;;) {
		got = receive(t, !overrun);
		if (got >= 0) {
			if (walk(t, got, b, cb, arg, out))
				break;
		} else if (errno == ENOBUFS && !overrun) {
			/* Answers were dropped. Those that are queued may
			 * still say what was refused. */
			overrun = true;
		} else {
			if (out->error == 0)
				out->error = overrun    ? ENOBUFS :
					errno == EAGAIN ? ETIMEDOUT :
							  errno;
			break;
		}
	}
	return out->error == 0 ? 0 : -1;
}

int nft_transport_commit(
	struct nft_transport *t, struct nft_batch *b, struct nft_outcome *out)
{
	if (nft_batch_end(b) < 0) {
		*out = (struct nft_outcome){.error = ENOMEM, .message = NFT_WHOLE_BATCH};
		return -1;
	}
	return converse(t, b, NULL, NULL, out);
}

int nft_transport_question(struct nft_transport *t, struct nft_batch *b,
	nft_answer_cb *cb, void *arg, struct nft_outcome *out)
{
	if (b->failed) {
		*out = (struct nft_outcome){.error = ENOMEM, .message = NFT_WHOLE_BATCH};
		return -1;
	}
	return converse(t, b, cb, arg, out);
}
