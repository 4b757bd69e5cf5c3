/* SPDX-License-Identifier: Apache-2.0 */
/* Bans, offences, positions, allowlist entries and the audit trail. */
#include "fixture.h"

#include "indicator/word.h"
#include "store/allow_learnt.h"
#include "store/allow_record.h"
#include "store/audit.h"
#include "store/ban_record.h"
#include "store/offences.h"
#include "store/positions.h"

/* --- bans --- */

struct bans {
	struct ban seen[8];
	char notes[8][BAN_NOTE];
	int n;
};

static void collect_ban(void *context, const struct ban *b, const char *note)
{
	struct bans *all = context;

	assert_true(all->n < 8);
	all->seen[all->n] = *b;
	snprintf(all->notes[all->n], BAN_NOTE, "%s", note);
	all->n++;
}

static struct ban a_ban(const char *text, uint8_t scope, uint8_t origin, uint32_t until)
{
	return (struct ban){.indicator = of(text),
		.scope = scope,
		.origin = origin,
		.category = CATEGORY_PASSWORD,
		.until = until,
		.since = 50};
}

static void test_bans(void **state)
{
	struct fixture *f = *state;
	struct ban v6 = a_ban("2001:db8::/48", BAN_SIP, BAN_LEARNT, 900);
	struct ban v4 = a_ban("192.0.2.7", BAN_ALL, BAN_OWN, 500);
	struct ban sip = a_ban("192.0.2.7", BAN_SIP, BAN_LEARNT, 700);
	struct bans all = {.n = 0};
	struct ban got;
	char note[BAN_NOTE];

	OK(ban_record_put(f->store, &v6, "members 1, 3", &err));
	OK(ban_record_put(f->store, &v4, NULL, &err));
	OK(ban_record_put(f->store, &sip, "", &err));
	/* Again with another end: replaced, not doubled. */
	v4.until = 600;
	v4.deleting = 1;
	OK(ban_record_put(f->store, &v4, "on its way out", &err));
	fixture_reopen(f);
	assert_int_equal(ban_record_each(f->store, collect_ban, &all, NULL), 3);
	assert_memory_equal(&all.seen[0], &sip, sizeof(sip));
	assert_memory_equal(&all.seen[1], &v4, sizeof(v4));
	assert_memory_equal(&all.seen[2], &v6, sizeof(v6));
	assert_string_equal(all.notes[1], "on its way out");
	assert_string_equal(all.notes[2], "members 1, 3");

	OK(ban_record_delete(f->store, &v4.indicator, BAN_ALL, &err));
	OK(ban_record_delete(f->store, &v4.indicator, BAN_ALL, &err));
	assert_int_equal(
		ban_record_get(f->store, &got, NULL, &v4.indicator, BAN_ALL, NULL), 0);
	assert_int_equal(
		ban_record_get(f->store, &got, note, &v4.indicator, BAN_SIP, NULL), 1);
	assert_int_equal(got.until, 700);
	/* A ban ends at its second, not after it. */
	OK(ban_record_prune(f->store, 699, &err));
	assert_int_equal(
		ban_record_get(f->store, &got, note, &v4.indicator, BAN_SIP, NULL), 1);
	OK(ban_record_prune(f->store, 700, &err));
	assert_int_equal(
		ban_record_get(f->store, &got, note, &v4.indicator, BAN_SIP, NULL), 0);
	assert_int_equal(
		ban_record_get(f->store, &got, note, &v6.indicator, BAN_SIP, NULL), 1);
}

static void test_ban_note_is_cut(void **state)
{
	struct fixture *f = *state;
	struct ban b = a_ban("192.0.2.7", BAN_ALL, BAN_OPERATOR, 500), got;
	char note[BAN_NOTE], lengthy[400];

	memset(lengthy, 'n', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	OK(ban_record_put(f->store, &b, lengthy, &err));
	assert_int_equal(
		ban_record_get(f->store, &got, note, &b.indicator, BAN_ALL, NULL), 1);
	assert_int_equal(strlen(note), BAN_NOTE - 1);
}

static void count_ban(void *context, const struct ban *b, const char *note)
{
	(void)note;
	*(uint64_t *)context += b->until;
}

/* Many at once in one transaction, each there afterwards exactly once. */
static void test_many_bans(void **state)
{
	enum { MANY = 20000 };
	struct fixture *f = *state;
	uint64_t sum = 0;

	OK(store_begin(f->store, STORE_SOON, &err));
	for (uint32_t k = 0; k < MANY; k++) {
		/* Spread over the space, as attackers' addresses are. */
		uint32_t v4 = k * 2654435761U;
		struct address a = {4,
			{(uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8),
				(uint8_t)v4}};
		struct ban b = {.indicator = indicator_from_address(&a, 32),
			.scope = BAN_SIP,
			.origin = BAN_LEARNT,
			.until = k};

		OK(ban_record_put(f->store, &b, NULL, &err));
	}
	OK(store_commit(f->store, &err));
	fixture_reopen(f);
	assert_int_equal(ban_record_each(f->store, count_ban, &sum, NULL), MANY);
	assert_int_equal(sum, (uint64_t)MANY * (MANY - 1) / 2);
	OK(ban_record_prune(f->store, MANY - 2, &err));
	sum = 0;
	assert_int_equal(ban_record_each(f->store, count_ban, &sum, NULL), 1);
	assert_int_equal(sum, MANY - 1);
}

/* --- offences --- */

struct offences {
	struct address source[4];
	uint32_t count[4];
	usec last[4];
	int n;
};

static void collect_offence(
	void *context, const struct address *source, uint32_t count, usec last)
{
	struct offences *all = context;

	assert_true(all->n < 4);
	all->source[all->n] = *source;
	all->count[all->n] = count;
	all->last[all->n++] = last;
}

static void test_offences(void **state)
{
	struct fixture *f = *state;
	struct address v4 = {4, {192, 0, 2, 1}}, v6 = {6, {0x20, 1, 0xd, 0xb8}};
	/* As v4's bytes, but of the other family: another address. */
	struct address twin = {6, {192, 0, 2, 1}};
	struct offences all = {.n = 0};
	const usec now = UINT64_C(1790000000) * USEC_PER_SEC;

	OK(offences_put(f->store, &v4, 1, now - 30, &err));
	OK(offences_put(f->store, &v6, 7, now - 10, &err));
	OK(offences_put(f->store, &twin, 2, now - 20, &err));
	OK(offences_put(f->store, &v4, 2, now, &err));
	fixture_reopen(f);
	assert_int_equal(offences_each(f->store, 100, collect_offence, &all, NULL), 3);
	assert_memory_equal(&all.source[0], &v4, sizeof(v4));
	assert_int_equal(all.count[0], 2);
	assert_int_equal(all.last[0], now);
	assert_memory_equal(&all.source[1], &v6, sizeof(v6));
	assert_int_equal(all.count[1], 7);
	assert_memory_equal(&all.source[2], &twin, sizeof(twin));
	/* At most so many, the most recent of them. */
	all.n = 0;
	assert_int_equal(offences_each(f->store, 1, collect_offence, &all, NULL), 1);
	assert_memory_equal(&all.source[0], &v4, sizeof(v4));
	OK(offences_prune(f->store, now - 10, &err));
	all.n = 0;
	assert_int_equal(offences_each(f->store, 100, collect_offence, &all, NULL), 2);
	OK(offences_delete(f->store, &v4, &err));
	all.n = 0;
	assert_int_equal(offences_each(f->store, 100, collect_offence, &all, NULL), 1);
	assert_memory_equal(&all.source[0], &v6, sizeof(v6));
}

/* --- positions --- */

static void count_position(void *context, const struct position *p)
{
	strcat(context, p->path);
}

static void test_positions(void **state)
{
	struct fixture *f = *state;
	struct position a = {"/var/log/asterisk/security.json", 0x801, 131090,
		UINT64_C(5000000000), {1, 2, 3}};
	struct position b = {"/var/log/kamailio.log", UINT64_MAX, 2, 3, {9}};
	struct position bad = {.offset = 1}, got;
	char paths[200] = "";

	OK(positions_put(f->store, &a, &err));
	OK(positions_put(f->store, &b, &err));
	a.offset += 10;
	a.fingerprint[15] = 77;
	OK(positions_put(f->store, &a, &err));
	fixture_reopen(f);
	assert_int_equal(positions_get(f->store, &got, a.path, NULL), 1);
	assert_int_equal(got.offset, UINT64_C(5000000010));
	assert_int_equal(got.inode, 131090);
	assert_memory_equal(got.fingerprint, a.fingerprint, 16);
	assert_int_equal(positions_get(f->store, &got, b.path, NULL), 1);
	assert_true(got.dev == UINT64_MAX);
	assert_int_equal(positions_each(f->store, count_position, paths, NULL), 2);
	assert_string_equal(
		paths, "/var/log/asterisk/security.json/var/log/kamailio.log");
	OK(positions_delete(f->store, a.path, &err));
	assert_int_equal(positions_get(f->store, &got, a.path, NULL), 0);
	/* No path, or one without an end. */
	assert_int_equal(positions_put(f->store, &bad, &err), -1);
	assert_string_equal(err.text, "a log's path must have 1 to 255 bytes");
	memset(bad.path, 'p', sizeof(bad.path));
	assert_int_equal(positions_put(f->store, &bad, &err), -1);
}

/* --- the allowlist --- */

static void collect_allow(void *context, const struct allow_entry *e)
{
	char text[INDICATOR_TEXT], line[200];

	snprintf(line, sizeof(line), "%s %u %u %s;", indicator_print(text, &e->indicator),
		e->origin, e->expiry, e->note);
	strcat(context, line);
}

static void test_allow(void **state)
{
	struct fixture *f = *state;
	struct allow_entry a = {of("192.0.2.0/24"), ALLOW_OPERATOR, 0, "our branch"};
	struct allow_entry b = {of("+44*"), ALLOW_OPERATOR, 900, "it's \"fine\""};
	char lines[400] = "";

	OK(allow_record_put(f->store, &a, &err));
	OK(allow_record_put(f->store, &b, &err));
	b.expiry = 950;
	OK(allow_record_put(f->store, &b, &err));
	fixture_reopen(f);
	assert_int_equal(allow_record_each(f->store, collect_allow, lines, NULL), 2);
	assert_string_equal(
		lines, "192.0.2.0/24 2 0 our branch;+44* 2 950 it's \"fine\";");
	OK(allow_record_prune(f->store, 949, &err));
	assert_int_equal(allow_record_delete(f->store, &b.indicator, NULL), 1);
	assert_int_equal(allow_record_delete(f->store, &b.indicator, NULL), 0);
	OK(allow_record_put(f->store, &b, &err));
	/* An entry without an expiry stays for ever. */
	OK(allow_record_prune(f->store, 950, &err));
	lines[0] = '\0';
	assert_int_equal(allow_record_each(f->store, collect_allow, lines, NULL), 1);
	assert_string_equal(lines, "192.0.2.0/24 2 0 our branch;");
}

/* What a PBX's words made: an indicator may be there once for each origin. */
static void test_allow_learnt(void **state)
{
	struct fixture *f = *state;
	struct allow_entry phone = {
		of("192.0.2.7"), ALLOW_REGISTERED, 900, "account 101"};
	struct allow_entry trunk = {of("192.0.2.7"), ALLOW_TRUNK, 950, "trunk a of pbx"};
	char lines[400] = "";

	OK(store_begin(f->store, STORE_SOON, &err)); /* among bans: they may */
	OK(allow_learnt_put(f->store, &phone, &err));
	OK(allow_learnt_put(f->store, &trunk, &err));
	phone.expiry = 920;
	OK(allow_learnt_put(f->store, &phone, &err));
	OK(store_commit(f->store, &err));
	fixture_reopen(f);
	assert_int_equal(allow_learnt_each(f->store, collect_allow, lines, NULL), 2);
	assert_string_equal(
		lines, "192.0.2.7 7 920 account 101;192.0.2.7 8 950 trunk a of pbx;");
	/* The operators' entries are others. */
	assert_int_equal(allow_record_each(f->store, collect_allow, lines, NULL), 0);
	OK(allow_learnt_delete(f->store, &trunk.indicator, ALLOW_OPERATOR, &err));
	OK(allow_learnt_prune(f->store, 919, &err));
	assert_int_equal(allow_learnt_each(f->store, collect_allow, lines, NULL), 2);
	OK(allow_learnt_prune(f->store, 920, &err));
	lines[0] = '\0';
	assert_int_equal(allow_learnt_each(f->store, collect_allow, lines, NULL), 1);
	OK(allow_learnt_delete(f->store, &trunk.indicator, ALLOW_TRUNK, &err));
	assert_int_equal(allow_learnt_each(f->store, collect_allow, lines, NULL), 0);
}

/* --- the audit trail --- */

static void collect_audit(void *context, const struct audit_entry *e)
{
	char line[900];

	snprintf(line, sizeof(line), "%llu@%llu:%d:%s:%s:%s;", (unsigned long long)e->id,
		(unsigned long long)e->time, (int)e->uid, e->action, e->subject,
		e->detail);
	strcat(context, line);
}

static void test_audit(void **state)
{
	struct fixture *f = *state;
	struct audit_entry e = {.time = 100,
		.uid = 1000,
		.action = "ban",
		.subject = "192.0.2.7",
		.detail = "for 1h"};
	char lines[2000] = "";

	OK(audit_add(f->store, &e, &err));
	e = (struct audit_entry){.time = 101,
		.uid = AUDIT_NODE,
		.action = "decision",
		.subject = "192.0.2.7",
		.detail = "blocked"};
	OK(audit_add(f->store, &e, &err));
	e.time = 102;
	OK(audit_add(f->store, &e, &err));
	fixture_reopen(f);
	assert_int_equal(audit_each(f->store, 0, 10, collect_audit, lines, NULL), 3);
	assert_string_equal(lines,
		"3@102:-1:decision:192.0.2.7:blocked;"
		"2@101:-1:decision:192.0.2.7:blocked;1@100:1000:ban:192.0.2.7:for 1h;");
	/* A page: older than entry 3, one of them. */
	lines[0] = '\0';
	assert_int_equal(audit_each(f->store, 3, 1, collect_audit, lines, NULL), 1);
	assert_string_equal(lines, "2@101:-1:decision:192.0.2.7:blocked;");
	OK(audit_prune(f->store, 2, 0, &err));
	lines[0] = '\0';
	assert_int_equal(audit_each(f->store, 0, 10, collect_audit, lines, NULL), 2);
	OK(audit_prune(f->store, 1000, 102, &err));
	lines[0] = '\0';
	assert_int_equal(audit_each(f->store, 0, 10, collect_audit, lines, NULL), 1);
	assert_string_equal(lines, "3@102:-1:decision:192.0.2.7:blocked;");
	/* Numbers go on after everything was pruned. */
	OK(audit_prune(f->store, 0, 1000, &err));
	OK(audit_add(f->store, &e, &err));
	lines[0] = '\0';
	assert_int_equal(audit_each(f->store, 0, 10, collect_audit, lines, NULL), 1);
	assert_string_equal(lines, "4@102:-1:decision:192.0.2.7:blocked;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_bans),
		STORE_TEST(test_ban_note_is_cut),
		STORE_TEST(test_many_bans),
		STORE_TEST(test_offences),
		STORE_TEST(test_positions),
		STORE_TEST(test_allow),
		STORE_TEST(test_allow_learnt),
		STORE_TEST(test_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
