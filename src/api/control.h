/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CONTROL_H
#define API_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>
#include <uv.h>

#include "base/error.h"

/*
 * The control socket: a Unix stream socket on which a client sends one JSON
 * object a line and gets one or more back. The request is
 *
 *   {"command": "check", "arguments": {"indicator": "192.0.2.7"}}
 *
 * the answer {"ok": true, "result": {...}} or
 * {"ok": false, "code": 1, "error": "text"} where code is the CLI's exit code.
 * `watch` answers with {"event": {...}} lines until either side closes.
 *
 * Who may: the peer's uid (SO_PEERCRED) must be 0, the daemon's own, or a
 * member of the configured group for commands that change anything; anybody
 * who can connect (mode of the socket) may ask.
 */
#define CONTROL_LINE_MAX    65536
#define CONTROL_CLIENTS_MAX 32

enum control_code {
	CONTROL_OK = 0,
	CONTROL_FAILED = 1, /* not listed, failed */
	CONTROL_USAGE = 2,
	CONTROL_UNREACHABLE = 3,
	CONTROL_PERMISSION = 4, /* of a file, or the key is not the owner's */
	/* The ledger's: enum session_fault of ledger/ethereum/session.h. */
	CONTROL_REFUSED = 5, /* by a rule */
	CONTROL_NO_ENDPOINT = 6,
	CONTROL_UNAUTHORISED = 7,
	CONTROL_CERTIFICATE = 8,
	CONTROL_PROXY = 9,
	CONTROL_NOT_RPC = 10,
	CONTROL_WRONG_CHAIN = 11,
	CONTROL_NO_CODE = 12,
	CONTROL_WRONG_CODE = 13,
	CONTROL_NO_FUNDS = 14,
	CONTROL_FEE = 15,
	CONTROL_NOT_MINED = 16,
	CONTROL_LIED = 17,
	CONTROL_PASSWORD = 18, /* of a keystore */
	CONTROL_CONFIG = 78,
};

/* --- server, in role node --- */

struct control;
struct control_client;

/*
 * A request: command, arguments (borrowed, may be NULL), the peer's uid and
 * whether he may change things. Answer with control_answer() or
 * control_refuse() exactly once, now or later; control_watch() makes the
 * client a subscriber instead.
 */
typedef void control_request_fn(void *context, struct control_client *client,
	const char *command, const json_t *arguments);

/*
 * Listen on fd (bound, listening; see control_listen()). group: gid that may
 * change things, or (gid_t)-1. NULL with a text.
 */
struct control *control_new(uv_loop_t *loop, int fd, gid_t group,
	control_request_fn *request, void *context, struct error *err);
void control_close(struct control *c);

/* Bind path (a stale socket is removed, a live one is an error). fd or -1. */
int control_listen(const char *path, gid_t group, struct error *err);

/*
 * Who is at the other end of a Unix socket, and whether he may change things: root,
 * the daemon's own user, a member of group. Returns 0 or -1.
 */
int control_peer(int fd, gid_t group, uid_t *uid, bool *may_change);

uid_t control_uid(const struct control_client *client);
bool control_may_change(const struct control_client *client);

/* Whether he may; refuses him if not. */
bool control_let_change(struct control_client *client);

/* Takes over the reference to result. */
void control_answer(struct control_client *client, json_t *result);
void control_refuse(struct control_client *client, enum control_code code,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void control_watch(struct control_client *client);

/* Send an event to one subscriber. Takes over event. */
void control_tell(struct control_client *client, json_t *event);

/* Whether anybody subscribed: an event costs nothing when nobody listens. */
bool control_watched(const struct control *c);

/* Send an event to every subscriber; a slow one is dropped. Takes over event. */
void control_publish(struct control *c, json_t *event);

/* --- client, in the CLI --- */

struct control_connection;

/* NULL with a text; *code is CONTROL_UNREACHABLE or CONTROL_PERMISSION. */
struct control_connection *control_connect(
	const char *path, enum control_code *code, struct error *err);
void control_disconnect(struct control_connection *c);

/* Ask and wait for the answer (new reference). NULL with code and text. */
json_t *control_ask(struct control_connection *c, const char *command, json_t *arguments,
	enum control_code *code, struct error *err);

/* The next line of a watch (new reference); NULL at its end or timeout_ms. */
json_t *control_next(struct control_connection *c, int timeout_ms, struct error *err);

#endif
