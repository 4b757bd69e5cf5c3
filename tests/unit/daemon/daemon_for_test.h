/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DAEMON_FOR_TEST_H
#define TESTS_DAEMON_FOR_TEST_H

#include "../cmocka_all.h"

#include <sys/types.h>

#include "daemon/supervisor.h"
#include "roles_for_test.h"

/* Long enough for a loaded machine; a test that waits so long has failed. */
#define PATIENCE_MS 30000

/*
 * A sipchaind whose roles are those of roles_for_test.c, and whoever reads
 * what it says. The test program itself is that sipchaind when it is started
 * with arguments.
 */
struct daemon {
	pid_t pid;
	int manager; /* what a service manager would read */
	int said;    /* standard error of all its processes */
	char *text;  /* all of it so far */
	size_t n, mark;
	char told[65536]; /* to the manager, each datagram followed by '|' */
	size_t told_n;
};

extern char folder[64], config_path[80];
extern const char *const names[4];  /* of all roles */
extern const char *const leaves[3]; /* of those that are linked with the node */

/* Write the configuration file: this text, or a right one with this name. */
void write_config(const char *text);
void configure(const char *name);

/*
 * Fork; in the child pid is 0 and *said is to become its standard error, in
 * the parent it is to be closed.
 */
struct daemon *daemon_new(int *said);

/* Start it, by default with pings every 100 ms. */
struct supervisor_options fast(void);
struct daemon *start_with(const struct supervisor_options *options);
struct daemon *start(void);

/* Take in what the daemon said and told, waiting a little for more. */
void listen_to(struct daemon *d);

/* From now on only what comes later counts for await() and assert_not_said(). */
void mark(struct daemon *d);

/* Wait until the daemon has said this. Returns where it stands in its text. */
const char *await(struct daemon *d, const char *text);
void assert_not_said(const struct daemon *d, const char *text);

/* Wait until the service manager has been told this, from offset of told on. */
const char *await_told(struct daemon *d, size_t offset, const char *text);

/* The pid of a role's n-th start, whenever that was. */
pid_t pid_of(struct daemon *d, const char *role, unsigned starts);

/* Wait until all roles run and have heard one another. */
void await_all_run(struct daemon *d);

/* Wait for the daemon's end. Returns its exit code, or -signal. */
int end_of(struct daemon *d);

/* SIGTERM, its end with 0, and free_daemon(). */
void stop(struct daemon *d);
void free_daemon(struct daemon *d);

/* For cmocka: ends what a failed test left; the folder of all tests. */
int leave_nothing(void **state);
int make_folder(void **state);
int remove_folder(void **state);

#endif
