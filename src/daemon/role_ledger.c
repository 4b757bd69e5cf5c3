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
#include "base/log.h"
#include "daemon/ledger_seal.h"
#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "daemon/roles.h"
#include "ledger/ethereum/ethereum.h"
#include "ledger/ethereum/rpc.h"
#include "ledger/local.h"

/*
 * A node that folds slowly makes the queue grow; a ledger of 100,000 live
 * reports is about 4 MB of operations.
 */
#define QUEUE_LIMIT (64u << 20)

/* Fates that are told again to a new node: it may have died on the last ones. */
#define FATES_KEPT 64
#define WHERE_MS   1000 /* how often `status` hears of another endpoint or block */

struct ledger_role {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	struct link *node;
	struct signer *signer;
	struct ledger *ledger; /* an Ethereum ledger stays open when the node goes */
	uint32_t delivery;     /* of what the ledger delivers now */
	bool delivering;       /* this node has asked for it */
	bool failed;           /* the parent's backoff decides when to try again */
	bool again;            /* sealed from files that were replaced: start anew */
	struct ledger_trouble trouble; /* the last one, for a new node */
	struct ledger_self self;       /* as it was told */
	struct ledger_fate fates[FATES_KEPT];
	unsigned fates_next;
	uv_timer_t watch;
};

static bool on_chain(const struct ledger_role *r)
{
	return r->config->ledger.type == CONFIG_LEDGER_ETHEREUM;
}

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
	struct ledger_role *r = context;
	struct ledger_window w;

	if (!r->delivering)
		return;
	memset(&w, 0, sizeof w);
	w.before = *before;
	w.since = since;
	w.delivery = r->delivery;
	tell_node(r, MSG_WINDOW, &w, sizeof w);
}

static void on_event(void *context, const struct ledger_event *event)
{
	static uint8_t packet[sizeof(struct event_header) + OPERATION_MAX];
	struct ledger_role *r = context;
	struct event_header header;

	/* None is longer: operation_decode() saw to it. */
	if (!r->delivering || event->bytes.n > OPERATION_MAX)
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
	if (r->delivering)
		tell_node(r, MSG_UNDO, &r->delivery, sizeof r->delivery);
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	struct ledger_role *r = context;
	struct ledger_trouble *t = &r->trouble;

	memset(t, 0, sizeof *t);
	t->healthy = healthy;
	view_copy(t->text, sizeof t->text, view_str(text));
	if (healthy)
		log_notice("ledger: %s", text);
	else
		log_error("ledger: %s", text);
	tell_node(r, MSG_TROUBLE, t, sizeof *t);
	if (healthy || !on_chain(r) || !ledger_seal_stale())
		return;
	log_notice("the resolver's files were replaced; starting anew to read them");
	r->again = true;
	uv_stop(&r->loop);
}

static void on_caught_up(void *context)
{
	struct ledger_role *r = context;

	if (!r->delivering)
		return;
	/* The file that it complained of was opened anew, and read to its end. */
	if (!on_chain(r) && !r->trouble.healthy)
		on_trouble(r, true, "the ledger's file can be read again");
	tell_node(r, MSG_CAUGHT_UP, &r->delivery, sizeof r->delivery);
}

static void on_fate(void *context, const struct ledger_fate *fate)
{
	struct ledger_role *r = context;

	r->fates[r->fates_next++ % FATES_KEPT] = *fate;
	tell_node(r, MSG_FATE, fate, sizeof *fate);
}

/*
 * The last fates again: a node that died when one was on its way to it would
 * hand the batch over again, and a chain would be paid for it twice. Of a batch
 * that has no rows in flight any more the node takes no notice.
 */
static void tell_fates(struct ledger_role *r)
{
	for (unsigned i = 0; i < FATES_KEPT; i++) {
		const struct ledger_fate *f = &r->fates[(r->fates_next + i) % FATES_KEPT];

		if (f->ticket)
			tell_node(r, MSG_FATE, f, sizeof *f);
	}
}

/* A batch that comes (again) has no fate yet. */
static void forget_fate(struct ledger_role *r, uint64_t ticket)
{
	for (unsigned i = 0; i < FATES_KEPT; i++)
		if (r->fates[i].ticket == ticket)
			r->fates[i].ticket = 0;
}

/* How far the chain is read, and what of it is final. */
static void fill_progress(const struct ledger_role *r, struct ledger_self *self)
{
	struct ethereum_progress p;

	if (!on_chain(r) || !r->ledger)
		return;
	ethereum_ledger_progress(&p, r->ledger);
	self->head = p.head;
	self->head_time = p.head_time;
	self->final = p.final.number;
	self->final_time = p.final.timestamp;
	self->witnesses = p.witnesses;
	self->final_witnesses = p.final.witnesses;
}

/* Who we are and what we follow, if it is new (or to a new node). */
static void tell_self(struct ledger_role *r, bool anyway)
{
	struct ledger_self self;
	char where[sizeof self.where - 16];

	memset(&self, 0, sizeof self);
	if (r->signer) {
		self.has_key = 1;
		memcpy(self.address, signer_address(r->signer), ADDRESS20);
	}
	if (!on_chain(r))
		snprintf(self.where, sizeof self.where, "local %.190s",
			r->config->ledger.path);
	else if (r->ledger)
		snprintf(self.where, sizeof self.where, "ethereum %s",
			ethereum_ledger_where(where, sizeof where, r->ledger));
	fill_progress(r, &self);
	if (!anyway && !memcmp(&self, &r->self, sizeof self))
		return;
	r->self = self;
	tell_node(r, MSG_LEDGER_SELF, &self, sizeof self);
}

static void on_watch(uv_timer_t *timer)
{
	tell_self(timer->data, false);
}

/* Open the configured ledger. Returns 0, or -1 with a text. */
static int open_ledger(struct ledger_role *r, struct error *err)
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

	r->ledger = on_chain(r) ?
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
	if (!r->trouble.healthy)
		tell_node(r, MSG_TROUBLE, &r->trouble, sizeof r->trouble);
	tell_fates(r);
	if (!on_chain(r))
		close_ledger(r);
	if ((!r->ledger && open_ledger(r, &err)) ||
		r->ledger->methods->start(r->ledger, now_seconds(), &err)) {
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
	forget_fate(r, header.ticket);
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
		tell_self(r, true);
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
	if (!on_chain(r))
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
	if (!on_chain(r))
		return 0;
	for (size_t i = 0; i < s->endpoint_count; i++)
		if (endpoint_load(&s->endpoints[i], &err)) {
			log_error("[ledger] endpoint: %s", err.text);
			return -1;
		}
	if (!rpc_global_init(&err))
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
	if (ledger_seal(r->config, &err) || (on_chain(r) && open_ledger(r, &err))) {
		log_error("%s", err.text);
		return ROLE_EXIT_FAILED;
	}
	if (on_chain(r))
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
