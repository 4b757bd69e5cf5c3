/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/reading.h"

#include <stdlib.h>

#include "base/table.h"

struct kept {
	struct indicator indicator; /* the key */
	char text[INDICATOR_SOURCE_TEXT + 1];
};

enum state {
	READING,
	CAUGHT_UP,
	FAILED,
	AGAIN, /* a reorganisation: deliver anew */
};

struct reading {
	const struct reading_order *order; /* while reading_run() is on */
	uv_loop_t loop;
	uv_timer_t patience;
	struct ledger *ledger;
	struct registry *registry;
	struct table *texts;
	uint64_t count;
	enum state state;
	bool troubled; /* since the last event */
	struct error error;
};

/* In the middle of a callback: what is to be done is done outside of it. */
static void end(struct reading *r, enum state state)
{
	if (r->state != READING)
		return;
	r->state = state;
	uv_stop(&r->loop);
}

static void out_of_patience(uv_timer_t *timer)
{
	struct reading *r = timer->data;

	if (!r->troubled)
		error_set(&r->error, "nothing came from the ledger for %u s",
			r->order->patience_ms / 1000);
	end(r, FAILED);
}

static void be_patient(struct reading *r)
{
	uv_timer_start(&r->patience, out_of_patience,
		r->troubled ? r->order->trouble_ms : r->order->patience_ms, 0);
}

static void on_window(void *context, const struct tip *before, uint32_t since)
{
	struct reading *r = context;

	if (r->state == READING && registry_window(r->registry, before, since)) {
		error_set(&r->error, "the ledger's window does not fit its beginning");
		end(r, FAILED);
	}
}

/* Keep the published texts of a batch, each of which proves itself. */
static void keep_texts(struct reading *r, const struct operation *op)
{
	for (unsigned i = 0; op->type == OP_BATCH && op->texts.n && i < op->count; i++) {
		struct report word;
		struct kept *k;
		struct view text;

		if (operation_text(op, i, &text))
			continue;
		word_decode(&word, op->words + (size_t)i * WORD_SIZE);
		k = table_put(r->texts, &word.indicator, NULL);
		if (k)
			view_copy(k->text, sizeof k->text, text);
	}
}

static void on_event(void *context, const struct ledger_event *event)
{
	struct reading *r = context;
	struct refusal why = {0};
	char text[REFUSAL_TEXT];

	if (r->state != READING)
		return;
	if (registry_apply(
		    r->registry, &event->operation, event->bytes, NULL, NULL, &why)) {
		error_set(&r->error,
			"%s operation %llu cannot follow what stands before it: %s",
			event->chain == CHAIN_ADMIN ? "administrative" : "members'",
			(unsigned long long)event->operation.seq,
			refusal_print(text, &why));
		end(r, FAILED);
		return;
	}
	r->count++;
	r->troubled = false;
	r->error.text[0] = 0;
	be_patient(r);
	keep_texts(r, &event->operation);
	if (r->order->event)
		r->order->event(r->order->event_context, event);
}

static void on_undo(void *context, uint64_t block)
{
	struct reading *r = context;

	if (r->order->event && r->count) {
		error_set(&r->error,
			"the chain was reorganised from block %llu on while it was read; "
			"run the command again",
			(unsigned long long)block);
		end(r, FAILED);
		return;
	}
	end(r, AGAIN);
}

static void on_caught_up(void *context)
{
	end(context, CAUGHT_UP);
}

static void on_fate(void *context, const struct ledger_fate *fate)
{
	(void)context; /* nothing was submitted */
	(void)fate;
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	struct reading *r = context;

	if (healthy || r->state != READING)
		return;
	/*
	 * The first says why; what comes after it ("no endpoint is left") only what
	 * follows from that, and must not put off the end.
	 */
	if (r->troubled)
		return;
	error_set(&r->error, "%s", text);
	r->troubled = true;
	be_patient(r);
}

/* The fold's beginning. Returns 0 or -1 with r->error. */
static int start(struct reading *r)
{
	const struct hash_key key = hash_key_random();

	registry_free(r->registry);
	table_free(r->texts);
	r->registry = registry_new(key);
	r->texts = table_new(sizeof(struct kept), INDICATOR_SIZE, READING_TEXTS, key);
	r->count = 0;
	r->state = READING;
	if (!r->registry || !r->texts)
		return error_set(&r->error, "out of memory");
	be_patient(r);
	return r->ledger->methods->start(r->ledger, r->order->now, &r->error);
}

/* With the ledger open. Returns 0 or -1 with r->error. */
static int read_on(struct reading *r)
{
	do {
		if (start(r))
			return -1;
		/* uv_stop() may have come inside start(), before the loop ran. */
		while (r->state == READING && uv_run(&r->loop, UV_RUN_DEFAULT))
			;
	} while (r->state == AGAIN);
	return r->state == CAUGHT_UP ? 0 : -1;
}

struct reading *reading_run(const struct reading_order *order, struct error *err)
{
	struct reading *r = calloc(1, sizeof *r);
	const struct ledger_callbacks callbacks = {
		.context = r,
		.window = on_window,
		.event = on_event,
		.undo = on_undo,
		.caught_up = on_caught_up,
		.fate = on_fate,
		.trouble = on_trouble,
	};
	int rc = -1;

	if (!r || uv_loop_init(&r->loop)) {
		free(r);
		error_set(err, "out of memory");
		return NULL;
	}
	r->order = order;
	uv_timer_init(&r->loop, &r->patience);
	r->patience.data = r;
	r->ledger = order->open(order->context, &r->loop, &callbacks, &r->error);
	if (r->ledger)
		rc = read_on(r);
	if (rc && r->state == READING)
		r->state = FAILED; /* what still comes while it closes is not heard */
	if (r->ledger)
		r->ledger->methods->close(r->ledger);
	uv_close((uv_handle_t *)&r->patience, NULL);
	while (uv_run(&r->loop, UV_RUN_DEFAULT)) /* a uv_stop() may be left over */
		;
	uv_loop_close(&r->loop);
	r->order = NULL;
	r->ledger = NULL;
	if (!rc)
		return r;
	error_set(
		err, "%s", r->error.text[0] ? r->error.text : "the ledger's loop ended");
	reading_free(r);
	return NULL;
}

void reading_free(struct reading *r)
{
	if (!r)
		return;
	registry_free(r->registry);
	table_free(r->texts);
	free(r);
}

const struct registry *reading_registry(const struct reading *r)
{
	return r->registry;
}

uint64_t reading_count(const struct reading *r)
{
	return r->count;
}

const char *reading_text(const struct reading *r, const struct indicator *i)
{
	const struct kept *k = table_get(r->texts, i);

	return k ? k->text : NULL;
}
