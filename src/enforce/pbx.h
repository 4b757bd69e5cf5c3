/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_PBX_H
#define ENFORCE_PBX_H

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "enforce/ban.h"

/*
 * Enforcement inside a PBX: the protocol of one connector, without its
 * connection. Pure: bytes, orders and the time come in; bytes, answers and hits
 * go out. No I/O, no clock, nothing global but tables of constants; one thread.
 *
 * The owner (daemon/node_connector.c) has the descriptor, connects again with
 * backoff, and keeps what should stand in a struct ban_table of its own for each
 * connector. What happens between the two:
 *
 *   owner                                   protocol
 *   open() -------------------------------->
 *   connected() --------------------------->   greets, logs in ...
 *   next()/sent(), received(), due() <---->
 *          <------------------------------- resync()  nothing counts as standing
 *          <------------------------------- held() *  but what is told here
 *          <------------------------------- ready()   orders are taken from now on
 *   order() ------------------------------->
 *          <------------------------------- done() *  one for each order taken
 *   filled() ------------------------------> all that resync() asked for was ordered
 *          <------------------------------- hit() *
 *   clear() ------------------------------->
 *          <------------------------------- cleared()
 *          <------------------------------- resync() ... ready()   it was restarted
 *          <------------------------------- failed()  close this connection
 *   closed() ------------------------------>   orders in flight are forgotten
 *   connected() ...
 *   free()
 *
 * Times are monotonic microseconds, but `until` and `wall` are of the time of
 * day. Hooks may be called from connected(), received(), order() and due(), not
 * from the others; a hook calls no function of the protocol but next() and
 * sent(): what a hook asks for is done when the call has returned.
 */
struct pbx; /* opaque; each type has a struct of its own behind it */

#define PBX_TEXT 200 /* of a trouble or a reason, NUL included: clean text */

/* What a connector's configuration says; texts are the caller's until free(). */
struct pbx_config {
	const char *name;     /* of the connector, for messages */
	struct hash_key seed; /* random: ids of requests, which nobody may guess */

	/* asterisk */
	const char *user;   /* letters, digits, '_', '-', '.' */
	struct view secret; /* in a secret page */

	/* kamailio: names of its htables; "" or NULL: that kind is not carried */
	const char *table_number; /* exact numbers and prefixes */
	const char *table_uri;
	const char *table_domain;
	const char *table_address;

	/* PBX_KIND()s to be ordered, of those that the type can carry; 0: all */
	unsigned kinds;
};

/*
 * A call that the PBX refused because of an indicator. Every text is clean
 * (text_is_clean()), cut to its room, and "" when the PBX did not say.
 */
struct pbx_hit {
	struct indicator indicator; /* kind 0: the PBX did not say which, or nonsense */
	char number[64];            /* as the PBX looked it up: digits, or a URI */
	char dialled[81];           /* as the caller dialled it */
	char account[81];           /* the endpoint or user that called */
	struct address source;      /* where from; family 0: not known */
	uint16_t source_port;       /* 0: not known */
	usec wall;                  /* when; 0: now */
};

struct pbx_hooks {
	void *context;
	/*
	 * What the PBX holds is not known or lost: every ban is to be ordered
	 * again, except what held() says before ready(). No order is taken
	 * until ready(), those in flight are forgotten (no done() for them).
	 */
	void (*resync)(void *context);
	/*
	 * The PBX was found to hold this (change is BAN_ADD; until 0: it has no
	 * end, or one that cannot be read). Returns whether it shall stand just
	 * so; when not, the protocol deletes it, unless what shall stand in its
	 * place is ordered anyway.
	 */
	bool (*held)(void *context, const struct ban_order *found);
	/* Logged in and in step: orders are taken. Also clears the last trouble. */
	void (*ready)(void *context);
	/*
	 * The answer to one order taken: carried out, or refused by the PBX (which
	 * the owner orders again later). order is what order() was given.
	 */
	void (*done)(void *context, const struct ban_order *order, bool carried_out);
	/* A blocked call, validated; *hit is valid during the call. */
	void (*hit)(void *context, const struct pbx_hit *hit);
	/* It works, but lacks something: says what and the remedy. "": no longer. */
	void (*trouble)(void *context, const char *text);
	/*
	 * The connection is of no use: the owner closes it (closed() follows) and
	 * tries again; refused: a login or the like was, which asking again at
	 * once will not change. Nothing else is to be done with it.
	 */
	void (*failed)(void *context, const char *why, bool refused);
	/*
	 * What clear() was called for is done: nothing counts there any more. A
	 * refusal is no end: clear() is to be called again.
	 */
	void (*cleared)(void *context, bool carried_out);
	/* Until when this shall stand (unix seconds), or 0: it shall not. */
	uint32_t (*wanted)(void *context, const struct indicator *i);
	/* The time of day, for a PBX that counts from now; NULL: clock_wall(). */
	usec (*wall)(void *context);
};

/* For `connector status`. All since open(). */
struct pbx_figures {
	uint64_t messages;  /* that the PBX sent */
	uint64_t discarded; /* of them: not understood, forged, or not asked for */
	uint64_t hits;
	uint64_t orders;   /* carried out */
	uint64_t refusals; /* orders that the PBX refused */
	uint64_t resent;   /* calls whose answer was lost or late (kamailio) */
	uint32_t in_flight;
	uint32_t sessions; /* times that it was ready */
	uint32_t resyncs;  /* whole ones */
	uint32_t found;    /* entries that the PBX was found to hold at the last */
	uint32_t removed;  /* of them: that should not stand */
	usec resync_took;  /* the last: from asking until ready() */
};

/* How a descriptor of this type is made, and read. */
enum pbx_way {
	PBX_STREAM = 1,   /* TCP: asterisk */
	PBX_DATAGRAM = 2, /* a Unix datagram socket with a path for answers: kamailio */
	PBX_PROGRAM = 3,  /* a stream to a child process's standard input; what it
	                     writes to its standard output comes back: hook */
};

#define PBX_KIND(kind) (1u << (kind)) /* of enum indicator_kind */

struct pbx_ops {
	const char *type; /* "asterisk", "kamailio", "hook" */
	uint8_t way;      /* enum pbx_way */
	/* PBX_KIND()s it can carry. Others are never ordered. */
	unsigned kinds;
	/* Whether, of those kinds, it can carry this one. NULL: all. */
	bool (*carries)(const struct indicator *i);
	/*
	 * Whether the PBX forgets by itself what has come to its end. If not,
	 * the owner orders a deletion then.
	 */
	bool expires;

	/*
	 * hooks are copied. NULL with a text: memory, or a configuration that
	 * this type cannot work with.
	 */
	struct pbx *(*open)(const struct pbx_config *config,
		const struct pbx_hooks *hooks, struct error *err);
	void (*free)(struct pbx *p); /* no hook is called; NULL is fine */

	/* A fresh connection; nothing of the last one counts. */
	void (*connected)(struct pbx *p, usec now);
	/*
	 * Bytes of the stream as they come, split anywhere, or one datagram. Once
	 * failed() was called the rest is not looked at.
	 */
	void (*received)(struct pbx *p, struct view bytes, usec now);
	/* The connection is gone. Calls no hook. */
	void (*closed)(struct pbx *p, usec now);

	/*
	 * Take the first of n orders, as many as its window has room for (0
	 * before ready()). Each one taken is answered by one done(), at once or
	 * later, unless the connection closes or resync() comes before.
	 */
	size_t (*order)(
		struct pbx *p, const struct ban_order *orders, size_t n, usec now);

	/*
	 * All that was to be ordered again when resync() was called has been taken by
	 * order(): what the PBX holds beside it counts no longer. NULL: of no interest.
	 */
	void (*filled)(struct pbx *p, usec now);

	/*
	 * After ready(): end all that this connector ever put there, known or not.
	 * cleared() follows, unless the connection closes before; deletions may follow
	 * that, and no other order on this connection. NULL: they are all that can be
	 * done. clears_whole: none is needed.
	 */
	void (*clear)(struct pbx *p, usec now);
	bool clears_whole;

	/*
	 * What is to be written: the stream's next bytes, or one whole datagram;
	 * false: nothing. Valid until another function but sent() is called.
	 */
	bool (*next)(struct pbx *p, struct view *bytes);
	/* n bytes of it were written (a datagram: all of it). */
	void (*sent)(struct pbx *p, size_t n);

	/*
	 * Do what time brings: pings, an answer that does not come (failed()).
	 * Returns when to call it again at the latest, 0: never. The owner calls
	 * it after each of the other calls too, to learn the new time.
	 */
	usec (*due)(struct pbx *p, usec now);

	/*
	 * The operator, or the owner, wants all compared again: resync() ...
	 * ready() follow when it is connected; else nothing happens.
	 */
	void (*compare)(struct pbx *p, usec now);

	void (*figures)(const struct pbx *p, struct pbx_figures *out);
};

extern const struct pbx_ops pbx_asterisk, pbx_kamailio, pbx_hook;

/* The type of that name, or NULL. */
const struct pbx_ops *pbx_type(const char *name);

/*
 * The name that an entry carries in the PBX and a hit brings back: the
 * indicator's printed form ("+97259*", "uri#..."), dst of INDICATOR_TEXT bytes.
 */
char *pbx_id(char *dst, const struct indicator *i);

/* Back from it: 0, or -1 (*out is then all zeros). Hostile text. */
int pbx_id_parse(struct indicator *out, struct view text);

/*
 * Fill one text of a hit from hostile bytes: cut to size - 1, and "" when it is
 * not clean.
 */
void pbx_hit_text(char *dst, size_t size, struct view text);

#endif
