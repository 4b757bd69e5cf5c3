/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_SOURCE_H
#define DETECT_SOURCE_H

#include "detect/attempt.h"

#define SUCCESSES_MAX 4

/* How sure a detection is of its source. */
enum grade {
	GRADE_NOTHING = 0,
	GRADE_PLAUSIBLE,
	GRADE_PROVED, /* but not for the other members */
	GRADE_SHARED, /* and nothing speaks against publishing it */
};

struct success {
	usec time; /* 0: none */
	uint32_t account;
};

/* The lists that a source can be in. */
enum source_list {
	LIST_AGE = 0,  /* one of sources' two, oldest first */
	LIST_RIPENING, /* scans that will count soon */
	LIST_COUNT,
};

/*
 * What is known of one source address. There are tens of thousands, most of
 * them seen a few times: what few of them have is elsewhere.
 */
struct source {
	struct {
		uint32_t prev, next; /* places of its neighbours */
	} link[LIST_COUNT];
	uint32_t place, chain; /* its own; the next one's in the same bucket */
	struct address address;
	bool proved;               /* in the list of proved sources */
	bool ripening;             /* in LIST_RIPENING */
	uint8_t sensor, transport; /* of the last observation */
	uint8_t offence_grade;     /* enum grade, of the running offence */
	uint8_t offence_rule;      /* its place among the rules, + 1 */
	/* Of all its observations so far: what need not be looked for is not. */
	uint8_t rank;       /* the highest proof_rank() */
	uint8_t sensors;    /* bits by enum observation_sensor */
	uint16_t kinds;     /* bits by enum observation_kind */
	uint8_t texts_room; /* bytes at texts */
	char *texts;        /* source_texts(); NULL: none */
	struct attempts attempts;
	struct success *successes; /* latest of each account; NULL: none at all */
	usec ban_until;
	usec offence_last; /* when the last was */
	uint32_t offences; /* so far, forgotten ones not counted */
	uint32_t failed;   /* when it last gave a wrong password, in seconds */
	usec ripe;         /* when to look at it again */
	usec forged;       /* when the last sign of forgery was; 0: none */
};

/* The last texts that said something; hostile. */
struct source_texts {
	const char *account, *dialled, *agent;
};

struct source_texts source_texts(const struct source *s);

/*
 * Take an observation's texts, where it has any, in place of the former. When
 * memory is short the former stay.
 */
void source_take_texts(struct source *s, const struct observation *o);

/* Note a success, in the place of the account's former or of the oldest one. */
void source_succeeded(struct source *s, uint32_t account, usec time);

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
