/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk, with another writer beside it, and what a change of keys leaves of
 * a member's live reports: commands run in this process on a ledger in /tmp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/desk.h"

static char folder[64];

enum who { OWNER, OLD, NEW, WHO_COUNT };
static const char *const names[WHO_COUNT] = {"owner.key", "old.key", "new.key"};
static struct signer *keys[WHO_COUNT];

static uint32_t now(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

/* One of eight static buffers in turn. */
static const char *in_folder(const char *name)
{
	static char paths[8][512];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* A command line, signed by the owner; OLD and NEW stand for those keys' addresses. */
static struct invocation *parsed(const char *line)
{
	static struct invocation in;
	static char text[1024], address[ADDRESS20_TEXT];
	char *argv[32];
	int argc = 0;

	snprintf(text, sizeof text, "sipchain %s --ledger %s --key %s", line,
		in_folder("ledger"), in_folder(names[OWNER]));
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, "OLD") || !strcmp(word, "NEW"))
			word = address20_print(address,
				signer_address(keys[word[0] == 'O' ? OLD : NEW]));
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	if (invocation_parse(&in, argc, argv))
		fail_msg("%s: %s", line, in.error.text);
	return &in;
}

/* Run fn with what it prints in *text (static) instead of on the terminal. */
static int quietly(int (*fn)(struct invocation *in), struct invocation *in, char **text)
{
	static char shown_text[4096];
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), code;
	int file = open(
		in_folder("printed"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	assert_true(out >= 0 && err >= 0 && file >= 0);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	code = fn(in);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	n = pread(file, shown_text, sizeof shown_text - 1, 0);
	shown_text[n > 0 ? n : 0] = 0;
	close(file);
	close(err);
	close(out);
	*text = shown_text;
	return code;
}

/* Run a command line, expect an exit code and a text. */
static void expect(int code, const char *line, const char *text)
{
	struct invocation *in = parsed(line);
	char *printed;
	int got = quietly(in->command->run, in, &printed);

	if (got != code || !strstr(printed, text))
		fail_msg("%s: %d, not %d: %s", line, got, code, printed);
}

static struct local *opened(void)
{
	struct error err = {0};
	struct local *l = local_open(in_folder("ledger"), true, now(), &err);

	if (!l)
		fail_msg("%s", err.text);
	return l;
}

/* One entry of member 1 about 198.51.100.7 in cell 0; the refusal's code. */
static enum refusal_code entry(struct local *l, enum who who, uint8_t action)
{
	struct operation op = {.type = OP_BATCH, .member = 1, .count = 1};
	struct report r = {.expiry = now() + 600,
		.member = 1,
		.category = CATEGORY_SCAN,
		.proof = PROOF_NONCE,
		.action = action};
	struct refusal why = {0};
	uint8_t word[WORD_SIZE];
	struct error err = {0};

	assert_int_equal(
		indicator_parse(&r.indicator, NULL, view_str("198.51.100.7"), &err), 0);
	word_encode(word, &r);
	op.words = word;
	if (local_append(l, &op, keys[who], now(), &why, &err) == -2)
		fail_msg("%s", err.text);
	return why.code;
}

static int setup(void **state)
{
	struct ledger_config rules = {{16, 32, 5, true}, 3600, 1};
	struct error err = {0};

	(void)state;
	strcpy(folder, "/tmp/sipchain-desk-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < WHO_COUNT; i++) {
		keys[i] = signer_create(in_folder(names[i]), &err);
		if (!keys[i])
			return -1;
	}
	return local_create(in_folder("ledger"), &rules, signer_address(keys[OWNER]),
		keys[OWNER], now(), &err);
}

static int teardown(void **state)
{
	struct dirent *e;
	DIR *dir = opendir(folder);

	(void)state;
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			unlink(in_folder(e->d_name));
	if (dir)
		closedir(dir);
	for (size_t i = 0; i < WHO_COUNT; i++)
		signer_free(keys[i]);
	return rmdir(folder);
}

static void reports_outlive_the_key_that_signed_them(void **state)
{
	struct report words[4];
	struct indicator i;
	struct local *l;

	(void)state;
	indicator_parse(&i, NULL, view_str("198.51.100.7"), NULL);
	expect(0, "member add --name bank-a --signer OLD",
		"member 1 (bank-a) is admitted");
	l = opened();
	assert_int_equal(entry(l, OLD, ACTION_REPORT), 0);
	assert_int_equal(entry(l, NEW, ACTION_REPORT), REFUSED_NOT_SIGNER);
	expect(0, "member signer-add bank-a NEW", "is added to member 1 (bank-a)");
	expect(0, "member signer-remove 1 OLD", "is removed from member 1 (bank-a) (");
	expect(CONTROL_REFUSED, "member signer-remove 1 OLD", "not a signer");
	assert_int_equal(local_read(l, NULL, NULL, NULL), 2);
	assert_int_equal(registry_words(local_registry(l), &i, now(), words, 4), 1);
	assert_int_equal(words[0].generation, 0);
	assert_int_equal(registry_support(local_registry(l), &i, now()), 1);
	assert_int_equal(registry_member(local_registry(l), 1)->generation, 0);
	assert_int_equal(entry(l, OLD, ACTION_SPEND), REFUSED_NOT_SIGNER);
	assert_int_equal(entry(l, NEW, ACTION_SPEND), 0);
	assert_int_equal(registry_words(local_registry(l), &i, now(), words, 4), 0);
	local_close(l);
	expect(0, "member signer-remove 1 NEW", "has no key left");
}

/* What another writer did before the desk was opened is what it builds on. */
static void a_second_desk_waits(void **state)
{
	struct invocation *in = parsed("protect add 203.0.113.1");
	struct desk d;
	char *printed;
	int lock, flags = LOCK_EX | LOCK_NB;

	(void)state;
	assert_int_equal(desk_open(&d, in, DESK_SIGNS), 0);
	lock = open(in_folder("ledger-bell"), O_RDONLY | O_CLOEXEC);
	assert_true(lock >= 0);
	assert_int_equal(flock(lock, flags), -1);
	desk_close(&d);
	assert_int_equal(flock(lock, flags), 0);
	/* A reader does not wait: `member list` works while somebody signs. */
	in = parsed("member suspend 1");
	assert_int_equal(desk_open(&d, in, 0), 0);
	desk_close(&d);
	flock(lock, LOCK_UN);
	close(lock);
	in = parsed("protect add 203.0.113.1");
	assert_int_equal(quietly(in->command->run, in, &printed), 0);
	assert_non_null(strstr(printed, "with its 1 entry is changed"));
}

/* A writer that takes no lock comes between reading and appending. */
static void an_operation_between_is_told(void **state)
{
	struct invocation *in = parsed("ledger pause");
	struct operation theirs = {.type = OP_PAUSE}, ours = {.type = OP_UNPAUSE};
	struct refusal why = {0};
	struct local *l = opened();
	struct desk d;

	(void)state;
	assert_int_equal(desk_open(&d, in, DESK_SIGNS), 0);
	assert_int_equal(local_append(l, &theirs, keys[OWNER], now(), &why, NULL), 0);
	assert_int_equal(desk_append(&d, in, &ours, "it", "done"), CONTROL_FAILED);
	assert_int_equal(ours.seq, theirs.seq + 1);
	desk_close(&d);
	assert_int_equal(desk_open(&d, in, DESK_SIGNS), 0);
	assert_false(registry_paused(local_registry(d.ledger)));
	desk_close(&d);
	local_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_outlive_the_key_that_signed_them),
		cmocka_unit_test(a_second_desk_waits),
		cmocka_unit_test(an_operation_between_is_told),
	};

	return cmocka_run_group_tests_name("desk", tests, setup, teardown);
}
