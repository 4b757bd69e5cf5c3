/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_chain.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/units.h"
#include "base/url.h"
#include "ledger/signer.h"

#define DEPTH_MAX    100000
#define GWEI         UINT64_C(1000000000)
#define FEE_DECIMALS 9 /* of a gwei: one wei */

/* --- from text --- */

/* 0x and digits; empty is "not given": all zeros. */
static int parse_hash(uint8_t out[HASH_SIZE], struct view v, struct error *err)
{
	memset(out, 0, HASH_SIZE);
	if (v.n == 0)
		return 0;
	if (!view_starts(v, "0x") || hex_decode(out, HASH_SIZE, v)) {
		memset(out, 0, HASH_SIZE);
		return error_set(
			err, "\"%s\" is no hash: write 0x and 64 hex digits", escaped(v));
	}
	return 0;
}

static int parse_address(uint8_t out[ADDRESS20], struct view v, struct error *err)
{
	memset(out, 0, ADDRESS20);
	return v.n == 0 ? 0 : address20_parse(out, v, err);
}

static int parse_number(
	uint64_t *out, const struct config_key *k, struct view v, struct error *err)
{
	*out = 0;
	if (v.n == 0 || !view_decimal(v, k->max, out))
		return 0;
	return error_set(
		err, "\"%s\" is no whole number up to %" PRIu64, escaped(v), k->max);
}

/* Gwei with up to nine decimals, into wei: exact, so not by way of a double. */
static int parse_fee(
	uint64_t *out, const struct config_key *k, struct view v, struct error *err)
{
	size_t point = view_find(v, '.');
	struct view decimals = view_from(v, point + 1);
	uint64_t whole = 0, part = 0;

	if (view_decimal(view_head(v, point), k->max / GWEI, &whole) ||
		(point < v.n &&
			(decimals.n > FEE_DECIMALS ||
				view_decimal(decimals, GWEI - 1, &part))))
		return error_set(err,
			"\"%s\" is no fee: write gwei a gas, such as 30 or 0.05, at most "
			"%" PRIu64 "; 0 is a limit of the node's own",
			escaped(v), k->max / GWEI);
	for (size_t i = decimals.n; i < FEE_DECIMALS; i++)
		part *= 10;
	*out = whole * GWEI + part;
	return 0;
}

static int parse_finality(struct ethereum_settings *out, struct view v, struct error *err)
{
	uint64_t depth = 0;

	if (view_eq(v, view_str("safe")))
		out->finality = FINALITY_SAFE;
	else if (view_eq(v, view_str("finalized")))
		out->finality = FINALITY_FINALIZED;
	else if (!view_decimal(v, DEPTH_MAX, &depth))
		out->finality = FINALITY_DEPTH;
	else
		return error_set(err,
			"\"%s\" is no finality: write a number of blocks up to %d (0 where a "
			"block is final at once), safe or finalized",
			escaped(v), DEPTH_MAX);
	out->depth = (uint32_t)depth;
	return 0;
}

static int parse_poll(
	uint32_t *out, const struct config_key *k, struct view v, struct error *err)
{
	uint64_t ms;

	if (duration_ms_parse(&ms, v, err))
		return -1;
	if (ms < k->min || ms > k->max)
		return error_set(err,
			"\"%s\" is out of range: %" PRIu64 "ms to %" PRIu64 "ms",
			escaped(v), k->min, k->max);
	*out = (uint32_t)ms;
	return 0;
}

/* The texts of endpoint_parse() hold no secret. */
static int add_endpoint(struct ethereum_settings *s, struct view v, struct error *err)
{
	static const char prefix[] = "endpoint: ";
	struct error why = {""};

	if (v.n == 0) {
		explicit_bzero(s->endpoints, sizeof s->endpoints);
		s->endpoint_count = 0;
		return 0;
	}
	if (s->endpoint_count == ENDPOINTS_MAX)
		return error_set(err, "is given more than %d times", ENDPOINTS_MAX);
	if (endpoint_parse(&s->endpoints[s->endpoint_count], v, &why)) {
		explicit_bzero(&s->endpoints[s->endpoint_count], sizeof *s->endpoints);
		return error_set(err, "%s",
			why.text +
				(view_starts(view_str(why.text), prefix) ?
						sizeof prefix - 1 :
						0));
	}
	s->endpoint_count++;
	return 0;
}

int config_chain_parse(
	struct config *c, const struct config_key *k, struct view v, struct error *err)
{
	void *at = config_at(c, k->offset);

	switch ((int)k->type) {
	case CONFIG_ADDRESS:
		return parse_address(at, v, err);
	case CONFIG_HASH:
		return parse_hash(at, v, err);
	case CONFIG_NUMBER:
		return parse_number(at, k, v, err);
	case CONFIG_FEE:
		return parse_fee(at, k, v, err);
	case CONFIG_FINALITY:
		return parse_finality(&c->ledger.ethereum, v, err);
	case CONFIG_POLL:
		return parse_poll(at, k, v, err);
	case CONFIG_ENDPOINTS:
		return add_endpoint(&c->ledger.ethereum, v, err);
	default:
		return error_set(err, "has an unknown type");
	}
}

/* --- as text --- */

static int print_hex(struct buffer *out, const uint8_t *p, size_t n)
{
	char text[2 * HASH_SIZE + 1];

	return bytes_zero(p, n) ? 0 : buffer_printf(out, "0x%s", hex_encode(text, p, n));
}

static int print_address(struct buffer *out, const uint8_t address[ADDRESS20])
{
	char text[ADDRESS20_TEXT];

	return bytes_zero(address, ADDRESS20) ?
		0 :
		buffer_printf(out, "%s", address20_print(text, address));
}

static int print_fee(struct buffer *out, uint64_t wei)
{
	char part[FEE_DECIMALS + 1];
	size_t n = FEE_DECIMALS;

	buffer_printf(out, "%" PRIu64, wei / GWEI);
	if (wei % GWEI == 0)
		return out->failed ? -1 : 0;
	snprintf(part, sizeof part, "%09" PRIu64, wei % GWEI);
	while (part[n - 1] == '0')
		n--;
	return buffer_printf(out, ".%.*s", (int)n, part);
}

static int print_finality(struct buffer *out, const struct ethereum_settings *s)
{
	if (s->finality == FINALITY_DEPTH)
		return buffer_printf(out, "%" PRIu32, s->depth);
	return buffer_printf(
		out, "%s", s->finality == FINALITY_SAFE ? "safe" : "finalized");
}

/*
 * What a role that has no business with the secrets gets: it must read back,
 * which a line with "***" need not.
 */
static int print_host(struct buffer *out, const struct endpoint *e)
{
	struct url_parts url;

	if (url_split(&url, view_str(e->url)))
		return -1;
	buffer_put(out, url.scheme.p, url.scheme.n);
	buffer_printf(out, "://");
	return buffer_put(out, url.host.p, url.host.n);
}

int config_chain_print(struct buffer *out, const struct config *c,
	const struct config_key *k, size_t i, unsigned flags)
{
	const void *at = config_at_const(c, k->offset);
	const struct endpoint *e = &c->ledger.ethereum.endpoints[i];
	char text[32];

	switch ((int)k->type) {
	case CONFIG_ADDRESS:
		return print_address(out, at);
	case CONFIG_HASH:
		return print_hex(out, at, HASH_SIZE);
	case CONFIG_NUMBER:
		if (*(const uint64_t *)at == 0)
			return 0;
		return buffer_printf(out, "%" PRIu64, *(const uint64_t *)at);
	case CONFIG_FEE:
		return print_fee(out, *(const uint64_t *)at);
	case CONFIG_FINALITY:
		return print_finality(out, &c->ledger.ethereum);
	case CONFIG_POLL:
		return buffer_printf(
			out, "%s", duration_ms_print(text, *(const uint32_t *)at));
	case CONFIG_ENDPOINTS:
		if (flags & CONFIG_PRINT_HOSTS && !(flags & CONFIG_PRINT_ENDPOINTS))
			return print_host(out, e);
		return endpoint_print(out, e, flags & CONFIG_PRINT_ENDPOINTS);
	default:
		return -1;
	}
}

/* --- together --- */

/* What `sipchain init` finds out and writes down. */
static const char *unpinned(const struct ethereum_settings *s)
{
	return bytes_zero(s->contract, sizeof s->contract) ? "contract" :
		!s->chain_id                               ? "chain_id" :
		bytes_zero(s->genesis, HASH_SIZE)          ? "genesis" :
		bytes_zero(s->code_hash, HASH_SIZE)        ? "code_hash" :
							     NULL;
}

int config_chain_check(
	const struct config *c, const struct config_key **at, struct error *err)
{
	const struct ethereum_settings *s = &c->ledger.ethereum;
	const char *name = unpinned(s);

	if (name) {
		*at = config_key_find("ledger", name);
		return error_set(err,
			"is missing; run sipchain init --endpoint URL --contract 0x..., which "
			"asks the chain and writes what pins this ledger");
	}
	if (!s->endpoint_count) {
		*at = config_key_find("ledger", "endpoint");
		return error_set(err,
			"is missing; write one at least, such as endpoint = "
			"http://127.0.0.1:8545");
	}
	if (s->explorer[0] && !strstr(s->explorer, "{tx}")) {
		*at = config_key_find("ledger", "explorer");
		return error_set(err,
			"\"%s\" has no {tx}, which stands for the transaction's hash",
			escaped(view_str(s->explorer)));
	}
	return 0;
}

int config_warnings(struct buffer *out, const struct config *c)
{
	const struct ethereum_settings *s = &c->ledger.ethereum;
	struct url_parts url;

	for (size_t i = 0; i < s->endpoint_count; i++) {
		if (url_split(&url, view_str(s->endpoints[i].url)) ||
			!view_eq_nocase(url.scheme, "http") ||
			url_is_loopback(s->endpoints[i].url))
			continue;
		buffer_printf(out,
			"[ledger] endpoint: %s is asked without encryption: anybody on the "
			"way may read its key and change its answers; write https:// if it "
			"has that\n",
			escaped(view_str(s->endpoints[i].name)));
	}
	return out->failed ? -1 : 0;
}
