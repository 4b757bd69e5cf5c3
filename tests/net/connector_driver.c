/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector_driver: one connector with nothing around it: its protocol, its
 * sockets, a table of bans. For the tests of connectors and their measurements.
 *
 *   connector_driver kamailio SOCKET REPLY NUMBERS ADDRESSES
 *   connector_driver hook PROGRAM ARGUMENTS USER
 *
 * Commands on standard input, one a line:
 *
 *   add INDICATOR SECONDS     del INDICATOR     compare     clear     figures     quit
 *   fill COUNT SECONDS        +88321000000, +88321000001, ...
 *
 * and on standard output what happens, each line with the milliseconds since the
 * last command or change of the connection: ready, settled N, failed WHY,
 * cleared, trouble TEXT, connection TEXT, hit NUMBER ACCOUNT SOURCE INDICATOR.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/hook_process.h"
#include "enforce/ban_table.h"
#include "enforce/hook_log.h"
#include "enforce/kamailio_socket.h"
#include "enforce/pbx.h"
#include "indicator/word.h"

#define AGAIN (USEC_PER_SEC / 10)

static const struct pbx_ops *ops;
static struct pbx *p;
static struct ban_table *bans;
static char **arguments;
static int in = -1, out = -1, error_pipe = -1;
static usec again, mark;
static bool close_it, wrote, settled = true, filling, ready;
static uint64_t fill_mark;
static struct ban_order batch[256];
static size_t batch_at, batch_n;
static uint64_t carried, refused;
static struct hook_process child;
static struct hook_log child_log;

static void say(const char *what, const char *text)
{
	printf("%.1f %s%s%s\n", (double)(clock_monotonic() - mark) / 1000, what,
		text[0] ? " " : "", text);
	fflush(stdout);
}

static void on_resync(void *context)
{
	(void)context;
	ban_table_requeue(bans);
	settled = ready = false;
	filling = true;
	fill_mark = ban_table_mark(bans);
	batch_at = batch_n = 0;
}

static bool on_held(void *context, const struct ban_order *found)
{
	(void)context;
	(void)found;
	return false;
}

static void on_ready(void *context)
{
	(void)context;
	ready = true;
	say("ready", "");
}

static void on_done(void *context, const struct ban_order *order, bool done)
{
	(void)context;
	if (done)
		carried++;
	else
		refused++;
	ban_table_done(bans, order, done);
}

static void on_hit(void *context, const struct pbx_hit *hit)
{
	char text[400], source[ADDRESS_TEXT] = "-", id[INDICATOR_TEXT] = "-";

	(void)context;
	if (hit->source.family)
		address_print(source, &hit->source);
	if (hit->indicator.kind)
		pbx_id(id, &hit->indicator);
	snprintf(text, sizeof text, "%s %s %s %s", hit->number, hit->account, source, id);
	say("hit", text);
}

static void on_trouble(void *context, const char *text)
{
	(void)context;
	say("trouble", text);
}

static void on_failed(void *context, const char *why, bool denied)
{
	(void)context;
	say(denied ? "refused" : "failed", why);
	close_it = true;
}

static void on_cleared(void *context, bool done)
{
	(void)context;
	say("cleared", done ? "" : "refused");
}

static uint32_t on_wanted(void *context, const struct indicator *i)
{
	const struct ban *b = ban_table_get(bans, i, BAN_SIP);

	(void)context;
	return b ? b->until : 0;
}

/* --- the connection --- */

static void open_it(void)
{
	static char last[320];
	struct error err = {""};
	int fds[3] = {-1, -1, -1}, rc;

	if (ops->way == PBX_PROGRAM) {
		const struct hook_program program = {.connector = "driven",
			.path = arguments[2],
			.arguments = arguments[3],
			.user = arguments[4]};

		rc = hook_process_start(&child, &program, fds, clock_monotonic(), &err);
		fds[2] = fds[1];
		fds[1] = fds[0];
	} else {
		rc = kamailio_socket_open(fds, arguments[2], arguments[3], &err);
	}
	if (rc) {
		/* How long it waits differs each time. */
		if (errno != EBUSY && strcmp(last, err.text) != 0)
			say("connection", err.text);
		snprintf(last, sizeof last, "%s", err.text);
		again = clock_monotonic() + AGAIN;
		return;
	}
	last[0] = '\0';
	in = fds[0];
	out = fds[1];
	error_pipe = fds[2];
	mark = clock_monotonic();
	ops->connected(p, mark);
}

static void shut(const char *why)
{
	close(in);
	if (out != in)
		close(out);
	if (error_pipe >= 0)
		close(error_pipe);
	in = out = error_pipe = -1;
	close_it = false;
	again = clock_monotonic() + AGAIN;
	ops->closed(p, clock_monotonic());
	if (why)
		say("closed", why);
}

static void read_it(void)
{
	static uint8_t bytes[16384];

	for (unsigned i = 0; i < 64 && in >= 0 && !close_it; i++) {
		ssize_t n = read(in, bytes, sizeof bytes);

		if (n > 0) {
			ops->received(p, view_of(bytes, (size_t)n), clock_monotonic());
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			return;
		if (n == 0 && ops->way == PBX_DATAGRAM)
			continue; /* an empty datagram ends nothing */
		shut(n ? strerror(errno) : "end of file");
	}
}

static void on_log(void *context, const char *line)
{
	(void)context;
	say("stderr", line);
}

static void read_errors(void)
{
	uint8_t bytes[4096];
	ssize_t n = read(error_pipe, bytes, sizeof bytes);

	if (n > 0) {
		hook_log_feed(&child_log, view_of(bytes, (size_t)n), clock_monotonic(),
			on_log, NULL);
	} else if (n == 0) {
		close(error_pipe);
		error_pipe = -1;
	}
}

/* Returns whether more waits for room. */
static bool write_it(void)
{
	struct view bytes;

	while (!close_it && out >= 0 && ops->next(p, &bytes)) {
		ssize_t n = send(out, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			shut(strerror(errno));
			return false;
		}
		ops->sent(p, (size_t)n);
		wrote = true;
	}
	return false;
}

/* --- orders and commands --- */

static void give_orders(void)
{
	size_t taken;

	if (close_it || in < 0)
		return;
	do {
		if (batch_at == batch_n) {
			batch_at = 0;
			batch_n = ban_table_take(bans, batch, 256);
		}
		taken = batch_n > batch_at ?
			ops->order(p, batch + batch_at, batch_n - batch_at,
				clock_monotonic()) :
			0;
		/* A comparison that began meanwhile has forgotten the batch. */
		if (batch_n)
			batch_at += taken;
	} while (taken && batch_at == batch_n);
	if (filling && ready && batch_at == batch_n &&
		ban_table_passed(bans, fill_mark)) {
		filling = false;
		if (ops->filled)
			ops->filled(p, clock_monotonic());
	}
}

static void expired(void *context, const struct ban *b)
{
	(void)context;
	(void)b;
}

static bool set(const char *text, unsigned seconds)
{
	struct indicator i;
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);

	if (indicator_parse(&i, NULL, view_str(text), NULL))
		return false;
	if (seconds)
		ban_table_set(bans, &i, BAN_SIP, BAN_LEARNT, CATEGORY_FRAUD,
			now + seconds, now);
	else
		ban_table_clear(bans, &i, BAN_SIP);
	return true;
}

static void figures(void)
{
	struct pbx_figures f;
	char text[300];

	ops->figures(p, &f);
	snprintf(text, sizeof text,
		"messages %llu discarded %llu orders %llu refusals %llu in-flight %u "
		"resyncs %u resent %llu bans %zu",
		(unsigned long long)f.messages, (unsigned long long)f.discarded,
		(unsigned long long)f.orders, (unsigned long long)f.refusals, f.in_flight,
		f.resyncs, (unsigned long long)f.resent, ban_table_count(bans));
	say("figures", text);
}

/* Returns false at the end. */
static bool command(char *line)
{
	char word[16] = "", text[128] = "";
	unsigned n = 0, seconds = 0;

	mark = clock_monotonic();
	if (sscanf(line, "fill %u %u", &n, &seconds) == 2) {
		for (unsigned i = 0; i < n; i++) {
			snprintf(text, sizeof text, "+88321%06u", i);
			set(text, seconds);
		}
	} else if (sscanf(line, "add %127s %u", text, &seconds) == 2 ||
		sscanf(line, "del %127s", text) == 1) {
		if (!set(text, seconds))
			say("bad", text);
	} else if (sscanf(line, "%15s", word) == 1) {
		if (strcmp(word, "compare") == 0 && in >= 0)
			ops->compare(p, mark);
		else if (strcmp(word, "clear") == 0 && in >= 0)
			ops->clear(p, mark);
		else if (strcmp(word, "figures") == 0)
			figures();
		else if (strcmp(word, "quit") == 0)
			return false;
	}
	settled = settled && !ban_table_queued(bans);
	return true;
}

static bool commands(void)
{
	static char text[65536];
	static size_t n;
	ssize_t got = read(STDIN_FILENO, text + n, sizeof text - 1 - n);
	char *line = text, *end;

	if (got <= 0)
		return false;
	n += (size_t)got;
	text[n] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (!command(line))
			return false;
		line = end + 1;
	}
	n -= (size_t)(line - text);
	memmove(text, line, n);
	return true;
}

static void look_settled(void)
{
	struct pbx_figures f;
	char text[60];

	ops->figures(p, &f);
	if (settled || f.in_flight || filling || ban_table_queued(bans) || in < 0)
		return;
	settled = true;
	snprintf(text, sizeof text, "%llu refused %llu", (unsigned long long)carried,
		(unsigned long long)refused);
	carried = refused = 0;
	say("settled", text);
}

/* Wait for what comes next. Returns what commands() said. */
static bool wait_for(usec due, bool blocked)
{
	struct pollfd fds[4] = {{STDIN_FILENO, POLLIN, 0}, {in, POLLIN, 0},
		{blocked ? out : -1, POLLOUT, 0}, {error_pipe, POLLIN, 0}};
	usec now = clock_monotonic();
	int timeout = 1000;

	if (in < 0)
		due = again;
	if (due)
		timeout = due <= now ? 0 : (int)((due - now) / 1000 + 1);
	if (poll(fds, 4, timeout < 1000 ? timeout : 1000) < 0)
		return false;
	if (fds[3].revents)
		read_errors();
	if (fds[1].revents)
		read_it();
	return !fds[0].revents || commands();
}

static int setup(int argc, char **argv)
{
	struct pbx_config config = {.name = "driven", .seed = hash_key_random()};
	const struct pbx_hooks hooks = {NULL, on_resync, on_held, on_ready, on_done,
		on_hit, on_trouble, on_failed, on_cleared, on_wanted, NULL};
	struct error err;

	signal(SIGPIPE, SIG_IGN);
	ops = argc > 2 ? pbx_type(argv[1]) : NULL;
	if (!ops || argc != (ops->way == PBX_DATAGRAM ? 6 : 5))
		return -1;
	arguments = argv;
	if (ops->way == PBX_DATAGRAM) {
		config.table_number = argv[4];
		config.table_address = argv[5];
	}
	bans = ban_table_new(hash_key_random());
	p = ops->open(&config, &hooks, &err);
	return bans && p ? 0 : -1;
}

int main(int argc, char **argv)
{
	bool go_on = true;

	if (setup(argc, argv)) {
		fprintf(stderr,
			"usage: connector_driver kamailio SOCKET REPLY NUMBERS "
			"ADDRESSES | hook PROGRAM ARGUMENTS USER\n");
		return 2;
	}
	mark = clock_monotonic();
	while (go_on) {
		bool blocked = false;
		usec due = 0;

		wrote = false;
		if (in < 0 && clock_monotonic() >= again)
			open_it();
		if (in >= 0) {
			settled = settled && !ban_table_queued(bans);
			give_orders();
			blocked = write_it();
		}
		if (in >= 0 && !close_it)
			due = ops->due(p, clock_monotonic());
		if (in >= 0 && !close_it && !blocked)
			blocked = write_it();
		if (close_it)
			shut(NULL);
		look_settled();
		hook_process_reap(&child, clock_monotonic());
		hook_process_due(&child, clock_monotonic());
		ban_table_expire(
			bans, (uint32_t)(clock_wall() / USEC_PER_SEC), expired, NULL);
		/* What was written may answer orders, and makes room for more. */
		go_on = wait_for(wrote ? clock_monotonic() : due, blocked);
	}
	if (in >= 0)
		shut(NULL);
	for (unsigned i = 0; i < 300 && child.pid > 0; i++) {
		hook_process_stop(&child, clock_monotonic());
		hook_process_due(&child, clock_monotonic());
		if (!hook_process_reap(&child, clock_monotonic()))
			usleep(20000);
	}
	ops->free(p);
	ban_table_free(bans);
	return 0;
}
