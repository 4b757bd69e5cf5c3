/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_MESSAGE_H
#define ENFORCE_NFT_MESSAGE_H

#include "base/bytes.h"

/*
 * Encoder of nf_tables netlink messages (linux/netfilter/nf_tables.h). A
 * batch is one transaction of the kernel:
 *
 *   NFNL_MSG_BATCH_BEGIN | message 0 | message 1 | ... | NFNL_MSG_BATCH_END
 *   seq s                | s + 1     | s + 2     |     | s + 1 + count
 *
 * Every message is nlmsghdr, nfgenmsg (family inet), attributes. Zero-
 * initialise, free with nft_batch_free(). When memory is short or an attribute
 * outgrows its 16-bit length the batch is "failed": what is put then does
 * nothing, and one check at the end suffices.
 */
struct nft_batch {
	uint8_t *p;
	size_t n, capacity;
	size_t message; /* offset of the message that is being written */
	uint32_t seq;   /* of BATCH_BEGIN */
	uint32_t count; /* messages so far */
	bool failed;
};

/* Constants that came after Linux 6.1's header. */
enum {
	NFT_DESTROYTABLE = 26,   /* NFT_MSG_DESTROYTABLE, Linux 6.3 */
	NFT_DESTROYSETELEM = 30, /* NFT_MSG_DESTROYSETELEM, Linux 6.3 */
	NFT_TABLE_PERSIST = 4,   /* NFT_TABLE_F_PERSIST, Linux 6.9 */
};

/* Forget what is there and begin a transaction whose first number is seq. */
void nft_batch_begin(struct nft_batch *b, uint32_t seq);

/*
 * Begin the next message: an NFT_MSG_* type and NLM_F_* flags beside
 * NLM_F_REQUEST.
 */
void nft_batch_message(struct nft_batch *b, uint16_t type, uint16_t flags);

/*
 * Ask for an answer to the last message (BATCH_END is acknowledged only since
 * Linux 6.10) and end the transaction. Returns 0, or -1 when the batch failed
 * or holds no message.
 */
int nft_batch_end(struct nft_batch *b);

/*
 * Instead of a transaction one question outside of any batch: forget what is
 * there and begin a message of this type and flags (NLM_F_DUMP, NLM_F_ACK).
 */
void nft_batch_request(struct nft_batch *b, uint16_t type, uint16_t flags, uint32_t seq);

void nft_batch_free(struct nft_batch *b);

/* Attributes of the current message. Integers go in network byte order. */
void nft_put(struct nft_batch *b, uint16_t type, const void *p, size_t n);
void nft_put_u32(struct nft_batch *b, uint16_t type, uint32_t v);
void nft_put_u64(struct nft_batch *b, uint16_t type, uint64_t v);
void nft_put_name(struct nft_batch *b, uint16_t type, const char *s); /* with NUL */

/* A nested attribute; hand the returned offset to nft_nest_end(). */
size_t nft_nest(struct nft_batch *b, uint16_t type);
void nft_nest_end(struct nft_batch *b, size_t nest);

/* Length so far of a nested attribute, header included (65,535 at most). */
size_t nft_nest_size(const struct nft_batch *b, size_t nest);

/* struct nft_data: attribute `type` around one NFTA_DATA_VALUE. */
void nft_put_value(struct nft_batch *b, uint16_t type, const void *p, size_t n);

#endif
