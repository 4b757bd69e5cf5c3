/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include "base/error.h"

/* PRAGMA application_id of a store: "SIPc". */
#define SCHEMA_APPLICATION 0x53495063

/*
 * One step of the tables' history: version n is reached by running the nth
 * (from 1) over version n - 1. Steps are never edited once released; a change
 * is a new step at the end.
 */
struct migration {
	const char *what; /* for the log */
	const char *sql;
};

extern const struct migration schema_migrations[];
extern const int schema_version; /* how many there are */

/*
 * Bring db to version n by the steps it lacks, each in a transaction of its
 * own with its version number, so that a kill between two is harmless. An
 * empty file becomes a store; another program's, or one of a version above n,
 * is refused with a text. Returns 0 or -1.
 */
int schema_migrate(sqlite3 *db, const struct migration *steps, int n, struct error *err);

#endif
