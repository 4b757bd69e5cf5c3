/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever answers where Asterisk's manager should be. */
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "enforce/asterisk_state.h"
#include "indicator/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define WANTED 3

/* One conversation, and what came of it. */
struct talk {
	struct indicator wanted[WANTED];
	unsigned taken, answered;
	bool ready, failed;
	uint64_t hash; /* of what the hooks were told */
};

static void note(struct talk *t, char what, const void *p, size_t n)
{
	const struct hash_key key = {t->hash, (uint64_t)what};

	if (t->failed)
		abort(); /* nothing comes after the end */
	t->hash = hash_bytes(&key, p, n);
}

static void on_resync(void *context)
{
	struct talk *t = context;

	note(t, 'r', "", 0);
	t->ready = false;
	t->taken = t->answered = 0; /* forgotten */
}

static bool on_held(void *context, const struct ban_order *found)
{
	note(context, 'h', &found->indicator, sizeof(found->indicator));
	if (found->change != BAN_ADD || number_check(&found->indicator, NULL))
		abort();
	return found->until % 2;
}

static void on_ready(void *context)
{
	struct talk *t = context;

	note(t, 'y', "", 0);
	t->ready = true;
}

static void on_done(void *context, const struct ban_order *order, bool carried_out)
{
	struct talk *t = context;

	note(t, carried_out ? 'd' : 'n', &order->indicator, sizeof(order->indicator));
	if (++t->answered > t->taken)
		abort();
}

static void clean(const char *text, size_t size)
{
	if (!memchr(text, 0, size) || !text_is_clean(view_str(text)))
		abort();
}

static void on_hit(void *context, const struct pbx_hit *hit)
{
	note(context, 'b', hit->number, strlen(hit->number));
	clean(hit->number, sizeof(hit->number));
	clean(hit->dialled, sizeof(hit->dialled));
	clean(hit->account, sizeof(hit->account));
	if (hit->indicator.kind && indicator_check_shape(&hit->indicator, NULL))
		abort();
	if (hit->source.family && hit->source.family != 4 && hit->source.family != 6)
		abort();
}

static void on_trouble(void *context, const char *text)
{
	note(context, 't', text, strlen(text));
	clean(text, PBX_TEXT);
}

static void on_failed(void *context, const char *why, bool refused)
{
	struct talk *t = context;

	note(t, refused ? 'R' : 'F', why, strlen(why));
	clean(why, PBX_TEXT);
	t->failed = true;
}

static void on_cleared(void *context, bool carried_out)
{
	note(context, carried_out ? 'c' : 'C', "", 0);
}

static uint32_t on_wanted(void *context, const struct indicator *i)
{
	struct talk *t = context;

	for (unsigned k = 0; k < WANTED; k++)
		if (!indicator_compare(&t->wanted[k], i))
			return 2000000000;
	return 0;
}

/* Nothing but actions, of lines that are ours, and never the secret. */
static void check_sent(struct view out)
{
	static const char *const keys[] = {"Action: ", "ActionID: sipchain-",
		"AuthType: MD5", "Username: sipchain", "Key: ", "Events: user,system",
		"Operation: Add", "Filter: ^Event: (", "Family: sipchain",
		"Val: 2000000000|"};

	while (out.n) {
		size_t end = view_find_str(out, "\r\n"), k = 0;
		struct view line = view_head(out, end);

		if (end == out.n || !text_is_clean(line) ||
			view_find_str(line, "never-to-be-said") < line.n)
			abort();
		while (line.n && k < sizeof(keys) / sizeof(keys[0]) &&
			!view_starts(line, keys[k]))
			k++;
		if (k == sizeof(keys) / sizeof(keys[0]))
			abort();
		out = view_from(out, end + 2);
	}
}

static void pass_on(struct talk *t, struct pbx *p, usec now)
{
	struct ban_order orders[WANTED];
	struct view out;
	size_t n;

	for (unsigned i = 0; i < WANTED; i++)
		orders[i] = (struct ban_order){.indicator = t->wanted[i],
			.change = now % 3 ? BAN_ADD : BAN_DELETE,
			.until = 2000000000};
	if (t->ready && !t->failed && t->taken < 1000) {
		t->taken += WANTED;
		n = pbx_asterisk.order(p, orders, WANTED, now);
		if (n > WANTED)
			abort();
		t->taken -= WANTED - (unsigned)n;
	}
	while (pbx_asterisk.next(p, &out)) {
		check_sent(out);
		pbx_asterisk.sent(p, out.n);
	}
}

static void feed(struct talk *t, struct pbx *p, struct view bytes, size_t step, usec now)
{
	if (!step)
		step = bytes.n;
	for (size_t at = 0; at < bytes.n && !t->failed; at += step)
		pbx_asterisk.received(p, view_head(view_from(bytes, at), step), now);
}

static struct talk converse(struct view input, size_t step)
{
	static const char *const wanted[] = {"+97259*", "+97259", "+442079460000"};
	struct talk t = {.taken = 0};
	const struct pbx_hooks hooks = {&t, on_resync, on_held, on_ready, on_done, on_hit,
		on_trouble, on_failed, on_cleared, on_wanted, NULL};
	const struct pbx_config config = {.name = "pbx",
		.user = "sipchain",
		.secret = view_str("never-to-be-said"),
		.seed = {3, 4}};
	struct pbx *p = pbx_asterisk.open(&config, &hooks, NULL);
	const struct asterisk *a = asterisk_of(p);
	char id[ASTERISK_ID];

	if (!p)
		abort();
	for (unsigned i = 0; i < WANTED; i++)
		if (number_parse(&t.wanted[i], view_str(wanted[i]), NULL))
			abort();
	pbx_asterisk.connected(p, 1);
	feed(&t, p, view_str("Asterisk Call Manager/11.0.0\r\n"), step, 1);
	for (size_t at = 0; at < input.n && !t.failed;) {
		/* A byte 1 stands for the id whose answer is next. */
		size_t n = view_find(view_from(input, at), 1);

		feed(&t, p, view_of(input.p + at, n), step, at + 2);
		at += n;
		if (at < input.n && !t.failed && a->in_flight) {
			asterisk_id(id, a->ring[a->head].id);
			feed(&t, p, view_str(id), step, at + 2);
		}
		at++;
		if (!t.failed)
			pass_on(&t, p, at);
		if (a->in_flight > ASTERISK_RING ||
			a->reader.rest.n > 2 * AMI_MESSAGE_MAX)
			abort();
	}
	pbx_asterisk.closed(p, input.n);
	if (pbx_asterisk.next(p, &(struct view){0}))
		abort();
	pbx_asterisk.free(p);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view v = view_of(input, size);
	struct talk whole = converse(v, 0), pieces = converse(v, 7);

	/* However it is cut, the same comes of it (what is too long may differ). */
	if (size < AMI_MESSAGE_MAX &&
		(whole.hash != pieces.hash || whole.failed != pieces.failed))
		abort();
	return 0;
}
