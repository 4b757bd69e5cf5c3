/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/backoff.h"
#include "daemon/config_webhook.h"
#include "daemon/messages.h"
#include "daemon/packet.h"
#include "daemon/supervisor_state.h"

/* A role that asks to be started anew again and again is held back. */
#define AGAIN_LIFE USEC_PER_SEC

bool process_wanted(const struct supervisor *s, const struct process *p)
{
	return p->role != ROLE_DELIVER || config_webhooks_wanted(s->config);
}

/* Only sense checks what senders of HEP present, only ledger asks endpoints, ... */
static unsigned print_flags(enum role role)
{
	static const unsigned own[ROLE_COUNT] = {
		[ROLE_SENSE] = CONFIG_PRINT_PASSWORDS,
		[ROLE_LEDGER] = CONFIG_PRINT_ENDPOINTS,
		[ROLE_DELIVER] = CONFIG_PRINT_WEBHOOKS,
	};

	return own[role] | CONFIG_PRINT_HOSTS;
}

int process_config(const struct config *config, enum role role)
{
	struct buffer text = {.max = CONFIG_PRINTED_MAX};
	size_t at = 0;
	ssize_t n;
	int fd;

	config_print(&text, config, CONFIG_PRINT_FILES | print_flags(role));
	fd = memfd_create("sipchain.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || text.failed)
		goto fail;
	while (at < text.n) {
		n = write(fd, text.p + at, text.n - at);
		if (n <= 0)
			goto fail;
		at += (size_t)n;
	}
	/* A role that was broken into must not rewrite what others may read. */
	if (fcntl(fd, F_ADD_SEALS,
		    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		goto fail;
	explicit_bzero(text.p, text.n);
	buffer_free(&text);
	return fd;
fail:
	if (text.p)
		explicit_bzero(text.p, text.n);
	buffer_free(&text);
	if (fd >= 0)
		close(fd);
	if (!errno)
		errno = ENOMEM;
	return -1;
}

/* In the new process: become the role's program. Does not return. */
static void run_role(
	enum role role, int fd, pid_t parent, const struct activation *activation)
{
	unsigned kept = role == ROLE_SENSE && activation ? activation->count : 0;
	char *const argv[] = {
		(char[]){"sipchaind"}, (char[]){"--role"}, strdup(role_name(role)), NULL};
	sigset_t none;

	/*
	 * What the terminal or the service manager sends to the whole group is
	 * for the parent; the parent tells the roles. Ignored is kept by exec.
	 */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(ROLE_EXIT_FAILED);
	if (fd == PARENT_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, PARENT_FD) < 0)
		_exit(ROLE_EXIT_FAILED);
	for (unsigned i = 0; i < kept; i++)
		if (dup2(activation->fd[i], INHERITED_FD + (int)i) < 0)
			_exit(ROLE_EXIT_FAILED);
	/* Also what whoever started us left open. Old kernels: no harm. */
	syscall(SYS_close_range, PARENT_FD + 1 + kept, ~0U, 0);
	execv("/proc/self/exe", argv);
	_exit(ROLE_EXIT_FAILED);
}

void process_send(struct process *p, uint16_t type, const void *payload, size_t n, int fd)
{
	if (p->fd < 0 || packet_send(p->fd, type, view_of(payload, n), fd) == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		return; /* it has died; SIGCHLD tells */
	log_error("%s: does not take message %u: %s", role_name(p->role), type,
		strerror(errno));
	process_kill(p);
}

void process_kill(struct process *p)
{
	if (p->pid > 0)
		kill(p->pid, SIGKILL);
}

/* A fresh link between two running roles: one end to each. */
static void join(struct process *a, struct process *b)
{
	struct control_peer to_a, to_b;
	int fds[2];

	if (packet_pair(fds)) {
		log_error("link %s-%s: %s", role_name(a->role), role_name(b->role),
			strerror(errno));
		process_kill(a); /* its next start tries again */
		return;
	}
	memset(&to_a, 0, sizeof to_a);
	to_a.role = b->role;
	to_a.pid = b->pid;
	to_a.starts = b->starts;
	memset(&to_b, 0, sizeof to_b);
	to_b.role = a->role;
	to_b.pid = a->pid;
	to_b.starts = a->starts;
	process_send(a, MSG_PEER, &to_a, sizeof to_a, fds[0]);
	process_send(b, MSG_PEER, &to_b, sizeof to_b, fds[1]);
	close(fds[0]);
	close(fds[1]);
}

/* What outlives it: a reload must not make strangers of those who proved themselves. */
static void introduce_sense(const struct supervisor *s, struct control_hello *hello)
{
	const struct activation *a = s->options.activation;

	memcpy(hello->honeypot_key, s->honeypot_key, sizeof hello->honeypot_key);
	if (!a)
		return;
	hello->inherited = a->count;
	memcpy(hello->inherited_transport, a->transport,
		sizeof hello->inherited_transport);
}

/* Its configuration, then its links to whoever runs. */
static void introduce(struct supervisor *s, struct process *p, int config)
{
	struct control_hello hello;

	memset(&hello, 0, sizeof hello);
	hello.role = p->role;
	hello.parent = getpid();
	hello.starts = p->starts;
	if (p->role == ROLE_SENSE)
		introduce_sense(s, &hello);
	process_send(p, MSG_CONFIG, &hello, sizeof hello, config);
	EACH_PROCESS(s, other)
	if (other->pid > 0 && role_linked(p->role, other->role))
		join(p, other);
}

void process_start(struct supervisor *s, struct process *p, usec now)
{
	pid_t parent = getpid();
	int config, fds[2] = {-1, -1};

	config = process_config(s->config, p->role);
	if (config < 0 || packet_pair(fds))
		goto fail;
	fflush(NULL);
	p->pid = fork();
	if (p->pid < 0) {
		p->pid = 0;
		goto fail;
	}
	if (p->pid == 0)
		run_role(p->role, fds[1], parent, s->options.activation);
	close(fds[1]);
	p->fd = fds[0];
	p->starts++;
	p->started = now;
	p->state = ROLE_STARTING;
	p->pinged = p->end_by = 0;
	p->reloading = false;
	s->roles_changed = true;
	introduce(s, p, config);
	close(config);
	return;
fail:
	p->wait = backoff_next(p->wait, 0);
	p->due = now + p->wait;
	log_error("%s: cannot be started: %s", role_name(p->role), strerror(errno));
	if (fds[0] >= 0) {
		close(fds[0]);
		close(fds[1]);
	}
	if (config >= 0)
		close(config);
}

/* How it ended, in words. dst[64]. */
static const char *ending(char *dst, int status)
{
	if (WIFSIGNALED(status))
		snprintf(dst, 64, "was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(dst, 64, "exited with %d", WEXITSTATUS(status));
	return dst;
}

void process_ended(struct supervisor *s, struct process *p, int status, usec now)
{
	usec lived = now - p->started;
	bool ready = p->state == ROLE_RUNNING, wanted = process_wanted(s, p);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	char text[64];
	pid_t pid = p->pid;

	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->pid = 0;
	p->last_exit = code;
	p->end_by = 0;
	p->state = ROLE_WAITING;
	p->reloading = false;
	s->roles_changed = true;
	if (s->stopping) {
		if (code != 0)
			log_warning("%s (pid %d) %s", role_name(p->role), (int)pid,
				ending(text, status));
		return;
	}
	if (!wanted) {
		p->was_ready = false;
		p->wait = 0;
		log_notice("%s (pid %d) has ended: no [webhook] is left",
			role_name(p->role), (int)pid);
		return;
	}
	if (code == ROLE_EXIT_CONFIG && !p->was_ready) {
		log_error("%s refuses the configuration; stopping", role_name(p->role));
		s->exit_code = ROLE_EXIT_CONFIG;
		supervisor_stop(s, now);
		return;
	}
	if (code == ROLE_EXIT_AGAIN && ready && lived >= AGAIN_LIFE) {
		p->due = now;
		log_notice("%s (pid %d) asks to be started anew", role_name(p->role),
			(int)pid);
		return;
	}
	p->wait = backoff_next(p->wait, lived);
	p->due = now + p->wait;
	log_warning("%s (pid %d) %s; starting it again in %llu ms", role_name(p->role),
		(int)pid, ending(text, status), (unsigned long long)(p->wait / 1000));
}
