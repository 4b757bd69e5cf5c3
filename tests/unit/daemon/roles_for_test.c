/* SPDX-License-Identifier: Apache-2.0 */
#include "roles_for_test.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/parent.h"
#include "daemon/sandbox.h"

#define GREETING      4000
#define OLD_ENOUGH_MS 1100

struct test_role {
	enum role role;
	uv_loop_t loop;
	uv_timer_t timer;
	struct parent *parent;
	struct link *links[ROLE_COUNT];
	char name[NAME_MAX_BYTES + 1];
	int exit_code;
};

static struct test_role self;

/* One line, in one write: four processes share the descriptor. */
static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *fmt, ...)
{
	char line[400];
	va_list ap;
	int n, m;

	n = snprintf(line, sizeof line, "T %s ", role_name(self.role));
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	va_end(ap);
	line[n + m] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n + (size_t)m + 1) < 0)
		_exit(99);
}

/* Whether the configuration asks this role for that behaviour. */
static bool asked(const char *behaviour)
{
	char name[64];

	snprintf(name, sizeof name, "%s-%s", behaviour, role_name(self.role));
	return strcmp(self.name, name) == 0;
}

static enum role peer_of(const struct link *l)
{
	for (int i = ROLE_SENSE; i < ROLE_COUNT; i++)
		if (self.links[i] == l)
			return (enum role)i;
	return ROLE_PARENT;
}

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	(void)context;
	if (type == GREETING && fd < 0)
		tell("hears %s: %.*s", role_name(peer_of(l)), (int)payload.n,
			(const char *)payload.p);
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	enum role peer = peer_of(l);

	(void)context;
	tell("lost %s: %s", role_name(peer), why);
	self.links[peer] = NULL;
	link_close(l);
}

static void on_peer(void *context, enum role peer, int fd, uint32_t starts, pid_t pid)
{
	const struct link_callbacks callbacks = {
		.message = on_message, .closed = on_link_closed};
	char greeting[64];

	(void)context;
	tell("peer %s starts %u pid %d", role_name(peer), starts, (int)pid);
	link_close(self.links[peer]);
	self.links[peer] = link_open(&self.loop, fd, 65536, &callbacks);
	snprintf(greeting, sizeof greeting, "I am %s", role_name(self.role));
	if (!self.links[peer] ||
		link_send(self.links[peer], GREETING, view_str(greeting)))
		tell("cannot greet %s", role_name(peer));
}

static void on_again(uv_timer_t *timer)
{
	self.exit_code = ROLE_EXIT_AGAIN;
	uv_stop(timer->loop);
}

static int on_reload(void *context, struct config *config, struct error *err)
{
	(void)context;
	snprintf(self.name, sizeof self.name, "%s", config->node.name);
	if (asked("refuse"))
		return error_set(err, "no, thank you");
	tell("reload %s password \"%s\"", self.name, config->hep.password);
	if (asked("again"))
		uv_timer_start(&self.timer, on_again, OLD_ENOUGH_MS, 0);
	return 0;
}

static void on_roles(void *context, const struct role_status *roles, size_t count)
{
	char text[200] = "";
	size_t n = 0;

	(void)context;
	for (size_t i = 0; i < count; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, " %s=%u/%u/%d/%d",
			role_name((enum role)roles[i].role), roles[i].state,
			roles[i].starts, roles[i].last_exit, roles[i].sandbox.seccomp);
	tell("roles%s", text);
}

static void on_stop(void *context, bool gone)
{
	(void)context;
	tell("stop gone %d", gone);
	if (!asked("stubborn") || gone)
		uv_stop(&self.loop);
}

static unsigned open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 3; /* ".", ".." and the folder itself */
}

/* What a role that was broken into might say to the parent. */
static void misbehave(int fd, uint32_t starts)
{
	if (starts > 1)
		return;
	if (asked("rogue"))
		packet_send(fd, 900, view_str("let me in"), -1);
	if (asked("broken") && write(fd, "xyz", 3) != 3)
		tell("cannot write");
	if (asked("closing"))
		dup2(STDERR_FILENO, fd);
}

static int run(
	enum role role, struct config *config, int fd, const struct control_hello *hello)
{
	struct parent_callbacks callbacks = {
		.peer = on_peer, .reload = on_reload, .roles = on_roles, .stop = on_stop};
	struct sandbox box = {.role = role, .user = ""};
	struct error err = {""};

	self.role = role;
	snprintf(self.name, sizeof self.name, "%s", config->node.name);
	tell("start %u pid %d name %s fds %u notify %d password \"%s\"", hello->starts,
		(int)getpid(), self.name, open_descriptors(),
		getenv("NOTIFY_SOCKET") != NULL, config->hep.password);
	if (asked("crash"))
		return ROLE_EXIT_FAILED;
	if (asked("config"))
		return ROLE_EXIT_CONFIG;
	uv_loop_init(&self.loop);
	uv_timer_init(&self.loop, &self.timer);
	self.parent = parent_open(&self.loop, fd, &callbacks);
	if (!self.parent || sandbox_seal(&box, &err)) {
		tell("failed: %s", err.text);
		return ROLE_EXIT_FAILED;
	}
	misbehave(fd, hello->starts);
	parent_ready(self.parent);
	if (role == ROLE_NODE) {
		parent_status(self.parent, "two\nMAINPID=1");
		parent_status(self.parent, "five bans");
	}
	uv_run(&self.loop, UV_RUN_DEFAULT);
	for (int i = ROLE_SENSE; i < ROLE_COUNT; i++)
		link_close(self.links[i]);
	uv_close((uv_handle_t *)&self.timer, NULL);
	parent_close(self.parent);
	uv_run(&self.loop, UV_RUN_DEFAULT);
	uv_loop_close(&self.loop);
	tell("end");
	return self.exit_code;
}

static int run_sense(struct config *config, int fd, const struct control_hello *hello)
{
	return run(ROLE_SENSE, config, fd, hello);
}

static int run_node(struct config *config, int fd, const struct control_hello *hello)
{
	return run(ROLE_NODE, config, fd, hello);
}

static int run_ledger(struct config *config, int fd, const struct control_hello *hello)
{
	return run(ROLE_LEDGER, config, fd, hello);
}

static int run_enforce(struct config *config, int fd, const struct control_hello *hello)
{
	return run(ROLE_ENFORCE, config, fd, hello);
}

static int run_deliver(struct config *config, int fd, const struct control_hello *hello)
{
	return run(ROLE_DELIVER, config, fd, hello);
}

role_fn *const roles_for_test[ROLE_COUNT] = {
	[ROLE_SENSE] = run_sense,
	[ROLE_NODE] = run_node,
	[ROLE_LEDGER] = run_ledger,
	[ROLE_ENFORCE] = run_enforce,
	[ROLE_DELIVER] = run_deliver,
};
