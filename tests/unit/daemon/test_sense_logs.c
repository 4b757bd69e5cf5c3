/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that several read, and sources that are text: lines, positions, what the node is told. */
#include "../cmocka_all.h"
#include "../filter/folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/stat.h>

#include "daemon/sense_source.h"
#include "daemon/sense_text.h"
#include "sense/logtail.h"

struct stage {
	struct folder folder;
	char path[128]; /* of the log */
	unsigned port, other_port;
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

static void configure(struct stage *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void configure(struct stage *s, const char *format, ...)
{
	struct buffer errors = {0};
	char text[2048];
	va_list list;

	va_start(list, format);
	assert_true(vsnprintf(text, sizeof text, format, list) < (int)sizeof text);
	va_end(list);
	if (config_parse(&s->config, "test.conf", view_str(text), &errors))
		fail_msg("%.*s", (int)errors.n, (const char *)errors.p);
	buffer_free(&errors);
}

/* Sources 0 and 1 read the log; 2 has no such filter, 3 no such folder. */
static void with_logs(struct stage *s)
{
	const char *f = s->folder.path;

	configure(s,
		"[node]\nname = edge1\n"
		"[source \"bad\"]\ntype = log\nfilter = %s/bad.conf\npath = %s\n"
		"[source \"worse\"]\ntype = log\nfilter = %s/worse.conf\npath = %s\n"
		"[source \"filterless\"]\ntype = log\nfilter = %s/none.conf\npath = %s\n"
		"[source \"pathless\"]\ntype = log\nfilter = %s/bad.conf\n"
		"path = %s/none/log\n",
		f, s->path, f, s->path, f, s->path, f, f);
}

/* A port that nobody has at present. */
static unsigned free_port(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof in;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	close(fd);
	return ntohs(in.sin_port);
}

/*
 * Source 0 is a filter, 1 Kamailio, each with a socket of its own; 2 has the socket
 * of 0, 3 is the log as Kamailio's, 4 a journal that is not there.
 */
static void with_sockets(struct stage *s)
{
	const char *f = s->folder.path;

	s->port = free_port();
	do
		s->other_port = free_port();
	while (s->other_port == s->port);
	folder_write(&s->folder, "entry.conf",
		"[Definition]\nfailregex = ^gw pbx\\[7\\]: bad <HOST>$\n");
	configure(s,
		"[node]\nname = edge1\n"
		"[source \"entries\"]\ntype = log\nfilter = %s/entry.conf\n"
		"syslog = udp:127.0.0.1:%u\n"
		"[source \"far\"]\ntype = kamailio\nsyslog = udp:127.0.0.1:%u\n"
		"[source \"second\"]\ntype = kamailio\nsyslog = udp:127.0.0.1:%u\n"
		"[source \"file\"]\ntype = kamailio\npath = %s\n"
		"[source \"journal\"]\ntype = log\nfilter = %s/entry.conf\n"
		"journal = pbx.service\njournal_path = %s/none\n",
		f, s->port, s->other_port, s->port, s->path, f, f);
}

static struct stage *begin(void (*with)(struct stage *s))
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
	with(s);
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
	struct stage *s = begin(with_logs);
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
	struct stage *s = begin(with_logs);
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

static void count_line(void *context, struct view line)
{
	unsigned *count = context;

	(void)line;
	++*count;
}

static size_t on_skip(void *context, struct view text, uint64_t *lines)
{
	size_t n = 0;

	(void)context;
	while (view_starts(view_from(text, n), "good")) {
		n += view_find(view_from(text, n), '\n') + 1;
		++*lines;
	}
	return n;
}

/* A reader that needs some lines gets those, while it is the only one. */
static void test_skip(void **state)
{
	struct stage *s = begin(with_logs);
	struct error err = {""};
	char path[CONFIG_PATH_MAX];
	unsigned other = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/other", s->folder.path);
	assert_int_equal(sense_logs_add(s->logs, path, on_line, s, &err), 0);
	sense_logs_skip(s->logs, path, on_skip, s);
	sense_logs_start(s->logs, NULL, 0);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("good 1\ngood 2\nbad 3\ngood 4\nbad 5\n", f);
	fflush(f);
	run_until(s, 0, 2);
	assert_string_equal(s->last, "bad 5");
	sense_logs_stop(s->logs);
	assert_int_equal(sense_logs_add(s->logs, path, count_line, &other, &err), 0);
	sense_logs_start(s->logs, NULL, 0);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	fputs("good 6\ngood 7\n", f);
	fclose(f);
	run_until(s, 0, 4);
	assert_string_equal(s->last, "good 7");
	assert_int_equal(other, 2);
	end(s);
}

static void test_faults(void **state)
{
	struct stage *s = begin(with_logs);
	struct error err = {""};

	(void)state;
	assert_int_equal(
		sense_logs_add(s->logs, "/nowhere/at/all/log", on_line, s, &err), -1);
	assert_string_equal(err.text,
		"path /nowhere/at/all/log: its folder: No such file or directory");
	end(s);
}

/* The i-th source as the node was told last. */
static void sources(struct stage *s, struct source_status *to, unsigned count)
{
	sense_text_tell(s->text, s->link, true);
	for (unsigned i = 0; i < count; i++) {
		assert_true(told(s, MSG_SOURCE, &to[i], sizeof to[i]));
		assert_int_equal(to[i].source, i);
	}
	assert_false(told(s, MSG_SOURCE, &to[0], sizeof to[0]));
}

static void send_to(unsigned port, const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		sendto(fd, text, strlen(text), 0, (struct sockaddr *)&in, sizeof in),
		(ssize_t)strlen(text));
	close(fd);
}

#define SIPCHAIN_LINE                                                                    \
	"NOTICE: <script>: SIPCHAIN ev=auth_fail t=1795638440.123456 "                   \
	"src=198.51.100.%d:5071 proto=udp method=REGISTER rc=-2 verified=1 "             \
	"authuser=101 from=101 to=101 ruser= callid=a resp= ua=x\n"

/* Syslog and files, by filters and Kamailio's reader; what cannot be opened. */
static void test_places(void **state)
{
	struct stage *s = begin(with_sockets);
	struct source_status all[5];
	struct sandbox_path paths[SENSE_TEXT_PATHS_MAX];
	char text[ADDRESS_TEXT], line[512], when[32];
	/* Older ones than a minute are taken for new, as by fail2ban. */
	const uint64_t written = clock_wall() / USEC_PER_SEC - 20;

	(void)state;
	assert_true(sense_text_waits(s->text));
	sense_logs_start(s->logs, NULL, 0);
	sense_text_start(s->text, NULL, 0);

	/* A filter sees an entry as fail2ban writes one of the journal's. */
	send_to(s->port, "<133>Nov 22 08:13:39 gw pbx[7]: bad 192.0.2.7");
	run_until(s, 1, 0);
	snprintf(line, sizeof line, "<133>1 %s gw pbx 7 - - bad 192.0.2.8",
		clock_rfc3339(when, written));
	send_to(s->port, line);
	run_until(s, 2, 0);
	send_to(s->port, "<133>Nov 22 08:13:39 gw pbx[8]: bad 192.0.2.9");
	snprintf(line, sizeof line, "<133>Nov 22 08:13:39 gw kamailio[1]: " SIPCHAIN_LINE,
		1);
	send_to(s->other_port, line);
	run_until(s, 3, 0);
	snprintf(line, sizeof line, "Nov 22 08:13:39 gw kamailio[1]: " SIPCHAIN_LINE, 2);
	append(s, line);
	run_until(s, 4, 0);
	assert_string_equal(address_print(text, &s->seen[0].source), "192.0.2.7");
	assert_string_equal(address_print(text, &s->seen[1].source), "192.0.2.8");
	assert_int_equal(s->seen[1].time, written * USEC_PER_SEC);
	assert_int_equal(s->seen[1].proof, PROOF_NONE);
	assert_int_equal(s->seen[1].sensor, SENSOR_FILTER);
	assert_string_equal(address_print(text, &s->seen[2].source), "198.51.100.1");
	assert_int_equal(s->seen[2].proof, PROOF_NONCE); /* of this machine */
	assert_int_equal(s->seen[2].sensor, SENSOR_KAMAILIO);
	assert_string_equal(address_print(text, &s->seen[3].source), "198.51.100.2");
	assert_int_equal(s->seen[3].proof, PROOF_NONCE);

	send_to(s->port, "no syslog");
	send_to(s->port, "<133>Nov 22 08:13:39 gw pbx[7]: bad 192.0.2.10");
	run_until(s, 5, 0);
	sources(s, all, 5);
	assert_int_equal(all[0].state, 1);
	assert_int_equal(all[0].of.log.lines, 4);
	assert_int_equal(all[0].of.log.failures, 3);
	assert_int_equal(all[0].way.bad, 1);
	assert_int_equal(all[0].way.refused, 0);
	assert_int_equal(all[1].observations, 1);
	assert_int_equal(all[1].of.kamailio.lines, 1);
	assert_int_equal(all[1].of.kamailio.injected, 0);
	assert_int_equal(all[2].state, 0);
	assert_non_null(strstr(all[2].trouble, "syslog: cannot bind 127.0.0.1 port"));
	assert_int_equal(all[3].of.kamailio.lines, 1);
	assert_int_equal(all[3].way.bad, 0);
	assert_string_equal(all[3].trouble, "");
	assert_int_equal(all[4].state, 0);
	assert_non_null(strstr(all[4].trouble, "journal"));
	if (sense_text_paths(s->text, paths, SENSE_TEXT_PATHS_MAX)) /* else no library */
		assert_string_equal(paths[0].path, s->config.sources[4].journal_path);
	assert_int_equal(sense_text_paths(s->text, paths, 0), 0);
	end(s);
}

/* Turn the loop until the trouble of the log is that text behind its path. */
static void wait_trouble(struct stage *s, const char *want)
{
	char text[200], all[200];

	snprintf(all, sizeof all, "%s%s%s", *want ? s->path : "", *want ? " " : "", want);
	for (int turn = 0; turn < 20000; turn++) {
		uv_run(&s->loop, UV_RUN_NOWAIT);
		sense_logs_trouble(s->logs, s->path, text, sizeof text);
		if (strcmp(text, all) == 0)
			return;
		usleep(1000);
	}
	assert_string_equal(text, all);
}

static void test_troubles(void **state)
{
	struct stage *s = begin(with_logs);
	struct source_status all[4];
	char away[160], text[8];

	(void)state;
	snprintf(away, sizeof away, "%s.away", s->path);
	sense_logs_start(s->logs, NULL, 0);
	wait_trouble(s, "");
	assert_int_equal(rename(s->path, away), 0);
	wait_trouble(s, logtail_trouble(ENOENT));
	assert_int_equal(mkdir(s->path, 0700), 0);
	wait_trouble(s, logtail_trouble(ENXIO));
	sources(s, all, 4);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(all[i].state, 1);
		assert_non_null(strstr(all[i].trouble, "is no regular file"));
	}
	assert_non_null(strstr(all[2].trouble, "none.conf"));
	sense_logs_trouble(s->logs, s->path, text, sizeof text);
	assert_int_equal(strlen(text), sizeof text - 1);
	assert_int_equal(rmdir(s->path), 0);
	assert_int_equal(mkfifo(s->path, 0600), 0);
	wait_trouble(s, logtail_trouble(ENXIO));
	assert_int_equal(unlink(s->path), 0);
	assert_int_equal(rename(away, s->path), 0);
	wait_trouble(s, "");
	sources(s, all, 4);
	assert_string_equal(all[0].trouble, "");
	end(s);
}

/* One log that may not be read any more says so, and the one beside it goes on. */
static void test_beside(void **state)
{
	struct stage *s = begin(with_logs);
	char beside[160], text[200], away[160];
	struct error err = {""};
	FILE *f;

	(void)state;
	snprintf(beside, sizeof beside, "%s.beside", s->path);
	snprintf(away, sizeof away, "%s.away", s->path);
	assert_int_equal(sense_logs_add(s->logs, beside, on_line, s, &err), 0);
	sense_logs_start(s->logs, NULL, 0);
	wait_trouble(s, "");
	/* Rotated, and the new one is not ours; root may read it: be nobody. */
	assert_int_equal(rename(s->path, away), 0);
	append(s, "bad 192.0.2.9\n");
	assert_int_equal(chmod(s->path, 0), 0);
	if (!getuid()) {
		assert_int_equal(chown(s->folder.path, 65534, 65534), 0);
		assert_int_equal(chown(s->path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	wait_trouble(s, logtail_trouble(EACCES));
	f = fopen(beside, "a");
	assert_non_null(f);
	assert_true(fputs("beside\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	run_until(s, 0, 1);
	assert_string_equal(s->last, "beside");
	sense_logs_trouble(s->logs, beside, text, sizeof text);
	assert_string_equal(text, "");
	assert_int_equal(chmod(s->path, 0600), 0);
	run_until(s, 2, 1); /* by both sources of this log */
	wait_trouble(s, "");
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_troubles),
		cmocka_unit_test(test_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
