/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role `deliver`: signs the batches that the node hands over and posts them to
 * the webhooks' receivers. It holds their secrets and decides nothing: what an answer
 * means goes back to the node, which says when to try again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/webhook_post.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/core_dump.h"
#include "base/log.h"
#include "base/secret_page.h"
#include "daemon/config_webhook.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "daemon/seal_reach.h"

/* Outcomes are small; a node that takes none for so long is given up. */
#define QUEUE_LIMIT (1U << 20)

/* How long what is under way may take when the role is to start anew. */
#define FINISH_MS 2000

struct deliver;

/* One webhook, and its batch. */
struct target {
	struct deliver *role;
	const struct config_webhook *config;
	struct webhook_secret *secrets; /* WEBHOOK_SECRETS_MAX, in the page */
	struct webhook_config post;
	char trouble[sizeof((struct webhook_self *)0)->trouble];
	uint64_t ticket; /* of what comes or is under way; 0: nothing */
	uint32_t length; /* of its whole body */
	struct buffer body;
	char id[WEBHOOK_ID_MAX];
	uint64_t request; /* of webhook_post_send(); 0: not all of it has come */
};

struct deliver {
	uv_loop_t loop;
	uv_timer_t finish;
	struct config *config;
	struct parent *parent;
	struct link *node;
	struct webhook_post *post;
	void *page; /* for all secrets */
	struct target targets[CONFIG_WEBHOOKS_MAX];
	bool again; /* sealed from files that have changed: start anew */
};

_Static_assert(CONFIG_WEBHOOKS_MAX *WEBHOOK_SECRETS_MAX * sizeof(struct webhook_secret) <=
		SECRET_PAGE_SIZE,
	"all secrets fit the page");
_Static_assert(CONFIG_WEBHOOKS_MAX <= WEBHOOKS_MAX, "all may be under way");

/* --- batches --- */

static struct target *target_of(struct deliver *r, const char *name)
{
	for (size_t i = 0; i < r->config->webhook_count; i++)
		if (!strcmp(r->targets[i].config->name, name))
			return &r->targets[i];
	return NULL;
}

/* Whatever it was about is forgotten. */
static void drop(struct target *t)
{
	webhook_post_cancel(t->role->post, t->request);
	t->request = t->ticket = 0;
	buffer_free(&t->body);
}

static void drop_all(struct deliver *r)
{
	for (size_t i = 0; i < r->config->webhook_count; i++)
		drop(&r->targets[i]);
}

static bool busy(const struct deliver *r)
{
	for (size_t i = 0; i < r->config->webhook_count; i++)
		if (r->targets[i].request)
			return true;
	return false;
}

static void tell(struct deliver *r, uint16_t type, const void *p, size_t n)
{
	if (r->node && link_send(r->node, type, view_of(p, n)) && errno == EAGAIN) {
		log_error("the node takes no outcomes; a new link is needed");
		uv_stop(&r->loop);
	}
}

/* The node hears what came of it; what a failure may be the sign of is looked at. */
static void told(struct target *t, const struct webhook_outcome *o)
{
	struct deliver *r = t->role;
	struct batch_done done;

	memset(&done, 0, sizeof done);
	done.ticket = t->ticket;
	done.took = o->took;
	done.status = o->status;
	done.retry_s = o->retry_s;
	done.verdict = (uint8_t)o->verdict;
	memcpy(done.webhook, t->config->name, sizeof done.webhook);
	view_copy(done.reason, sizeof done.reason, view_str(o->reason.text));
	t->request = 0;
	drop(t);
	tell(r, MSG_POSTED, &done, sizeof done);
	if (!r->again && o->verdict == WEBHOOK_LATER && !o->status && reach_stale()) {
		log_notice(
			"the resolver's files were replaced; starting anew to read them");
		r->again = true;
	}
	if (r->again && !busy(r))
		uv_stop(&r->loop);
}

static void on_done(void *context, const struct webhook_outcome *outcome)
{
	told(context, outcome);
}

static void failed(struct target *t, const char *why)
{
	struct webhook_outcome o = {.verdict = WEBHOOK_LATER};

	error_set(&o.reason, "%s", why);
	told(t, &o);
}

static void post(struct target *t)
{
	t->request = webhook_post_send(t->role->post, &t->post, t->id,
		view_of(t->body.p, t->body.n), clock_wall() / USEC_PER_SEC, on_done, t);
	if (!t->request)
		failed(t, "out of memory");
}

/* A first part: what was before is given up, the node knows why. */
static void begin(struct target *t, const struct batch_header *h)
{
	drop(t);
	t->ticket = h->ticket;
	t->length = h->length;
	t->body.max = h->length;
	memcpy(t->id, h->id, sizeof t->id);
}

static void batch(struct deliver *r, struct view payload)
{
	struct batch_header h;
	struct view part;
	struct target *t;

	if (payload.n <= sizeof h || r->again)
		return; /* the node sends all again over the next link */
	memcpy(&h, payload.p, sizeof h);
	part = view_from(payload, sizeof h);
	h.webhook[sizeof h.webhook - 1] = h.id[sizeof h.id - 1] = 0;
	t = target_of(r, h.webhook);
	if (!t || !h.ticket || !h.length || h.length > BATCH_BODY_MAX ||
		part.n > h.length || h.offset > h.length - part.n)
		return;
	if (!h.offset)
		begin(t, &h);
	if (t->request || t->ticket != h.ticket || t->length != h.length ||
		t->body.n != h.offset)
		return;
	if (t->trouble[0])
		failed(t, t->trouble);
	else if (buffer_put(&t->body, part.p, part.n))
		failed(t, "out of memory");
	else if (t->body.n == t->length)
		post(t);
}

/* --- links --- */

static void tell_self(struct deliver *r)
{
	struct webhook_self list[CONFIG_WEBHOOKS_MAX];
	size_t n = r->config->webhook_count;

	memset(list, 0, sizeof list);
	for (size_t i = 0; i < n; i++) {
		memcpy(list[i].webhook, r->targets[i].config->name,
			sizeof list[i].webhook);
		memcpy(list[i].trouble, r->targets[i].trouble, sizeof list[i].trouble);
	}
	tell(r, MSG_WEBHOOKS, list, n * sizeof list[0]);
}

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	(void)l;
	(void)fd;
	if (type == MSG_POST)
		batch(context, payload);
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	struct deliver *r = context;

	(void)why;
	link_close(l);
	if (r->node != l)
		return;
	r->node = NULL;
	drop_all(r); /* the next node begins each batch again: never two at once */
}

static void on_peer(void *context, enum role peer, int fd, uint32_t starts, pid_t pid)
{
	const struct link_callbacks callbacks = {
		.context = context, .message = on_message, .closed = on_link_closed};
	struct deliver *r = context;

	(void)peer;
	(void)starts;
	(void)pid;
	link_close(r->node);
	drop_all(r);
	r->node = link_open(&r->loop, fd, QUEUE_LIMIT, &callbacks);
	if (!r->node)
		log_error("link to the node: %s", strerror(errno));
	else
		tell_self(r);
}

static void on_finish(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Secrets are read anew, which nothing can be from inside the sandbox. */
static int on_reload(void *context, struct config *config, struct error *err)
{
	struct deliver *r = context;

	(void)config;
	(void)err;
	r->again = true;
	if (busy(r))
		uv_timer_start(&r->finish, on_finish, FINISH_MS, 0);
	else
		uv_stop(&r->loop);
	return 0;
}

static void on_stop(void *context, bool gone)
{
	struct deliver *r = context;

	(void)gone;
	uv_stop(&r->loop);
}

/* --- start --- */

/* One webhook: what is wrong with its files keeps it alone from working. */
static void open_target(struct deliver *r, size_t i)
{
	struct target *t = &r->targets[i];
	struct error err = {""};

	t->role = r;
	t->config = &r->config->webhooks[i];
	t->secrets = (struct webhook_secret *)r->page + i * WEBHOOK_SECRETS_MAX;
	t->post = (struct webhook_config){.name = t->config->name,
		.url = t->config->url,
		.ca_file = t->config->ca_file,
		.timeout_s = t->config->timeout};
	if (config_webhook_secrets(t->secrets, t->config, &err) ||
		config_webhook_authorities(t->config, &err)) {
		view_copy(t->trouble, sizeof t->trouble, view_str(err.text));
		log_error("[webhook \"%s\"] %s", t->config->name, err.text);
	}
	for (size_t k = 0; k < WEBHOOK_SECRETS_MAX; k++)
		t->post.secret[k] = t->secrets[k].n ? &t->secrets[k] : NULL;
}

/* What has to be read before the role is sealed. Returns 0, or -1 with a text. */
static int open_all(struct deliver *r, struct error *err)
{
	/* The sandbox does so again, after the user has changed. */
	if (core_dump_forbid())
		log_warning("core dumps: %s", strerror(errno));
	r->page = secret_page_new();
	if (!r->page)
		return error_set(
			err, "memory for the webhooks' secrets: %s", strerror(errno));
	for (size_t i = 0; i < r->config->webhook_count; i++)
		open_target(r, i);
	r->post = webhook_post_open(&r->loop, err);
	return r->post ? 0 : -1;
}

static int seal(struct deliver *r, struct error *err)
{
	struct sandbox box = {
		.role = ROLE_DELIVER, .user = r->config->node.user, .connects = true};
	struct reach reach = {.paths_count = 0};
	struct webhook_url url;

	reach_names(&reach);
	reach_certificates(&reach);
	for (size_t i = 0; i < r->config->webhook_count; i++) {
		const struct config_webhook *w = &r->config->webhooks[i];

		reach_path(&reach, w->ca_file, SANDBOX_READ);
		if (!webhook_url_check(&url, w->url, w->insecure, NULL))
			reach_port(&reach, url.port);
	}
	box.paths = reach.paths;
	box.paths_count = reach.paths_count;
	box.ports = reach.ports;
	box.ports_count = reach.ports_count;
	return sandbox_seal(&box, err);
}

/* As the user that the role has become. */
static void check_authorities(struct deliver *r)
{
	for (size_t i = 0; i < r->config->webhook_count; i++) {
		struct target *t = &r->targets[i];
		struct error err = {""};

		if (t->trouble[0] || !config_webhook_authorities(t->config, &err))
			continue;
		error_prefix(&err, "for user %s",
			r->config->node.user[0] ? r->config->node.user : "root");
		view_copy(t->trouble, sizeof t->trouble, view_str(err.text));
		log_error("[webhook \"%s\"] %s; let it read the file", t->config->name,
			err.text);
	}
}

static int run(struct deliver *r)
{
	struct error err = {""};

	if (open_all(r, &err) || seal(r, &err)) {
		log_error("%s", err.text);
		return ROLE_EXIT_FAILED;
	}
	check_authorities(r);
	parent_ready(r->parent);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	return r->again ? ROLE_EXIT_AGAIN : ROLE_EXIT_OK;
}

int role_deliver(struct config *config, int parent_fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {
		.peer = on_peer, .reload = on_reload, .stop = on_stop};
	struct deliver *r = calloc(1, sizeof *r);
	int rc = ROLE_EXIT_FAILED;

	(void)hello;
	if (!r)
		return rc;
	r->config = config;
	uv_loop_init(&r->loop);
	uv_timer_init(&r->loop, &r->finish);
	callbacks.context = r;
	r->parent = parent_open(&r->loop, parent_fd, &callbacks);
	if (r->parent)
		rc = run(r);
	if (r->post)
		drop_all(r);
	webhook_post_close(r->post);
	link_close(r->node);
	r->node = NULL;
	parent_close(r->parent);
	uv_close((uv_handle_t *)&r->finish, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
	secret_page_free(r->page);
	free(r);
	return rc;
}
