/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/local_file.h"

/*
 * Everything happens in turn(): a timer of 0 ms that the bell, the safety
 * timer, start() and submit() set, so that no callback runs inside a call of
 * the owner. A turn reads what is new; when all has been delivered, it appends
 * one waiting batch, and asks for another turn if more is to do.
 */
#define READ_STEP       500   /* rows a turn, so that the loop stays alive */
#define QUEUE_MAX       1024  /* batches waiting */
#define SAFETY_MS       30000 /* a writer may die between commit and bell */
#define BUSY_IN_LOOP_MS 1000

struct waiting {
	struct waiting *next;
	struct ledger_batch batch;
	uint8_t copy[]; /* words, then texts */
};

struct local_ledger {
	struct ledger base; /* first: the owner holds this */
	struct local *file;
	const struct signer *signer;
	uint32_t (*now)(void);
	uint32_t start_time;

	uv_timer_t turn;
	uv_timer_t safety;
	uv_poll_t bell;
	int inotify;
	unsigned open_handles;

	struct waiting *first, **last;
	unsigned waiting;

	bool started;
	bool caught_up; /* said since the last event */
	bool trouble;   /* said since the last success */
	bool closing;
};

static struct local_ledger *of(struct ledger *l)
{
	return (struct local_ledger *)(void *)l;
}

static void turn(uv_timer_t *timer);

static void ask_turn(struct local_ledger *l)
{
	if (l->started && !l->closing)
		uv_timer_start(&l->turn, turn, 0, 0);
}

/* --- what the file tells, passed on --- */

static void pass_event(void *context, const struct ledger_event *event)
{
	struct local_ledger *l = context;

	if (l->closing)
		return;
	l->caught_up = false;
	l->base.callbacks.event(l->base.callbacks.context, event);
}

static void pass_window(void *context, const struct tip *before, uint32_t since)
{
	struct local_ledger *l = context;

	if (!l->closing && l->base.callbacks.window)
		l->base.callbacks.window(l->base.callbacks.context, before, since);
}

static void say_trouble(struct local_ledger *l, const char *text)
{
	if (l->trouble || l->closing)
		return;
	l->trouble = true;
	if (l->base.callbacks.trouble)
		l->base.callbacks.trouble(l->base.callbacks.context, false, text);
}

static void say_healthy(struct local_ledger *l)
{
	if (!l->trouble || l->closing)
		return;
	l->trouble = false;
	if (l->base.callbacks.trouble)
		l->base.callbacks.trouble(l->base.callbacks.context, true,
			"the ledger's file can be read again");
}

/* --- batches --- */

static void append_one(struct local_ledger *l)
{
	struct waiting *w = l->first;
	struct operation op = {
		.type = OP_BATCH,
		.member = w->batch.member,
		.count = w->batch.count,
		.words = w->batch.words,
		.texts = w->batch.texts,
	};
	struct ledger_fate fate = {.ticket = w->batch.ticket};
	int rc;

	memcpy(op.commitment, w->batch.commitment, HASH_SIZE);
	rc = local_append(l->file, &op, l->signer, l->now(), &fate.refusal, &fate.error);
	if (!rc) {
		fate.fate = FATE_FINAL;
		fate.block = l->file->row;
	} else {
		fate.fate = rc == -1 ? FATE_REFUSED : FATE_FAILED;
	}
	l->first = w->next;
	if (!l->first)
		l->last = &l->first;
	l->waiting--;
	free(w);
	if (!l->closing && l->base.callbacks.fate)
		l->base.callbacks.fate(l->base.callbacks.context, &fate);
}

/* Nothing can be read, so nothing can be judged: tell the waiting. */
static void fail_all(struct local_ledger *l, const struct error *err)
{
	while (l->first && !l->closing) {
		struct waiting *w = l->first;
		struct ledger_fate fate = {
			.ticket = w->batch.ticket,
			.fate = FATE_FAILED,
			.error = *err,
		};

		l->first = w->next;
		if (!l->first)
			l->last = &l->first;
		l->waiting--;
		free(w);
		if (l->base.callbacks.fate)
			l->base.callbacks.fate(l->base.callbacks.context, &fate);
	}
}

static void say_caught_up(struct local_ledger *l)
{
	if (l->caught_up || l->closing)
		return;
	l->caught_up = true;
	if (l->base.callbacks.caught_up)
		l->base.callbacks.caught_up(l->base.callbacks.context);
}

static void turn(uv_timer_t *timer)
{
	struct local_ledger *l = timer->data;
	struct error err = {0};
	int n;

	if (!l->file->row && local_begin(l->file, false, l->start_time, &err)) {
		say_trouble(l, err.text);
		fail_all(l, &err);
		return;
	}
	n = local_fold(l->file, READ_STEP, &err);
	if (n < 0) {
		say_trouble(l, err.text);
		fail_all(l, &err);
		return;
	}
	say_healthy(l);
	if (n == READ_STEP) {
		ask_turn(l);
		return;
	}
	say_caught_up(l);
	if (!l->first || l->closing)
		return;
	append_one(l);
	say_caught_up(l);
	if (l->first || l->file->failed)
		ask_turn(l);
}

/* --- what wakes it --- */

static void on_safety(uv_timer_t *timer)
{
	ask_turn(timer->data);
}

/* Returns 0, or -1 with errno, when the bell is not there to be watched. */
static int watch(struct local_ledger *l)
{
	return inotify_add_watch(l->inotify, l->file->bell_path, IN_MODIFY | IN_ATTRIB) <
			0 ?
		-1 :
		0;
}

/*
 * The bell's link count, or less, has changed: if somebody removed it, others
 * ring a new one, which is to be watched instead.
 */
static void renew_bell(struct local_ledger *l)
{
	struct error err = {0};
	int rc = local_bell_renew(l->file, &err);

	if (!rc)
		return;
	if (rc > 0 && watch(l))
		rc = error_set(&err, "%s: %s", l->file->bell_path, strerror(errno));
	if (rc < 0) {
		error_prefix(&err, "what others append is seen only every 30 s now");
		/* Not as say_trouble(): the next good reading does not end it. */
		if (!l->closing && l->base.callbacks.trouble)
			l->base.callbacks.trouble(
				l->base.callbacks.context, false, err.text);
	}
}

static void on_bell(uv_poll_t *poll, int status, int events)
{
	struct local_ledger *l = poll->data;
	_Alignas(struct inotify_event) char buffer[4096];
	bool changed = false;
	ssize_t n;

	(void)events;
	if (status < 0)
		return;
	/* How often it rang does not matter. */
	while ((n = read(l->inotify, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buffer + at);

			changed = changed || e->mask & ~(uint32_t)IN_MODIFY;
			at += (ssize_t)sizeof *e + e->len;
		}
	}
	if (changed)
		renew_bell(l);
	ask_turn(l);
}

/* --- the methods --- */

static int start(struct ledger *base, uint32_t now, struct error *err)
{
	struct local_ledger *l = of(base);

	(void)err; /* the file was opened before; all else comes by trouble() */
	l->started = true;
	l->start_time = now;
	uv_timer_start(&l->safety, on_safety, SAFETY_MS, SAFETY_MS);
	ask_turn(l);
	return 0;
}

static int submit(struct ledger *base, const struct ledger_batch *b, struct error *err)
{
	struct local_ledger *l = of(base);
	size_t words = (size_t)b->count * WORD_SIZE;
	struct waiting *w;

	if (!l->signer)
		return error_set(err,
			"%s: this node has no key to sign with: it can "
			"only read",
			l->file->path);
	if (!l->started || l->closing)
		return error_set(err, "%s: the ledger is not running", l->file->path);
	if (l->waiting >= QUEUE_MAX)
		return error_set(err,
			"%s: %d batches are waiting already: try again "
			"later",
			l->file->path, QUEUE_MAX);
	if (b->count > BATCH_MAX || b->texts.n > TEXTS_MAX)
		return error_set(err, "a batch has at most %d words", BATCH_MAX);
	w = malloc(sizeof *w + words + b->texts.n);
	if (!w)
		return error_set(err, "out of memory");
	w->next = NULL;
	w->batch = *b;
	w->batch.words = w->copy;
	if (words)
		memcpy(w->copy, b->words, words);
	if (b->texts.n)
		memcpy(w->copy + words, b->texts.p, b->texts.n);
	w->batch.texts = view_of(w->copy + words, b->texts.n);
	*l->last = w;
	l->last = &w->next;
	l->waiting++;
	ask_turn(l);
	return 0;
}

static int tip(struct ledger *base, enum chain chain, struct tip *out, struct error *err)
{
	return local_tip(of(base)->file, chain, out, err);
}

static void free_ledger(struct local_ledger *l)
{
	while (l->first) {
		struct waiting *w = l->first;

		l->first = w->next;
		free(w);
	}
	if (l->inotify >= 0)
		close(l->inotify);
	local_close(l->file);
	free(l);
}

static void on_closed(uv_handle_t *handle)
{
	struct local_ledger *l = handle->data;

	if (!--l->open_handles)
		free_ledger(l);
}

static void close_ledger(struct ledger *base)
{
	struct local_ledger *l = of(base);

	if (l->closing)
		return;
	l->closing = true;
	uv_close((uv_handle_t *)&l->turn, on_closed);
	uv_close((uv_handle_t *)&l->safety, on_closed);
	uv_close((uv_handle_t *)&l->bell, on_closed);
}

static uint32_t wall_clock(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

/* The three handles. Returns 0, or -1 with nothing to close. */
static int init_handles(struct local_ledger *l, uv_loop_t *loop)
{
	/* The one that can fail comes first. */
	if (uv_poll_init(loop, &l->bell, l->inotify))
		return -1;
	uv_timer_init(loop, &l->turn);
	uv_timer_init(loop, &l->safety);
	l->bell.data = l;
	l->turn.data = l;
	l->safety.data = l;
	l->open_handles = 3;
	return 0;
}

struct ledger *local_ledger_new(uv_loop_t *loop, const char *path,
	const struct signer *signer, const struct ledger_callbacks *callbacks,
	uint32_t (*now)(void), struct error *err)
{
	static const struct ledger_methods methods = {start, submit, tip, close_ledger};
	struct local_ledger *l = calloc(1, sizeof *l);

	if (!l) {
		error_set(err, "%s: out of memory", path);
		return NULL;
	}
	l->base.methods = &methods;
	l->base.callbacks = *callbacks;
	l->signer = signer;
	l->now = now ? now : wall_clock;
	l->last = &l->first;
	l->inotify = -1;
	l->file = local_attach(path, err);
	if (!l->file)
		goto fail;
	l->file->context = l;
	l->file->on_event = pass_event;
	l->file->on_window = pass_window;
	l->file->busy_ms = BUSY_IN_LOOP_MS;
	l->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (l->inotify < 0 || watch(l)) {
		error_set(err,
			"%s: cannot be watched: %s (raise "
			"fs.inotify.max_user_instances or max_user_watches)",
			l->file->bell_path, strerror(errno));
		goto fail;
	}
	if (init_handles(l, loop)) {
		error_set(err, "%s: cannot be polled", l->file->bell_path);
		goto fail;
	}
	uv_poll_start(&l->bell, UV_READABLE, on_bell);
	return &l->base;
fail:
	free_ledger(l);
	return NULL;
}
