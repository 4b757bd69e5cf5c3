/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "base/hash.h"
#include "detect/rule.h"
#include "indicator/word.h"

/*
 * The detector: sliding windows over observations. Pure: time is the
 * observation's own, the hash key is an argument, no I/O. What is counted, and
 * what follows, is data (rule.h); how, is told here.
 *
 * Counting. What sensors see is gathered into attempts: observations with one
 * attempt key within 32 seconds are one attempt, however many log lines, HEP
 * packets and retransmissions it left; a sensor that names another account or
 * dialled string under the same key speaks of another attempt, and a probe
 * that only repeats itself stays one for the whole window. (Key 0 is no key:
 * each such observation is an attempt.) An attempt weighs 1/threshold of its
 * kind while it is younger than its kind's window; a source is detected when
 * its attempts weigh one together. So three wrong passwords are enough, and
 * so are one wrong password, one unknown account and one refused call.
 *
 * Challenges. Every ordinary registration begins with an unanswered challenge
 * (OBSERVED_SCAN) or, with some endpoint identifiers, an unknown account.
 * Credentials that follow, right or wrong, answer the challenge: it is then
 * part of their attempt and not one of its own. A scan weighs nothing in its
 * first three seconds, so that a site full of phones which register all at
 * once is not a scanner. Requests for different accounts or numbers that stay
 * unanswered weigh as unknown accounts, where the wire or a honeypot saw them.
 *
 * Successes. While a source has authenticated within a kind's window, that
 * kind's threshold is multiplied by success_factor. Where others than the
 * failing accounts succeed and fewer accounts than the threshold fail, it is
 * an address shared by many phones, one of them broken: it then takes 64
 * failures in the window.
 *
 * Proof. An attempt is proved by what its own observations prove, not by what
 * the source proved elsewhere: else somebody could spoof failures of a
 * customer whose own calls then "prove" them. A detection carries a proof
 * when the proved attempts alone cross the threshold, and it is then the
 * strongest of theirs, in this order; but ack when it takes attempts that only
 * a tag proves, as those are not published:
 *   auth   knows a password and completed a challenge of ours
 *   nonce  returned a nonce that we sent to that address
 *   tcp    completed a handshake; weaker, for what answers may be a
 *          transparent proxy or a NAT in front of many
 *   ack    returned our To-tag: as unguessable as the PBX makes its tags
 * Offences count, and double the ban, only when they are proved: else spoofed
 * ones would make a customer's first mistake a repeat offence.
 * Plausible. What is not proved is still banned for a short time where its
 * rule allows it and the signs that the wire saw (observation.h) speak for it:
 * the attempts with the signs that the rule asks for cross the threshold by
 * themselves; no sign of forgery was seen of the source within the window, for
 * somebody forges its packets then; and nobody authenticated from there within
 * the hour. What logs alone tell is never plausible.
 * More than one rule. The best proved one is told, then the plausible one, and
 * of equals the first.
 * More than one address. The addresses of an IPv6 /64 are also one source, for
 * rules per network. A campaign is many sources that fail at one account or one
 * dialled string; only proved failures count, only of sources that never
 * authenticated.
 * A later success proves no earlier failure, not even of the same account:
 * who spoofs failures of a customer's account from the customer's address
 * would only have to wait for the customer to register.
 */
struct detect_config {
	/* Of the kinds that weigh together; a threshold of 0 switches one off. */
	struct detect_rule rules[OBSERVED_KINDS];
	const struct rules *more; /* copied; NULL: the built-in ones */
	uint32_t ban;             /* first ban, seconds (600) */
	uint32_t ban_max;         /* ceiling of doubling, seconds (86400) */
	uint32_t forget;          /* an offender is forgotten after this, seconds */
	uint32_t sources_max;     /* table size (65536) */
	uint32_t
		success_factor; /* threshold multiplier for a source that authenticates (5) */
};

/*
 * 3 in 600 s for failed passwords, unknown accounts and refused calls; 10 in
 * 60 s for scans (a trunk that is pinged every 7 s stays below); 10 in 600 s
 * for malformed messages; bans from 10 minutes to a day; forgotten after 7
 * days.
 */
extern const struct detect_config detect_config_default;

struct detection {
	usec time;
	struct address source; /* host bits are zero when plen is less */
	uint8_t plen;          /* 32 or 128; 64 of a network */
	uint8_t category;      /* enum category, the rule's */
	uint8_t proof;         /* enum proof, see above */
	uint8_t kind;          /* enum observation_kind: the most harmful counted */
	uint8_t sensor;        /* of the last observation */
	uint8_t transport;
	uint32_t attempts;     /* counted in the window */
	uint32_t window;       /* seconds that those attempts span, at least 1 */
	uint32_t offence;      /* 1 for the first, 2 for the second, ... */
	uint32_t ban;          /* seconds, doubled by offence; 0: none */
	bool plausible;        /* may be banned unproved, */
	uint32_t unproved_ban; /* for at most so many seconds */
	bool publish;          /* may be published when it is proved */
	bool registered_too;   /* proved, it counts of a registered phone as well */
	uint32_t sources, accounts, numbers; /* that the attempts were of */
	char rule[RULE_NAME_MAX];
	char reason[320]; /* the rule's, filled in: printable ASCII */
	char account[64]; /* the last texts seen, hostile: escape them */
	char dialled[64];
	char agent[96];
};

struct detector;

/* What one observation did; what `explain` shows. */
enum detect_filed {
	FILED_NOT = 0,   /* no kind that is counted, or no source */
	FILED_NEW,       /* a new attempt */
	FILED_KNOWN,     /* one more observation of a known attempt */
	FILED_ANSWERING, /* a new attempt, and a challenge before is part of it */
};

struct detect_standing {
	const char *rule;            /* in the detector's rules */
	uint32_t have, need, window; /* seconds */
	bool proved, plausible;      /* it holds by such attempts alone */
};

struct detect_trace {
	uint8_t filed;           /* enum detect_filed */
	bool counts;             /* the attempt is one that is live */
	uint32_t attempts;       /* that are live now */
	uint32_t before, after;  /* weight together, in thousandths of a detection */
	bool forged, registered; /* signs of forgery; authenticated lately */
	bool banned;             /* a ban runs already */
	struct detect_standing rules[RULES_MAX]; /* those of which something counts */
	unsigned n_rules;
};

/* NULL when memory is short. config is copied. */
struct detector *detector_new(const struct detect_config *config, struct hash_key key);
void detector_free(struct detector *d);

/* Change the thresholds; windows keep their contents. */
void detector_configure(struct detector *d, const struct detect_config *config);

/*
 * Feed one observation. Returns true and fills *out when a source crosses a
 * threshold; its window then starts anew, so that one detection is one ban,
 * and no further offence of that source is produced while the ban runs (what
 * it does meanwhile counts when the ban has ended). *out is also produced
 * (once) when a source that was detected unproved becomes proved while its
 * ban still runs: same offence, a fresh ban. out->source may be another
 * source than o's: one whose scan became old enough to count.
 */
bool detector_feed(
	struct detector *d, const struct observation *o, struct detection *out);

/* The same, and tell what happened. Lifetime: until the next change of *d. */
bool detector_trace(struct detector *d, const struct observation *o,
	struct detection *out, struct detect_trace *trace);

/*
 * What became due by the passing of time alone: a burst of scans followed by
 * silence, a campaign's further members. Call it about once a second, repeatedly
 * while it returns true.
 */
bool detector_due(struct detector *d, usec now, struct detection *out);

/*
 * Tell the detector of a source's earlier offences (from the store at start):
 * how many proved ones, and when the last one was. Its ban runs on: what led to
 * it may be read again after a restart and is no second offence.
 */
void detector_remember(
	struct detector *d, const struct address *source, uint32_t offences, usec last);

/*
 * A ban of this source was lifted: its attempts and offences are forgotten and
 * no ban is taken to be running, so that the next threshold counts again.
 */
void detector_forgive(struct detector *d, const struct address *source);

enum failed {
	FAILED_NOT = 0,
	FAILED_UNPROVED, /* somebody, perhaps (anybody can forge that), or long ago */
	FAILED_PROVED,
};

/*
 * Whether a source failed at something within the longest window (credentials
 * refused, an account that is not there, a refused call, no SIP), gave a wrong
 * password within a day, or offended and is not forgotten: its success may be that
 * of a thief.
 */
#define FAILED_LIFE (86400 * USEC_PER_SEC)
enum failed detector_failed(
	const struct detector *d, const struct address *source, usec now);

/* Figures for `status`. */
struct detect_figures {
	uint64_t observations, duplicates, detections, evicted;
	size_t sources, networks, campaigns, memory;
};
void detector_figures(const struct detector *d, struct detect_figures *out);

#endif
