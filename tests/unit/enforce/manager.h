/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENFORCE_MANAGER_H
#define TESTS_ENFORCE_MANAGER_H

#include "enforce/asterisk_entry.h"

/*
 * Asterisk's manager interface and its AstDB, as far as a connector sees them:
 * bytes in, bytes out. The texts are those of Asterisk 22.10.
 */
#define MANAGER_USER   "sipchain"
#define MANAGER_SECRET "t0p-secret"

enum manager_behaviour {
	MANAGER_DENIES_WRITE = 1,  /* write = (nothing) */
	MANAGER_DENIES_FILTER = 2, /* no such action */
	MANAGER_OLD = 4,           /* no DBGetTree */
	MANAGER_BOOTING = 8,       /* FullyBooted is not said at the login */
	MANAGER_FAILS_PUT = 16,    /* of numbers that end in 9 */
	MANAGER_SILENT = 32,       /* answers nothing after the login */
	MANAGER_NO_CHALLENGE = 64,
	MANAGER_FORGES = 128, /* before each answer one with another id */
};

struct manager_entry {
	char key[ASTERISK_KEY + 104]; /* "num/97259" */
	char value[ASTERISK_VALUE + 80];
};

#define MANAGER_ENTRIES 32768

struct manager {
	unsigned behaviour; /* enum manager_behaviour */
	struct buffer in, out;
	bool logged_in;
	char filter[200], events[64];
	struct manager_entry *entries; /* sorted by key */
	size_t count;
	unsigned puts, deletes, trees, cleared, pings, actions;
};

void manager_open(struct manager *m, unsigned behaviour);
void manager_close(struct manager *m);

/* A fresh connection; AstDB stays. */
void manager_accept(struct manager *m);

/* The client's bytes; what is answered is appended to m->out. */
void manager_take(struct manager *m, struct view bytes);

void manager_put(struct manager *m, const char *key, const char *value);
bool manager_delete(struct manager *m, const char *key);

/* The value, or NULL. */
const char *manager_get(const struct manager *m, const char *key);

/* Say something of its own. */
void manager_say(struct manager *m, const char *text);

#endif
