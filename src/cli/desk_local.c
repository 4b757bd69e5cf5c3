/* SPDX-License-Identifier: Apache-2.0 */
/* A desk at a local ledger: a file, and our turn at it. */
#include "cli/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LOCK_STEP_MS 20

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

/* FILE-wal and the like into dst[]. Returns 0, or -1 when it is too long. */
static int sibling(char *dst, size_t size, const char *path, const char *suffix)
{
	int n = snprintf(dst, size, "%s%s", path, suffix);

	return n < 0 || (size_t)n >= size ? -1 : 0;
}

int ledger_permitted(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-bell"};
	char name[4096];
	int code = 0;

	for (size_t i = 0; !code && i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (!sibling(name, sizeof name, path, suffixes[i]))
			code = file_permitted(name, R_OK | W_OK);
	return code;
}

/*
 * Wait for our turn. Polled: a blocking flock() cannot be given a limit
 * without a signal. Returns 0 or -1 with a text.
 */
static int take_turn(struct desk *d, const char *path, struct error *err)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	char name[4096];

	if (sibling(name, sizeof name, path, "-bell"))
		return error_set(err, "the ledger's path is too long");
	d->lock = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (d->lock < 0)
		return error_set(err, "%s: %s", shown(name), strerror(errno));
	for (unsigned waited = 0; flock(d->lock, LOCK_EX | LOCK_NB);
		waited += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set(err, "%s: %s", shown(name), strerror(errno));
		if (waited >= DESK_WAIT_MS)
			return error_set(err,
				"another `sipchain` has been changing this ledger for "
				"%d s; try again when it has ended (it holds %s)",
				DESK_WAIT_MS / 1000, shown(name));
		nanosleep(&step, NULL);
	}
	return 0;
}

static struct ledger *open_reading(void *context, uv_loop_t *loop,
	const struct ledger_callbacks *callbacks, struct error *err)
{
	return local_ledger_new(loop, context, NULL, callbacks, NULL, err);
}

/* As a follower reads it, with the texts on the way. Returns 0 or -1. */
static int read_texts(struct desk *d, char *path, struct error *err)
{
	struct reading_order order = {
		.open = open_reading,
		.context = path,
		.now = now_seconds(),
		.patience_ms = 30000,
	};

	d->reading = reading_run(&order, err);
	return d->reading ? 0 : -1;
}

int desk_open_local(struct desk *d, struct invocation *in, unsigned flags)
{
	char *path = d->choice.config.ledger.path;

	if (flags & DESK_TEXTS)
		return read_texts(d, path, &in->error);
	d->ledger = local_open(path, false, now_seconds(), &in->error);
	if (!d->ledger)
		return -1;
	if (!(flags & DESK_SIGNS) || flags & DESK_SHARED)
		return 0;
	/* The lock is a file of the ledger's: it is there only now. */
	if (take_turn(d, path, &in->error))
		return -1;
	return local_read(d->ledger, NULL, NULL, &in->error) < 0 ? -1 : 0;
}

int desk_read(struct desk *d)
{
	if (d->ledger && local_read(d->ledger, NULL, NULL, &d->why.error) < 0) {
		d->why.fault = SESSION_FAILED;
		return -1;
	}
	return 0;
}

/* Would the ledger take it? Returns 0 or -1 with d->why. */
static int ask_only(struct desk *d, struct operation *op)
{
	const struct registry *r = local_registry(d->ledger);

	op->seq = registry_tip(r, operation_chain(op->type))->seq;
	op->time = now_seconds();
	memcpy(op->actor, signer_address(d->signer), ADDRESS20);
	if (!registry_check(r, op, &d->why.refusal))
		return 0;
	d->why.fault = SESSION_REFUSED;
	return -1;
}

int desk_submit_local(struct desk *d, struct invocation *in, struct operation *op)
{
	if (given(in, OPTION_DRY_RUN))
		return ask_only(d, op);
	switch (local_append(d->ledger, op, d->signer, now_seconds(), &d->why.refusal,
		&d->why.error)) {
	case 0:
		return 0;
	case -1:
		d->why.fault = SESSION_REFUSED;
		return -1;
	default:
		d->why.fault = SESSION_FAILED;
		return -1;
	}
}
