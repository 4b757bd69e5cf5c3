/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule about administration by an operation that breaks just it. */
#include "fixture.h"

#define TAKE(is, due) assert_int_equal(is, due)

static void test_genesis(void **state)
{
	struct registry *r = registry_new((struct hash_key){1, 1});
	struct operation op = op_genesis();

	(void)state;
	assert_true(bytes_zero(registry_id(r), HASH_SIZE));
	TAKE(apply(r, op_of(OP_PAUSE, OWNER, 0)), REFUSED_GENESIS);
	memset(op.actor, 0, ADDRESS20);
	TAKE(apply(r, op), REFUSED_ZERO);
	op = op_genesis();
	op.config.threshold = 0;
	TAKE(apply(r, op), REFUSED_CONFIG);
	must(r, op_genesis());
	assert_false(bytes_zero(registry_id(r), HASH_SIZE));
	assert_int_equal(registry_owner(r)[0], OWNER);
	assert_int_equal(registry_guardian(r)[0], GUARDIAN);
	assert_int_equal(registry_tip(r, CHAIN_ADMIN)->seq, 1);
	assert_int_equal(registry_tip(r, CHAIN_MEMBERS)->seq, 0);
	TAKE(apply(r, op_genesis()), REFUSED_GENESIS);
	registry_free(r);
}

static void test_type_sequence_time(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_of(0x66, OWNER, 0);
	struct refusal why;

	(void)state;
	assert_int_equal(registry_check(r, &op, &why), -1);
	TAKE(why.code, REFUSED_TYPE);
	op = op_of(OP_PAUSE, OWNER, 0);
	op.seq = 2; /* 3 are folded */
	assert_int_equal(registry_check(r, &op, &why), -1);
	TAKE(why.code, REFUSED_SEQUENCE);
	op.seq = 4;
	assert_int_equal(registry_check(r, &op, &why), -1);
	TAKE(why.code, REFUSED_SEQUENCE);
	op.seq = 3;
	op.time = T0 - 1;
	assert_int_equal(registry_check(r, &op, &why), -1);
	TAKE(why.code, REFUSED_TIME);
	op.time = T0;
	assert_int_equal(registry_check(r, &op, &why), 0);
	registry_free(r);
}

static const uint8_t owner_only[] = {OP_MEMBER_ADD, OP_MEMBER_SET, OP_MEMBER_REMOVE,
	OP_MEMBER_RESUME, OP_SIGNER_ADD, OP_SIGNER_REMOVE, OP_PROTECT, OP_CONFIG,
	OP_GUARDIAN, OP_OWNER_PROPOSE, OP_UNPAUSE, OP_SUPERSEDE};

static void test_who_may(void **state)
{
	static const uint8_t others[] = {GUARDIAN, ALICE, 0x77, 0};
	struct registry *r = registry_begun();

	(void)state;
	for (size_t k = 0; k < sizeof owner_only; k++)
		for (size_t j = 0; j < sizeof others; j++) {
			struct operation op = op_add(3, CAROL, 1, 1);

			op.type = owner_only[k];
			memset(op.actor, others[j], ADDRESS20);
			TAKE(apply(r, op), REFUSED_NOT_OWNER);
		}
	for (size_t j = 1; j < sizeof others; j++) {
		TAKE(apply(r, op_of(OP_PAUSE, others[j], 0)), REFUSED_NOT_GUARDIAN);
		TAKE(apply(r, op_of(OP_MEMBER_SUSPEND, others[j], 1)),
			REFUSED_NOT_GUARDIAN);
	}
	must(r, op_of(OP_PAUSE, GUARDIAN, 0));
	TAKE(apply(r, op_of(OP_PAUSE, OWNER, 0)), REFUSED_PAUSED);
	assert_true(registry_paused(r));
	must(r, op_of(OP_UNPAUSE, OWNER, 0));
	TAKE(apply(r, op_of(OP_UNPAUSE, OWNER, 0)), REFUSED_NOT_PAUSED);
	must(r, op_of(OP_PAUSE, OWNER, 0));
	must(r, op_of(OP_MEMBER_SUSPEND, GUARDIAN, 1));
	registry_free(r);
}

static void test_guardian_and_owner(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_GUARDIAN, OWNER, 0);

	(void)state;
	must(r, op); /* the zero address: nobody */
	TAKE(apply(r, op_of(OP_PAUSE, GUARDIAN, 0)), REFUSED_NOT_GUARDIAN);
	TAKE(apply(r, op_of(OP_PAUSE, 0, 0)), REFUSED_NOT_GUARDIAN);
	assert_null(registry_proposed_owner(r));
	TAKE(apply(r, op_of(OP_OWNER_ACCEPT, 0, 0)), REFUSED_NOT_PROPOSED_OWNER);
	op = op_of(OP_OWNER_PROPOSE, OWNER, 0);
	memset(op.address, CAROL, ADDRESS20);
	must(r, op);
	assert_int_equal(registry_proposed_owner(r)[0], CAROL);
	assert_int_equal(registry_owner(r)[0], OWNER);
	TAKE(apply(r, op_of(OP_OWNER_ACCEPT, OWNER, 0)), REFUSED_NOT_PROPOSED_OWNER);
	TAKE(apply(r, op_of(OP_UNPAUSE, CAROL, 0)), REFUSED_NOT_OWNER);
	must(r, op_of(OP_OWNER_ACCEPT, CAROL, 0));
	assert_int_equal(registry_owner(r)[0], CAROL);
	assert_null(registry_proposed_owner(r));
	TAKE(apply(r, op_of(OP_PAUSE, OWNER, 0)), REFUSED_NOT_GUARDIAN);
	TAKE(apply(r, op_of(OP_OWNER_ACCEPT, CAROL, 0)), REFUSED_NOT_PROPOSED_OWNER);
	/* A proposal can be taken back. */
	op = op_of(OP_OWNER_PROPOSE, CAROL, 0);
	memset(op.address, BOB, ADDRESS20);
	must(r, op);
	must(r, op_of(OP_OWNER_PROPOSE, CAROL, 0));
	TAKE(apply(r, op_of(OP_OWNER_ACCEPT, BOB, 0)), REFUSED_NOT_PROPOSED_OWNER);
	registry_free(r);
}

static void test_member_add(void **state)
{
	struct registry *r = registry_begun();
	struct operation op;
	struct refusal why;

	(void)state;
	TAKE(apply(r, op_add(0, CAROL, 1, 1)), REFUSED_MEMBER_UNKNOWN);
	TAKE(apply(r, op_add(4, CAROL, 1, 1)), REFUSED_MEMBER_UNKNOWN);
	TAKE(apply(r, op_add(2, CAROL, 1, 1)), REFUSED_MEMBER_EXISTS);
	op = op_add(3, CAROL, 1, 1);
	op.name = view_of("a\nb", 3);
	TAKE(apply(r, op), REFUSED_NAME);
	op.name = view_of("\xff", 1);
	TAKE(apply(r, op), REFUSED_NAME);
	TAKE(apply(r, op_add(3, CAROL, 0, 1)), REFUSED_WEIGHT);
	TAKE(apply(r, op_add(3, CAROL, 1, 0)), REFUSED_CAP);
	TAKE(apply(r, op_add(3, CAROL, 1, (1 << 24) + 1)), REFUSED_CAP);
	TAKE(apply(r, op_add(3, BOB, 1, 1)), REFUSED_SIGNER_TAKEN);
	op = op_add(3, CAROL, 1, 1);
	op.signer_count = 2;
	why = apply_touch(r, &op, NULL);
	TAKE(why.code, REFUSED_ZERO);
	TAKE(why.entry, 1);
	memset(op.signers[1], CAROL, ADDRESS20);
	why = apply_touch(r, &op, NULL);
	TAKE(why.code, REFUSED_SIGNER_TAKEN);
	TAKE(why.entry, 1);
	assert_int_equal(registry_members(r), 2);
	assert_null(registry_member(r, 3));
	op = op_add(3, CAROL, 65535, 1 << 24);
	must(r, op);
	assert_int_equal(registry_members(r), 3);
	assert_string_equal(registry_member(r, 3)->name, "Example Bank");
	assert_int_equal(registry_member(r, 3)->weight, 65535);
	assert_int_equal(registry_member(r, 3)->cap, 1 << 24);
	assert_int_equal(registry_member(r, 3)->generation, 0);
	assert_ptr_equal(
		registry_member_by_signer(r, op.signers[0]), registry_member(r, 3));
	registry_free(r);
}

static void test_member_changes(void **state)
{
	static const uint8_t types[] = {OP_MEMBER_SET, OP_MEMBER_REMOVE,
		OP_MEMBER_SUSPEND, OP_MEMBER_RESUME, OP_SIGNER_ADD, OP_SIGNER_REMOVE};
	struct registry *r = registry_begun();
	struct operation op;

	(void)state;
	for (size_t k = 0; k < sizeof types; k++) {
		op = op_add(0, 0, 1, 1);
		op.type = types[k];
		TAKE(apply(r, op), REFUSED_MEMBER_UNKNOWN);
		op.member = 3;
		TAKE(apply(r, op), REFUSED_MEMBER_UNKNOWN);
	}
	op = op_add(1, 0, 9, 5);
	op.type = OP_MEMBER_SET;
	must(r, op);
	assert_int_equal(registry_member(r, 1)->weight, 9);
	assert_int_equal(registry_member(r, 1)->cap, 5);
	op.weight = 0;
	TAKE(apply(r, op), REFUSED_WEIGHT);
	op.weight = 1;
	op.cap = 0;
	TAKE(apply(r, op), REFUSED_CAP);
	TAKE(apply(r, op_of(OP_MEMBER_RESUME, OWNER, 1)), REFUSED_MEMBER_NOT_SUSPENDED);
	must(r, op_of(OP_MEMBER_SUSPEND, OWNER, 1));
	TAKE(apply(r, op_of(OP_MEMBER_SUSPEND, OWNER, 1)), REFUSED_MEMBER_NOT_ACTIVE);
	must(r, op_of(OP_MEMBER_RESUME, OWNER, 1));
	must(r, op_of(OP_MEMBER_REMOVE, OWNER, 1));
	assert_int_equal(registry_member(r, 1)->generation, 1);
	assert_int_equal(registry_member(r, 1)->signer_count, 0);
	TAKE(apply(r, op_of(OP_MEMBER_REMOVE, OWNER, 1)), REFUSED_MEMBER_REMOVED);
	TAKE(apply(r, op_of(OP_MEMBER_SUSPEND, OWNER, 1)), REFUSED_MEMBER_NOT_ACTIVE);
	TAKE(apply(r, op_of(OP_MEMBER_RESUME, OWNER, 1)), REFUSED_MEMBER_NOT_SUSPENDED);
	op.cap = 1;
	TAKE(apply(r, op), REFUSED_MEMBER_REMOVED);
	op = op_of(OP_SIGNER_ADD, OWNER, 1);
	memset(op.address, CAROL, ADDRESS20);
	TAKE(apply(r, op), REFUSED_MEMBER_REMOVED);
	/* Its signer is free for another member. */
	op = op_of(OP_SIGNER_ADD, OWNER, 2);
	memset(op.address, ALICE, ADDRESS20);
	must(r, op);
	registry_free(r);
}

static void test_signers(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_SIGNER_ADD, OWNER, 1);

	(void)state;
	TAKE(apply(r, op), REFUSED_ZERO);
	memset(op.address, BOB, ADDRESS20);
	TAKE(apply(r, op), REFUSED_SIGNER_TAKEN);
	memset(op.address, ALICE, ADDRESS20);
	TAKE(apply(r, op), REFUSED_SIGNER_TAKEN);
	for (uint8_t k = 1; k < SIGNERS_MAX; k++) {
		memset(op.address, k, ADDRESS20);
		must(r, op);
	}
	memset(op.address, CAROL, ADDRESS20);
	TAKE(apply(r, op), REFUSED_SIGNER_LIMIT);
	op.type = OP_SIGNER_REMOVE;
	TAKE(apply(r, op), REFUSED_SIGNER_UNKNOWN);
	memset(op.address, BOB, ADDRESS20);
	TAKE(apply(r, op), REFUSED_SIGNER_UNKNOWN);
	/* The first, the last, one between: the others stay. */
	memset(op.address, ALICE, ADDRESS20);
	must(r, op);
	memset(op.address, 7, ADDRESS20);
	must(r, op);
	memset(op.address, 3, ADDRESS20);
	must(r, op);
	assert_int_equal(registry_member(r, 1)->signer_count, 5);
	TAKE(report(r, ALICE, 1, 0, "8.8.8.8"), REFUSED_NOT_SIGNER);
	TAKE(report(r, 3, 1, 0, "8.8.8.8"), REFUSED_NOT_SIGNER);
	TAKE(report(r, 7, 1, 0, "8.8.8.8"), REFUSED_NOT_SIGNER);
	TAKE(report(r, 6, 1, 0, "8.8.8.8"), REFUSED_NOT);
	TAKE(report(r, 1, 1, 0, "8.8.8.8"), REFUSED_NOT);
	/* The owner may be a signer too; being the owner is not enough. */
	TAKE(report(r, OWNER, 1, 0, "8.8.8.8"), REFUSED_NOT_SIGNER);
	op = op_of(OP_SIGNER_ADD, OWNER, 2);
	memset(op.address, OWNER, ADDRESS20);
	must(r, op);
	TAKE(report(r, OWNER, 2, 0, "8.8.8.8"), REFUSED_NOT);
	registry_free(r);
}

static void test_config(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_CONFIG, OWNER, 0);
	const struct ledger_config good = {{8, 16, 1, true}, 366 * 86400, 1};

	(void)state;
#define REFUSES(field, value)                                                            \
	(op.config = good, op.config.field = (value),                                    \
		assert_int_equal(apply(r, op), REFUSED_CONFIG))
	REFUSES(limits.min_v4, 7);
	REFUSES(limits.min_v4, 33);
	REFUSES(limits.min_v6, 15);
	REFUSES(limits.min_v6, 129);
	REFUSES(limits.min_e164, 0);
	REFUSES(limits.min_e164, 16);
	REFUSES(max_ttl, 0);
	REFUSES(max_ttl, 366 * 86400 + 1);
	REFUSES(threshold, 0);
	op.config = good;
	must(r, op);
	op.config = (struct ledger_config){{32, 128, 15, false}, 1, UINT32_MAX};
	must(r, op);
	assert_int_equal(registry_config(r)->threshold, UINT32_MAX);
	/* A word of the long configuration may still live. */
	assert_int_equal(registry_longest_ttl(r), 366 * 86400);
	registry_free(r);
}

/* PROTECT with these entries. */
static struct refusal protect(struct registry *r, const char *const *texts, unsigned n)
{
	uint8_t table[8 * INDICATOR_SIZE];
	struct operation op = op_of(OP_PROTECT, OWNER, 0);

	for (unsigned k = 0; k < n; k++) {
		struct indicator i = ind(texts[k]);

		memcpy(table + INDICATOR_SIZE * k, &i, sizeof i);
	}
	op.table = table;
	op.table_count = (uint16_t)n;
	return apply_touch(r, &op, NULL);
}

static void test_protected(void **state)
{
	static const char *const table[] = {
		"8.8.0.0/16", "9.9.9.9", "2600:1::/32", "+4420*"};
	static const struct {
		const char *text, *entry;
	} overlaps[] = {
		{"8.8.0.0/16", "8.8.0.0/16"},
		{"8.8.4.4", "8.8.0.0/16"},
		{"8.8.255.0/24", "8.8.0.0/16"},
		{"9.9.0.0/16", "9.9.9.9"},
		{"9.9.9.9", "9.9.9.9"},
		{"2600:1:2::/48", "2600:1::/32"},
		{"+442079460000", "+4420*"},
		{"+44207*", "+4420*"},
	};
	static const char *const clear[] = {"8.7.255.255", "8.9.0.0", "9.9.9.8",
		"9.9.9.10", "2600::1", "2600:2::", "+4421079460000", "+4413*",
		"sip:bob@example.com"};
	struct registry *r = registry_begun();
	size_t n;

	(void)state;
	TAKE(protect(r, table, 4).code, REFUSED_NOT);
	assert_non_null(registry_protected(r, &n));
	assert_int_equal(n, 4);
	for (size_t k = 0; k < sizeof overlaps / sizeof *overlaps; k++)
		for (int objection = 0; objection < 2; objection++) {
			struct report w = word_of(1, 0, overlaps[k].text, T0 + 9);
			struct indicator entry = ind(overlaps[k].entry);
			static struct batch b;
			struct refusal why;

			if (objection)
				w.category = CATEGORY_OBJECTION;
			batch_begin(&b, ALICE, 1, T0);
			batch_add(&b, &w);
			why = apply_touch(r, &b.op, NULL);
			if (w.indicator.kind == INDICATOR_NUMBER && w.indicator.plen < 20)
				continue; /* too short anyway */
			TAKE(why.code, REFUSED_PROTECTED);
			assert_memory_equal(&why.conflict, &entry, sizeof entry);
		}
	for (size_t k = 0; k < sizeof clear / sizeof *clear; k++) {
		struct indicator i = ind(clear[k]);

		assert_null(registry_protected_overlap(r, &i));
	}
	/* An empty table protects nothing. */
	TAKE(protect(r, table, 0).code, REFUSED_NOT);
	TAKE(report(r, ALICE, 1, 0, "8.8.4.4"), REFUSED_NOT);
	registry_free(r);
}

static void test_protect_table(void **state)
{
	static const char *const unsorted[] = {"9.9.9.9", "8.8.0.0/16"};
	static const char *const twice[] = {"8.8.0.0/16", "8.8.0.0/16"};
	static const char *const nested[] = {"8.0.0.0/8", "8.8.0.0/16"};
	static const char *const wide[] = {"0.0.0.0/0", "::/0", "+1*"};
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_PROTECT, OWNER, 0);
	uint8_t bad[INDICATOR_SIZE] = {9, 1};
	struct refusal why;

	(void)state;
	TAKE(protect(r, unsorted, 2).code, REFUSED_TABLE_UNSORTED);
	TAKE(protect(r, twice, 2).code, REFUSED_TABLE_UNSORTED);
	why = protect(r, nested, 2);
	TAKE(why.code, REFUSED_TABLE_UNSORTED);
	TAKE(why.entry, 1);
	TAKE(protect(r, wide, 3).code, REFUSED_NOT); /* limits do not apply */
	op.table = bad;
	op.table_count = 1;
	TAKE(apply(r, op), REFUSED_INDICATOR);
	op.seq = registry_tip(r, CHAIN_ADMIN)->seq;
	op.table_count = PROTECTED_MAX + 1;
	assert_int_equal(registry_check(r, &op, &why), -1);
	TAKE(why.code, REFUSED_TABLE_TOO_LARGE);
	registry_free(r);
}

static void test_generations_end(void **state)
{
	struct registry *r = registry_begun();

	(void)state;
	for (unsigned k = 0; k < 65535; k++) {
		must(r, op_of(OP_MEMBER_REMOVE, OWNER, 1));
		if (k < 65534)
			must(r, op_add(1, 0, 1, 1));
	}
	assert_int_equal(registry_member(r, 1)->generation, 65535);
	TAKE(apply(r, op_add(1, ALICE, 1, 1)), REFUSED_GENERATIONS);
	registry_free(r);
}

static void test_texts_of_refusals(void **state)
{
	char text[REFUSAL_TEXT];
	struct refusal why = {REFUSED_PROTECTED, 255, ind("2001:db8::/48")};

	(void)state;
	for (unsigned a = 0; a < REFUSED_COUNT; a++) {
		struct refusal all = {
			(enum refusal_code)a, UINT32_MAX, ind("+442079460000")};

		assert_non_null(refusal_name((enum refusal_code)a));
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(refusal_name((enum refusal_code)a),
				refusal_name((enum refusal_code)b));
		/* Even the longest ends in its name: nothing was cut. */
		refusal_print(text, &all);
		assert_non_null(strstr(text, refusal_name((enum refusal_code)a)));
		assert_int_equal(text[strlen(text) - 1], ')');
	}
	assert_string_equal(refusal_print(text, &why),
		"entry 255: overlaps the "
		"consortium's protected table: 2001:db8::/48 (Protected)");
	why = (struct refusal){.code = REFUSED_NOT_OWNER};
	assert_string_equal(refusal_print(text, &why),
		"only the ledger's owner may "
		"do this: sign with the owner's key (NotOwner)");
	assert_string_equal(refusal_name(REFUSED_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genesis),
		cmocka_unit_test(test_type_sequence_time),
		cmocka_unit_test(test_who_may),
		cmocka_unit_test(test_guardian_and_owner),
		cmocka_unit_test(test_member_add),
		cmocka_unit_test(test_member_changes),
		cmocka_unit_test(test_signers),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_protect_table),
		cmocka_unit_test(test_generations_end),
		cmocka_unit_test(test_texts_of_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
