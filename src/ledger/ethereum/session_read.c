/* SPDX-License-Identifier: Apache-2.0 */
/* A session reads as the daemon does, with a journal in memory. */
#include "ledger/ethereum/session_state.h"

#include "ledger/ethereum/ethereum.h"

/* A provider may take a while over a range of blocks that holds nothing. */
#define PATIENCE_MS 60000
#define TROUBLE_MS  6000

static uint32_t reading_now;

static uint32_t fixed_now(void)
{
	return reading_now;
}

static struct ledger *open_ledger(void *context, uv_loop_t *loop,
	const struct ledger_callbacks *callbacks, struct error *err)
{
	struct session *s = context;

	return ethereum_ledger_new(loop, &s->settings, NULL, callbacks, fixed_now, err);
}

int session_read(struct session *s, bool whole, uint32_t now, session_event_fn *event,
	void *context, struct session_failure *why)
{
	struct reading_order order = {
		.open = open_ledger,
		.context = s,
		.now = whole ? 0 : now,
		.patience_ms = PATIENCE_MS,
		.trouble_ms = TROUBLE_MS,
		.event = event,
		.event_context = context,
	};
	struct error err = {""};

	if (session_check_all(s, why))
		return -1;
	reading_now = order.now;
	snprintf(s->settings.journal, sizeof s->settings.journal, ":memory:");
	reading_free(s->reading);
	s->reading = reading_run(&order, &err);
	if (s->reading)
		return 0;
	/* The session's own questions were answered: what fails now is the reading. */
	return session_fail(why, SESSION_LIED, "%s", err.text);
}
