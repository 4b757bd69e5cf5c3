/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_H
#define DAEMON_NODE_H

#include <uv.h>

#include "api/control.h"
#include "base/table.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/node_hit.h"
#include "daemon/outgoing.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "decide/own_number.h"
#include "detect/trail.h"
#include "enforce/ban_table.h"
#include "store/store.h"

/*
 * The role `node`: between the pure parts (detector, registry, decisions) and
 * the other processes. One struct, its files by what comes in:
 *
 *   role_node.c     start, sandbox, links, stop
 *   node_schedule.c     the timers: what ends, what is due
 *   node_sense.c    observations -> detections -> own bans and reports
 *   node_numbers.c  what attackers call -> calls refused and reports
 *   node_clock.c    the machine's clock is set
 *   node_ledger.c   events -> registry
 *   node_decide.c   registry -> decisions -> learnt bans
 *   node_text.c     the texts of hashed indicators, for people
 *   node_bans.c     the ban table, the store's copy of it, orders to enforce
 *   node_connector.c    .. and the PBXs that follow the same bans
 *   node_hit.c      calls that those refused
 *   node_outbox.c   decided reports -> batches; what leaves is outgoing.c's choice
 *   node_fate.c     ... and what became of them
 *   node_evidence.c the records behind reports: made, kept, shown
 *   node_event.c    the journal of events, and who follows it
 *   node_webhook.c  .. and whoever is sent them; node_webhook_*.c its parts
 *   node_report.c   reports that people and programs ask for
 *   node_http.c     the HTTP API; node_http_*.c its parts, node_http_open.c its
 *                   sockets and tokens
 *   node_control.c  the control socket's commands that change something
 *   node_wait.c     clients that are answered later
 *   node_answer.c   ... and those that ask; node_check.c `check`, node_status.c `status`
 */

/* A batch that the ledger role has and whose fate is to come. */
struct node_flight {
	uint64_t ticket; /* 0: free */
	unsigned count;
	uint32_t cells[BATCH_MAX]; /* that its words go to */
};

/* Orders sent and not answered, in order of batch numbers. */
#define ORDERS_IN_FLIGHT 8

struct node_orders {
	uint64_t batch; /* 0: free */
	uint32_t count;
	struct ban_order orders[ORDERS_MAX];
};

/* A client that is answered later. row 0: it waits for counters. */
struct node_waiter {
	struct node_waiter *next;
	struct control_client *client;
	uint64_t row;
	usec until; /* monotonic: answered with what is known by then */
};

/* How many are decided, and how many bans end, in one turn of the loop. */
#define NODE_DECISIONS 1024
/* Of more changes at once so many are told one by one, and the rest as a number. */
#define NODE_CHANGES_TOLD 1000

/* What decisions and time change. */
enum node_change {
	NODE_BANNED,
	NODE_UNBANNED,
	NODE_PASSED,
	NODE_EXPIRED,
	NODE_CHANGES,
};

/* Indicators that wait for their turns. */
struct node_queue {
	struct table *now, *next; /* NULL: none */
	size_t at;                /* in now */
	bool quiet, next_quiet;   /* all are looked at: what passes is no news */
};

/* Many indicators are being decided, or many bans are ending. */
struct node_deciding {
	uv_idle_t turn;
	/* Those with a ban: it goes if it may not stand, before anything is blocked. */
	struct node_queue lifts;
	struct node_queue all;
	unsigned turns;
	bool turning;  /* these are decided now, not few that came between */
	bool expiring; /* more bans have ended than one turn takes */
	unsigned told;
	uint64_t untold[NODE_CHANGES];
};

struct node {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	usec started;             /* monotonic */
	int64_t clock_difference; /* of the time of day and the monotonic one, usec */
	bool stopping;
	bool again; /* the new configuration needs what only a new process can open */
	bool scheduling;    /* node_schedule() runs: what it calls must not call it */
	bool allow_changed; /* by phones and trunks; the enforcer is told soon */

	/* pure parts */
	struct detector *detector;
	struct trail *trail;     /* what sources did last, for the evidence */
	struct numbers *numbers; /* what attackers call */
	struct own_number_config own_number;
	uint8_t least_prefix; /* digits of a prefix that the ledger takes */
	struct registry *registry;
	struct allowlist *allow;
	struct own_config own;
	struct hash_key hash_key;

	/* sense */
	struct link *sense;
	bool sense_told; /* it has been told where to go on */
	struct sense_figures sense_figures;
	struct honeypot_status honeypot;                  /* zeros: there is none */
	struct source_status sources[CONFIG_SOURCES_MAX]; /* those with a name */

	/* ledger */
	struct link *ledger;
	struct ledger_self self;
	bool self_known;
	uint32_t delivery;         /* what the ledger role delivers now */
	struct registry *incoming; /* while the ledger is read anew; else NULL */
	usec read_again_at;        /* monotonic: after what could not be folded */
	bool identified;           /* it is the one that the store's outbox is for */
	bool caught_up;            /* the ledger was read whole at least once */
	bool healthy;              /* as the ledger role says; trouble is its text */
	bool misfolded;            /* what came could not be folded, is asked for again */
	char trouble[300];
	struct table *texts; /* of hashed indicators, for people; NULL: none yet */
	bool all_dirty;      /* every listed indicator is to be decided anew */
	struct table *dirty; /* indicators to be decided anew */
	struct node_deciding deciding;
	uint64_t decided; /* how often some were: what is listed may be another */

	/* enforce */
	struct link *enforce;
	struct enforce_self enforcer;
	bool enforcer_ready; /* it has said hello over this link */
	struct ban_table *bans;
	struct node_connectors *connectors; /* node_connector.h */
	struct hit_limit log_hits;          /* of calls that a log tells of */
	bool bans_open;                     /* a transaction of ban records is open */
	usec order_again_at; /* monotonic: after the kernel refused; 0: not */
	uint64_t next_batch;
	struct node_orders *in_flight; /* ORDERS_IN_FLIGHT of them, made on first use */
	struct nft_counter counters[64];
	unsigned counters_count;
	usec counters_at; /* wall, of the last answer */

	/* outbox */
	struct store *store;
	struct node_flight *flights; /* OUTGOING_FLIGHTS of them, made on first use */
	bool submitting;             /* node_outbox_submit() runs */
	bool submit_again;           /* ... and was asked for meanwhile */
	/* all monotonic, 0: not */
	usec left_at;          /* when the last batch left */
	usec waiting_since;    /* when the oldest row that waits came, or was seen */
	usec gather_at;        /* when what gathers now is to leave */
	usec retry_at;         /* nothing leaves before */
	usec retry_wait;       /* how long the last failure made it wait */
	bool put_off;          /* some rows may be put off, one by one .. */
	usec put_off_at;       /* .. and then the first of them is tried again */
	unsigned batch_most;   /* words of a batch that the ledger takes; 0: all */
	usec batch_most_until; /* then it is tried again */
	usec prune_at;         /* when the store forgets what is old */
	usec evidence_at;      /* when the evidence's next step of that is */

	/* deliver; NULL: it does not run */
	struct link *deliver;
	struct node_webhooks *webhooks; /* node_webhook.h */

	/* control */
	struct control *control;
	struct node_http *http;      /* NULL: nothing is listened on */
	struct node_waiter *waiters; /* clients that wait for a fate or counters */
	struct role_status roles[ROLE_COUNT];
	size_t roles_count;
	struct node_ban_counts {
		unsigned by_origin[4], refused;
		usec until; /* monotonic: counted anew from then on */
	} ban_counts;

	uv_timer_t due; /* each second: detections that come of silence */
	uv_timer_t
		tick; /* the next thing that time alone brings, at least once a minute */
};

static inline uint32_t node_now(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

/* --- node_sense.c --- */

/* One message of the role sense. */
void node_sense_message(struct node *n, uint16_t type, struct view payload);
/* What became a detection by the passing of time alone. */
void node_sense_due(struct node *n);
/*
 * A ban of this address was lifted by a person or a rule: what led to it is
 * forgotten, so that what it does from now on counts anew.
 */
void node_forgive(struct node *n, const struct indicator *i);
/* A new link: tell it where to go on reading. */
void node_sense_start(struct node *n);
/* Load earlier offences into the detector. Returns 0 or -1. */
int node_sense_load(struct node *n, struct error *err);

/* --- node_numbers.c --- */

/* The kinds of indicators that stand for calls, not for addresses. */
#define INDICATORS_OF_CALLS                                                              \
	(1U << INDICATOR_NUMBER | 1U << INDICATOR_URI | 1U << INDICATOR_DOMAIN)

static inline bool node_is_call(const struct indicator *i)
{
	return i->kind < 32 && INDICATORS_OF_CALLS >> i->kind & 1;
}

/* Make the table by the configuration; 0 or -1. Follow another configuration. */
int node_numbers_open(struct node *n);
void node_numbers_configure(struct node *n);
/* One observation; what a detection says of who dialled. */
void node_numbers_note(struct node *n, const struct observation *o);
void node_numbers_convict(
	struct node *n, const struct detection *d, const struct own_action *a);
/* Decide about what came of it. Returns whether anything is to be reported. */
bool node_numbers_due(struct node *n);
/* A ban of it was lifted: what led to it is forgotten. */
void node_numbers_forgive(struct node *n, const struct indicator *i);
/* For `status`. */
json_t *node_numbers_json(struct node *n);
/* --- node_allow.c --- */

/* Somebody authenticated: is it one of the PBX's own phones? */
void node_allow_success(struct node *n, const struct observation *o);
/* One that is none, but a thief: it goes, and the enforcer knows it at once. */
void node_allow_end(struct node *n, const struct indicator *i, const char *why);
/* MSG_TRUNKS: all trunks of one PBX, in the place of those it had. */
void node_allow_trunks(struct node *n, struct view payload);
/* Tell the enforcer, and decide anew, what changed since: once a second. */
void node_allow_flush(struct node *n);
/* Load what the last run learnt. Returns 0 or -1. */
int node_allow_load(struct node *n, struct error *err);
/* What [allow] no longer wants goes. */
void node_allow_configured(struct node *n);

/* --- node_evidence.c --- */

/*
 * The record of a detection that is to be reported: allocated text, freed by
 * the caller; NULL when memory is short (the report is then without).
 */
char *node_evidence(
	struct node *n, const struct own_action *a, const struct detection *d);
/* Forget a few records that [evidence] keep and max do not keep. Each second. */
void node_evidence_keep(struct node *n);
/* The commands `evidence-list` and `evidence-get`. */
void node_evidence_list(
	struct node *n, struct control_client *client, const json_t *arguments);
void node_evidence_get(
	struct node *n, struct control_client *client, const json_t *arguments);

/* --- node_ledger.c --- */

void node_ledger_message(struct node *n, uint16_t type, struct view payload);
/* Read the ledger anew; until that is done the last state goes on to count. */
void node_ledger_start(struct node *n);
/* This node's member, or NULL when it has no key or is not admitted. */
const struct member *node_member(const struct node *n);

/* --- node_decide.c --- */

/* Once the loop is there; before it is closed. */
void node_decide_open(struct node *n);
void node_decide_close(struct node *n);
/* Mark an indicator (NULL: all) to be decided anew; a registry_touch_fn. */
void node_touch(void *context, const struct indicator *i);
/*
 * Decide every dirty indicator anew and order what follows: up to NODE_DECISIONS
 * now, more of them in turns of the loop, so many in each.
 */
void node_decide_dirty(struct node *n);
/*
 * The allowlist has changed by this: the bans that overlap it are decided first, then
 * all the others as by node_decide_dirty().
 */
void node_decide_allowed(struct node *n, const struct indicator *i);
/*
 * Whether this change, which is being made, is to be told; when many change at once,
 * those past NODE_CHANGES_TOLD are only counted, for one event `bans` at the end.
 */
bool node_change_told(struct node *n, enum node_change change);
/* Whether more bans have ended than were taken out now. */
void node_expiring(struct node *n, bool more);

/* --- node_identity.c --- */

/*
 * Whether the ledger that was read is the one that the store's outbox is for;
 * what is to be done when it is another (ledger_mark_move()) is done and said. 0,
 * or -1 with a text: then nothing may be written to it.
 */
int node_identity_check(struct node *n, struct error *err);

/* --- node_text.c --- */

/* Keep the texts that a batch published. */
void node_texts_take(struct node *n, const struct operation *op);
/* And the canonical text of what is banned here, for as long as it is. */
void node_text_note(struct node *n, const struct indicator *i, struct view text);
/* The text of a hashed indicator, or NULL when it is not known. */
const char *node_text(const struct node *n, const struct indicator *i);
void node_text_forget(struct node *n, const struct indicator *i);

/* --- node_bans.c --- */

/* Load the store's bans; they may stand in the kernel. Returns 0 or -1. */
int node_bans_load(struct node *n, struct error *err);
/*
 * Begin the transaction that the next node_bans_flush() commits; without it
 * the first change begins one with STORE_SOON (many bans change at once).
 */
void node_bans_begin(struct node *n, enum durability durability);
/* A ban shall stand until `until` (also written to the store). */
void node_ban(struct node *n, const struct indicator *i, uint8_t scope, uint8_t origin,
	uint8_t category, uint32_t until);
/* Keep with the ban that stands why it does, clean text; `check` shows it. */
void node_ban_reason(
	struct node *n, const struct indicator *i, uint8_t scope, const char *reason);
/* It shall end. Returns whether it stood. */
bool node_unban(struct node *n, const struct indicator *i, uint8_t scope);
/* Commit what was written and send what waits. */
void node_bans_flush(struct node *n);
/* [node] observe was switched: empty the firewall, or fill it. */
void node_observe_changed(struct node *n);
void node_enforce_message(struct node *n, uint16_t type, struct view payload);
/* Send the whole allowlist to the enforcer. */
void node_send_allow(struct node *n);

/* --- node_clock.c --- */

/* From here on a clock that is set is noticed. */
void node_clock_begin(struct node *n);
/* Whether it was set, by a second or more, and that has not been followed yet. */
bool node_clock_was_set(const struct node *n);
/*
 * If so: order what stands anew, its ends being other lengths of time now, and
 * end what has ended. Set back, the ledger is read anew: what it said was
 * forgotten by a clock that was ahead.
 */
void node_clock_follow(struct node *n);

/* --- node_outbox.c --- */

/* What an operation about one indicator shall be, as decided. */
struct node_report {
	struct indicator indicator;
	char text[INDICATOR_SOURCE_TEXT + 1]; /* canonical, of kinds 4..6 */
	uint8_t category;
	uint8_t proof;
	uint8_t action; /* ACTION_REPORT or ACTION_SPEND */
	uint32_t expiry;
	const char *evidence; /* JSON of the evidence record; NULL: none */
};

/*
 * Decide to publish: it is in the outbox, synced, when this returns. Returns
 * the row's id, or 0 with a text.
 */
uint64_t node_publish(struct node *n, const struct node_report *r, struct error *err);
/*
 * Publish what this node itself detected, with its evidence record (taken over; NULL:
 * none); text: canonical, of kinds 4..6, else "". What fails is logged.
 */
void node_publish_own(
	struct node *n, const struct own_action *a, const char *text, char *record);
/* Whether this node may: it has a key and, as far as is known, is an active member. */
bool node_may_report(const struct node *n);
/* Whether something about i is decided and not final yet. */
bool node_outbox_open(struct node *n, const struct indicator *i);
/* Submit what waits and may leave now, in as many batches as that needs. */
void node_outbox_submit(struct node *n);
/* How the configured ledger is written to. */
const struct outgoing_pace *node_pace(const struct node *n);
/* How many words a batch may have now, 1 .. OUTGOING_ROWS. */
unsigned node_batch_most(const struct node *n);
/* How many batches are in flight; the one with this ticket, or NULL. */
unsigned node_flights(const struct node *n);
struct node_flight *node_flight(const struct node *n, uint64_t ticket);
/* Whoever had them has them no longer: node_outbox_reconcile() is to ask. */
void node_flights_forget(struct node *n);
/*
 * Give rows with their words to the ledger role as one batch, which is in
 * flight then. Returns 0, or -1 with errno (it did not leave).
 */
int node_hand_over(struct node *n, uint64_t ticket, const struct outbox_row *rows,
	int count, const uint8_t commitment[HASH_SIZE]);

/* --- node_fate.c --- */

/* A batch's fate; one that has no rows in flight is nobody's and ignored. */
void node_outbox_fate(struct node *n, const struct ledger_fate *fate);
/*
 * After the ledger has been read: batches in flight that no link carries
 * (something died) get their fate from the local ledger's registry, or are
 * handed over again under their old number where fates come later.
 */
void node_outbox_reconcile(struct node *n);

/* --- node_event.c --- */

/*
 * An event, for the journal and whoever follows it; in the open transaction, if
 * there is one. indicator may be NULL.
 */
void node_event(struct node *n, const char *type, const struct indicator *i,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same with all that is to be told, an object, "text" among it; taken over. */
void node_event_with(
	struct node *n, const char *type, const struct indicator *i, json_t *body);
/* The commands `events` and `watch`. */
void node_events(struct node *n, struct control_client *client, const json_t *arguments);
void node_watch(struct node *n, struct control_client *client, const json_t *arguments);

/* --- node_http_open.c --- */

/*
 * Begin to listen as [api] says, before the role is sealed. Returns 0 (also with
 * nothing to listen on, or what is in trouble) or -1 with a text: memory is short.
 */
int node_http_open(struct node *n, struct error *err);
/* Whether another configuration needs what only a new process can open; said then. */
bool node_http_outdated(const struct node *n, const struct config *config);
/* The new configuration is n->config: read its tokens anew, try what failed. */
void node_http_reload(struct node *n, const struct config *old);
/* What the parent opened; a parent_callbacks' opened. */
void node_http_opened(struct node *n, const struct control_opened *answer, int fd);
void node_http_close(struct node *n);
/* What it has answered, for `status`; null when it is not listened on. */
json_t *node_http_figures(const struct node *n);
/* Events have come; who follows them is told soon. */
void node_http_wake(struct node *n);

/* --- node_control.c, node_answer.c, node_status.c --- */

void node_control_request(void *context, struct control_client *client,
	const char *command, const json_t *arguments);
/* The commands that only ask. Returns whether it was one, and is answered. */
bool node_answer(struct node *n, struct control_client *client, const char *command,
	const json_t *arguments);
/* Let a client wait for the fate of an outbox row. */
void node_wait(struct node *n, uint64_t row, struct control_client *client);
/* Whether somebody waits for it. */
bool node_row_awaited(const struct node *n, uint64_t row);
/* A row's fate: answer who waits for it. */
void node_row_done(struct node *n, uint64_t row, bool final, const char *why);
/* It is on the ledger for good: where, on a chain with its transaction. */
void node_row_final(
	struct node *n, uint64_t row, const struct ledger_fate *fate, const char *text);
/* Answer `banned` when the enforcer has told its counters. */
void node_ask_counters(struct node *n, struct control_client *client);
void node_counters_answer(struct node *n);
/* Answer who has waited too long. Returns when the next one has, or 0. */
usec node_wait_expire(struct node *n, usec now);
/* The node stops: answer everybody with what is known. */
void node_stop_waiting(struct node *n);

/* The honeypot in `status`; null: there is none. node_honeypot.c */
json_t *node_honeypot_json(const struct node *n);

/* MSG_HONEYPOT. */
void node_honeypot_message(struct node *n, struct view payload);

json_t *node_status(struct node *n);
/* {"seq": operations folded, "hash": the chain's tip}. */
json_t *node_tip(const struct node *n, enum chain chain);
json_t *node_banned(struct node *n);

/* --- node_schedule.c --- */

/* The two timers begin, when all is open. */
void node_schedule_start(struct node *n);
/* Set the timer to the next thing that time alone brings. */
void node_schedule(struct node *n);
/* The store forgets what is kept for a time only. Returns 0, or -1 with a text. */
int node_prune(struct node *n, struct error *err);

#endif
