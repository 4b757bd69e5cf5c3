/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "daemon/role.h"
#include "daemon/sandbox.h"

/*
 * The payloads of what the parent and a role say to one another (types 1..31
 * of messages.h) over their pair, which is descriptor PARENT_FD in the role.
 */
#define PARENT_FD 3

/* What sense inherits beside it. */
#define INHERITED_FD  4
#define INHERITED_MAX 32

/* role -> parent, beside those of messages.h */
enum control_message {
	/* u8 1: done, 0: not, followed by a text that says why, without NUL */
	MSG_RELOADED = 16,
	/* text without NUL, one line, for the service manager's STATUS= */
	MSG_STATUS = 17,
	/*
	 * u8: the number of a [source] of type ami (sense), or of a [connector]
	 * (node): connect to it
	 */
	MSG_CONNECT = 18,
	/* parent -> role: struct control_connected; fd: the socket, when error is 0 */
	MSG_CONNECTED = 19,
	/* node: struct control_open; what of the HTTP API is to be opened for it */
	MSG_API_OPEN = 20,
	/* parent -> node: struct control_opened; fd: a listener that was asked for */
	MSG_API_OPENED = 21,
};

/* MSG_API_OPEN, see api_open.h */
struct control_open {
	uint8_t part; /* enum api_part */
	uint8_t number;
};

struct control_opened {
	uint8_t part, number;
	uint8_t digest[32]; /* of what is no listener, see api_digest() */
	char text[300];     /* why there is neither; "": there is */
};

/*
 * MSG_CONNECTED. The socket may still be connecting: reading it tells. A connector
 * that writes to another descriptor than it reads from gets two of these.
 */
enum connected_use {
	CONNECTED_BOTH = 0, /* to be read and written */
	CONNECTED_READ = 1, /* .. and the other follows */
	CONNECTED_WRITE = 2,
	CONNECTED_ERRORS = 3, /* a program's standard error, after CONNECTED_BOTH */
};

struct control_connected {
	int32_t error; /* errno */
	uint8_t source;
	uint8_t use;    /* enum connected_use */
	char text[200]; /* what error is not enough for, clean; "" */
};

/* MSG_CONFIG */
struct control_hello {
	uint32_t role;
	int32_t parent;  /* the parent's pid: getppid() must say the same */
	uint32_t starts; /* 1 for the first start of this role, 2 ... */
	/* For sense alone, the same at each of its starts: what the honeypot proves by. */
	uint8_t honeypot_key[32];
	/*
	 * Sockets of the service manager's, which are its descriptors INHERITED_FD
	 * and on, and what each was named for: enum sip_transport, 0: by its address.
	 */
	uint32_t inherited;
	uint8_t inherited_transport[INHERITED_MAX];
};

/* MSG_PEER */
struct control_peer {
	uint32_t role;
	int32_t pid;     /* the peer's */
	uint32_t starts; /* of the peer, as in control_hello */
};

/* MSG_ROLES: to the node, for each role and at each change. */
enum role_state {
	ROLE_WAITING = 1,  /* dead; to be started again */
	ROLE_STARTING = 2, /* runs, not sealed yet */
	ROLE_RUNNING = 3,  /* sealed and at work */
	ROLE_STOPPING = 4,
};

struct role_status {
	uint32_t role;
	uint32_t state; /* enum role_state */
	int32_t pid;    /* 0 when there is none */
	uint32_t starts;
	int32_t last_exit; /* of its last process: exit code, or -signal; 0: none ended yet */
	uint32_t rss_kib;              /* resident memory */
	struct sandbox_report sandbox; /* ROLE_RUNNING */
};

/*
 * How a role exits. 0 after MSG_STOP; anything unexpected is restarted with
 * backoff.
 */
enum role_exit {
	ROLE_EXIT_OK = 0,
	ROLE_EXIT_FAILED = 1,
	ROLE_EXIT_CONFIG =
		78, /* EX_CONFIG: before the first MSG_READY this ends the daemon */
	/*
	 * Start me anew at once, without backoff: the new configuration needs
	 * something that the sandbox keeps from me (a listening socket, say).
	 */
	ROLE_EXIT_AGAIN = 79,
};

#endif
