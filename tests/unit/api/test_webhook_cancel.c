/* SPDX-License-Identifier: Apache-2.0 */
/* Sending webhooks: cancelling, closing, many at once. */
#include "webhook_scene.h"

static void never(void *context, const struct webhook_outcome *outcome)
{
	(void)context;
	fail_msg("done after it was cancelled: \"%s\"", outcome->reason.text);
}

static uint64_t send_slow(struct scene *s, webhook_post_fn *done)
{
	uint64_t n = webhook_post_send(s->post, &s->config, "evt_1", view_str("{}"),
		(uint64_t)time(NULL), done, s);

	assert_true(n > 0);
	return n;
}

static void test_cancel(void **state)
{
	struct scene s;
	uint64_t waiting, under_way;

	(void)state;
	open_scene(&s);
	to(&s, &good, "/slow?seconds=0.5");
	waiting = send_slow(&s, never);
	webhook_post_cancel(s.post, waiting);
	webhook_post_cancel(s.post, waiting);
	webhook_post_cancel(s.post, 0);
	webhook_post_cancel(s.post, 4711);
	under_way = send_slow(&s, never);
	for (unsigned i = 0; i < 4; i++)
		uv_run(&s.loop, UV_RUN_ONCE);
	webhook_post_cancel(s.post, under_way);
	assert_int_equal(webhook_post_counts(s.post)->cancelled, 2);
	assert_int_equal(webhook_post_counts(s.post)->failed, 0);
	close_scene(&s);
	/* What did reach the receiver, if anything did, is not to be told later. */
	receiver_stop(&good);
	receiver_start(&good, certificates.good);
}

struct turn {
	struct scene *scene;
	uint64_t other;
};

static void cancel_other(void *context, const struct webhook_outcome *outcome)
{
	struct turn *t = context;

	assert_int_equal(outcome->verdict, WEBHOOK_DELIVERED);
	t->scene->done++;
	webhook_post_cancel(t->scene->post, t->other);
}

static void close_all(void *context, const struct webhook_outcome *outcome)
{
	struct scene *s = context;

	assert_int_equal(outcome->verdict, WEBHOOK_DELIVERED);
	s->done++;
	webhook_post_close(s->post);
	webhook_post_close(s->post);
	assert_int_equal(webhook_post_send(s->post, &s->config, "evt_2", view_str("{}"),
				 1, never, s),
		0);
}

/* From within done: another is cancelled, all is closed. */
static void test_cancel_within(void **state)
{
	struct scene s;
	struct turn t = {.scene = &s};

	(void)state;
	open_scene(&s);
	to(&s, &good, "/ok");
	assert_true(webhook_post_send(s.post, &s.config, "evt_1", view_str("{}"),
			    (uint64_t)time(NULL), cancel_other, &t) > 0);
	{
		struct webhook_config slow = s.config;
		char url[WEBHOOK_URL_MAX];

		snprintf(url, sizeof url, "https://127.0.0.1:%u/slow?seconds=5",
			good.port);
		slow.url = url;
		t.other = webhook_post_send(s.post, &slow, "evt_2", view_str("{}"),
			(uint64_t)time(NULL), never, &s);
		while (!s.done)
			uv_run(&s.loop, UV_RUN_ONCE);
	}
	assert_int_equal(webhook_post_counts(s.post)->cancelled, 1);
	assert_int_equal(webhook_post_counts(s.post)->delivered, 1);
	assert_true(webhook_post_send(s.post, &s.config, "evt_3", view_str("{}"),
			    (uint64_t)time(NULL), close_all, &s) > 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(s.done, 2);
	assert_int_equal(uv_loop_close(&s.loop), 0);
	receiver_stop(&good);
	receiver_start(&good, certificates.good);
}

/* Sixteen at once, each with its own answer; one that is slow holds up nobody. */
static void test_many(void **state)
{
	struct webhook_config config[WEBHOOKS_MAX];
	char url[WEBHOOKS_MAX][WEBHOOK_URL_MAX];
	struct scene s, *hook = calloc(WEBHOOKS_MAX, sizeof *hook);

	(void)state;
	assert_non_null(hook);
	open_scene(&s);
	for (unsigned i = 0; i < WEBHOOKS_MAX; i++) {
		snprintf(url[i], sizeof url[i], "https://127.0.0.1:%u/status?status=%u",
			good.port, i ? 200 + i : 500);
		if (i == 3)
			snprintf(url[i], sizeof url[i],
				"https://127.0.0.1:%u/slow?seconds=30", good.port);
		config[i] = s.config;
		config[i].url = url[i];
		assert_true(webhook_post_send(s.post, &config[i], "evt_1", view_str("{}"),
				    (uint64_t)time(NULL), i == 3 ? never : on_done,
				    &hook[i]) > 0);
	}
	while (webhook_post_counts(s.post)->delivered +
			webhook_post_counts(s.post)->failed <
		WEBHOOKS_MAX - 1)
		uv_run(&s.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < WEBHOOKS_MAX; i++)
		if (i != 3) {
			assert_int_equal(hook[i].done, 1);
			assert_int_equal(hook[i].outcome.status, i ? 200 + i : 500);
		}
	close_scene(&s); /* cancels the slow one */
	free(hook);
	receiver_stop(&good);
	receiver_start(&good, certificates.good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_within),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
