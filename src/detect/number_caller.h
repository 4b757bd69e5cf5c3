/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NUMBER_CALLER_H
#define DETECT_NUMBER_CALLER_H

#include "detect/number_target.h"

/*
 * Who dialled what, until it is known who is an attacker. A flood of forged calls
 * pushes out other unproved callers; those that are proved go before attackers.
 */
#define CALLS_MAX    64 /* of one caller; the oldest gives way */
#define SUCCESSES_OF 8  /* accounts of a caller that are known to authenticate */
#define CALL_SAME    (32 * USEC_PER_SEC) /* see ATTEMPT_SAME */

/* What became of it at the PBX; of two the greater counts. */
enum call_way {
	CALL_REFUSED = 1, /* refused, or challenged and left */
	CALL_NOTHING,     /* it met a busy line, or nobody knows */
	CALL_PAID,        /* with an account's password */
	CALL_BAIT,        /* at the honeypot */
};

struct call {
	struct call *next; /* later */
	usec time;
	uint64_t id;  /* its own */
	uint64_t key; /* of the Call-ID, else of the attempt; 0: none */
	uint32_t account;
	uint8_t way, proof, sensors, fate;
	bool read;
	struct dialled_reading reading; /* when it was read */
	struct indicator counted;       /* what it counts for; kind 0: nothing */
	char dialled[];
};

/* The lists of callers: those of the first go first. */
enum caller_list {
	CALLERS_UNPROVED = 0,
	CALLERS_PROVED,
	CALLERS_ATTACKERS,
	CALLERS_LISTS
};

struct caller {
	struct caller *hash_next, *older, *newer;
	struct caller *next_dirty;
	struct address address;
	uint8_t list;
	bool dirty;    /* to be judged */
	bool network;  /* not a source, but the conviction of its /64 */
	uint8_t proof; /* the best that made it an attacker */
	uint8_t category;
	usec last, judged;
	usec convicted, baited; /* when last; 0: never */
	uint32_t account;       /* that the conviction is about */
	usec told_since;        /* a window of what it put on the list, */
	uint32_t told;          /* and how much that was */
	uint32_t n;
	struct call *first, *newest;
	struct {
		uint32_t account;
		usec time; /* 0: none */
	} success[SUCCESSES_OF];
};

struct callers;

struct callers *callers_new(size_t bytes_max, struct hash_key key);
void callers_free(struct callers *c);
void callers_limit(struct callers *c, size_t bytes_max);

/* The caller, made when new, the youngest of its list now. NULL: no memory. */
struct caller *callers_put(struct callers *c, const struct address *a, usec now);

/* The caller as it stands, or NULL. */
struct caller *callers_find(const struct callers *c, const struct address *a);

/* The one after this (NULL: the first) within net/bits; both stay in their lists. */
struct caller *callers_within(const struct callers *c, const struct caller *after,
	const struct address *net, unsigned bits);

/* Move it up to a list; never down. */
void callers_move(struct callers *c, struct caller *s, enum caller_list list);

/* Note the call of an observation: a new one, or what was not known of a former. */
void callers_call(struct callers *c, struct caller *s, const struct observation *o);

/* An observation that names no number: what it proves of the call that it belongs to. */
void callers_prove(struct caller *s, const struct observation *o);

/*
 * Make it dirty, at_once: before all others and whenever it was judged last. Take
 * the first dirty one, if it was not judged since `before`.
 */
void callers_soil(struct callers *c, struct caller *s, bool at_once);
struct caller *callers_take_dirty(struct callers *c, usec before);

/* The oldest of a list; ->newer leads on. */
struct caller *callers_first(const struct callers *c, enum caller_list list);

size_t callers_count(const struct callers *c);
size_t callers_calls(const struct callers *c);
size_t callers_memory(const struct callers *c);

#endif
