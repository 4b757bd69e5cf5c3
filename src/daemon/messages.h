/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_MESSAGES_H
#define DAEMON_MESSAGES_H

#include "api/webhook.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/packet.h"
#include "decide/allowlist.h"
#include "enforce/ban.h"
#include "enforce/nft.h"
#include "ledger/ledger.h"
#include "sense/ami.h"
#include "sense/observation.h"

/*
 * Every message between the processes of one node. Both ends are the same
 * program, so payloads are C structs; a receiver still checks each length and
 * every field that another role could have got wrong, because a role may have
 * been broken into.
 *
 *   parent --+-- sense   --- node
 *            +-- node
 *            +-- ledger  --- node
 *            +-- enforce --- node
 *            +-- deliver --- node
 */
enum message_type {
	/* parent -> role */
	MSG_CONFIG = 1, /* fd: the printed configuration; no payload. First message */
	MSG_PEER,       /* u32 enum role; fd: a fresh link to it */
	MSG_RELOAD,     /* fd: as MSG_CONFIG */
	MSG_PING,       /* u64 */
	MSG_STOP,       /* no payload */
	/* role -> parent */
	MSG_READY, /* struct sandbox_report */
	MSG_PONG,  /* u64 */

	/* parent -> node: what `status` shows of all roles */
	MSG_ROLES, /* struct role_status[] */

	/* sense -> node */
	MSG_OBSERVATIONS = 32, /* struct observation[], 1 .. OBSERVATIONS_MAX */
	MSG_POSITION,          /* struct log_position: a log was read up to here */
	MSG_SENSE_FIGURES,     /* struct sense_figures, once a second when changed */
	MSG_SOURCE,            /* struct source_status, once a second when changed */
	MSG_TRUNKS,            /* struct trunks_header, struct trunk_entry[]: all trunks
	                          that this source's PBX has */
	/* node -> sense */
	MSG_SENSE_START, /* struct log_position[] (0 ..): where to go on */
	/* sense -> node */
	MSG_HONEYPOT = 48, /* struct honeypot_status, once a second when changed */

	/* node -> ledger */
	MSG_LEDGER_START = 64, /* u32 delivery: deliver from the beginning, under
	                          this number, which what belongs to it echoes */
	MSG_SUBMIT,            /* struct submit_header, words, texts */
	/* ledger -> node */
	MSG_LEDGER_SELF, /* struct ledger_self */
	MSG_WINDOW,      /* struct ledger_window */
	MSG_EVENT,       /* struct event_header, operation bytes */
	MSG_UNDO,        /* u32 delivery: events are undone, ask anew */
	MSG_CAUGHT_UP,   /* u32 delivery */
	MSG_FATE,        /* struct ledger_fate */
	MSG_TROUBLE,     /* struct ledger_trouble */

	/* node -> enforce */
	MSG_ALLOW =
		96, /* u8 first, u8 last, pad, struct indicator[]: the whole list in parts */
	MSG_ORDERS,       /* struct order_header, struct ban_order[] 1 .. ORDERS_MAX */
	MSG_COUNTERS_ASK, /* no payload */
	/* enforce -> node */
	MSG_ENFORCE_READY, /* struct enforce_self: send allow, then every ban */
	MSG_ORDERS_DONE,   /* struct orders_done, u8 done[] */
	MSG_COUNTERS,      /* struct nft_counter[] */
	MSG_LOST,          /* no payload: somebody removed our table; it is set up
	                          anew and empty: order every ban again */

	/* node -> deliver */
	MSG_POST = 112, /* struct batch_header, bytes: a webhook's batch in parts */
	/* deliver -> node */
	MSG_WEBHOOKS, /* struct webhook_self[], at its start: send what waits */
	MSG_POSTED,   /* struct batch_done */
};

#define OBSERVATIONS_MAX 128
#define ORDERS_MAX       1000

struct log_position {
	char path[256];
	uint64_t dev, inode, offset;
	uint8_t fingerprint[16]; /* of the bytes before offset, see logtail.h */
};

/* Logs and journals: of the latter path is "journal:SOURCE", see sense_journal.h. */
#define POSITIONS_MAX (CONFIG_LOGS_MAX + CONFIG_SOURCES_MAX)

struct sense_figures {
	uint64_t hep_received, hep_bad, hep_refused, hep_dropped;
	uint64_t sip_malformed;
	uint64_t log_lines, log_skipped, log_injected;
	uint64_t observations;
	uint32_t queue_dropped; /* observations lost because node was slow */
};

/* A [source], for `status`. Zeros where nothing is: it is compared as memory. */
struct source_status {
	char name[33];
	uint8_t source; /* its number in the configuration */
	uint8_t type;   /* enum config_source_type */
	uint8_t state;  /* 0: it is not used; ami: enum ami_state; others: 1 */
	char trouble[200];
	uint64_t observations;
	union {
		struct {
			uint64_t messages, injected, calls, floods;
			uint32_t logins, gaps, away; /* away: seconds */
			uint32_t trunks, trunks_unused;
			uint8_t booted;
		} ami;
		struct {
			/* unnamed: failures with a host's name for an address;
			   exhausted: lines that an expression needed too many
			   steps for; off: expressions switched off for that */
			uint64_t lines, failures, unnamed, exhausted;
			uint32_t off;
		} log;
		struct {
			/* cut: begins as the include's, and was cut */
			uint64_t lines, cut, injected;
		} kamailio;
	} of;
	/* Of log and kamailio: what did not come by syslog (no syslog, of others
	   than may send, dropped by the kernel), times that a journal failed. */
	struct {
		uint64_t bad, refused, dropped, failures;
	} way;
};

#define HONEYPOT_LISTENERS_MAX (CONFIG_LISTEN_MAX + INHERITED_MAX)

struct honeypot_listener {
	struct address address;
	uint8_t transport;
	uint8_t inherited; /* from the service manager */
	uint16_t port;
};

/* The honeypot, for `status`. Zeros where nothing is: it is compared as memory. */
struct honeypot_status {
	uint8_t on;
	uint8_t recording_fails;
	uint32_t listener_count;
	struct honeypot_listener listeners[HONEYPOT_LISTENERS_MAX];
	char trouble[300];
	char profile[33];
	/* its core */
	uint64_t received, malformed, sent, limited, too_long;
	uint64_t proofs, calls, accepted, observations, proved, open_calls;
	/* its sockets */
	uint64_t dropped, send_failed, connections_accepted, refused, timed_out, broken;
	uint32_t connections, connections_tls;
	/* its record, and the copies that it sends */
	uint64_t recorded, record_lost, record_bytes, hep_sent, hep_dropped;
};

struct trunks_header {
	char name[33];
	uint8_t source;
	uint16_t count;
};

struct trunk_entry {
	struct indicator indicator; /* ip4 or ip6 */
	char endpoint[48];
};

#define TRUNKS_MAX AMI_TRUNKS_MAX

_Static_assert(sizeof(struct trunks_header) + TRUNKS_MAX * sizeof(struct trunk_entry) <=
		PACKET_PAYLOAD_MAX,
	"all trunks fit a packet");

struct submit_header {
	uint64_t ticket;
	uint16_t member;
	uint16_t count;
	uint32_t texts_length;
	uint8_t commitment[HASH_SIZE];
};

/* What the ledger role knows of itself. */
struct ledger_self {
	uint8_t has_key;
	uint8_t address[ADDRESS20];
	char where[200]; /* the file, or the endpoint followed, without secrets */
	/* Of a chain; 0: not known. */
	uint64_t head, head_time;
	uint64_t final, final_time;
	uint32_t witnesses;       /* other endpoints that can be asked */
	uint32_t final_witnesses; /* .. that confirm what is final */
};

/* The members' chain begins at this tip; see registry_window(). */
struct ledger_window {
	struct tip before;
	uint32_t since;
	uint32_t delivery;
};

struct event_header {
	uint32_t delivery;
	uint8_t chain;
	uint64_t block;
	uint8_t tip_before[HASH_SIZE];
};

_Static_assert(sizeof(struct event_header) + OPERATION_MAX <= PACKET_PAYLOAD_MAX,
	"the longest operation fits a packet");
_Static_assert(sizeof(struct submit_header) + BATCH_MAX * WORD_SIZE + TEXTS_MAX <=
		PACKET_PAYLOAD_MAX,
	"the longest batch fits a packet");

struct ledger_trouble {
	uint8_t healthy;
	char text[300];
};

struct order_header {
	uint64_t batch; /* echoed by MSG_ORDERS_DONE */
	uint32_t count;
};

/* At most so much of a body in one message. */
#define BATCH_PART 32768
/* A batch of one event may be longer than others by as much as that event is. */
#define BATCH_BODY_MAX (WEBHOOK_BODY_MAX + 65536)

struct batch_header {
	uint64_t ticket; /* echoed by MSG_POSTED; another one ends what was before */
	uint32_t length; /* of the whole body, 1 .. BATCH_BODY_MAX */
	uint32_t offset; /* of this part: they come in order */
	char webhook[33];
	char id[WEBHOOK_ID_MAX];
};

_Static_assert(sizeof(struct batch_header) + BATCH_PART <= PACKET_PAYLOAD_MAX,
	"a part fits a packet");

struct batch_done {
	uint64_t ticket;
	uint64_t took; /* usec */
	uint32_t status, retry_s;
	uint8_t verdict; /* enum webhook_verdict */
	char webhook[33];
	char reason[300];
};

/* What keeps a webhook from working, such as a secret that cannot be read. */
struct webhook_self {
	char webhook[33];
	char trouble[300]; /* "": nothing */
};

struct enforce_self {
	uint8_t active; /* 0: type = none, or it failed: text says why */
	struct nft_features features;
	char text[200];
};

struct orders_done {
	uint64_t batch;
	uint32_t count;
	uint8_t failed; /* the kernel refused the whole: text */
	char text[200];
};

#endif
