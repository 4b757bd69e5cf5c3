/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a ledger to its end: a real local one, and one that misbehaves in
 * each way that a chain can.
 */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/local.h"
#include "ledger/reading.h"

#define NOW UINT32_C(1790000000)

/* --- a ledger that plays a script --- */

struct fake {
	struct ledger base; /* first */
	uv_timer_t turn;
	struct local *source; /* its operations are played */
	struct {
		bool undo_once;   /* in the middle, then deliver anew */
		bool trouble;     /* told, and then nothing more comes */
		bool healthy_too; /* ... but it goes on after it */
		bool twice;       /* the same operation again */
		bool silent;
	} plays;
	unsigned starts;
};

static const char *path;

static void play(void *context, const struct ledger_event *event)
{
	struct fake *f = context;

	f->base.callbacks.event(f->base.callbacks.context, event);
	if (f->plays.twice)
		f->base.callbacks.event(f->base.callbacks.context, event);
}

static void on_turn(uv_timer_t *timer)
{
	struct fake *f = timer->data;
	void *context = f->base.callbacks.context;

	if (f->plays.trouble || f->plays.healthy_too)
		f->base.callbacks.trouble(context, false, "the tips differ");
	if (f->plays.silent || f->plays.trouble)
		return;
	assert_true(local_export(path, play, f, NULL) > 0);
	if (f->plays.undo_once && f->starts == 1) {
		f->base.callbacks.undo(context, 2);
		return;
	}
	f->base.callbacks.caught_up(context);
}

static int fake_start(struct ledger *l, uint32_t now, struct error *err)
{
	struct fake *f = (struct fake *)(void *)l;

	(void)now;
	(void)err;
	f->starts++;
	return uv_timer_start(&f->turn, on_turn, 0, 0);
}

static void fake_close(struct ledger *l)
{
	uv_close((uv_handle_t *)&((struct fake *)(void *)l)->turn, NULL);
}

static const struct ledger_methods methods = {.start = fake_start, .close = fake_close};

static struct ledger *open_fake(void *context, uv_loop_t *loop,
	const struct ledger_callbacks *callbacks, struct error *err)
{
	struct fake *f = context;

	(void)err;
	f->base.methods = &methods;
	f->base.callbacks = *callbacks;
	uv_timer_init(loop, &f->turn);
	f->turn.data = f;
	return &f->base;
}

static struct reading *read_fake(struct fake *f,
	void (*event)(void *context, const struct ledger_event *event), void *context,
	struct error *err)
{
	const struct reading_order order = {.open = open_fake,
		.context = f,
		.now = NOW,
		.patience_ms = 100,
		.trouble_ms = 50,
		.event = event,
		.event_context = context};

	return reading_run(&order, err);
}

static void count(void *context, const struct ledger_event *event)
{
	assert_true(event->bytes.n > 0);
	++*(unsigned *)context;
}

/* --- a real one --- */

static struct ledger *open_local(void *context, uv_loop_t *loop,
	const struct ledger_callbacks *callbacks, struct error *err)
{
	return local_ledger_new(loop, context, NULL, callbacks, NULL, err);
}

static struct signer *owner;
static char folder[64], file[96];

static void append(struct operation *op)
{
	struct error err = {""};
	struct local *l = local_open(file, true, NOW, &err);
	struct refusal why = {0};
	int rc;

	if (!l)
		fail_msg("%s", err.text);
	rc = local_append(l, op, owner, NOW, &why, &err);
	if (rc)
		fail_msg("%d: %s %s", rc, refusal_name(why.code), err.text);
	local_close(l);
}

static int setup(void **state)
{
	static const uint8_t secret[32] = {[31] = 1};
	static const char *text = "sip:bob@evil.example";
	struct ledger_config rules = {{16, 32, 5, true}, 3600, 1};
	struct operation add = {
		.type = OP_MEMBER_ADD, .member = 1, .weight = 1, .cap = 9};
	struct operation batch = {.type = OP_BATCH, .member = 1, .count = 1};
	struct report r = {.expiry = NOW + 600, .member = 1, .category = CATEGORY_SCAN};
	uint8_t word[WORD_SIZE], texts[64];
	struct error err = {""};

	(void)state;
	strcpy(folder, "/tmp/sipchain-reading-XXXXXX");
	owner = signer_from_secret(secret);
	if (!owner || !mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/l.db", folder);
	path = file;
	if (local_create(file, &rules, signer_address(owner), owner, NOW, &err))
		return -1;
	add.name = view_str("bank-a");
	add.signer_count = 1;
	memcpy(add.signers[0], signer_address(owner), ADDRESS20);
	append(&add);
	indicator_parse(&r.indicator, NULL, view_str(text), NULL);
	word_encode(word, &r);
	texts[0] = (uint8_t)strlen(text);
	memcpy(texts + 1, text, strlen(text));
	batch.words = word;
	batch.texts = view_of(texts, 1 + strlen(text));
	append(&batch);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"", "-wal", "-shm", "-bell"};
	char name[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(name, sizeof name, "%s%s", file, names[i]);
		unlink(name);
	}
	signer_free(owner);
	return rmdir(folder);
}

static void a_local_ledger_is_read_with_its_texts(void **state)
{
	struct reading_order order = {
		.open = open_local, .context = file, .now = NOW, .patience_ms = 10000};
	struct error err = {""};
	struct reading *r = reading_run(&order, &err);
	struct indicator i;

	(void)state;
	if (!r)
		fail_msg("%s", err.text);
	indicator_parse(&i, NULL, view_str("sip:bob@evil.example"), NULL);
	assert_int_equal(reading_count(r), 3);
	assert_int_equal(registry_support(reading_registry(r), &i, NOW), 1);
	assert_string_equal(reading_text(r, &i), "sip:bob@evil.example");
	indicator_parse(&i, NULL, view_str("sip:eve@evil.example"), NULL);
	assert_null(reading_text(r, &i));
	reading_free(r);
	order.context = (void *)(uintptr_t) "/nonexistent/l.db";
	assert_null(reading_run(&order, &err));
	assert_non_null(strstr(err.text, "No such"));
}

static void a_reorganisation_begins_anew(void **state)
{
	struct fake f = {.plays = {.undo_once = true}};
	struct error err = {""};
	struct reading *r = read_fake(&f, NULL, NULL, &err);
	unsigned seen = 0;

	(void)state;
	assert_non_null(r);
	assert_int_equal(f.starts, 2);
	assert_int_equal(reading_count(r), 3); /* not six */
	reading_free(r);
	/* Who has already seen events cannot have them taken back. */
	f.starts = 0;
	assert_null(read_fake(&f, count, &seen, &err));
	assert_int_equal(seen, 3);
	assert_non_null(strstr(err.text, "reorganised from block 2"));
}

static void trouble_ends_it_unless_it_goes_on(void **state)
{
	struct fake silent = {.plays = {.silent = true}};
	struct fake trouble = {.plays = {.trouble = true}};
	struct fake healed = {.plays = {.healthy_too = true}};
	struct error err = {""};
	struct reading *r;

	(void)state;
	assert_null(read_fake(&silent, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "nothing came"));
	assert_null(read_fake(&trouble, NULL, NULL, &err));
	assert_string_equal(err.text, "the tips differ");
	r = read_fake(&healed, NULL, NULL, &err);
	assert_non_null(r);
	reading_free(r);
}

static void what_breaks_the_rules_is_not_folded(void **state)
{
	struct fake f = {.plays = {.twice = true}};
	struct error err = {""};

	(void)state;
	assert_null(read_fake(&f, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "administrative operation 0 cannot follow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_local_ledger_is_read_with_its_texts),
		cmocka_unit_test(a_reorganisation_begins_anew),
		cmocka_unit_test(trouble_ends_it_unless_it_goes_on),
		cmocka_unit_test(what_breaks_the_rules_is_not_folded),
	};

	return cmocka_run_group_tests_name("reading", tests, setup, teardown);
}
