/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/hook_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/backoff.h"
#include "daemon/sandbox.h"

#define ARGUMENTS_TEXT 1024

/* What becomes of the configuration's words: argv, and what it points into. */
struct command {
	char text[ARGUMENTS_TEXT];
	char *argv[HOOK_ARGUMENTS_MAX + 2];
	char environment[5][300];
	char *envp[6];
};

/* --- before the fork --- */

static int check_path(const char *path, struct error *err)
{
	struct stat st;

	if (path[0] != '/')
		error_set(err, "program: \"%s\" is no absolute path",
			escaped(view_str(path)));
	else if (stat(path, &st))
		error_set(err, "program: %s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		error_set(err, "program: %s is no program: chmod +x it", path);
	else if (st.st_mode & S_IWOTH)
		error_set(err, "program: anybody may write %s: chmod o-w it", path);
	else
		return 0;
	errno = EINVAL;
	return -1;
}

static int split(struct command *c, const struct hook_program *program, struct error *err)
{
	struct view rest = view_str(program->arguments), word;
	size_t n = 0, at = 0;

	if (rest.n >= sizeof c->text) {
		errno = EINVAL;
		return error_set(
			err, "arguments: more than %zu bytes", sizeof c->text - 1);
	}
	c->argv[n++] = (char *)(uintptr_t)program->path;
	/* Blanks alone: a comma is part of an argument. */
	for (rest = view_trim(rest); rest.n; rest = view_trim(rest)) {
		if (n > HOOK_ARGUMENTS_MAX) {
			errno = EINVAL;
			return error_set(
				err, "arguments: more than %u words", HOOK_ARGUMENTS_MAX);
		}
		word = view_head(rest, view_find(rest, ' '));
		rest = view_from(rest, word.n);
		c->argv[n++] = c->text + at;
		view_copy(c->text + at, sizeof c->text - at, word);
		at += word.n + 1;
	}
	c->argv[n] = NULL;
	return 0;
}

/* Whom it becomes; *pw NULL: whom we are (a namespace without other users). */
static int find_user(const char *user, const struct passwd **pw, struct error *err)
{
	const struct passwd *own = NULL;
	struct error why;

	if (sandbox_user(user, pw, &why))
		error_set(
			err, "run_as: there is no user \"%s\"", escaped(view_str(user)));
	else if (*pw && (*pw)->pw_uid == 0)
		error_set(err, "run_as: it does not run as root; name another user");
	else if (geteuid() != 0 && (!(own = getpwnam(user)) || own->pw_uid != geteuid()))
		error_set(err,
			"run_as: only root can start it as %s; start sipchaind as "
			"root, or name yourself",
			user);
	else
		return 0;
	errno = EINVAL;
	return -1;
}

static void set_environment(
	struct command *c, const struct hook_program *program, const struct passwd *pw)
{
	const size_t size = sizeof c->environment[0];

	snprintf(c->environment[0], size,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(c->environment[1], size, "LANG=C.UTF-8");
	snprintf(c->environment[2], size, "SIPCHAIN_CONNECTOR=%s", program->connector);
	snprintf(c->environment[3], size, "HOME=%.250s", pw ? pw->pw_dir : "/");
	snprintf(c->environment[4], size, "USER=%.250s", program->user);
	for (size_t i = 0; i < 5; i++)
		c->envp[i] = c->environment[i];
	c->envp[5] = NULL;
}

/* --- in the child --- */

static void refuse(const char *what, const char *path)
{
	dprintf(STDERR_FILENO, "%s%s%s: %s\n", what, path[0] ? " " : "", path,
		strerror(errno));
	_exit(127);
}

static void become(const struct passwd *pw)
{
	if (!pw)
		return;
	if (initgroups(pw->pw_name, pw->pw_gid) && errno != EPERM)
		refuse("groups of user", pw->pw_name);
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		refuse("cannot become user", pw->pw_name);
}

/* Does not return. */
static void run(const struct command *c, const struct passwd *pw, int stream, int errors,
	pid_t parent)
{
	const struct rlimit none = {0, 0};
	sigset_t empty;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	/* Above what they become: dup2() must not close one of the others. */
	stream = fcntl(stream, F_DUPFD, 10);
	errors = fcntl(errors, F_DUPFD, 10);
	if (dup2(errors, STDERR_FILENO) < 0 || dup2(stream, STDIN_FILENO) < 0 ||
		dup2(stream, STDOUT_FILENO) < 0)
		_exit(127);
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	setsid();
	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	if (chdir("/"))
		refuse("/", "");
	become(pw);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* Behind become(), which would undo it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent)
		_exit(127);
	execve(c->argv[0], c->argv, c->envp);
	refuse("cannot run", c->argv[0]);
}

/* --- starting --- */

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void close_all(int fds[4])
{
	int saved = errno;

	for (unsigned i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	errno = saved;
}

static int spawn(struct hook_process *h, const struct command *c, const struct passwd *pw,
	int fds[2], struct error *err)
{
	int all[4] = {-1, -1, -1, -1}; /* stream: ours, its own; stderr: ours, its own */
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, all) ||
		pipe2(all + 2, O_CLOEXEC) || set_nonblocking(all[0]) ||
		set_nonblocking(all[2]))
		goto fail;
	fflush(NULL);
	h->pid = fork();
	if (h->pid == 0)
		run(c, pw, all[1], all[3], parent);
	if (h->pid < 0)
		goto fail;
	close(all[1]);
	close(all[3]);
	fds[0] = all[0];
	fds[1] = all[2];
	return 0;
fail:
	h->pid = 0;
	close_all(all);
	return error_set(err, "%s cannot be started: %s", c->argv[0], strerror(errno));
}

int hook_process_start(struct hook_process *h, const struct hook_program *program,
	int fds[2], usec now, struct error *err)
{
	const struct passwd *pw = NULL;
	struct command c;

	if (h->pid > 0)
		hook_process_stop(h, now);
	if (h->pid > 0 || now < h->due) {
		error_set(err,
			h->pid > 0 ? "its last process has not ended yet" :
				     "its program ended too soon; it is started "
				     "again after a while");
		errno = EBUSY;
		return -1;
	}
	if (check_path(program->path, err) || split(&c, program, err) ||
		find_user(program->user, &pw, err))
		return -1;
	set_environment(&c, program, pw);
	if (spawn(h, &c, pw, fds, err))
		return -1;
	snprintf(h->connector, sizeof h->connector, "%s", program->connector);
	h->started = now;
	h->kill_by = 0;
	log_info("[connector \"%s\"] %s runs (pid %d)", h->connector, program->path,
		(int)h->pid);
	return 0;
}

/* --- ending --- */

bool hook_process_reap(struct hook_process *h, usec now)
{
	bool asked = h->kill_by != 0;
	int status;

	if (h->pid <= 0 || waitpid(h->pid, &status, WNOHANG) != h->pid)
		return false;
	h->wait = backoff_next(asked ? 0 : h->wait, now - h->started);
	h->due = now + (asked ? 0 : h->wait);
	if (asked)
		log_info("[connector \"%s\"] its program (pid %d) has ended",
			h->connector, (int)h->pid);
	else if (WIFSIGNALED(status))
		log_warning("[connector \"%s\"] its program (pid %d) was ended by signal "
			    "%d (%s)",
			h->connector, (int)h->pid, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		log_warning("[connector \"%s\"] its program (pid %d) exited with %d",
			h->connector, (int)h->pid, WEXITSTATUS(status));
	/* What it started and left behind would hold the stream's other end. */
	kill(-h->pid, SIGKILL);
	h->pid = 0;
	h->kill_by = 0;
	return true;
}

void hook_process_stop(struct hook_process *h, usec now)
{
	if (h->pid <= 0 || h->kill_by)
		return;
	kill(-h->pid, SIGTERM);
	kill(h->pid, SIGTERM); /* it may not have its own group yet */
	h->kill_by = now + HOOK_KILL_AFTER;
}

usec hook_process_due(struct hook_process *h, usec now)
{
	if (h->pid <= 0 || !h->kill_by)
		return 0;
	if (now >= h->kill_by) {
		log_warning("[connector \"%s\"] its program (pid %d) does not end; "
			    "killing it",
			h->connector, (int)h->pid);
		kill(-h->pid, SIGKILL);
		kill(h->pid, SIGKILL);
		h->kill_by = now + HOOK_KILL_AFTER;
	}
	return h->kill_by;
}
