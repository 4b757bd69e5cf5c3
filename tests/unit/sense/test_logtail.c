/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real files in a real directory, read by a real loop. No test waits for a
 * time: each runs the loop until what it expects has come, and a limit of
 * turns makes it fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/logtail.h"

#define LINES_MAX 4096

struct reader_state {
	uv_loop_t loop;
	char path[64];
	int dir;
	struct logtail *tail;
	struct logfile_position position;
	unsigned positions;
	char *lines[LINES_MAX];
	size_t sizes[LINES_MAX];
	unsigned n;
};

static void on_line(void *context, struct view line)
{
	struct reader_state *s = context;

	assert_true(s->n < LINES_MAX);
	s->lines[s->n] = malloc(line.n + 1);
	assert_non_null(s->lines[s->n]);
	memcpy(s->lines[s->n], line.p, line.n);
	s->lines[s->n][line.n] = '\0';
	s->sizes[s->n++] = line.n;
}

static void on_position(void *context, const struct logfile_position *position)
{
	struct reader_state *s = context;

	s->position = *position;
	s->positions++;
}

static const struct logtail_events *events(struct reader_state *s)
{
	static struct logtail_events e;

	e = (struct logtail_events){on_line, on_position, s};
	return &e;
}

static int setup(void **state)
{
	struct reader_state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	strcpy(s->path, "/tmp/logtail-XXXXXX");
	assert_non_null(mkdtemp(s->path));
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY);
	assert_true(s->dir >= 0);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	*state = s;
	return 0;
}

static void stop(struct reader_state *s)
{
	logtail_close(s->tail);
	s->tail = NULL;
	uv_run(&s->loop, UV_RUN_DEFAULT);
}

/* Lines that begin with '-' are nobody's. */
static size_t on_skip(void *context, struct view text, uint64_t *lines)
{
	size_t n = 0;

	(void)context;
	while (n < text.n && text.p[n] == '-') {
		n += view_find(view_from(text, n), '\n') + 1;
		++*lines;
	}
	return n;
}

static void forget_lines(struct reader_state *s)
{
	while (s->n)
		free(s->lines[--s->n]);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int teardown(void **state)
{
	struct reader_state *s = *state;

	stop(s);
	forget_lines(s);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	close(s->dir);
	nftw(s->path, remove_one, 4, FTW_DEPTH | FTW_PHYS);
	free(s);
	return 0;
}

static void put(struct reader_state *s, const char *name, const char *text, int flags)
{
	int fd = openat(s->dir, name, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void append(struct reader_state *s, const char *name, const char *text)
{
	put(s, name, text, O_APPEND);
}

static void follow(struct reader_state *s, const struct logfile_position *resume)
{
	struct error err;

	s->tail = logtail_open(
		&s->loop, s->dir, "security.json", resume, events(s), &err);
	assert_non_null(s->tail);
}

/* Run the loop until n lines have come. The file system tells us at once; a
 * turn of a quiet loop takes at most the second of the regular look. */
static void run_until(struct reader_state *s, unsigned n)
{
	for (unsigned turns = 0; s->n < n && turns < 1000; turns++)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->n, n);
}

/* Let everything that is pending happen: any change in the folder is news. */
static void settle(struct reader_state *s)
{
	for (unsigned turns = 0; turns < 3; turns++) {
		append(s, "poke", "x");
		uv_run(&s->loop, UV_RUN_ONCE);
		uv_run(&s->loop, UV_RUN_ONCE);
	}
}

static void assert_line(struct reader_state *s, unsigned i, const char *text)
{
	assert_true(i < s->n);
	assert_string_equal(s->lines[i], text);
}

static struct logtail_figures figures(struct reader_state *s)
{
	struct logtail_figures f;

	logtail_figures(s->tail, &f);
	return f;
}

static void test_follow(void **state)
{
	struct reader_state *s = *state;

	/* What is there before the first start is history. */
	append(s, "security.json", "old\nhalf");
	follow(s, NULL);
	settle(s);
	assert_int_equal(s->n, 0);
	append(s, "security.json", " of it\none\n\ntw");
	run_until(s, 2);
	assert_line(s, 0, "one");
	assert_line(s, 1, "");
	append(s, "security.json", "o\n");
	run_until(s, 3);
	assert_line(s, 2, "two");
	assert_true(figures(s).present);
	assert_int_equal(figures(s).file.lines, 3);
	assert_int_equal(s->position.offset, 24);
	/* Another file of the folder is none of our business. */
	append(s, "messages.log", "forged\n");
	settle(s);
	assert_int_equal(s->n, 3);
}

/* Lines that are skipped count, and position and text stay right behind them. */
static void test_skip(void **state)
{
	struct reader_state *s = *state;

	append(s, "security.json", "");
	follow(s, NULL);
	logtail_skip(s->tail, on_skip);
	append(s, "security.json", "-a\n-b\none\n-c\ntwo\n-d\n-");
	run_until(s, 2);
	assert_string_equal(s->lines[0], "one");
	assert_string_equal(s->lines[1], "two");
	assert_int_equal(figures(s).file.lines, 6);
	assert_int_equal(s->position.offset, strlen("-a\n-b\none\n-c\ntwo\n-d\n"));
	append(s, "security.json", "e\nthree\n");
	run_until(s, 3);
	assert_string_equal(s->lines[2], "three");
	assert_int_equal(figures(s).file.lines, 8);
	stop(s);
}

static void test_not_there_yet(void **state)
{
	struct reader_state *s = *state;

	follow(s, NULL);
	settle(s);
	assert_false(figures(s).present);
	append(s, "security.json", "first\n");
	run_until(s, 1);
	assert_line(s, 0, "first");
	assert_true(figures(s).present);
	assert_int_equal(figures(s).rotations, 0);
}

static void test_rotated(void **state)
{
	struct reader_state *s = *state;
	int fd;

	follow(s, NULL);
	append(s, "security.json", "a\n");
	run_until(s, 1);
	/* The PBX still has the old one open, and its last line is under way. */
	fd = openat(s->dir, "security.json", O_WRONLY | O_APPEND);
	assert_int_equal(renameat(s->dir, "security.json", s->dir, "security.json.1"), 0);
	assert_int_equal(write(fd, "b\n", 2), 2);
	put(s, "security.json", "d\n", O_EXCL);
	run_until(s, 3);
	assert_line(s, 1, "b");
	assert_line(s, 2, "d");
	/* It writes there until it is told to reopen. */
	assert_int_equal(write(fd, "c\n", 2), 2);
	run_until(s, 4);
	assert_line(s, 3, "c");
	close(fd);
	append(s, "security.json", "e\n");
	run_until(s, 5);
	assert_line(s, 4, "e");
	assert_int_equal(figures(s).rotations, 1);
	/* And again, before the first is given up. */
	assert_int_equal(renameat(s->dir, "security.json", s->dir, "security.json.2"), 0);
	put(s, "security.json", "f\n", O_EXCL);
	run_until(s, 6);
	assert_line(s, 5, "f");
	assert_int_equal(figures(s).rotations, 2);
}

static void test_truncated(void **state)
{
	struct reader_state *s = *state;

	follow(s, NULL);
	append(s, "security.json", "one\ntwo\nthree\nunfin");
	run_until(s, 3);
	/* copytruncate */
	put(s, "security.json", "four\n", O_TRUNC);
	run_until(s, 4);
	assert_line(s, 3, "four");
	assert_int_equal(figures(s).file.truncated, 1);
	/* Cut and grown beyond where we were before we looked: its bytes tell. */
	put(s, "security.json", "FIVE\nsix\nseven\n", O_TRUNC);
	run_until(s, 7);
	assert_line(s, 4, "FIVE");
	assert_line(s, 6, "seven");
	assert_int_equal(figures(s).file.truncated, 2);
}

static void test_resume(void **state)
{
	struct reader_state *s = *state;
	struct logfile_position at;

	follow(s, NULL);
	append(s, "security.json", "one\ntwo\nthr");
	run_until(s, 2);
	at = s->position;
	assert_int_equal(at.offset, 8);
	stop(s);
	forget_lines(s);
	append(s, "security.json", "ee\nfour\n");
	follow(s, &at);
	run_until(s, 2);
	assert_line(s, 0, "three");
	assert_line(s, 1, "four");
	at = s->position;
	stop(s);
	forget_lines(s);
	/* Nothing new: nothing twice. */
	follow(s, &at);
	settle(s);
	assert_int_equal(s->n, 0);
	stop(s);
	/* Rotated while we were away: the rest of the old one, then the new. */
	append(s, "security.json", "five\n");
	assert_int_equal(renameat(s->dir, "security.json", s->dir, "security.json.1"), 0);
	append(s, "security.json", "six\n");
	follow(s, &at);
	run_until(s, 2);
	assert_line(s, 0, "five");
	assert_line(s, 1, "six");
	assert_int_equal(figures(s).rotations, 1);
	assert_int_equal(figures(s).lost, 0);
	at = s->position;
	stop(s);
	forget_lines(s);
	/* Rotated and gone: the new one from its beginning, and it is counted. */
	assert_int_equal(unlinkat(s->dir, "security.json", 0), 0);
	append(s, "other", "x");
	append(s, "security.json", "seven\n");
	at.inode = 1;
	follow(s, &at);
	run_until(s, 1);
	assert_line(s, 0, "seven");
	assert_int_equal(figures(s).lost, 1);
}

static void test_resume_rewritten(void **state)
{
	struct reader_state *s = *state;
	struct logfile_position at;

	follow(s, NULL);
	append(s, "security.json", "one\ntwo\n");
	run_until(s, 2);
	at = s->position;
	stop(s);
	forget_lines(s);
	/* The same inode, longer, but other bytes before the position. */
	put(s, "security.json", "ONE\nTWO\nTHREE\n", O_TRUNC);
	follow(s, &at);
	run_until(s, 3);
	assert_line(s, 0, "ONE");
	assert_int_equal(figures(s).file.truncated, 1);
	stop(s);
	forget_lines(s);
	/* A position past the end. */
	at.offset = UINT64_MAX / 2;
	follow(s, &at);
	run_until(s, 3);
	assert_line(s, 2, "THREE");
}

static void test_long_lines(void **state)
{
	struct reader_state *s = *state;
	static char line[3 * LOGFILE_LINE_MAX];
	struct logfile_position at;

	follow(s, NULL);
	memset(line, 'x', sizeof(line));
	line[LOGFILE_LINE_MAX] = '\n';
	line[LOGFILE_LINE_MAX + 1] = '\0';
	append(s, "security.json", line);
	run_until(s, 1);
	assert_int_equal(s->sizes[0], LOGFILE_LINE_MAX);
	/* One byte more, and much more. */
	line[LOGFILE_LINE_MAX] = 'x';
	line[LOGFILE_LINE_MAX + 1] = '\n';
	line[LOGFILE_LINE_MAX + 2] = '\0';
	append(s, "security.json", line);
	append(s, "security.json", "short\n");
	run_until(s, 2);
	assert_line(s, 1, "short");
	assert_int_equal(figures(s).file.oversize, 1);
	memset(line, 'y', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	at = s->position;
	append(s, "security.json", line);
	settle(s);
	assert_int_equal(figures(s).file.oversize, 2);
	/*
	 * Stopped within it: its middle must not become the beginning of a line,
	 * for that is where an attacker would put a perfect one.
	 */
	assert_int_equal(s->position.offset, at.offset);
	at = s->position;
	stop(s);
	forget_lines(s);
	follow(s, &at);
	append(s, "security.json", "forged\nnext\n");
	run_until(s, 1);
	assert_line(s, 0, "next");
	assert_int_equal(figures(s).file.oversize, 1);
}

/* More than one turn reads: in order, and other handles have their turn. */
static void test_bounded_turns(void **state)
{
	struct reader_state *s = *state;
	struct logfile_position none = {0};
	unsigned turns = 0;
	FILE *f;
	char path[128];

	snprintf(path, sizeof(path), "%s/security.json", s->path);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 4000; i++)
		fprintf(f, "%04u%0500u\n", i, 0);
	fclose(f);
	follow(s, &none);
	while (s->n < 4000 && turns++ < 1000)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->n, 4000);
	/* UV_RUN_ONCE may run a timer twice: before it waits and after. */
	assert_true(turns >= 4000 * 505 / (256 * 1024) / 2);
	assert_true(s->positions >= 4000 * 505 / (256 * 1024));
	for (unsigned i = 0; i < 4000; i++)
		assert_int_equal(atoi((s->lines[i][4] = '\0', s->lines[i])), i);
	assert_int_equal(s->position.offset, 4000 * 505);
}

static void test_refused(void **state)
{
	struct reader_state *s = *state;
	struct error err;

	assert_null(logtail_open(&s->loop, s->dir, "../passwd", NULL, events(s), &err));
	assert_non_null(strstr(err.text, "../passwd"));
	assert_non_null(strstr(err.text, "plain name"));
	assert_null(logtail_open(&s->loop, s->dir, "", NULL, events(s), &err));
	assert_null(logtail_open(&s->loop, -1, "x", NULL, events(s), &err));
	assert_non_null(strstr(err.text, "directory"));
	/* A link or a FIFO of that name: not read, and nothing blocks. */
	append(s, "target", "secret\n");
	assert_int_equal(symlinkat("target", s->dir, "security.json"), 0);
	assert_null(logfile_open(s->dir, "security.json"));
	assert_int_equal(errno, ELOOP);
	follow(s, NULL);
	append(s, "target", "more\n");
	settle(s);
	assert_int_equal(s->n, 0);
	assert_int_equal(unlinkat(s->dir, "security.json", 0), 0);
	assert_int_equal(mkfifoat(s->dir, "security.json", 0600), 0);
	settle(s);
	assert_int_equal(s->n, 0);
	assert_null(logfile_open(s->dir, "security.json"));
	assert_int_equal(errno, ENXIO);
	/* When it becomes a file at last, it is read. */
	assert_int_equal(unlinkat(s->dir, "security.json", 0), 0);
	append(s, "security.json", "fine\n");
	run_until(s, 1);
	assert_line(s, 0, "fine");
}

/* Only the descriptor is used: the path may be gone from sight. */
static void test_directory_moved(void **state)
{
	struct reader_state *s = *state;
	char moved[80];

	follow(s, NULL);
	append(s, "security.json", "one\n");
	run_until(s, 1);
	snprintf(moved, sizeof(moved), "%s-moved", s->path);
	assert_int_equal(rename(s->path, moved), 0);
	append(s, "security.json", "two\n");
	assert_int_equal(renameat(s->dir, "security.json", s->dir, "security.json.1"), 0);
	append(s, "security.json", "three\n");
	run_until(s, 3);
	assert_line(s, 2, "three");
	assert_int_equal(rename(moved, s->path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_follow),
		TEST(test_skip),
		TEST(test_not_there_yet),
		TEST(test_rotated),
		TEST(test_truncated),
		TEST(test_resume),
		TEST(test_resume_rewritten),
		TEST(test_long_lines),
		TEST(test_bounded_turns),
		TEST(test_refused),
		TEST(test_directory_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
