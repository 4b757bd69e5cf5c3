/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role `sense`: reads what attackers write. It holds listening sockets and
 * log descriptors and nothing else; whoever breaks into it can lie to the node
 * about observations, and no more.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "sense/hep.h"
#include "sense/logtail.h"
#include "sense/security_log.h"

#define QUEUE_LIMIT (4u << 20)
/* Kept while the node restarts: a second of a heavy attack. */
#define PENDING_MAX      4096
#define FIGURES_EVERY_MS 1000

struct tail {
	struct sense_role *role;
	const char *path;
	char name[CONFIG_PATH_MAX];
	int directory;
	struct logtail *tail; /* open while a node is there to take positions */
	bool moved;           /* position changed since it was told */
	struct log_position position;
};

struct sense_role {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	struct link *node;
	bool node_started; /* it has sent the positions */
	bool again;        /* exit to be started with the new configuration */
	struct hep_collector *hep;
	struct tail tails[CONFIG_LOGS_MAX];
	size_t tails_count;
	struct security_log_figures log_figures;
	struct observation *pending;
	size_t pending_count;
	uint64_t observed;
	uint32_t queue_dropped;
	struct sense_figures told;
	uv_prepare_t flush; /* runs before the loop sleeps */
	uv_timer_t figures;
};

/* --- to the node --- */

static void on_observation(void *context, const struct observation *o)
{
	struct sense_role *r = context;

	r->observed++;
	if (r->pending_count == PENDING_MAX) {
		r->queue_dropped++;
		return;
	}
	r->pending[r->pending_count++] = *o;
}

/* Send what is pending; what the link does not take stays. */
static void send_observations(struct sense_role *r)
{
	size_t sent = 0;

	while (sent < r->pending_count) {
		size_t n = r->pending_count - sent;

		if (n > OBSERVATIONS_MAX)
			n = OBSERVATIONS_MAX;
		if (link_send(r->node, MSG_OBSERVATIONS,
			    view_of(r->pending + sent, n * sizeof *r->pending)))
			break;
		sent += n;
	}
	r->pending_count -= sent;
	memmove(r->pending, r->pending + sent, r->pending_count * sizeof *r->pending);
}

static void on_flush(uv_prepare_t *handle)
{
	struct sense_role *r = handle->data;

	if (!r->node || !r->node_started)
		return;
	if (r->pending_count)
		send_observations(r);
	/* A position only after the observations of the lines before it. */
	for (size_t i = 0; i < r->tails_count && !r->pending_count; i++) {
		struct tail *t = &r->tails[i];

		if (t->moved &&
			!link_send(r->node, MSG_POSITION,
				view_of(&t->position, sizeof t->position)))
			t->moved = false;
	}
}

static void on_figures(uv_timer_t *timer)
{
	struct sense_role *r = timer->data;
	struct sense_figures f;
	struct hep_figures hep;

	memset(&f, 0, sizeof f);
	memset(&hep, 0, sizeof hep);
	if (r->hep)
		hep_figures(r->hep, &hep);
	f.hep_received = hep.received;
	f.hep_bad = hep.bad + hep.compressed;
	f.hep_refused = hep.wrong_password + hep.connections_refused;
	f.hep_dropped = hep.kernel_dropped;
	f.sip_malformed = hep.wire.malformed;
	for (unsigned i = 0; i < 4; i++)
		f.log_lines += r->log_figures.lines[i];
	f.log_skipped = r->log_figures.lines[SECURITY_LOG_UNREADABLE];
	f.log_injected = r->log_figures.lines[SECURITY_LOG_INJECTION];
	f.observations = r->observed;
	f.queue_dropped = r->queue_dropped;
	if (!r->node || !memcmp(&f, &r->told, sizeof f))
		return;
	if (!link_send(r->node, MSG_SENSE_FIGURES, view_of(&f, sizeof f)))
		r->told = f;
}

/* --- logs --- */

static void on_line(void *context, struct view line)
{
	struct tail *t = context;

	security_log_feed(&t->role->log_figures, line, on_observation, t->role);
}

static void on_position(void *context, const struct logfile_position *p)
{
	struct tail *t = context;

	memset(&t->position, 0, sizeof t->position);
	view_copy(t->position.path, sizeof t->position.path, view_str(t->path));
	t->position.dev = p->device;
	t->position.inode = p->inode;
	t->position.offset = p->offset;
	memcpy(t->position.fingerprint, &p->check, sizeof p->check);
	t->moved = true;
}

static void tail_stop(struct tail *t)
{
	if (t->tail)
		logtail_close(t->tail);
	t->tail = NULL;
	t->moved = false;
}

/* Follow the log from where the node says that it was read to. */
static void tail_start(struct tail *t, const struct log_position *list, size_t count)
{
	const struct logtail_events events = {on_line, on_position, t};
	struct logfile_position resume;
	bool known = false;
	struct error err = {""};

	tail_stop(t);
	for (size_t i = 0; i < count && !known; i++) {
		if (strncmp(list[i].path, t->path, sizeof list[i].path))
			continue;
		resume.device = list[i].dev;
		resume.inode = list[i].inode;
		resume.offset = list[i].offset;
		memcpy(&resume.check, list[i].fingerprint, sizeof resume.check);
		known = true;
	}
	t->tail = logtail_open(&t->role->loop, t->directory, t->name,
		known ? &resume : NULL, &events, &err);
	if (!t->tail)
		log_error("%s: %s", t->path, err.text);
}

/* Open the folder that holds a log. Returns 0 or -1. */
static int tail_open(struct sense_role *r, const char *path)
{
	struct tail *t = &r->tails[r->tails_count];
	char copy[CONFIG_PATH_MAX];

	t->role = r;
	t->path = path;
	snprintf(copy, sizeof copy, "%s", path);
	snprintf(t->name, sizeof t->name, "%s", basename(copy));
	snprintf(copy, sizeof copy, "%s", path);
	t->directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->directory < 0) {
		log_error(
			"[security_log] path %s: its folder: %s", path, strerror(errno));
		return -1;
	}
	r->tails_count++;
	return 0;
}

/* --- links --- */

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct sense_role *r = context;
	struct log_position list[CONFIG_LOGS_MAX];
	size_t count = payload.n / sizeof list[0];

	(void)l;
	(void)fd;
	if (type != MSG_SENSE_START || payload.n % sizeof list[0] ||
		count > CONFIG_LOGS_MAX)
		return;
	if (count)
		memcpy(list, payload.p, payload.n);
	r->node_started = true;
	for (size_t i = 0; i < r->tails_count; i++)
		tail_start(&r->tails[i], list, count);
}

/* Without a node nobody keeps positions: logs wait where they are. */
static void node_lost(struct sense_role *r)
{
	r->node = NULL;
	r->node_started = false;
	memset(&r->told, 0, sizeof r->told);
	for (size_t i = 0; i < r->tails_count; i++)
		tail_stop(&r->tails[i]);
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	struct sense_role *r = context;

	(void)why;
	link_close(l);
	if (r->node == l)
		node_lost(r);
}

static void on_peer(void *context, enum role peer, int fd, uint32_t starts, pid_t pid)
{
	const struct link_callbacks callbacks = {
		.context = context, .message = on_message, .closed = on_link_closed};
	struct sense_role *r = context;

	(void)peer;
	(void)starts;
	(void)pid;
	if (r->node) {
		link_close(r->node);
		node_lost(r);
	}
	r->node = link_open(&r->loop, fd, QUEUE_LIMIT, &callbacks);
	if (!r->node)
		log_error("link to the node: %s", strerror(errno));
}

/* Sockets and folders cannot be opened from inside the sandbox. */
static int on_reload(void *context, struct config *config, struct error *err)
{
	struct sense_role *r = context;

	(void)err;
	if (memcmp(&config->hep, &r->config->hep, sizeof config->hep) ||
		memcmp(&config->security_log, &r->config->security_log,
			sizeof config->security_log)) {
		r->again = true;
		uv_stop(&r->loop);
	}
	return 0;
}

static void on_stop(void *context, bool gone)
{
	struct sense_role *r = context;

	(void)gone;
	uv_stop(&r->loop);
}

/* --- start --- */

static int open_hep(struct sense_role *r)
{
	struct hep_config config = hep_config_default;
	struct error err = {""};

	if (!r->config->hep.listen_count)
		return 0;
	config.password = r->config->hep.password;
	r->hep = hep_collector_new(
		&r->loop, &config, hash_key_random(), on_observation, r);
	if (!r->hep) {
		log_error("out of memory for the HEP collector");
		return -1;
	}
	for (size_t i = 0; i < r->config->hep.listen_count; i++) {
		const struct config_listen *l = &r->config->hep.listen[i];
		bool udp = l->transport == TRANSPORT_UDP;
		int fd = udp ? hep_open_udp(&l->address, l->port, &err) :
			       hep_open_tcp(&l->address, l->port, &err);

		if (fd < 0 ||
			(udp ? hep_collector_udp(r->hep, fd, &err) :
			       hep_collector_tcp(r->hep, fd, &err))) {
			log_error("[hep] listen: %s", err.text);
			return -1;
		}
	}
	return 0;
}

static int open_all(struct sense_role *r)
{
	r->pending = calloc(PENDING_MAX, sizeof *r->pending);
	if (!r->pending || open_hep(r))
		return -1;
	for (size_t i = 0; i < r->config->security_log.path_count; i++)
		if (tail_open(r, r->config->security_log.path[i]))
			return -1;
	uv_prepare_start(&r->flush, on_flush);
	uv_unref((uv_handle_t *)&r->flush);
	return uv_timer_start(
		&r->figures, on_figures, FIGURES_EVERY_MS, FIGURES_EVERY_MS);
}

/* The logs' folders are all that stays within reach. */
static int seal(struct sense_role *r, struct error *err)
{
	char folders[CONFIG_LOGS_MAX][CONFIG_PATH_MAX];
	struct sandbox_path paths[CONFIG_LOGS_MAX];
	struct sandbox box = {.role = ROLE_SENSE,
		.user = r->config->node.user,
		.paths = paths,
		.paths_count = r->tails_count};

	for (size_t i = 0; i < r->tails_count; i++) {
		snprintf(folders[i], sizeof folders[i], "%s", r->tails[i].path);
		paths[i] = (struct sandbox_path){dirname(folders[i]), SANDBOX_READ};
	}
	return sandbox_seal(&box, err);
}

int role_sense(struct config *config, int parent_fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {
		.peer = on_peer, .reload = on_reload, .stop = on_stop};
	struct sense_role r = {.config = config};
	struct error err = {""};
	int rc = ROLE_EXIT_FAILED;

	(void)hello;
	uv_loop_init(&r.loop);
	uv_prepare_init(&r.loop, &r.flush);
	uv_timer_init(&r.loop, &r.figures);
	r.flush.data = r.figures.data = &r;
	callbacks.context = &r;
	r.parent = parent_open(&r.loop, parent_fd, &callbacks);
	if (!r.parent || open_all(&r))
		goto done;
	if (seal(&r, &err)) {
		log_error("%s", err.text);
		goto done;
	}
	parent_ready(r.parent);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	on_flush(&r.flush);
	rc = r.again ? ROLE_EXIT_AGAIN : ROLE_EXIT_OK;
done:
	for (size_t i = 0; i < r.tails_count; i++) {
		tail_stop(&r.tails[i]);
		close(r.tails[i].directory);
	}
	if (r.hep)
		hep_collector_close(r.hep);
	link_close(r.node);
	parent_close(r.parent);
	uv_close((uv_handle_t *)&r.flush, NULL);
	uv_close((uv_handle_t *)&r.figures, NULL);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	uv_loop_close(&r.loop);
	free(r.pending);
	return rc;
}
