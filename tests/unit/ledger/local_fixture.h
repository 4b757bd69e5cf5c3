/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_LOCAL_FIXTURE_H
#define LEDGER_LOCAL_FIXTURE_H

#include "../cmocka_all.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/local_file.h"

/*
 * A folder of its own for each test program, and local ledgers in it whose
 * owner, guardian and members sign with the keys 1, 2, 3 ...
 */
#define T0      UINT32_C(1700000000)
#define MAX_TTL 3600

enum who {
	OWNER = 1,
	GUARDIAN = 2,
	ALICE = 3, /* member 1 */
	BOB = 4,   /* member 2 */
	STRANGER = 5,
};

static char folder[64];
static struct signer *signers[64];

static inline struct signer *signer_of(unsigned who)
{
	uint8_t secret[32] = {0};

	if (!signers[who]) {
		secret[31] = (uint8_t)who;
		signers[who] = signer_from_secret(secret);
		assert_non_null(signers[who]);
	}
	return signers[who];
}

/* One of eight static buffers in turn. */
static inline const char *in_folder(const char *name)
{
	static char paths[8][512];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static inline int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sipchain-ledger-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

/* Remove what a test left, so that each begins with an empty folder. */
static inline int clean_folder(void **state)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	(void)state;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlink(in_folder(entry->d_name));
	if (dir)
		closedir(dir);
	return 0;
}

static inline int remove_folder(void **state)
{
	clean_folder(state);
	for (unsigned k = 0; k < 64; k++)
		signer_free(signers[k]);
	return rmdir(folder);
}

static inline struct ledger_config config_default(void)
{
	return (struct ledger_config){{16, 32, 5, false}, MAX_TTL, 2};
}

static inline void create(const char *path, uint32_t now)
{
	struct ledger_config config = config_default();
	struct error err = {0};

	if (local_create(path, &config, signer_address(signer_of(GUARDIAN)),
		    signer_of(OWNER), now, &err))
		fail_msg("%s", err.text);
}

static inline struct local *open_local(const char *path, bool whole, uint32_t now)
{
	struct error err = {0};
	struct local *l = local_open(path, whole, now, &err);

	if (!l)
		fail_msg("%s", err.text);
	return l;
}

/* Append; a refusal's code, 0 when accepted. */
static inline enum refusal_code append(
	struct local *l, struct operation *op, unsigned who, uint32_t now)
{
	struct error err = {0};
	struct refusal why;
	int rc = local_append(l, op, signer_of(who), now, &why, &err);

	if (rc == -2)
		fail_msg("%s", err.text);
	assert_int_equal(rc, why.code ? -1 : 0);
	return why.code;
}

static inline struct operation op_add(uint16_t member, unsigned who)
{
	struct operation op = {
		.type = OP_MEMBER_ADD,
		.member = member,
		.weight = 1,
		.cap = 64,
		.name = view_of("Example Bank", 12),
		.signer_count = 1,
	};

	memcpy(op.signers[0], signer_address(signer_of(who)), ADDRESS20);
	return op;
}

/* A batch of one word about 8.8.x.y, x.y being number. */
struct one {
	struct operation op;
	uint8_t word[WORD_SIZE];
};

static inline struct operation *one(
	struct one *o, uint16_t member, uint32_t cell, uint16_t number, uint32_t expiry)
{
	struct report w = {
		.indicator = {INDICATOR_IP4, 32, {8, 8}},
		.expiry = expiry,
		.member = member,
		.cell = cell,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP,
	};

	be16_store(w.indicator.value + 2, number);
	word_encode(o->word, &w);
	o->op = (struct operation){
		.type = OP_BATCH, .member = member, .count = 1, .words = o->word};
	return &o->op;
}

static inline int64_t support_of(const struct local *l, uint16_t number, uint32_t now)
{
	struct indicator i = {INDICATOR_IP4, 32, {8, 8}};

	be16_store(i.value + 2, number);
	return registry_support(local_registry(l), &i, now);
}

/* Genesis, then members 1 (ALICE) and 2 (BOB): rows 1 to 3. */
static inline struct local *begun(const char *path, uint32_t now)
{
	struct operation op = op_add(1, ALICE);
	struct local *l;

	create(path, now);
	l = open_local(path, true, now);
	assert_int_equal(append(l, &op, OWNER, now), 0);
	op = op_add(2, BOB);
	assert_int_equal(append(l, &op, OWNER, now), 0);
	return l;
}

static inline void assert_says(const struct error *err, const char *text)
{
	if (!strstr(err->text, text))
		fail_msg("\"%s\" does not say \"%s\"", err->text, text);
}

#endif
