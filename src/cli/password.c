/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret_page.h"

_Static_assert(sizeof(struct password) <= SECRET_PAGE_SIZE, "a password fits its page");

/* One line into p, without its end. Returns 0, or -1 with errno. */
static int read_line(int fd, struct password *p)
{
	char *end;

	p->n = 0;
	while (p->n < sizeof p->text) {
		ssize_t got = read(fd, p->text + p->n, sizeof p->text - p->n);

		if (got < 0)
			return -1; /* EINTR too: the terminal must be put right */
		p->n += (size_t)got;
		if (!got || p->text[p->n - 1] == '\n')
			break;
	}
	end = memchr(p->text, '\n', p->n);
	if (end && end != p->text + p->n - 1)
		goto invalid; /* a second line */
	if (end)
		p->n--;
	if (p->n && p->text[p->n - 1] == '\r')
		p->n--;
	if (p->n <= KEYSTORE_PASSWORD_MAX)
		return 0;
invalid:
	errno = EINVAL;
	return -1;
}

/* --- from a file --- */

/* Returns 0, or the exit code after having said why. */
static int check_file(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st))
		return failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
	if (S_ISREG(st.st_mode) && st.st_mode & 077)
		return failure(CONTROL_PERMISSION,
			"%s: others can read the password (mode %04o): run chmod 600 on it",
			shown(path), st.st_mode & 07777U);
	return 0;
}

static int from_file(struct password *p, const char *path)
{
	int fd, code = file_permitted(path, R_OK);

	if (code)
		return code;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
	code = check_file(fd, path);
	if (!code && read_line(fd, p))
		code = failure(CONTROL_FAILED, "%s: %s", shown(path),
			errno == EINVAL ? "a password is one line of at most 1024 bytes" :
					  strerror(errno));
	close(fd);
	return code;
}

/* --- from the terminal --- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

static void say(int tty, const char *text)
{
	ssize_t n = write(tty, text, strlen(text));

	(void)n; /* whoever does not see the question still may answer it */
}

/*
 * One answer while the terminal shows nothing. A signal ends the reading, so
 * that nobody is left with a silent terminal; it then does what it would have
 * done. Returns 0, or -1 with errno.
 */
static int answer(int tty, const char *prompt, struct password *p)
{
	struct sigaction act = {.sa_handler = on_signal}, before[SIGNALS];
	struct termios usual, silent;
	int rc, saved;

	if (tcgetattr(tty, &usual))
		return -1;
	silent = usual;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	caught = 0;
	for (size_t k = 0; k < SIGNALS; k++) {
		sigaction(signals[k], &act, &before[k]);
		if (before[k].sa_handler == SIG_IGN) /* stays ignored: no ending */
			sigaction(signals[k], &before[k], NULL);
	}
	say(tty, prompt);
	rc = tcsetattr(tty, TCSAFLUSH, &silent);
	if (!rc)
		rc = read_line(tty, p);
	saved = errno;
	tcsetattr(tty, TCSAFLUSH, &usual);
	say(tty, "\n");
	for (size_t k = 0; k < SIGNALS; k++)
		sigaction(signals[k], &before[k], NULL);
	if (caught)
		raise(caught);
	errno = saved;
	return rc;
}

static int ask_once(int tty, const char *prompt, struct password *p)
{
	if (!answer(tty, prompt, p))
		return 0;
	return failure(CONTROL_FAILED, "no password: %s",
		errno == EINVAL ? "it is longer than 1024 bytes" : strerror(errno));
}

static int ask_again(int tty, const struct password *first)
{
	struct password *second = secret_page_new();
	int code;

	if (!second)
		return failure(CONTROL_FAILED, "no locked page for the password: %s",
			strerror(errno));
	code = ask_once(tty, "The same again: ", second);
	if (!code &&
		(first->n != second->n || memcmp(first->text, second->text, first->n)))
		code = failure(CONTROL_FAILED, "the two passwords differ: start again");
	secret_page_free(second);
	return code;
}

static int from_terminal(struct password *p, const char *prompt, bool twice)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), code;

	if (tty < 0)
		return failure(CONTROL_USAGE,
			"there is no terminal to ask for the password on: give "
			"--password-file FILE");
	code = ask_once(tty, prompt, p);
	if (!code && twice)
		code = ask_again(tty, p);
	close(tty);
	return code;
}

struct password *password_take(
	struct invocation *in, const char *prompt, bool twice, int *code)
{
	struct password *p = secret_page_new();

	if (!p) {
		*code = failure(CONTROL_FAILED,
			"no locked page for the password: %s (raise the limit on locked "
			"memory, ulimit -l)",
			strerror(errno));
		return NULL;
	}
	*code = given(in, OPTION_PASSWORD_FILE) ?
		from_file(p, option(in, OPTION_PASSWORD_FILE, NULL)) :
		from_terminal(p, prompt, twice);
	if (!*code)
		return p;
	secret_page_free(p);
	return NULL;
}
