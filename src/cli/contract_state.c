/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's views and its storage, held against each other. */
#include "cli/contract.h"

#include "base/hex.h"
#include "ledger/ethereum/trie.h"

enum {
	VIEW_VERSION,
	VIEW_ID,
	VIEW_OWNER,
	VIEW_PENDING,
	VIEW_GUARDIAN,
	VIEW_CONFIG,
	VIEW_PAUSED,
	VIEW_SUPERSEDED,
	VIEW_MEMBERS,
	VIEW_TIPS,
	VIEW_COUNT
};

static void put_calls(struct session_view v[VIEW_COUNT])
{
	abi_call_version(&v[VIEW_VERSION].call);
	abi_call_id(&v[VIEW_ID].call);
	abi_call_owner(&v[VIEW_OWNER].call);
	abi_call_pending_owner(&v[VIEW_PENDING].call);
	abi_call_guardian(&v[VIEW_GUARDIAN].call);
	abi_call_config(&v[VIEW_CONFIG].call);
	abi_call_paused(&v[VIEW_PAUSED].call);
	abi_call_superseded(&v[VIEW_SUPERSEDED].call);
	abi_call_member_count(&v[VIEW_MEMBERS].call);
	abi_call_tips(&v[VIEW_TIPS].call);
}

static struct view result(const struct session_view *v)
{
	return view_of(v->result.p, v->result.n);
}

static int take_results(
	struct contract_state *c, const struct session_view *v, struct error *err)
{
	uint64_t paused;

	if (abi_uint_decode(&c->version, result(&v[VIEW_VERSION]), err) ||
		abi_hash_decode(c->id, result(&v[VIEW_ID]), err) ||
		abi_address_decode(c->owner, result(&v[VIEW_OWNER]), err) ||
		abi_address_decode(c->pending_owner, result(&v[VIEW_PENDING]), err) ||
		abi_address_decode(c->guardian, result(&v[VIEW_GUARDIAN]), err) ||
		abi_config_decode(&c->config, result(&v[VIEW_CONFIG]), err) ||
		abi_uint_decode(&paused, result(&v[VIEW_PAUSED]), err) ||
		abi_hash_decode(c->superseded, result(&v[VIEW_SUPERSEDED]), err) ||
		abi_uint_decode(&c->members, result(&v[VIEW_MEMBERS]), err) ||
		abi_tips_decode(&c->tips, result(&v[VIEW_TIPS]), err))
		return -1;
	c->paused = paused != 0;
	return 0;
}

/* --- storage --- */

/*
 * Slot 1, the proposed owner's, is left out: it is the one that goes back to
 * zero, and anvil's tries keep zeros, which no trie should.
 */
static const uint8_t slot_numbers[CONTRACT_SLOTS] = {
	0, SLOT_MEMBERS_TIP, SLOT_MEMBERS_COUNT, SLOT_ADMIN_TIP, SLOT_ADMIN_COUNT};

/*
 * By eth_getProof. 0: verified; 1: the engine does not serve it (any refusal:
 * they have no common one); -1 with *why.
 */
static int prove(struct session *s, struct contract_state *c, const char *block,
	struct session_failure *why)
{
	const uint8_t *contract = session_settings(s)->contract;
	struct proved_slot slots[CONTRACT_SLOTS];
	char text[2 * HASH_SIZE + 3];
	json_t *keys = json_array(), *answer;
	struct error err = {""};
	int rc;

	for (unsigned i = 0; i < CONTRACT_SLOTS; i++) {
		memset(slots[i].slot, 0, HASH_SIZE);
		slots[i].slot[HASH_SIZE - 1] = slot_numbers[i];
		json_array_append_new(
			keys, json_string(fixed_print(text, slots[i].slot, HASH_SIZE)));
	}
	answer = session_call(s, "eth_getProof",
		json_pack(
			"[s, o, s]", fixed_print(text, contract, ADDRESS20), keys, block),
		why);
	if (!answer)
		return why->fault == SESSION_FAILED ? 1 : -1;
	rc = proof_verify(
		slots, CONTRACT_SLOTS, NULL, answer, contract, c->head.state_root, &err);
	json_decref(answer);
	if (rc)
		return session_fail(why, SESSION_LIED,
			"%s: the proof of the contract's storage does not hold: %s",
			session_endpoint(s), err.text);
	for (unsigned i = 0; i < CONTRACT_SLOTS; i++)
		memcpy(c->storage[i], slots[i].value, HASH_SIZE);
	c->proved = true;
	return 0;
}

/* As the endpoint says it. 0 or -1. */
static int ask_storage(struct session *s, struct contract_state *c, const char *block,
	struct session_failure *why)
{
	struct question q[CONTRACT_SLOTS];
	char address[2 * ADDRESS20 + 3], slot[8];
	int rc = 0;

	memset(q, 0, sizeof q);
	fixed_print(address, session_settings(s)->contract, ADDRESS20);
	for (unsigned i = 0; i < CONTRACT_SLOTS; i++) {
		snprintf(slot, sizeof slot, "0x%x", slot_numbers[i]);
		q[i].method = "eth_getStorageAt";
		q[i].params = json_pack("[s, s, s]", address, slot, block);
	}
	session_ask(s, q, CONTRACT_SLOTS);
	for (unsigned i = 0; i < CONTRACT_SLOTS && !rc; i++) {
		if (!q[i].answer) {
			*why = q[i].why;
			rc = -1;
		} else if (fixed_parse(c->storage[i], HASH_SIZE, q[i].answer)) {
			rc = session_fail(why, SESSION_LIED,
				"%s: a malformed answer to eth_getStorageAt",
				session_endpoint(s));
		}
	}
	questions_free(q, CONTRACT_SLOTS);
	return rc;
}

int contract_state_check(const struct contract_state *c, struct error *err)
{
	if (memcmp(c->storage[0] + 12, c->owner, ADDRESS20))
		return error_set(err, "slot 0 does not hold the owner");
	for (unsigned chain = CHAIN_MEMBERS; chain <= CHAIN_ADMIN; chain++) {
		const uint8_t *hash = c->storage[1 + 2 * chain];
		const uint8_t *count = c->storage[2 + 2 * chain];

		if (memcmp(hash, c->tips.tip[chain].hash, HASH_SIZE) ||
			be64_load(count + 24) != c->tips.tip[chain].seq ||
			be64_load(count + 16) != c->tips.last_block[chain])
			return error_set(err, "slots %u and %u do not hold the %s tip",
				SLOT_MEMBERS_TIP + 2 * chain,
				SLOT_MEMBERS_COUNT + 2 * chain,
				chain == CHAIN_ADMIN ? "administrative" : "members'");
	}
	return 0;
}

static int read_storage(struct session *s, struct contract_state *c, const char *block,
	struct session_failure *why)
{
	struct error err = {""};
	int rc = prove(s, c, block, why);

	if (rc > 0)
		rc = ask_storage(s, c, block, why);
	if (rc)
		return -1;
	if (!contract_state_check(c, &err))
		return 0;
	return session_fail(why, SESSION_LIED, "%s: storage and views differ: %s",
		session_endpoint(s), err.text);
}

int contract_state_read(
	struct session *s, struct contract_state *out, struct session_failure *why)
{
	struct session_view views[VIEW_COUNT];
	char block[QUANTITY_TEXT];
	struct error err = {""};
	json_t *head;
	int rc = -1;

	memset(out, 0, sizeof *out);
	memset(views, 0, sizeof views);
	head = session_call(
		s, "eth_getBlockByNumber", json_pack("[s, b]", "latest", 0), why);
	if (!head)
		return -1;
	if (header_parse(&out->head, head, &err)) {
		session_fail(why, SESSION_LIED, "%s: the head: %s", session_endpoint(s),
			err.text);
		goto done;
	}
	quantity_print(block, out->head.number);
	put_calls(views);
	if (session_views(s, block, views, VIEW_COUNT, why))
		goto done;
	if (take_results(out, views, &err)) {
		session_fail(why, SESSION_WRONG_CODE,
			"what the contract says of itself is malformed: %s", err.text);
		goto done;
	}
	rc = read_storage(s, out, block, why);
done:
	json_decref(head);
	views_free(views, VIEW_COUNT);
	return rc;
}
