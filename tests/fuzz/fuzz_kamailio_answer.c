/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What anybody may write to our socket, while orders wait for Kamailio's answers.
 * The input: datagrams, each behind a length of two bytes; in each "ID" becomes the
 * id of a call that is under way, so that mutations reach what is behind it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "enforce/kamailio.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static struct {
	unsigned taken, answered;
	bool failed, clearing;
} told;

static void on_resync(void *context)
{
	(void)context;
	told.taken = told.answered; /* those under way are forgotten */
}

static void on_ready(void *context)
{
	(void)context;
}

static void on_done(void *context, const struct ban_order *order, bool done)
{
	(void)context;
	(void)done;
	if (order->indicator.kind != INDICATOR_NUMBER)
		abort();
	told.answered++;
}

static void on_text(void *context, const char *text)
{
	(void)context;
	if (strlen(text) >= PBX_TEXT)
		abort();
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void on_failed(void *context, const char *why, bool refused)
{
	(void)refused;
	on_text(context, why);
	told.failed = true;
}

static void on_cleared(void *context, bool carried_out)
{
	(void)context;
	(void)carried_out;
	if (!told.clearing)
		abort();
	told.clearing = false;
}

static usec on_wall(void *context)
{
	(void)context;
	return UINT64_C(1795000000) * USEC_PER_SEC;
}

/* Send what is to be sent; the last id stays in id. */
static void send_all(struct pbx *p, char id[17])
{
	struct view bytes;

	while (pbx_kamailio.next(p, &bytes)) {
		size_t at = view_find_str(bytes, "\"id\":\"");

		if (at + 22 > bytes.n)
			abort();
		memcpy(id, bytes.p + at + 6, 16);
		pbx_kamailio.sent(p, bytes.n);
	}
}

static void feed(struct pbx *p, struct view datagram, const char *id, usec now)
{
	uint8_t *copy = malloc(datagram.n + 16);
	size_t at = view_find_str(datagram, "ID"), n = datagram.n;

	if (!copy)
		abort();
	if (n)
		memcpy(copy, datagram.p, n);
	if (at < n) {
		memmove(copy + at + 16, copy + at + 2, n - at - 2);
		memcpy(copy + at, id, 16);
		n += 14;
	}
	pbx_kamailio.received(p, view_of(copy, n), now);
	free(copy);
}

static void order(struct pbx *p, unsigned number, usec now)
{
	struct ban_order o = {
		.change = number % 3 ? BAN_ADD : BAN_DELETE, .until = UINT32_MAX};
	char digits[16];

	snprintf(digits, sizeof digits, "44200000%02u", number % 100);
	if (indicator_from_digits(&o.indicator, view_str(digits)))
		abort();
	told.taken += (unsigned)pbx_kamailio.order(p, &o, 1, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const struct pbx_config config = {.name = "f", .table_number = "scnum"};
	const struct pbx_hooks hooks = {.resync = on_resync,
		.ready = on_ready,
		.done = on_done,
		.trouble = on_text,
		.failed = on_failed,
		.cleared = on_cleared,
		.wall = on_wall};
	struct reader r = {.rest = view_of(input, size)};
	struct pbx *p = pbx_kamailio.open(&config, &hooks, NULL);
	usec now = USEC_PER_SEC;
	char id[17] = "0000000000000000";

	if (!p)
		abort();
	memset(&told, 0, sizeof told);
	pbx_kamailio.connected(p, now);
	for (unsigned i = 0; r.rest.n && i < 64 && !told.failed; i++) {
		size_t n = reader_u16(&r);

		send_all(p, id);
		feed(p, reader_view(&r, n < r.rest.n ? n : r.rest.n), id, now);
		order(p, i, now);
		if (i % 4 == 3)
			pbx_kamailio.filled(p, now);
		if (i == 40 && !told.failed) {
			told.clearing = true;
			pbx_kamailio.clear(p, now);
		}
		now += USEC_PER_SEC / 10;
		if (!told.failed)
			pbx_kamailio.due(p, now);
		if (told.answered > told.taken ||
			told.taken - told.answered >= KAMAILIO_WINDOW)
			abort();
	}
	pbx_kamailio.closed(p, now);
	pbx_kamailio.free(p);
	return 0;
}
