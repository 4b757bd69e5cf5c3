/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_WORD_H
#define INDICATOR_WORD_H

#include "indicator/indicator.h"

/*
 * A report as one 256-bit word, big-endian:
 *
 *   0      1      2..17   18..21   22..23   24..25       26..28  29         30      31
 *   kind   plen   value   expiry   member   generation   cell    category   proof   action
 *
 * The last byte is "reserved" in a stored word and must be zero there; in a
 * submitted batch it carries the entry's action.
 */
#define WORD_SIZE 32

enum report_action {
	ACTION_REPORT = 0,  /* into an empty or dead cell; same indicator: refresh */
	ACTION_REPLACE = 1, /* may overwrite a live cell */
	ACTION_SPEND = 2,   /* empties the cell; it must hold this indicator */
};

/* Why we believe that the source is real (DESIGN section 5), in a word. */
enum proof {
	PROOF_NONE = 0,
	PROOF_NONCE = 1,
	PROOF_ACK = 2,
	PROOF_TCP = 3,
	PROOF_AUTH = 4,
	PROOF_LOG = 5,     /* reported by fail2ban or the like */
	PROOF_MANUAL = 6,  /* reported by a person */
	PROOF_RULE = 7,    /* numbers: one unambiguous reading */
	PROOF_CLUSTER = 8, /* numbers: the common tail of several */
	PROOF_COUNT
};

enum category {
	CATEGORY_NONE = 0,
	CATEGORY_SCAN = 1,        /* looking for SIP servers */
	CATEGORY_ENUMERATION = 2, /* looking for accounts */
	CATEGORY_PASSWORD = 3,    /* guessing passwords */
	CATEGORY_FRAUD = 4,       /* toll fraud: calls it may not make */
	CATEGORY_MALFORMED = 5,   /* broken or hostile messages */
	CATEGORY_STOLEN = 6,      /* uses a stolen account */
	CATEGORY_CAMPAIGN = 7,    /* part of a distributed attack */
	CATEGORY_OTHER = 8,
	CATEGORY_OBJECTION = 255, /* speaks for the indicator */
};

struct report {
	struct indicator indicator;
	uint32_t expiry; /* unix seconds */
	uint16_t member; /* 1.. */
	uint16_t generation;
	uint32_t cell;    /* 24 bits */
	uint8_t category; /* enum category */
	uint8_t proof;    /* enum proof */
	uint8_t action;   /* enum report_action; 0 in a stored word */
};

/* Encode; cell must fit 24 bits. */
void word_encode(uint8_t dst[WORD_SIZE], const struct report *r);

/* Decode; every 32 bytes decode to something: rules are checked elsewhere. */
void word_decode(struct report *r, const uint8_t src[WORD_SIZE]);

/* Names as shown and parsed; "?" / -1 for an unknown one. */
const char *proof_name(uint8_t proof);
int proof_parse(struct view text);
const char *category_name(uint8_t category);
int category_parse(struct view text);

#endif
