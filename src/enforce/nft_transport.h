/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_TRANSPORT_H
#define ENFORCE_NFT_TRANSPORT_H

#include <libmnl/libmnl.h>

#include "base/error.h"
#include "enforce/nft_message.h"

/*
 * The socket on which transactions and questions go, one at a time. The kernel
 * does the work inside sendmsg(2) and has queued its answer when that returns.
 */
struct nft_transport {
	struct mnl_socket *socket;
	uint32_t portid;
	uint32_t seq;      /* next unused; answers to older ones are stale */
	uint8_t *answer;   /* one datagram */
	bool sndbuf_force; /* SO_SNDBUFFORCE works (needs CAP_NET_ADMIN of the host) */
};

/* How the kernel answered. */
#define NFT_WHOLE_BATCH UINT32_MAX
struct nft_outcome {
	int error;        /* errno; 0: committed */
	uint32_t message; /* index of the first refused message, or NFT_WHOLE_BATCH */
	uint32_t refused; /* bit i: message i < 32 was refused */
	char text[80];    /* the kernel's own words, or empty */
};

/* Open the socket. Returns 0, or -1 with a text. */
int nft_transport_open(struct nft_transport *t, struct error *err);
void nft_transport_close(struct nft_transport *t);

/* Begin a transaction (or a question) with the next unused numbers. */
void nft_transport_begin(struct nft_transport *t, struct nft_batch *b);
void nft_transport_ask(
	struct nft_transport *t, struct nft_batch *b, uint16_t type, uint16_t flags);

/*
 * End the transaction, send it and wait for the verdict: the kernel carries
 * out all of it or nothing. Returns 0, or -1 with out->error:
 *   ENOMEM    the batch failed (nothing was sent)
 *   EMSGSIZE  it exceeds the send buffer (nothing was sent)
 *   ENOBUFS   the answer was lost; it is unknown whether it was carried out
 *   ETIMEDOUT no answer within ten seconds; likewise
 *   others    as the kernel refused it; nothing was carried out
 */
int nft_transport_commit(
	struct nft_transport *t, struct nft_batch *b, struct nft_outcome *out);

/*
 * Send a question and hand every message of the answer to cb. Returns as
 * nft_transport_commit(); EINTR: the ruleset changed during a dump, ask again.
 */
typedef void nft_answer_cb(const struct nlmsghdr *nlh, void *arg);
int nft_transport_question(struct nft_transport *t, struct nft_batch *b,
	nft_answer_cb *cb, void *arg, struct nft_outcome *out);

#endif
