/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RECORD_STEPS_H
#define TESTS_RECORD_STEPS_H

#include "../cmocka_all.h"
#include "sense/honeypot/recorder.h"

/* A folder of its own for each test, removed with what is in it. */
struct folder {
	char path[64];
};

void folder_make(struct folder *f);
void folder_remove(struct folder *f);
unsigned folder_count(const struct folder *f); /* of segments */
uint64_t folder_bytes(const struct folder *f);

/* The path of the nth segment, from 0 on in order of names (static). */
const char *folder_segment(const struct folder *f, unsigned n);

/*
 * Message number n, whose every field follows from n, with size bytes of text
 * (static); n is the session and told from the bytes too.
 */
struct record message(uint64_t n, size_t size);

/* That r is message(n, size), and nothing else. */
void assert_message(const struct record *r, uint64_t n, size_t size);

/* A recorder of that folder for whoever runs the test. Never NULL. */
struct recorder *recorder_at(const struct folder *f, uint64_t max, uint64_t keep);

#endif
