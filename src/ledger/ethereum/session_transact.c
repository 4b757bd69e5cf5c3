/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction of a session: asked for, weighed, signed, sent. */
#include "ledger/ethereum/session_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/answer.h"
#include "ledger/ethereum/fee.h"

/* The head of the session's opening serves for so long. */
#define HEAD_FRESH (3 * USEC_PER_SEC)

#define SEND_TRIES   6
#define SEND_SOME_MS 300 /* after the first endpoint took it */

struct deal {
	struct session *s;
	const struct signer *signer;
	struct transaction t;
	struct fee_quotes quotes;
	struct session_cost *cost;
	struct session_receipt *receipt;
	struct session_failure *why;
};

/* --- what it would cost --- */

enum {
	ASK_CALL,
	ASK_ESTIMATE,
	ASK_NONCE,
	ASK_BALANCE,
	ASK_HEAD,
	ASK_PRICE,
	ASK_PRIORITY,
	ASK_COUNT
};

/* The questions, all of them about the signer. */
static void put_questions(const struct deal *d, struct question q[ASK_COUNT])
{
	const uint8_t *from = signer_address(d->signer);
	char address[2 * ADDRESS20 + 3];

	memset(q, 0, ASK_COUNT * sizeof *q);
	fixed_print(address, from, ADDRESS20);
	q[ASK_CALL].method = "eth_call";
	q[ASK_CALL].params = json_pack("[o, s]",
		session_call_object(d->s, d->t.data, d->t.creates, from), "latest");
	q[ASK_ESTIMATE].method = "eth_estimateGas";
	q[ASK_ESTIMATE].params = json_pack(
		"[o]", session_call_object(d->s, d->t.data, d->t.creates, from));
	q[ASK_NONCE].method = "eth_getTransactionCount";
	q[ASK_NONCE].params = json_pack("[s, s]", address, "pending");
	q[ASK_BALANCE].method = "eth_getBalance";
	q[ASK_BALANCE].params = json_pack("[s, s]", address, "latest");
	if (clock_monotonic() > d->s->opened + HEAD_FRESH) {
		q[ASK_HEAD].method = "eth_getBlockByNumber";
		q[ASK_HEAD].params = json_pack("[s, b]", "latest", 0);
	}
	if (d->s->settings.zero_fee)
		return;
	q[ASK_PRICE].method = "eth_gasPrice";
	q[ASK_PRICE].params = json_array();
	if (!d->s->head.has_base_fee)
		return;
	q[ASK_PRIORITY].method = "eth_maxPriorityFeePerGas";
	q[ASK_PRIORITY].params = json_array();
}

/*
 * The first that failed of those that must not. Without gas the node refuses
 * for want of money what it would also refuse by a rule: the rule comes first.
 */
static int first_failure(struct question *q, struct session_failure *why)
{
	static const unsigned must[] = {
		ASK_CALL, ASK_ESTIMATE, ASK_NONCE, ASK_BALANCE, ASK_HEAD};

	for (size_t i = 0; i < sizeof must / sizeof must[0]; i++) {
		if (q[must[i]].answer || !q[must[i]].method)
			continue;
		*why = q[must[i]].why;
		if (why->fault == SESSION_FAILED &&
			answer_judge(view_str(why->error.text)) ==
				ANSWER_INSUFFICIENT_FUNDS)
			why->fault = SESSION_NO_FUNDS;
		return -1;
	}
	return 0;
}

/* gas * fee, and the purse. */
static void print_cost(struct session_cost *c)
{
	char gwei[FEE_TEXT], coins[FEE_TEXT];

	snprintf(c->text, sizeof c->text, "at most %s coins (%" PRIu64 " gas at %s)",
		fee_coin_print(coins, c->gas, c->fee), c->gas, fee_print(gwei, c->fee));
	coins_print(c->purse, c->balance);
}

static bool covered(const struct session_cost *c)
{
	__extension__ typedef unsigned __int128 wei;
	wei price = (wei)c->gas * c->fee;
	wei low = (wei)be64_load(c->balance + 16) << 64 | be64_load(c->balance + 24);

	return !bytes_zero(c->balance, 16) || low >= price;
}

static int no_funds(const struct deal *d)
{
	char address[ADDRESS20_TEXT];

	return session_fail(d->why, SESSION_NO_FUNDS,
		"%s holds %s coins, and this costs %s: send it some (`sipchain key "
		"balance` shows), or, on a chain without fees, give --zero-fee or write "
		"[ledger] zero_fee = yes",
		address20_print(address, signer_address(d->signer)), d->cost->purse,
		d->cost->text);
}

static int take_answers(struct deal *d, const struct question *q)
{
	uint64_t estimate;

	if (quantity_parse(&d->t.nonce, q[ASK_NONCE].answer) ||
		quantity_parse(&estimate, q[ASK_ESTIMATE].answer) ||
		wei_parse(d->cost->balance, q[ASK_BALANCE].answer) ||
		(q[ASK_HEAD].method &&
			header_parse(&d->s->head, q[ASK_HEAD].answer, NULL)))
		return session_fail(d->why, SESSION_LIED,
			"%s: a nonce, a balance, an estimate or the head is malformed",
			session_endpoint(d->s));
	if (q[ASK_HEAD].method)
		d->s->opened = clock_monotonic();
	/* Not every engine serves them; zero is what fee.h takes for "not told". */
	if (quantity_parse(&d->quotes.gas_price, q[ASK_PRICE].answer))
		d->quotes.gas_price = 0;
	if (quantity_parse(&d->quotes.priority_fee, q[ASK_PRIORITY].answer))
		d->quotes.priority_fee = 0;
	if (d->s->head.gas_limit && estimate > d->s->head.gas_limit)
		return session_fail(d->why, SESSION_FAILED,
			"this needs %" PRIu64
			" gas, and a block of this chain holds %" PRIu64
			": make it smaller",
			estimate, d->s->head.gas_limit);
	d->t.gas_limit = gas_choose(estimate, estimate * 2, 0, d->s->head.gas_limit);
	return 0;
}

/* Fill t but for its signature, and *cost. 0 or -1. */
static int weigh(struct deal *d)
{
	struct question q[ASK_COUNT];
	int rc = -1;

	put_questions(d, q);
	session_ask(d->s, q, ASK_COUNT);
	if (first_failure(q, d->why) || take_answers(d, q))
		goto done;
	if (fee_choose(&d->t, &d->s->head, &d->quotes, &d->s->settings, &d->why->error)) {
		d->why->fault = SESSION_FEE;
		goto done;
	}
	d->cost->gas = d->t.gas_limit;
	d->cost->fee = d->t.max_fee;
	print_cost(d->cost);
	rc = covered(d->cost) ? 0 : no_funds(d);
done:
	questions_free(q, ASK_COUNT);
	return rc;
}

/* --- sending --- */

/* Every endpoint gets it. What the best of their answers is; *why of it. */
static enum answer send_all(struct deal *d, struct view raw, struct session_failure *why)
{
	struct question q[ENDPOINTS_MAX];
	size_t n = d->s->settings.endpoint_count;
	enum answer best = ANSWER_NONE;

	memset(q, 0, sizeof q);
	*why = (struct session_failure){0};
	for (size_t i = 0; i < n; i++) {
		q[i].method = "eth_sendRawTransaction";
		q[i].params = json_pack("[o]", hex_json(raw));
		q[i].endpoint = i + 1;
	}
	session_ask_some(d->s, q, n, SEND_SOME_MS);
	for (size_t i = 0; i < n; i++) {
		enum answer a = q[i].answer ?
			ANSWER_ACCEPTED :
			q[i].why.fault == SESSION_FAILED ?
			answer_judge(view_str(q[i].why.error.text)) :
			ANSWER_NONE;

		if (a > best || !why->error.text[0])
			*why = q[i].why;
		if (a > best)
			best = a;
	}
	questions_free(q, n);
	return best;
}

/* What can be mended in the transaction is, in place. Whether it was. */
static bool mend(struct deal *d, enum answer a)
{
	uint64_t nonce;
	char address[2 * ADDRESS20 + 3];
	json_t *answer;
	struct session_failure ignored;

	if (a == ANSWER_TYPE_UNSUPPORTED && d->t.dynamic) {
		d->t.dynamic = false;
		return true;
	}
	/* Not every engine counts waiting transactions in "pending". */
	if (a == ANSWER_REPLACEMENT) {
		d->t.nonce++;
		return true;
	}
	if (a != ANSWER_NONCE_LOW)
		return false;
	fixed_print(address, signer_address(d->signer), ADDRESS20);
	answer = session_call(d->s, "eth_getTransactionCount",
		json_pack("[s, s]", address, "pending"), &ignored);
	if (!answer || quantity_parse(&nonce, answer))
		nonce = 0;
	json_decref(answer);
	d->t.nonce = nonce > d->t.nonce ? nonce : d->t.nonce + 1;
	return true;
}

/* Nobody took it: whose fault is that? */
static int not_taken(struct deal *d, enum answer a, const struct session_failure *why)
{
	*d->why = *why;
	if (a == ANSWER_INSUFFICIENT_FUNDS)
		return no_funds(d);
	if (a == ANSWER_UNDERPRICED || a == ANSWER_FEE_CAP)
		return session_fail(d->why, SESSION_FEE, "%s; %s", why->error.text,
			d->s->settings.zero_fee ?
				"this chain asks for fees: leave --zero-fee out, or write "
				"[ledger] zero_fee = no" :
				"raise --max-fee or [ledger] max_fee, or wait");
	if (a == ANSWER_WRONG_CHAIN)
		d->why->fault = SESSION_WRONG_CHAIN;
	return -1;
}

static int sign_and_send(struct deal *d)
{
	struct session_failure why = {0};
	struct buffer raw = {0};
	enum answer a = ANSWER_OTHER;
	int rc = -1;

	for (unsigned tries = 0; tries < SEND_TRIES; tries++) {
		raw.n = 0;
		if (transaction_sign(&raw, d->receipt->transaction, &d->t, d->signer)) {
			rc = session_fail(d->why, SESSION_FAILED,
				"the transaction cannot be signed");
			break;
		}
		a = send_all(d, view_of(raw.p, raw.n), &why);
		if (a >= ANSWER_KNOWN) {
			rc = 0;
			break;
		}
		if (!mend(d, a))
			break;
	}
	buffer_free(&raw);
	if (rc && a < ANSWER_KNOWN)
		not_taken(d, a, &why);
	return rc;
}

int session_transact(struct session *s, struct view data, bool creates,
	const struct signer *signer, bool dry, unsigned wait_ms,
	session_before_fn *before, void *context, struct session_cost *cost,
	struct session_receipt *receipt, struct session_failure *why)
{
	struct deal d = {.s = s,
		.signer = signer,
		.t = {.chain_id = s->settings.chain_id, .creates = creates, .data = data},
		.cost = cost,
		.receipt = receipt,
		.why = why};

	memset(cost, 0, sizeof *cost);
	memset(receipt, 0, sizeof *receipt);
	memset(why, 0, sizeof *why);
	memcpy(d.t.to, s->settings.contract, ADDRESS20);
	if (weigh(&d))
		return -1;
	if (before && !before(context, cost))
		return -1;
	if (dry)
		return 0;
	if (sign_and_send(&d))
		return -1;
	if (!wait_ms)
		return 0;
	return session_receipt(s, wait_ms, receipt, why);
}
