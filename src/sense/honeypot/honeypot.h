/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_HONEYPOT_H
#define SENSE_HONEYPOT_HONEYPOT_H

#include "base/hash.h"
#include "sense/honeypot/profile.h"
#include "sense/honeypot/tool.h"
#include "sense/observation.h"
#include "sip/message.h"

/*
 * A PBX that is none. Pure: messages and the time come in, messages and
 * observations go out; sockets, clock and files are the caller's.
 *
 * Nobody has business here. What is asked is answered as the chosen PBX would
 * (profile.h), so that the asker goes on and shows what he wants: which accounts,
 * which passwords' users, which numbers.
 *
 * Bytes. To a source that nothing proved, one datagram is never answered with more
 * bytes than it had, whatever comes (RFC 3261 asks for retransmissions; there are
 * none to such a source): the optional headers of the profile are left out until
 * the answer fits, and one that does not fit is not sent. What is sent, is limited
 * per source and in total besides.
 *
 * Memory. Fixed at honeypot_new(), nothing is allocated afterwards. Nothing is kept
 * per source that nothing proved, but for one of a fixed number of counters by
 * which the rate limit works. Dialogs, guesses and the sources themselves are kept
 * once a source is proved, in tables in which the oldest gives way.
 *
 * Proof. Every nonce and every To-tag is an HMAC-SHA256 over the source's address, the
 * time and what it was given for, under a key of each hour (stamp.h). A message proves
 * its source when
 *   - it came over TCP, TLS or WebSocket                            PROOF_TCP
 *   - it bears credentials with a nonce of ours                     PROOF_NONCE
 *   - it is a request with the To-tag of a refusal (3xx to 6xx) of ours: the ACK
 *     that RFC 3261 17.1.1.3 demands                                PROOF_NONCE
 *   - it is a request with the To-tag of a 2xx to an INVITE of ours PROOF_ACK
 * The two kinds of tags differ in who returns them. A refusal is acknowledged only
 * by the client transaction that asked, and it is as unguessable as a nonce; but
 * sofia-sip (FreeSWITCH) acknowledges, and ends by a BYE, any 2xx to an INVITE that
 * it never sent. So who sends INVITEs in the name of such a PBX would have it
 * "prove" itself, if that counted as much. Responses that come in prove nothing for
 * the same reason: a proxy passes on what is not its own.
 * Not every tool can be proved over UDP: svmap, and svwar as long as it does not
 * acknowledge, send nothing that depends on what they were answered.
 */
struct honeypot;

/* Where a message came from, or goes to. Texts of answers are made of it. */
struct honeypot_path {
	struct address remote, local;
	uint16_t remote_port, local_port;
	uint8_t transport;   /* enum sip_transport */
	uint64_t connection; /* the caller's number for it; 0: datagrams */
};

/*
 * One message as it came or went. All pointers live until the hook returns; no text
 * is NULL, texts but `tool` are hostile, cut and NUL-terminated as in an observation.
 */
struct honeypot_record {
	usec time;
	struct honeypot_path path;
	bool out;
	uint8_t verdict; /* enum sip_verdict; of what goes out, SIP_VALID */
	uint8_t proof;   /* enum proof: what this message proves of its source */
	uint8_t method;  /* enum sip_method; of a response, its CSeq's */
	uint16_t status; /* 0: a request, or no SIP */
	/*
	 * The same for all messages between this address and the honeypot under one
	 * Call-ID, in both directions, also after a restart; 0: it has no Call-ID.
	 */
	uint64_t session;
	const char *account, *dialled, *agent;
	const char *tool; /* "svmap", ...: name of a section of the tools' file, or "" */
	const char
		*target; /* whom the tool says that it means: "192.0.2.1:5060", or "" */
	const char *why; /* what is wrong with a malformed one, or "" */
	/*
	 * The message. Unless the configuration keeps secrets, what could show a
	 * password is overwritten with '*' (secrets.h).
	 */
	struct view bytes;
};

struct honeypot_hooks {
	void *context;
	/* Send it; a path with a connection that is gone is to be ignored. */
	void (*send)(void *context, const struct honeypot_path *path, struct view bytes);
	/* SENSOR_HONEYPOT. */
	void (*observe)(void *context, const struct observation *o);
	/* NULL: nothing is recorded. Every message, in and out, keepalives not. */
	void (*record)(void *context, const struct honeypot_record *r);
};

#define HONEYPOT_BAITS_MAX 64
#define HONEYPOT_BAIT_MAX  32 /* bytes of an account's name, with NUL */

struct honeypot_config {
	const struct honeypot_profile
		*profile; /* copied; NULL: the built-in "asterisk" */
	const struct honeypot_tools
		*tools; /* outlives the honeypot; NULL: the built-in */
	/* Accounts that are there: they are challenged, all others are unknown. */
	char baits[HONEYPOT_BAITS_MAX][HONEYPOT_BAIT_MAX];
	unsigned n_baits;
	/*
	 * So many guesses of one proved source for one account are refused; the next is
	 * let in. 0: none ever is.
	 */
	uint32_t refuse;
	usec ring; /* from the INVITE to the 200; UINT32_MAX is the most */
	usec talk; /* from the ACK to our BYE */
	/* The address that answers name; family 0: path.local. Behind NAT. */
	struct address advertised;
	uint32_t per_source; /* messages a second sent to one source, ten times at once */
	uint32_t total;      /* messages a second sent in all, twice at once */
	uint32_t dialogs;    /* kept at once, about 2 KB each */
	bool keep_secrets;   /* records show credentials as they came */
};

/*
 * asterisk; baits 100 101 102 200 201 1000 1001 2000 admin; 8 guesses refused; rings
 * 2 s, talks 20 s; 200 and 100,000 messages a second; 512 dialogs.
 */
extern const struct honeypot_config honeypot_config_default;

/*
 * hooks are copied; key is 32 random bytes, of which each hour's key is made: with the same
 * ones, what was given before a new start is still known. now is wall time. Returns NULL with
 * a text when memory is short or the configuration contradicts itself.
 */
struct honeypot *honeypot_new(const struct honeypot_config *config,
	const struct honeypot_hooks *hooks, const uint8_t key[32], usec now,
	struct error *err);
void honeypot_free(struct honeypot *h);

/*
 * One datagram, one message of a stream, one WebSocket message, of any length. The
 * hooks are called from within. now is wall time; it may stand still or go back.
 */
void honeypot_receive(struct honeypot *h, const struct honeypot_path *path,
	struct view bytes, usec now);

/* The connection is gone: its dialogs are forgotten, nothing is sent to it. */
void honeypot_closed(struct honeypot *h, uint64_t connection, usec now);

/*
 * Do what time brings (answer, repeat, hang up). Returns when to call again, or 0
 * when nothing waits. honeypot_receive() may bring that forward: ask
 * honeypot_next() after a batch.
 */
usec honeypot_due(struct honeypot *h, usec now);
usec honeypot_next(const struct honeypot *h);

/* Whether this source was proved within the last hour. */
bool honeypot_proved(const struct honeypot *h, const struct address *source, usec now);

struct honeypot_figures {
	uint64_t received, bytes_received;
	uint64_t requests, responses, malformed, foreign, keepalives;
	uint64_t sent, bytes_sent;
	uint64_t limited;  /* answers not sent: too many a second */
	uint64_t too_long; /* answers not sent: more bytes than came */
	uint64_t proofs;   /* messages that proved their source by nonce or tag */
	uint64_t calls;    /* INVITEs, without their repetitions where that is known */
	uint64_t accepted; /* guesses let in */
	uint64_t observations;
	size_t dialogs; /* open now */
	size_t sources; /* proved ones that are remembered */
	size_t memory;  /* bytes, fixed */
};
void honeypot_figures(const struct honeypot *h, struct honeypot_figures *out);

#endif
