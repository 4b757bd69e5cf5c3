/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/transaction.h"

#include "base/keccak.h"
#include "ledger/ethereum/rlp.h"

#define TYPE_DYNAMIC 0x02 /* EIP-1559, an EIP-2718 envelope */
#define V_EIP155     35   /* v = chain id * 2 + 35 + recovery id */
#define FIELDS_MAX   12

/* The 256-bit integer of n big-endian bytes, leading zeros dropped. */
static void put_integer(struct buffer *out, const uint8_t *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	rlp_put_bytes(out, view_of(p, n));
}

/* Recipient, value and data: the same in both kinds. */
static void put_call(struct buffer *out, const struct transaction *t)
{
	rlp_put_bytes(out, view_of(t->to, t->creates ? 0 : ADDRESS20));
	rlp_put_uint(out, 0); /* value */
	rlp_put_bytes(out, t->data);
}

/*
 * The fields; signature NULL: those that are signed. v is worked out here: the
 * chain id goes into it in a legacy transaction.
 */
static void put_fields(
	struct buffer *out, const struct transaction *t, const uint8_t *signature)
{
	uint64_t v = signature ? signature[64] : 0;

	if (t->dynamic)
		rlp_put_uint(out, t->chain_id);
	rlp_put_uint(out, t->nonce);
	if (t->dynamic)
		rlp_put_uint(out, t->priority_fee);
	rlp_put_uint(out, t->max_fee);
	rlp_put_uint(out, t->gas_limit);
	put_call(out, t);
	if (t->dynamic)
		rlp_put_list(out, (struct view){NULL, 0}); /* access list */
	else
		v = signature ? t->chain_id * 2 + V_EIP155 + v : t->chain_id;
	if (!signature && t->dynamic)
		return;
	rlp_put_uint(out, v);
	put_integer(out, signature, signature ? HASH_SIZE : 0);
	put_integer(
		out, signature ? signature + HASH_SIZE : NULL, signature ? HASH_SIZE : 0);
}

/* The envelope: a list, behind its type's byte unless it is legacy. */
static int put_envelope(
	struct buffer *out, const struct transaction *t, const uint8_t *signature)
{
	struct buffer fields = {0};
	int rc;

	put_fields(&fields, t, signature);
	if (t->dynamic)
		buffer_put_u8(out, TYPE_DYNAMIC);
	rc = rlp_put_list(out, view_of(fields.p, fields.n));
	if (fields.failed)
		rc = -1;
	buffer_free(&fields);
	return rc;
}

/* Whether the fields can be written at all. */
static bool is_sound(const struct transaction *t)
{
	if (!t->chain_id)
		return false;
	if (t->dynamic)
		return t->priority_fee <= t->max_fee;
	return t->chain_id <= (UINT64_MAX - V_EIP155 - 1) / 2;
}

int transaction_encode(struct buffer *raw, const struct transaction *t,
	const uint8_t signature[SIGNATURE_SIZE])
{
	if (!is_sound(t) || signature[64] > 1)
		return -1;
	return put_envelope(raw, t, signature);
}

/* keccak256 of what the sender signs. Returns 0, or -1 out of memory. */
static int signing_hash(uint8_t hash[HASH_SIZE], const struct transaction *t)
{
	struct buffer bytes = {0};
	int rc = put_envelope(&bytes, t, NULL);

	if (!rc)
		keccak256(hash, bytes.p, bytes.n);
	buffer_free(&bytes);
	return rc;
}

int transaction_sign(struct buffer *raw, uint8_t hash[HASH_SIZE],
	const struct transaction *t, const struct signer *s)
{
	uint8_t signature[SIGNATURE_SIZE], digest[HASH_SIZE];
	size_t before = raw->n;

	if (!is_sound(t) || signing_hash(digest, t) ||
		signer_sign(s, signature, digest) ||
		transaction_encode(raw, t, signature))
		return -1;
	keccak256(hash, raw->p + before, raw->n - before);
	return 0;
}

/* --- reading back --- */

/* All the items of the one list that bytes are. Returns 0 or -1. */
static int take_fields(struct rlp_item *items, unsigned count, struct view bytes)
{
	struct rlp_item list;

	if (rlp_next(&bytes, &list) || bytes.n || !list.list)
		return -1;
	for (unsigned k = 0; k < count; k++)
		if (rlp_next(&list.payload, &items[k]))
			return -1;
	return list.payload.n ? -1 : 0;
}

/* r or s: 1..32 bytes without leading zeros. */
static int take_integer(uint8_t out[HASH_SIZE], const struct rlp_item *item)
{
	size_t n = item->payload.n;

	if (item->list || !n || n > HASH_SIZE || !item->payload.p[0])
		return -1;
	memset(out, 0, HASH_SIZE - n);
	memcpy(out + HASH_SIZE - n, item->payload.p, n);
	return 0;
}

/* gas limit, recipient, value, data, from items[0] on */
static int take_call(struct transaction *t, const struct rlp_item *items)
{
	uint64_t value;

	if (rlp_uint(&items[0], &t->gas_limit) || items[1].list ||
		rlp_uint(&items[2], &value) || value || items[3].list)
		return -1;
	t->creates = !items[1].payload.n;
	if (!t->creates && items[1].payload.n != ADDRESS20)
		return -1;
	if (!t->creates)
		memcpy(t->to, items[1].payload.p, ADDRESS20);
	t->data = items[3].payload;
	return 0;
}

/* v (or the y parity), r, s, from items[0] on; *v is left to be judged. */
static int take_signature(
	uint8_t signature[SIGNATURE_SIZE], uint64_t *v, const struct rlp_item *items)
{
	if (rlp_uint(&items[0], v) || take_integer(signature, &items[1]) ||
		take_integer(signature + HASH_SIZE, &items[2]))
		return -1;
	return 0;
}

static int parse_dynamic(
	struct transaction *t, uint8_t signature[SIGNATURE_SIZE], struct view bytes)
{
	struct rlp_item items[FIELDS_MAX];
	uint64_t parity;

	t->dynamic = true;
	if (take_fields(items, 12, bytes) || rlp_uint(&items[0], &t->chain_id) ||
		rlp_uint(&items[1], &t->nonce) || rlp_uint(&items[2], &t->priority_fee) ||
		rlp_uint(&items[3], &t->max_fee) || take_call(t, &items[4]) ||
		!items[8].list || items[8].payload.n ||
		take_signature(signature, &parity, &items[9]) || parity > 1)
		return -1;
	signature[64] = (uint8_t)parity;
	return 0;
}

static int parse_legacy(
	struct transaction *t, uint8_t signature[SIGNATURE_SIZE], struct view bytes)
{
	struct rlp_item items[FIELDS_MAX];
	uint64_t v;

	if (take_fields(items, 9, bytes) || rlp_uint(&items[0], &t->nonce) ||
		rlp_uint(&items[1], &t->max_fee) || take_call(t, &items[2]) ||
		take_signature(signature, &v, &items[6]) || v < V_EIP155)
		return -1;
	t->chain_id = (v - V_EIP155) / 2;
	signature[64] = (v - V_EIP155) % 2;
	return 0;
}

int transaction_parse(struct transaction *t, uint8_t sender[ADDRESS20], struct view raw)
{
	uint8_t signature[SIGNATURE_SIZE], digest[HASH_SIZE];
	int rc;

	*t = (struct transaction){0};
	if (raw.n && raw.p[0] == TYPE_DYNAMIC)
		rc = parse_dynamic(t, signature, view_from(raw, 1));
	else
		rc = parse_legacy(t, signature, raw);
	if (rc || !is_sound(t) || signing_hash(digest, t))
		return -1;
	return signature_recover(sender, signature, digest);
}

/*
 * rlp([sender, nonce]) by hand: it is always short, and without a buffer
 * nothing can fail.
 */
void contract_address(
	uint8_t out[ADDRESS20], const uint8_t sender[ADDRESS20], uint64_t nonce)
{
	uint8_t bytes[2 + ADDRESS20 + 1 + 8], hash[HASH_SIZE];
	size_t n = 2 + ADDRESS20;
	unsigned width = 0;

	while (width < 8 && nonce >> (8 * width))
		width++;
	bytes[1] = 0x80 + ADDRESS20;
	memcpy(bytes + 2, sender, ADDRESS20);
	if (!nonce || nonce >= 0x80)
		bytes[n++] = (uint8_t)(0x80 + width);
	while (width--)
		bytes[n++] = (uint8_t)(nonce >> (8 * width));
	bytes[0] = (uint8_t)(0xc0 + n - 1);
	keccak256(hash, bytes, n);
	memcpy(out, hash + HASH_SIZE - ADDRESS20, ADDRESS20);
}
