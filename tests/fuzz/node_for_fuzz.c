/* SPDX-License-Identifier: Apache-2.0 */
#include "node_for_fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/node_webhook.h"

#define OWNER 0xa1
#define ALICE 0xa3 /* signer of member 1, which the node is */

static char folder[64];

static void remove_folder(void)
{
	static const char *const names[] = {
		"node.db", "node.db-wal", "node.db-shm", "control.sock"};
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* In memory where there is such a place: each input has a store of its own. */
static void make_folder(void)
{
	if (folder[0])
		return;
	snprintf(folder, sizeof folder, "%s/sipchain-fuzz-XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		abort();
	atexit(remove_folder);
}

const char *fuzz_node_socket(void)
{
	static char path[128];

	make_folder();
	snprintf(path, sizeof path, "%s/control.sock", folder);
	return path;
}

static struct config *configuration(void)
{
	static const char text[] =
		"[node]\nname = a\n[member]\nkey = /k\n[report]\nunproved = ban\n"
		"[enforce]\ntype = none\n"
		"[webhook \"a\"]\nurl = https://a.example.net\nsecret_file = /s\n"
		"[webhook \"b\"]\nurl = https://b.example.net\nsecret_file = /s\n"
		"events = ban unban\n";
	struct config *c = malloc(sizeof *c);
	struct buffer errors = {.max = 4096};

	if (!c)
		abort();
	if (config_parse(c, "fuzz", view_str(text), &errors)) {
		fprintf(stderr, "%.*s", (int)errors.n, (char *)errors.p);
		abort();
	}
	return c;
}

/* --- a ledger of two operations --- */

static void fold(struct node *n, struct operation op, uint64_t seq)
{
	const struct tip *tip = registry_tip(n->incoming, CHAIN_ADMIN);
	struct event_header header = {.delivery = n->delivery, .chain = CHAIN_ADMIN};
	struct buffer bytes = {.max = PACKET_PAYLOAD_MAX};

	op.seq = seq;
	op.time = 1700000000;
	memset(op.actor, OWNER, ADDRESS20);
	memcpy(header.tip_before, tip->hash, HASH_SIZE);
	buffer_put(&bytes, &header, sizeof header);
	if (operation_encode(&bytes, &op))
		abort();
	node_ledger_message(n, MSG_EVENT, view_of(bytes.p, bytes.n));
	buffer_free(&bytes);
}

static void read_ledger(struct node *n)
{
	struct operation genesis = {.type = OP_GENESIS};
	struct operation member = {.type = OP_MEMBER_ADD,
		.member = 1,
		.weight = 1,
		.cap = 16,
		.name = view_str("Example Bank"),
		.signer_count = 1};

	n->delivery = 1;
	n->incoming = registry_new(n->hash_key);
	if (!n->incoming)
		abort();
	genesis.config = (struct ledger_config){{16, 32, 5, true}, 86400, 1};
	fold(n, genesis, 0);
	memset(member.signers[0], ALICE, ADDRESS20);
	fold(n, member, 1);
	n->self.has_key = 1;
	memset(n->self.address, ALICE, ADDRESS20);
	n->self_known = true;
	node_ledger_message(n, MSG_CAUGHT_UP, view_of(&n->delivery, sizeof n->delivery));
	if (!n->caught_up || !node_member(n))
		abort();
}

/* --- the node --- */

static int deliver_fd = -1; /* the other end, of which nobody reads */

static void no_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	(void)context;
	(void)l;
	(void)type;
	(void)payload;
	(void)fd;
}

static void no_end(void *context, struct link *l, const char *why)
{
	(void)context;
	(void)l;
	(void)why;
}

/* Webhooks, and a link that takes their batches. */
static void open_webhooks(struct node *n)
{
	const struct link_callbacks callbacks = {.message = no_message, .closed = no_end};
	struct error err = {""};
	int fds[2];

	if (node_webhooks_open(n, &err) || packet_pair(fds)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	deliver_fd = fds[1];
	n->deliver = link_open(&n->loop, fds[0], 1U << 20, &callbacks);
	if (!n->deliver)
		abort();
	node_webhooks_linked(n);
}

static void open_store(struct node *n)
{
	struct error err = {""};
	char path[128];

	make_folder();
	snprintf(path, sizeof path, "%s/node.db", folder);
	unlink(path);
	n->store = store_open(path, &err);
	if (!n->store || node_bans_load(n, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

struct node *fuzz_node_begin(void)
{
	struct node *n = calloc(1, sizeof *n);

	log_open("fuzz", 0);
	if (!n)
		abort();
	n->config = configuration();
	n->healthy = true;
	n->put_off = true;
	n->started = clock_monotonic();
	node_clock_begin(n);
	uv_loop_init(&n->loop);
	uv_timer_init(&n->loop, &n->tick);
	n->tick.data = n;
	n->hash_key = (struct hash_key){1, 2};
	n->detector = detector_new(&n->config->detect, n->hash_key);
	n->trail = trail_new(1U << 20, n->hash_key);
	n->registry = registry_new(n->hash_key);
	n->allow = allowlist_new();
	n->bans = ban_table_new(n->hash_key);
	n->dirty = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, n->hash_key);
	if (!n->detector || !n->trail || !n->registry || !n->allow || !n->bans ||
		!n->dirty)
		abort();
	config_own(&n->own, n->config);
	ban_table_keep(n->bans, INDICATORS_OF_CALLS);
	if (node_numbers_open(n))
		abort();
	open_store(n);
	open_webhooks(n);
	read_ledger(n);
	return n;
}

void fuzz_node_end(struct node *n)
{
	n->stopping = true;
	node_stop_waiting(n);
	node_webhooks_close(n);
	link_close(n->deliver);
	close(deliver_fd);
	control_close(n->control);
	uv_close((uv_handle_t *)&n->tick, NULL);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&n->loop))
		abort();
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
	node_webhooks_free(n->webhooks);
	store_close(n->store);
	config_free(n->config);
	free(n->config);
	free(n);
}

static void must_be_sendable(json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (!text)
		abort();
	free(text);
	json_decref(answer);
}

void fuzz_node_check(struct node *n)
{
	must_be_sendable(node_status(n));
	must_be_sendable(node_banned(n));
}
