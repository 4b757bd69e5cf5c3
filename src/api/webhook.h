/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_WEBHOOK_H
#define API_WEBHOOK_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/event.h"

/*
 * Webhooks, the part that decides (pure): what may be configured, what is sent, how
 * it is signed, what an answer means, when to try again. Sending: webhook_post.h.
 *
 * A webhook gets the journal of events in order, in batches: one POST each, one
 * under way, the next after a 2xx alone. Signed as "Standard Webhooks" 1.0.0 has it
 * (webhook-id, webhook-timestamp, webhook-signature).
 */
#define WEBHOOK_URL_MAX      512 /* with its NUL */
#define WEBHOOK_HOST_MAX     256 /* with its NUL */
#define WEBHOOK_SECRETS_MAX  2
#define WEBHOOK_SECRET_MIN   24 /* bytes, decoded */
#define WEBHOOK_SECRET_MAX   64
#define WEBHOOK_SECRET_TEXT  96 /* of a secret as it is written, with its NUL */
#define WEBHOOK_EVENTS_MAX   100
#define WEBHOOK_BODY_MAX     (256u << 10)
#define WEBHOOK_ID_MAX       80   /* with its NUL */
#define WEBHOOK_RETRY_MAX    3600 /* seconds that a receiver may ask for */
#define WEBHOOK_BACKOFF_MIN  USEC_PER_SEC
#define WEBHOOK_BACKOFF_MOST (15 * 60 * USEC_PER_SEC)

/* --- what is configured --- */

/* A secret, decoded. Belongs into a secret_page_new(): 16 webhooks' fit into one. */
struct webhook_secret {
	uint8_t n; /* 0: none */
	uint8_t bytes[WEBHOOK_SECRET_MAX];
};

/* All that sending needs; borrowed as long as a request of it is under way. */
struct webhook_config {
	const char *name;
	const char *url;     /* that webhook_url_check() took */
	const char *ca_file; /* "": the system's authorities */
	/* The first signs first; the second is there while a secret is changed. */
	const struct webhook_secret *secret[WEBHOOK_SECRETS_MAX]; /* NULL: none */
	unsigned timeout_s; /* for the whole exchange */
};

/* What a URL leads to, for the sandbox and for people. */
struct webhook_url {
	bool tls;
	bool loopback; /* url_is_loopback() */
	uint16_t port;
	char host[WEBHOOK_HOST_MAX]; /* a name or an address, "[::1]" with brackets */
};

/*
 * Whether this URL may be posted to: https:// to any host; http:// to this machine,
 * elsewhere only when insecure; no user or password in it, no fragment. out may be
 * NULL. Returns 0, or -1 with a text that repeats nothing of the URL but its host.
 */
int webhook_url_check(
	struct webhook_url *out, const char *url, bool insecure, struct error *err);

/*
 * Read a secret as it is handed round: "whsec_" and 24 to 64 bytes in base64
 * (RFC 4648 section 4; padding as it must be). Returns 0, or -1 with a text that
 * has nothing of the secret; *out is wiped then.
 */
int webhook_secret_read(struct webhook_secret *out, struct view text, struct error *err);

/*
 * The types of the events that a webhook wants: bit i is webhook_event_types[i];
 * 0: all, whatever they are.
 */
extern const char *const webhook_event_types[]; /* in alphabetical order, then NULL */
typedef uint32_t webhook_types;

/*
 * Add the type that this word names. Returns 0, or -1 with a text that names all that
 * there are.
 */
int webhook_types_add(webhook_types *types, struct view word, struct error *err);
bool webhook_wants(webhook_types types, const char *type);

/* --- what is sent --- */

/*
 * One batch, made event by event, oldest first:
 * {"webhook": NAME, "node": NAME, "lost": N, "events": [...]}, each event as
 * event_json() gives it, compact and ASCII. The same events, names and lost give the
 * same bytes.
 */
struct webhook_batch {
	struct buffer body; /* finished by webhook_batch_end() */
	webhook_types types;
	unsigned events;      /* that are in it */
	uint64_t first, last; /* their ids; 0: none */
	uint64_t seen;        /* the last that was offered and taken or passed over */
};

enum webhook_offer {
	WEBHOOK_TAKEN = 1,
	WEBHOOK_PASSED = 2, /* its type is not wanted */
	WEBHOOK_FULL = 3,   /* it belongs into the next batch; nothing was changed */
	WEBHOOK_NO_MEMORY = 4,
};

/*
 * Begin. lost: how many events before the first were removed from the journal before
 * they could be delivered. b is overwritten: an earlier batch is to be freed first.
 * Returns 0, or -1 when memory is short.
 */
int webhook_batch_begin(struct webhook_batch *b, const char *webhook, const char *node,
	uint64_t lost, webhook_types types);

/*
 * Offer the next event. An empty batch takes any one event, however long (the journal
 * bounds it by EVENT_BODY_MAX); a batch with events is full at WEBHOOK_EVENTS_MAX of
 * them, or when its body would pass WEBHOOK_BODY_MAX.
 *
 * After a restart a batch that was under way must be made again of the same events
 * (first .. last) with the same lost, or the receiver takes another body for the same
 * id: stop offering at the last id that was noted before it was sent.
 */
enum webhook_offer webhook_batch_offer(struct webhook_batch *b, const struct event *e);

/* Finish the body. Returns 0, or -1 when memory was short anywhere. */
int webhook_batch_end(struct webhook_batch *b);
void webhook_batch_free(struct webhook_batch *b);

/*
 * The id of a batch, the same at each retry: "evt_", 128 bits of a SHA-256 of random
 * (bytes of this batch's own, kept in the store) and the webhook's name, and the ids of
 * the first and the last event. Letters, digits and underscores alone. Returns dst.
 */
char *webhook_id(char dst[WEBHOOK_ID_MAX], struct view random, const char *webhook,
	uint64_t first, uint64_t last);

/*
 * The value of webhook-signature: "v1,BASE64" of HMAC-SHA256 over "ID.TIMESTAMP.BODY"
 * for each secret, separated by a space. timestamp: unix seconds. Returns dst.
 */
#define WEBHOOK_SIGNATURE_MAX (WEBHOOK_SECRETS_MAX * (3 + 44 + 1))
char *webhook_sign(char dst[WEBHOOK_SIGNATURE_MAX],
	const struct webhook_secret *const secret[WEBHOOK_SECRETS_MAX], const char *id,
	uint64_t timestamp, struct view body);

/* --- what came of it --- */

enum webhook_verdict {
	WEBHOOK_DELIVERED = 1, /* 2xx */
	WEBHOOK_GONE = 2,      /* 410: stop until the operator resumes */
	WEBHOOK_LATER = 3,     /* all else: the same batch again */
};

struct webhook_outcome {
	enum webhook_verdict verdict;
	unsigned status;  /* of HTTP; 0: there was no (whole) answer */
	uint32_t retry_s; /* 429, 503: what it asks for, WEBHOOK_RETRY_MAX at most; 0 */
	usec took;        /* from sending to the end */
	struct error reason; /* one clean line for people; "" when delivered */
};

/*
 * What an answer means. retry_after: seconds that its head asks to wait, 0 or less:
 * does not. text: the beginning of its body; of its first line up to 200 characters go
 * into the reason, escaped, without what url has as its path and query. took is left
 * alone.
 */
void webhook_judge(struct webhook_outcome *out, const char *url, unsigned status,
	int64_t retry_after, struct view text);

/*
 * The same when there was no whole answer, for the reason that text says; foreign: in
 * words of a library, which are treated like an answer's. status is left alone, too.
 */
void webhook_failure(
	struct webhook_outcome *out, const char *url, const char *text, bool foreign);

/*
 * How long to wait before the next attempt after so many failures in a row (1: the
 * first), with 32 random bits: half of 1 s, 2 s, 4 s, ... 15 min, and of the other half
 * a random part; at least what the receiver asked for. Microseconds.
 */
usec webhook_wait(unsigned failures, uint32_t random, uint32_t retry_s);

#endif
