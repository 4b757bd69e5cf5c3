/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_honeypot_state.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/config_honeypot.h"
#include "daemon/config_source.h"

#define FLUSH_MS    200
#define DESCRIPTORS 256 /* that the role has beside connections */

/* --- what goes between sockets, core and record --- */

static void on_receive(
	void *context, const struct honeypot_path *path, struct view bytes, usec now)
{
	struct sense_honeypot *h = context;

	honeypot_receive(h->core, path, bytes, now);
}

static void on_closed(void *context, uint64_t connection, usec now)
{
	struct sense_honeypot *h = context;

	honeypot_closed(h->core, connection, now);
}

static void on_send(void *context, const struct honeypot_path *path, struct view bytes)
{
	struct sense_honeypot *h = context;

	honeypot_sockets_send(h->sockets, path, bytes);
}

static void on_observe(void *context, const struct observation *o)
{
	struct sense_honeypot *h = context;

	h->observation(h->context, o);
}

static void on_record(void *context, const struct honeypot_record *r)
{
	struct sense_honeypot *h = context;
	struct record out = {
		.time = r->time,
		.session = r->session,
		.remote = r->path.remote,
		.local = r->path.local,
		.remote_port = r->path.remote_port,
		.local_port = r->path.local_port,
		.transport = r->path.transport,
		.out = r->out,
		.verdict = r->verdict,
		.proof = r->proof,
		.method = r->method,
		.status = r->status,
		.text = {[RECORD_ACCOUNT] = view_str(r->account),
			[RECORD_DIALLED] = view_str(r->dialled),
			[RECORD_AGENT] = view_str(r->agent),
			[RECORD_TOOL] = view_str(r->tool),
			[RECORD_TARGET] = view_str(r->target),
			[RECORD_WHY] = view_str(r->why)},
		.bytes = r->bytes,
	};

	if (h->recorder)
		recorder_put(h->recorder, &out);
	if (h->hep)
		hep_out_send(h->hep, &out);
}

/* --- time --- */

static void on_due(uv_timer_t *timer)
{
	struct sense_honeypot *h = timer->data;

	h->due_at = 0;
	(void)honeypot_due(h->core, clock_wall());
}

/* Before the loop sleeps: when is the core to be called next? */
static void on_prepare(uv_prepare_t *prepare)
{
	struct sense_honeypot *h = prepare->data;
	usec next = honeypot_next(h->core), now;

	if (next == h->due_at)
		return;
	h->due_at = next;
	if (!next) {
		uv_timer_stop(&h->due);
		return;
	}
	now = clock_wall();
	uv_timer_start(&h->due, on_due, next > now ? (next - now + 999) / 1000 : 0, 0);
}

static void on_flush(uv_timer_t *timer)
{
	struct sense_honeypot *h = timer->data;

	if (h->recorder)
		recorder_flush(h->recorder, clock_wall());
}

/* --- opening --- */

/* It is logged, and the first of them told in `status`. */
static void trouble(struct sense_honeypot *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void trouble(struct sense_honeypot *h, const char *fmt, ...)
{
	char text[sizeof h->trouble];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_error("%s", text);
	if (!h->trouble[0])
		memcpy(h->trouble, text, sizeof text);
}

/* Its own mistakes, a line each. */
static void trouble_lines(struct sense_honeypot *h, const struct buffer *lines)
{
	struct view rest = view_of(lines->p, lines->n);

	while (rest.n) {
		size_t n = view_find(rest, '\n');

		trouble(h, "%.*s", (int)n, (const char *)rest.p);
		rest = view_from(rest, n + 1);
	}
}

/* Without a core nothing is listened on. Returns -1 when memory is short. */
static int open_core(struct sense_honeypot *h, const struct control_hello *hello)
{
	const struct honeypot_hooks hooks = {h, on_send, on_observe, on_record};
	const struct config_honeypot *c = &h->config->honeypot;
	struct honeypot_config *config = malloc(sizeof *config);
	struct config_honeypot_files files = {NULL, NULL};
	struct buffer errors = {.max = 4096};
	struct error err = {""};

	if (!config)
		return -1;
	if (config_honeypot_files(&files, c, &errors)) {
		trouble_lines(h, &errors);
		goto done;
	}
	*config = honeypot_config_default;
	config->profile = files.profile;
	config->tools = files.tools;
	_Static_assert(sizeof config->baits == sizeof c->account, "the same accounts");
	memcpy(config->baits, c->account, sizeof config->baits);
	config->n_baits = c->account_count;
	config->refuse = c->accept_after;
	config->ring = (usec)c->ring * USEC_PER_SEC;
	config->talk = (usec)c->talk * USEC_PER_SEC;
	config->advertised = c->advertised;
	config->per_source = c->per_source;
	config->total = c->total;
	config->dialogs = c->calls;
	config->keep_secrets = c->secrets;
	h->core = honeypot_new(config, &hooks, hello->honeypot_key, clock_wall(), &err);
	if (!h->core)
		trouble(h, "[honeypot] %s", err.text);
	free(files.profile);
	free(files.tools);
done:
	buffer_free(&errors);
	free(config);
	return 0;
}

/* As many connections as descriptors allow, said when that is fewer than asked. */
static unsigned fit_connections(const struct config_honeypot *c)
{
	struct rlimit limit;
	rlim_t need = (rlim_t)c->connections + DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return c->connections;
	if (limit.rlim_cur < need && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= need)
		return c->connections;
	log_warning(
		"[honeypot] connections: %u need %llu descriptors and there are %llu; "
		"raise LimitNOFILE= of the service (ulimit -n)",
		c->connections, (unsigned long long)need,
		(unsigned long long)limit.rlim_cur);
	return limit.rlim_cur > 2 * DESCRIPTORS ? (unsigned)limit.rlim_cur - DESCRIPTORS :
						  DESCRIPTORS;
}

static int open_sockets(struct sense_honeypot *h)
{
	const struct honeypot_sockets_hooks hooks = {h, on_receive, on_closed};
	struct honeypot_sockets_config config = honeypot_sockets_config_default;
	const struct config_honeypot *c = &h->config->honeypot;

	config.connections_max = fit_connections(c);
	config.connections_tls = c->connections_tls;
	config.connections_per_source = c->connections_per_source;
	h->sockets = honeypot_sockets_new(h->loop, &config, &hooks);
	return h->sockets ? 0 : -1;
}

/* The certificate, with the first listener that needs it. Returns 0 or -1. */
static int need_tls(struct sense_honeypot *h, uint8_t transport, struct error *err)
{
	const struct config_honeypot *c = &h->config->honeypot;

	if (h->tls || (transport != TRANSPORT_TLS && transport != TRANSPORT_WSS))
		return 0;
	h->tls = c->certificate[0] ?
		honeypot_tls_new(c->certificate, c->key, err) :
		honeypot_tls_own(h->config->node.state, h->config->node.name, err);
	return h->tls ? 0 : -1;
}

/* fd is taken over in any case. */
static void add_listener(
	struct sense_honeypot *h, const struct config_listen *l, int fd, bool inherited)
{
	bool secure = l->transport == TRANSPORT_TLS || l->transport == TRANSPORT_WSS;
	struct buffer shown = {.max = 100};
	struct error err = {""};
	int rc = need_tls(h, l->transport, &err);

	if (rc)
		close(fd);
	else
		rc = honeypot_sockets_add(h->sockets, (enum sip_transport)l->transport,
			fd, secure ? h->tls : NULL, &err);
	config_listen_print(&shown, l);
	if (rc)
		trouble(h, "[honeypot] listen %.*s: %s", (int)shown.n,
			shown.p ? (char *)shown.p : "", err.text);
	else if (h->listener_count < HONEYPOT_LISTENERS_MAX)
		h->listeners[h->listener_count++] = (struct honeypot_listener){
			l->address, l->transport, inherited, l->port};
	buffer_free(&shown);
}

/* What an inherited socket is bound to, as one would have written it. */
static int inherited_listen(struct config_listen *out, int fd, uint8_t transport)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	int type;

	memset(out, 0, sizeof *out);
	if (getsockname(fd, (struct sockaddr *)&ss, &n) ||
		address_from_sockaddr(
			&out->address, &out->port, (const struct sockaddr *)&ss))
		return -1;
	n = sizeof type;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n))
		return -1;
	out->transport = transport ? transport :
		type == SOCK_DGRAM ? TRANSPORT_UDP :
				     TRANSPORT_TCP;
	return 0;
}

static bool same_socket(const struct config_listen *a, const struct config_listen *b)
{
	return (a->transport == TRANSPORT_UDP) == (b->transport == TRANSPORT_UDP) &&
		a->port == b->port && address_eq(&a->address, &b->address);
}

/*
 * Sockets of the service manager's. One that a line of `listen` describes takes its
 * place (bit set in *done), whatever its transport is there.
 */
static void add_inherited(
	struct sense_honeypot *h, const struct control_hello *hello, uint32_t *done)
{
	const struct config_honeypot *c = &h->config->honeypot;
	struct error err = {""};

	for (unsigned i = 0; i < hello->inherited && i < INHERITED_MAX; i++) {
		struct config_listen l;
		int fd = INHERITED_FD + (int)i;

		if (inherited_listen(&l, fd, hello->inherited_transport[i])) {
			close(fd);
			continue;
		}
		for (size_t j = 0; j < c->listen_count; j++) {
			if (!same_socket(&l, &c->listen[j]))
				continue;
			*done |= 1U << j;
			if (!hello->inherited_transport[i])
				l.transport = c->listen[j].transport;
		}
		if (honeypot_adopt(fd, l.transport == TRANSPORT_UDP, &err)) {
			trouble(h, "[honeypot] %s", err.text);
			close(fd);
		} else {
			add_listener(h, &l, fd, true);
		}
	}
}

static void add_listeners(struct sense_honeypot *h, const struct control_hello *hello)
{
	const struct config_honeypot *c = &h->config->honeypot;
	uint32_t done = 0;

	add_inherited(h, hello, &done);
	for (size_t i = 0; i < c->listen_count; i++) {
		const struct config_listen *l = &c->listen[i];
		struct error err = {""};
		int fd;

		if (done & 1U << i)
			continue;
		fd = l->transport == TRANSPORT_UDP ?
			honeypot_open_udp(&l->address, l->port, &err) :
			honeypot_open_tcp(&l->address, l->port, &err);
		if (fd < 0)
			trouble(h, "[honeypot] listen: %s", err.text);
		else
			add_listener(h, l, fd, false);
	}
}

static void open_record(struct sense_honeypot *h)
{
	const struct config_honeypot *c = &h->config->honeypot;
	struct recorder_config config = {.folder = h->folder,
		.max = c->record_max,
		.keep = c->record_keep,
		.user = (uid_t)-1,
		.group = (gid_t)-1};
	const struct passwd *pw = NULL;
	struct error err = {""};

	if (c->record[0])
		snprintf(h->folder, sizeof h->folder, "%s", c->record);
	else
		snprintf(h->folder, sizeof h->folder, "%.*s/honeypot",
			(int)sizeof h->folder - 10, h->config->node.state);
	if (!sandbox_user(h->config->node.user, &pw, &err) && pw) {
		config.user = pw->pw_uid;
		config.group = pw->pw_gid;
	}
	h->recorder = recorder_open(&config, &err);
	if (!h->recorder)
		trouble(h, "[honeypot] record: %s", err.text);
}

static void open_hep(struct sense_honeypot *h)
{
	const struct config_honeypot *c = &h->config->honeypot;
	const struct hep_out_config config = {
		c->hep.address, c->hep.port, c->hep_id, c->hep_password};
	struct error err = {""};

	if (!c->hep.address.family)
		return;
	h->hep = hep_out_open(&config, &err);
	if (!h->hep)
		trouble(h, "[honeypot] hep: %s", err.text);
}

static int start_clocks(struct sense_honeypot *h)
{
	uv_timer_init(h->loop, &h->due);
	uv_timer_init(h->loop, &h->flush);
	uv_prepare_init(h->loop, &h->prepare);
	h->due.data = h->flush.data = h->prepare.data = h;
	h->handles = 3;
	if (h->core)
		uv_prepare_start(&h->prepare, on_prepare);
	uv_unref((uv_handle_t *)&h->prepare);
	return uv_timer_start(&h->flush, on_flush, FLUSH_MS, FLUSH_MS);
}

int sense_honeypot_open(struct sense_honeypot **out, uv_loop_t *loop,
	const struct config *config, const struct control_hello *hello,
	observation_fn *observation, void *context)
{
	struct sense_honeypot *h;

	*out = NULL;
	if (!config->honeypot.listen_count && !hello->inherited)
		return 0;
	h = calloc(1, sizeof *h);
	if (!h)
		return -1;
	h->loop = loop;
	h->config = config;
	h->observation = observation;
	h->context = context;
	if (open_core(h, hello) || open_sockets(h) || start_clocks(h)) {
		log_error("out of memory for the honeypot");
		sense_honeypot_free(h);
		return -1;
	}
	*out = h;
	if (!h->core)
		return 0;
	open_record(h);
	open_hep(h);
	add_listeners(h, hello);
	log_notice("honeypot: %s on %u sockets%s", config->honeypot.profile,
		h->listener_count, h->recorder ? "" : ", recording nothing");
	return 0;
}

size_t sense_honeypot_paths(const struct sense_honeypot *h, struct sandbox_path *out)
{
	if (!h || !h->recorder)
		return 0;
	*out = (struct sandbox_path){h->folder, SANDBOX_READ | SANDBOX_WRITE};
	return 1;
}

bool sense_honeypot_changed(const struct sense_honeypot *h, const struct config *now,
	const struct config *next)
{
	const struct config_honeypot *c = &next->honeypot;

	if (memcmp(&now->honeypot, c, sizeof *c))
		return true;
	return h && (h->trouble[0] || c->profiles[0] || c->tools[0] || c->certificate[0]);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct sense_honeypot *h = handle->data;

	if (--h->handles == 0)
		free(h);
}

void sense_honeypot_free(struct sense_honeypot *h)
{
	if (!h)
		return;
	honeypot_sockets_close(h->sockets);
	honeypot_free(h->core);
	honeypot_tls_free(h->tls);
	recorder_close(h->recorder);
	hep_out_close(h->hep);
	h->core = NULL;
	if (!h->handles) {
		free(h);
		return;
	}
	uv_close((uv_handle_t *)&h->due, on_handle_closed);
	uv_close((uv_handle_t *)&h->flush, on_handle_closed);
	uv_close((uv_handle_t *)&h->prepare, on_handle_closed);
}
