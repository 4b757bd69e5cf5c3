/* SPDX-License-Identifier: Apache-2.0 */
#include "node_for_test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/outbox.h"

/* --- the clock --- */

static usec elapsed, wall, pace;

/* The linker puts these in the place of base/clock.c's. */
usec __wrap_clock_wall(void);
usec __wrap_clock_monotonic(void);

usec __wrap_clock_wall(void)
{
	return (usec)T0 * USEC_PER_SEC + elapsed + wall;
}

usec __wrap_clock_monotonic(void)
{
	elapsed += pace;
	return 1000 * USEC_PER_SEC + elapsed;
}

void clock_pace(double seconds)
{
	pace = (usec)(seconds * (double)USEC_PER_SEC + 0.5);
}

void clock_set(double seconds)
{
	elapsed = (usec)(seconds * (double)USEC_PER_SEC + 0.5);
}

void clock_set_wall(double seconds)
{
	wall = (usec)(int64_t)(seconds * (double)USEC_PER_SEC);
}

/* --- the node --- */

static int role_fd = -1; /* the ledger role's end */
static struct node *linked;

struct node *node_begin(const char *folder, bool chain)
{
	struct node *n = calloc(1, sizeof *n);
	struct error err = {""};
	char path[128];

	assert_non_null(n);
	n->config = calloc(1, sizeof *n->config);
	assert_non_null(n->config);
	n->config->ledger.type = chain ? CONFIG_LEDGER_ETHEREUM : CONFIG_LEDGER_LOCAL;
	n->config->policy = policy_default;
	n->healthy = true;
	n->started = clock_monotonic();
	n->put_off = true;
	node_clock_begin(n);
	uv_loop_init(&n->loop);
	uv_timer_init(&n->loop, &n->tick);
	n->tick.data = n;
	node_decide_open(n);
	n->hash_key = (struct hash_key){1, 2};
	n->registry = registry_new(n->hash_key);
	n->allow = allowlist_new();
	n->bans = ban_table_new(n->hash_key);
	ban_table_keep(n->bans, INDICATORS_OF_CALLS);
	n->config->numbers.calls = (struct detect_rule){2, 86400};
	n->config->numbers.prefix = (struct detect_rule){5, 86400};
	n->config->numbers.ttl = 86400;
	n->config->numbers.publish = true;
	assert_int_equal(node_numbers_open(n), 0);
	n->dirty = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, n->hash_key);
	snprintf(path, sizeof path, "%s/node.db", folder);
	n->store = store_open(path, &err);
	if (!n->store)
		fail_msg("%s", err.text);
	n->self.has_key = 1;
	memset(n->self.address, ALICE, ADDRESS20);
	n->self_known = true;
	assert_int_equal(node_bans_load(n, &err), 0);
	return n;
}

void node_unlink(struct node *n)
{
	link_close(n->ledger);
	n->ledger = NULL;
	if (role_fd >= 0)
		close(role_fd);
	role_fd = -1;
}

void node_kill(struct node *n)
{
	node_unlink(n);
	n->stopping = true;
	uv_close((uv_handle_t *)&n->tick, NULL);
	node_decide_close(n);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&n->loop), 0);
	numbers_free(n->numbers);
	registry_free(n->registry);
	registry_free(n->incoming);
	allowlist_free(n->allow);
	ban_table_free(n->bans);
	table_free(n->dirty);
	table_free(n->texts);
	free(n->in_flight);
	free(n->flights);
	store_close(n->store);
	free(n->config);
	free(n);
}

static void no_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	(void)context;
	(void)l;
	(void)type;
	(void)payload;
	(void)fd;
}

static void no_close(void *context, struct link *l, const char *why)
{
	(void)context;
	(void)l;
	(void)why;
}

void node_link(struct node *n)
{
	const struct link_callbacks callbacks = {
		.message = no_message, .closed = no_close};
	int fds[2];

	node_unlink(n);
	assert_int_equal(packet_pair(fds), 0);
	n->ledger = link_open(&n->loop, fds[0], 8u << 20, &callbacks);
	assert_non_null(n->ledger);
	role_fd = fds[1];
	linked = n;
	node_flights_forget(n);
	node_ledger_start(n);
	history_deliver(n);
}

/* --- the ledger's side --- */

static struct {
	struct buffer bytes;
	enum chain chain;
	uint8_t before[HASH_SIZE];
} history[512];
static size_t length;

struct running {
	uint8_t hash[HASH_SIZE];
	uint64_t seq;
};

/* A chain's tip after the first n operations. */
static struct running tip_after(size_t n, enum chain chain)
{
	struct running t = {{0}, 0};

	for (size_t i = 0; i < n; i++) {
		if (history[i].chain != chain)
			continue;
		tip_advance(
			t.hash, t.hash, view_of(history[i].bytes.p, history[i].bytes.n));
		t.seq++;
	}
	return t;
}

static void append(struct operation op)
{
	enum chain chain = operation_chain(op.type);
	struct running tip = tip_after(length, chain);

	assert_true(length < sizeof history / sizeof history[0]);
	op.seq = tip.seq;
	op.time = (uint32_t)(clock_wall() / USEC_PER_SEC);
	history[length].chain = chain;
	memcpy(history[length].before, tip.hash, HASH_SIZE);
	assert_int_equal(operation_encode(&history[length].bytes, &op), 0);
	length++;
}

static struct operation op_of(uint8_t type, uint8_t actor, uint16_t member)
{
	struct operation op = {.type = type, .member = member};

	memset(op.actor, actor, ADDRESS20);
	return op;
}

static void append_member(uint16_t member, uint8_t signer, uint32_t cap)
{
	struct operation op = op_of(OP_MEMBER_ADD, OWNER, member);

	op.weight = 1;
	op.cap = cap;
	op.name = view_str("Example Bank");
	op.signer_count = 1;
	memset(op.signers[0], signer, ADDRESS20);
	append(op);
}

void history_begin(uint32_t cap)
{
	struct operation op = op_of(OP_GENESIS, OWNER, 0);

	history_cut(0);
	op.config = (struct ledger_config){{16, 32, 5, true}, 86400, 1};
	append(op);
	append_member(1, ALICE, cap);
	append_member(2, BOB, cap);
}

size_t history_length(void)
{
	return length;
}

void history_cut(size_t to)
{
	while (length > to)
		buffer_free(&history[--length].bytes);
}

static void tell(struct node *n, size_t i)
{
	static uint8_t packet[sizeof(struct event_header) + OPERATION_MAX];
	struct event_header header;

	memset(&header, 0, sizeof header);
	header.delivery = n->delivery;
	header.chain = (uint8_t)history[i].chain;
	header.block = i;
	memcpy(header.tip_before, history[i].before, HASH_SIZE);
	memcpy(packet, &header, sizeof header);
	memcpy(packet + sizeof header, history[i].bytes.p, history[i].bytes.n);
	node_ledger_message(
		n, MSG_EVENT, view_of(packet, sizeof header + history[i].bytes.n));
}

void history_caught_up(struct node *n)
{
	node_ledger_message(n, MSG_CAUGHT_UP, view_of(&n->delivery, sizeof n->delivery));
}

void history_fold(struct node *n, struct operation op)
{
	append(op);
	tell(n, length - 1);
}

void history_tell(struct node *n, struct operation op)
{
	history_fold(n, op);
	history_caught_up(n);
}

void history_deliver(struct node *n)
{
	for (size_t i = 0; i < length; i++)
		tell(n, i);
	history_caught_up(n);
}

void history_report(struct node *n, const char *text, uint32_t cell, uint32_t expiry)
{
	struct report w = {.indicator = of(text),
		.expiry = expiry,
		.member = 2,
		.cell = cell,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP};
	struct operation op = op_of(OP_BATCH, BOB, 2);
	char published[1 + INDICATOR_SOURCE_TEXT + 1];
	uint8_t word[WORD_SIZE];

	word_encode(word, &w);
	op.count = 1;
	op.words = word;
	assert_int_equal(
		indicator_parse(&w.indicator, published + 1, view_str(text), NULL), 0);
	published[0] = (char)strlen(published + 1);
	if (published[0])
		op.texts = view_of(published, 1 + strlen(published + 1));
	history_tell(n, op);
}

bool take_submitted(struct submitted *out)
{
	static uint8_t buffer[PACKET_MAX];
	struct packet packet;

	for (;;) {
		size_t words;

		if (packet_receive(role_fd, buffer, &packet) != 1) {
			/* More than the socket takes waits in the link. */
			if (!link_queued(linked->ledger))
				return false;
			uv_run(&linked->loop, UV_RUN_NOWAIT);
			continue;
		}
		if (packet.type != MSG_SUBMIT)
			continue;
		assert_true(packet.payload.n >= sizeof out->header);
		memcpy(&out->header, packet.payload.p, sizeof out->header);
		words = (size_t)out->header.count * WORD_SIZE;
		assert_int_equal(packet.payload.n,
			sizeof out->header + words + out->header.texts_length);
		memcpy(out->raw, packet.payload.p + sizeof out->header, words);
		for (unsigned i = 0; i < out->header.count; i++)
			word_decode(&out->words[i], out->raw + (size_t)i * WORD_SIZE);
		return true;
	}
}

void include(struct node *n, const struct submitted *s)
{
	struct operation op = op_of(OP_BATCH, ALICE, s->header.member);

	memcpy(op.commitment, s->header.commitment, HASH_SIZE);
	op.count = s->header.count;
	op.words = s->raw;
	history_tell(n, op);
}

void tell_fate(struct node *n, uint64_t ticket, enum fate fate, enum refusal_code code,
	uint32_t entry)
{
	struct ledger_fate f;

	memset(&f, 0, sizeof f);
	f.ticket = ticket;
	f.fate = fate;
	f.refusal.code = code;
	f.refusal.entry = entry;
	f.block = 99;
	node_ledger_message(n, MSG_FATE, view_of(&f, sizeof f));
}

/* --- the node's side --- */

struct indicator of(const char *text)
{
	struct error err = {""};
	struct indicator i;

	if (indicator_parse(&i, NULL, view_str(text), &err))
		fail_msg("%s", err.text);
	return i;
}

static uint64_t decide(struct node *n, const char *text, uint8_t action, uint32_t expiry)
{
	struct node_report r;
	struct error err = {""};
	uint64_t row;

	memset(&r, 0, sizeof r);
	r.indicator = of(text);
	r.category = CATEGORY_PASSWORD;
	r.proof = PROOF_NONCE;
	r.action = action;
	r.expiry = expiry;
	r.evidence = "{}";
	row = node_publish(n, &r, &err);
	if (!row)
		fail_msg("%s", err.text);
	return row;
}

uint64_t decide_report(struct node *n, const char *text, uint32_t expiry)
{
	return decide(n, text, ACTION_REPORT, expiry);
}

uint64_t decide_spend(struct node *n, const char *text)
{
	return decide(n, text, ACTION_SPEND, 0);
}

const char *row_state(struct node *n, uint64_t row)
{
	struct outbox_row r;

	assert_int_equal(outbox_get(n->store, &r, row, NULL), 1);
	return outbox_state_name(r.state);
}
