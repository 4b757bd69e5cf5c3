/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder and its readers, in real folders. */
#include "record_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sense/honeypot/record_reader.h"

#define NOW  (UINT64_C(1700000000) * USEC_PER_SEC)
#define MIB  (UINT64_C(1) << 20)
#define SIZE 500

static void put(struct recorder *w, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n < to; n++) {
		struct record r = message(n, SIZE);

		recorder_put(w, &r);
	}
}

static struct record_reader *reader_at(const struct folder *f)
{
	struct error err = {""};
	struct record_reader *r = record_reader_open(f->path, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

/* Read to the end; each must be the message that its session says. How many. */
static uint64_t read_all(struct record_reader *r, uint64_t *last)
{
	struct error err = {""};
	struct record got;
	uint64_t n = 0;
	int rc;

	while ((rc = record_reader_next(r, &got, &err)) > 0) {
		assert_message(&got, got.session, SIZE);
		if (*last)
			assert_true(got.session > *last);
		*last = got.session;
		n++;
	}
	assert_int_equal(rc, 0);
	return n;
}

static struct record_reader_figures count(
	const struct folder *f, uint64_t *n, uint64_t *last)
{
	struct record_reader *r = reader_at(f);
	struct record_reader_figures figures;

	*last = 0;
	*n = read_all(r, last);
	record_reader_figures(r, &figures);
	record_reader_close(r);
	return figures;
}

static void test_written_and_read(void **state)
{
	struct record_reader_figures figures;
	struct recorder_figures written;
	struct recorder *w;
	struct folder f;
	uint64_t n, last;

	(void)state;
	folder_make(&f);
	assert_int_equal(folder_count(&f), 0);
	count(&f, &n, &last);
	assert_int_equal(n, 0);
	w = recorder_at(&f, 64 * MIB, 0);
	assert_string_equal(recorder_folder(w), f.path);
	assert_int_equal(folder_count(&f), 0); /* nothing came, nothing is made */
	put(w, 1, 101);
	recorder_flush(w, NOW);
	figures = count(&f, &n, &last);
	assert_int_equal(n, 100);
	assert_int_equal(last, 100);
	assert_int_equal(figures.torn, 0);
	recorder_figures(w, &written);
	assert_int_equal(written.recorded, 100);
	assert_int_equal(written.lost, 0);
	assert_int_equal(written.bytes, folder_bytes(&f));
	put(w, 101, 111); /* the end writes what waits */
	recorder_close(w);
	count(&f, &n, &last);
	assert_int_equal(n, 110);
	/* Another time another segment: what was begun is never added to. */
	w = recorder_at(&f, 64 * MIB, 0);
	put(w, 111, 112);
	recorder_close(w);
	assert_int_equal(folder_count(&f), 2);
	count(&f, &n, &last);
	assert_int_equal(last, 111);
	assert_int_equal(n, 111);
	folder_remove(&f);
}

static void test_modes(void **state)
{
	struct recorder *w;
	struct stat st;
	struct folder f;
	mode_t mask = umask(0);

	(void)state;
	folder_make(&f);
	assert_int_equal(rmdir(f.path), 0);
	w = recorder_at(&f, MIB, 0);
	put(w, 1, 2);
	recorder_close(w);
	umask(mask);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(stat(folder_segment(&f, 0), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	folder_remove(&f);
}

/* Wherever the death of the process cuts the file, all before is read, and said. */
static void test_torn_at_every_byte(void **state)
{
	struct record_reader_figures figures;
	size_t size[4] = {0}, whole = RECORD_SEGMENT_HEADER;
	struct recorder *w;
	struct folder f;
	uint64_t n, last;
	char path[500];

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, MIB, 0);
	put(w, 1, 5);
	recorder_close(w);
	for (uint64_t i = 0; i < 4; i++) {
		struct record r = message(i + 1, SIZE);

		size[i] = record_size(&r);
		whole += size[i];
	}
	snprintf(path, sizeof path, "%s", folder_segment(&f, 0));
	assert_int_equal(folder_bytes(&f), whole);
	for (size_t cut = whole; cut-- > 0;) {
		size_t at = RECORD_SEGMENT_HEADER;
		uint64_t want = 0;

		for (; want < 4 && at + size[want] <= cut; want++)
			at += size[want];
		assert_int_equal(truncate(path, (off_t)cut), 0);
		figures = count(&f, &n, &last);
		assert_int_equal(n, want);
		if (cut < RECORD_SEGMENT_HEADER)
			at = 0;
		assert_int_equal(figures.torn, cut != at);
		assert_int_equal(figures.torn_bytes, cut - at);
		assert_int_equal(figures.damaged, 0);
	}
	folder_remove(&f);
}

static void overwrite(const char *path, off_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, p, n, at), n);
	close(fd);
}

/* Damage in the middle costs one record; a length that cannot be, the segment's rest. */
static void test_damage(void **state)
{
	struct record first = message(1, SIZE);
	off_t second = (off_t)(RECORD_SEGMENT_HEADER + record_size(&first));
	struct record_reader_figures figures;
	struct recorder *w;
	struct folder f;
	uint64_t n, last;

	(void)state;
	folder_make(&f);
	for (uint64_t i = 0; i < 3; i++) {
		w = recorder_at(&f, MIB, 0);
		put(w, i * 10 + 1, i * 10 + 11);
		recorder_close(w);
	}
	overwrite(folder_segment(&f, 0), second + 100, "?", 1);
	figures = count(&f, &n, &last);
	assert_int_equal(n, 29);
	assert_int_equal(figures.damaged, 1);
	assert_int_equal(figures.torn, 0);
	overwrite(folder_segment(&f, 0), second, "\0\0\0\0", 4);
	overwrite(folder_segment(&f, 1), 0, "?", 1); /* no segment at all */
	figures = count(&f, &n, &last);
	assert_int_equal(n, 1 + 10);
	assert_int_equal(last, 30);
	assert_int_equal(figures.damaged, 0);
	assert_int_equal(figures.torn, 2);
	folder_remove(&f);
}

/* Never more bytes than max; the oldest go, the newest stay. */
static void test_bounded(void **state)
{
	struct recorder_figures figures;
	uint64_t n, last, before = 0;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, MIB, 0);
	for (uint64_t i = 1; i <= 20000; i += 100) {
		put(w, i, i + 100);
		recorder_flush(w, NOW);
		assert_true(folder_bytes(&f) <= MIB);
		recorder_figures(w, &figures);
		assert_int_equal(figures.bytes, folder_bytes(&f));
		assert_int_equal(figures.segments, folder_count(&f));
	}
	assert_int_equal(figures.recorded, 20000);
	assert_int_equal(figures.lost, 0);
	assert_true(figures.removed > 60);
	assert_true(folder_bytes(&f) > MIB / 8 * 6);
	count(&f, &n, &last);
	assert_int_equal(last, 20000);
	assert_true(n > 500);
	recorder_close(w);
	/* Started with less, it makes room by what an earlier one wrote. */
	before = folder_count(&f);
	w = recorder_at(&f, MIB, 0);
	put(w, 20001, 21001);
	recorder_close(w);
	assert_true(folder_bytes(&f) <= MIB);
	assert_true(folder_count(&f) <= before + 1);
	folder_remove(&f);
}

/* What is longest goes through the least that may be configured. */
static void test_bounded_with_long_messages(void **state)
{
	struct recorder_figures figures;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, 1, 0); /* raised to the least */
	for (uint64_t i = 1; i <= 200; i++) {
		struct record r = message(i, 65535);

		recorder_put(w, &r);
	}
	recorder_flush(w, NOW);
	recorder_figures(w, &figures);
	assert_int_equal(figures.recorded, 200);
	assert_true(folder_bytes(&f) <= MIB);
	recorder_close(w);
	folder_remove(&f);
}

static void put_at(struct recorder *w, uint64_t n, usec time)
{
	struct record r = message(n, SIZE);

	r.time = time;
	recorder_put(w, &r);
	recorder_flush(w, time);
}

static unsigned times(const struct folder *f, usec *first, usec *last)
{
	struct record_reader *r = reader_at(f);
	struct record got;
	unsigned n = 0;

	while (record_reader_next(r, &got, NULL) > 0) {
		if (!n++)
			*first = got.time;
		*last = got.time;
	}
	record_reader_close(r);
	return n;
}

/* Nothing is there longer than 17/16 of what it may be, without traffic either. */
static void test_kept_for_its_time(void **state)
{
	const usec hour = 3600 * USEC_PER_SEC;
	usec first = 0, last = 0, now = NOW;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, 64 * MIB, 16 * 3600);
	for (unsigned i = 0; i < 400; i++, now += hour / 5) {
		put_at(w, i + 1, now);
		assert_true(times(&f, &first, &last) > 0);
		assert_int_equal(last, now);
		assert_true(now - first <= 17 * hour + hour / 5);
		if (i > 100)
			assert_true(now - first >= 15 * hour);
	}
	assert_true(folder_count(&f) <= 19);
	for (unsigned i = 0; i < 18; i++, now += hour)
		recorder_flush(w, now);
	assert_int_equal(times(&f, &first, &last), 0);
	assert_int_equal(folder_count(&f), 0);
	put_at(w, 500, now);
	assert_int_equal(times(&f, &first, &last), 1);
	recorder_close(w);
	folder_remove(&f);
}

static void test_clock_goes_back(void **state)
{
	const usec hour = 3600 * USEC_PER_SEC;
	struct recorder_figures figures;
	usec first = 0, last = 0;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, 64 * MIB, 16 * 3600);
	put_at(w, 1, NOW);
	put_at(w, 2, NOW - 1000 * hour);
	put_at(w, 3, NOW - 999 * hour);
	put_at(w, 4, 5);
	assert_int_equal(times(&f, &first, &last), 4);
	assert_int_equal(first, NOW);
	assert_int_equal(last, 5);
	recorder_figures(w, &figures);
	assert_int_equal(figures.lost, 0);
	/* The order is that of writing; what is old by the new clock goes. */
	put_at(w, 5, NOW + 2 * hour);
	put_at(w, 6, NOW + 20 * hour);
	put_at(w, 7, NOW + 40 * hour);
	assert_int_equal(times(&f, &first, &last), 1);
	assert_int_equal(last, NOW + 40 * hour);
	recorder_close(w);
	folder_remove(&f);
}

/* Two readers who follow get everything once, over every change of segment. */
static void test_two_readers_follow(void **state)
{
	struct record_reader *a, *b;
	struct record_reader_figures figures;
	uint64_t got_a = 0, got_b = 0, last_a = 0, last_b = 0;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, 4 * MIB, 0);
	a = reader_at(&f);
	b = reader_at(&f);
	for (uint64_t i = 1; i <= 20000; i += 50) {
		put(w, i, i + 50);
		recorder_flush(w, NOW);
		got_a += read_all(a, &last_a);
		if (i % 20 == 1)
			got_b += read_all(b, &last_b);
	}
	got_b += read_all(b, &last_b);
	assert_int_equal(got_a, 20000);
	assert_int_equal(got_b, 20000);
	record_reader_figures(b, &figures);
	assert_int_equal(figures.torn + figures.damaged, 0);
	assert_true(folder_count(&f) >= 8);
	record_reader_close(a);
	record_reader_close(b);
	recorder_close(w);
	folder_remove(&f);
}

/* A reader who is left behind goes on with what is still there. */
static void test_reader_is_overtaken(void **state)
{
	struct record_reader *r;
	uint64_t last = 0;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, MIB, 0);
	put(w, 1, 11);
	recorder_flush(w, NOW);
	r = reader_at(&f);
	assert_int_equal(read_all(r, &last), 10);
	put(w, 11, 5001);
	recorder_flush(w, NOW);
	assert_true(read_all(r, &last) >= 500);
	assert_int_equal(last, 5000);
	record_reader_close(r);
	recorder_close(w);
	folder_remove(&f);
}

static void test_since(void **state)
{
	struct error err = {""};
	struct record_reader *r;
	uint64_t last = 0;
	struct recorder *w;
	struct timespec t[2] = {{1600000000, 0}, {1600000000, 0}};
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, MIB, 0);
	put(w, 1, 11);
	recorder_close(w);
	assert_int_equal(utimensat(AT_FDCWD, folder_segment(&f, 0), t, 0), 0);
	w = recorder_at(&f, MIB, 0);
	put(w, 11, 21);
	recorder_flush(w, NOW);
	r = reader_at(&f);
	assert_int_equal(record_reader_since(r, 1600000000 * USEC_PER_SEC, &err), 0);
	assert_int_equal(read_all(r, &last), 20);
	record_reader_close(r);
	r = reader_at(&f);
	last = 0;
	assert_int_equal(record_reader_since(r, 1600007200 * USEC_PER_SEC, &err), 0);
	assert_int_equal(read_all(r, &last), 10);
	record_reader_close(r);
	r = reader_at(&f);
	last = 0;
	assert_int_equal(record_reader_since(r, UINT64_MAX, &err), 0);
	assert_int_equal(read_all(r, &last), 0);
	put(w, 21, 26);
	recorder_flush(w, NOW);
	assert_int_equal(read_all(r, &last), 5);
	assert_int_equal(last, 25);
	record_reader_close(r);
	recorder_close(w);
	folder_remove(&f);
}

/* A pipe's page: who writes one waits until it is read. */
#define PAGE 4096

/* Batches without end, each told once it is flushed; never more than two ahead. */
static void write_and_tell(const struct folder *f, int told)
{
	struct recorder *w = recorder_at(f, 64 * MIB, 0);
	uint64_t page[PAGE / 8] = {0};

	for (uint64_t i = 1;; i += 1000) {
		put(w, i, i + 1000);
		recorder_flush(w, NOW);
		page[0] = i + 999;
		if (write(told, page, PAGE) != PAGE)
			_exit(1);
	}
}

/* Killed in the middle: what was flushed is there, and the next one goes on. */
static void test_killed(void **state)
{
	struct record_reader_figures figures;
	uint64_t n, last, page[PAGE / 8];
	struct recorder *w;
	struct folder f;
	int ends[2], status;
	pid_t child;

	(void)state;
	folder_make(&f);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, PAGE), PAGE);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		write_and_tell(&f, ends[1]);
	close(ends[1]);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(read(ends[0], page, PAGE), PAGE);
		/* While it writes, what is half there is not torn. */
		figures = count(&f, &n, &last);
		assert_int_equal(figures.torn, 0);
		assert_true(n >= page[0]);
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	while (read(ends[0], page, PAGE) == PAGE)
		;
	close(ends[0]);
	figures = count(&f, &n, &last);
	assert_true(n >= page[0]);
	assert_int_equal(last, n);
	assert_true(figures.torn <= 1);
	w = recorder_at(&f, 64 * MIB, 0);
	put(w, last + 1, last + 11);
	recorder_close(w);
	assert_int_equal(count(&f, &page[0], &last).damaged, 0);
	assert_int_equal(page[0], n + 10);
	folder_remove(&f);
}

/* The file may not grow: it goes on, counts, and goes on recording later. */
static void test_disk_full(void **state)
{
	struct rlimit before, limit;
	struct recorder_figures figures;
	struct recorder *w;
	struct folder f;
	uint64_t n, last;

	(void)state;
	folder_make(&f);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	w = recorder_at(&f, 64 * MIB, 0);
	put(w, 1, 101);
	recorder_flush(w, NOW);
	limit = before;
	limit.rlim_cur = folder_bytes(&f) + 1000; /* in the middle of a record */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	put(w, 101, 10001);
	recorder_figures(w, &figures);
	recorder_flush(w, NOW);
	put(w, 10001, 10101);
	recorder_figures(w, &figures);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(figures.failing);
	assert_int_equal(figures.recorded + figures.lost, 10100);
	assert_true(figures.recorded > 500 && figures.lost > 5000);
	count(&f, &n, &last);
	assert_in_range(n, 100, 102);
	/* What waited is written where it was cut, then all is as before. */
	recorder_flush(w, NOW);
	put(w, 20001, 20101);
	recorder_flush(w, NOW);
	recorder_figures(w, &figures);
	assert_false(figures.failing);
	assert_int_equal(count(&f, &n, &last).damaged, 0);
	assert_int_equal(n, figures.recorded);
	assert_int_equal(last, 20100);
	recorder_close(w);
	folder_remove(&f);
}

static void test_folder_goes_away(void **state)
{
	struct recorder_figures figures;
	struct recorder *w;
	struct folder f;

	(void)state;
	folder_make(&f);
	w = recorder_at(&f, MIB, 0);
	assert_int_equal(rmdir(f.path), 0);
	put(w, 1, 11);
	recorder_flush(w, NOW);
	put(w, 11, 21);
	recorder_figures(w, &figures);
	assert_int_equal(figures.recorded, 0);
	assert_int_equal(figures.lost, 20);
	assert_true(figures.failing);
	recorder_close(w);
}

static void refused(const struct recorder_config *c, const char *text)
{
	struct error err = {""};

	assert_null(recorder_open(c, &err));
	if (!strstr(err.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static void test_refused(void **state)
{
	struct recorder_config c = {.max = MIB, .user = (uid_t)-1, .group = (gid_t)-1};
	struct error err = {""};
	struct recorder *w;
	struct folder f;
	char path[100];

	(void)state;
	folder_make(&f);
	snprintf(path, sizeof path, "%s/none/there", f.path);
	c.folder = path;
	refused(&c, "No such file or directory; make the folder");
	snprintf(path, sizeof path, "%s/file", f.path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	refused(&c, "Not a directory");
	c.folder = f.path;
	c.user = getuid() + 1;
	refused(&c, "chown it");
	c.user = getuid();
	w = recorder_open(&c, &err);
	assert_non_null(w);
	put(w, 1, 2);
	recorder_flush(w, NOW);
	refused(&c, "another process records there");
	recorder_close(w);
	w = recorder_open(&c, &err);
	assert_non_null(w);
	recorder_close(w);
	assert_null(record_reader_open(path, &err));
	assert_non_null(strstr(err.text, "Not a directory"));
	assert_null(record_reader_open("/nonexistent\x1b", &err));
	assert_non_null(strstr(err.text, "/nonexistent\\x1b: No such file"));
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_and_read),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_torn_at_every_byte),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_bounded_with_long_messages),
		cmocka_unit_test(test_kept_for_its_time),
		cmocka_unit_test(test_clock_goes_back),
		cmocka_unit_test(test_two_readers_follow),
		cmocka_unit_test(test_reader_is_overtaken),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_folder_goes_away),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
