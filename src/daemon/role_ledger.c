/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role `ledger`: holds the signing key and speaks to the ledger. It
 * decides nothing: what the ledger says goes to the node, what the node
 * decided is signed and submitted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/core_dump.h"
#include "base/http_client.h"
#include "base/log.h"
#include "daemon/ledger_seal.h"
#include "daemon/role_ledger.h"
#include "daemon/roles.h"
#include "ledger/ethereum/ethereum.h"
#include "ledger/local.h"

/*
 * A node that folds slowly makes the queue grow; a ledger of 100,000 live
 * reports is about 4 MB of operations.
 */
#define QUEUE_LIMIT (64u << 20)

#define WHERE_MS 1000 /* how often `status` hears of another endpoint or block */

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

static void on_watch(uv_timer_t *timer)
{
	role_ledger_self(timer->data, false);
}

/* Open the configured ledger. Returns 0, or -1 with a text. */
static int open_ledger(struct ledger_role *r, struct error *err)
{
	struct ledger_callbacks callbacks = role_ledger_callbacks;

	callbacks.context = r;
	r->ledger = role_ledger_on_chain(r) ?
		ethereum_ledger_new(&r->loop, &r->config->ledger.ethereum, r->signer,
			&callbacks, now_seconds, err) :
		local_ledger_new(&r->loop, r->config->ledger.path, r->signer, &callbacks,
			now_seconds, err);
	return r->ledger ? 0 : -1;
}

static void close_ledger(struct ledger_role *r)
{
	if (r->ledger)
		r->ledger->methods->close(r->ledger);
	r->ledger = NULL;
}

/*
 * Deliver all of the ledger to the node: the local one opened anew, which drops
 * what it had not written yet; the Ethereum one from its journal, while what it
 * has sent goes on.
 */
static void start_delivery(struct ledger_role *r)
{
	struct error err = {""};

	r->delivering = true;
	role_ledger_trouble_again(r);
	role_ledger_fates(r);
	if (!role_ledger_on_chain(r))
		close_ledger(r);
	if ((!r->ledger && open_ledger(r, &err)) ||
		r->ledger->methods->start(r->ledger, now_seconds(), &err)) {
		role_ledger_trouble(r, false, err.text);
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
	role_ledger_fate_forget(r, header.ticket);
	memset(&fate, 0, sizeof fate);
	fate.ticket = header.ticket;
	fate.fate = FATE_FAILED;
	if (!r->ledger || !r->signer)
		error_set(&fate.error, "%s",
			r->signer ? "the ledger is not open" :
				    "this node has no signing key ([member] key)");
	else if (!r->ledger->methods->submit(r->ledger, &batch, &fate.error))
		return;
	role_ledger_fate(r, &fate);
}

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct ledger_role *r = context;

	(void)l;
	(void)fd;
	if (type == MSG_LEDGER_START && payload.n == sizeof r->delivery) {
		memcpy(&r->delivery, payload.p, sizeof r->delivery);
		role_ledger_self(r, true);
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
	r->delivering = false;
	if (!role_ledger_on_chain(r))
		close_ledger(r);
	r->node = link_open(&r->loop, fd, QUEUE_LIMIT, &callbacks);
	if (!r->node)
		log_error("link to the node: %s", strerror(errno));
}

/* Whether two lists of endpoints are the same, secrets included. */
static bool same_endpoints(
	const struct ethereum_settings *a, const struct ethereum_settings *b)
{
	struct buffer x = {0}, y = {0};
	bool same = a->endpoint_count == b->endpoint_count;

	for (size_t i = 0; same && i < a->endpoint_count; i++) {
		endpoint_print(&x, &a->endpoints[i], true);
		endpoint_print(&y, &b->endpoints[i], true);
		buffer_put_u8(&x, '\n');
		buffer_put_u8(&y, '\n');
	}
	same = same && !x.failed && !y.failed && x.n == y.n &&
		(!x.n || !memcmp(x.p, y.p, x.n));
	if (x.p)
		explicit_bzero(x.p, x.n);
	if (y.p)
		explicit_bzero(y.p, y.n);
	buffer_free(&x);
	buffer_free(&y);
	return same;
}

/* Whether the rest of the Ethereum ledger's settings is the same. */
static bool same_settings(
	const struct ethereum_settings *a, const struct ethereum_settings *b)
{
	return !memcmp(a->contract, b->contract, ADDRESS20) &&
		a->chain_id == b->chain_id &&
		!memcmp(a->genesis, b->genesis, HASH_SIZE) &&
		!memcmp(a->code_hash, b->code_hash, HASH_SIZE) &&
		a->deployed == b->deployed && a->finality == b->finality &&
		a->depth == b->depth && a->max_fee == b->max_fee &&
		a->zero_fee == b->zero_fee && a->poll_ms == b->poll_ms;
}

/* Another ledger or key cannot be reached from inside the sandbox. */
static int on_reload(void *context, struct config *config, struct error *err)
{
	struct ledger_role *r = context;

	if (config->ledger.type != r->config->ledger.type ||
		strcmp(config->ledger.path, r->config->ledger.path) ||
		strcmp(config->member.key, r->config->member.key) ||
		!same_endpoints(&config->ledger.ethereum, &r->config->ledger.ethereum) ||
		!same_settings(&config->ledger.ethereum, &r->config->ledger.ethereum))
		return error_set(err,
			"[ledger] and [member] key change only with a restart of "
			"sipchaind");
	return 0;
}

static void on_stop(void *context, bool gone)
{
	struct ledger_role *r = context;

	(void)gone;
	uv_stop(&r->loop);
}

/*
 * What has to be read before the role is sealed: the key, the endpoints'
 * secrets, and what libraries read once. Returns 0, or -1 having logged it.
 */
static int open_secrets(struct ledger_role *r)
{
	struct ethereum_settings *s = &r->config->ledger.ethereum;
	struct error err = {""};

	/* The sandbox does so again, after the user has changed. */
	if (core_dump_forbid())
		log_warning("core dumps: %s", strerror(errno));
	if (r->config->member.key[0]) {
		r->signer = signer_open(r->config->member.key, &err);
		if (!r->signer) {
			log_error("[member] key: %s", err.text);
			return -1;
		}
	}
	if (!role_ledger_on_chain(r))
		return 0;
	for (size_t i = 0; i < s->endpoint_count; i++)
		if (endpoint_load(&s->endpoints[i], &err)) {
			log_error("[ledger] endpoint: %s", err.text);
			return -1;
		}
	if (!http_client_init(&err))
		return 0;
	log_error("%s", err.text);
	return -1;
}

/* The exit code that tells the parent when to start this role again. */
static int run(struct ledger_role *r)
{
	struct error err = {""};

	/*
	 * The Ethereum ledger is opened once, as the user that the role has become:
	 * its journal then has one owner, and it goes on writing while there is no
	 * node.
	 */
	if (ledger_seal(r->config, &err) ||
		(role_ledger_on_chain(r) && open_ledger(r, &err))) {
		log_error("%s", err.text);
		return ROLE_EXIT_FAILED;
	}
	if (role_ledger_on_chain(r))
		uv_timer_start(&r->watch, on_watch, WHERE_MS, WHERE_MS);
	parent_ready(r->parent);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	return r->failed ? ROLE_EXIT_FAILED : r->again ? ROLE_EXIT_AGAIN : ROLE_EXIT_OK;
}

int role_ledger(struct config *config, int parent_fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {
		.peer = on_peer, .reload = on_reload, .stop = on_stop};
	struct ledger_role *r = calloc(1, sizeof *r);
	int rc = ROLE_EXIT_FAILED;

	(void)hello;
	if (!r)
		return rc;
	r->config = config;
	r->trouble.healthy = true;
	uv_loop_init(&r->loop);
	uv_timer_init(&r->loop, &r->watch);
	r->watch.data = r;
	callbacks.context = r;
	r->parent = parent_open(&r->loop, parent_fd, &callbacks);
	if (r->parent)
		rc = open_secrets(r) ? ROLE_EXIT_CONFIG : run(r);
	close_ledger(r);
	link_close(r->node);
	r->node = NULL;
	parent_close(r->parent);
	uv_close((uv_handle_t *)&r->watch, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
	signer_free(r->signer);
	free(r);
	return rc;
}
