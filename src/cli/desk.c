/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"

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

/* The parts of an opened desk, in order. Returns 0 or -1 with in->error. */
static int open_parts(struct desk *d, struct invocation *in, const char *path, bool signs)
{
	d->ledger = local_open(path, false, now_seconds(), &in->error);
	if (!d->ledger)
		return -1;
	if (!signs)
		return 0;
	d->signer = signer_open(option(in, OPTION_KEY, ""), &in->error);
	/* The lock is a file of the ledger's: it is there only now. */
	if (!d->signer || take_turn(d, path, &in->error))
		return -1;
	return local_read(d->ledger, NULL, NULL, &in->error) < 0 ? -1 : 0;
}

int desk_open(struct desk *d, struct invocation *in, bool signs)
{
	const char *path;
	int code = 0, rc;

	*d = (struct desk){.lock = -1};
	path = ledger_path(in, &code);
	if (!path)
		return code;
	if (signs && !given(in, OPTION_KEY))
		return failure(
			CONTROL_USAGE, "--key FILE is missing: whose signature is it?");
	code = ledger_permitted(path);
	if (!code && signs)
		code = file_permitted(option(in, OPTION_KEY, ""), R_OK);
	if (code)
		return code;
	progress_begin("reading the ledger");
	rc = open_parts(d, in, path, signs);
	progress_end();
	if (!rc)
		return 0;
	desk_close(d);
	return failure(CONTROL_FAILED, "%s", in->error.text);
}

void desk_close(struct desk *d)
{
	if (d->lock >= 0)
		close(d->lock);
	signer_free(d->signer);
	local_close(d->ledger);
	*d = (struct desk){.lock = -1};
}

/* Whether a refusal says that the key is the wrong one. */
static bool wrong_signer(enum refusal_code code)
{
	return code == REFUSED_NOT_OWNER || code == REFUSED_NOT_GUARDIAN ||
		code == REFUSED_NOT_PROPOSED_OWNER;
}

int desk_append(struct desk *d, struct invocation *in, struct operation *op,
	const char *subject, const char *done)
{
	uint64_t expected = registry_tip(local_registry(d->ledger), CHAIN_ADMIN)->seq;
	struct refusal why = {0};
	char text[REFUSAL_TEXT];
	json_t *out;

	switch (local_append(d->ledger, op, d->signer, now_seconds(), &why, &in->error)) {
	case 0:
		break;
	case -1:
		return failure(
			wrong_signer(why.code) ? CONTROL_PERMISSION : CONTROL_FAILED,
			"refused: %s", refusal_print(text, &why));
	default:
		return failure(CONTROL_FAILED, "%s", in->error.text);
	}
	if (op->seq != expected)
		return failure(CONTROL_FAILED,
			"done as administrative operation %llu, but another program "
			"wrote operation %llu at the same moment: see `sipchain ledger "
			"export` whether this one took something of it back",
			(unsigned long long)op->seq, (unsigned long long)expected);
	if (given(in, OPTION_JSON)) {
		out = json_pack("{s:s, s:I, s:i}", "operation", operation_name(op->type),
			"seq", (json_int_t)op->seq, "member", (int)op->member);
		print_json(out);
		json_decref(out);
	} else {
		printf("%s is %s (administrative operation %llu)\n", subject, done,
			(unsigned long long)op->seq);
	}
	return 0;
}

const struct member *named_member(
	const struct registry *r, const char *text, struct error *err)
{
	uint64_t index = 0;

	if (view_decimal(view_str(text), UINT16_MAX, &index))
		index = 0;
	for (uint16_t i = 1; i <= registry_members(r); i++) {
		const struct member *m = registry_member(r, i);

		if (m && (index ? i == index : !strcmp(m->name, text)))
			return m;
	}
	error_set(err, "there is no member %s; see `sipchain member list`", shown(text));
	return NULL;
}

const char *member_subject(char dst[SUBJECT_TEXT], uint16_t index, const char *name)
{
	snprintf(dst, SUBJECT_TEXT, "member %u (%s)", index, shown(name));
	return dst;
}

json_t *tip_json(const struct registry *r, enum chain chain)
{
	const struct tip *tip = registry_tip(r, chain);
	char hash[2 * HASH_SIZE + 1];

	return json_pack("{s:I, s:s}", "seq", (json_int_t)tip->seq, "hash",
		hex_encode(hash, tip->hash, HASH_SIZE));
}
