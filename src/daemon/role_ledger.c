/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role `ledger`: holds the signing key and speaks to the ledger. It
 * decides nothing: what the ledger says goes to the node, what the node
 * decided is signed and submitted.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "ledger/local.h"

/*
 * A node that folds slowly makes the queue grow; a ledger of 100,000 live
 * reports is about 4 MB of operations.
 */
#define QUEUE_LIMIT (64u << 20)

struct ledger_role {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	struct link *node;
	struct signer *signer;
	struct ledger *ledger;
	uint32_t delivery; /* of what the ledger delivers now */
	bool failed;       /* the parent's backoff decides when to try again */
};

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

/* Send to the node; a node that cannot take it any more gets a new link. */
static void tell_node(struct ledger_role *r, uint16_t type, const void *p, size_t n)
{
	if (!r->node || !link_send(r->node, type, view_of(p, n)))
		return;
	if (errno == EAGAIN || errno == EMSGSIZE) {
		log_error("a message of %zu bytes to the node: %s; starting over", n,
			strerror(errno));
		link_close(r->node);
		r->node = NULL;
		r->failed = true;
		uv_stop(&r->loop);
	}
}

static void on_window(void *context, const struct tip *before, uint32_t since)
{
	struct ledger_window w;

	memset(&w, 0, sizeof w);
	w.before = *before;
	w.since = since;
	w.delivery = ((struct ledger_role *)context)->delivery;
	tell_node(context, MSG_WINDOW, &w, sizeof w);
}

static void on_event(void *context, const struct ledger_event *event)
{
	static uint8_t packet[sizeof(struct event_header) + OPERATION_MAX];
	struct ledger_role *r = context;
	struct event_header header;

	if (event->bytes.n > OPERATION_MAX) /* none is: operation_decode() saw to it */
		return;
	memset(&header, 0, sizeof header);
	header.delivery = r->delivery;
	header.chain = (uint8_t)event->chain;
	header.block = event->block;
	memcpy(header.tip_before, event->tip_before, HASH_SIZE);
	memcpy(packet, &header, sizeof header);
	memcpy(packet + sizeof header, event->bytes.p, event->bytes.n);
	tell_node(context, MSG_EVENT, packet, sizeof header + event->bytes.n);
}

static void on_undo(void *context, uint64_t block)
{
	struct ledger_role *r = context;

	(void)block;
	tell_node(r, MSG_UNDO, &r->delivery, sizeof r->delivery);
}

static void on_caught_up(void *context)
{
	struct ledger_role *r = context;

	tell_node(r, MSG_CAUGHT_UP, &r->delivery, sizeof r->delivery);
}

static void on_fate(void *context, const struct ledger_fate *fate)
{
	tell_node(context, MSG_FATE, fate, sizeof *fate);
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	struct ledger_trouble t;

	memset(&t, 0, sizeof t);
	t.healthy = healthy;
	view_copy(t.text, sizeof t.text, view_str(text));
	if (healthy)
		log_notice("ledger: %s", text);
	else
		log_error("ledger: %s", text);
	tell_node(context, MSG_TROUBLE, &t, sizeof t);
}

static void tell_self(struct ledger_role *r)
{
	struct ledger_self self;

	memset(&self, 0, sizeof self);
	if (r->signer) {
		self.has_key = 1;
		memcpy(self.address, signer_address(r->signer), ADDRESS20);
	}
	snprintf(self.where, sizeof self.where, "local %.190s", r->config->ledger.path);
	tell_node(r, MSG_LEDGER_SELF, &self, sizeof self);
}

/* Open the ledger and deliver all of it to the node. */
static void start_delivery(struct ledger_role *r)
{
	const struct ledger_callbacks callbacks = {
		.context = r,
		.window = on_window,
		.event = on_event,
		.undo = on_undo,
		.caught_up = on_caught_up,
		.fate = on_fate,
		.trouble = on_trouble,
	};
	struct error err = {""};

	if (r->ledger)
		r->ledger->methods->close(r->ledger);
	r->ledger = local_ledger_new(&r->loop, r->config->ledger.path, r->signer,
		&callbacks, now_seconds, &err);
	if (!r->ledger || r->ledger->methods->start(r->ledger, now_seconds(), &err)) {
		on_trouble(r, false, err.text);
		r->failed = true;
		uv_stop(&r->loop);
	}
}

/* A batch from the node: check its lengths, then sign and submit it. */
static void submit(struct ledger_role *r, struct view payload)
{
	struct submit_header header;
	struct ledger_batch batch;
	struct ledger_fate fate;
	size_t words;

	if (payload.n < sizeof header)
		return;
	memcpy(&header, payload.p, sizeof header);
	words = (size_t)header.count * WORD_SIZE;
	if (header.count > BATCH_MAX ||
		payload.n != sizeof header + words + header.texts_length)
		return;
	memset(&batch, 0, sizeof batch);
	batch.ticket = header.ticket;
	batch.member = header.member;
	batch.count = header.count;
	memcpy(batch.commitment, header.commitment, HASH_SIZE);
	batch.words = payload.p + sizeof header;
	batch.texts = view_of(batch.words + words, header.texts_length);
	memset(&fate, 0, sizeof fate);
	fate.ticket = header.ticket;
	fate.fate = FATE_FAILED;
	if (!r->ledger || !r->signer)
		error_set(&fate.error, "%s",
			r->signer ? "the ledger is not open" :
				    "this node has no signing key ([member] key)");
	else if (!r->ledger->methods->submit(r->ledger, &batch, &fate.error))
		return;
	on_fate(r, &fate);
}

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct ledger_role *r = context;

	(void)l;
	(void)fd;
	if (type == MSG_LEDGER_START && payload.n == sizeof r->delivery) {
		memcpy(&r->delivery, payload.p, sizeof r->delivery);
		tell_self(r);
		start_delivery(r);
	} else if (type == MSG_SUBMIT) {
		submit(r, payload);
	}
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	struct ledger_role *r = context;

	(void)why;
	link_close(l);
	if (r->node == l)
		r->node = NULL;
}

static void on_peer(void *context, enum role peer, int fd, uint32_t starts, pid_t pid)
{
	const struct link_callbacks callbacks = {
		.context = context, .message = on_message, .closed = on_link_closed};
	struct ledger_role *r = context;

	(void)peer;
	(void)starts;
	(void)pid;
	link_close(r->node);
	/* What was delivered to the last node is not this one's: it asks anew. */
	if (r->ledger)
		r->ledger->methods->close(r->ledger);
	r->ledger = NULL;
	r->node = link_open(&r->loop, fd, QUEUE_LIMIT, &callbacks);
	if (!r->node)
		log_error("link to the node: %s", strerror(errno));
}

/* Another ledger or key cannot be reached from inside the sandbox. */
static int on_reload(void *context, struct config *config, struct error *err)
{
	struct ledger_role *r = context;

	if (strcmp(config->ledger.path, r->config->ledger.path) ||
		strcmp(config->member.key, r->config->member.key))
		return error_set(err,
			"[ledger] path and [member] key change only with a "
			"restart of sipchaind");
	return 0;
}

static void on_stop(void *context, bool gone)
{
	struct ledger_role *r = context;

	(void)gone;
	uv_stop(&r->loop);
}

/* Seal: the ledger's folder is all that stays within reach. */
static int seal(const struct config *config, struct error *err)
{
	char path[CONFIG_PATH_MAX];
	struct sandbox_path paths[1];
	struct sandbox box = {.role = ROLE_LEDGER,
		.user = config->node.user,
		.paths = paths,
		.paths_count = 1};

	snprintf(path, sizeof path, "%s", config->ledger.path);
	paths[0] = (struct sandbox_path){dirname(path), SANDBOX_READ | SANDBOX_WRITE};
	return sandbox_seal(&box, err);
}

int role_ledger(struct config *config, int parent_fd, const struct control_hello *hello)
{
	const struct parent_callbacks callbacks = {
		.peer = on_peer, .reload = on_reload, .stop = on_stop};
	struct parent_callbacks with_context = callbacks;
	struct ledger_role r = {.config = config};
	struct error err = {""};
	int rc = ROLE_EXIT_FAILED;

	(void)hello;
	uv_loop_init(&r.loop);
	with_context.context = &r;
	r.parent = parent_open(&r.loop, parent_fd, &with_context);
	if (!r.parent)
		goto done;
	if (config->member.key[0]) {
		r.signer = signer_open(config->member.key, &err);
		if (!r.signer) {
			log_error("[member] key: %s", err.text);
			rc = ROLE_EXIT_CONFIG;
			goto done;
		}
	}
	if (seal(config, &err)) {
		log_error("%s", err.text);
		goto done;
	}
	parent_ready(r.parent);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	rc = r.failed ? ROLE_EXIT_FAILED : ROLE_EXIT_OK;
done:
	if (r.ledger)
		r.ledger->methods->close(r.ledger);
	link_close(r.node);
	parent_close(r.parent);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	uv_loop_close(&r.loop);
	signer_free(r.signer);
	return rc;
}
