/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_for_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define FIXED "\n[hep]\npassword = s3cret\n[enforce]\ntype = none\n"

/* The daemon of the test that runs; what a failed test leaves is ended. */
static struct daemon *current;

char folder[64], config_path[80];
static char manager_path[80];

void write_config(const char *text)
{
	FILE *f = fopen(config_path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void configure(const char *name)
{
	char text[200];

	snprintf(text, sizeof text, "[node]\nname = %s" FIXED, name);
	write_config(text);
}

static int open_manager(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(manager_path);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", manager_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

struct daemon *daemon_new(int *said)
{
	struct daemon *d = calloc(1, sizeof *d);
	int fds[2];

	assert_non_null(d);
	current = d;
	d->manager = open_manager();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	d->said = fds[0];
	*said = fds[1];
	fflush(NULL);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0)
		setenv("NOTIFY_SOCKET", manager_path, 1);
	return d;
}

/* In the new process: supervise with these options. */
static void supervise(const struct supervisor_options *options, int said)
{
	struct config *config = calloc(1, sizeof *config);
	struct buffer errors = {0};
	int rc;

	dup2(said, STDERR_FILENO);
	close(said);
	log_open("sipchaind", LOG_LEVEL_INFO);
	rc = config_load(config, options->config_path, &errors) ?
		77 :
		supervisor_run(options, config);
	fflush(NULL);
	_exit(rc);
}

struct daemon *start_with(const struct supervisor_options *options)
{
	int said;
	struct daemon *d = daemon_new(&said);

	if (d->pid == 0)
		supervise(options, said);
	close(said);
	return d;
}

struct supervisor_options fast(void)
{
	struct supervisor_options o = supervisor_options_default;

	o.config_path = config_path;
	o.ping_every = USEC_PER_SEC / 10;
	return o;
}

struct daemon *start(void)
{
	struct supervisor_options o = fast();

	return start_with(&o);
}

void listen_to(struct daemon *d)
{
	struct pollfd fds[2] = {{d->said, POLLIN, 0}, {d->manager, POLLIN, 0}};
	char block[4096];
	ssize_t n;

	if (poll(fds, 2, 20) > 0 && fds[0].revents == POLLHUP)
		usleep(20000); /* nobody writes any more; wait for their end all the same */
	while ((n = read(d->said, block, sizeof block)) > 0) {
		d->text = realloc(d->text, d->n + (size_t)n + 1);
		assert_non_null(d->text);
		memcpy(d->text + d->n, block, (size_t)n);
		d->n += (size_t)n;
		d->text[d->n] = '\0';
	}
	while ((n = recv(d->manager, block, sizeof block, 0)) > 0) {
		assert_true(d->told_n + (size_t)n + 2 < sizeof d->told);
		memcpy(d->told + d->told_n, block, (size_t)n);
		d->told_n += (size_t)n;
		d->told[d->told_n++] = '|';
		d->told[d->told_n] = '\0';
	}
}

void mark(struct daemon *d)
{
	listen_to(d);
	d->mark = d->n;
}

static const char *since(const struct daemon *d)
{
	return d->text ? d->text + d->mark : "";
}

const char *await(struct daemon *d, const char *text)
{
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		const char *found = strstr(since(d), text);

		if (found && strchr(found, '\n'))
			return found;
		listen_to(d);
	}
	fprintf(stderr, "waited in vain for \"%s\"; it said:\n%s\ntold: %s\n", text,
		since(d), d->told);
	fail();
	return NULL;
}

void assert_not_said(const struct daemon *d, const char *text)
{
	if (strstr(since(d), text)) {
		fprintf(stderr, "said \"%s\":\n%s\n", text, since(d));
		fail();
	}
}

const char *await_told(struct daemon *d, size_t offset, const char *text)
{
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		const char *found = strstr(d->told + offset, text);

		if (found)
			return found;
		listen_to(d);
	}
	fprintf(stderr, "never told \"%s\"; told: %s; said:\n%s\n", text, d->told,
		since(d));
	fail();
	return NULL;
}

pid_t pid_of(struct daemon *d, const char *role, unsigned starts)
{
	size_t marked = d->mark;
	char text[80];
	int pid = 0;

	snprintf(text, sizeof text, "T %s start %u pid ", role, starts);
	d->mark = 0;
	assert_int_equal(sscanf(await(d, text) + strlen(text), "%d", &pid), 1);
	d->mark = marked;
	assert_true(pid > 1);
	return pid;
}

int end_of(struct daemon *d)
{
	int status, code;

	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
			listen_to(d);
			d->pid = 0;
			code = WIFEXITED(status) ? WEXITSTATUS(status) :
						   -WTERMSIG(status);
			return code;
		}
		listen_to(d);
	}
	fprintf(stderr, "does not end; it said:\n%s\n", since(d));
	fail();
	return -1;
}

void free_daemon(struct daemon *d)
{
	close(d->manager);
	close(d->said);
	free(d->text);
	free(d);
	current = NULL;
}

int leave_nothing(void **state)
{
	(void)state;
	if (!current)
		return 0;
	if (current->pid > 0) { /* 0 and -1 would mean more than one process */
		kill(current->pid, SIGKILL);
		waitpid(current->pid, NULL, 0);
	}
	free_daemon(current);
	return 0;
}

void stop(struct daemon *d)
{
	kill(d->pid, SIGTERM);
	assert_int_equal(end_of(d), 0);
	free_daemon(d);
}

const char *const names[4] = {"sense", "node", "ledger", "enforce"};
const char *const leaves[3] = {"sense", "ledger", "enforce"};

void await_all_run(struct daemon *d)
{
	await(d, "all roles run");
	for (int i = 0; i < 3; i++) {
		char text[80];

		snprintf(text, sizeof text, "T node hears %s: I am %s", leaves[i],
			leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T %s hears node: I am node", leaves[i]);
		await(d, text);
	}
}

int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/supervisor-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(config_path, sizeof config_path, "%s/sipchain.conf", folder);
	snprintf(manager_path, sizeof manager_path, "%s/notify", folder);
	return 0;
}

int remove_folder(void **state)
{
	(void)state;
	unlink(config_path);
	unlink(manager_path);
	return rmdir(folder);
}
