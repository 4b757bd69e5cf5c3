/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_SOURCE_H
#define DETECT_SOURCE_H

#include "detect/attempt.h"

/* A circular list through its members. */
struct link {
	struct link *prev, *next;
};

#define SUCCESSES_MAX 4

/* How sure a detection is of its source. */
enum grade {
	GRADE_NOTHING = 0,
	GRADE_PLAUSIBLE,
	GRADE_PROVED, /* but not for the other members */
	GRADE_SHARED, /* and nothing speaks against publishing it */
};

/* What is known of one source address. */
struct source {
	struct link age;      /* in one of sources' two lists, oldest first */
	struct link ripening; /* scans that will count soon; self-linked: none */
	usec ripe;            /* when to look at it again */
	struct address address;
	bool proved;               /* in the list of proved sources */
	uint8_t sensor, transport; /* of the last observation */
	uint8_t offence_grade;     /* enum grade, of the running offence */
	uint8_t offence_rule;      /* its place among the rules, + 1 */
	/* Of all its observations so far: what need not be looked for is not. */
	uint32_t kinds;    /* bits by enum observation_kind */
	uint8_t rank;      /* the highest proof_rank() */
	uint8_t sensors;   /* bits by enum observation_sensor */
	usec forged;       /* when the last sign of forgery was; 0: none */
	uint32_t offences; /* so far, forgotten ones not counted */
	usec offence_last; /* when the last was */
	usec ban_until;
	struct {
		uint32_t account;
		usec time;
	} successes[SUCCESSES_MAX]; /* latest of each account, time 0: none */
	struct attempts attempts;
	char account[64], dialled[64], agent[96];
};

/*
 * All sources, by address, with the oldest at hand. Two lists: sources that
 * proved themselves (or have a history), and the rest. A flood of spoofed
 * packets only ever pushes out others of its own kind.
 */
struct sources;

/* max > 0 sources. NULL when memory is short. */
struct sources *sources_new(uint32_t max, struct hash_key key);
void sources_free(struct sources *s);

/* A new limit; what is too much goes at the next sources_put(). */
void sources_limit(struct sources *s, uint32_t max);

/*
 * The source with this address, made when new (the oldest go to make room),
 * and now the youngest of its list. NULL when memory is short.
 */
struct source *sources_put(struct sources *s, const struct address *address);

/* The source with this address as it stands, or NULL. */
struct source *sources_find(const struct sources *s, const struct address *address);

/* The rules changed: forget which of them dialled strings fit. */
void sources_unfit(struct sources *s);

/* Move it to the list of proved sources for good. */
void sources_keep(struct sources *s, struct source *source);

/* Longest time ahead that makes sense for sources_ripen(). */
#define RIPEN_MOST (60 * USEC_PER_SEC)

/* Queue it to be looked at when the time `at` has come; no-op when queued. */
void sources_ripen(struct sources *s, struct source *source, usec at);

/* Take the first queued one whose time has come off the queue, or NULL. */
struct source *sources_ripe(struct sources *s, usec now);

/* Figures. */
size_t sources_count(const struct sources *s);
size_t sources_memory(const struct sources *s);
uint64_t sources_evicted(const struct sources *s);

#endif
