/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SEALED_H
#define TESTS_SEALED_H

#include "../cmocka_all.h"

#include "daemon/sandbox.h"

/*
 * Each case runs in a process of its own, which seals itself for real and then
 * tries something; its exit code is the errno of that, 0 for success.
 */
#define SEAL_FAILED  250
#define SETUP_FAILED 251

typedef int attempt(enum role role);

#define ALL_ROLES 5
extern const enum role all_roles[ALL_ROLES];

/* Folders that sealed processes may read, and change; see make_folders(). */
extern char readable[80], writable[80];

/* Whether the kernel has Landlock; asked before anything is sealed. */
extern bool landlock;

/* Seal as a role, with those folders (deliver: to connect); exits with SEAL_FAILED if it cannot. */
void seal(enum role role, const char *user);

/* The wait status of a process that sealed itself and made the attempt. */
int status_of(enum role role, attempt *fn);

/* Its exit code; the test fails when it was ended. */
int result(enum role role, attempt *fn);

/* The filter ends the process with SIGSYS. */
void assert_ended(enum role role, attempt *fn);

/* The exit code of fn in a process of its own that is not sealed at first. */
int apart(int (*fn)(void));

/* 0 when path can be opened so, else errno. */
int open_path(const char *path, int flags);

/* For cmocka_run_group_tests(). */
int make_folders(void **state);
int remove_folders(void **state);

#endif
