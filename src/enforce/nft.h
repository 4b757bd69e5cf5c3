/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_H
#define ENFORCE_NFT_H

#include "base/clock.h"
#include "base/error.h"
#include "enforce/ban.h"
#include "indicator/address.h"

/*
 * nftables by netlink, own encoder over libmnl, nothing spawned (DESIGN
 * section 7). Synchronous: each call is one transaction with the kernel (few
 * when there are more than 1,000 orders) and returns when it has answered, 7 us
 * for one ban. After nft_open() no descriptor is opened any more; the system
 * calls are sendto, recvfrom and setsockopt, and those of malloc.
 *
 *   table inet sipchain {
 *     set allow4, allow6            intervals
 *     set ports                     intervals: the SIP ports
 *     set all4_32, all6_128, ...    BAN_ALL, one hash set per prefix length
 *     set sip4_32, sip4_24, ...     BAN_SIP
 *     chain ban { type filter hook prerouting priority -310; policy accept;
 *       ip saddr @allow4 counter accept
 *       ip6 saddr @allow6 counter accept
 *       ip daddr 192.0.2.5 udp dport 5062 accept      the listeners of nft_pass()
 *       jump all
 *       udp dport @ports jump sip
 *       tcp dport @ports jump sip }
 *     chain all { ip saddr & 255.255.255.0 @all4_24 counter drop ... }
 *     chain sip { ip saddr @sip4_32 counter drop ... } }
 *
 * A set and its rule are made when a prefix length is first used. `accept`
 * ends this table's work on a packet, not the operator's own firewall's.
 *
 * BAN_SIP and fragments: a fragment but the first has no ports and passes, but
 * the first one, which always holds them (RFC 791, RFC 7112), is dropped, so
 * the datagram is never put together. Where conntrack is in use fragments are
 * put together before (priority -400).
 *
 * Where the kernel can (6.9) the table is `owner,persist`: nobody else can
 * change it and others' `nft flush ruleset` passes it by while the daemon runs;
 * the bans stay when it ends (fail static), the table then belongs to nobody,
 * an operator may delete it, and nft_setup() of the next process adopts it.
 * Elsewhere, and for a table that already stands without an owner,
 * notifications tell when others removed it: nft_lost().
 */
#define NFT_PORTS_MAX 16
#define NFT_PASS_MAX  16

struct nft_config {
	char table[32]; /* "sipchain" */
	struct {
		uint16_t first, last;
	} ports[NFT_PORTS_MAX]; /* SIP ports */
	unsigned ports_count;
	/*
	 * Most elements of each set. The kernel allocates a hash table for so
	 * many at once, 8 bytes each and rounded up to a power of two times
	 * 4/3: 16 MB a set for the default of 2^20.
	 */
	uint32_t set_size;
	uint32_t gc_interval; /* milliseconds */
};

extern const struct nft_config nft_config_default;

struct nft;

/* What the kernel was found to support; shown by status. */
struct nft_features {
	bool update_timeout; /* NEWSETELEM renews a timeout (6.12) */
	bool destroy;        /* DESTROY* messages (6.3) */
	bool owner_persist;  /* table flags owner + persist (6.9) */
	bool sndbuf_force;
};

/*
 * Check the configuration, open the sockets, probe (in a table of its own that
 * has no chain and is gone on return). Needs CAP_NET_ADMIN in the network
 * namespace's user namespace. NULL with a text that says what is missing.
 */
struct nft *nft_open(const struct nft_config *config, struct error *err);
void nft_close(struct nft *n);

const struct nft_features *nft_features(const struct nft *n);

/* A listener that banned sources reach as well. */
struct nft_listener {
	struct address address; /* all zero bits: any of its family */
	uint16_t port;
	bool udp; /* else TCP */
};

/*
 * Keep a copy of the listeners that packets reach in spite of bans: each is a
 * rule behind the allow sets, from the next nft_setup() on. At first there are
 * none; of more than NFT_PASS_MAX the first ones count. They have no counters.
 * A rule without an address also lets through what this machine forwards to
 * that port of others. A datagram to them in fragments does not arrive from a
 * source that is banned on all ports: but the first none holds the port.
 */
void nft_pass(struct nft *n, const struct nft_listener *list, size_t count);

/*
 * Make the table, its chains, rules and sets, in one transaction. Sets that
 * stand keep their elements (a restarted daemon finds its bans; the allow sets,
 * too, until nft_allow() is called), rules are made again with their counters'
 * figures; what stands with another hook or key is replaced. A changed set_size
 * or gc_interval takes effect on sets that stand if the kernel can (6.5), else
 * when they are made anew. Idempotent. Returns 0, or -1 with a text; another
 * process that owns the table is named there.
 */
int nft_setup(struct nft *n, struct error *err);

/*
 * Remove the table and all in it; not being there is success. -1 with a text
 * while another running process owns it.
 */
int nft_teardown(struct nft *n, struct error *err);

/*
 * Replace the allow sets by these intervals (kinds ip4, ip6; others are
 * skipped) in one transaction, and keep a copy: nft_apply() refuses by itself
 * any ban that overlaps it, and nft_setup() puts it back. nft_setup() comes
 * first. Bans that stand are not removed, but what is allowed passes them.
 * Returns 0, or -1 with a text: the old list then stays in force.
 */
int nft_allow(
	struct nft *n, const struct indicator *list, size_t count, struct error *err);

/*
 * Carry out orders, in transactions of at most 1,000 elements. An order whose
 * `until` is not after now is a deletion. Of several orders about one ban the
 * last one counts, and within a transaction deletions come first. done[i] (may
 * be NULL) tells for each order: 1 carried out, 0 refused because it overlaps
 * the allow copy, is not an address or prefix (or is of length 0: everybody),
 * or the set is full; *refused counts them. A ban that stands is renewed even
 * in a full set. A refusal for a full set costs the kernel some 15 ms, once or
 * a few times a transaction, not once an order.
 * Returns 0, or -1 with a text when the kernel refused for another reason (the
 * table is gone: nft_lost() then tells); orders before the failure are carried
 * out, done[] is 0 for the others.
 */
int nft_apply(struct nft *n, const struct ban_order *orders, size_t count, usec now,
	uint8_t *done, size_t *refused, struct error *err);

/*
 * Descriptor to poll for changes that others make to the ruleset. The same for
 * the life of n; nothing comes from it while n owns the table.
 */
int nft_event_fd(const struct nft *n);

/*
 * Read pending notifications. Returns true when somebody else removed our
 * table, a set, its elements, a chain or a rule of ours (`nft flush ruleset`),
 * put a rule of his own there, or when notifications were dropped: call
 * nft_setup() and have every ban ordered again.
 */
bool nft_lost(struct nft *n);

/* Counters of one rule: packets and bytes dropped (or accepted: allow). */
struct nft_counter {
	char set[24]; /* "sip4_32" */
	uint64_t packets, bytes;
};

/*
 * Read every rule's counters: the ban sets by scope, family and length, then
 * allow4 and allow6. They outlive nft_setup() and the process, not the table.
 * Returns how many (<= max), or -1 with a text.
 */
int nft_counters(struct nft *n, struct nft_counter *out, size_t max, struct error *err);

#endif
