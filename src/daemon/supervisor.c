/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/supervisor_hook.h"
#include "daemon/supervisor_state.h"

const struct supervisor_options supervisor_options_default = {
	.stop_node = 5 * USEC_PER_SEC,
	.stop_others = 3 * USEC_PER_SEC,
	.ping_every = 5 * USEC_PER_SEC,
	.hang = 60 * USEC_PER_SEC,
	.reload = 10 * USEC_PER_SEC,
};

/* Take the signals that matter through a descriptor. Returns 0 or -1. */
static int open_signals(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	/* An ignored one would never reach the descriptor (nohup ignores HUP). */
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -1 : 0;
}

/* Collect whoever ended; only our own by their pid. */
static void reap(struct supervisor *s, usec now)
{
	EACH_PROCESS(s, p)
	{
		int status;

		if (p->pid <= 0 || waitpid(p->pid, &status, WNOHANG) != p->pid)
			continue;
		process_receive(s, p, now); /* its last words */
		process_ended(s, p, status, now);
	}
	supervisor_hooks_reap(s, now);
}

static void take_signals(struct supervisor *s, usec now)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(s, now);
			break;
		case SIGHUP:
			supervisor_reload(s, now);
			break;
		default:
			supervisor_stop(s, now);
		}
	}
}

/* Ask a role whether it lives; end it when it has not answered for too long. */
static void ping(struct supervisor *s, struct process *p, usec now, usec every)
{
	if (p->pid > 0 && p->end_by && now >= p->end_by) {
		log_error("%s (pid %d) %s; killing it", role_name(p->role), (int)p->pid,
			p->state == ROLE_STOPPING ? "does not stop" :
						    "has closed its pair and goes on");
		process_kill(p);
		p->end_by = now + s->options.hang; /* it is gone by then */
	}
	if (p->state != ROLE_RUNNING || p->end_by)
		return;
	if (p->pinged && now - p->pinged >= s->options.hang) {
		log_error("%s (pid %d) has not answered for %llu s; killing it",
			role_name(p->role), (int)p->pid,
			(unsigned long long)((now - p->pinged) / USEC_PER_SEC));
		process_kill(p);
		p->pinged = 0;
		p->ping_due = now + s->options.hang; /* it is gone by then */
	} else if (!p->pinged && now >= p->ping_due) {
		p->pinged = now;
		p->ping_due = now + every;
		process_send(p, MSG_PING, &p->pinged, sizeof p->pinged, -1);
	}
}

/*
 * Tell the service manager that all is well, unless a running role owes an
 * answer. A role that waits for its restart holds nothing back: to start all
 * of them anew would help nobody.
 */
static void watchdog(struct supervisor *s, usec now)
{
	bool well = true;

	if (!s->notify.watchdog || now < s->watchdog_due)
		return;
	EACH_PROCESS(s, p)
	if (p->state == ROLE_RUNNING && p->pinged &&
		now - p->pinged >= s->notify.watchdog / 2)
		well = false;
	s->watchdog_due = now + s->notify.watchdog / 4;
	if (well)
		notify_send(&s->notify, "WATCHDOG=1");
}

static void earlier(usec *next, usec t)
{
	if (t < *next)
		*next = t;
}

/* When something is due by time alone. */
static usec next_event(struct supervisor *s, usec now)
{
	usec next = supervisor_hooks_due(s, now);

	if (s->stopping) {
		earlier(&next, s->deadline);
		return next;
	}
	for (unsigned i = ROLE_SENSE; i < ROLE_COUNT; i++) {
		const struct process *p = &s->processes[i];

		if (p->state == ROLE_WAITING && process_wanted(s, p))
			earlier(&next, p->due);
		else if (p->end_by)
			earlier(&next, p->end_by);
		else if (p->state == ROLE_RUNNING)
			earlier(&next,
				p->pinged ? p->pinged + s->options.hang : p->ping_due);
	}
	if (s->reload_until)
		earlier(&next, s->reload_until);
	if (s->notify.watchdog)
		earlier(&next, s->watchdog_due);
	return next;
}

/* Wait for signals, messages or time, and take what came. */
static void wait_and_take(struct supervisor *s)
{
	struct pollfd fds[ROLE_COUNT];
	usec now = clock_monotonic(), next = next_event(s, now);
	int timeout = -1;

	memset(fds, 0, sizeof fds);
	fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	EACH_PROCESS(s, p)
	fds[p->role] = (struct pollfd){.fd = p->fd, .events = POLLIN};
	if (next != UINT64_MAX) /* rounded up, or the last millisecond would spin */
		timeout = next <= now ? 0 : (int)((next - now) / 1000 + 1);
	if (poll(fds, ROLE_COUNT, timeout) < 0)
		return;
	now = clock_monotonic();
	EACH_PROCESS(s, p)
	if (p->fd >= 0 && fds[p->role].revents)
		process_receive(s, p, now);
	if (fds[0].revents)
		take_signals(s, now);
}

/* What is due now. Returns whether the daemon has come to its end. */
static bool act(struct supervisor *s)
{
	usec every = s->options.ping_every, now = clock_monotonic();

	if (s->notify.watchdog && every > s->notify.watchdog / 4)
		every = s->notify.watchdog / 4;
	if (supervisor_stop_check(s, now))
		return true;
	EACH_PROCESS(s, p)
	{
		if (s->stopping)
			break;
		if (p->state == ROLE_WAITING && now >= p->due && process_wanted(s, p))
			process_start(s, p, now);
		ping(s, p, now, every);
	}
	supervisor_reload_check(s, now);
	supervisor_tell_roles(s);
	watchdog(s, now);
	return false;
}

static void draw_key(struct supervisor *s)
{
	const struct hash_key random[2] = {hash_key_random(), hash_key_random()};

	_Static_assert(sizeof random == sizeof s->honeypot_key, "32 bytes");
	memcpy(s->honeypot_key, random, sizeof random);
}

int supervisor_run(const struct supervisor_options *options, struct config *config)
{
	struct supervisor s = {.options = *options, .config = config, .signals = -1};

	draw_key(&s);
	EACH_PROCESS(&s, p)
	{
		p->role = (enum role)(p - s.processes);
		p->state = ROLE_WAITING;
		p->fd = -1;
	}
	notify_open(&s.notify);
	if (open_signals(&s)) {
		log_error("signals: %s", strerror(errno));
		s.exit_code = ROLE_EXIT_FAILED;
	} else {
		log_notice("sipchaind %s starts node %s", SIPCHAIN_VERSION,
			config->node.name);
		while (!act(&s))
			wait_and_take(&s);
		log_notice("stopped");
	}
	if (s.signals >= 0)
		close(s.signals);
	notify_close(&s.notify);
	config_free(s.config);
	free(s.config);
	return s.exit_code;
}
