/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with the honeypot: a byte that says how and whence, two that say how
 * long the message is, the message. "@@" in it stands for the last To-tag or nonce that
 * was sent, so that the fuzzer gets behind the proofs. Digest fields, Via, masking and
 * the choice of the tool are all on the way.
 */
#include <stdlib.h>

#include "sense/honeypot/honeypot.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define NOW (UINT64_C(1795291398) * USEC_PER_SEC)

struct play {
	size_t sent;
	unsigned datagrams;
	char given[96]; /* what was sent last that may be returned */
};

static void remember(struct play *p, struct view bytes, const char *before, uint8_t after)
{
	size_t at = view_find_str(bytes, before);
	struct view text = view_from(bytes, at + strlen(before));

	if (at < bytes.n)
		view_copy(p->given, sizeof p->given,
			view_head(text, view_find(text, after)));
}

static void on_send(void *context, const struct honeypot_path *path, struct view bytes)
{
	struct play *p = context;
	struct view to = view_from(bytes, view_find_str(bytes, "\nTo: "));

	if (!bytes.n || bytes.n > 65507 || !path->remote_port)
		abort();
	p->sent += bytes.n;
	p->datagrams++;
	remember(p, view_head(to, view_find(to, '\r')), ";tag=", '\r');
	remember(p, bytes, "nonce=\"", '"');
}

static void on_observe(void *context, const struct observation *o)
{
	(void)context;
	if (!memchr(o->account, 0, sizeof o->account) ||
		!memchr(o->dialled, 0, sizeof o->dialled) ||
		!memchr(o->agent, 0, sizeof o->agent) ||
		!memchr(o->returned, 0, sizeof o->returned) ||
		!memchr(o->request, 0, sizeof o->request))
		abort();
	if (o->sensor != SENSOR_HONEYPOT || !o->kind || o->kind >= OBSERVED_DIALLED ||
		o->kind == OBSERVED_AUTH_OK || o->proof > PROOF_TCP)
		abort();
}

static void on_record(void *context, const struct honeypot_record *r)
{
	(void)context;
	if (!r->account || !r->dialled || !r->agent || !r->tool || !r->target || !r->why)
		abort();
	/* Each byte of it is there. */
	for (size_t i = 0, sum = 0; i < r->bytes.n; i++) {
		sum += r->bytes.p[i];
		if (sum == SIZE_MAX)
			abort();
	}
}

static size_t fill_in(const struct play *p, uint8_t *dst, size_t size, struct view text)
{
	size_t n = 0, given = strlen(p->given);

	for (size_t i = 0; i < text.n; i++) {
		bool marked = text.p[i] == '@' && i && text.p[i - 1] == '@';

		if (n + given + 1 >= size)
			break;
		if (!marked) {
			dst[n++] = text.p[i];
			continue;
		}
		memcpy(dst + n - 1, p->given, given);
		n += given - 1;
	}
	return n;
}

static void receive(
	struct honeypot *h, struct play *p, uint8_t how, struct view text, usec now)
{
	struct honeypot_path path = {
		.remote = {4, {198, 51, 100, how & 1}},
		.local = {4, {192, 0, 2, 10}},
		.remote_port = 5070,
		.local_port = 5060,
		.transport = how & 2 ? TRANSPORT_TCP : TRANSPORT_UDP,
		.connection = how & 2 ? 1u + (how & 1) : 0,
	};
	bool proved = honeypot_proved(h, &path.remote, now) || how & 2;
	static uint8_t bytes[70000];
	size_t n = fill_in(p, bytes, sizeof bytes, text);
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		return;
	memcpy(copy, bytes, n);
	p->sent = 0;
	p->datagrams = 0;
	honeypot_receive(h, &path, view_of(copy, n), now);
	free(copy);
	proved |= honeypot_proved(h, &path.remote, now);
	if (!proved && (p->sent > n || p->datagrams > 1))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const struct honeypot_hooks hooks = {NULL, on_send, on_observe, on_record};
	struct honeypot_config config = honeypot_config_default;
	struct play play = {0};
	struct honeypot_hooks mine = hooks;
	struct view rest = view_of(input, size);
	static const uint8_t key[32] = {7};
	struct honeypot_figures before, after;
	struct honeypot *h;
	usec now = NOW;

	config.dialogs = 4;
	config.refuse = 2;
	if (size)
		config.profile = &profiles_builtin()->at[input[0] % 3];
	mine.context = &play;
	h = honeypot_new(&config, &mine, key, now, NULL);
	if (!h)
		return 0;
	honeypot_figures(h, &before);
	rest = view_from(rest, 1);
	while (rest.n > 3) {
		uint8_t how = rest.p[0];
		size_t n = be16_load(rest.p + 1);

		rest = view_from(rest, 3);
		receive(h, &play, how, view_head(rest, n), now);
		rest = view_from(rest, n);
		now += (how >> 4) * USEC_PER_SEC;
		honeypot_due(h, now);
		if ((how & 12) == 12)
			honeypot_closed(h, 1, now);
	}
	for (unsigned i = 0; i < 100; i++)
		honeypot_due(h, now += 2 * USEC_PER_SEC);
	honeypot_figures(h, &after);
	if (after.memory != before.memory || after.dialogs)
		abort();
	honeypot_free(h);
	return 0;
}
