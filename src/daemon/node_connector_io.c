/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of connectors, and their time. */
#include "daemon/node_connector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/node.h"
#include "daemon/node_connector_state.h"

#define READ_BYTES 65536
/* Read at most so much of one PBX in a turn of the loop: others wait, too. */
#define READS_IN_TURN 4
#define STEPS_IN_TURN 8

/* --- descriptors --- */

static void on_channel_closed(uv_handle_t *handle)
{
	struct channel *ch = handle->data;

	close(ch->fd);
	free(ch);
}

static void channel_close(struct channel **place)
{
	struct channel *ch = *place;

	*place = NULL;
	if (!ch)
		return;
	ch->owner = NULL;
	uv_close((uv_handle_t *)&ch->poll, on_channel_closed);
}

void node_connector_drop(struct node_connector *k)
{
	if (k->out == k->in)
		k->out = NULL;
	channel_close(&k->in);
	channel_close(&k->out);
	channel_close(&k->errors);
}

/* What came of connecting, or of a connection. dst of PBX_TEXT bytes. */
static const char *fault(char *dst, const struct node_connector *k, int error)
{
	const struct config_server *server = &k->config.address;
	char where[ADDRESS_TEXT];

	if (k->ops->way == PBX_STREAM)
		snprintf(dst, PBX_TEXT, "no connection to %s port %u: %s",
			address_print(where, &server->address), server->port,
			strerror(error));
	else
		snprintf(dst, PBX_TEXT, "no connection: %s", strerror(error));
	return dst;
}

static void lost(struct node_connector *k, const char *why)
{
	node_connector_drop(k);
	pbx_connector_closed(k->c, why, clock_monotonic());
}

static void log_hook(void *context, const char *line)
{
	const struct node_connector *k = context;

	log_warning("[connector \"%s\"] the program says: %s", k->name, line);
}

static void on_poll(uv_poll_t *handle, int status, int events);

/* Ask to be called when there is something to read, or room to write. */
static void watch(struct channel *ch, int events)
{
	if (ch->events == events)
		return;
	ch->events = events;
	uv_poll_start(&ch->poll, events, on_poll);
}

/*
 * Write what there is to write. Returns 1: something was written; 0: nothing was;
 * -1, with errno: it is lost.
 */
static int flush(struct node_connector *k)
{
	struct view bytes;
	int wrote = 0;

	while (k->out && pbx_connector_next(k->c, &bytes)) {
		ssize_t n = write(k->out->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
			watch(k->out, (k->out == k->in ? UV_READABLE : 0) | UV_WRITABLE);
			return wrote;
		}
		if (n < 0)
			return -1;
		pbx_connector_sent(k->c, (size_t)n);
		wrote = 1;
	}
	if (k->out && k->out == k->in)
		watch(k->out, UV_READABLE);
	else if (k->out && k->out->events) {
		k->out->events = 0;
		uv_poll_stop(&k->out->poll);
	}
	return wrote;
}

/* Read a part of what there is. */
static void receive(struct node_connector *k)
{
	static uint8_t bytes[READ_BYTES];
	struct channel *ch = k->in;
	char why[PBX_TEXT];

	for (unsigned i = 0; i < READS_IN_TURN && k->in == ch; i++) {
		ssize_t n = read(ch->fd, bytes, sizeof bytes);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0 || (n == 0 && k->ops->way != PBX_DATAGRAM)) {
			lost(k, n < 0 ? fault(why, k, errno) : k->ended);
			return;
		}
		pbx_connector_received(
			k->c, view_of(bytes, (size_t)n), clock_monotonic());
		/* What the protocol asked for in answer goes out at once. */
		node_connector_step(k);
		if (n < (ssize_t)sizeof bytes && k->ops->way != PBX_DATAGRAM)
			return;
	}
}

static void receive_errors(struct node_connector *k)
{
	uint8_t bytes[4096];
	ssize_t n = read(k->errors->fd, bytes, sizeof bytes);

	if (n > 0) {
		hook_log_feed(&k->hook_log, view_of(bytes, (size_t)n), clock_monotonic(),
			log_hook, k);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	hook_log_end(&k->hook_log, clock_monotonic(), log_hook, k);
	channel_close(&k->errors);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct channel *ch = handle->data;
	struct node_connector *k = ch->owner;

	if (!k)
		return;
	if (ch == k->errors) {
		receive_errors(k);
		return;
	}
	/* A socket that failed says why when it is read. */
	if (status < 0 && ch != k->in) {
		lost(k, uv_strerror(status));
	} else if (status < 0 || events & UV_READABLE) {
		receive(k);
	}
	node_connector_step(k);
}

static struct channel *channel_open(struct node_connector *k, int fd)
{
	struct channel *ch = calloc(1, sizeof *ch);

	if (!ch || uv_poll_init(&k->node->loop, &ch->poll, fd)) {
		free(ch);
		close(fd);
		return NULL;
	}
	ch->poll.data = ch;
	ch->owner = k;
	ch->fd = fd;
	return ch;
}

/* --- what the connector asks for --- */

static void on_connect(void *context)
{
	struct node_connector *k = context;

	node_connector_drop(k);
	/* The parent has another configuration by now: the number means another one. */
	if (!k->node->connectors->leaving)
		parent_connect(k->node->parent, k->index);
}

static void on_disconnect(void *context)
{
	node_connector_drop(context);
}

static void on_says(void *context, bool good, const char *text)
{
	struct node_connector *k = context;

	if (good) {
		log_notice("[connector \"%s\"] ready", k->name);
		return;
	}
	log_warning("[connector \"%s\"] %s; trying again", k->name, text);
	node_event(k->node, "trouble", NULL, "connector %s: %s", k->name, text);
}

static void on_hit(void *context, const struct pbx_hit *hit)
{
	struct node_connector *k = context;

	node_hit(k->node, k->name, "", &k->hits, hit);
}

struct connector_callbacks node_connector_callbacks(struct node_connector *k)
{
	return (struct connector_callbacks){
		k, on_connect, on_disconnect, on_hit, on_says};
}

/* --- time --- */

static void on_timer(uv_timer_t *timer)
{
	node_connector_step(timer->data);
}

/* Do what is due and send what there is to send. */
void node_connector_step(struct node_connector *k)
{
	usec now = clock_monotonic(), next;
	struct node_connectors *all = k->node->connectors;
	int wrote = 1;
	char why[PBX_TEXT];

	if (!k->c || k->closing)
		return;
	next = pbx_connector_turn(k->c, now, node_now());
	/* What was written makes room, and may be all that an order waits for. */
	for (unsigned i = 0; i < STEPS_IN_TURN && wrote; i++) {
		wrote = flush(k);
		if (wrote < 0)
			lost(k, fault(why, k, errno));
		if (wrote)
			next = pbx_connector_turn(k->c, now, node_now());
	}
	node_connector_note(k);
	if (wrote)
		next = now;
	if (all->leaving && (!next || next > all->leave))
		next = all->leave;
	if (next)
		uv_timer_start(
			&k->timer, on_timer, next > now ? (next - now) / 1000 + 1 : 1, 0);
	else
		uv_timer_stop(&k->timer);
	if (all->leaving)
		node_connectors_left(k->node);
}

/* --- the parent's answer --- */

static void refuse(struct node_connector *k, const struct control_connected *answer)
{
	char why[PBX_TEXT];

	lost(k, answer->text[0] ? answer->text : fault(why, k, answer->error));
	node_connector_step(k);
}

void node_connectors_connected(
	struct node *n, const struct control_connected *answer, int fd)
{
	struct node_connector *k = node_connector_at(n->connectors, answer->source);
	struct channel **place, *ch;

	if (!k || !k->c || k->closing || (fd < 0 && !answer->error)) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd < 0) {
		refuse(k, answer);
		return;
	}
	place = answer->use == CONNECTED_ERRORS ? &k->errors :
		answer->use == CONNECTED_WRITE  ? &k->out :
						  &k->in;
	ch = *place ? (close(fd), NULL) : channel_open(k, fd);
	if (!ch) {
		log_error("[connector \"%s\"] a descriptor of no use came", k->name);
		return;
	}
	*place = ch;
	if (answer->use == CONNECTED_BOTH)
		k->out = k->in;
	/* One that is only written to is watched when there is no room. */
	if (place != &k->out)
		watch(ch, UV_READABLE);
	if (k->in && k->out && place != &k->errors)
		pbx_connector_connected(k->c, clock_monotonic());
	node_connector_step(k);
}
