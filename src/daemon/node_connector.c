/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node_connector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/config_connector.h"
#include "daemon/config_secret.h"
#include "daemon/node.h"
#include "daemon/node_connector_state.h"
#include "ledger/secret_page.h"

#define SECRET_MAX 256
#define READ_BYTES 65536
/* Read at most so much of one PBX in a turn of the loop: others wait, too. */
#define READS_IN_TURN 4
#define STEPS_IN_TURN 8

static void step(struct node_connector *k);

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

static void drop(struct node_connector *k)
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
	drop(k);
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
		step(k);
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
	step(k);
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

	drop(k);
	parent_connect(k->node->parent, k->index);
}

static void on_disconnect(void *context)
{
	drop(context);
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

/* --- time --- */

static void on_timer(uv_timer_t *timer)
{
	step(timer->data);
}

/* Do what is due and send what there is to send. */
static void step(struct node_connector *k)
{
	usec now = clock_monotonic(), next;
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
	if (wrote)
		next = now;
	if (next)
		uv_timer_start(
			&k->timer, on_timer, next > now ? (next - now) / 1000 + 1 : 1, 0);
	else
		uv_timer_stop(&k->timer);
}

/* --- the parent's answer --- */

static void refuse(struct node_connector *k, const struct control_connected *answer)
{
	char why[PBX_TEXT];

	lost(k, answer->text[0] ? answer->text : fault(why, k, answer->error));
	step(k);
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
	step(k);
}

/* --- made and freed --- */

static int read_secret(struct node_connector *k, struct error *err)
{
	int n;

	k->secret = secret_page_new();
	if (!k->secret)
		return error_set(
			err, "a page of memory for the secret: %s", strerror(errno));
	n = config_secret_read(k->secret, SECRET_MAX, k->config.secret_file,
		"the secret of manager.conf", err);
	if (n < 0)
		return -1;
	k->secret_size = (size_t)n;
	return 0;
}

static unsigned kinds_of(const struct config_connector *c)
{
	unsigned kinds = 0;

	if (c->type != CONFIG_CONNECTOR_KAMAILIO)
		return 0; /* all that the type can carry */
	if (c->numbers[0])
		kinds |= PBX_KIND(INDICATOR_NUMBER);
	if (c->uris[0])
		kinds |= PBX_KIND(INDICATOR_URI);
	if (c->domains[0])
		kinds |= PBX_KIND(INDICATOR_DOMAIN);
	if (c->addresses[0])
		kinds |= PBX_KIND(INDICATOR_IP4) | PBX_KIND(INDICATOR_IP6);
	return kinds;
}

static void make(struct node_connector *k)
{
	const struct config_connector *c = &k->config;
	const struct connector_callbacks callbacks = {
		k, on_connect, on_disconnect, on_hit, on_says};
	struct pbx_config pbx = {.name = k->name,
		.seed = hash_key_random(),
		.user = c->user,
		.table_number = c->numbers,
		.table_uri = c->uris,
		.table_domain = c->domains,
		.table_address = c->addresses,
		.kinds = kinds_of(c)};
	struct error err = {""};

	k->ended = c->type == CONFIG_CONNECTOR_HOOK ? "the program has ended" :
						      "the PBX closed the connection";
	if (c->type != CONFIG_CONNECTOR_ASTERISK || !read_secret(k, &err)) {
		pbx.secret = view_of(k->secret, k->secret_size);
		k->c = pbx_connector_new(k->ops, &pbx, &callbacks, &err);
	}
	if (k->c)
		return;
	log_error("[connector \"%s\"] %s; it is not used", k->name, err.text);
	snprintf(k->trouble, sizeof k->trouble, "%.199s", err.text);
}

struct node_connectors *node_connectors_new(struct node *n)
{
	const struct config *config = n->config;
	struct node_connectors *all = calloc(1, sizeof *all);

	if (!all)
		return NULL;
	for (size_t i = 0; i < config->connector_count; i++) {
		struct node_connector *k = &all->list[i];

		k->node = n;
		k->index = (unsigned)i;
		k->config = config->connectors[i];
		snprintf(k->name, sizeof k->name, "%s", k->config.name);
		k->ops = config_connector_ops(&k->config);
		uv_timer_init(&n->loop, &k->timer);
		k->timer.data = k;
		make(k);
	}
	all->count = config->connector_count;
	return all;
}

#define EACH(all, k)                                                                     \
	for (struct node_connector *k = (all) ? (all)->list : NULL;                      \
		(all) && k < (all)->list + (all)->count; k++)

static void follow_ban(void *context, const struct ban *b)
{
	node_connectors_follow(context, &b->indicator);
}

void node_connectors_start(struct node *n)
{
	/* Before observe mode: what stood there before this start is then taken off. */
	ban_table_each(n->bans, follow_ban, n);
	EACH(n->connectors, k)
	if (k->c)
		pbx_connector_observe(k->c, n->config->node.observe);
	EACH(n->connectors, k)
	step(k);
}

void node_connectors_follow(struct node *n, const struct indicator *i)
{
	const struct ban *b = NULL;

	/* A PBX knows no ports: of two bans of one indicator the longer counts. */
	for (uint8_t scope = BAN_SIP; scope <= BAN_ALL; scope++) {
		const struct ban *one = ban_table_get(n->bans, i, scope);

		if (one && (!b || one->until > b->until))
			b = one;
	}
	EACH(n->connectors, k)
	{
		if (!k->c || !pbx_connector_carries(k->c, i->kind))
			continue;
		pbx_connector_follow(k->c, i, b ? b->origin : 0, b ? b->category : 0,
			b ? b->until : 0, node_now());
		k->dirty = true;
	}
}

void node_connectors_flush(struct node *n)
{
	EACH(n->connectors, k)
	if (k->dirty) {
		k->dirty = false;
		step(k);
	}
}

bool node_connectors_carry(const struct node *n, uint8_t kind)
{
	EACH(n->connectors, k)
	if (k->c && pbx_connector_carries(k->c, kind))
		return true;
	return false;
}

void node_connectors_observe(struct node *n)
{
	EACH(n->connectors, k)
	if (k->c)
		pbx_connector_observe(k->c, n->config->node.observe);
	if (!n->config->node.observe)
		ban_table_each(n->bans, follow_ban, n);
	EACH(n->connectors, k)
	step(k);
}

bool node_connectors_outdated(const struct node *n, const struct config *config)
{
	struct connector_figures f;

	if (config->connector_count != n->connectors->count)
		return true;
	EACH(n->connectors, k)
	{
		if (memcmp(&k->config, &config->connectors[k->index], sizeof k->config))
			return true;
		if (!k->c)
			return true;
		pbx_connector_figures(k->c, &f);
		if (f.refused)
			return true;
	}
	return false;
}

void node_connectors_close(struct node *n)
{
	EACH(n->connectors, k)
	{
		k->closing = true;
		drop(k);
		uv_close((uv_handle_t *)&k->timer, NULL);
	}
}

void node_connectors_free(struct node_connectors *all)
{
	EACH(all, k)
	{
		pbx_connector_free(k->c);
		secret_page_free(k->secret);
	}
	free(all);
}
