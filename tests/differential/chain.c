/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/keccak.h"
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/header.h"
#include "ledger/ethereum/transaction.h"

#define GAS_LIMIT 60000000

static CURL *curl;
static uint64_t chain_id;

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static size_t take(char *p, size_t size, size_t n, void *context)
{
	return buffer_put(context, p, size * n) ? 0 : size * n;
}

/* One round trip; the whole reply, a new reference. */
static json_t *exchange(const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1,
		"method", method, "params", params);
	struct buffer body = {0};
	json_error_t where;
	json_t *reply;
	char *text = json_dumps(request, JSON_COMPACT);
	CURLcode rc;

	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	rc = curl_easy_perform(curl);
	if (rc)
		die("%s: %s", method, curl_easy_strerror(rc));
	reply = json_loadb((char *)body.p, body.n, JSON_ALLOW_NUL, &where);
	if (!reply)
		die("%s: %s", method, where.text);
	free(text);
	buffer_free(&body);
	json_decref(request);
	return reply;
}

json_t *chain_ask(const char *method, json_t *params)
{
	json_t *reply = exchange(method, params);
	json_t *result = json_incref(json_object_get(reply, "result"));

	if (json_object_get(reply, "error"))
		die("%s: %s", method, json_dumps(reply, 0));
	json_decref(reply);
	return result;
}

void chain_open(const char *url)
{
	static struct curl_slist *headers;
	json_t *id;

	curl = curl_easy_init();
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	id = chain_ask("eth_chainId", json_array());
	if (quantity_parse(&chain_id, id))
		die("eth_chainId is no quantity");
	json_decref(id);
}

void chain_close(void)
{
	curl_easy_cleanup(curl);
}

/* "0x..." of any bytes, to be freed. */
static char *hex_text(struct view bytes)
{
	char *text = malloc(2 * bytes.n + 3);

	text[0] = '0';
	text[1] = 'x';
	hex_encode(text + 2, bytes.p, bytes.n);
	return text;
}

static void hex_bytes(struct buffer *out, const json_t *text)
{
	size_t n = json_string_length(text) / 2 - 1;

	out->n = 0;
	if (!json_is_string(text) || json_string_length(text) < 2)
		die("a value that is no hex");
	for (size_t k = 0; k < n; k++) {
		uint8_t byte;

		if (hex_decode(&byte, 1, view_of(json_string_value(text) + 2 + 2 * k, 2)))
			die("a value that is no hex");
		buffer_put_u8(out, byte);
	}
}

static json_t *call_object(const uint8_t *to, const uint8_t *from, struct view input)
{
	char target[43], source[43], *data = hex_text(input);
	json_t *call = json_pack("{s:s, s:s, s:s, s:s}", "from",
		fixed_print(source, from, ADDRESS20), "to",
		fixed_print(target, to, ADDRESS20), "data", data, "gas", "0x3938700");

	free(data);
	return call;
}

bool chain_call(struct buffer *out, const uint8_t contract[ADDRESS20],
	const uint8_t from[ADDRESS20], struct view call, uint32_t time)
{
	char at[19];
	json_t *reply = exchange("eth_call",
		json_pack("[o, s, {}, {s:s}]", call_object(contract, from, call),
			"latest", "time", quantity_print(at, time)));
	json_t *error = json_object_get(reply, "error");

	if (error && !json_object_get(error, "data"))
		die("eth_call: %s", json_dumps(error, 0));
	hex_bytes(out,
		error ? json_object_get(error, "data") :
			json_object_get(reply, "result"));
	json_decref(reply);
	return !error;
}

/* Sign, send, fetch the receipt. */
static json_t *transact(struct transaction *t, const struct signer *signer, uint32_t time)
{
	uint8_t hash[HASH_SIZE];
	struct buffer raw = {0};
	char address[43], name[67], *text;
	json_t *nonce, *receipt = NULL;

	nonce = chain_ask("eth_getTransactionCount",
		json_pack("[s, s]",
			fixed_print(address, signer_address(signer), ADDRESS20),
			"latest"));
	if (quantity_parse(&t->nonce, nonce))
		die("a nonce that is no quantity");
	json_decref(nonce);
	t->chain_id = chain_id;
	t->gas_limit = GAS_LIMIT;
	if (transaction_sign(&raw, hash, t, signer))
		die("cannot sign");
	json_decref(chain_ask(
		"evm_setNextBlockTimestamp", json_pack("[I]", (json_int_t)time)));
	text = hex_text(view_of(raw.p, raw.n));
	json_decref(chain_ask("eth_sendRawTransaction", json_pack("[s]", text)));
	/* The block is made a moment after the answer. */
	for (unsigned tries = 0; !json_is_object(receipt); tries++) {
		if (tries > 20000)
			die("no receipt");
		json_decref(receipt);
		receipt = chain_ask("eth_getTransactionReceipt",
			json_pack("[s]", fixed_print(name, hash, HASH_SIZE)));
	}
	free(text);
	buffer_free(&raw);
	return receipt;
}

void chain_deploy(uint8_t contract[ADDRESS20], uint8_t salt[HASH_SIZE],
	const struct ledger_config *config, const uint8_t guardian[ADDRESS20],
	const struct signer *owner, uint32_t time)
{
	struct transaction t = {.creates = true};
	struct buffer data = {0};
	uint8_t bytes[64] = {0};
	json_t *receipt;

	if (abi_creation(&data, config, guardian))
		die("cannot encode the creation");
	t.data = view_of(data.p, data.n);
	receipt = transact(&t, owner, time);
	if (fixed_parse(contract, ADDRESS20, json_object_get(receipt, "contractAddress")))
		die("the contract was not created");
	be64_store(bytes + 24, chain_id);
	memcpy(bytes + 44, contract, ADDRESS20);
	keccak256(salt, bytes, sizeof bytes);
	json_decref(receipt);
	buffer_free(&data);
}

bool chain_send(json_t **receipt, const uint8_t contract[ADDRESS20],
	const struct signer *signer, struct view call, uint32_t time, bool dynamic)
{
	struct transaction t = {.dynamic = dynamic, .data = call};
	uint64_t status;

	memcpy(t.to, contract, ADDRESS20);
	*receipt = transact(&t, signer, time);
	if (quantity_parse(&status, json_object_get(*receipt, "status")))
		die("a receipt without a status");
	if (!status) {
		json_decref(*receipt);
		*receipt = NULL;
	}
	return status;
}
