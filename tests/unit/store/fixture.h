/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "../cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "indicator/indicator.h"
#include "store/store.h"

/* Where every call of a test puts its text. */
static struct error err;

/* A directory of its own for one test, and the store in it. */
struct fixture {
	char directory[64];
	char path[80];
	struct store *store;
};

static inline void fixture_reopen(struct fixture *f)
{

	store_close(f->store);
	f->store = store_open(f->path, &err);
	if (f->store == NULL)
		fail_msg("%s", err.text);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->directory, sizeof(f->directory), "/tmp/sipchain-store-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof(f->path), "%s/node.db", f->directory);
	fixture_reopen(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	struct fixture *f = *state;
	char path[96];

	store_close(f->store);
	for (size_t k = 0; k < sizeof(tails) / sizeof(tails[0]); k++) {
		snprintf(path, sizeof(path), "%s%s", f->path, tails[k]);
		assert_true(unlink(path) == 0 || errno == ENOENT);
	}
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

#define STORE_TEST(name)                                                                 \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* An indicator from its text. */
static inline struct indicator of(const char *text)
{
	struct indicator i;

	if (indicator_parse(&i, NULL, view_str(text), &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return i;
}

/* Show the error when a call that must succeed fails. */
#define OK(call)                                                                         \
	do {                                                                             \
		err.text[0] = '\0';                                                      \
		if ((call) != 0)                                                         \
			fail_msg("%s: %s", #call, err.text);                             \
	} while (0)

#endif
