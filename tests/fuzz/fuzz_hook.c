/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator's program writes: to its standard output, and to its standard
 * error. It is the operator's, but what it passes on may come from callers.
 */
#include <stdlib.h>

#include "base/escape.h"
#include "enforce/hook.h"
#include "enforce/hook_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void on_plain(void *context)
{
	(void)context;
}

static void on_done(void *context, const struct ban_order *order, bool done)
{
	(void)context;
	(void)order;
	if (!done)
		abort();
}

static void check_text(const char *text, size_t size)
{
	if (!memchr(text, '\0', size) || !text_is_clean(view_str(text)))
		abort();
}

static void on_hit(void *context, const struct pbx_hit *hit)
{
	(void)context;
	check_text(hit->number, sizeof hit->number);
	check_text(hit->dialled, sizeof hit->dialled);
	check_text(hit->account, sizeof hit->account);
	if (hit->source.family && hit->source.family != 4 && hit->source.family != 6)
		abort();
	if (hit->indicator.kind && indicator_check_shape(&hit->indicator, NULL))
		abort();
	if (!hit->indicator.kind && !hit->number[0])
		abort();
}

static void on_text(void *context, const char *text)
{
	(void)context;
	check_text(text, PBX_TEXT);
}

static void on_log(void *context, const char *line)
{
	(void)context;
	for (; *line; line++)
		if (*line < ' ' || *line > '~')
			abort();
}

/* Whole, and split at a place that the input says: both must come to the same. */
static uint64_t run(const uint8_t *input, size_t size, size_t split)
{
	const struct pbx_config config = {.name = "f"};
	const struct pbx_hooks hooks = {.resync = on_plain,
		.ready = on_plain,
		.done = on_done,
		.hit = on_hit,
		.trouble = on_text};
	struct ban_order order = {.change = BAN_ADD, .until = 1};
	struct hook_log log = {.n = 0};
	struct pbx_figures f;
	struct pbx *p = pbx_hook.open(&config, &hooks, NULL);

	if (!p || indicator_from_digits(&order.indicator, view_str("442079460000")))
		abort();
	pbx_hook.connected(p, 1);
	pbx_hook.order(p, &order, 1, 1);
	pbx_hook.received(p, view_of(input, split), 1);
	pbx_hook.received(p, view_of(input + split, size - split), 1);
	pbx_hook.figures(p, &f);
	pbx_hook.free(p);
	hook_log_feed(&log, view_of(input, split), 1, on_log, NULL);
	hook_log_feed(&log, view_of(input + split, size - split), 1, on_log, NULL);
	hook_log_end(&log, 1, on_log, NULL);
	if (f.discarded + f.hits > f.messages)
		abort();
	return f.messages << 40 | f.discarded << 20 | f.hits;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	size_t split = size ? input[0] % (size + 1) : 0;

	if (run(input, size, size) != run(input, size, split))
		abort();
	return 0;
}
