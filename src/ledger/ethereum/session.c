/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/session_state.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/http_client.h"
#include "base/keccak.h"
#include "ledger/ethereum/abi.h"

/* --- the loop --- */

static void on_slept(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

void session_sleep(struct session *s, unsigned ms)
{
	bool over = false;

	s->timer.data = &over;
	uv_timer_start(&s->timer, on_slept, ms, 0);
	while (!over)
		uv_run(&s->loop, UV_RUN_ONCE);
}

struct rpc *session_rpc(struct session *s, size_t i, struct session_failure *why)
{
	struct endpoint *e = &s->settings.endpoints[i];
	struct error err = {""};

	if (s->rpc[i])
		return s->rpc[i];
	if (!endpoint_load(e, &err))
		s->rpc[i] = rpc_open(&s->loop, e, &err);
	if (!s->rpc[i])
		session_fail(why, SESSION_FAILED, "%s", err.text);
	return s->rpc[i];
}

/* --- is it our ledger? --- */

enum { ASK_CHAIN, ASK_HEAD, ASK_GENESIS, ASK_CODE, ASK_COUNT };

#define VIEWS_MAX 8

static int check_chain(struct session *s, const json_t *chain, const json_t *block,
	struct session_failure *why)
{
	struct ethereum_settings *c = &s->settings;
	char here[2 * HASH_SIZE + 3], pinned[2 * HASH_SIZE + 3];
	struct header genesis;
	struct error err;
	uint64_t id;

	if (quantity_parse(&id, chain) || !id)
		return session_fail(why, SESSION_NOT_RPC,
			"%s: eth_chainId answers with no chain id", session_endpoint(s));
	if (c->chain_id && id != c->chain_id)
		return session_fail(why, SESSION_WRONG_CHAIN,
			"%s: is chain %" PRIu64 ", and our ledger is on chain %" PRIu64
			": write an endpoint of that chain",
			session_endpoint(s), id, c->chain_id);
	c->chain_id = id;
	if (!block) /* not asked for */
		return 0;
	if (header_parse(&genesis, block, &err))
		return session_fail(why, SESSION_NOT_RPC, "%s: block 0: %s",
			session_endpoint(s), err.text);
	if (!bytes_zero(c->genesis, HASH_SIZE) &&
		memcmp(c->genesis, genesis.hash, HASH_SIZE))
		return session_fail(why, SESSION_WRONG_CHAIN,
			"%s: is another chain of the same id: its block 0 is %.18s..., ours "
			"is %.18s...; write an endpoint of ours",
			session_endpoint(s), fixed_print(here, genesis.hash, HASH_SIZE),
			fixed_print(pinned, c->genesis, HASH_SIZE));
	memcpy(c->genesis, genesis.hash, HASH_SIZE);
	return 0;
}

/* Ask a contract that is not our build's what it is. 0: it speaks our version. */
static int check_version(struct session *s, struct session_failure *why)
{
	struct session_view view = {.call = {0}};
	char address[ADDRESS20_TEXT];
	struct session_failure ignored = {0};
	uint64_t version = 0;
	bool ours;

	abi_call_version(&view.call);
	ours = !session_views(s, NULL, &view, 1, &ignored) &&
		!abi_uint_decode(&version, view_of(view.result.p, view.result.n), NULL);
	views_free(&view, 1);
	address20_print(address, s->settings.contract);
	if (!ours)
		return session_fail(why, SESSION_WRONG_CODE,
			"the contract at %s is no SIPchain: write the address that "
			"`sipchain contract deploy` printed",
			address);
	if (version != CONTRACT_VERSION)
		return session_fail(why, SESSION_WRONG_CODE,
			"the contract at %s is SIPchain of version %" PRIu64
			", and this sipchain speaks version %d: install the sipchain that "
			"belongs to it",
			address, version, CONTRACT_VERSION);
	return 0;
}

static int check_code(struct session *s, const json_t *code, struct session_failure *why)
{
	uint8_t hash[HASH_SIZE], own[HASH_SIZE];
	char address[ADDRESS20_TEXT];
	struct buffer bytes = {0};
	bool pinned = !bytes_zero(s->settings.code_hash, HASH_SIZE);

	address20_print(address, s->settings.contract);
	if (hex_bytes(&bytes, code)) {
		buffer_free(&bytes);
		return session_fail(why, SESSION_NOT_RPC,
			"%s: eth_getCode answers with no code", session_endpoint(s));
	}
	keccak256(hash, bytes.p, bytes.n);
	buffer_free(&bytes);
	if (json_string_length(code) == 2)
		return session_fail(why, SESSION_NO_CODE,
			"there is no contract at %s on chain %" PRIu64
			": check the address, and whether %s is of the right network and "
			"has caught up",
			address, s->settings.chain_id, session_endpoint(s));
	abi_code_hash(own);
	if (memcmp(hash, own, HASH_SIZE) && check_version(s, why))
		return -1;
	if (memcmp(hash, pinned ? s->settings.code_hash : own, HASH_SIZE))
		return session_fail(why, SESSION_WRONG_CODE,
			"the contract at %s has other code than %s: see `sipchain contract "
			"verify`",
			address,
			pinned ? "the configuration pins (code_hash)" :
				 "the one that this sipchain was built with");
	memcpy(s->settings.code_hash, hash, HASH_SIZE);
	return 0;
}

static void ask_code(const struct session *s, struct question *q)
{
	char address[2 * ADDRESS20 + 3];

	q->method = "eth_getCode";
	q->params = json_pack("[s, s]",
		fixed_print(address, s->settings.contract, ADDRESS20), "latest");
}

/* 0 or -1 with *why. */
static int take_code(
	struct session *s, const struct question *q, struct session_failure *why)
{
	if (q->answer)
		return check_code(s, q->answer, why);
	*why = q->why;
	return -1;
}

int session_check_code(struct session *s, struct session_failure *why)
{
	struct question q = {0};
	int rc;

	ask_code(s, &q);
	session_ask(s, &q, 1);
	rc = take_code(s, &q, why);
	questions_free(&q, 1);
	return rc;
}

/* The answers about the chain itself; block 0 may not have been asked for. */
static int take_chain(
	struct session *s, const struct question *q, struct session_failure *why)
{
	for (unsigned i = ASK_CHAIN; i <= ASK_GENESIS; i++)
		if (q[i].method && !q[i].answer) {
			*why = q[i].why;
			return -1;
		}
	if (check_chain(s, q[ASK_CHAIN].answer, q[ASK_GENESIS].answer, why))
		return -1;
	if (!header_parse(&s->head, q[ASK_HEAD].answer, &why->error))
		return 0;
	why->fault = SESSION_NOT_RPC;
	return error_prefix(&why->error, "%s: the head", session_endpoint(s));
}

/* The views' results; when one has none, whether that is the contract's fault. */
static int take_views(struct session *s, const struct question *q,
	struct session_view *views, size_t n, struct session_failure *why)
{
	for (size_t i = 0; i < n; i++) {
		struct session_failure other = {0};
		int rc = view_take(s, &views[i], &q[i], why);

		if (!rc && views[i].result.n)
			continue;
		if (session_check_code(s, &other) || !rc)
			*why = other;
		if (why->fault == SESSION_OK)
			session_fail(why, SESSION_LIED, "%s: a view without a result",
				session_endpoint(s));
		return -1;
	}
	return 0;
}

/* Is the endpoint at s->at our ledger's? 0 or -1 with *why. */
static int check(struct session *s, struct session_view *views, size_t n,
	struct session_failure *why)
{
	struct question q[ASK_COUNT + VIEWS_MAX];
	const bool pinned = !bytes_zero(s->settings.genesis, HASH_SIZE);
	int rc = -1;

	memset(q, 0, sizeof q);
	q[ASK_CHAIN].method = "eth_chainId";
	q[ASK_CHAIN].params = json_array();
	q[ASK_HEAD].method = "eth_getBlockByNumber";
	q[ASK_HEAD].params = json_pack("[s, b]", "latest", 0);
	/* Who is in a hurry asks for no more than is compared. */
	if (pinned || !n) {
		q[ASK_GENESIS].method = "eth_getBlockByNumber";
		q[ASK_GENESIS].params = json_pack("[s, b]", "0x0", 0);
	}
	if (!n && s->has_contract)
		ask_code(s, &q[ASK_CODE]);
	for (size_t i = 0; i < n; i++)
		view_ask(s, NULL, &views[i], &q[ASK_COUNT + i]);
	session_ask(s, q, ASK_COUNT + n);
	if (!take_chain(s, q, why) && !take_views(s, &q[ASK_COUNT], views, n, why))
		rc = q[ASK_CODE].method ? take_code(s, &q[ASK_CODE], why) : 0;
	questions_free(q, ASK_COUNT + n);
	return rc;
}

int session_check_all(struct session *s, struct session_failure *why)
{
	return bytes_zero(s->settings.genesis, HASH_SIZE) ||
			bytes_zero(s->settings.code_hash, HASH_SIZE) ?
		check(s, NULL, 0, why) :
		0;
}

/* A silent endpoint says less than one that is wrong. */
static bool says_more(const struct session_failure *a, const struct session_failure *b)
{
	return b->fault == SESSION_OK ||
		(b->fault == SESSION_UNREACHABLE && a->fault != SESSION_UNREACHABLE);
}

static int choose_endpoint(struct session *s, struct session_view *views, size_t n,
	struct session_failure *why)
{
	const struct ethereum_settings pins = s->settings;
	struct session_failure first = {0};

	if (!s->settings.endpoint_count)
		return session_fail(why, SESSION_UNREACHABLE,
			"no endpoint is configured: give --endpoint URL or write [ledger] "
			"endpoint");
	for (s->at = 0; s->at < s->settings.endpoint_count; s->at++) {
		struct session_failure now = {0};

		if (!check(s, views, n, &now)) {
			s->opened = clock_monotonic();
			return 0;
		}
		s->settings.chain_id = pins.chain_id;
		memcpy(s->settings.genesis, pins.genesis, HASH_SIZE);
		if (says_more(&now, &first))
			first = now;
	}
	*why = first;
	return -1;
}

struct session *session_open(
	const struct ethereum_settings *settings, struct session_failure *why)
{
	return session_open_views(settings, NULL, 0, why);
}

struct session *session_open_views(const struct ethereum_settings *settings,
	struct session_view *views, size_t n, struct session_failure *why)
{
	struct session *s = calloc(1, sizeof *s);

	memset(why, 0, sizeof *why);
	if (!s || uv_loop_init(&s->loop)) {
		free(s);
		session_fail(why, SESSION_FAILED, "out of memory");
		return NULL;
	}
	uv_timer_init(&s->loop, &s->timer);
	s->settings = *settings;
	s->has_contract = !bytes_zero(settings->contract, ADDRESS20);
	if (http_client_init(&why->error))
		why->fault = SESSION_FAILED;
	else if (n > VIEWS_MAX)
		session_fail(why, SESSION_FAILED, "%zu views are too many", n);
	else if (!choose_endpoint(s, views, n, why))
		return s;
	session_close(s);
	return NULL;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	reading_free(s->reading);
	for (size_t i = 0; i < ENDPOINTS_MAX; i++)
		rpc_close(s->rpc[i]);
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_loop_close(&s->loop);
	explicit_bzero(s, sizeof *s);
	free(s);
}

const struct ethereum_settings *session_settings(const struct session *s)
{
	return &s->settings;
}

const char *session_endpoint(const struct session *s)
{
	return s->settings.endpoints[s->at].name;
}

const struct header *session_head(const struct session *s)
{
	return &s->head;
}

const struct reading *session_reading(const struct session *s)
{
	return s->reading;
}
