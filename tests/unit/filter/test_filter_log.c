/* SPDX-License-Identifier: Apache-2.0 */
/* A filter behind a log that is followed: whatever happens to the file. */
#include "../cmocka_all.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "sense/filter/filter_observe.h"
#include "sense/logtail.h"

#define TURNS 20000
#define NOW   (UINT64_C(1795305600) * USEC_PER_SEC)
#define BAD   "2026-11-22 00:00:01 bad 192.0.2.1\n"

struct log_state {
	uv_loop_t loop;
	struct folder folder;
	char path[96];
	int directory;
	struct filter *filter;
	struct logtail *tail;
	unsigned observations, lines;
};

static void on_observation(void *context, const struct observation *o)
{
	struct log_state *s = context;

	assert_int_equal(o->source.family, 4);
	s->observations++;
}

static void on_line(void *context, struct view line)
{
	struct log_state *s = context;

	s->lines++;
	filter_observe(s->filter, line, 0, NOW, on_observation, s);
}

static void append(struct log_state *s, const void *p, size_t n)
{
	int fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

/* Run until so many failures were seen. */
static void run_until(struct log_state *s, unsigned observations)
{
	for (unsigned i = 0; i < TURNS && s->observations < observations; i++)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->observations, observations);
}

static int setup(void **state)
{
	struct log_state *s = calloc(1, sizeof *s);
	struct filter_settings settings = {.now = NOW};
	const struct logtail_events events = {on_line, NULL, s};
	struct error err = {""};

	folder_make(&s->folder);
	folder_write(&s->folder, "x.conf", "[Definition]\nfailregex = ^ bad <HOST>$\n");
	settings.folders = s->folder.list;
	s->filter = filter_new("x", &settings, &err);
	assert_non_null(s->filter);
	snprintf(s->path, sizeof s->path, "%s/log", s->folder.path);
	s->directory = open(s->folder.path, O_RDONLY | O_DIRECTORY);
	uv_loop_init(&s->loop);
	append(s, "before\n", 7);
	s->tail = logtail_open(&s->loop, s->directory, "log", NULL, &events, &err);
	assert_non_null(s->tail);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct log_state *s = *state;

	logtail_close(s->tail);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_loop_close(&s->loop);
	filter_free(s->filter);
	close(s->directory);
	folder_remove(&s->folder);
	free(s);
	return 0;
}

static void junk_hides_no_line(void **state)
{
	struct log_state *s = *state;
	uint8_t junk[4096];
	uint32_t seed = 7;

	for (unsigned round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof junk; i++) {
			seed = seed * 1664525 + 1013904223;
			junk[i] = (uint8_t)(seed >> 24);
		}
		junk[sizeof junk - 1] = '\n';
		append(s, junk, sizeof junk);
		append(s, BAD, strlen(BAD));
	}
	run_until(s, 50);
}

/* The most that this process ever held, KiB. */
static long resident_most(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static void a_line_of_100_mb_costs_no_memory(void **state)
{
	struct log_state *s = *state;
	struct logtail_figures figures;
	char *block = malloc(1 << 20);
	int fd = open(s->path, O_WRONLY | O_APPEND);
	long before = resident_most();

	/* It even holds what would match, were it taken for a line's beginning. */
	for (size_t i = 0; i < 1 << 20; i++)
		block[i] = "2026-11-22 00:00:01 bad 192.0.2.1 "[i % 34];
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(write(fd, block, 1 << 20), 1 << 20);
	assert_int_equal(write(fd, "\n" BAD, 1 + strlen(BAD)), 1 + strlen(BAD));
	close(fd);
	free(block);
	run_until(s, 1);
	logtail_figures(s->tail, &figures);
	assert_int_equal(figures.file.oversize, 1);
	assert_int_equal(s->lines, 1);
	assert_in_range(resident_most() - before, 0, 16 * 1024);
}

static void invalid_utf8_is_replaced(void **state)
{
	struct log_state *s = *state;

	append(s, "2026-11-22 00:00:01 bad \xff 192.0.2.1\n" BAD, 37 + strlen(BAD));
	append(s, "\xe2\x82\n" BAD, 3 + strlen(BAD));
	run_until(s, 2);
}

/* The name is something else for a while; then a log again. */
static void becomes(struct log_state *s, int (*make)(const char *path))
{
	char old[128];

	append(s, BAD, strlen(BAD));
	run_until(s, 1);
	snprintf(old, sizeof old, "%s.old", s->path);
	assert_int_equal(rename(s->path, old), 0);
	assert_int_equal(make(s->path), 0);
	for (unsigned i = 0; i < 3; i++)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(remove(s->path), 0);
	append(s, BAD, strlen(BAD));
	run_until(s, 2);
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700);
}

static int make_fifo(const char *path)
{
	return mkfifo(path, 0600);
}

static void a_directory_in_its_place(void **state)
{
	becomes(*state, make_directory);
}

static void a_fifo_in_its_place(void **state)
{
	becomes(*state, make_fifo);
}

static void a_log_that_may_not_be_read(void **state)
{
	struct log_state *s = *state;
	char old[128];

	/* Root may read everything: be nobody for a while. */
	if (!getuid()) {
		assert_int_equal(chown(s->folder.path, 65534, 65534), 0);
		assert_int_equal(chown(s->path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	append(s, BAD, strlen(BAD));
	run_until(s, 1);
	snprintf(old, sizeof old, "%s.old", s->path);
	assert_int_equal(rename(s->path, old), 0);
	append(s, BAD, strlen(BAD));
	assert_int_equal(chmod(s->path, 0), 0);
	for (unsigned i = 0; i < 3; i++)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->observations, 1);
	assert_int_equal(chmod(s->path, 0600), 0);
	run_until(s, 2);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(junk_hides_no_line),
		TEST(a_line_of_100_mb_costs_no_memory),
		TEST(invalid_utf8_is_replaced),
		TEST(a_directory_in_its_place),
		TEST(a_fifo_in_its_place),
		TEST(a_log_that_may_not_be_read),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
