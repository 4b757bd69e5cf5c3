/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role `enforce`: carries the node's orders into the kernel. It holds
 * CAP_NET_ADMIN, so it does as little as possible and refuses by itself what
 * overlaps this machine's own addresses or the configured allowlist, whatever
 * the node says; what the node adds to the list comes on top. In observe mode
 * the kernel is not touched, but for a table of ours that stood there before:
 * it is removed, so that nothing goes on dropping.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "decide/auto_allow.h"
#include "enforce/nft.h"
#include "sense/observation.h"

#define QUEUE_LIMIT  (1u << 20)
#define ALLOW_MAX    65536
#define COUNTERS_MAX 256

struct enforce_role {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	struct link *node;
	struct nft *nft; /* NULL: [enforce] type = none */
	uv_poll_t events;
	bool polling;
	bool failed;             /* leave, to be started anew */
	struct indicator *allow; /* own entries, then the list being received */
	size_t addresses;        /* of them, this machine's own */
	size_t own_count;        /* those and the configured ones */
	size_t allow_count;
	bool allow_known; /* no order is carried out before the list is there */
};

static void tell_node(struct enforce_role *r, uint16_t type, const void *p, size_t n)
{
	if (r->node && link_send(r->node, type, view_of(p, n)))
		log_warning("the node does not take an answer: %s", strerror(errno));
}

/* Whether orders reach the kernel. */
static bool enforcing(const struct enforce_role *r)
{
	return r->nft && !r->config->node.observe;
}

static void tell_self(struct enforce_role *r)
{
	struct enforce_self self;

	memset(&self, 0, sizeof self);
	self.active = enforcing(r);
	if (r->nft)
		self.features = *nft_features(r->nft);
	view_copy(self.text, sizeof self.text,
		view_str(!r->nft                        ? "[enforce] type = none" :
				r->config->node.observe ? "observe mode" :
							  ""));
	tell_node(r, MSG_ENFORCE_READY, &self, sizeof self);
}

/* Without a table nothing can be done: a new process tries again. */
static void give_up(struct enforce_role *r, const struct error *err)
{
	log_error("%s", err->text);
	r->failed = true;
	uv_stop(&r->loop);
}

/*
 * Somebody changed the ruleset. Our table is put back before the node is
 * told, so that the bans it orders again have a place to go.
 */
static void on_ruleset(uv_poll_t *handle, int status, int events)
{
	struct enforce_role *r = handle->data;
	struct error err = {""};

	(void)status;
	(void)events;
	if (!nft_lost(r->nft) || !enforcing(r))
		return;
	log_warning("table inet %s was removed by somebody; setting it up again",
		r->config->enforce.nft.table);
	if (nft_setup(r->nft, &err)) {
		give_up(r, &err);
		return;
	}
	r->allow_known = false;
	tell_node(r, MSG_LOST, NULL, 0);
}

/* A part of the allowlist; the last part puts all of it into the kernel. */
static void take_allow(struct enforce_role *r, struct view payload)
{
	struct error err = {""};
	size_t n;

	if (payload.n < 4 || (payload.n - 4) % INDICATOR_SIZE)
		return;
	if (payload.p[0])
		r->allow_count = r->own_count;
	n = (payload.n - 4) / INDICATOR_SIZE;
	if (r->allow_count + n > ALLOW_MAX) {
		log_error("the allowlist has more than %u entries", ALLOW_MAX);
		return;
	}
	memcpy(r->allow + r->allow_count, payload.p + 4, n * INDICATOR_SIZE);
	r->allow_count += n;
	if (!payload.p[1])
		return;
	if (enforcing(r) && nft_allow(r->nft, r->allow, r->allow_count, &err)) {
		log_error("allowlist: %s", err.text);
		return;
	}
	r->allow_known = true;
}

/* Carry out one message of orders and answer each. */
static void take_orders(struct enforce_role *r, struct view payload)
{
	static struct ban_order orders[ORDERS_MAX];
	static uint8_t answer[sizeof(struct orders_done) + ORDERS_MAX];
	struct orders_done done;
	struct order_header header;
	struct error err = {""};
	size_t refused = 0;

	if (payload.n < sizeof header)
		return;
	memcpy(&header, payload.p, sizeof header);
	if (header.count > ORDERS_MAX ||
		payload.n != sizeof header + header.count * sizeof orders[0])
		return;
	memcpy(orders, payload.p + sizeof header, header.count * sizeof orders[0]);
	memset(&done, 0, sizeof done);
	memset(answer, 0, sizeof answer);
	done.batch = header.batch;
	done.count = header.count;
	if (!enforcing(r)) {
		memset(answer + sizeof done, 1, header.count);
	} else if (!r->allow_known) {
		done.failed = 1;
		error_set(&err, "no allowlist has arrived yet");
	} else if (nft_apply(r->nft, orders, header.count, clock_wall(),
			   answer + sizeof done, &refused, &err)) {
		done.failed = 1;
		log_error("%s", err.text);
	}
	view_copy(done.text, sizeof done.text, view_str(err.text));
	memcpy(answer, &done, sizeof done);
	tell_node(r, MSG_ORDERS_DONE, answer, sizeof done + header.count);
}

static void tell_counters(struct enforce_role *r)
{
	struct nft_counter counters[COUNTERS_MAX];
	struct error err = {""};
	int n;

	memset(counters, 0, sizeof counters);
	n = enforcing(r) ? nft_counters(r->nft, counters, COUNTERS_MAX, &err) : 0;
	if (n < 0) {
		log_warning("counters: %s", err.text);
		n = 0;
	}
	tell_node(r, MSG_COUNTERS, counters, (size_t)n * sizeof counters[0]);
}

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct enforce_role *r = context;

	(void)l;
	(void)fd;
	if (type == MSG_ALLOW)
		take_allow(r, payload);
	else if (type == MSG_ORDERS)
		take_orders(r, payload);
	else if (type == MSG_COUNTERS_ASK)
		tell_counters(r);
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	struct enforce_role *r = context;

	(void)why;
	link_close(l);
	if (r->node == l)
		r->node = NULL;
}

static void on_peer(void *context, enum role peer, int fd, uint32_t starts, pid_t pid)
{
	const struct link_callbacks callbacks = {
		.context = context, .message = on_message, .closed = on_link_closed};
	struct enforce_role *r = context;

	(void)peer;
	(void)starts;
	(void)pid;
	link_close(r->node);
	r->node = link_open(&r->loop, fd, QUEUE_LIMIT, &callbacks);
	if (r->node)
		tell_self(r);
	else
		log_error("link to the node: %s", strerror(errno));
}

/* The configured entries, behind this machine's addresses. */
static void know_configured(struct enforce_role *r, const struct config *config)
{
	r->own_count = r->addresses;
	for (size_t i = 0; i < config->allow.entry_count && r->own_count < ALLOW_MAX / 2;
		i++)
		r->allow[r->own_count++] = config->allow.entry[i].indicator;
	r->allow_count = r->own_count;
}

/*
 * Bans do not keep packets from the honeypot's own listeners: there they do no
 * harm, and what a source goes on doing is what one learns from. Returns
 * whether they are others than before.
 */
static bool know_listeners(struct enforce_role *r, const struct config_honeypot *h)
{
	struct nft_listener pass[CONFIG_LISTEN_MAX] = {0};
	struct config_honeypot *known = &r->config->honeypot;
	bool changed = h->listen_count != known->listen_count ||
		memcmp(h->listen, known->listen, sizeof h->listen) != 0;

	_Static_assert(CONFIG_LISTEN_MAX <= NFT_PASS_MAX, "all of them pass");
	for (size_t i = 0; i < h->listen_count; i++) {
		pass[i].address = h->listen[i].address;
		pass[i].port = h->listen[i].port;
		pass[i].udp = h->listen[i].transport == TRANSPORT_UDP;
	}
	if (r->nft)
		nft_pass(r->nft, pass, h->listen_count);
	if (changed)
		memcpy(known->listen, h->listen, sizeof known->listen);
	known->listen_count = h->listen_count;
	return changed;
}

/* Make the table, or in observe mode remove it. Returns 0 or -1. */
static int stand(struct enforce_role *r, struct error *err)
{
	return r->config->node.observe ? nft_teardown(r->nft, err) :
					 nft_setup(r->nft, err);
}

static int on_reload(void *context, struct config *config, struct error *err)
{
	struct enforce_role *r = context;
	bool again; /* the table is to be made again, in place */

	if (config->enforce.type != r->config->enforce.type ||
		memcmp(&config->enforce.nft, &r->config->enforce.nft,
			sizeof config->enforce.nft))
		return error_set(
			err, "[enforce] changes only with a restart of sipchaind");
	know_configured(r, config);
	r->allow_known = false;
	again = know_listeners(r, &config->honeypot) && !config->node.observe;
	if (config->node.observe == r->config->node.observe && !again) {
		/* The node may have been first: its list and orders came too early. */
		tell_self(r);
		return 0;
	}
	r->config->node.observe = config->node.observe;
	if (r->nft && stand(r, err)) {
		give_up(r, err);
		return -1;
	}
	tell_self(r); /* the node orders everything anew */
	return 0;
}

static void on_stop(void *context, bool gone)
{
	struct enforce_role *r = context;

	(void)gone; /* kernel bans stand, whatever happens to us */
	uv_stop(&r->loop);
}

/* This machine's addresses, and the configured entries. Returns 0 or -1. */
static int know_own(struct enforce_role *r)
{
	struct allowlist *list = allowlist_new();
	struct error err = {""};
	const struct allow_entry *e;
	size_t count;

	if (!list || auto_allow_interfaces(list, &err) < 0) {
		log_error("own addresses: %s", list ? err.text : "out of memory");
		allowlist_free(list);
		return -1;
	}
	e = allowlist_entries(list, &count);
	for (size_t i = 0; i < count && r->addresses < ALLOW_MAX / 4; i++)
		r->allow[r->addresses++] = e[i].indicator;
	allowlist_free(list);
	know_configured(r, r->config);
	return 0;
}

/* Reach the kernel before the sandbox closes. Returns 0 or -1. */
static int open_nft(struct enforce_role *r)
{
	struct error err = {""};

	if (r->config->enforce.type != CONFIG_ENFORCE_NFTABLES)
		return 0;
	r->nft = nft_open(&r->config->enforce.nft, &err);
	if (r->nft)
		(void)know_listeners(r, &r->config->honeypot);
	if (!r->nft || stand(r, &err)) {
		log_error("%s", err.text);
		return -1;
	}
	uv_poll_init(&r->loop, &r->events, nft_event_fd(r->nft));
	r->events.data = r;
	r->polling = true;
	return uv_poll_start(&r->events, UV_READABLE, on_ruleset);
}

int role_enforce(struct config *config, int parent_fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {
		.peer = on_peer, .reload = on_reload, .stop = on_stop};
	struct sandbox box = {.role = ROLE_ENFORCE, .user = config->node.user};
	struct enforce_role r = {.config = config};
	struct error err = {""};
	int rc = ROLE_EXIT_FAILED;

	(void)hello;
	uv_loop_init(&r.loop);
	callbacks.context = &r;
	r.allow = calloc(ALLOW_MAX, sizeof *r.allow);
	r.parent = parent_open(&r.loop, parent_fd, &callbacks);
	if (!r.allow || !r.parent || know_own(&r) || open_nft(&r))
		goto done;
	if (sandbox_seal(&box, &err)) {
		log_error("%s", err.text);
		goto done;
	}
	parent_ready(r.parent);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	rc = r.failed ? ROLE_EXIT_FAILED : ROLE_EXIT_OK;
done:
	if (r.polling)
		uv_close((uv_handle_t *)&r.events, NULL);
	link_close(r.node);
	parent_close(r.parent);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	uv_loop_close(&r.loop);
	nft_close(r.nft);
	free(r.allow);
	return rc;
}
