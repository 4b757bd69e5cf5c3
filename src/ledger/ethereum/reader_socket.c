/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ledger/ethereum/json_bounded.h"
#include "ledger/ethereum/reader_state.h"

/*
 * The socket: newHeads and logs are subscribed to, and whatever comes is a
 * reason to look. Where the operator gave no address, the usual places are
 * tried: the same address, the same with /ws (IBFT engines), the next port
 * (geth).
 */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   30000
#define GUESSED_MAX_MS 300000 /* where nothing says that there is a socket */
#define STABLE_MS      10000  /* subscribed for so long: the place is good */
#define MISSED_MAX     2

#define SUBSCRIBE_HEADS 1
#define SUBSCRIBE_LOGS  2

static void open_socket(struct log_reader *r);

/* --- where --- */

static void add_place(
	struct log_reader *r, const char *scheme, const char *rest, const char *suffix)
{
	char *place = r->socket_url[r->sockets];
	int n = snprintf(place, ENDPOINT_URL_MAX, "%s%s%s", scheme, rest, suffix);

	if (n > 0 && n < ENDPOINT_URL_MAX)
		r->sockets++;
}

/* "host:8545/path" with the port one higher; "" when none is given. */
static void next_port(char *dst, size_t size, const char *rest)
{
	const char *end = strchr(rest, '/');
	size_t authority = end ? (size_t)(end - rest) : strlen(rest);
	size_t colon = view_rfind(view_of(rest, authority), ':');
	uint64_t port;

	dst[0] = 0;
	if (colon < authority &&
		!view_decimal(
			view_of(rest + colon + 1, authority - colon - 1), 65534, &port))
		snprintf(dst, size, "%.*s:%u%s", (int)colon, rest, (unsigned)port + 1,
			end ? end : "");
}

static void find_places(struct log_reader *r)
{
	const struct endpoint *e = rpc_endpoint(r->rpc);
	bool tls = !strncmp(e->url, "https://", 8);
	const char *scheme = tls ? "wss://" : "ws://";
	const char *rest = e->url + (tls ? 8 : 7);
	char other[ENDPOINT_URL_MAX];
	size_t n = strlen(rest);

	r->sockets = r->socket_at = 0;
	r->socket_told = e->ws[0];
	if (!strcmp(e->ws, "none"))
		return;
	if (e->ws[0]) {
		add_place(r, "", e->ws, "");
		return;
	}
	add_place(r, scheme, rest, "");
	add_place(r, scheme, rest, n && rest[n - 1] == '/' ? "ws" : "/ws");
	/* What listens on another port may be another's: it gets no secret. */
	next_port(other, sizeof other, rest);
	if (other[0] && !tls && !endpoint_has_secrets(e))
		add_place(r, scheme, other, "");
}

/* --- what it says --- */

/* The answer to a subscription: its id. Returns whether it was one. */
static bool take_id(char *dst, size_t size, const json_t *message, int id)
{
	const char *text = json_string_value(json_object_get(message, "result"));

	if (json_integer_value(json_object_get(message, "id")) != id || !text ||
		strlen(text) >= size)
		return false;
	snprintf(dst, size, "%s", text);
	return true;
}

static void take_notification(struct log_reader *r, const json_t *message)
{
	const char *id = json_string_value(
		json_object_get(json_object_get(message, "params"), "subscription"));

	if (!id)
		return;
	r->noticed = uv_now(r->loop);
	r->missed = 0;
	/* An event is looked for at once, a mere block not more often than .. */
	reader_wake(r, !strcmp(id, r->logs_id));
}

static void on_message(void *context, struct view text)
{
	struct log_reader *r = context;
	json_t *message = json_parse_bounded(text, NULL);

	if (!message)
		return;
	if (json_object_get(message, "params")) {
		take_notification(r, message);
	} else if (take_id(r->head_id, sizeof r->head_id, message, SUBSCRIBE_HEADS)) {
		r->subscribed = true;
		r->places_pause_ms = 0;
		r->subscribed_at = uv_now(r->loop);
		r->missed = 0;
		/* From here on nothing is missed: look at what came before. */
		reader_wake(r, true);
	} else {
		take_id(r->logs_id, sizeof r->logs_id, message, SUBSCRIBE_LOGS);
	}
	json_decref(message);
}

static void send_json(struct log_reader *r, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	if (text)
		websocket_send(r->socket, view_str(text));
	free(text);
	json_decref(message);
}

static void on_opened(void *context)
{
	struct log_reader *r = context;

	send_json(r,
		json_pack("{s:s,s:i,s:s,s:[s]}", "jsonrpc", "2.0", "id", SUBSCRIBE_HEADS,
			"method", "eth_subscribe", "params", "newHeads"));
	send_json(r,
		json_pack("{s:s,s:i,s:s,s:[s,o]}", "jsonrpc", "2.0", "id", SUBSCRIBE_LOGS,
			"method", "eth_subscribe", "params", "logs",
			request_filter(r->settings, -1, UINT64_MAX)));
}

/* --- open, closed, again --- */

static void on_pause(uv_timer_t *timer)
{
	struct log_reader *r = timer->data;

	if (r->socket && !r->subscribed) {
		/* Open, and no id came. */
		websocket_close(r->socket);
		r->socket = NULL;
		r->socket_at++;
	}
	if (!r->socket)
		open_socket(r);
}

/* This pause; *ms becomes the next one, twice as long. 0 in *ms: the first. */
static uint32_t growing(uint32_t *ms, uint32_t max)
{
	uint32_t pause = *ms ? *ms : PAUSE_FIRST_MS;

	*ms = pause * 2 > max ? max : pause * 2;
	return pause;
}

/*
 * No place has served. A provider that is restarted or limits rates refuses for
 * seconds, one without sockets for ever: so this pause grows, too.
 */
static uint32_t next_place(struct log_reader *r)
{
	if (++r->socket_at < r->sockets)
		return 0;
	return growing(
		&r->places_pause_ms, r->socket_told ? PAUSE_MAX_MS : GUESSED_MAX_MS);
}

static void try_later(struct log_reader *r)
{
	bool was = r->subscribed;
	uint64_t pause;

	/* Lost after a while: again at once; lost each time at once: less often. */
	if (was && uv_now(r->loop) - r->subscribed_at >= STABLE_MS)
		r->socket_pause_ms = 0;

	websocket_close(r->socket);
	r->socket = NULL;
	r->subscribed = false;
	r->head_id[0] = r->logs_id[0] = 0;
	if (was)
		reader_wake(r, true);
	if (was && !r->socket_pause_ms) {
		/* The place is right, the connection was lost. */
		r->socket_pause_ms = PAUSE_FIRST_MS;
		pause = 0;
	} else if (r->socket_pause_ms) {
		pause = growing(&r->socket_pause_ms, PAUSE_MAX_MS);
	} else {
		pause = next_place(r);
	}
	uv_timer_start(&r->socket_timer, on_pause, pause, 0);
}

static void on_socket_closed(void *context, const char *why)
{
	(void)why;
	try_later(context);
}

static void open_socket(struct log_reader *r)
{
	const struct websocket_callbacks callbacks = {.context = r,
		.opened = on_opened,
		.message = on_message,
		.closed = on_socket_closed};

	if (!r->rpc || !r->sockets)
		return;
	if (r->socket_at >= r->sockets)
		r->socket_at = 0;
	r->socket = websocket_open(r->loop, rpc_endpoint(r->rpc),
		r->socket_url[r->socket_at], &callbacks, NULL);
	if (!r->socket) {
		try_later(r);
		return;
	}
	/* Connected and subscribed by then, or another place is tried. */
	uv_timer_start(&r->socket_timer, on_pause, 2 * WEBSOCKET_CONNECT_MS, 0);
}

void reader_socket_begin(struct log_reader *r)
{
	find_places(r);
	r->socket_pause_ms = r->places_pause_ms = 0;
	r->missed = 0;
	open_socket(r);
}

void reader_socket_end(struct log_reader *r)
{
	websocket_close(r->socket);
	r->socket = NULL;
	r->subscribed = false;
	r->sockets = 0;
	r->head_id[0] = r->logs_id[0] = 0;
	if (!r->closing)
		uv_timer_stop(&r->socket_timer);
}

void reader_socket_missed(struct log_reader *r)
{
	if (!r->subscribed || ++r->missed < MISSED_MAX)
		return;
	r->missed = 0;
	try_later(r);
}
