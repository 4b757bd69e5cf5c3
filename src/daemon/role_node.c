/* SPDX-License-Identifier: Apache-2.0 */
/* The role `node`: start, sandbox, links, configuration, stop. */
#include "daemon/node.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/node_connector.h"
#include "daemon/node_webhook.h"
#include "decide/auto_allow.h"
#include "store/allow_record.h"
#include "store/outbox.h"

#define QUEUE_LIMIT (8u << 20)
/* 2 MB: some thousand sources */
#define TRAIL_BYTES (2U << 20)
#define CLOCK_WRONG 60 /* seconds: nothing is put off for longer */

/* --- links --- */

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct node *n = context;

	(void)fd;
	if (l == n->sense)
		node_sense_message(n, type, payload);
	else if (l == n->ledger)
		node_ledger_message(n, type, payload);
	else if (l == n->enforce)
		node_enforce_message(n, type, payload);
	else if (l == n->deliver)
		node_webhooks_message(n, type, payload);
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	struct node *n = context;

	if (l == n->sense) {
		n->sense = NULL;
		memset(n->sources, 0, sizeof n->sources);
		memset(&n->honeypot, 0, sizeof n->honeypot);
	}
	if (l == n->ledger)
		n->ledger = NULL;
	if (l == n->enforce) {
		n->enforce = NULL;
		n->enforcer_ready = false;
	}
	if (l == n->deliver) {
		n->deliver = NULL;
		node_webhooks_linked(n);
	}
	log_info("a link closed: %s", why);
	link_close(l);
}

static void on_peer(void *context, enum role peer, int fd, uint32_t starts, pid_t pid)
{
	const struct link_callbacks callbacks = {
		.context = context, .message = on_message, .closed = on_link_closed};
	struct node *n = context;
	struct link **place = peer == ROLE_SENSE ? &n->sense :
		peer == ROLE_LEDGER              ? &n->ledger :
		peer == ROLE_ENFORCE             ? &n->enforce :
		peer == ROLE_DELIVER             ? &n->deliver :
						   NULL;

	(void)starts;
	(void)pid;
	if (!place) {
		close(fd);
		return;
	}
	link_close(*place);
	*place = link_open(&n->loop, fd, QUEUE_LIMIT, &callbacks);
	if (!*place) {
		log_error("link to %s: %s", role_name(peer), strerror(errno));
		return;
	}
	if (peer == ROLE_SENSE) {
		n->sense_told = false;
		node_sense_start(n);
	} else if (peer == ROLE_LEDGER) {
		node_flights_forget(n);
		n->healthy = true; /* until it says otherwise */
		node_ledger_start(n);
	} else if (peer == ROLE_ENFORCE) {
		n->enforcer_ready = false; /* its MSG_ENFORCE_READY follows */
	} else {
		node_webhooks_linked(n); /* its MSG_WEBHOOKS follows */
	}
}

static void on_roles(void *context, const struct role_status *roles, size_t count)
{
	struct node *n = context;

	n->roles_count = count < ROLE_COUNT ? count : ROLE_COUNT;
	memcpy(n->roles, roles, n->roles_count * sizeof *roles);
}

static void on_connected(void *context, const struct control_connected *answer, int fd)
{
	node_connectors_connected(context, answer, fd);
}

static void on_opened(void *context, const struct control_opened *answer, int fd)
{
	node_http_opened(context, answer, fd);
}

static void on_stop(void *context, bool gone)
{
	struct node *n = context;

	(void)gone;
	n->stopping = true;
	uv_stop(&n->loop);
}

/* --- configuration --- */

static void take_config(struct node *n)
{
	config_own(&n->own, n->config);
}

/* The configured entries, in the place of those of before. 0 or -1. */
static int take_allow(struct node *n)
{
	struct allow_entry e;

	allowlist_clear(n->allow, ALLOW_CONFIGURED);
	for (size_t i = 0; i < n->config->allow.entry_count; i++) {
		memset(&e, 0, sizeof e);
		e.indicator = n->config->allow.entry[i].indicator;
		e.origin = ALLOW_CONFIGURED;
		memcpy(e.note, n->config->allow.entry[i].note, sizeof e.note);
		if (allowlist_add(n->allow, &e))
			return -1;
	}
	return 0;
}

static int on_reload(void *context, struct config *config, struct error *err)
{
	struct node *n = context;
	struct config old;
	bool observed;

	if (strcmp(config->node.state, n->config->node.state) ||
		strcmp(config->node.run, n->config->node.run) ||
		strcmp(config->node.user, n->config->node.user))
		return error_set(err,
			"[node] state, run and user change only with a restart of "
			"sipchaind");
	/* Nothing can be opened from inside the sandbox. */
	if ((node_connectors_outdated(n, config) || node_http_outdated(n, config)) &&
		!node_connectors_leave(n, config)) {
		n->again = true;
		uv_stop(&n->loop);
	}
	/* *config is freed by the caller: give it the old one. */
	old = *n->config;
	observed = old.node.observe;
	*n->config = *config;
	*config = old;
	take_config(n);
	if (!n->again)
		node_http_reload(n, config);
	if (take_allow(n))
		return error_set(err, "out of memory for the allowlist");
	node_allow_configured(n);
	detector_configure(n->detector, &n->config->detect);
	node_numbers_configure(n);
	node_webhooks_configure(n);
	node_send_allow(n);
	n->all_dirty = true;
	node_decide_dirty(n);
	if (observed != n->config->node.observe)
		node_observe_changed(n);
	node_event(n, "reload", NULL, "the configuration was read anew");
	return 0;
}

/* --- start --- */

static void add_allow(void *context, const struct allow_entry *e)
{
	struct node *n = context;

	if (allowlist_add(n->allow, e))
		log_error("out of memory for the allowlist");
}

static int open_store(struct node *n, struct error *err)
{
	char path[CONFIG_PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/node.db", n->config->node.state);
	n->store = store_open(path, err);
	if (!n->store || node_prune(n, err) ||
		outbox_clock_set_back(n->store, node_now() + CLOCK_WRONG, err) ||
		allow_record_each(n->store, add_allow, n, err) < 0 ||
		node_allow_load(n, err))
		return -1;
	return node_sense_load(n, err) || node_bans_load(n, err) ||
			node_webhooks_open(n, err) ?
		-1 :
		0;
}

/* The pure parts. Returns 0 or -1. */
static int open_parts(struct node *n, struct error *err)
{
	n->hash_key = hash_key_random();
	n->detector = detector_new(&n->config->detect, n->hash_key);
	n->trail = trail_new(TRAIL_BYTES, n->hash_key);
	n->registry = registry_new(n->hash_key);
	n->allow = allowlist_new();
	n->bans = ban_table_new(n->hash_key);
	n->connectors = node_connectors_new(n);
	n->dirty = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, n->hash_key);
	if (!n->detector || !n->trail || !n->registry || !n->allow || !n->bans ||
		!n->dirty || !n->connectors)
		return error_set(err, "out of memory");
	ban_table_keep(n->bans, INDICATORS_OF_CALLS);
	take_config(n);
	if (node_numbers_open(n))
		return error_set(err, "out of memory");
	if (take_allow(n))
		return error_set(err, "out of memory for the allowlist");
	if (n->config->allow.automatic &&
		auto_allow_read(n->allow, &auto_allow_paths_default, err) < 0)
		return -1;
	return 0;
}

static int open_control(struct node *n, struct error *err)
{
	const char *name = n->config->node.control_group;
	char path[CONFIG_PATH_MAX + 32];
	gid_t gid = (gid_t)-1;
	int fd;

	if (name[0]) {
		const struct group *g = getgrnam(name);

		if (!g)
			return error_set(err,
				"[node] control_group: there is no group `%s`; "
				"groupadd it, or leave the key out",
				name);
		gid = g->gr_gid;
	}
	snprintf(path, sizeof path, "%s/control.sock", n->config->node.run);
	fd = control_listen(path, gid, err);
	if (fd < 0)
		return -1;
	n->control = control_new(&n->loop, fd, gid, node_control_request, n, err);
	return n->control ? 0 : -1;
}

static int seal(struct node *n, struct error *err)
{
	struct sandbox_path paths[] = {
		{n->config->node.state, SANDBOX_READ | SANDBOX_WRITE},
		{n->config->node.run, SANDBOX_READ | SANDBOX_WRITE},
	};
	struct sandbox box = {.role = ROLE_NODE,
		.user = n->config->node.user,
		.paths = paths,
		.paths_count = sizeof paths / sizeof paths[0]};

	return sandbox_seal(&box, err);
}

static void free_node(struct node *n)
{
	node_connectors_free(n->connectors);
	node_webhooks_free(n->webhooks);
	numbers_free(n->numbers);
	trail_free(n->trail);
	detector_free(n->detector);
	registry_free(n->registry);
	registry_free(n->incoming);
	allowlist_free(n->allow);
	ban_table_free(n->bans);
	table_free(n->dirty);
	table_free(n->texts);
	free(n->in_flight);
	free(n->flights);
	store_close(n->store);
	free(n);
}

int role_node(struct config *config, int parent_fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {.peer = on_peer,
		.reload = on_reload,
		.roles = on_roles,
		.connected = on_connected,
		.opened = on_opened,
		.stop = on_stop};
	struct node *n = calloc(1, sizeof *n);
	struct error err = {""};
	int rc = ROLE_EXIT_FAILED;

	(void)hello;
	if (!n)
		return rc;
	n->config = config;
	n->started = clock_monotonic();
	n->put_off = true;
	node_clock_begin(n);
	n->healthy = true;
	uv_loop_init(&n->loop);
	uv_timer_init(&n->loop, &n->tick);
	uv_timer_init(&n->loop, &n->due);
	node_decide_open(n);
	n->tick.data = n->due.data = n;
	callbacks.context = n;
	n->parent = parent_open(&n->loop, parent_fd, &callbacks);
	if (!n->parent || open_parts(n, &err) || open_control(n, &err) ||
		node_http_open(n, &err) || seal(n, &err) || open_store(n, &err)) {
		log_error("%s", err.text);
		goto done;
	}
	parent_ready(n->parent);
	node_connectors_start(n);
	node_schedule_start(n);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	rc = n->again ? ROLE_EXIT_AGAIN : ROLE_EXIT_OK;
done:
	n->stopping = true;
	node_stop_waiting(n);
	node_connectors_close(n);
	node_webhooks_close(n);
	control_close(n->control);
	node_http_close(n);
	link_close(n->sense);
	link_close(n->ledger);
	link_close(n->enforce);
	link_close(n->deliver);
	parent_close(n->parent);
	uv_close((uv_handle_t *)&n->tick, NULL);
	uv_close((uv_handle_t *)&n->due, NULL);
	node_decide_close(n);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	uv_loop_close(&n->loop);
	free_node(n);
	return rc;
}
