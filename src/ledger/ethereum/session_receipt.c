/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a session's transaction; balances. */
#include "ledger/ethereum/session_state.h"

#include <stdlib.h>

#include <inttypes.h>

#include "base/clock.h"
#include "ledger/ethereum/abi.h"

#define POLL_FIRST_MS 5
#define POLL_LAST_MS  250

/* The operation that our contract's log in a receipt tells of. */
static void take_log(
	const struct session *s, struct session_receipt *r, const json_t *log)
{
	const json_t *topics = json_object_get(log, "topics");
	uint8_t address[ADDRESS20], topic[4][HASH_SIZE];
	size_t n = json_array_size(topics);
	struct contract_event event;
	struct operation op;
	struct buffer bytes = {0};

	if (fixed_parse(address, ADDRESS20, json_object_get(log, "address")) ||
		memcmp(address, s->settings.contract, ADDRESS20) || n > 4)
		return;
	for (size_t i = 0; i < n; i++)
		if (fixed_parse(topic[i], HASH_SIZE, json_array_get(topics, i)))
			return;
	if (!hex_bytes(&bytes, json_object_get(log, "data")) &&
		!abi_event_decode(&event, (const uint8_t(*)[HASH_SIZE])topic, (unsigned)n,
			view_of(bytes.p, bytes.n), NULL) &&
		!operation_decode(&op, event.operation, NULL)) {
		r->operated = true;
		r->type = op.type;
		r->seq = op.seq;
		r->time = op.time;
	}
	buffer_free(&bytes);
}

/* 0: it is in a block and went well. */
static int take_receipt(struct session *s, struct session_receipt *r,
	const json_t *receipt, struct session_failure *why)
{
	const json_t *contract = json_object_get(receipt, "contractAddress"), *log;
	char hash[2 * HASH_SIZE + 3];
	uint64_t status;
	size_t at;

	if (quantity_parse(&r->block, json_object_get(receipt, "blockNumber")) ||
		quantity_parse(&r->gas_used, json_object_get(receipt, "gasUsed")) ||
		quantity_parse(&status, json_object_get(receipt, "status")) ||
		(json_is_string(contract) &&
			fixed_parse(r->contract, ADDRESS20, contract)))
		return session_fail(why, SESSION_LIED, "%s: a malformed receipt",
			session_endpoint(s));
	json_array_foreach(json_object_get(receipt, "logs"), at, log) take_log(s, r, log);
	if (status == 1)
		return 0;
	return session_fail(why, SESSION_FAILED,
		"transaction %s is in block %" PRIu64
		", but failed there: something else came before it; try again",
		fixed_print(hash, r->transaction, HASH_SIZE), r->block);
}

int session_receipt(struct session *s, unsigned wait_ms, struct session_receipt *receipt,
	struct session_failure *why)
{
	usec end = clock_monotonic() + (usec)wait_ms * 1000;
	unsigned pause = POLL_FIRST_MS;
	char hash[2 * HASH_SIZE + 3];

	memset(why, 0, sizeof *why);
	fixed_print(hash, receipt->transaction, HASH_SIZE);
	do {
		json_t *answer = session_call(
			s, "eth_getTransactionReceipt", json_pack("[s]", hash), why);
		int rc = json_is_object(answer) ? take_receipt(s, receipt, answer, why) :
						  1;

		json_decref(answer);
		if (rc <= 0)
			return rc;
		session_sleep(s, pause);
		pause = pause * 2 < POLL_LAST_MS ? pause * 2 : POLL_LAST_MS;
	} while (clock_monotonic() < end);
	return session_fail(why, SESSION_NOT_MINED,
		"transaction %s is sent, but in no block after %u s: it may still come; "
		"look before doing it again%s%s",
		hash, wait_ms / 1000, why->error.text[0] ? "; last: " : "",
		why->error.text);
}

int session_balance(struct session *s, const uint8_t address[ADDRESS20], uint8_t wei[32],
	struct session_failure *why)
{
	char text[2 * ADDRESS20 + 3];
	json_t *answer = session_call(s, "eth_getBalance",
		json_pack("[s, s]", fixed_print(text, address, ADDRESS20), "latest"),
		why);
	int rc = answer ? 0 : -1;

	if (answer && wei_parse(wei, answer))
		rc = session_fail(why, SESSION_LIED, "%s: a malformed balance",
			session_endpoint(s));
	json_decref(answer);
	return rc;
}

/* wei / 10 in place; the remainder. */
static unsigned divide_by_ten(uint8_t wei[32])
{
	unsigned rest = 0;

	for (int i = 0; i < 32; i++) {
		unsigned v = rest << 8 | wei[i];

		wei[i] = (uint8_t)(v / 10);
		rest = v % 10;
	}
	return rest;
}

char *coins_print(char dst[COINS_TEXT], const uint8_t wei[32])
{
	char digits[80]; /* 2^256 has 78 */
	uint8_t rest[32];
	unsigned n = 0, end;
	char *at = dst;

	memcpy(rest, wei, sizeof rest);
	/* From the right: 18 decimals and at least one digit before them. */
	while (n < 19 || !bytes_zero(rest, sizeof rest))
		digits[n++] = (char)('0' + divide_by_ten(rest));
	end = 0;
	while (end < 18 && digits[end] == '0')
		end++;
	for (unsigned i = n; i-- > end;) {
		*at++ = digits[i];
		if (i == 18 && end < 18)
			*at++ = '.';
	}
	*at = 0;
	return dst;
}

/* --- what a gas costs --- */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int session_price(struct session *s, uint64_t *wei)
{
	struct question q[2 * ENDPOINTS_MAX];
	size_t n = s->settings.endpoint_count, said = 0;
	uint64_t price, prices[ENDPOINTS_MAX];

	memset(q, 0, sizeof q);
	for (size_t i = 0; i < n; i++) {
		q[2 * i].method = "eth_gasPrice";
		q[2 * i].params = json_array();
		q[2 * i].endpoint = q[2 * i + 1].endpoint = i + 1;
		if (!s->head.has_base_fee)
			continue;
		q[2 * i + 1].method = "eth_maxPriorityFeePerGas";
		q[2 * i + 1].params = json_array();
	}
	session_ask(s, q, 2 * n);
	for (size_t i = 0; i < n; i++) {
		/* Not every engine with a base fee has the second. */
		if (!quantity_parse(&price, q[2 * i + 1].answer))
			price = price > UINT64_MAX - s->head.base_fee ?
				UINT64_MAX :
				price + s->head.base_fee;
		else if (quantity_parse(&price, q[2 * i].answer))
			continue;
		prices[said++] = price;
	}
	questions_free(q, 2 * n);
	if (!said)
		return -1;
	qsort(prices, said, sizeof *prices, by_size);
	*wei = prices[(said - 1) / 2];
	return 0;
}
