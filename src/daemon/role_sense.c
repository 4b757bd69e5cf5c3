/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role `sense`: reads what attackers write. It holds listening sockets, log
 * descriptors and the secrets of its AMI sources, and nothing else; whoever breaks
 * into it can lie to the node about observations, phones and trunks, and no more.
 * It cannot connect to anything: the parent connects to the AMI sources and hands
 * the sockets over.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "daemon/sense_ami.h"
#include "daemon/sense_honeypot.h"
#include "daemon/sense_logs.h"
#include "daemon/sense_text.h"
#include "sense/hep.h"
#include "sense/security_log.h"

#define QUEUE_LIMIT (4u << 20)
/* Kept while the node restarts: a second of a heavy attack. */
#define PENDING_MAX      4096
#define FIGURES_EVERY_MS 1000
#define STRETCHED        (256u << 10)

struct sense_role {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	struct link *node;
	bool node_started; /* it has sent the positions */
	bool again;        /* exit to be started with the new configuration */
	const struct control_hello *hello;
	struct hep_collector *hep;
	struct sense_honeypot *honeypot;
	struct sense_logs *logs;
	/* The [source]s, by type. */
	struct sense_ami *ami;
	struct sense_text *text;
	struct security_log_figures log_figures;
	struct observation *pending;
	size_t pending_count;
	bool stretched; /* far more was waiting than usual: to be given back */
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
	if (r->pending_count)
		return;
	sense_logs_tell(r->logs, r->node);
	sense_text_tell_positions(r->text, r->node);
}

/* Tell the node of each [source]. again: it knows nothing. */
static void tell_sources(struct sense_role *r, bool again)
{
	sense_ami_tell(r->ami, r->node, again);
	sense_text_tell(r->text, r->node, again);
	sense_honeypot_tell(r->honeypot, r->node, again);
}

/*
 * What a flood made wait, here and in the link, goes back to the kernel when it is
 * over: a role that was attacked once is as small again as it was.
 */
static void give_back(struct sense_role *r)
{
	struct observation *fresh;

	if (r->pending_count > STRETCHED / sizeof *r->pending ||
		(r->node && link_queued(r->node) > STRETCHED)) {
		r->stretched = true;
		return;
	}
	if (!r->stretched || r->pending_count || (r->node && link_queued(r->node)))
		return;
	fresh = calloc(PENDING_MAX, sizeof *fresh);
	if (!fresh)
		return;
	free(r->pending);
	r->pending = fresh;
	r->stretched = false;
	malloc_trim(0);
}

static void on_figures(uv_timer_t *timer)
{
	struct sense_role *r = timer->data;
	struct sense_figures f;
	struct hep_figures hep;

	give_back(r);
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
	if (r->node && r->node_started)
		tell_sources(r, false);
	if (!r->node || !memcmp(&f, &r->told, sizeof f))
		return;
	if (!link_send(r->node, MSG_SENSE_FIGURES, view_of(&f, sizeof f)))
		r->told = f;
}

static void on_security_line(void *context, struct view line)
{
	struct sense_role *r = context;

	security_log_feed(&r->log_figures, line, on_observation, r);
}

/* --- links --- */

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct sense_role *r = context;
	struct log_position list[POSITIONS_MAX];
	size_t count = payload.n / sizeof list[0];

	(void)l;
	(void)fd;
	if (type != MSG_SENSE_START || payload.n % sizeof list[0] ||
		count > POSITIONS_MAX)
		return;
	if (count)
		memcpy(list, payload.p, payload.n);
	r->node_started = true;
	sense_logs_start(r->logs, list, count);
	sense_text_start(r->text, list, count);
	tell_sources(r, true);
}

/* Without a node nobody keeps positions: logs wait where they are. */
static void node_lost(struct sense_role *r)
{
	r->node = NULL;
	r->node_started = false;
	memset(&r->told, 0, sizeof r->told);
	sense_logs_stop(r->logs);
	sense_text_stop(r->text);
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

/* Nothing can be opened from inside the sandbox. */
static int on_reload(void *context, struct config *config, struct error *err)
{
	struct sense_role *r = context;

	(void)err;
	if (memcmp(&config->hep, &r->config->hep, sizeof config->hep) ||
		memcmp(&config->security_log, &r->config->security_log,
			sizeof config->security_log) ||
		memcmp(config->sources, r->config->sources, sizeof config->sources) ||
		sense_honeypot_changed(r->honeypot, r->config, config) ||
		sense_ami_waits(r->ami) || sense_text_waits(r->text)) {
		r->again = true;
		uv_stop(&r->loop);
	}
	return 0;
}

static void on_connected(void *context, const struct control_connected *answer, int fd)
{
	struct sense_role *r = context;

	sense_ami_connected(r->ami, answer->source, answer->error, fd);
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

static int open_security_logs(struct sense_role *r)
{
	struct error err = {""};

	for (size_t i = 0; i < r->config->security_log.path_count; i++) {
		if (!sense_logs_add(r->logs, r->config->security_log.path[i],
			    on_security_line, r, &err))
			continue;
		log_error("[security_log] %s", err.text);
		return -1;
	}
	return 0;
}

/* Each type of [source] takes those that are its own. */
static int open_sources(struct sense_role *r)
{
	r->ami = sense_ami_new(r->config, on_observation, r);
	r->text = sense_text_new(&r->loop, r->config, r->logs, on_observation, r);
	if (!r->ami || !r->text)
		return -1;
	return sense_ami_start(r->ami, &r->loop, r->parent);
}

static int open_all(struct sense_role *r)
{
	r->pending = calloc(PENDING_MAX, sizeof *r->pending);
	r->logs = sense_logs_new(&r->loop);
	if (!r->pending || !r->logs || open_hep(r) || open_security_logs(r) ||
		sense_honeypot_open(
			&r->honeypot, &r->loop, r->config, r->hello, on_observation, r) ||
		open_sources(r))
		return -1;
	uv_prepare_start(&r->flush, on_flush);
	uv_unref((uv_handle_t *)&r->flush);
	return uv_timer_start(
		&r->figures, on_figures, FIGURES_EVERY_MS, FIGURES_EVERY_MS);
}

/* The folders of logs, journals and the honeypot's record are all that stays. */
static int seal(struct sense_role *r, struct error *err)
{
	struct sandbox_path paths[POSITIONS_MAX + SENSE_TEXT_PATHS_MAX + 1];
	size_t logs = sense_logs_paths(r->logs, paths, POSITIONS_MAX);
	size_t count = logs +
		sense_text_paths(r->text, paths + logs, SENSE_TEXT_PATHS_MAX);
	struct sandbox box = {.role = ROLE_SENSE,
		.user = r->config->node.user,
		.paths = paths,
		.paths_count = count + sense_honeypot_paths(r->honeypot, paths + count)};

	return sandbox_seal(&box, err);
}

int role_sense(struct config *config, int parent_fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {.peer = on_peer,
		.reload = on_reload,
		.connected = on_connected,
		.stop = on_stop};
	struct sense_role r = {.config = config, .hello = hello};
	struct error err = {""};
	int rc = ROLE_EXIT_FAILED;

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
	sense_logs_free(r.logs);
	if (r.hep)
		hep_collector_close(r.hep);
	sense_honeypot_free(r.honeypot);
	sense_ami_free(r.ami);
	sense_text_free(r.text);
	link_close(r.node);
	parent_close(r.parent);
	uv_close((uv_handle_t *)&r.flush, NULL);
	uv_close((uv_handle_t *)&r.figures, NULL);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	uv_loop_close(&r.loop);
	free(r.pending);
	return rc;
}
