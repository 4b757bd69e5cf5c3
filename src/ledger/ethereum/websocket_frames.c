/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/random.h>

#include "ledger/ethereum/websocket_state.h"

/* Pongs that a peer makes us queue by pings whose answers it does not read. */
#define QUEUED_MAX 256

/* --- wslay's side --- */

static ssize_t on_recv(
	wslay_event_context_ptr ctx, uint8_t *dst, size_t n, int flags, void *context)
{
	struct websocket *w = context;
	ssize_t got;

	(void)flags;
	if (w->closing) { /* by the owner, in the callback of a message */
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	got = websocket_read(w, dst, n);
	if (got <= 0)
		wslay_event_set_error(
			ctx, got < 0 ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
	return got > 0 ? got : -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *src, size_t n,
	int flags, void *context)
{
	ssize_t sent = websocket_write(context, src, n);

	(void)flags;
	if (sent <= 0)
		wslay_event_set_error(ctx,
			sent < 0 ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
	return sent > 0 ? sent : -1;
}

/* RFC 6455 section 10.3: unpredictable to whoever chose the message. */
static int on_genmask(wslay_event_context_ptr ctx, uint8_t *dst, size_t n, void *context)
{
	(void)context;
	if (getrandom(dst, n, 0) == (ssize_t)n)
		return 0;
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void on_message(wslay_event_context_ptr ctx,
	const struct wslay_event_on_msg_recv_arg *arg, void *context)
{
	struct websocket *w = context;
	char reason[124];

	(void)ctx;
	if (w->closing || w->why.text[0])
		return;
	if (arg->opcode == WSLAY_TEXT_FRAME) {
		w->callbacks.message(
			w->callbacks.context, view_of(arg->msg, arg->msg_length));
	} else if (arg->opcode == WSLAY_BINARY_FRAME) {
		error_set(&w->why, "it sends binary messages");
	} else if (arg->opcode == WSLAY_CONNECTION_CLOSE) {
		/* The payload is the status code, then the reason. */
		struct view text = view_from(view_of(arg->msg, arg->msg_length), 2);

		endpoint_redact(reason, sizeof reason, w->endpoint, text);
		error_set(&w->why, "it said goodbye (%u%s%s)", arg->status_code,
			reason[0] ? ": " : "", reason);
	}
}

int websocket_frames_open(struct websocket *w)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.genmask_callback = on_genmask,
		.on_msg_recv_callback = on_message,
	};

	if (wslay_event_context_client_init(&w->frames, &callbacks, w))
		return -1;
	wslay_event_config_set_max_recv_msg_length(w->frames, WEBSOCKET_MESSAGE_MAX);
	return 0;
}

/* --- ours --- */

/* Why wslay reads no more, when nobody else has said why. */
static void explain(struct websocket *w)
{
	unsigned code = wslay_event_get_status_code_sent(w->frames);

	if (w->why.text[0])
		return;
	if (code == WSLAY_CODE_MESSAGE_TOO_BIG)
		error_set(&w->why, "it sends a message of more than %u bytes",
			WEBSOCKET_MESSAGE_MAX);
	else if (code == WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA)
		error_set(&w->why, "it sends text that is not UTF-8");
	else
		error_set(&w->why, "it breaks the WebSocket protocol");
}

void websocket_frames_step(struct websocket *w)
{
	int received = wslay_event_recv(w->frames), sent;

	if (w->closing)
		return;
	sent = wslay_event_send(w->frames);
	if (wslay_event_get_queued_msg_count(w->frames) > QUEUED_MAX)
		error_set(&w->why, "it does not read what we send");
	if (received || sent || w->why.text[0] ||
		!wslay_event_get_read_enabled(w->frames)) {
		explain(w);
		websocket_end(w, w->why.text);
	}
}

int websocket_frames_put(struct websocket *w, enum wslay_opcode opcode, struct view text)
{
	struct wslay_event_msg m = {
		.opcode = (uint8_t)opcode, .msg = text.p, .msg_length = text.n};

	if (wslay_event_get_queued_msg_length(w->frames) + text.n > WEBSOCKET_MESSAGE_MAX)
		return -1;
	return wslay_event_queue_msg(w->frames, &m) ? -1 : 0;
}

void websocket_frames_goodbye(struct websocket *w)
{
	if (!wslay_event_queue_close(w->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0))
		wslay_event_send(w->frames);
}
