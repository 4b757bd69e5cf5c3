/* SPDX-License-Identifier: Apache-2.0 */
/* A webhook's batches of events: their bytes, and where one ends. */
#include <jansson.h>
#include <stdlib.h>

#include "../cmocka_all.h"
#include "api/webhook.h"

static struct event event_of(uint64_t id, const char *type, const char *body)
{
	return (struct event){.id = id,
		.time = 1800000000 + id,
		.type = type,
		.indicator = "192.0.2.7",
		.body = body};
}

static void test_batch(void **state)
{
	struct event e = event_of(7, "ban", "{\"text\":\"why \\u00e4\\\"\"}");
	struct webhook_batch b;

	(void)state;
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge\"1\xc3\xa4", 0, 0), 0);
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	e = event_of(9, "unban", "{}");
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	assert_int_equal(webhook_batch_end(&b), 0);
	assert_int_equal(b.events, 2);
	assert_int_equal(b.first, 7);
	assert_int_equal(b.last, 9);
	assert_int_equal(b.seen, 9);
	buffer_put_u8(&b.body, 0);
	assert_string_equal((char *)b.body.p,
		"{\"webhook\":\"bot\",\"node\":\"edge\\\"1\\u00E4\",\"lost\":0,\"events\":["
		"{\"id\":7,\"time\":1800000007,\"type\":\"ban\",\"indicator\":\"192.0.2.7\","
		"\"text\":\"why \\u00E4\\\"\"},"
		"{\"id\":9,\"time\":1800000009,\"type\":\"unban\","
		"\"indicator\":\"192.0.2.7\"}]}");
	webhook_batch_free(&b);
}

/* What is not wanted is passed over, and known as seen. */
static void test_batch_types(void **state)
{
	struct event ban = event_of(3, "ban", "{}"), hit = event_of(4, "hit", "{}");
	webhook_types types = 0;
	struct webhook_batch b;

	(void)state;
	webhook_types_add(&types, view_str("hit"), NULL);
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge1", 12, types), 0);
	assert_int_equal(webhook_batch_offer(&b, &ban), WEBHOOK_PASSED);
	assert_int_equal(b.events, 0);
	assert_int_equal(b.first, 0);
	assert_int_equal(b.seen, 3);
	assert_int_equal(webhook_batch_offer(&b, &hit), WEBHOOK_TAKEN);
	ban.id = 5;
	assert_int_equal(webhook_batch_offer(&b, &ban), WEBHOOK_PASSED);
	assert_int_equal(b.first, 4);
	assert_int_equal(b.last, 4);
	assert_int_equal(b.seen, 5);
	assert_int_equal(webhook_batch_end(&b), 0);
	assert_int_equal(view_find_str(view_of(b.body.p, b.body.n),
				 "\"lost\":12,\"events\":[{\"id\":4,"),
		strlen("{\"webhook\":\"bot\",\"node\":\"edge1\","));
	webhook_batch_free(&b);
}

static void test_batch_of_a_hundred(void **state)
{
	struct webhook_batch b;
	struct event e;
	json_t *json;

	(void)state;
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge1", 0, 0), 0);
	for (uint64_t id = 1; id <= WEBHOOK_EVENTS_MAX; id++) {
		e = event_of(id, "hit", "{\"text\":\"x\"}");
		assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	}
	e.id = 101;
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_FULL);
	assert_int_equal(b.seen, 100);
	assert_int_equal(b.last, 100);
	assert_int_equal(webhook_batch_end(&b), 0);
	json = json_loadb((char *)b.body.p, b.body.n, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "events")), 100);
	json_decref(json);
	webhook_batch_free(&b);
}

/* {"text":"xxx..."} of n bytes. */
static char *body_of(size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "{\"text\":\"", 9);
	memcpy(text + n - 2, "\"}", 3);
	return text;
}

/* Full to the byte, and not a byte more; the order is kept though a later one fits. */
static void test_batch_of_bytes(void **state)
{
	struct webhook_batch b;
	char *large = body_of(EVENT_BODY_MAX), *fit;
	struct event e;
	size_t left;
	uint64_t id = 1;

	(void)state;
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge1", 0, 0), 0);
	e = event_of(0, "hit", large);
	for (; b.body.n + 2 * EVENT_BODY_MAX < WEBHOOK_BODY_MAX; id++) {
		e.id = id;
		assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	}
	assert_in_range(id, 25, 40); /* so bytes are the bound here, not the number */
	/* What is left for a body, behind ",{"id":..,...,"text":"" and before "]}". */
	e = event_of(id, "hit", "{\"text\":\"\"}");
	left = WEBHOOK_BODY_MAX - b.body.n - 2 -
		strlen(",{\"id\":31,\"time\":1800000031,\"type\":\"hit\","
		       "\"indicator\":\"192.0.2.7\",\"text\":\"\"}");
	fit = body_of(left + strlen("{\"text\":\"\"}") + 1);
	e.body = fit;
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_FULL);
	free(fit);
	assert_int_equal(b.events, id - 1);
	fit = body_of(left + strlen("{\"text\":\"\"}"));
	e.body = fit;
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	free(fit);
	e = event_of(id + 1, "hit", "{}");
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_FULL);
	assert_int_equal(webhook_batch_end(&b), 0);
	assert_int_equal(b.body.n, WEBHOOK_BODY_MAX);
	webhook_batch_free(&b);
	free(large);
}

/* One that is longer than all bounds goes alone: it must not stop the rest for ever. */
static void test_batch_of_one(void **state)
{
	char *huge = body_of(WEBHOOK_BODY_MAX + 10);
	struct event e = event_of(1, "hit", huge);
	struct webhook_batch b;

	(void)state;
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge1", 0, 0), 0);
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	e = event_of(2, "hit", "{}");
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_FULL);
	assert_int_equal(webhook_batch_end(&b), 0);
	assert_int_equal(b.events, 1);
	webhook_batch_free(&b);
	/* ... and behind another it waits for the next batch. */
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge1", 0, 0), 0);
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	e = event_of(3, "hit", huge);
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_FULL);
	webhook_batch_free(&b);
	free(huge);
}

/* A body in the store that is no JSON does not stop it: the event goes without. */
static void test_batch_broken(void **state)
{
	struct event e = event_of(1, "hit", "{\"text\":");
	struct webhook_batch b;

	(void)state;
	assert_int_equal(webhook_batch_begin(&b, "bot", "edge1", 0, 0), 0);
	assert_int_equal(webhook_batch_offer(&b, &e), WEBHOOK_TAKEN);
	assert_int_equal(webhook_batch_end(&b), 0);
	buffer_put_u8(&b.body, 0);
	assert_string_equal((char *)b.body.p,
		"{\"webhook\":\"bot\",\"node\":\"edge1\",\"lost\":0,\"events\":[{\"id\":1,"
		"\"time\":1800000001,\"type\":\"hit\",\"indicator\":\"192.0.2.7\"}]}");
	webhook_batch_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_batch_types),
		cmocka_unit_test(test_batch_of_a_hundred),
		cmocka_unit_test(test_batch_of_bytes),
		cmocka_unit_test(test_batch_of_one),
		cmocka_unit_test(test_batch_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
