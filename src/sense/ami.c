/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "sense/ami_session.h"

#define READ_BYTES 65536
/*
 * Read at most so much in a turn of the loop, and the rest in the next but a
 * moment later: the other sensors have their turn, and the kernel's buffer then
 * fills, which is how Asterisk learns of it (writetimeout in manager.conf).
 */
#define TURN_BYTES  (4 * READ_BYTES)
#define TURN_PAUSE  2 /* milliseconds */
#define LOOK_MS     250
#define FLOOD_WARN  (60 * USEC_PER_SEC)
#define JITTER_PART 4

const struct ami_timing ami_timing_default = {
	.ping = 2 * USEC_PER_SEC,
	.hang = 6 * USEC_PER_SEC,
	.retry = USEC_PER_SEC / 2,
	.retry_most = 30 * USEC_PER_SEC,
	.refused = 60 * USEC_PER_SEC,
	.trunks = 300 * USEC_PER_SEC,
};

/* One connection: it outlives its end by a turn of the loop. */
struct connection {
	struct ami *ami; /* NULL: given up */
	uv_tcp_t tcp;
	bool paused;
	size_t turn; /* bytes read since turn_at */
	usec turn_at;
	uint8_t bytes[READ_BYTES];
};

struct sending {
	uv_write_t request;
	uint8_t bytes[];
};

struct ami {
	uv_loop_t *loop;
	uv_timer_t look;
	char name[64];
	struct ami_timing timing;
	struct ami_callbacks callbacks;
	struct ami_session session;
	struct connection *connection;
	unsigned failures; /* tries in a row that did not become ready */
	char why[200];     /* of the last failure */
	usec heard, pinged, due, ready_at, connected_at;
	usec away_since; /* 0: ready */
	usec away;
	usec flood_warned;
	bool closing;
};

const char *ami_state_name(uint8_t state)
{
	static const char *const names[] = {
		"?", "waiting", "connecting", "greeting", "login", "ready"};

	return state < sizeof names / sizeof names[0] ? names[state] : "?";
}

usec ami_retry(const struct ami_timing *timing, unsigned failures, uint64_t chance)
{
	usec wait = timing->retry;

	for (unsigned i = 0; i < failures && wait < timing->retry_most; i++)
		wait *= 2;
	if (wait > timing->retry_most)
		wait = timing->retry_most;
	return wait + chance % (wait / JITTER_PART + 1);
}

/* --- the end of a connection --- */

static void on_connection_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void let_go(struct ami *a)
{
	struct connection *k = a->connection;

	a->connection = NULL;
	if (!k)
		return;
	k->ami = NULL;
	uv_close((uv_handle_t *)&k->tcp, on_connection_closed);
}

/* No connection, or one of no use: say so once, and try again later. */
static void lost(struct ami *a, const char *why)
{
	struct ami_figures *f = &a->session.figures;
	usec now = clock_monotonic();
	bool ready = f->state == AMI_READY;

	let_go(a);
	if (ready) {
		f->gaps++;
		a->away_since = now;
		/* One that never lasts is no better than one that never comes. */
		if (now - a->ready_at >= a->timing.retry_most)
			a->failures = 0;
	}
	a->due = now +
		(a->session.refused ? a->timing.refused :
				      ami_retry(&a->timing, a->failures,
					      ami_session_draw(&a->session)));
	/* The first failure, and then no more until something changes. */
	if (ready || strcmp(a->why, why) != 0)
		log_warning("[source \"%s\"] %s; trying again", a->name, why);
	a->failures++;
	snprintf(a->why, sizeof a->why, "%s", why);
	snprintf(f->trouble, sizeof f->trouble, "%s", a->why);
	f->state = AMI_WAITING;
	f->booted = false;
}

/* --- bytes --- */

static void on_sent(uv_write_t *request, int status)
{
	(void)status;  /* reading tells that it is gone */
	free(request); /* the first of its struct sending */
}

/* Send what the session has to say. */
static void flush(struct ami *a)
{
	struct buffer *out = &a->session.out;
	struct sending *s;
	uv_buf_t buf;

	if (!out->n || !a->connection)
		return;
	s = malloc(sizeof *s + out->n);
	if (!s) {
		lost(a, "out of memory");
		return;
	}
	memcpy(s->bytes, out->p, out->n);
	buf = uv_buf_init((char *)s->bytes, (unsigned)out->n);
	out->n = 0;
	if (uv_write(&s->request, (uv_stream_t *)&a->connection->tcp, &buf, 1, on_sent)) {
		free(s);
		lost(a, "cannot send to Asterisk");
	}
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *k = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)k->bytes, sizeof k->bytes);
}

/* It became ready with these bytes. */
static void on_ready(struct ami *a, usec now)
{
	a->ready_at = now;
	if (a->away_since)
		a->away += now - a->away_since;
	a->away_since = 0;
	log_notice(
		"[source \"%s\"] logged in to Asterisk as %s", a->name, a->session.user);
}

/* Whether this turn has read enough; it goes on with the next look. */
static void bound(struct ami *a, struct connection *k, size_t n)
{
	usec now = clock_monotonic(), loop_now = uv_now(a->loop) * 1000;

	if (k->turn_at != loop_now) { /* uv_now() stands still within a turn */
		k->turn_at = loop_now;
		k->turn = 0;
	}
	k->turn += n;
	if (k->turn < TURN_BYTES)
		return;
	uv_read_stop((uv_stream_t *)&k->tcp);
	k->paused = true;
	a->session.figures.floods++;
	if (!a->flood_warned || now - a->flood_warned > FLOOD_WARN) {
		a->flood_warned = now;
		log_warning("[source \"%s\"] Asterisk sends more than is read in a turn "
			    "(%u bytes): reading it slower; it drops the connection "
			    "when that takes too long (writetimeout in manager.conf)",
			a->name, TURN_BYTES);
	}
}

static void on_look(uv_timer_t *timer);

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *k = stream->data;
	struct ami *a = k->ami;
	usec now = clock_monotonic();
	bool ready;

	if (!a || !n)
		return;
	if (n < 0) {
		lost(a,
			n == UV_EOF ? "Asterisk closed the connection" :
				      uv_strerror((int)n));
		return;
	}
	a->heard = now;
	ready = a->session.figures.state == AMI_READY;
	ami_session_feed(&a->session, view_of(buf->base, (size_t)n), now);
	if (!ready && a->session.figures.state == AMI_READY)
		on_ready(a, now);
	if (a->session.failed) {
		lost(a, a->session.figures.trouble);
		return;
	}
	flush(a);
	if (a->connection == k)
		bound(a, k, (size_t)n);
	if (k->paused)
		uv_timer_start(&a->look, on_look, TURN_PAUSE, LOOK_MS);
}

/* --- time --- */

static void watch(struct ami *a, usec now)
{
	struct ami_session *s = &a->session;
	usec silence = now - a->heard;

	if (silence >= a->timing.hang ||
		/* A greeting that comes in drops never ends. */
		(s->figures.state == AMI_GREETING &&
			now - a->connected_at >= a->timing.hang) ||
		(s->ask != AMI_ASK_NONE && now - s->asked >= a->timing.hang)) {
		lost(a, "Asterisk does not answer");
		return;
	}
	if (s->figures.state != AMI_READY)
		return;
	if (silence >= a->timing.ping && now - a->pinged >= a->timing.ping) {
		a->pinged = now;
		ami_session_ping(s);
	}
	if (s->round && now - s->round >= a->timing.trunks)
		ami_session_round(s, now);
	flush(a);
}

static void on_look(uv_timer_t *timer)
{
	struct ami *a = timer->data;
	usec now = clock_monotonic();

	if (a->connection && a->connection->paused) {
		a->connection->paused = false;
		/* What waited in the kernel is no silence. */
		a->heard = now;
		uv_read_start((uv_stream_t *)&a->connection->tcp, on_allocate, on_read);
	} else if (a->connection) {
		watch(a, now);
	} else if (a->session.figures.state == AMI_WAITING && now >= a->due) {
		a->session.figures.state = AMI_CONNECTING;
		a->due = now + a->timing.hang;
		a->callbacks.connect(a->callbacks.context);
	} else if (a->session.figures.state == AMI_CONNECTING && now >= a->due) {
		lost(a, "nobody made a connection"); /* the parent was too busy */
	}
}

/* --- from outside --- */

struct ami *ami_open(uv_loop_t *loop, const struct ami_config *config,
	const struct ami_callbacks *callbacks, struct hash_key seed)
{
	struct ami *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	if (ami_session_init(&a->session, config, callbacks, seed)) {
		free(a);
		return NULL;
	}
	a->loop = loop;
	a->timing = config->timing;
	a->callbacks = *callbacks;
	snprintf(a->name, sizeof a->name, "%s", config->name);
	a->session.figures.state = AMI_WAITING;
	a->away_since = a->due = clock_monotonic();
	uv_timer_init(loop, &a->look);
	a->look.data = a;
	uv_timer_start(&a->look, on_look, 0, LOOK_MS);
	return a;
}

void ami_connected(struct ami *a, int fd)
{
	struct connection *k;

	if (a->session.figures.state != AMI_CONNECTING || a->connection) {
		close(fd);
		return;
	}
	k = calloc(1, sizeof *k);
	if (!k || uv_tcp_init(a->loop, &k->tcp)) {
		free(k);
		close(fd);
		lost(a, "out of memory");
		return;
	}
	k->tcp.data = k;
	k->ami = a;
	a->connection = k;
	if (uv_tcp_open(&k->tcp, fd)) {
		close(fd);
		lost(a, "the descriptor is no TCP socket");
		return;
	}
	ami_session_begin(&a->session);
	a->session.figures.state = AMI_GREETING;
	a->heard = a->pinged = a->connected_at = clock_monotonic();
	if (uv_read_start((uv_stream_t *)&k->tcp, on_allocate, on_read))
		lost(a, "cannot read from Asterisk");
}

void ami_unreachable(struct ami *a, const char *why)
{
	if (a->session.figures.state == AMI_CONNECTING && !a->connection)
		lost(a, why);
}

static void on_closed(uv_handle_t *handle)
{
	struct ami *a = handle->data;

	ami_session_free(&a->session);
	free(a);
}

void ami_close(struct ami *a)
{
	if (!a || a->closing)
		return;
	a->closing = true;
	let_go(a);
	uv_close((uv_handle_t *)&a->look, on_closed);
}

void ami_figures(const struct ami *a, struct ami_figures *out)
{
	*out = a->session.figures;
	out->away = a->away;
	if (a->away_since)
		out->away += clock_monotonic() - a->away_since;
}
