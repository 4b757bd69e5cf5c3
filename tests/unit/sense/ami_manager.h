/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_AMI_MANAGER_H
#define TESTS_AMI_MANAGER_H

#include "../cmocka_all.h"

#include <stdbool.h>
#include <uv.h>

/* A manager interface like Asterisk's, in the test's own loop. */
#define MANAGER_USER   "sipchain"
#define MANAGER_SECRET "t0p-secret"

/* What the manager does; bits. */
enum behaviour {
	SILENT = 1,    /* accepts and says nothing */
	STRANGE = 2,   /* greets as something else */
	NO_RIGHTS = 4, /* write = (nothing) */
	DEAF = 8,      /* answers nothing after the login */
	HANGS_UP = 16, /* closes after the login */
	NO_ENDPOINTS = 32,
	LIES = 64, /* answers whose ids are not the client's */
	NO_LISTENER = 128,
	NO_CHALLENGE = 256,
	ONE_SLOW = 512, /* one byte at a time */
};

struct manager {
	uv_loop_t loop;
	uv_tcp_t listener, peer;
	bool connected;
	unsigned behaviour; /* enum behaviour */
	const char *after;  /* sent after the login's answer */
	size_t repeat;      /* ... so many times */
	char in[65536];
	size_t n;
	char events[128], filter[512]; /* what was asked for */
	unsigned logins, pings, rounds, asked, accepted;
	uint16_t port;
};

/* There is one: cmocka's tests run one after the other. */
extern struct manager m;

/* Begin to listen on a port of the system's choice. */
void manager_open(unsigned behaviour, const char *after, size_t repeat);

/* Say something more to whoever is connected. */
void manager_say(const char *text);

/* Close the connection, if there is one. */
void manager_hang_up(void);

#endif
