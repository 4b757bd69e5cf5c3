/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_NFT_RULESET_H
#define TESTS_NET_NFT_RULESET_H

#include "enforce/nft.h"
#include "enforce/nft_state.h"

/*
 * Another program that looks at the table "sipchain" and changes it, each call
 * on a netlink socket of its own. Those that change return 0 or the errno that
 * the kernel refused with.
 */
int ruleset_flush(void); /* nft flush ruleset */
int ruleset_delete_table(void);
int ruleset_make_table(uint32_t flags);
int ruleset_delete_rules(void);
int ruleset_make_set(const char *name, const struct nft_set_shape *shape);
int ruleset_empty_set(const char *name);

/* A base chain `ban` with another priority. */
int ruleset_make_other_chain(void);

/* Milliseconds until the ban ends; -1 when it does not stand. */
int64_t ruleset_left(const char *set, const char *prefix);

bool ruleset_has_table(void);
bool ruleset_has_set(const char *name);

/* The indicator of a text. Aborts when it is none. */
struct indicator indicator_of(const char *text);

/* The order of a ban; seconds from now on, negative: a deletion. */
struct ban_order order_of(uint8_t scope, const char *text, int seconds);

/* nft_apply() one order. Returns whether it was carried out. */
bool ban_one(struct nft *n, uint8_t scope, const char *text, int seconds);

/* Orders of count bans (SIP) of 1.0.0.0 + first on; the caller frees them. */
struct ban_order *orders_from(size_t count, uint32_t first, int seconds);

/* nft_apply(); aborts with the text when it fails, or refuses another number. */
void apply(struct nft *n, const struct ban_order *orders, size_t count, uint8_t *done,
	size_t expect_refused);

/* nft_open() and nft_setup(); aborts with the text when either fails. */
struct nft *open_table(const struct nft_config *config);

/* A counter's packets; 0 when there is no such rule. */
uint64_t counted(struct nft *n, const char *set);

#endif
