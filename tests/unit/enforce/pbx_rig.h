/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PBX_RIG_H
#define TESTS_PBX_RIG_H

#include "../cmocka_all.h"

#include <string.h>

#include "enforce/pbx.h"
#include "indicator/word.h"

/* A connector's owner for tests of one protocol: keeps what it was told. */
static struct {
	unsigned cleared, not_cleared;
	unsigned resyncs, readies, dones, failures, hits, troubles, failed;
	bool last_done, refused;
	char trouble[PBX_TEXT], why[PBX_TEXT];
	struct ban_order done;
	struct pbx_hit hit;
} told;

#define WALL UINT64_C(1795000000) /* unix seconds */

static void on_resync(void *context)
{
	(void)context;
	told.resyncs++;
}

static bool on_held(void *context, const struct ban_order *found)
{
	(void)context;
	(void)found;
	fail(); /* neither protocol can list what is held */
	return false;
}

static void on_ready(void *context)
{
	(void)context;
	told.readies++;
	told.trouble[0] = '\0';
}

static void on_done(void *context, const struct ban_order *order, bool carried_out)
{
	(void)context;
	if (carried_out)
		told.dones++;
	else
		told.failures++;
	told.last_done = carried_out;
	told.done = *order;
}

static void on_hit(void *context, const struct pbx_hit *hit)
{
	(void)context;
	told.hits++;
	told.hit = *hit;
}

static void on_trouble(void *context, const char *text)
{
	(void)context;
	told.troubles++;
	assert_true(strlen(text) < PBX_TEXT);
	strcpy(told.trouble, text);
}

static void on_failed(void *context, const char *why, bool refused)
{
	(void)context;
	told.failed++;
	told.refused = refused;
	strcpy(told.why, why);
}

static void on_cleared(void *context, bool carried_out)
{
	(void)context;
	if (carried_out)
		told.cleared++;
	else
		told.not_cleared++;
}

static uint32_t on_wanted(void *context, const struct indicator *i)
{
	(void)context;
	(void)i;
	return 0;
}

static usec on_wall(void *context)
{
	(void)context;
	return WALL * USEC_PER_SEC;
}

static const struct pbx_hooks rig_hooks = {NULL, on_resync, on_held, on_ready, on_done,
	on_hit, on_trouble, on_failed, on_cleared, on_wanted, on_wall};

static struct ban_order order_of(uint8_t change, const char *text, uint32_t until)
{
	struct ban_order o = {.change = change,
		.until = until,
		.origin = 1,
		.category = CATEGORY_FRAUD};

	assert_int_equal(indicator_parse(&o.indicator, NULL, view_str(text), NULL), 0);
	return o;
}

/* What would be written next, as a text; "" when nothing is. Marks it as sent. */
static const char *next_text(const struct pbx_ops *ops, struct pbx *p)
{
	static char text[70000];
	struct view bytes;

	text[0] = '\0';
	if (ops->next(p, &bytes)) {
		assert_true(bytes.n < sizeof text);
		memcpy(text, bytes.p, bytes.n);
		text[bytes.n] = '\0';
		ops->sent(p, bytes.n);
	}
	return text;
}

#endif
