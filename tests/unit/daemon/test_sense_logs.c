/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that several read, and sources of type log: lines, positions, what the node is told. */
#include "../cmocka_all.h"
#include "../filter/folder.h"

#include <errno.h>

#include "daemon/sense_source.h"
#include "daemon/sense_text.h"

struct stage {
	struct folder folder;
	char path[128]; /* of the log */
	struct config config;
	uv_loop_t loop;
	struct link *link;
	int node; /* the link's other end */
	struct sense_logs *logs;
	struct sense_text *text;
	struct observation seen[8];
	unsigned seen_count;
	unsigned lines; /* given to on_line() */
	char last[64];
};

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	(void)context;
	(void)l;
	(void)payload;
	(void)fd;
	fail_msg("the node said %u", type);
}

static void on_closed(void *context, struct link *l, const char *why)
{
	(void)context;
	(void)l;
	fail_msg("closed: %s", why);
}

static void on_observation(void *context, const struct observation *o)
{
	struct stage *s = context;

	assert_true(s->seen_count < 8);
	s->seen[s->seen_count++] = *o;
}

static void on_line(void *context, struct view line)
{
	struct stage *s = context;

	s->lines++;
	view_copy(s->last, sizeof s->last, line);
}

/* Sources 0 and 1 read the log; 2 has no such filter, 3 no such folder. */
static void configure(struct stage *s)
{
	struct buffer text = {0}, errors = {0};
	const char *f = s->folder.path;

	buffer_printf(&text,
		"[node]\nname = edge1\n"
		"[source \"bad\"]\ntype = log\nfilter = %s/bad.conf\npath = %s\n"
		"[source \"worse\"]\ntype = log\nfilter = %s/worse.conf\npath = %s\n"
		"[source \"filterless\"]\ntype = log\nfilter = %s/none.conf\npath = %s\n"
		"[source \"pathless\"]\ntype = log\nfilter = %s/bad.conf\n"
		"path = %s/none/log\n",
		f, s->path, f, s->path, f, s->path, f, f);
	if (config_parse(&s->config, "test.conf", view_of(text.p, text.n), &errors))
		fail_msg("%.*s", (int)errors.n, (const char *)errors.p);
	buffer_free(&text);
	buffer_free(&errors);
}

static struct stage *begin(void)
{
	const struct link_callbacks callbacks = {
		.message = on_message, .closed = on_closed};
	struct stage *s = calloc(1, sizeof *s);
	int fds[2];

	assert_non_null(s);
	folder_make(&s->folder);
	folder_write(&s->folder, "bad.conf", "[Definition]\nfailregex = ^bad <HOST>$\n");
	folder_write(&s->folder, "worse.conf",
		"[Definition]\nfailregex = ^(?:bad|worse) <HOST>$\n");
	folder_write(&s->folder, "log", "bad 192.0.2.1\n");
	snprintf(s->path, sizeof s->path, "%s/log", s->folder.path);
	configure(s);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	assert_int_equal(packet_pair(fds), 0);
	s->link = link_open(&s->loop, fds[0], 1 << 20, &callbacks);
	assert_non_null(s->link);
	s->node = fds[1];
	s->logs = sense_logs_new(&s->loop);
	assert_non_null(s->logs);
	s->text = sense_text_new(&s->loop, &s->config, s->logs, on_observation, s);
	assert_non_null(s->text);
	return s;
}

static void end(struct stage *s)
{
	sense_logs_free(s->logs);
	sense_text_free(s->text);
	link_close(s->link);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	close(s->node);
	config_free(&s->config);
	folder_remove(&s->folder);
	free(s);
}

static void append(struct stage *s, const char *text)
{
	FILE *out = fopen(s->path, "a");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void on_late(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("the lines do not come");
}

/* Turn the loop until so many observations and lines came. */
static void run_until(struct stage *s, unsigned observations, unsigned lines)
{
	uv_timer_t late;

	uv_timer_init(&s->loop, &late);
	uv_timer_start(&late, on_late, 60000, 0);
	while (s->seen_count < observations || s->lines < lines)
		uv_run(&s->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&late, NULL);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	assert_int_equal(s->seen_count, observations);
	assert_int_equal(s->lines, lines);
}

/* The next message to the node, of that type and length; false: there is none. */
static bool told(struct stage *s, uint16_t type, void *dst, size_t size)
{
	static uint8_t buffer[PACKET_MAX];
	struct packet p;

	if (packet_receive(s->node, buffer, &p) != 1) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	assert_int_equal(p.type, type);
	assert_int_equal(p.payload.n, size);
	memcpy(dst, p.payload.p, size);
	return true;
}

static void next_source(struct stage *s, struct source_status *to, const char *name,
	unsigned index, unsigned state)
{
	assert_true(told(s, MSG_SOURCE, to, sizeof *to));
	assert_string_equal(to->name, name);
	assert_int_equal(to->source, index);
	assert_int_equal(to->type, CONFIG_SOURCE_LOG);
	assert_int_equal(to->state, state);
}

static void test_filters(void **state)
{
	struct stage *s = begin();
	struct source_status one;
	char text[ADDRESS_TEXT];

	(void)state;
	sense_logs_start(s->logs, NULL, 0);
	append(s, "good 192.0.2.2\nbad 192.0.2.3\nworse 192.0.2.4\n");
	run_until(s, 3, 0); /* of the line before the start: nothing */
	assert_string_equal(address_print(text, &s->seen[0].source), "192.0.2.3");
	assert_string_equal(address_print(text, &s->seen[1].source), "192.0.2.3");
	assert_string_equal(address_print(text, &s->seen[2].source), "192.0.2.4");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(s->seen[i].proof, PROOF_NONE);
		assert_int_equal(s->seen[i].sensor, SENSOR_FILTER);
	}

	sense_text_tell(s->text, s->link, true);
	next_source(s, &one, "bad", 0, 1);
	assert_string_equal(one.trouble, "");
	assert_int_equal(one.observations, 1);
	assert_int_equal(one.of.log.lines, 3);
	assert_int_equal(one.of.log.failures, 1);
	next_source(s, &one, "worse", 1, 1);
	assert_int_equal(one.observations, 2);
	assert_int_equal(one.of.log.lines, 3);
	assert_int_equal(one.of.log.failures, 2);
	next_source(s, &one, "filterless", 2, 0);
	assert_non_null(strstr(one.trouble, "none.conf"));
	next_source(s, &one, "pathless", 3, 0);
	assert_non_null(strstr(one.trouble, "its folder: No such file or directory"));
	assert_int_equal(one.of.log.lines, 0);
	assert_false(told(s, MSG_SOURCE, &one, sizeof one));

	/* Again only what changed, or everything to a node that knows nothing. */
	sense_text_tell(s->text, s->link, false);
	assert_false(told(s, MSG_SOURCE, &one, sizeof one));
	append(s, "worse 192.0.2.5\n");
	run_until(s, 4, 0);
	sense_text_tell(s->text, s->link, false);
	next_source(s, &one, "bad", 0, 1);
	assert_int_equal(one.of.log.lines, 4);
	assert_int_equal(one.observations, 1);
	next_source(s, &one, "worse", 1, 1);
	assert_false(told(s, MSG_SOURCE, &one, sizeof one));
	sense_text_tell(s->text, s->link, true);
	for (unsigned i = 0; i < 4; i++)
		assert_true(told(s, MSG_SOURCE, &one, sizeof one));
	assert_false(told(s, MSG_SOURCE, &one, sizeof one));
	end(s);
}

/* A log is followed once, its position told once, and found again. */
static void test_positions(void **state)
{
	struct stage *s = begin();
	struct sandbox_path paths[4];
	struct log_position position, none;
	struct error err = {""};

	(void)state;
	assert_int_equal(sense_logs_add(s->logs, s->path, on_line, s, &err), 0);
	assert_int_equal(sense_logs_add(s->logs, s->path, on_line, s, &err), 0);
	assert_int_equal(sense_logs_paths(s->logs, paths, 4), 1);
	assert_string_equal(paths[0].path, s->folder.path);
	assert_int_equal(paths[0].rights, SANDBOX_READ);
	assert_int_equal(sense_logs_paths(s->logs, paths, 0), 0);

	sense_logs_start(s->logs, NULL, 0);
	append(s, "good 192.0.2.2\n");
	run_until(s, 0, 1); /* once, though it was asked for twice */
	assert_string_equal(s->last, "good 192.0.2.2");
	sense_logs_tell(s->logs, s->link);
	assert_true(told(s, MSG_POSITION, &position, sizeof position));
	assert_string_equal(position.path, s->path);
	assert_int_equal(position.offset, strlen("bad 192.0.2.1\ngood 192.0.2.2\n"));
	sense_logs_tell(s->logs, s->link);
	assert_false(told(s, MSG_POSITION, &none, sizeof none));

	/* While no node is there the log waits; then it goes on at that byte. */
	sense_logs_stop(s->logs);
	append(s, "bad 192.0.2.6\n");
	uv_run(&s->loop, UV_RUN_NOWAIT);
	assert_int_equal(s->lines, 1);
	sense_logs_start(s->logs, &position, 1);
	run_until(s, 2, 2);
	assert_string_equal(s->last, "bad 192.0.2.6");
	end(s);
}

static void test_faults(void **state)
{
	struct stage *s = begin();
	struct error err = {""};

	(void)state;
	assert_int_equal(
		sense_logs_add(s->logs, "/nowhere/at/all/log", on_line, s, &err), -1);
	assert_string_equal(err.text,
		"path /nowhere/at/all/log: its folder: No such file or directory");
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
